//! must fail with: your robots never met
//!
//! Looks and then sets, with an atomic of plain std, where the check cannot see them.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Wake, Waker};

use whatif::sync::{Arc, Mutex};

/// A future whose size and name nobody needs to know. It must be `Send`: a task is its own waker, and wakers go anywhere.
pub type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A future, and what it takes to get it polled again.
pub struct Task {
    /// None when it is over.
    pub job: Mutex<Option<Job>>,
    /// Whether it is in the run queue. Each `get`, `set` or `write` is one step; `write` can look and set in the same.
    pub queued: AtomicBool,
    /// The run queue that it belongs to.
    pub run_queue: RunQueue,
}

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
            queued: AtomicBool::new(true),
            run_queue: self.clone(),
        });
        self.ready.lock().unwrap().push_back(task);
    }

    /// Polls whoever is ready, one after the other, until nobody is.
    pub fn run(&self) {
        loop {
            let Some(task) = self.ready.lock().unwrap().pop_front() else {
                return;
            };
            task.queued.store(false, SeqCst);
            let waker = Waker::from(task.clone());
            let mut job = task.job.lock().unwrap();
            if let Some(future) = job.as_mut() {
                if future
                    .as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_ready()
                {
                    *job = None
                }
            }
        }
    }
}

impl Wake for Task {
    /// Somebody rings: from any thread, at any moment, any number of times, also when the task is over.
    fn wake(self: Arc<Self>) {
        if !self.queued.load(SeqCst) {
            self.queued.store(true, SeqCst);
            let ready = self.run_queue.ready.clone();
            ready.lock().unwrap().push_back(self);
        }
    }
}
