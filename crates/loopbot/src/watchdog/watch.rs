// ANCHOR: watch
//! What the loop's thread and the watchdog's share, besides the run's [status](loopbot_core::observe::Status): names, when polls began and ended, and
//! whether the watchdog sleeps.

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::Location;
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;

use loopbot_core::observe::{Known, Observer, Poll};

use super::stuck::LastWait;

#[derive(Default)]
pub(super) struct Watch {
    /// The watchdog sleeps until the loop has something to do.
    asleep: AtomicBool,
    /// By place.
    names: Mutex<HashMap<u32, Names>>,
    /// When the poll that is under way began, on the recorder's clock. Kept only with a recorder, as is `ended`.
    began: AtomicU64,
    /// The number of the poll that the watchdog has noticed, and when it ended; 0 before that.
    noticed: AtomicU64,
    ended: AtomicU64,
}

/// Most tasks have neither.
#[derive(Default)]
struct Names {
    /// The name of the task, and who it was: it may be the name of an earlier tenant.
    task: Option<(u32, Box<str>)>,
    /// The name of a wait point, and where that is: the task may have waited elsewhere since.
    wait: Option<(&'static Location<'static>, Box<str>)>,
}
// ANCHOR_END: watch

// ANCHOR: loop_side
/// The loop's side.
pub(super) struct Teller {
    pub(super) watch: Arc<Watch>,
    /// The watchdog's.
    pub(super) thread: Thread,
    /// By place, the last wait point with a name that the watch was told of: nobody else asks for this, so it is not locked.
    pub(super) told: RefCell<Vec<Option<WaitPoint>>>,
}

type WaitPoint = (&'static Location<'static>, Rc<str>);

impl Observer for Teller {
    fn is_called(&self, slot: u32, born: u32, name: &str) {
        self.watch.names().entry(slot).or_default().task = Some((born, name.into()));
    }

    /// Mostly that is the name that this place had last time.
    fn waits_by_name(&self, slot: u32, name: &Rc<str>, at: &'static Location<'static>) {
        let mut told = self.told.borrow_mut();
        match told.get(slot as usize) {
            Some(Some((place, said))) if ptr::eq(*place, at) && said == name => {}
            _ => self.tell_name(&mut told, slot, name, at),
        }
    }

    fn begins_at(&self, t: u64) {
        self.watch.began.store(t, Ordering::Relaxed);
    }

    /// If the watchdog has noticed this poll, it is waiting to hear that.
    fn ends_at(&self, poll: Poll, t: u64) {
        if self.watch.noticed.load(Ordering::Acquire) == poll.number() {
            self.watch.ended.store(t, Ordering::Relaxed);
        }
    }

    /// The loop has something to do again. The one word is written and the other read: the status before this is called, and
    /// the other way round in [`falls_asleep`](Watch::falls_asleep). The fences see to it that one of the two reads what the other wrote.
    fn park_ended(&self) {
        fence(Ordering::SeqCst);
        if self.watch.asleep.swap(false, Ordering::Relaxed) {
            self.thread.unpark();
        }
    }
}

impl Teller {
    #[cold]
    fn tell_name(
        &self,
        told: &mut Vec<Option<WaitPoint>>,
        slot: u32,
        name: &Rc<str>,
        at: &'static Location<'static>,
    ) {
        self.watch.names().entry(slot).or_default().wait = Some((at, (**name).into()));
        let index = slot as usize;
        if told.len() <= index {
            told.resize(index + 1, None);
        }
        told[index] = Some((at, name.clone()));
    }
}
// ANCHOR_END: loop_side

// ANCHOR: dog_side
/// The watchdog's side.
impl Watch {
    /// Whether the watchdog may sleep until somebody ends that, because the loop is parked. It is awake otherwise.
    pub(super) fn falls_asleep(&self, is_parked: impl FnOnce() -> bool) -> bool {
        self.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let may_sleep = is_parked();
        if !may_sleep {
            self.asleep.store(false, Ordering::Relaxed);
        }
        may_sleep
    }

    /// Wants to hear of the end of this poll. Says when it began.
    pub(super) fn notice(&self, poll: Poll) -> u64 {
        self.ended.store(0, Ordering::Relaxed);
        self.noticed.store(poll.number(), Ordering::Release);
        self.began.load(Ordering::Relaxed)
    }

    /// When the poll that was noticed ended, if it did so afterwards, and there is a recorder.
    pub(super) fn ended(&self) -> Option<u64> {
        Some(self.ended.load(Ordering::Relaxed)).filter(|ended| *ended > 0)
    }

    /// The name of this task, and where it waited last.
    pub(super) fn describe(&self, known: &Known) -> (String, Option<LastWait>) {
        let names = self.names();
        let names = names.get(&known.slot);
        let name = match names.and_then(|names| names.task.as_ref()) {
            Some((whose, name)) if *whose == known.born => name.to_string(),
            _ if known.born == 0 => "main".to_owned(),
            _ => format!("task {}", known.born),
        };
        let wait = known.waited_at.map(|at| LastWait {
            name: match names.and_then(|names| names.wait.as_ref()) {
                Some((place, name)) if ptr::eq(*place, at) => Some(name.to_string()),
                _ => None,
            },
            at,
        });
        (name, wait)
    }

    fn names(&self) -> MutexGuard<'_, HashMap<u32, Names>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "../../tests/unit/watch.rs"]
mod tests;
// ANCHOR_END: dog_side
