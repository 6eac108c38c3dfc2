// ANCHOR: shelf
//! The shelf: where the tasks lie, and who of them is ready.
//!
//! Every task has a place. What has to be known to wake it lies in the place, sixteen bytes, and not in the
//! task's own block: to ring for a task does not touch its memory.
#![allow(unsafe_code)]

use std::num::NonZeroU64;
use std::task::Waker;

use crate::inbox::{Inbox, PLACES};
use crate::join_handle::Claim;
use crate::run_queue::RunQueue;
use crate::task::{Outcome, Task};

/// The place of the main future, which itself lies on the stack of `run`.
pub(crate) const MAIN: u32 = 0;

pub(crate) struct Shelf {
    pub(crate) ready: RunQueue,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// How many tasks there were, main as well.
    born: u32,
    /// How many of them are not over.
    living: usize,
    /// How many there may be, main not counted.
    max_tasks: usize,
    /// Whoever began to await the end of the polled task during this poll.
    joiner_of_the_polled: Option<Waker>,
    /// Somebody who, when last seen, could be woken from outside.
    worldly: usize,
    /// The number of this run on this thread.
    run: NonZeroU64,
    inbox: &'static Inbox,
}

struct Slot {
    /// Not here while it is polled. Main never is.
    task: Option<Task>,
    /// The how-manyth task it is, main being number 0.
    born: u32,
    generation: u16,
    /// Some of the flags below.
    state: u8,
}

/// It is in the run queue.
const QUEUED: u8 = 1;
/// It is over, or nobody is here.
const OVER: u8 = 2;
/// It is to be dropped instead of polled.
const ABORTED: u8 = 4;
/// It has a `JoinHandle`.
const CLAIMED: u8 = 8;
/// Somebody whom the loop does not know may have its waker.
const SHARED: u8 = 16;
/// In its last poll it said that it waits for another task, and for nothing else.
const WAITS_INSIDE: u8 = 32;

/// A turn of a task that was taken from the run queue.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) slot: u32,
    pub(crate) generation: u16,
}

/// Whose turn it is.
pub(crate) enum Next {
    Task(Turn, Task),
    /// Main is not on the shelf.
    Main(Turn),
    /// It is to be dropped instead of polled.
    Aborted(Turn, Task),
    /// It was woken in its last poll, and is over.
    Over,
}

/// What [`Shelf::join`] found.
pub(crate) enum Joined<T> {
    NotYet(Claim<T>),
    Over(Outcome<T>),
    /// The end of the run came first.
    Gone,
}
// ANCHOR_END: shelf

// ANCHOR: spawn
impl Shelf {
    /// An empty shelf, but for main, which is ready.
    pub(crate) fn new(run: NonZeroU64, inbox: &'static Inbox, max_tasks: usize) -> Shelf {
        let mut shelf = Shelf {
            ready: RunQueue::default(),
            slots: Vec::new(),
            free: Vec::new(),
            born: 0,
            living: 0,
            max_tasks,
            joiner_of_the_polled: None,
            worldly: 0,
            run,
            inbox,
        };
        shelf.put(None, 0);
        shelf
    }

    /// Whether there may be another task, and there is a place for it. (Also who is over has one, until its handle is gone.)
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.living <= self.max_tasks && (self.slots.len() < PLACES || !self.free.is_empty())
    }

    /// Makes a task of a future, and puts it on the shelf and at the end of the run queue. There has to be room.
    #[inline]
    pub(crate) fn spawn<F: Future + 'static>(&mut self, future: F) -> Claim<F::Output> {
        let slot = self.put(Some(Task::new(future)), CLAIMED);
        Claim::new(self.run, slot, self.born - 1)
    }

    #[inline]
    fn put(&mut self, task: Option<Task>, state: u8) -> u32 {
        if self.born == u32::MAX {
            self.count_again();
        }
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.grow(),
        };
        let place = &mut self.slots[slot as usize];
        place.task = task;
        place.state = state | QUEUED;
        place.born = self.born;
        self.born += 1;
        self.living += 1;
        self.ready.push(slot);
        slot
    }

    /// Adds a place to the shelf.
    #[cold]
    fn grow(&mut self) -> u32 {
        let slot = self.slots.len();
        self.inbox.make_room(slot);
        self.slots.push(Slot {
            task: None,
            born: 0,
            generation: 0,
            state: OVER,
        });
        slot as u32
    }

    /// Four billion tasks were born: those that are left get new numbers, in the same order.
    #[cold]
    fn count_again(&mut self) {
        let order = self.by_age(|_| true);
        for (born, slot) in (0..).zip(&order) {
            self.slots[*slot as usize].born = born;
        }
        self.born = order.len() as u32;
    }
    // ANCHOR_END: spawn

    // ANCHOR: ring
    // ANCHOR: wake
    /// Puts a task into the run queue. Says whether that was news; it is not if it is there, or over, or a task from before.
    #[inline]
    pub(crate) fn wake(&mut self, slot: u32, generation: u16) -> bool {
        match self.slots.get_mut(slot as usize) {
            Some(place) if place.generation == generation && place.state & (QUEUED | OVER) == 0 => {
                place.state |= QUEUED;
                self.ready.push(slot);
                true
            }
            _ => false,
        }
    }
    // ANCHOR_END: wake

    /// The same, for a ring that does not say which tenant of the place is meant: whoever is there now.
    pub(crate) fn wake_tenant(&mut self, slot: u32) -> bool {
        let generation = self.slots.get(slot as usize).map(|place| place.generation);
        generation.is_some_and(|generation| self.wake(slot, generation))
    }

    /// Somebody gets a copy of its waker whom we do not know.
    pub(crate) fn share(&mut self, slot: u32, generation: u16) {
        if let Some(place) = self.slots.get_mut(slot as usize)
            && place.generation == generation
        {
            place.state |= SHARED;
        }
    }

    /// It is not in the run queue, and nobody was given a copy of its waker whom we do not know.
    pub(crate) fn is_left_alone(&self, slot: u32) -> bool {
        self.slots[slot as usize].state & (QUEUED | SHARED) == 0
    }
    // ANCHOR_END: ring

    // ANCHOR: turn
    /// Whoever is next in the run queue.
    #[inline(always)]
    pub(crate) fn next_turn(&mut self) -> Option<Next> {
        let slot = self.ready.pop()?;
        Some(self.begin_turn(slot))
    }

    // ANCHOR: begin_turn
    /// The turn of somebody who was in the run queue. The task is off the shelf for as long as it is polled: whatever
    /// it does, it finds no borrow open.
    #[inline(always)]
    pub(crate) fn begin_turn(&mut self, slot: u32) -> Next {
        let place = &mut self.slots[slot as usize];
        let generation = place.generation;
        let turn = Turn { slot, generation };
        // Before the poll, not after it: a wake that comes while the task is polled must queue it again.
        place.state &= !QUEUED;
        if place.state & OVER != 0 {
            self.free_if_forgotten(slot);
            return Next::Over;
        }
        match place.task.take() {
            Some(task) if place.state & ABORTED == 0 => Next::Task(turn, task),
            Some(task) => Next::Aborted(turn, task),
            None => Next::Main(turn),
        }
    }
    // ANCHOR_END: begin_turn

    /// Those who are ready, in the order of the run queue.
    pub(crate) fn who_is_ready(&mut self) -> Vec<u32> {
        let queued: Vec<u32> = std::iter::from_fn(|| self.ready.pop()).collect();
        for slot in queued {
            if self.slots[slot as usize].state & OVER == 0 {
                self.ready.push(slot);
            } else {
                self.begin_turn(slot); // It will never be polled. Its place is free now.
            }
        }
        self.ready.iter().collect()
    }
    // ANCHOR_END: turn

    // ANCHOR: back
    /// It was polled, and goes on waiting: for other tasks and nobody else, or who knows.
    #[inline(always)]
    pub(crate) fn put_back(
        &mut self,
        slot: u32,
        task: Option<Task>,
        waits_inside: bool,
    ) -> Option<Waker> {
        let place = &mut self.slots[slot as usize];
        place.state = place.state & !WAITS_INSIDE | if waits_inside { WAITS_INSIDE } else { 0 };
        place.task = task;
        if self.joiner_of_the_polled.is_some() {
            return self.hand_over_joiner(slot);
        }
        None
    }

    /// Somebody began to await the end of a task while it was polled and not on the shelf.
    #[cold]
    fn hand_over_joiner(&mut self, slot: u32) -> Option<Waker> {
        let task = self.slots[slot as usize].task.as_mut()?;
        task.set_joiner(self.joiner_of_the_polled.take())
    }

    /// It is over. Returns whoever awaits its end; and, to be dropped when no borrow is open, a joiner that another
    /// has replaced, and the task, if nobody has its handle.
    #[inline(always)]
    pub(crate) fn end(
        &mut self,
        slot: u32,
        task: Option<Task>,
    ) -> (Option<Waker>, Option<Waker>, Option<Task>) {
        self.living -= 1;
        let joiner = self.joiner_of_the_polled.take();
        let place = &mut self.slots[slot as usize];
        place.state |= OVER;
        let Some(mut task) = task else {
            return (joiner, None, None);
        };
        let earlier = task.set_joiner(None);
        let (joiner, replaced) = match joiner {
            None => (earlier, None),
            newest => (newest, earlier),
        };
        if place.state & CLAIMED != 0 {
            place.task = Some(task);
            return (joiner, replaced, None);
        }
        self.free_if_forgotten(slot);
        (joiner, replaced, Some(task))
    }

    /// A place is free for the next when its task is over, no handle speaks of it, and the run queue does not name it.
    #[inline]
    fn free_if_forgotten(&mut self, slot: u32) {
        let place = &mut self.slots[slot as usize];
        if place.state & (OVER | CLAIMED | QUEUED) == OVER && slot != MAIN {
            place.generation = place.generation.wrapping_add(1);
            self.free.push(slot);
        }
    }
    // ANCHOR_END: back

    // ANCHOR: claims
    /// Whether the task with this claim is over. Of another run, everything is.
    pub(crate) fn is_over<T>(&self, claim: &Claim<T>) -> bool {
        !self.has(claim) || self.slots[claim.slot as usize].state & OVER != 0
    }

    /// Whether this claim is on a task of this run.
    pub(crate) fn has<T>(&self, claim: &Claim<T>) -> bool {
        claim.run == self.run
    }

    /// What a task made, if it is over. With that the claim is met, and the place is free.
    #[inline]
    pub(crate) fn join<T>(&mut self, claim: Claim<T>) -> Joined<T> {
        if !self.has(&claim) {
            return Joined::Gone;
        }
        let place = &mut self.slots[claim.slot as usize];
        if place.state & OVER == 0 {
            return Joined::NotYet(claim);
        }
        place.state &= !CLAIMED;
        let task = place.task.take();
        self.free_if_forgotten(claim.slot);
        match task {
            // SAFETY: only `spawn` makes claims, one for each task, and of the type of its output. As long as a
            // task has a claim, nobody else gets its place. And it is the place of this shelf that is meant.
            Some(task) => Joined::Over(unsafe { task.into_result() }),
            None => Joined::Gone,
        }
    }

    /// The joiner will be woken when the task is over. The one from before is dropped by the caller.
    pub(crate) fn set_joiner(&mut self, slot: u32, joiner: Waker) -> Option<Waker> {
        match &mut self.slots[slot as usize].task {
            Some(task) => task.set_joiner(Some(joiner)),
            None => self.joiner_of_the_polled.replace(joiner),
        }
    }

    /// Nobody will ask for the task any more. If it is over, it comes back, to be dropped when no borrow is open.
    pub(crate) fn release<T>(&mut self, claim: Claim<T>) -> Option<Task> {
        if !self.has(&claim) {
            return None;
        }
        let place = &mut self.slots[claim.slot as usize];
        place.state &= !CLAIMED;
        if place.state & OVER == 0 {
            return None;
        }
        let task = place.task.take();
        self.free_if_forgotten(claim.slot);
        task
    }

    /// In its next turn it will be dropped. Returns its generation, so that it can be given that turn.
    pub(crate) fn abort(&mut self, slot: u32) -> u16 {
        let place = &mut self.slots[slot as usize];
        place.state |= ABORTED;
        place.generation
    }
    // ANCHOR_END: claims

    // ANCHOR: by_age
    /// Those who are not over, oldest first.
    pub(crate) fn waiting(&self) -> Vec<u32> {
        self.by_age(|place| place.state & OVER == 0)
    }

    /// Those who are over, and whose results nobody took, oldest first.
    pub(crate) fn untaken(&self) -> Vec<u32> {
        self.by_age(|place| place.state & OVER != 0 && place.task.is_some())
    }

    /// A task is taken off the shelf by force, because the run is over.
    pub(crate) fn take_off(&mut self, slot: u32) -> Option<Task> {
        self.slots[slot as usize].task.take()
    }

    fn by_age(&self, which: impl Fn(&Slot) -> bool) -> Vec<u32> {
        let slots = (0..).zip(&self.slots);
        let mut order: Vec<u32> = slots
            .filter(|(_, place)| which(place))
            .map(|(slot, _)| slot)
            .collect();
        order.sort_by_key(|slot| self.born(*slot));
        order
    }

    /// Whether it is certain that nobody outside can wake anyone: all who are not over wait for each other.
    pub(crate) fn waits_for_itself(&mut self) -> bool {
        let is_certain = |place: &Slot| {
            place.state & OVER != 0 || place.state & (WAITS_INSIDE | SHARED) == WAITS_INSIDE
        };
        // Most loops have somebody who waits for the world, and it is mostly the same one as last time.
        if !self.slots.get(self.worldly).is_some_and(is_certain) {
            return false;
        }
        match self.slots.iter().position(|place| !is_certain(place)) {
            Some(slot) => self.worldly = slot,
            None => return true,
        }
        false
    }

    pub(crate) fn born(&self, slot: u32) -> u32 {
        self.slots[slot as usize].born
    }
}
// ANCHOR_END: by_age
