// ANCHOR: watch
//! What the loop and its watchdog share: in which poll the loop is, and of each task where it was spawned and where it
//! last waited.
//!
//! The loop writes, the watchdog reads. The loop is never asked anything: when it matters, it cannot answer. So
//! everything that the message needs lies here beforehand, and is put here by plain stores.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::panic::Location;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering, fence};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;

use super::stuck::LastWait;

/// The bits of [`Watch::poll`] that name a place on the shelf. Above them, the polls are counted.
const PLACE: u64 = (1 << 24) - 1;
/// Nobody is polled.
const NOBODY: u64 = PLACE;
/// Nobody is polled, and the loop may be asleep.
const PARKED: u64 = PLACE - 1;

/// How many tasks there is room for at first.
const FIRST_ROOM: usize = 64;
/// Each room is twice as large as the one before. Together they have a place for all who can be on a shelf.
const ROOMS: usize = 18;

pub(super) struct Watch {
    /// The number of the poll that is under way or was the last, and whose it is.
    poll: AtomicU64,
    /// The watchdog sleeps until the loop has something to do.
    asleep: AtomicBool,
    tasks: [OnceLock<Box<[Known]>>; ROOMS],
    /// By place.
    names: Mutex<HashMap<u32, Names>>,
    /// When the poll that is under way began, on the recorder's clock. Kept only with a recorder, as is the next.
    pub(super) began: AtomicU64,
    /// When the poll that the watchdog has noticed ended; 0 before that.
    pub(super) ended: AtomicU64,
    /// The value of `poll` in which it was noticed that this takes too long.
    pub(super) noticed: AtomicU64,
}

/// What is known of the task in one place.
#[derive(Default)]
struct Known {
    born: AtomicU32,
    spawned_at: StaticRef,
    waited_at: StaticRef,
}

/// Most tasks have neither.
#[derive(Default)]
struct Names {
    /// The name of the task, and who it was: it may be the name of an earlier tenant.
    task: Option<(u32, Box<str>)>,
    /// The name of a wait point, and where that is: the task may have waited elsewhere since.
    wait: Option<(&'static Location<'static>, Box<str>)>,
}

/// What there is to say of a task.
pub(super) struct Told {
    pub(super) name: String,
    pub(super) spawned_at: Option<&'static Location<'static>>,
    pub(super) wait: Option<LastWait>,
}
// ANCHOR_END: watch

// ANCHOR: loop_side
/// The loop's side.
impl Watch {
    pub(super) fn new() -> Watch {
        Watch {
            poll: AtomicU64::new(NOBODY),
            asleep: AtomicBool::new(false),
            tasks: [const { OnceLock::new() }; ROOMS],
            names: Mutex::default(),
            began: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            noticed: AtomicU64::new(NOBODY),
        }
    }

    // ANCHOR: poll_begins
    /// A poll begins. This is all that a poll pays: no clock is read. To count is the loop's alone, so it takes no
    /// more than a load and a store.
    #[inline]
    pub(super) fn poll_begins(&self, slot: u32) {
        let next = (self.poll.load(Ordering::Relaxed) | PLACE).wrapping_add(1);
        self.poll.store(next + u64::from(slot), Ordering::Release);
    }
    // ANCHOR_END: poll_begins

    #[inline]
    pub(super) fn poll_ended(&self) {
        self.now_polled_is(NOBODY);
    }

    /// The recorder's clock was read for the poll that begins.
    pub(super) fn begins_at(&self, t: u64) {
        self.began.store(t, Ordering::Relaxed);
    }

    /// And for its end. If the watchdog has noticed this poll, it is waiting to hear that.
    pub(super) fn ends_at(&self, t: u64) {
        if self.noticed.load(Ordering::Acquire) == self.poll.load(Ordering::Relaxed) {
            self.ended.store(t, Ordering::Relaxed);
        }
    }

    pub(super) fn park_begins(&self) {
        self.now_polled_is(PARKED);
    }

    /// The loop has something to do again. The one word is written and the other read, here and in
    /// [`falls_asleep`](Watch::falls_asleep), and the fences see to it that one of the two reads what the other wrote.
    pub(super) fn park_ended(&self, watchdog: &Thread) {
        self.now_polled_is(NOBODY);
        fence(Ordering::SeqCst);
        if self.asleep.swap(false, Ordering::Relaxed) {
            watchdog.unpark();
        }
    }

    #[inline]
    fn now_polled_is(&self, nobody: u64) {
        let poll = self.poll.load(Ordering::Relaxed) & !PLACE;
        self.poll.store(poll | nobody, Ordering::Release);
    }

    #[inline]
    pub(super) fn spawned(&self, slot: u32, born: u32, at: &'static Location<'static>) {
        let known = self.known(slot);
        known.born.store(born, Ordering::Relaxed);
        known.spawned_at.set(Some(at));
        known.waited_at.set(None);
    }

    pub(super) fn is_called(&self, slot: u32, born: u32, name: &str) {
        self.names().entry(slot).or_default().task = Some((born, name.into()));
    }

    #[inline]
    pub(super) fn waits(&self, slot: u32, at: Option<&'static Location<'static>>) {
        self.known(slot).waited_at.set(at);
    }

    /// This place in the program has a name, for this task.
    #[cold]
    pub(super) fn wait_is_called(&self, slot: u32, name: &str, at: &'static Location<'static>) {
        self.names().entry(slot).or_default().wait = Some((at, name.into()));
    }
    // ANCHOR_END: loop_side

    // ANCHOR: dog_side
    /// In which poll the loop is.
    pub(super) fn poll(&self) -> Poll {
        Poll(self.poll.load(Ordering::Acquire))
    }

    /// Whether the watchdog may sleep until somebody ends that. It is awake otherwise.
    pub(super) fn falls_asleep(&self) -> bool {
        self.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let may_sleep = self.poll().is_parked();
        if !may_sleep {
            self.asleep.store(false, Ordering::Relaxed);
        }
        may_sleep
    }

    /// What is known of the task that is polled, if it still is.
    pub(super) fn describe(&self, poll: Poll) -> Option<Told> {
        let slot = poll.slot()?;
        let known = self.known(slot);
        let (born, waited_at) = (known.born.load(Ordering::Relaxed), known.waited_at.get());
        let names = self.names();
        let names = names.get(&slot);
        let told = Told {
            name: match names.and_then(|names| names.task.as_ref()) {
                Some((whose, name)) if *whose == born => name.to_string(),
                _ if born == 0 => "main".to_owned(),
                _ => format!("task {born}"),
            },
            spawned_at: known.spawned_at.get(),
            wait: waited_at.map(|at| LastWait {
                name: match names.and_then(|names| names.wait.as_ref()) {
                    Some((where_, name)) if ptr::eq(*where_, at) => Some(name.to_string()),
                    _ => None,
                },
                at,
            }),
        };
        (self.poll() == poll).then_some(told)
    }

    fn names(&self) -> MutexGuard<'_, HashMap<u32, Names>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn known(&self, slot: u32) -> &Known {
        let index = slot as usize + FIRST_ROOM;
        let room = index.ilog2() - FIRST_ROOM.ilog2();
        let size = FIRST_ROOM << room;
        let places = self.tasks[room as usize].get_or_init(|| new_room(size));
        &places[index - size]
    }
}

#[cold]
fn new_room(size: usize) -> Box<[Known]> {
    (0..size).map(|_| Known::default()).collect()
}

/// A poll that is under way; or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Poll(pub(super) u64);

impl Poll {
    fn slot(self) -> Option<u32> {
        let slot = self.0 & PLACE;
        (slot < PARKED).then_some(slot as u32)
    }

    pub(super) fn is_under_way(self) -> bool {
        self.slot().is_some()
    }

    fn is_parked(self) -> bool {
        self.0 & PLACE == PARKED
    }
}

/// A place in the source, or none, that one thread sets and another reads.
#[derive(Default)]
struct StaticRef(AtomicPtr<Location<'static>>);

impl StaticRef {
    #[inline]
    fn set(&self, at: Option<&'static Location<'static>>) {
        let at = at.map_or(ptr::null_mut(), |at| ptr::from_ref(at).cast_mut());
        self.0.store(at, Ordering::Relaxed);
    }

    fn get(&self) -> Option<&'static Location<'static>> {
        // SAFETY: it is null, or came from a reference that is good for ever, to what never changes: see `set`.
        unsafe { self.0.load(Ordering::Relaxed).as_ref() }
    }
}

#[cfg(test)]
#[path = "../../tests/unit/watch.rs"]
mod tests;
// ANCHOR_END: dog_side
