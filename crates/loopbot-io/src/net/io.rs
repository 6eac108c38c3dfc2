// ANCHOR: whole
//! What every socket is: a descriptor that does not block, and its slot in the reactor.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use loopbot_core::leaf::{self, EndedBy};
use loopbot_core::parking;

use crate::reactor::{AsSource, Direction, Key, Mode, Reactor, State};

pub(crate) struct Io<T: AsSource> {
    /// `None` only while it is given away.
    inner: Option<T>,
    key: Key,
    mode: Mode,
    reactor: Rc<Reactor>,
    /// Where in the program it was made, for those who ask what a task waits for.
    made_at: &'static Location<'static>,
}

impl<T: AsSource> Io<T> {
    /// Registers a descriptor, which must not block, with the LoopBot of this thread.
    #[track_caller]
    pub(crate) fn new(inner: T, mode: Mode, function: &str) -> io::Result<Io<T>> {
        Io::at(inner, mode, function, Location::caller())
    }

    #[track_caller]
    pub(crate) fn at(
        inner: T,
        mode: Mode,
        function: &str,
        made_at: &'static Location<'static>,
    ) -> io::Result<Io<T>> {
        let reactor = Reactor::of_this_loop(function)?;
        let (key, mode) = reactor.register(&inner, mode)?;
        Ok(Io {
            inner: Some(inner),
            key,
            mode,
            reactor,
            made_at,
        })
    }

    pub(crate) fn get_ref(&self) -> &T {
        self.inner
            .as_ref()
            .expect("what is given away is not used any more")
    }

    /// Takes the descriptor out of the reactor, still not blocking.
    pub(crate) fn into_inner(mut self) -> T {
        let inner = self.inner.take().expect("it is given away only here");
        self.reactor.deregister(&inner, self.key);
        inner
    }

    // ANCHOR: poll_io
    /// Does something that may have to wait: tries it, and if it would have to, leaves the task's waker with the reactor.
    pub(crate) fn poll_io<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        what: &'static str,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        ready!(leaf::spend(cx));
        while self.reactor.state(self.key, direction) != State::Dry {
            match operation(self.get_ref()) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.reactor.is_dry(self.key, direction);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
        self.wait(cx, direction, what, self.made_at, false)
    }
    // ANCHOR_END: poll_io

    /// The same as a future.
    pub(crate) async fn io<R>(
        &self,
        direction: Direction,
        what: &'static str,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        poll_fn(|cx| self.poll_io(cx, direction, what, &mut operation)).await
    }

    /// Waits until the system says that this direction is ready: now, not at some time in the past.
    ///
    /// Cancel safe: it takes nothing from anybody.
    pub(crate) async fn ready(
        &self,
        direction: Direction,
        what: &'static str,
        at: &'static Location<'static>,
    ) -> io::Result<()> {
        // Of a socket that nobody has used and no event has come for, the first event is still to come.
        let mut arm =
            self.mode == Mode::OnDemand || self.reactor.state(self.key, direction) != State::Untold;
        let mut asked = false;
        poll_fn(|cx| {
            ready!(leaf::spend(cx));
            if asked && self.reactor.state(self.key, direction) == State::Ready {
                return Poll::Ready(Ok(()));
            }
            if !asked {
                self.reactor.is_dry(self.key, direction);
            }
            asked = true;
            let waits = self.wait(cx, direction, what, at, arm);
            arm = false;
            waits
        })
        .await
    }

    /// Leaves the task's waker with the reactor. `Ready` only if that cannot be.
    fn wait<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        what: &'static str,
        at: &'static Location<'static>,
        arm: bool,
    ) -> Poll<io::Result<R>> {
        if !parking::parks_in(&self.reactor) {
            return Poll::Ready(Err(io::Error::other(
                "a socket was awaited outside the LoopBot it was made on, and only that one hears when it is ready: \
                 make the socket where it is used, or move what `into_std` gives",
            )));
        }
        self.reactor.keep_waker(self.key, direction, cx.waker());
        if arm || self.mode == Mode::OnDemand {
            self.reactor.arm(self.get_ref(), self.key, self.mode)?;
        }
        leaf::waits(what, at, EndedBy::Outside);
        Poll::Pending
    }

    /// Reads or writes `wanted` bytes, or less; then it would have to wait for more. (0: that is not certain.)
    pub(crate) fn poll_move(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        wanted: usize,
        operation: impl FnMut(&T) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let what = match direction {
            Direction::Read => "something to read",
            Direction::Write => "room to write",
        };
        let done = ready!(self.poll_io(cx, direction, what, operation))?;
        if 0 < done && done < wanted {
            self.reactor.was_short(self.key, direction);
        }
        Poll::Ready(Ok(done))
    }
}

/// The slot goes before the descriptor: the poller must not know one that is closed, or by then another's.
impl<T: AsSource> Drop for Io<T> {
    fn drop(&mut self) {
        if let Some(inner) = &self.inner {
            self.reactor.deregister(inner, self.key);
        }
    }
}
// ANCHOR_END: whole
