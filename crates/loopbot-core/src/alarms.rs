//! What time it is on this loop, and its timers: set, fired, and written down.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Waker;

use flight::{Event, Lane, Recorder, Source};

use crate::clock::{TimerKey, TimerQueue};
use crate::executor::Executor;
use crate::shelf::MAIN;
use crate::task::wake_caught;

impl Executor {
    pub(crate) fn fire_timers(&self) {
        if self.timers.borrow_mut().next_due().is_none() {
            return; // Then nobody needs to know what time it is.
        }
        let now = self.now();
        loop {
            // The borrow ends here, before the waker is called: it may be anybody's, and do anything.
            let Some(timer) = self.timers.borrow_mut().pop_due(now) else {
                break;
            };
            let (number, task, late) = (timer.number, timer.task, now - timer.due);
            self.record.lane.record(Event::TimerFire {
                timer: number,
                task,
                late,
            });
            self.ringing(Source::Timer, || wake_caught(timer.waker));
        }
    }

    /// Nanoseconds since this run began.
    pub(crate) fn now(&self) -> u64 {
        let now = self.robot.clock.now().saturating_sub(self.started);
        self.seen.set(now);
        now
    }

    /// A time that has come, for certain. On a virtual clock this is now. To read the real one takes longer than
    /// to set a timer, so there it is what the clock showed when it was read last.
    #[inline]
    pub(crate) fn time_seen(&self) -> u64 {
        match self.is_virtual {
            true => self.now(),
            false => self.seen.get(),
        }
    }

    pub(crate) fn timers(&self) -> &Rc<RefCell<TimerQueue>> {
        &self.timers
    }

    /// Sets a timer for the task that is being polled.
    pub(crate) fn arm_timer(&self, due: u64, waker: Waker) -> TimerKey {
        let task = self.sleeper();
        let length = due.saturating_sub(self.seen.get());
        let timer = self.timers.borrow_mut().arm(due, length, task, waker);
        if self.lane().is_on() {
            let due = self.record.time(due);
            self.lane().record(Event::TimerArm {
                timer: timer.number,
                task,
                due,
            });
        }
        timer
    }

    /// Gives a timer to the task that is being polled. Returns the waker that is not needed any more, for the caller to drop.
    pub(crate) fn rewire_timer(&self, timer: TimerKey, waker: Waker) -> Option<Waker> {
        let task = self.sleeper();
        self.timers.borrow_mut().rewire(timer, task, waker)
    }

    /// Where all of this is written down.
    pub(crate) fn lane(&self) -> &Lane {
        &self.record.lane
    }

    /// For the record, the task that is being polled.
    fn sleeper(&self) -> flight::Task {
        if self.lane().is_on() {
            self.record.row(self.polled().unwrap_or(MAIN))
        } else {
            Recorder::off().task("")
        }
    }
}
