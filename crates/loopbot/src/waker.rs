//! The waker: how a task gets back into the run queue.
//!
//! A future that returns `Pending` keeps a copy of its task's waker with whatever it waits for. That may
//! be on another thread, it may ring many times, and it may ring when the loop is long gone. So a waker
//! has no way to reach the future. It holds a number, a flag, and a share of the run queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;

use flight::{Event, Source};

use crate::current;
use crate::run_queue::{Ready, RunQueue};
use crate::task::Who;

/// What is behind every `Waker` of one task.
pub(crate) struct Bell {
    who: Who,
    /// Whether the task is in the run queue. It stays `true` when the task is over, so nothing comes of a late wake.
    queued: AtomicBool,
    run_queue: Arc<RunQueue>,
}

impl Bell {
    /// The bell of a task that is in the run queue.
    pub(crate) fn queued(who: Who, run_queue: &Arc<RunQueue>) -> Bell {
        Bell {
            who,
            queued: AtomicBool::new(true),
            run_queue: run_queue.clone(),
        }
    }

    /// The task was taken from the queue and is about to be polled.
    ///
    /// A swap, not a store. A waker that finds the flag set goes away and trusts this poll to see what it
    /// did before it rang. Only by reading the waker's own write does `Acquire` make that true.
    pub(crate) fn leaves_the_queue(&self) {
        self.queued.swap(false, Ordering::AcqRel);
    }

    /// The task is over: from now on it looks queued, and cannot be queued again.
    pub(crate) fn is_done(&self) {
        self.queued.store(true, Ordering::Release);
    }
}

// ANCHOR: wake
impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, Ordering::AcqRel) {
            return; // It will be polled anyway: one poll answers any number of rings.
        }
        let own_loop = current::get().filter(|executor| executor.owns(&self.run_queue));
        let source = own_loop
            .as_ref()
            .map_or(Source::Thread, |own| own.source_of_wake(self.who.id));
        let cause = self.run_queue.record(Event::Wake {
            task: self.who.row,
            source,
        });
        self.run_queue.push(Ready {
            id: self.who.id,
            cause,
        });
        if own_loop.is_none() {
            // LoopBot may be asleep. On its own thread it is not: it is the one that rings.
            self.run_queue.unpark_loop();
        }
    }
}
// ANCHOR_END: wake
