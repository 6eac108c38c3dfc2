// ANCHOR: whole
//! Something that happens again and again.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use loopbot_core::{Sleep, sleep_until};

/// Ticks at once, and from then on each time that `period` has passed.
///
/// A loop around [`sleep`](crate::sleep) drifts, because what it does between two sleeps takes time as well. An
/// interval counts from tick to tick. If what you do between two ticks takes longer than a period, it has to
/// catch up: how, says [`Interval::missed_tick`].
///
/// ```
/// use std::time::Duration;
/// # let clock = loopbot::Clock::virtual_time(flight::VirtualTime::new());
/// # loopbot::LoopBot::builder().clock(clock).build().run(async {
/// let mut rounds = loopbot::interval(Duration::from_secs(10));
/// for _ in 0..3 {
///     rounds.tick().await;
///     loopbot::sleep(Duration::from_secs(4)).await; // a round of the tables
/// }
/// assert_eq!(loopbot::now(), Duration::from_secs(24)); // ticks at 0, 10 and 20
/// # });
/// ```
///
/// # Panics
///
/// If `period` is zero, or if no LoopBot runs on this thread.
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(crate::now(), period)
}

/// The same as [`interval`], with the first tick at `start`: a time since LoopBot began its run.
///
/// # Panics
///
/// If `period` is zero, or if no LoopBot runs on this thread.
#[track_caller]
pub fn interval_at(start: Duration, period: Duration) -> Interval {
    assert!(
        !period.is_zero(),
        "an interval with a period of zero would never stop ticking: give it a period, or use `loopbot::yield_now`"
    );
    Interval {
        next: sleep_until(start),
        period,
        missed_tick: MissedTick::Burst,
    }
}

/// Made by [`interval`] and [`interval_at`].
#[derive(Debug)]
pub struct Interval {
    next: Sleep,
    period: Duration,
    missed_tick: MissedTick,
}

/// What an [`Interval`] does when a tick comes too late: by more than five milliseconds, as in Tokio. A smaller
/// delay is no missed tick, and does not move those that follow.
///
/// Here the period is 10, and the tick of 10 was only asked for at 35. The first number in each row is
/// when that tick is over; those that follow are the next ticks, if nothing takes long any more.
///
/// | policy | ticks at |
/// |---|---|
/// | `Burst` | 35, 35, 35, 40, 50 |
/// | `Delay` | 35, 45, 55, 65, 75 |
/// | `Skip` | 35, 40, 50, 60, 70 |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTick {
    /// All missed ticks follow at once, until it has caught up: as many ticks as periods.
    #[default]
    Burst,
    /// The next tick comes a period after this one: two ticks are never closer than a period.
    Delay,
    /// The missed ticks are left out: every tick is a whole number of periods after the first.
    Skip,
}

impl Interval {
    /// What to do about missed ticks; [`MissedTick::Burst`] if nothing is said.
    #[must_use = "it returns the interval"]
    pub fn missed_tick(mut self, policy: MissedTick) -> Interval {
        self.missed_tick = policy;
        self
    }

    /// Waits for the next tick. Returns when it was due, which may be a while ago.
    ///
    /// Cancel safe: if it is dropped before it is ready, the tick is not lost; the next call waits for it.
    ///
    /// # Panics
    ///
    /// If it is polled on another LoopBot than the one the interval was made on, or where none runs.
    pub async fn tick(&mut self) -> Duration {
        std::future::poll_fn(|cx| self.poll_tick(cx)).await
    }

    // ANCHOR: poll_tick
    /// The poll of [`tick`](Interval::tick), for a future or a stream of your own.
    ///
    /// # Panics
    ///
    /// As `tick`.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        ready!(Pin::new(&mut self.next).poll(cx));
        let due = self.next.deadline();
        let now = crate::now();
        let late = now.saturating_sub(due);
        let next = match self.missed_tick {
            MissedTick::Delay if late > TOO_LATE => now.saturating_add(self.period),
            MissedTick::Skip if late > TOO_LATE => {
                // A clock counts in 64 bits of nanoseconds, and so does a rest of what it shows.
                let since_last = (late.as_nanos() % self.period.as_nanos()) as u64;
                now.saturating_add(self.period - Duration::from_nanos(since_last))
            }
            _ => due.saturating_add(self.period),
        };
        self.next.reset(next);
        Poll::Ready(due)
    }
    // ANCHOR_END: poll_tick

    /// Starts anew: the next tick comes a period from now.
    ///
    /// # Panics
    ///
    /// If another LoopBot runs here than the one the interval was made on, or none.
    pub fn reset(&mut self) {
        self.next.reset(crate::now().saturating_add(self.period));
    }

    /// The time from tick to tick.
    pub fn period(&self) -> Duration {
        self.period
    }
}

/// From here on a tick was missed. Less than that may be the system's doing, or the rounding of a timer.
const TOO_LATE: Duration = Duration::from_millis(5);
// ANCHOR_END: whole
