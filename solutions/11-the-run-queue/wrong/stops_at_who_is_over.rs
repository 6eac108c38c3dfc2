//! must fail with: stops nobody behind it
//!
//! Finds a task that is over, and takes it for the end of the queue.

use std::collections::VecDeque;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Wake, Waker};

use whatif::sync::{Arc, Mutex, Shared};

/// A future whose size and name nobody needs to know. It must be `Send`: a task is its own waker, and wakers go anywhere.
pub type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

// ANCHOR: task
/// A future, and what it takes to get it polled again.
pub struct Task {
    /// None when it is over.
    pub job: Mutex<Option<Job>>,
    /// Whether it is in the run queue. Each `get`, `set` or `write` is one step; `write` can look and set in the same.
    pub queued: Shared<bool>,
    /// The run queue that it belongs to.
    pub run_queue: RunQueue,
}
// ANCHOR_END: task

/// Who is ready: first come, first served. A clone is the same queue.
#[derive(Clone)]
pub struct RunQueue {
    /// The front is served next.
    pub ready: Arc<Mutex<VecDeque<Arc<Task>>>>,
}

impl Default for RunQueue {
    fn default() -> RunQueue {
        let ready = Mutex::new(VecDeque::new()).called("the run queue");
        let ready = Arc::new(ready);
        RunQueue { ready }
    }
}

impl RunQueue {
    /// Makes a task of a future and puts it into the queue. Polls nothing.
    pub fn spawn(&self, job: impl Future<Output = ()> + Send + 'static) {
        let task = Arc::new(Task {
            job: Mutex::new(Some(Box::pin(job))),
            queued: Shared::new(true),
            run_queue: self.clone(),
        });
        self.ready.lock().unwrap().push_back(task);
    }

    /// Polls whoever is ready, one after the other, until nobody is.
    pub fn run(&self) {
        loop {
            // The lock is free again behind this line: whatever is polled may spawn and ring.
            let Some(task) = self.ready.lock().unwrap().pop_front() else {
                return;
            };
            // Before the poll: who rings while it is polled puts it into the queue again.
            task.queued.set(false);
            let waker = Waker::from(task.clone());
            let mut job = task.job.lock().unwrap();
            if job.is_none() {
                return;
            }
            if let Some(future) = job.as_mut()
                && future
                    .as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_ready()
            {
                *job = None;
            }
        }
    }
}

impl Wake for Task {
    /// Somebody rings: from any thread, at any moment, any number of times, also when the task is over.
    fn wake(self: Arc<Self>) {
        let was_queued = self.queued.write(|queued| mem::replace(queued, true));
        if !was_queued {
            let ready = self.run_queue.ready.clone();
            ready.lock().unwrap().push_back(self);
        }
    }
}
