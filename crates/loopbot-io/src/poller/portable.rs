//! The poller of every other system: the `polling` crate, which is kqueue on macOS and IOCP on Windows.

use std::io;
use std::num::NonZeroUsize;
use std::time::Duration;

use polling::{Event, PollMode};

use super::{EVENTS_PER_WAIT, Mode, Report};

/// Whatever has a descriptor, or on Windows a socket.
pub(crate) use polling::AsSource;

/// A poller, with a bell for other threads.
#[derive(Debug)]
pub(crate) struct Poller {
    inner: polling::Poller,
    edge: bool,
}

/// The events of a wait, in memory that is used again.
pub(crate) struct Events(polling::Events);

impl Events {
    pub(crate) fn new() -> Events {
        let capacity = NonZeroUsize::new(EVENTS_PER_WAIT).expect("there is room for some events");
        Events(polling::Events::with_capacity(capacity))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Report> + '_ {
        self.0.iter().map(|event| Report {
            key: event.key,
            readable: event.readable,
            writable: event.writable,
            hang_up: false, // Not every system tells: see `tells_hang_up`.
        })
    }
}

impl Poller {
    pub(crate) fn new() -> io::Result<Poller> {
        let inner = polling::Poller::new()?;
        Ok(Poller {
            // On Linux this poller is there to be tested, in the way of the system that has no tests of its own there: Windows.
            edge: inner.supports_edge() && !cfg!(target_os = "linux"),
            inner,
        })
    }

    /// How a socket that asks for `mode` is registered here.
    pub(crate) fn mode(&self, mode: Mode) -> Mode {
        if self.edge { mode } else { Mode::OnDemand }
    }

    /// Whether a hang-up is reported as such, so that a short read can be trusted otherwise.
    pub(crate) fn tells_hang_up(&self) -> bool {
        false
    }

    #[allow(unsafe_code)]
    pub(crate) fn add(&self, source: &impl AsSource, key: usize, mode: Mode) -> io::Result<()> {
        let all = mode == Mode::Edge;
        let source = source.source();
        // SAFETY: a source must be taken out before it is closed. `net::Io` owns what it registers, gives
        // it out by shared reference only, and deletes it here before it drops it or gives it away.
        unsafe {
            self.inner
                .add_with_mode(&source, Event::new(key, all, all), poll_mode(mode))
        }
    }

    /// Asks anew: what is ready now is reported again.
    pub(crate) fn arm(
        &self,
        source: &impl AsSource,
        key: usize,
        mode: Mode,
        read: bool,
        write: bool,
    ) -> io::Result<()> {
        let all = mode == Mode::Edge;
        let interest = Event::new(key, all || read, all || write);
        self.inner
            .modify_with_mode(source.source(), interest, poll_mode(mode))
    }

    pub(crate) fn delete(&self, source: &impl AsSource) {
        // It fails only if the source is not there; then there is nothing to take out.
        let _ = self.inner.delete(source.source());
    }

    /// Waits until something is ready, somebody rings, or the time is over.
    pub(crate) fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.0.clear();
        match self.inner.wait(&mut events.0, timeout) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }

    /// Ends the wait, or the next one, from any thread.
    pub(crate) fn notify(&self) -> io::Result<()> {
        self.inner.notify()
    }
}

fn poll_mode(mode: Mode) -> PollMode {
    match mode {
        Mode::Edge => PollMode::Edge,
        Mode::OnDemand => PollMode::Oneshot,
    }
}
