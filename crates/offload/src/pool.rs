//! The pool, as its users hold it: a place to hand work to, and to shut down.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::builder::Builder;
use crate::error::{Full, JobError};
use crate::job::Job;
use crate::metrics::Metrics;
use crate::new_job::NewJob;
use crate::shared::Shared;
use crate::worker;

/// A bounded pool of threads for work that blocks. Clones are the same pool.
///
/// When the last clone is dropped, everything that was handed over is still done, and then the threads leave. To wait for that,
/// or not to wait for it, there is [`shut_down`](Pool::shut_down).
#[derive(Clone)]
pub struct Pool {
    handle: Arc<Handle>,
}

/// Jobs and threads hold on to what is shared as well. When nobody has this any more, no more jobs can come.
struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Pool {
    pub(crate) fn new(shared: Shared) -> Pool {
        let shared = Arc::new(shared);
        let handle = Arc::new(Handle { shared });
        Pool { handle }
    }

    /// A pool of the usual kind, to be changed.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// The pool of the whole process, of the usual kind. It is there until the process ends, and jobs that are not done
    /// by then end with it, as threads do.
    pub fn global() -> &'static Pool {
        static GLOBAL: OnceLock<Pool> = OnceLock::new();
        GLOBAL.get_or_init(|| Pool::builder().build())
    }

    /// Hands over work that blocks: see [`offload::spawn_blocking`](crate::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Job<T> {
        self.job().spawn(work)
    }

    /// The same, but if there is no place the work comes back at once.
    ///
    /// If the pool has been shut down, the job's answer is [`JobError::ShutDown`].
    ///
    /// # Errors
    ///
    /// [`Full`], with the work in it, if all places are taken, or if others stand in line for one.
    ///
    /// ```
    /// let pool = offload::Pool::builder().max_threads(1).queue(0).build();
    /// let (open, door) = std::sync::mpsc::channel::<()>();
    /// let first = pool.spawn_blocking(move || door.recv()); // waits for the door
    /// let offload::Full(work) = pool.try_spawn_blocking(|| "soup").unwrap_err();
    /// assert_eq!(work(), "soup"); // there was no place, so we do it ourselves
    /// # drop(open);
    /// # assert!(first.wait().unwrap().is_err());
    /// ```
    #[track_caller]
    pub fn try_spawn_blocking<F, T>(&self, work: F) -> Result<Job<T>, Full<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.job().try_spawn(work)
    }

    /// Hands over work that has a name, or a deadline.
    #[track_caller]
    pub fn job(&self) -> NewJob<'_> {
        NewJob::new(self, Location::caller())
    }

    /// How much is going on, and what came of everything so far.
    pub fn metrics(&self) -> Metrics {
        Metrics::of(&self.shared().lock())
    }

    /// Takes in no more jobs, and blocks until everything that was handed over is done and all threads have left.
    ///
    /// Do not call this on a thread that runs async tasks: it blocks. Called by a job of this pool, it does not wait: the job would wait for itself.
    pub fn shut_down(&self) {
        let _none = self.shut_down_by(None);
    }

    /// Takes in no more jobs, and blocks until everything that was handed over is done, but not longer than this. Then jobs
    /// that were not begun are answered with [`JobError::ShutDown`], and those that are being done are left to
    /// themselves: nobody can stop a thread. They are named, so that you can find out what they are stuck in.
    ///
    /// With [`Duration::ZERO`], only what is being done goes on.
    ///
    /// ```
    /// let pool = offload::Pool::builder().max_threads(1).build();
    /// let (open, door) = std::sync::mpsc::channel::<()>();
    /// let stuck = pool.job().name("the stuck drawer").spawn(move || door.recv());
    /// # while pool.metrics().running == 0 { std::thread::yield_now() }
    /// let behind = pool.spawn_blocking(|| ());
    ///
    /// let leftovers = pool.shut_down_within(std::time::Duration::ZERO);
    /// assert_eq!(leftovers.abandoned, ["the stuck drawer"]);
    /// assert_eq!(leftovers.never_begun, 1);
    /// # drop((open, stuck, behind));
    /// ```
    pub fn shut_down_within(&self, limit: Duration) -> Leftovers {
        self.shut_down_by(Instant::now().checked_add(limit))
    }

    fn shut_down_by(&self, end: Option<Instant>) -> Leftovers {
        let shared = self.shared();
        shared.close();
        if worker::seat_in(shared).is_some() && end.is_none() {
            return Leftovers::default();
        }
        let mut state = shared.lock();
        while state.threads > 0 {
            let wait = end.map(|end| end.saturating_duration_since(Instant::now()));
            let unpoisoned = match wait {
                Some(Duration::ZERO) => {
                    let abandoned = state.seats.iter().filter_map(|seat| seat.job.as_ref());
                    let abandoned = abandoned.map(|(_, about)| about.name()).collect();
                    let never_begun = shared.refuse_all(state, || JobError::ShutDown);
                    return Leftovers {
                        abandoned,
                        never_begun,
                    };
                }
                Some(wait) => shared
                    .everybody_left
                    .wait_timeout(state, wait)
                    .map(|(state, _)| state)
                    .ok(),
                None => shared.everybody_left.wait(state).ok(),
            };
            state = unpoisoned.expect("nobody panics while a pool is locked");
        }
        let handles = std::mem::take(&mut state.handles);
        drop(state);
        for handle in handles {
            // They have left; this waits for what they do after that: thread-locals are dropped.
            let _ = handle.join();
        }
        Leftovers::default()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }
}

/// What was not done when a pool was shut down within a limit. Empty if everything was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "this says what was not done"]
pub struct Leftovers {
    /// The names of the jobs that were still being done, one for each thread that is stuck.
    pub abandoned: Vec<String>,
    /// How many jobs had been handed over and were not begun.
    pub never_begun: usize,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("name", &self.shared().settings.name)
            .finish_non_exhaustive()
    }
}
