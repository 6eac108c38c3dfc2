// ANCHOR: queue
//! Who is to be woken when: a heap of deadlines.

use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Waker;

use crate::clock::NEVER;

/// The timers that are set, by deadline, and for equal deadlines by the order in which they were set.
///
/// Most timers of a real program are timeouts: they are set, and cancelled before they are due. So
/// cancelling does not search the heap. It takes the waker away and leaves the deadline behind, and a
/// deadline without a waker is passed over when its turn comes. Now and then the heap is tidied up.
#[derive(Default)]
pub(crate) struct TimerQueue {
    /// A heap in which every deadline has up to four below it, none of them earlier: half as many levels as with two,
    /// and four deadlines side by side are 64 bytes, as many as a cache line.
    heap: Vec<Deadline>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    id: QueueId,
    last_number: u64,
    /// How many timers have fired or were cancelled since the last tidying up.
    gone: usize,
}

#[derive(Clone, Copy)]
struct Deadline {
    due: u64,
    /// The last 32 bits of the timer's number. They come again after four billion timers, and no deadline stays in the
    /// heap for as long as that after its timer has ended: see [`TimerQueue::tidy_up_now_and_then`].
    number: u32,
    slot: u32,
}

/// Whom a timer wakes.
struct Slot {
    /// The timer that has this slot, or had it last.
    number: u64,
    task: flight::Task,
    /// A sleeper may wake up at the next multiple of this instead: see [`TimerQueue::time_to_wake`].
    grid: u32,
    /// `None` if the slot is free: its timer has fired, or was cancelled.
    waker: Option<Waker>,
}

/// What opens one timer of one queue. Numbers are not used again, so a key that is too old opens nothing.
#[derive(Clone, Copy)]
pub(crate) struct TimerKey {
    /// Timers are counted from 1; with 0, this is the key of none yet.
    pub(crate) number: u64,
    slot: u32,
    queue: QueueId,
}

/// By which a key is known to be for another queue. Every run has a new one.
#[derive(Clone, Copy, PartialEq, Eq)]
struct QueueId(u32);

impl Default for QueueId {
    fn default() -> QueueId {
        static LAST: AtomicU32 = AtomicU32::new(0);
        QueueId(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

/// A timer whose time has come.
pub(crate) struct Timer {
    pub(crate) due: u64,
    pub(crate) number: u64,
    /// The task that set it, for the record.
    pub(crate) task: flight::Task,
    pub(crate) waker: Waker,
}
// ANCHOR_END: queue

// ANCHOR: arm
impl TimerQueue {
    /// A key that is for this queue, and opens nothing yet.
    pub(crate) fn no_timer(&self) -> TimerKey {
        TimerKey {
            number: 0,
            slot: 0,
            queue: self.id,
        }
    }

    /// Whether a key is for this queue.
    pub(crate) fn issued(&self, key: TimerKey) -> bool {
        key.queue == self.id
    }

    /// Sets a timer. Its length, from now on, says how late a thread may wake up for it.
    pub(crate) fn arm(
        &mut self,
        due: u64,
        length: u64,
        task: flight::Task,
        waker: Waker,
    ) -> TimerKey {
        self.last_number += 1;
        let number = self.last_number;
        let taken = Slot {
            number,
            task,
            grid: grid(length),
            waker: Some(waker),
        };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = taken;
                slot
            }
            None => {
                self.slots.push(taken);
                u32::try_from(self.slots.len() - 1).expect("fewer than 4 billion timers")
            }
        };
        self.heap.push(Deadline {
            due,
            number: number as u32,
            slot,
        });
        self.sift_up(self.heap.len() - 1);
        TimerKey {
            number,
            slot,
            queue: self.id,
        }
    }

    /// Cancels a timer, if it has not fired, and returns its waker, to be dropped when no borrow is open.
    pub(crate) fn disarm(&mut self, key: TimerKey) -> Option<Waker> {
        self.slot(key)?;
        let (_, waker) = self.vacate(key.slot)?;
        self.tidy_up_now_and_then();
        Some(waker)
    }

    /// Gives a timer to another task. Returns the waker that is not needed any more, to be dropped when no
    /// borrow is open: the old one, or the new one if the timer has fired.
    pub(crate) fn rewire(
        &mut self,
        key: TimerKey,
        task: flight::Task,
        waker: Waker,
    ) -> Option<Waker> {
        match self.slot(key) {
            Some(Slot {
                task: its_task,
                waker: Some(its_waker),
                ..
            }) => {
                *its_task = task;
                Some(std::mem::replace(its_waker, waker))
            }
            _ => Some(waker),
        }
    }

    /// When the next timer is due. One that never comes is nothing to wait for: a virtual clock would jump there.
    pub(crate) fn next_due(&mut self) -> Option<u64> {
        while let Some(first) = self.heap.first() {
            if self.is_set(first) {
                return (first.due < NEVER).then_some(first.due);
            }
            self.take_first();
        }
        None
    }

    /// The next timer whose time has come.
    pub(crate) fn pop_due(&mut self, now: u64) -> Option<Timer> {
        if self.next_due()? > now {
            return None;
        }
        let Deadline { due, slot, .. } = self.take_first();
        let number = self.slots[slot as usize].number;
        let (task, waker) = self.vacate(slot)?;
        self.tidy_up_now_and_then();
        Some(Timer {
            due,
            number,
            task,
            waker,
        })
    }
    // ANCHOR_END: arm

    // ANCHOR: time_to_wake
    /// Until when the thread may sleep, on a clock that costs something to wake up for.
    ///
    /// Each wake-up of the thread costs as much as hundreds of polls. So a sleep may end a little late: by less than a
    /// sixteenth of its length, and less than a millisecond. Deadlines that lie close together then share one wake-up.
    pub(crate) fn time_to_wake(&mut self) -> Option<u64> {
        self.next_due()?;
        Some(self.wake_before(0, u64::MAX))
    }

    /// The earliest grid point of the deadlines at and below `at`, or `latest`, if that comes first. What is
    /// due after that cannot matter, so only deadlines that will fire at this wake-up are looked at, and few more.
    fn wake_before(&self, at: usize, latest: u64) -> u64 {
        match self.heap.get(at) {
            Some(deadline) if deadline.due < latest => {
                let slot = &self.slots[deadline.slot as usize];
                let own = match slot.holds(deadline) {
                    true => deadline.due.next_multiple_of(slot.grid.into()),
                    false => latest,
                };
                below(at).fold(latest.min(own), |latest, child| {
                    self.wake_before(child, latest)
                })
            }
            _ => latest,
        }
    }
    // ANCHOR_END: time_to_wake

    // ANCHOR: slots
    /// The slot that a key opens.
    fn slot(&mut self, key: TimerKey) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(key.slot as usize)?;
        (key.queue == self.id && key.number == slot.number).then_some(slot)
    }

    fn is_set(&self, deadline: &Deadline) -> bool {
        self.slots[deadline.slot as usize].holds(deadline)
    }

    /// Frees a slot. Its deadline stays in the heap.
    fn vacate(&mut self, at: u32) -> Option<(flight::Task, Waker)> {
        let slot = &mut self.slots[at as usize];
        let waker = slot.waker.take()?;
        self.free.push(at);
        self.gone += 1;
        Some((slot.task, waker))
    }
    // ANCHOR_END: slots

    // ANCHOR: tidy_up
    /// After as many ends as there are slots, looks at every deadline and every slot once: each end pays for one look.
    fn tidy_up_now_and_then(&mut self) {
        if self.gone < self.slots.len().max(FEW) {
            return;
        }
        self.gone = 0;
        self.heap
            .retain(|deadline| self.slots[deadline.slot as usize].holds(deadline));
        for above in (0..self.heap.len().div_ceil(4)).rev() {
            self.sift_down(above);
        }
        // Free slots at the end go back to the system. Of the others, the lowest are used first.
        let in_use = self.slots.iter().rposition(|slot| slot.waker.is_some());
        self.slots.truncate(in_use.map_or(0, |last| last + 1));
        let is_free = |&slot: &u32| self.slots[slot as usize].waker.is_none();
        self.free.clear();
        self.free
            .extend((0..self.slots.len() as u32).rev().filter(is_free));
        self.heap.shrink_to(FEW.max(2 * self.heap.len()));
        self.slots.shrink_to(FEW.max(2 * self.slots.len()));
        self.free.shrink_to(FEW.max(2 * self.free.len()));
    }
    // ANCHOR_END: tidy_up

    // ANCHOR: heap
    fn take_first(&mut self) -> Deadline {
        let first = self.heap.swap_remove(0);
        if !self.heap.is_empty() {
            self.sift_down(0);
        }
        first
    }

    /// Moves a deadline up until the one above it is earlier.
    fn sift_up(&mut self, mut at: usize) {
        let moved = self.heap[at];
        while at > 0 {
            let above = (at - 1) / 4;
            if !moved.is_before(&self.heap[above]) {
                break;
            }
            self.heap[at] = self.heap[above];
            at = above;
        }
        self.heap[at] = moved;
    }

    /// Moves a deadline down until all below it are later.
    fn sift_down(&mut self, mut at: usize) {
        let moved = self.heap[at];
        while let Some(earliest) = below(at)
            .take_while(|&child| child < self.heap.len())
            .reduce(|a, b| {
                if self.heap[b].is_before(&self.heap[a]) {
                    b
                } else {
                    a
                }
            })
        {
            if !self.heap[earliest].is_before(&moved) {
                break;
            }
            self.heap[at] = self.heap[earliest];
            at = earliest;
        }
        self.heap[at] = moved;
    }
    // ANCHOR_END: heap
    // ANCHOR: rest
}

impl Slot {
    fn holds(&self, deadline: &Deadline) -> bool {
        self.number as u32 == deadline.number && self.waker.is_some()
    }
}

impl Deadline {
    /// The order: whose time comes first, and if it is the same time, who was set first. Numbers ascend, and begin anew.
    fn is_before(&self, other: &Deadline) -> bool {
        let earlier = self.number.wrapping_sub(other.number) > u32::MAX / 2;
        self.due < other.due || (self.due == other.due && earlier)
    }
}

/// The places in the heap below one.
fn below(at: usize) -> std::ops::Range<usize> {
    4 * at + 1..4 * at + 5
}

/// So few timers that there is nothing to gain by tidying up.
const FEW: usize = 256;

/// The millisecond, its half, its quarter and so on: the first that is at most a sixteenth of a sleep. The
/// points of one grid are points of the finer ones as well, so that sleeps of all lengths meet.
fn grid(length: u64) -> u32 {
    let mut grid = 1_000_000;
    while grid > 1 && u64::from(grid) > length / 16 {
        grid /= 2;
    }
    grid
}

#[cfg(test)]
#[path = "../tests/unit/timer_queue.rs"]
mod tests;
// ANCHOR_END: rest
