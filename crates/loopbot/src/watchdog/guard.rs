// ANCHOR: guard
//! The watchdog's own thread: it looks now and then whether the loop is still in the poll in which it was before.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use flight::{ActorKind, Lane};
use loopbot_core::LoopBot;
use loopbot_core::leaf::drop_caught;
use loopbot_core::observe::{Observe, Observer};

use super::Watchdog;
use super::stack::Target;
use super::stuck::Stuck;
use super::watch::{Poll, Watch};

/// A watchdog that is on duty, for as long as this lives: one run of a LoopBot.
pub(super) struct Guard {
    watch: Arc<Watch>,
    /// By place, the last wait point with a name that the watch was told of: nobody else asks for this, so it is not locked.
    told: RefCell<Vec<Option<WaitPoint>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

type WaitPoint = (&'static Location<'static>, Rc<str>);

/// What the watchdog's thread has.
struct OnDuty {
    dog: Watchdog,
    watch: Arc<Watch>,
    is_over: Arc<AtomicBool>,
    lane: Lane,
    target: Target,
}

impl Observe for Watchdog {
    fn observe(&self, robot: &LoopBot) -> Option<Box<dyn Observer>> {
        let (watch, is_over) = (Arc::new(Watch::new()), Arc::new(AtomicBool::new(false)));
        let name = format!("watchdog of {}", robot.name());
        // What it notices happens in real time. In a record on virtual time that has no place.
        let lane = match robot.clock().is_virtual() {
            true => Lane::off(),
            false => robot.recorder().actor(&name, ActorKind::Thread),
        };
        let on_duty = OnDuty {
            dog: self.clone(),
            watch: watch.clone(),
            is_over: is_over.clone(),
            lane,
            target: Target::this_thread(),
        };
        let thread = thread::Builder::new().name(name);
        match thread.spawn(move || on_duty.watch()) {
            Ok(thread) => Some(Box::new(Guard {
                watch,
                told: RefCell::default(),
                is_over,
                thread: Some(thread),
            })),
            Err(why) => {
                eprintln!("LoopBot runs without its watchdog, for which there is no thread: {why}");
                None
            }
        }
    }
}

/// What the loop tells goes where the watchdog's thread can read it.
impl Observer for Guard {
    fn spawned(&self, slot: u32, born: u32, at: &'static Location<'static>) {
        self.watch.spawned(slot, born, at);
    }

    fn is_called(&self, slot: u32, born: u32, name: &str) {
        self.watch.is_called(slot, born, name);
    }

    fn poll_begins(&self, slot: u32) {
        self.watch.poll_begins(slot);
    }

    fn begins_at(&self, t: u64) {
        self.watch.begins_at(t);
    }

    fn ends_at(&self, t: u64) {
        self.watch.ends_at(t);
    }

    fn poll_ended(&self) {
        self.watch.poll_ended();
    }

    fn waits(&self, slot: u32, at: Option<&'static Location<'static>>) {
        self.watch.waits(slot, at);
    }

    /// Mostly that is the name that this place had last time.
    fn waits_by_name(&self, slot: u32, name: &Rc<str>, at: &'static Location<'static>) {
        self.watch.waits(slot, Some(at));
        let mut told = self.told.borrow_mut();
        match told.get(slot as usize) {
            Some(Some((place, said))) if ptr::eq(*place, at) && said == name => {}
            _ => self.tell_name(&mut told, slot, name, at),
        }
    }

    fn park_begins(&self) {
        self.watch.park_begins();
    }

    fn park_ended(&self) {
        if let Some(thread) = &self.thread {
            self.watch.park_ended(thread.thread());
        }
    }
}

impl Guard {
    #[cold]
    fn tell_name(
        &self,
        told: &mut Vec<Option<WaitPoint>>,
        slot: u32,
        name: &Rc<str>,
        at: &'static Location<'static>,
    ) {
        self.watch.wait_is_called(slot, name, at);
        let index = slot as usize;
        if told.len() <= index {
            told.resize(index + 1, None);
        }
        told[index] = Some((at, name.clone()));
    }
}

/// The run is over, and the watchdog goes home first.
impl Drop for Guard {
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

impl OnDuty {
    // ANCHOR: look_now_and_then
    fn watch(self) {
        let tick = (self.dog.limit / LOOKS).max(SHORTEST_TICK);
        let (mut seen, mut since) = (self.watch.poll(), Instant::now());
        while !self.is_over.load(Ordering::Acquire) {
            let lasts = since.elapsed();
            // To wake the watchdog costs the loop a system call. So it does not lie down as soon as the loop does, but when
            // the loop has slept for a while.
            if !seen.is_under_way() && lasts >= tick && self.watch.falls_asleep() {
                thread::park();
            } else if seen.is_under_way() && lasts >= self.dog.limit {
                self.speak_up(seen, since);
            } else if seen.is_under_way() {
                thread::park_timeout(tick.min(self.dog.limit - lasts));
            } else {
                thread::park_timeout(tick);
            }
            let now = self.watch.poll();
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
        }
    }
    // ANCHOR_END: look_now_and_then

    /// This poll takes too long. Says so, and waits for its end.
    fn speak_up(&self, poll: Poll, since: Instant) {
        self.watch.ended.store(0, Ordering::Relaxed);
        self.watch.noticed.store(poll.0, Ordering::Release);
        let began = self.watch.began.load(Ordering::Relaxed);
        let Some(told) = self.watch.describe(poll) else {
            return; // It is over, after all.
        };
        let recorder = self.lane.recorder();
        let lasts = || match self.lane.is_on() {
            true => Duration::from_nanos(recorder.now().saturating_sub(began)),
            false => since.elapsed(),
        };
        let in_poll_for = lasts();
        let (stack, no_stack) = match self.target.stack(|| self.watch.poll() == poll) {
            Ok(stack) => (stack, ""),
            Err(why) => (Vec::new(), why),
        };
        let stuck = Stuck {
            task: told.name,
            spawned_at: told.spawned_at,
            wait_point: told.wait,
            in_poll_for,
            limit: self.dog.limit,
            stack,
            no_stack,
        };
        self.lane.mark("watchdog", &stuck.to_string(), began);
        caught(|| (self.dog.on_stuck)(&stuck));
        while self.watch.poll() == poll && !self.is_over.load(Ordering::Acquire) {
            thread::park_timeout((since.elapsed() / 64).clamp(END_TICKS.0, END_TICKS.1));
        }
        let took = match self.watch.ended.load(Ordering::Relaxed) {
            0 => lasts(),
            ended => Duration::from_nanos(ended.saturating_sub(began)),
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
