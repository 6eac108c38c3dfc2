//! Asking the system which descriptors are ready: the one part of LoopBot that differs between systems.
//!
//! On Linux this is `epoll` itself, because one wait must be one system call. Everywhere else it is the
//! `polling` crate. (`polling` works on Linux as well, and the feature `portable-poller` asks for it. Each of its
//! waits is five system calls there: it sets a timer, arms it, waits, reads its own bell and arms that.)

#[cfg(all(target_os = "linux", not(feature = "portable-poller")))]
mod epoll;
#[cfg(not(all(target_os = "linux", not(feature = "portable-poller"))))]
mod portable;

#[cfg(all(target_os = "linux", not(feature = "portable-poller")))]
pub(crate) use epoll::{AsSource, Events, Poller};
#[cfg(not(all(target_os = "linux", not(feature = "portable-poller"))))]
pub(crate) use portable::{AsSource, Events, Poller};

/// How many events one wait can bring. The others come with the next.
const EVENTS_PER_WAIT: usize = 1024;

/// What the poller says about one descriptor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    pub(crate) key: usize,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The other side has hung up, or there is something out of the ordinary: from now on a read that
    /// brings less than it could does not mean that nothing more will come without another event.
    pub(crate) hang_up: bool,
}

/// How a descriptor is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Once, for both directions and for good: an event comes whenever something changes. One system call for
    /// the whole life of a socket. Falls back to `OnDemand` where the system cannot do it.
    Edge,
    /// Armed each time somebody waits, and disarmed by its event.
    OnDemand,
}
