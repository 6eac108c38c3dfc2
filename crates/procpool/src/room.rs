//! Those who wait for a place in the queue.
//!
//! When there is one all are woken, the oldest first, and ask again. One for each place would be enough; but who was woken
//! may never ask, and then nobody would come.

use std::collections::BTreeMap;
use std::task::Waker;

/// Who waits, and whom to wake for it. Wakers that are not needed any more are given back, because their owner's code
/// may run when they are dropped, and that had better not be under the pool's lock.
#[derive(Default)]
pub(crate) struct Room {
    waiting: BTreeMap<Ticket, Waker>,
    next: u64,
}

/// A place among those who wait. It is kept by whoever comes again, and never given to somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

impl Room {
    /// Waits, with this waker from now on. Returns the one from before.
    pub(crate) fn wait(&mut self, ticket: &mut Option<Ticket>, waker: Waker) -> Option<Waker> {
        let next = &mut self.next;
        let ticket = ticket.get_or_insert_with(|| {
            *next += 1;
            Ticket(*next)
        });
        self.waiting.insert(*ticket, waker)
    }

    /// Does not wait any more.
    pub(crate) fn leave(&mut self, ticket: Ticket) -> Option<Waker> {
        self.waiting.remove(&ticket)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// All who wait. They have to come again.
    pub(crate) fn call(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.waiting).into_values()
    }
}
