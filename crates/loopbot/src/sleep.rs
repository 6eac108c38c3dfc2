//! Waiting for time to pass: the smallest future that waits for something.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::clock::{TimerQueue, nanoseconds};
use crate::current;

/// Waits for `duration`, counted from this call, not from the first poll.
///
/// Meanwhile LoopBot does other things. (`std::thread::sleep` would hold LoopBot, and with it every task.)
/// It never ends early. How late it ends depends on how long other tasks hold LoopBot; the record says it
/// for each timer. One of more than 292 years never ends. A sleep of zero is over at once, without giving way: for that there is [`yield_now`](crate::yield_now).
///
/// Cancel safe: dropping it takes its timer out of the queue.
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
    let executor = current::expect("sleep");
    Sleep::new(executor.timers(), executor.now() + nanoseconds(duration))
}

/// Waits until [`now`](crate::now) is `deadline`: a time since LoopBot began its run.
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
    Sleep::new(
        current::expect("sleep_until").timers(),
        nanoseconds(deadline),
    )
}

/// The future of [`sleep`] and [`sleep_until`].
#[must_use = "a future does nothing until it is awaited"]
pub struct Sleep {
    due: u64,
    timers: Rc<RefCell<TimerQueue>>,
    /// The number of the timer, once there is one.
    timer: Option<u64>,
}

impl Sleep {
    fn new(timers: &Rc<RefCell<TimerQueue>>, due: u64) -> Sleep {
        Sleep {
            due,
            timers: timers.clone(),
            timer: None,
        }
    }

    /// When it ends, as a time since LoopBot began its run.
    pub fn deadline(&self) -> Duration {
        Duration::from_nanos(self.due)
    }
}

impl Future for Sleep {
    type Output = ();

    /// # Panics
    ///
    /// If it is polled on another LoopBot than the one it was made on: its deadline is on that one's clock.
    // ANCHOR: poll
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let executor = current::expect("sleep");
        assert!(
            Rc::ptr_eq(executor.timers(), &self.timers),
            "a Sleep was made on one LoopBot and polled on another, whose clock began at another time"
        );
        if executor.now() >= self.due {
            return Poll::Ready(());
        }
        // Cloned before the queue is borrowed, and an old one dropped after it: a waker may be anybody's.
        let waker = cx.waker().clone();
        match self.timer {
            None => self.timer = Some(executor.arm_timer(self.due, waker)),
            // Polled again too early, perhaps by another task than before: the last one counts.
            Some(timer) => drop(executor.rewire_timer(self.due, timer, waker)),
        }
        Poll::Pending
    }
    // ANCHOR_END: poll
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            let timer = self.timers.borrow_mut().disarm(self.due, timer);
            drop(timer);
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}
