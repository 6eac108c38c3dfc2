//! What every future that can wait has to do: how to write a leaf of your own.
//!
//! A leaf is a future with no other future inside it. It looks whether what it waits for is there, and if not, it leaves the
//! task's waker where somebody will call it. LoopBot's own leaves (locks, channels, sleeps, sockets) do a little more,
//! with the functions of this module, and yours can do the same:
//!
//! 1. It [spends](spend) from the budget before it looks, so that a task that always finds something gives way in the end.
//! 2. It [keeps](keep) the waker while nothing is borrowed, because the copy of a foreign waker may run any code; and it
//!    drops the one from before in the same way.
//! 3. Before it returns `Pending`, it says [what it waits for](waits), and who can end that. From this, LoopBot knows that it stands
//!    still, and can say who waits for what.
//! 4. Whoever ends the wait calls the waker through [`wake_caught`], so that a panic in it harms nobody else.
//!
//! A leaf with a deadline has a [`Sleep`](crate::Sleep) and polls it [without a budget](crate::Sleep::poll_unbudgeted). One that waits
//! for the system, and not for a task or a thread, needs a place in which the loop parks: see [`parking`](crate::parking).
//!
//! All of this also works where no LoopBot runs. There nobody counts, and nobody asks who waits.
//!
//! ```
//! use std::cell::{Cell, RefCell};
//! use std::future::poll_fn;
//! use std::panic::Location;
//! use std::task::{Poll, Waker, ready};
//!
//! use loopbot::leaf::{self, EndedBy};
//!
//! /// Room for one dish, which one task puts there and another takes.
//! #[derive(Default)]
//! struct Pass {
//!     dish: Cell<Option<&'static str>>,
//!     waiter: RefCell<Option<Waker>>,
//! }
//!
//! impl Pass {
//!     fn put(&self, dish: &'static str) {
//!         self.dish.set(Some(dish));
//!         let waiter = self.waiter.take();
//!         waiter.into_iter().for_each(leaf::wake_caught);
//!     }
//!
//!     #[track_caller]
//!     fn take(&self) -> impl Future<Output = &'static str> {
//!         let at = Location::caller();
//!         poll_fn(move |cx| {
//!             ready!(leaf::spend(cx));
//!             if let Some(dish) = self.dish.take() {
//!                 return Poll::Ready(dish);
//!             }
//!             let waker = leaf::keep(cx.waker());
//!             let before = self.waiter.replace(Some(waker));
//!             drop(before);
//!             leaf::waits("a dish", at, EndedBy::Task);
//!             Poll::Pending
//!         })
//!     }
//! }
//!
//! let pass = std::rc::Rc::new(Pass::default());
//! loopbot::run(async {
//!     let cook = pass.clone();
//!     loopbot::spawn(async move { cook.put("risotto") });
//!     assert_eq!(pass.take().await, "risotto");
//! });
//! // Nobody cooks any more. That is known at once, on the real clock too, because a dish can come from a task only.
//! let stand_still = loopbot::LoopBot::builder().build().try_run(pass.take()).unwrap_err();
//! assert_eq!(stand_still.waiting(), ["main"]);
//! ```

use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use flight::Event;

use crate::executor::Executor;
use crate::record::Record;
pub use crate::task::{drop_caught, wake_caught};
use crate::{current, waker};

/// Who can end a wait, by calling the waker that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// Only a task of the same loop: a lock, a channel, a join. If all tasks wait like this, LoopBot stands still, and
    /// ends the run with an error. So it must be true.
    Task,
    /// The clock, the place where the loop parks, or another thread.
    Outside,
}

/// For a function that cannot do without a LoopBot: it is sure of one after this.
///
/// # Panics
///
/// If none runs on this thread, with a sentence that says so of `loopbot::{function}`.
#[track_caller]
pub fn must_run_on_a_loop(function: &str) {
    current::with(function, |_| ());
}

/// Takes one from the budget of this poll: to be called once, at the start of the poll of a leaf. `Pending` when it is used up: the
/// task has been woken, and its future must return `Pending`, so that others get their turn.
#[inline]
pub fn spend(cx: &mut Context<'_>) -> Poll<()> {
    // Where no LoopBot runs, nobody counts.
    if current::try_with(|executor| executor.spend()).unwrap_or(true) {
        return Poll::Ready(());
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// A copy of a waker. Of LoopBot's own it is made without calling it, which costs nothing, and the loop
/// knows that it is in good hands: with somebody who calls [`waits`], or else [`keeps_in_silence`].
#[inline]
pub fn keep(waker: &Waker) -> Waker {
    waker::keep_own(waker).unwrap_or_else(|| waker.clone())
}

/// The same, if it is one of LoopBot's own: then no code runs that is not LoopBot's, whatever is borrowed.
#[inline]
pub fn keep_own(waker: &Waker) -> Option<Waker> {
    waker::keep_own(waker)
}

/// For the record: the waker of the polled task was kept by a future that does not say what it waits for, because it polls
/// others that do. Without this the record may say that nobody has the waker.
pub fn keeps_in_silence() {
    of_the_polled(|record, slot| record.note(slot, |note| note.waker_is_kept = true));
}

/// For the record: somebody has heard how the polled task is about to end.
pub fn is_observed() {
    of_the_polled(|record, slot| record.observed(slot));
}

fn of_the_polled(note: impl FnOnce(&Record, u32)) {
    current::try_with(|executor| {
        if let (Some(slot), true) = (executor.polled(), executor.lane().is_on()) {
            note(&executor.record, slot);
        }
    });
}

/// The task that is being polled is about to return `Pending`: notes what it waits for ("a Mutex"), where in the program, and
/// who can end that. To be called in every poll that does.
#[inline]
pub fn waits(what: &'static str, at: &'static Location<'static>, ended_by: EndedBy) {
    current::try_with(|executor| executor.waits(what, at, ended_by));
}

/// The same over a future that has polled another one, and got `Pending`: this name stands over what that one has said.
/// Call it after each such poll.
pub fn waits_by_name(name: &Rc<str>, at: &'static Location<'static>) {
    current::try_with(|executor| {
        executor.record.waits_by_name(name, at);
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

    /// For the record: this task was polled, and goes on waiting.
    #[inline]
    pub(crate) fn goes_on_waiting(&self, slot: u32) {
        if self.record.is_taken() {
            self.note_that_it_waits(slot);
        }
    }

    /// Who can wake it? Copies of our wakers are not counted, so that nobody pays for it. But if there never was one, nobody has one.
    #[cold]
    #[inline(never)]
    fn note_that_it_waits(&self, slot: u32) {
        self.record.note_end_of_poll(slot, false);
        if !self.lane().is_on() {
            return;
        }
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
        self.record.status.waits(Some(at));
        if self.record.is_taken() {
            self.names_a_wait(what.into(), Some(at));
        }
    }

    /// The same, for the end of a task.
    pub(crate) fn waits_for_task(&self, slot: u32) {
        if self.waits.get() != WaitsFor::Outside {
            self.waits.set(WaitsFor::Tasks);
        }
        self.record.status.waits(None);
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
        if let Some(slot) = self.polled()
            && self.record.is_taken()
        {
            self.record
                .waits(slot, what, at, Duration::from_nanos(self.now()));
        }
    }
}
