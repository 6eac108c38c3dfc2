// ANCHOR: whole
//! So many at a time: permits that are handed out in the order in which they were asked for.

use std::cell::RefCell;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use loopbot_core::leaf;

use super::Closed;
use super::wait_list::{self, Calls, Ticket, WaitList};

/// So many permits, and whoever finds too few waits. In asyncio this is `asyncio.Semaphore`, where each takes one.
///
/// First come, first served, by number: somebody who wants many permits is not passed over for those behind who want few.
///
/// ```
/// use std::rc::Rc;
/// use loopbot::sync::Semaphore;
///
/// loopbot::run(async {
///     let hobs = Rc::new(Semaphore::new(2)); // three pots, two hobs
///     let pots = [(); 3].map(|()| {
///         let hobs = hobs.clone();
///         loopbot::spawn(async move {
///             let _hob = hobs.acquire(1).await.unwrap();
///             loopbot::yield_now().await; // it cooks; the hob is given back when `_hob` is dropped
///         })
///     });
///     for pot in pots {
///         pot.await.unwrap();
///     }
///     assert_eq!(hobs.available_permits(), 2);
/// });
/// ```
///
/// It stays on its thread:
///
/// ```compile_fail
/// fn sent(_: impl Send) {}
/// sent(loopbot::sync::Semaphore::new(1));
/// ```
// ANCHOR: semaphore
#[derive(Debug)]
pub struct Semaphore {
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    free: usize,
    closed: bool,
    /// The note is the number of permits that each still lacks. It is all or nothing.
    line: WaitList<usize>,
}
// ANCHOR_END: semaphore

impl State {
    /// Takes permits if there are enough and nobody stands in line for them.
    fn take(&mut self, permits: usize) -> bool {
        let can = self.line.len() == 0 && self.free >= permits && !self.closed;
        if can {
            self.free -= permits;
        }
        can
    }

    /// Gives to the first in line, and to the next, for as long as there is enough.
    fn serve(&mut self) -> Calls {
        let mut calls = Calls::default();
        while let Some(lacks) = self.line.first()
            && *lacks <= self.free
        {
            self.free -= *lacks;
            *lacks = 0;
            self.line.call_first(&mut calls);
        }
        calls
    }
}

impl Semaphore {
    /// A semaphore with so many permits.
    pub const fn new(permits: usize) -> Semaphore {
        Semaphore {
            state: RefCell::new(State {
                free: permits,
                closed: false,
                line: WaitList::new(),
            }),
        }
    }

    /// Waits for so many permits, and takes them all at once. Dropping the [`Permit`] gives them back.
    ///
    /// If there are never so many, it waits for ever.
    ///
    /// Cancel safe: dropping the future gives up its place in line, and gives back what it had been given.
    ///
    /// # Errors
    ///
    /// [`Closed`], if the semaphore is closed, or is closed while this waits.
    #[track_caller]
    pub fn acquire(&self, permits: usize) -> Acquire<'_> {
        self.acquire_for("a Semaphore", permits, Location::caller())
    }

    /// The same, where those who stand still shall say that they wait for something else than "a Semaphore".
    #[inline]
    pub(super) fn acquire_for(
        &self,
        what: &'static str,
        permits: usize,
        at: &'static Location<'static>,
    ) -> Acquire<'_> {
        Acquire {
            semaphore: self,
            permits,
            ticket: None,
            what,
            at,
        }
    }

    /// The same as [`acquire`](Semaphore::acquire), but what you get can be given to another task.
    ///
    /// ```
    /// use std::rc::Rc;
    /// use loopbot::sync::Semaphore;
    ///
    /// loopbot::run(async {
    ///     let seats = Rc::new(Semaphore::new(10));
    ///     for _ in 0..100 {
    ///         // No more than ten tasks are there at a time: this loop waits for a seat before it spawns the next.
    ///         let seat = seats.clone().acquire_owned(1).await.unwrap();
    ///         loopbot::spawn(async move {
    ///             loopbot::yield_now().await;
    ///             drop(seat);
    ///         });
    ///     }
    /// });
    /// ```
    ///
    /// # Errors
    ///
    /// [`Closed`], if the semaphore is closed, or is closed while this waits.
    #[track_caller]
    pub fn acquire_owned(
        self: Rc<Self>,
        permits: usize,
    ) -> impl Future<Output = Result<OwnedPermit, Closed>> {
        let at = Location::caller();
        async move {
            self.acquire_for("a Semaphore", permits, at).await?.forget();
            Ok(OwnedPermit {
                semaphore: self,
                permits,
            })
        }
    }

    /// Takes so many permits if that is possible at once. `None` if there are too few, if others stand in line, or if
    /// the semaphore is closed.
    #[inline]
    pub fn try_acquire(&self, permits: usize) -> Option<Permit<'_>> {
        let taken = self.state.borrow_mut().take(permits);
        taken.then(|| Permit {
            semaphore: self,
            permits,
        })
    }

    /// How many permits nobody holds and nobody has been given.
    pub fn available_permits(&self) -> usize {
        self.state.borrow().free
    }

    /// Adds permits.
    ///
    /// # Panics
    ///
    /// If there are more than `usize::MAX` of them then.
    #[inline]
    pub fn add_permits(&self, permits: usize) {
        let mut state = self.state.borrow_mut();
        let free = state.free.checked_add(permits);
        state.free = free.expect("a Semaphore has at most usize::MAX permits");
        if state.line.len() == 0 {
            return;
        }
        let calls = state.serve();
        drop(state);
        calls.ring();
    }

    /// From now on nobody gets a permit, and whoever stands in line is told so. Permits that were given stay valid.
    pub fn close(&self) {
        let mut state = self.state.borrow_mut();
        state.closed = true;
        let calls = state.line.call_all();
        drop(state);
        calls.ring();
    }

    /// Whether it has been closed.
    pub fn is_closed(&self) -> bool {
        self.state.borrow().closed
    }
}

/// The future of [`Semaphore::acquire`].
#[derive(Debug)]
#[must_use = "a future does nothing until it is awaited"]
pub struct Acquire<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
    ticket: Option<Ticket>,
    what: &'static str,
    at: &'static Location<'static>,
}

impl<'a> Acquire<'a> {
    fn look(&mut self, waker: &mut Option<Waker>) -> Poll<Result<(), Closed>> {
        let mut state = self.semaphore.state.borrow_mut();
        match state.line.answer(&mut self.ticket) {
            Some(0) => return Poll::Ready(Ok(())),
            Some(_) => return Poll::Ready(Err(CLOSED)),
            None if self.ticket.is_some() => {}
            None if state.take(self.permits) => return Poll::Ready(Ok(())),
            None if state.closed => return Poll::Ready(Err(CLOSED)),
            None => {}
        }
        state.line.stand(&mut self.ticket, self.permits, waker);
        Poll::Pending
    }
}

const CLOSED: Closed = Closed("the semaphore was closed");

impl<'a> Future for Acquire<'a> {
    type Output = Result<Permit<'a>, Closed>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(leaf::spend(cx));
        // The short way, for those who need not wait.
        let taken = self.ticket.is_none() && self.semaphore.state.borrow_mut().take(self.permits);
        if !taken {
            let (what, at) = (self.what, self.at);
            ready!(wait_list::wait(cx, what, at, |waker| self.look(waker)))?;
        }
        Poll::Ready(Ok(Permit {
            semaphore: self.semaphore,
            permits: self.permits,
        }))
    }
}

// ANCHOR: drop_acquire
impl Drop for Acquire<'_> {
    #[inline]
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take() else {
            return;
        };
        let mut state = self.semaphore.state.borrow_mut();
        let (lacked, waker) = state.line.leave(ticket);
        if waker.is_none() && lacked == 0 {
            state.free += self.permits; // Given, and never collected.
        }
        // Those behind may want less than this one did.
        let calls = state.serve();
        drop((state, waker));
        calls.ring();
    }
}
// ANCHOR_END: drop_acquire

/// Permits of a [`Semaphore`]. Dropping this gives them back, and calls those in line who can now be served.
#[derive(Debug)]
#[must_use = "dropping a permit gives it back at once"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
}

impl Permit<'_> {
    /// Keeps the permits for ever. [`add_permits`](Semaphore::add_permits) can make up for them.
    pub fn forget(self) {
        mem::forget(self);
    }

    /// Gives some of them back and keeps the others.
    pub(super) fn give_back(&mut self, permits: usize) {
        self.permits -= permits;
        self.semaphore.add_permits(permits);
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.add_permits(self.permits);
    }
}

/// Permits of a [`Semaphore`] that hold on to it. Dropping this gives them back.
#[derive(Debug)]
#[must_use = "dropping a permit gives it back at once"]
pub struct OwnedPermit {
    semaphore: Rc<Semaphore>,
    permits: usize,
}

impl Drop for OwnedPermit {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.add_permits(self.permits);
    }
}
// ANCHOR_END: whole
