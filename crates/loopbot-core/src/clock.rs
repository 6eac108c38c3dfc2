// ANCHOR: whole
//! The kitchen clock: what time it is.

use std::thread;
use std::time::{Duration, Instant};

use flight::VirtualTime;

pub(crate) use crate::timer_queue::{TimerKey, TimerQueue};

/// The clock of a LoopBot: the computer's own, or a virtual one.
///
/// On a virtual clock an evening takes as long as its steps take to compute. While anybody is ready, time
/// stands still; when nobody is, it jumps to the next timer. The same program sees the same times on every machine.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Real { origin: Instant, exact: bool },
    Virtual(VirtualTime),
}

impl Clock {
    /// The computer's monotonic clock.
    pub fn real() -> Clock {
        Clock(Kind::Real {
            origin: Instant::now(),
            exact: false,
        })
    }

    /// A time that LoopBot moves. A task that wants to stand for a long computation may move it, too:
    /// `time.advance(..)` holds LoopBot up exactly as long as a blocking call would.
    pub fn virtual_time(time: VirtualTime) -> Clock {
        Clock(Kind::Virtual(time))
    }

    /// The same clock, by which every timer fires as soon as the system can wake this thread up for it.
    ///
    /// Without this, LoopBot sleeps longer by up to a sixteenth of the length of a sleep, and a millisecond at
    /// most, so that timers which are due at nearly the same time share one wake-up. A wake-up
    /// costs some microseconds. A virtual clock is always exact.
    ///
    /// On Linux the system adds a little of its own: a thread that does nothing but sleep may be woken 50 µs late. A LoopBot
    /// that has a socket, and waits for that as well, is not.
    ///
    /// ```
    /// use std::time::Duration;
    /// use loopbot::{Clock, LoopBot};
    ///
    /// let metronome = LoopBot::builder().clock(Clock::real().exact()).build();
    /// metronome.run(async { loopbot::sleep(Duration::from_micros(500)).await });
    /// ```
    pub fn exact(mut self) -> Clock {
        if let Kind::Real { exact, .. } = &mut self.0 {
            *exact = true;
        }
        self
    }

    /// Nanoseconds since the clock was made.
    pub(crate) fn now(&self) -> u64 {
        match &self.0 {
            Kind::Real { origin, .. } => nanoseconds(origin.elapsed()),
            Kind::Virtual(time) => time.now(),
        }
    }

    /// Whether its time moves only when LoopBot, or a task, moves it.
    pub fn is_virtual(&self) -> bool {
        matches!(self.0, Kind::Virtual(_))
    }

    /// Until when LoopBot may sleep, for the sake of these timers.
    pub(crate) fn time_to_wake(&self, timers: &mut TimerQueue) -> Option<u64> {
        match self.0 {
            Kind::Real { exact: false, .. } => timers.time_to_wake(),
            Kind::Real { exact: true, .. } | Kind::Virtual(_) => timers.next_due(),
        }
    }

    // ANCHOR: wait
    /// Lets time pass until `due`, or until this thread is unparked; maybe not as long, so look again
    /// afterwards. Returns `false` if there is nothing to wait for: on a virtual clock, without `due`.
    pub(crate) fn wait(&self, due: Option<u64>) -> bool {
        match (&self.0, due) {
            (Kind::Real { .. }, None) => thread::park(),
            (Kind::Real { .. }, Some(due)) => {
                thread::park_timeout(Duration::from_nanos(due.saturating_sub(self.now())));
            }
            (Kind::Virtual(time), Some(due)) => time.advance_to(due),
            (Kind::Virtual(_), None) => return false,
        }
        true
    }
    // ANCHOR_END: wait
}

/// A deadline that does not come, in 292 years: half of what fits, so that two times can be added.
pub(crate) const NEVER: u64 = u64::MAX / 2;

/// A duration in nanoseconds; at most `NEVER`.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    let seconds = duration.as_secs().saturating_mul(1_000_000_000);
    seconds
        .saturating_add(duration.subsec_nanos().into())
        .min(NEVER)
}
// ANCHOR_END: whole
