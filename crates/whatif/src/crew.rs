//! Threads for robots. A search runs a program hundreds of times, and starting a thread takes
//! longer than a whole run: so the robot that comes third gets, in each run, the thread that the
//! third one had before.
//!
//! The next check may have them, too: small proofs take two or three runs.

use std::io;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, Thread};

use whatif_engine::{Life, builder};

/// The threads of a check, by the numbers of their robots. Dropping it lets them end.
#[derive(Default)]
pub(crate) struct Crew {
    workers: Mutex<Vec<Option<Worker>>>,
}

impl Crew {
    /// Is there a thread that a robot has had?
    pub(crate) fn has_threads(&self) -> bool {
        !lock(&self.workers).is_empty()
    }

    /// No more than so many threads stay. For when all robots have gone home.
    pub(crate) fn keep(&self, threads: usize) {
        lock(&self.workers).truncate(threads + 1); // Number 0 has the thread of the check itself.
    }
}

impl whatif_engine::Crew for Crew {
    /// Runs `life` on the thread of robot number `id`. The robot that had it before has gone home.
    fn start(
        &self,
        id: usize,
        name: Option<&str>,
        stack_size: Option<usize>,
        life: Life,
    ) -> io::Result<Thread> {
        let mut workers = lock(&self.workers);
        if workers.len() <= id {
            workers.resize_with(id + 1, || None);
        }
        let fits = |worker: &Worker| {
            worker.thread.thread().name() == name
                && worker.stack_size == stack_size
                && !worker.thread.is_finished()
        };
        let worker = match workers[id].take() {
            Some(worker) if fits(&worker) => worker,
            _ => Worker::start(name, stack_size)?,
        };
        worker.does_next(Next::Life(life));
        Ok(workers[id].insert(worker).thread.thread().clone())
    }
}

struct Worker {
    next: Arc<Mutex<Next>>,
    thread: JoinHandle<()>,
    stack_size: Option<usize>,
}

/// What a worker has to do.
enum Next {
    Nothing,
    Life(Life),
    End,
}

impl Worker {
    fn start(name: Option<&str>, stack_size: Option<usize>) -> io::Result<Worker> {
        let next = Arc::new(Mutex::new(Next::Nothing));
        let mine = Arc::clone(&next);
        let work = move || loop {
            let next = mem::replace(&mut *lock(&mine), Next::Nothing);
            match next {
                Next::Nothing => thread::park(),
                // A robot catches its own panics. This is for what its last values do when they are
                // dropped.
                Next::Life(life) => drop(panic::catch_unwind(AssertUnwindSafe(life))),
                Next::End => return,
            }
        };
        Ok(Worker { next, thread: builder(name, stack_size).spawn(work)?, stack_size })
    }

    fn does_next(&self, next: Next) {
        *lock(&self.next) = next;
        self.thread.thread().unpark();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.does_next(Next::End);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
