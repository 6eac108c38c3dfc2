//! What every future of LoopBot's own that can wait has to do.

use std::panic::Location;
use std::task::{Context, Poll, Waker};

/// Who can end a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code)] // Until every leaf uses it.
pub(crate) enum EndedBy {
    /// Only a task of the same loop: a lock, a channel, a join.
    Task,
    /// The clock or the poller.
    Outside,
}

/// Takes one from the budget of this poll. `Pending` when it is used up: the task has been woken, and its
/// future must return `Pending`, so that others get their turn.
#[allow(dead_code)] // Until every leaf uses it.
pub(crate) fn spend(_cx: &mut Context<'_>) -> Poll<()> {
    Poll::Ready(())
}

/// A copy of a waker. Of LoopBot's own it is made without calling it, which costs nothing.
#[allow(dead_code)] // Until every leaf uses it.
pub(crate) fn keep(waker: &Waker) -> Waker {
    waker.clone()
}

/// The task that is being polled is about to return `Pending`: notes what it waits for, and where in the program.
#[allow(dead_code)] // Until every leaf uses it.
pub(crate) fn waits(_what: &'static str, _at: &'static Location<'static>, _ended_by: EndedBy) {}
