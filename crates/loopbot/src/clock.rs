//! The kitchen clock: what time it is, and who is to be woken when.

use std::collections::BTreeMap;
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use flight::VirtualTime;

/// The clock of a LoopBot: the computer's own, or a virtual one.
///
/// On a virtual clock an evening takes as long as its steps take to compute. While anybody is ready, time
/// stands still; when nobody is, it jumps to the next timer. The same program sees the same times on every machine.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Real { origin: Instant },
    Virtual(VirtualTime),
}

impl Clock {
    /// The computer's monotonic clock.
    pub fn real() -> Clock {
        Clock(Kind::Real {
            origin: Instant::now(),
        })
    }

    /// A time that LoopBot moves. A task that wants to stand for a long computation may move it, too:
    /// `time.advance(..)` holds LoopBot up exactly as long as a blocking call would.
    pub fn virtual_time(time: VirtualTime) -> Clock {
        Clock(Kind::Virtual(time))
    }

    /// Nanoseconds since the clock was made.
    pub(crate) fn now(&self) -> u64 {
        match &self.0 {
            Kind::Real { origin } => nanoseconds(origin.elapsed()),
            Kind::Virtual(time) => time.now(),
        }
    }

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
}

/// A deadline that does not come, in 292 years: half of what fits, so that two times can be added.
pub(crate) const NEVER: u64 = u64::MAX / 2;

/// A duration in nanoseconds; at most `NEVER`.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).map_or(NEVER, |ns| ns.min(NEVER))
}

/// The timers that are set, by deadline, and for equal deadlines by the order in which they were set.
///
/// A heap would find the next timer as fast, but could not take one out of its middle, and most timers
/// of a real program are timeouts: they are set, and cancelled.
#[derive(Default)]
pub(crate) struct TimerQueue {
    timers: BTreeMap<(u64, u64), Timer>,
    last_number: u64,
}

pub(crate) struct Timer {
    pub(crate) due: u64,
    pub(crate) number: u64,
    /// The task that set it, for the record.
    pub(crate) task: flight::Task,
    pub(crate) waker: Waker,
}

impl TimerQueue {
    pub(crate) fn arm(&mut self, due: u64, task: flight::Task, waker: Waker) -> u64 {
        self.last_number += 1;
        let number = self.last_number;
        self.timers.insert(
            (due, number),
            Timer {
                due,
                number,
                task,
                waker,
            },
        );
        number
    }

    /// Takes a timer out, if it has not fired. The caller drops it when no borrow is open.
    pub(crate) fn disarm(&mut self, due: u64, number: u64) -> Option<Timer> {
        self.timers.remove(&(due, number))
    }

    /// Gives a timer to another task, and returns the old waker, to be dropped when no borrow is open.
    pub(crate) fn rewire(
        &mut self,
        due: u64,
        number: u64,
        task: flight::Task,
        waker: Waker,
    ) -> Option<Waker> {
        let timer = self.timers.get_mut(&(due, number))?;
        timer.task = task;
        Some(std::mem::replace(&mut timer.waker, waker))
    }

    /// When the next timer is due. One that never comes is nothing to wait for: a virtual clock would jump there.
    pub(crate) fn next_due(&self) -> Option<u64> {
        let (&(due, _), _) = self.timers.first_key_value()?;
        (due < NEVER).then_some(due)
    }

    /// The next timer whose time has come.
    pub(crate) fn pop_due(&mut self, now: u64) -> Option<Timer> {
        if self.next_due()? > now {
            return None;
        }
        self.timers.pop_first().map(|(_, timer)| timer)
    }
}
