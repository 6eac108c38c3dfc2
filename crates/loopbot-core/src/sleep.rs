// ANCHOR: whole
//! Waiting for time to pass: the smallest future that waits for something.

use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use crate::clock::{TimerKey, nanoseconds};
use crate::current;
use crate::executor::Executor;
use crate::leaf::{self, EndedBy};

/// Waits for `duration`, counted from this call, not from the first poll.
///
/// Meanwhile LoopBot does other things. (`std::thread::sleep` would hold LoopBot, and with it every task.)
/// It never ends early. How late it ends depends on how long other tasks hold LoopBot; the record says it
/// for each timer. On the real clock, LoopBot may also sleep longer by up to a sixteenth of `duration`, and a millisecond at most, so that
/// timers which are due at nearly the same time share one wake-up; [`Clock::exact`](crate::Clock::exact) turns that off.
/// A sleep of more than 292 years never ends. One of zero is over at once, without giving way: for that there
/// is [`yield_now`](crate::yield_now).
///
/// Cancel safe: it has nothing to lose. Dropping it cancels its timer.
///
/// ```
/// use std::time::Duration;
///
/// loopbot::run(async {
///     loopbot::sleep(Duration::from_millis(5)).await;
///     assert!(loopbot::now() >= Duration::from_millis(5));
/// });
/// ```
///
/// # Panics
///
/// If no LoopBot runs on this thread.
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    let at = Location::caller();
    current::with("sleep", |executor| {
        Sleep::new(executor, executor.now() + nanoseconds(duration), at)
    })
}

/// Waits until [`now`](crate::now) is `deadline`: a time since LoopBot began its run.
///
/// In everything else it is as [`sleep`].
///
/// ```
/// use std::time::Duration;
///
/// loopbot::run(async {
///     let opening = loopbot::now() + Duration::from_millis(5);
///     loopbot::sleep_until(opening).await;
///     assert!(loopbot::now() >= opening);
///     loopbot::sleep_until(opening).await; // that is past: over at once
/// });
/// ```
///
/// # Panics
///
/// If no LoopBot runs on this thread.
#[track_caller]
pub fn sleep_until(deadline: Duration) -> Sleep {
    let at = Location::caller();
    current::with("sleep_until", |executor| {
        executor.now(); // From which it counts how long this sleep is.
        Sleep::new(executor, nanoseconds(deadline), at)
    })
}

/// The future of [`sleep`] and [`sleep_until`].
///
/// It holds two numbers and no pointer, and finds its timer on the LoopBot that runs. So it is `Send` and `Sync`; but only the LoopBot
/// that it was made on can poll it. Dropped anywhere else, it does nothing.
#[must_use = "a future does nothing until it is awaited"]
pub struct Sleep {
    due: u64,
    timer: TimerKey,
    at: &'static Location<'static>,
}

impl Sleep {
    pub(crate) fn new(executor: &Executor, due: u64, at: &'static Location<'static>) -> Sleep {
        Sleep {
            due,
            timer: executor.timers().borrow().no_timer(),
            at,
        }
    }

    /// When it ends, as a time since LoopBot began its run.
    pub fn deadline(&self) -> Duration {
        Duration::from_nanos(self.due)
    }

    /// Gives it another deadline. If somebody waits for it already, they go on waiting, now until then.
    ///
    /// For a watch that is wound up again and again, such as "nothing was heard for a minute", this is less
    /// work than a new `Sleep` each time.
    ///
    /// ```
    /// use std::time::Duration;
    /// # let clock = loopbot::Clock::virtual_time(flight::VirtualTime::new());
    /// # loopbot::LoopBot::builder().clock(clock).build().run(async {
    /// let mut closing = loopbot::sleep(Duration::from_secs(60));
    /// closing.reset(closing.deadline() + Duration::from_secs(30)); // a late guest
    /// closing.await;
    /// assert_eq!(loopbot::now(), Duration::from_secs(90));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If no LoopBot runs on this thread.
    pub fn reset(&mut self, deadline: Duration) {
        let waiter = self.disarm();
        self.due = nanoseconds(deadline);
        current::with("Sleep::reset", |executor| {
            executor.now(); // From which it counts how long this sleep is.
            if let Some(waker) = waiter {
                self.timer = executor.arm_timer(self.due, waker);
            }
        });
    }

    // ANCHOR: poll
    /// The poll itself, whatever the task's budget: a time limit must be heard also by a task that uses up
    /// its budget in every turn. For a leaf future of your own that has a deadline.
    ///
    /// # Panics
    ///
    /// As the poll of this future, and if no LoopBot runs on this thread.
    pub fn poll_unbudgeted(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        current::with("sleep", |executor| {
            assert!(
                executor.timers().borrow().issued(self.timer),
                "a Sleep was made on one LoopBot and polled on another, whose clock began at another time"
            );
            if executor.time_seen() >= self.due {
                drop(self.disarm());
                return Poll::Ready(());
            }
            // Copied before the queue is borrowed, and an old one dropped after it: a waker may be anybody's.
            let waker = leaf::keep(cx.waker());
            if self.timer.number == 0 {
                self.timer = executor.arm_timer(self.due, waker);
            } else {
                // Polled again too early, perhaps by another task than before: the last one counts.
                drop(executor.rewire_timer(self.timer, waker));
            }
            executor.waits("a timer", self.at, EndedBy::Outside);
            Poll::Pending
        })
    }
    // ANCHOR_END: poll

    /// Cancels the timer, if one is set, and gives back its waker.
    fn disarm(&mut self) -> Option<Waker> {
        let timer = self.timer;
        self.timer.number = 0;
        if timer.number == 0 {
            return None;
        }
        current::try_with(|executor| executor.timers().borrow_mut().disarm(timer)).flatten()
    }
}

impl Future for Sleep {
    type Output = ();

    /// # Panics
    ///
    /// If it is polled on another LoopBot than the one it was made on: its deadline is on that one's clock.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        ready!(leaf::spend(cx));
        self.poll_unbudgeted(cx)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        drop(self.disarm());
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}
// ANCHOR_END: whole
