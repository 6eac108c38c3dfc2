//! What every future of LoopBot's own that can wait has to do.

use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::{current, waker};

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
#[inline]
pub(crate) fn spend(cx: &mut Context<'_>) -> Poll<()> {
    // Where no LoopBot runs, nobody counts.
    if current::try_with(|executor| executor.spend()).unwrap_or(true) {
        return Poll::Ready(());
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// A copy of a waker. Of LoopBot's own it is made without calling it, which costs nothing, and the loop
/// knows that it is in good hands.
#[inline]
pub(crate) fn keep(waker: &Waker) -> Waker {
    waker::keep(waker)
}

/// The task that is being polled is about to return `Pending`: notes what it waits for, and where in the program.
#[inline]
#[allow(dead_code)] // Until every leaf uses it.
pub(crate) fn waits(what: &'static str, at: &'static Location<'static>, ended_by: EndedBy) {
    current::try_with(|executor| executor.waits(what, at, ended_by));
}

/// A named wait point is about to return `Pending`, as the future inside it did: notes the name, over what the
/// future inside noted. Called after the inner poll; to be called again after each poll that is pending.
#[allow(dead_code)] // Until every leaf uses it.
pub(crate) fn named(name: &Rc<str>, at: &'static Location<'static>) {
    current::try_with(|executor| executor.names_a_wait(name.to_string(), Some(at)));
}
