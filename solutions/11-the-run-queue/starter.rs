//! Exercise 11: the run queue.
//!
//! One future is easy. Now LoopBot has many, and polls only those that were rung for, in the order in which they were.
//! Write `wake`, `spawn` and `run`. Test: cargo test -p exercise-11

use std::collections::VecDeque;
use std::pin::Pin;
#[allow(unused_imports)] // `Context`, `Poll`, `Waker` and `mem` are for you.
use std::{
    mem,
    task::{Context, Poll, Wake, Waker},
};

use whatif::sync::{Arc, Mutex, Shared};

/// A future whose size and name nobody needs to know. It must be `Send`: a task is its own waker, and wakers go anywhere.
pub type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A future, and what it takes to get it polled again.
pub struct Task {
    /// None when it is over.
    pub job: Mutex<Option<Job>>,
    /// Whether it is in the run queue. Each `get`, `set` or `write` is one step; `write` can look and set in the same.
    pub queued: Shared<bool>,
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
        let _job: Job = Box::pin(job);
        todo!("make a Task of it. First hint: cargo course hint 11")
    }

    /// Polls whoever is ready, one after the other, until nobody is.
    pub fn run(&self) {
        todo!("serve the queue. First hint: cargo course hint 11")
    }
}

impl Wake for Task {
    /// Somebody rings: from any thread, at any moment, any number of times, also when the task is over.
    fn wake(self: Arc<Self>) {
        todo!("back into the queue. First hint: cargo course hint 11")
    }
}
