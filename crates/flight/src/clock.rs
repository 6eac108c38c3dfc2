//! What time it is: the computer's clock, or a time that a simulation moves by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Time that stands still until somebody moves it, in nanoseconds since the start of the run.
///
/// Clones share the same time. A simulated evening of four hours takes as long as its steps take to
/// compute, and is the same on every machine.
///
/// ```
/// use std::time::Duration;
/// let time = flight::VirtualTime::new();
/// time.advance(Duration::from_secs(90));
/// time.advance_to(60_000_000_000); // time never runs backwards: no effect
/// assert_eq!(time.now(), 90_000_000_000);
/// ```
#[derive(Clone, Debug, Default)]
pub struct VirtualTime {
    ns: Arc<AtomicU64>,
}

impl VirtualTime {
    /// A new time, at zero.
    pub fn new() -> VirtualTime {
        VirtualTime::default()
    }

    /// Nanoseconds since the start.
    pub fn now(&self) -> u64 {
        self.ns.load(Ordering::Acquire)
    }

    /// Moves the time forward to `ns`. Does nothing if it is later than that already.
    pub fn advance_to(&self, ns: u64) {
        self.ns.fetch_max(ns, Ordering::AcqRel);
    }

    /// Moves the time forward by `by`, at most to the end of time, 584 years after the start.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let later = |now: u64| Some(now.saturating_add(by));
        // The closure always gives a new value, so the update always happens.
        let _ = self
            .ns
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, later);
    }

    /// Sets the time back to zero, for the next run of the same simulation. Not during a run: whoever has set
    /// an alarm for later would wait for a time that has been.
    pub fn reset(&self) {
        self.ns.store(0, Ordering::Release);
    }
}

/// The clock of one recorder.
pub(crate) enum Clock {
    Monotonic(Instant),
    Virtual(VirtualTime),
}

impl Clock {
    pub(crate) fn now(&self) -> u64 {
        match self {
            // Nanoseconds in a u64 last 584 years.
            Clock::Monotonic(start) => start.elapsed().as_nanos() as u64,
            Clock::Virtual(time) => time.now(),
        }
    }
}
