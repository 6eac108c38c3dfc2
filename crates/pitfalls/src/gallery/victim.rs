//! The victim: a soufflé with a timer of 5 ms, over and over again. It has done nothing.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// The name of its task in the record.
pub const VICTIM: &str = "the soufflé";
/// The length of its timer.
pub const PERIOD: Duration = Duration::from_millis(5);
/// How late the timer may be before the soufflé falls. A busy machine is late by some milliseconds, too.
pub const STANDS: Duration = Duration::from_millis(40);

/// How late its timer has been. Shared between the victim and whoever watches from outside.
#[derive(Clone, Debug, Default)]
pub(super) struct Lateness(Arc<Mutex<Timer>>);

#[derive(Debug, Default)]
struct Timer {
    due: Option<Instant>,
    worst: Option<Duration>,
    heard: usize,
}

impl Lateness {
    /// The timer is set.
    pub(super) fn sets(&self) {
        self.lock().due = Some(Instant::now() + PERIOD);
    }

    /// The victim has heard it. Returns how late that was.
    pub(super) fn hears(&self, guest_left: bool) -> Duration {
        let mut timer = self.lock();
        timer.heard += usize::from(!guest_left);
        let late = timer.due.take().map_or(Duration::ZERO, |due| due.elapsed());
        timer.worst = timer.worst.max(Some(late));
        late
    }

    /// The worst there was; `None` if it was never heard.
    pub(super) fn worst(&self) -> Option<Duration> {
        self.lock().worst
    }

    /// How many times it was heard before the guest left.
    pub(super) fn heard(&self) -> usize {
        self.lock().heard
    }

    /// For how long a timer has been due that nobody has heard.
    pub(super) fn overdue(&self) -> Duration {
        let due = self.lock().due;
        due.map_or(Duration::ZERO, |due| due.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, Timer> {
        self.0.lock().expect("nobody panics with a clock in hand")
    }
}
