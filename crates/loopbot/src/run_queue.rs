//! The run queue: who is ready, first come, first served.
//!
//! Only the loop takes from it, but every waker puts into it, from any thread: so there is a lock around it.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::thread::{self, Thread};

use flight::{Event, Lane};

use crate::task::TaskId;

/// A task that wants to be polled, and why.
#[derive(Clone, Copy)]
pub(crate) struct Ready {
    pub(crate) id: TaskId,
    /// The number, in the record, of the wake or the spawn that put it here.
    pub(crate) cause: u64,
}

pub(crate) struct RunQueue {
    ready: Mutex<VecDeque<Ready>>,
    loop_thread: Thread,
    /// `Weak`, because wakers keep the queue alive after the loop has gone, and its lane must end with the loop.
    lane: Weak<Lane>,
}

impl RunQueue {
    /// The queue of a loop that runs on the calling thread.
    pub(crate) fn of_this_thread(lane: &Arc<Lane>) -> RunQueue {
        RunQueue {
            ready: Mutex::default(),
            loop_thread: thread::current(),
            lane: Arc::downgrade(lane),
        }
    }

    pub(crate) fn push(&self, ready: Ready) {
        self.lock().push_back(ready);
    }

    /// Moves everybody who is ready into `round`, which is empty, and takes its memory in exchange.
    pub(crate) fn take_all(&self, round: &mut VecDeque<Ready>) {
        debug_assert!(round.is_empty());
        mem::swap(&mut *self.lock(), round);
    }

    /// Ends the loop's sleep, or, if it is awake, its next one: so a push that comes between its last look
    /// at the queue and its falling asleep is not missed.
    pub(crate) fn unpark_loop(&self) {
        self.loop_thread.unpark();
    }

    pub(crate) fn record(&self, event: Event) -> u64 {
        self.lane.upgrade().map_or(0, |lane| lane.record(event))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Ready>> {
        self.ready
            .lock()
            .expect("nobody panics while holding the run queue")
    }
}
