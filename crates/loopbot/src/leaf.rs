//! What every future of LoopBot's own that can wait has to do.

use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use std::time::Duration;

use flight::Event;

use crate::executor::Executor;
use crate::record::Record;
use crate::{current, waker};

/// Who can end a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    waker::keep_own(waker).unwrap_or_else(|| waker.clone())
}

/// The same, if it is one of LoopBot's own.
#[inline]
pub(crate) fn keep_own(waker: &Waker) -> Option<Waker> {
    waker::keep_own(waker)
}

/// For the record: the polled task's waker was kept by one of LoopBot's own futures that does not say what it waits for.
pub(crate) fn keeps_in_silence() {
    of_the_polled(|record, slot| record.note(slot, |note| note.waker_is_kept = true));
}

/// For the record: somebody has heard how the polled task is about to end.
pub(crate) fn is_observed() {
    of_the_polled(|record, slot| record.observed(slot));
}

fn of_the_polled(note: impl FnOnce(&Record, u32)) {
    current::try_with(|executor| {
        if let (Some(slot), true) = (executor.polled.get(), executor.lane().is_on()) {
            note(&executor.record, slot);
        }
    });
}

/// The task that is being polled is about to return `Pending`: notes what it waits for, and where in the program.
#[inline]
pub(crate) fn waits(what: &'static str, at: &'static Location<'static>, ended_by: EndedBy) {
    current::try_with(|executor| executor.waits(what, at, ended_by));
}

/// A named wait point is about to return `Pending`, as the future inside it did: notes the name, over what the
/// future inside noted. Called after the inner poll; to be called again after each poll that is pending.
pub(crate) fn named(name: &Rc<str>, at: &'static Location<'static>) {
    current::try_with(|executor| {
        executor
            .record
            .waits_by_name(executor.polled.get(), name, at);
        if executor.record.is_taken() {
            executor.names_a_wait(name.to_string(), Some(at));
        }
    });
}

/// Whom a task waits for, as far as it has said so.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum WaitsFor {
    NobodyNamed,
    Tasks,
    Outside,
}

impl Executor {
    /// Takes one from the budget of this poll, if there is any left.
    #[inline]
    pub(crate) fn spend(&self) -> bool {
        let left = self.budget.get();
        self.budget.set(left - 1);
        left > 0 || self.refuse(left)
    }

    /// After as many refusals it begins anew. A task that gets `Pending` from everybody and goes on asking is
    /// held up by a foreign executor inside it, which waits for an answer and will not give way.
    #[cold]
    fn refuse(&self, left: i64) -> bool {
        let whole = i64::from(self.robot.limits.budget);
        if left <= -whole {
            self.budget.set(whole);
        }
        false
    }

    /// For the record: this task was polled, and goes on waiting. Who can wake it?
    #[inline]
    pub(crate) fn look_for_wakers(&self, slot: u32) {
        if self.lane().is_on() {
            self.note_who_has_none(slot);
        }
    }

    /// Copies of our wakers are not counted, so that nobody pays for it. But if there never was one, nobody has one.
    #[cold]
    #[inline(never)]
    fn note_who_has_none(&self, slot: u32) {
        let is_kept = self.record.note(slot, |note| {
            note.waker_is_kept |= self.waits.get() != WaitsFor::NobodyNamed;
            note.waker_is_kept
        });
        let inbox = self.address.inbox;
        let may_be_outside = inbox.is_shared() || !inbox.is_empty();
        if !is_kept && !may_be_outside && self.shelf().is_left_alone(slot) {
            let task = self.record.row(slot);
            self.lane().record(Event::WakersGone { task });
        }
    }

    /// The polled task is about to return `Pending`, and says what it waits for.
    #[inline]
    pub(crate) fn waits(
        &self,
        what: &'static str,
        at: &'static Location<'static>,
        ended_by: EndedBy,
    ) {
        let so_far = self.waits.get();
        self.waits.set(match ended_by {
            EndedBy::Task if so_far != WaitsFor::Outside => WaitsFor::Tasks,
            _ => WaitsFor::Outside,
        });
        self.record.waits_at(self.polled.get(), Some(at));
        if self.record.is_taken() {
            self.names_a_wait(what.into(), Some(at));
        }
    }

    /// The same, for the end of a task.
    pub(crate) fn waits_for_task(&self, slot: u32) {
        if self.waits.get() != WaitsFor::Outside {
            self.waits.set(WaitsFor::Tasks);
        }
        self.record.waits_at(self.polled.get(), None);
        if self.record.is_taken() {
            self.names_whom_it_joins(slot);
        }
    }

    #[cold]
    fn names_whom_it_joins(&self, slot: u32) {
        let what = format!("the end of {}", self.task_name(slot));
        let at = self.record.note(slot, |note| note.spawned_at);
        self.names_a_wait(what, at);
    }

    #[cold]
    pub(crate) fn names_a_wait(&self, what: String, at: Option<&'static Location<'static>>) {
        if let Some(slot) = self.polled.get()
            && self.record.is_taken()
        {
            self.record
                .waits(slot, what, at, Duration::from_nanos(self.now()));
        }
    }
}
