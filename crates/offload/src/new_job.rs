//! A job that has a name, or a deadline.

use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Full;
use crate::job::{Job, Place};
use crate::pool::Pool;
use crate::task::{About, Task, Work};

/// Says what a job shall be like. Made by [`Pool::job`].
#[derive(Clone, Debug)]
#[must_use = "no work is handed over until `spawn` is called"]
pub struct NewJob<'a> {
    pool: &'a Pool,
    at: &'static Location<'static>,
    name: Option<Arc<str>>,
    deadline: Option<Duration>,
}

impl<'a> NewJob<'a> {
    pub(crate) fn new(pool: &'a Pool, at: &'static Location<'static>) -> NewJob<'a> {
        NewJob {
            pool,
            at,
            name: None,
            deadline: None,
        }
    }

    /// Its name: for the record, and for the list of those that a shutdown abandons. Without this it is called after the
    /// place in the source that it comes from.
    pub fn name(mut self, name: &str) -> NewJob<'a> {
        self.name = Some(name.into());
        self
    }

    /// If it has not been begun after this time, it is not begun any more, and its answer is
    /// [`JobError::DeadlinePassed`](crate::JobError::DeadlinePassed). A job that has been begun is not interrupted: nobody can do that.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let pool = offload::Pool::builder().max_threads(1).build();
    /// let (open, door) = std::sync::mpsc::channel::<()>();
    /// let stuck = pool.spawn_blocking(move || door.recv());
    /// let hungry = pool.job().deadline(Duration::from_millis(5)).spawn(|| "soup");
    /// let error = hungry.wait().unwrap_err();
    /// assert!(matches!(error, offload::JobError::DeadlinePassed));
    /// # drop((open, stuck));
    /// ```
    pub fn deadline(mut self, deadline: Duration) -> NewJob<'a> {
        self.deadline = Some(deadline);
        self
    }

    /// Hands it over: see [`offload::spawn_blocking`](crate::spawn_blocking).
    pub fn spawn<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> Job<T> {
        self.hand_over(work).1
    }

    /// Hands it over if there is a place: see [`Pool::try_spawn_blocking`].
    ///
    /// # Errors
    ///
    /// [`Full`], with the work in it, if all places are taken, or if others stand in line for one.
    pub fn try_spawn<F, T>(self, work: F) -> Result<Job<T>, Full<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (task, job) = self.hand_over(work);
        if let Place::NotYet = job.place
            && let Some(work) = task.take_work()
        {
            job.shared.lock().counts.turned_away += 1;
            return Err(Full(work));
        }
        Ok(job)
    }

    fn hand_over<F, T>(&self, work: F) -> (Arc<Task<F, T>>, Job<T>)
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let about = About {
            name: self.name.clone(),
            at: self.at,
            deadline: (self.deadline).and_then(|deadline| Instant::now().checked_add(deadline)),
        };
        let task = Arc::new(Task::new(about, work));
        let shared = self.pool.shared().clone();
        let work: Arc<dyn Work> = task.clone();
        let job = Job {
            place: shared.take_in(&work, false),
            shared,
            task: task.clone(),
        };
        (task, job)
    }
}
