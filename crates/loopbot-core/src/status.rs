// ANCHOR: status
//! What other threads may know of a run while it goes on: in which poll the loop is, and of each task where it was spawned
//! and where it last waited.
//!
//! The loop writes, somebody else reads. The loop is never asked anything: when it matters, it cannot answer. So
//! everything that there is to say lies here beforehand, and is put here by plain stores.
#![allow(unsafe_code)]

use std::panic::Location;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering, fence};

/// The bits of [`Status::poll`] that name a place on the shelf.
const PLACE: u64 = OVER - 1;
/// The bit that says that this poll is over. Above it, the polls are counted.
const OVER: u64 = 1 << 24;
/// In the place of a place: nobody is polled.
const NOBODY: u64 = PLACE;
/// And the loop may be asleep.
const PARKED: u64 = PLACE - 1;

/// How many tasks there is room for at first.
const FIRST_ROOM: usize = 1024;
/// Behind it is another room of this size, and each further one is twice as large as the one before. Together they have a
/// place for all who can be on a shelf.
const ROOMS: usize = 14;

/// How a run gets on, for other threads to look at: see [`Observe`](crate::observe::Observe).
pub struct Status {
    /// The number of the poll that is under way or was the last, and whose it is.
    poll: AtomicU64,
    /// By place, what is known of tasks, if anybody watches. Most loops need no more than the first room.
    first_room: Option<Box<[Notes]>>,
    rooms: [OnceLock<Box<[Notes]>>; ROOMS],
}

/// What is noted of the task in one place.
#[derive(Default)]
struct Notes {
    born: AtomicU32,
    spawned_at: StaticRef,
    waited_at: StaticRef,
}

/// A place in the source, or none, that one thread sets and another reads.
#[derive(Default)]
struct StaticRef(AtomicPtr<Location<'static>>);
// ANCHOR_END: status

// ANCHOR: loop_side
/// The loop's side.
impl Status {
    pub(crate) fn new(is_watched: bool) -> Status {
        Status {
            poll: AtomicU64::new(OVER | NOBODY),
            first_room: is_watched.then(|| room(FIRST_ROOM)),
            rooms: [const { OnceLock::new() }; ROOMS],
        }
    }

    // ANCHOR: poll_begins
    /// A poll begins. This is all that a poll pays, watched or not: no clock is read. To count is the loop's alone, so it
    /// takes no more than a load and a store. Whoever reads what is stored sees all that was noted before: hence `Release`.
    #[inline(always)]
    pub(crate) fn poll_begins(&self, slot: u32) {
        let next = (self.poll.load(Ordering::Relaxed) | OVER | PLACE).wrapping_add(1);
        self.poll.store(next + u64::from(slot), Ordering::Release);
    }

    /// It is over. What the task leaves behind is still dropped, and takes that task's time: so it stays here whose it was.
    #[inline(always)]
    pub(crate) fn poll_ends(&self) {
        let poll = self.poll.load(Ordering::Relaxed);
        self.poll.store(poll | OVER, Ordering::Release);
    }
    // ANCHOR_END: poll_begins

    /// Who is polled. The loop itself has to know that.
    #[inline]
    pub(crate) fn polled(&self) -> Option<u32> {
        let poll = self.poll.load(Ordering::Relaxed);
        (poll & OVER == 0).then_some((poll & PLACE) as u32)
    }

    /// The loop looks at the world.
    #[inline]
    pub(crate) fn turns_end(&self) {
        let poll = self.poll.load(Ordering::Relaxed);
        self.poll.store(poll | OVER | NOBODY, Ordering::Release);
    }

    /// It has nothing to do.
    pub(crate) fn parks(&self) {
        let poll = self.poll.load(Ordering::Relaxed) & !PLACE;
        self.poll.store(poll | OVER | PARKED, Ordering::Release);
    }

    /// A task was spawned, or main begins.
    #[inline]
    pub(crate) fn spawned(&self, slot: u32, born: u32, at: &'static Location<'static>) {
        if let Some(notes) = self.notes(slot) {
            notes.born.store(born, Ordering::Release);
            notes.spawned_at.set(Some(at));
            notes.waited_at.set(None);
        }
    }

    /// The polled task waits, there if that is known. Returns whose place it is, if anybody watches.
    #[inline]
    pub(crate) fn waits(&self, at: Option<&'static Location<'static>>) -> Option<u32> {
        self.first_room.as_ref()?;
        let slot = self.polled()?;
        self.notes(slot)?.waited_at.set(at);
        Some(slot)
    }

    #[inline]
    fn notes(&self, slot: u32) -> Option<&Notes> {
        let first = self.first_room.as_ref()?;
        let notes = first.get(slot as usize);
        Some(notes.unwrap_or_else(|| self.notes_further_on(slot as usize)))
    }

    #[cold]
    fn notes_further_on(&self, slot: usize) -> &Notes {
        let number = slot.ilog2() - FIRST_ROOM.ilog2();
        let size = FIRST_ROOM << number;
        let places = self.rooms[number as usize].get_or_init(|| room(size));
        &places[slot - size]
    }
}

fn room(size: usize) -> Box<[Notes]> {
    (0..size).map(|_| Notes::default()).collect()
}
// ANCHOR_END: loop_side

// ANCHOR: other_side
/// The side of whoever looks.
impl Status {
    /// In which poll the loop is.
    pub fn poll(&self) -> Poll {
        Poll(self.poll.load(Ordering::Acquire) | OVER)
    }

    /// What is known of the task that is polled, if this poll is still under way.
    pub fn known(&self, poll: Poll) -> Option<Known> {
        let slot = poll.slot()?;
        let notes = self.notes(slot)?;
        let known = Known {
            slot,
            born: notes.born.load(Ordering::Relaxed),
            spawned_at: notes.spawned_at.get(),
            waited_at: notes.waited_at.get(),
        };
        // Is the poll the same still? Then all of this was said of its task. For notes are stored with `Release`, and so
        // whoever has read the note of a later task sees after this fence that there was a later poll.
        fence(Ordering::Acquire);
        (self.poll() == poll).then_some(known)
    }
}

/// A poll, or that there is none. No two polls of a run are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll(u64);

impl Poll {
    fn slot(self) -> Option<u32> {
        let slot = self.0 & PLACE;
        (slot < PARKED).then_some(slot as u32)
    }

    /// Whether a task is polled, or what it left behind is dropped.
    pub fn is_under_way(self) -> bool {
        self.slot().is_some()
    }

    /// Whether the loop has nothing to do. Before it has, whoever observes the run is told.
    pub fn is_parked(self) -> bool {
        self.0 & PLACE == PARKED
    }

    /// A number that no other poll of this run has. It is not 0.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// What is known of a task.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Known {
    /// Its place on the shelf, which another task gets when it is gone.
    pub slot: u32,
    /// The how-manyth task of the run it is; main is number 0.
    pub born: u32,
    /// Where it was spawned; for main, where `run` was called.
    pub spawned_at: Option<&'static Location<'static>>,
    /// Where it waited last, before this poll, if it said so.
    pub waited_at: Option<&'static Location<'static>>,
}

impl StaticRef {
    #[inline]
    fn set(&self, at: Option<&'static Location<'static>>) {
        let at = at.map_or(ptr::null_mut(), |at| ptr::from_ref(at).cast_mut());
        self.0.store(at, Ordering::Release);
    }

    fn get(&self) -> Option<&'static Location<'static>> {
        // SAFETY: it is null, or came from a reference that is good for ever, to what never changes: see `set`.
        unsafe { self.0.load(Ordering::Relaxed).as_ref() }
    }
}

#[cfg(test)]
#[path = "../tests/unit/status.rs"]
mod tests;
// ANCHOR_END: other_side
