// ANCHOR: guard
//! The watchdog's own thread: it looks now and then whether the loop is still in the poll in which it was before.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use flight::{ActorKind, Lane};
use loopbot_core::LoopBot;
use loopbot_core::leaf::drop_caught;
use loopbot_core::observe::{Observe, Poll, Run, Status};

use super::Watchdog;
use super::stack::Target;
use super::stuck::Stuck;
use super::watch::{Teller, Watch};

/// What the watchdog's thread has. It borrows most of it, for as long as the run lasts.
struct OnDuty<'run> {
    dog: &'run Watchdog,
    status: &'run Status,
    watch: Arc<Watch>,
    is_over: &'run AtomicBool,
    lane: Lane,
    target: Target,
}

impl Observe for Watchdog {
    fn observe(&self, robot: &LoopBot, status: &Status, run: &mut Run<'_>) {
        let name = format!("watchdog of {}", robot.name());
        // What it notices happens in real time. In a record on virtual time that has no place.
        let lane = match robot.clock().is_virtual() {
            true => Lane::off(),
            false => robot.recorder().actor(&name, ActorKind::Thread),
        };
        let (watch, is_over) = (Arc::new(Watch::default()), AtomicBool::new(false));
        let on_duty = OnDuty {
            dog: self,
            status,
            watch: watch.clone(),
            is_over: &is_over,
            lane,
            target: Target::this_thread(),
        };
        thread::scope(|scope| {
            let thread = thread::Builder::new().name(name);
            let thread = thread.spawn_scoped(scope, move || on_duty.watch());
            let thread = match thread {
                Ok(thread) => thread,
                Err(why) => {
                    eprintln!(
                        "LoopBot runs without its watchdog, for which there is no thread: {why}"
                    );
                    return run(None);
                }
            };
            let teller = Teller {
                watch,
                thread: thread.thread().clone(),
                told: RefCell::default(),
            };
            let _guard = Guard {
                is_over: &is_over,
                thread: Some(thread),
            };
            run(Some(Box::new(teller)));
        });
    }
}

/// A watchdog that is on duty, for as long as this lives.
struct Guard<'scope, 'run> {
    is_over: &'run AtomicBool,
    thread: Option<ScopedJoinHandle<'scope, ()>>,
}

/// The run is over, by a panic or not, and the watchdog goes home first.
impl Drop for Guard<'_, '_> {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if let Err(panic) = thread.join() {
                drop_caught(Some(panic));
            }
        }
    }
}
// ANCHOR_END: guard

// ANCHOR: rounds
/// How many times the watchdog looks within the limit.
const LOOKS: u32 = 8;
/// It does not look more often than this, whatever the limit.
const SHORTEST_TICK: Duration = Duration::from_millis(1);
/// While a poll is known to take too long, it looks for its end this often, or sixty times while it lasts.
const END_TICKS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

impl OnDuty<'_> {
    // ANCHOR: look_now_and_then
    fn watch(self) {
        let tick = (self.dog.limit / LOOKS).max(SHORTEST_TICK);
        let (mut seen, mut since) = (self.status.poll(), Instant::now());
        while !self.is_over.load(Ordering::Acquire) {
            let lasts = since.elapsed();
            // To wake the watchdog costs the loop a system call. So it does not lie down as soon as the loop does, but when
            // the loop has slept for a while.
            if !seen.is_under_way() && lasts >= tick && self.falls_asleep() {
                thread::park();
            } else if seen.is_under_way() && lasts >= self.dog.limit {
                self.speak_up(seen, since);
            } else if seen.is_under_way() {
                thread::park_timeout(tick.min(self.dog.limit - lasts));
            } else {
                thread::park_timeout(tick);
            }
            let now = self.status.poll();
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
        }
    }
    // ANCHOR_END: look_now_and_then

    fn falls_asleep(&self) -> bool {
        self.watch.falls_asleep(|| self.status.poll().is_parked())
    }

    /// This poll takes too long. Says so, and waits for its end.
    fn speak_up(&self, poll: Poll, since: Instant) {
        let began = self.watch.notice(poll);
        let Some(known) = self.status.known(poll) else {
            return; // It is over, after all.
        };
        let (task, wait_point) = self.watch.describe(&known);
        if self.status.poll() != poll {
            return; // Over meanwhile, and a name may be that of a later wait.
        }
        let recorder = self.lane.recorder();
        let lasts = || match self.lane.is_on() {
            true => Duration::from_nanos(recorder.now().saturating_sub(began)),
            false => since.elapsed(),
        };
        let in_poll_for = lasts();
        let (stack, no_stack) = match self.target.stack(|| self.status.poll() == poll) {
            Ok(stack) => (stack, ""),
            Err(why) => (Vec::new(), why),
        };
        let stuck = Stuck {
            task,
            spawned_at: known.spawned_at,
            wait_point,
            in_poll_for,
            limit: self.dog.limit,
            stack,
            no_stack,
        };
        self.lane.mark("watchdog", &stuck.to_string(), began);
        caught(|| (self.dog.on_stuck)(&stuck));
        while self.status.poll() == poll && !self.is_over.load(Ordering::Acquire) {
            thread::park_timeout((since.elapsed() / 64).clamp(END_TICKS.0, END_TICKS.1));
        }
        let took = match self.watch.ended() {
            None => lasts(),
            Some(ended) => Duration::from_nanos(ended.saturating_sub(began)),
        };
        self.lane
            .mark("watchdog", &stuck.in_the_end(took), took.as_nanos() as u64);
        caught(|| (self.dog.on_end)(&stuck, took));
    }
}

/// What the user wants to be done may panic. Then that has been printed, and the watchdog stays on duty.
fn caught(tell: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(tell)) {
        drop_caught(Some(panic));
    }
}
// ANCHOR_END: rounds
