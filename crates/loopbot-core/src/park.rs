// ANCHOR: wait
//! Waiting, when nobody is ready: for the next timer, for a socket, or for another thread. And what is to be
//! said if there is nothing to wait for.

use std::time::{Duration, Instant};

use flight::Source;

use crate::clock::nanoseconds;
use crate::executor::Executor;
use crate::stand_still::{StandStill, Waiting};

impl Executor {
    /// Nobody is ready: lets time pass until the next timer is due, a socket is ready, or somebody else wakes a task.
    pub(crate) fn wait(&self) -> Result<(), StandStill> {
        let due = self.robot.clock.time_to_wake(&mut self.timers.borrow_mut());
        self.record.park_begins(due);
        let ended = match due {
            None if !self.awaits_events() => self.wait_for_a_ring(),
            _ => {
                self.sleep(due);
                Ok(())
            }
        };
        self.record.park_ended();
        self.pace.begin_anew();
        ended
    }

    /// Neither a timer nor a socket can end this wait. Who can?
    fn wait_for_a_ring(&self) -> Result<(), StandStill> {
        if self.is_virtual || self.waits_for_itself() {
            return Err(self.stand_still());
        }
        let now = self.now();
        let idle_since = self.idle_since.get().unwrap_or(now);
        self.idle_since.set(Some(idle_since));
        let limits = &self.robot.limits;
        let complains = cfg!(debug_assertions) && !self.has_complained.get();
        let patience = limits.patience.or(complains.then_some(PATIENCE));
        let Some(patience) = patience.map(nanoseconds) else {
            self.sleep(None);
            return Ok(());
        };
        if now - idle_since < patience {
            self.sleep(Some(idle_since + patience));
        } else if limits.patience.is_some() {
            return Err(self.stand_still());
        } else {
            self.has_complained.set(true);
            eprintln!("{}", self.stand_still().as_a_question());
        }
        Ok(())
    }

    fn waits_for_itself(&self) -> bool {
        !self.address.inbox.is_shared() && self.shelf().waits_for_itself()
    }
    // ANCHOR_END: wait

    // ANCHOR: sleep
    /// Sleeps, until `due` or until somebody rings; maybe not as long, so look again afterwards.
    fn sleep(&self, due: Option<u64>) {
        if !self.address.inbox.falls_asleep() {
            return;
        }
        // Virtual time jumps, but not past a socket that somebody awaits: for that it takes its time.
        let jumps = self.is_virtual && due.is_some() && !self.awaits_events();
        if self.parks_elsewhere(if jumps { Some(0) } else { due }) && !jumps {
            // Slept there.
        } else if self.shelf().ready.is_empty() {
            self.robot.clock.wait(due.map(|due| due + self.started));
        }
        self.address.inbox.is_awake();
    }

    // ANCHOR_END: sleep

    // ANCHOR: poller
    /// Waits in the place where it was told to park, if it was. There it hears other threads as well.
    fn parks_elsewhere(&self, due: Option<u64>) -> bool {
        let Some(place) = self.parking.get() else {
            return false;
        };
        let left = due.map(|due| Duration::from_nanos(due.saturating_sub(self.now())));
        let before = self.is_virtual.then(Instant::now);
        self.ringing(Source::Thread, || place.park(left));
        if let (Some(before), false) = (before, left == Some(Duration::ZERO)) {
            // As much time has passed on a virtual clock as on yours.
            let now = self.now() + nanoseconds(before.elapsed());
            let now = due.map_or(now, |due| due.min(now));
            self.robot.clock.wait(Some(now + self.started));
        }
        true
    }

    /// Looks without waiting what has come from outside, if anybody awaits something.
    pub(crate) fn look_outside(&self) {
        if self.awaits_events() {
            self.parks_elsewhere(Some(0));
        }
    }

    fn stand_still(&self) -> StandStill {
        let waiting = self.shelf().waiting();
        let describe = |slot: &u32| {
            let name = self.task_name(*slot).to_string();
            let waits = if self.record.is_taken() {
                self.record.note(*slot, |note| note.waits.clone())
            } else {
                Vec::new()
            };
            Waiting { name, waits }
        };
        StandStill::new(waiting.iter().map(describe).collect())
    }
}

/// How long a debug build watches a LoopBot that seems to stand still before it says so.
const PATIENCE: Duration = Duration::from_secs(10);
// ANCHOR_END: poller
