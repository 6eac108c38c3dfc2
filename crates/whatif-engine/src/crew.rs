//! Threads for robots. A search runs a program hundreds of times, and starting a thread takes
//! longer than a whole run: so the robot that comes third gets, in each run, the thread that the
//! third one had before.

use std::collections::HashMap;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Thread};

/// What a robot does from its first step to its last.
pub(crate) type Life = Box<dyn FnOnce() + Send>;

/// The threads of one check. Dropping it lets them end.
#[derive(Default)]
pub(crate) struct Crew {
    workers: Mutex<HashMap<usize, Worker>>,
}

struct Worker {
    lives: Sender<Life>,
    thread: Thread,
    stack_size: Option<usize>,
}

impl Crew {
    /// Runs `life` on the thread of robot number `id`. The robot that had it before has gone home.
    pub(crate) fn start(
        &self,
        id: usize,
        name: Option<&str>,
        stack_size: Option<usize>,
        life: Life,
    ) -> io::Result<Thread> {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        let fits =
            |worker: &Worker| worker.thread.name() == name && worker.stack_size == stack_size;
        if !workers.get(&id).is_some_and(fits) {
            workers.insert(id, Worker::start(name, stack_size)?);
        }
        let worker = &workers[&id];
        worker.lives.send(life).map_err(|_| io::Error::other("a robot's thread has ended"))?;
        Ok(worker.thread.clone())
    }
}

impl Worker {
    fn start(name: Option<&str>, stack_size: Option<usize>) -> io::Result<Worker> {
        let (lives, next_life) = mpsc::channel::<Life>();
        let work = move || {
            for life in next_life {
                // A robot catches its own panics. This is for what its last values do when they are
                // dropped.
                let _ = panic::catch_unwind(AssertUnwindSafe(life));
            }
        };
        let thread = builder(name, stack_size).spawn(work)?.thread().clone();
        Ok(Worker { lives, thread, stack_size })
    }
}

/// A thread of the operating system, to order.
pub fn builder(name: Option<&str>, stack_size: Option<usize>) -> thread::Builder {
    let mut builder = thread::Builder::new();
    if let Some(name) = name {
        builder = builder.name(name.to_owned());
    }
    if let Some(bytes) = stack_size {
        builder = builder.stack_size(bytes);
    }
    builder
}
