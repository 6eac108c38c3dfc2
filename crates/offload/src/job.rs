//! A job, as whoever handed it over holds it: a future of its answer.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::error::JobError;
use crate::shared::Shared;
use crate::task::{Answer, Work};
use crate::worker;

/// A job that was handed over: a future of what it returns, on any runtime.
///
/// **Dropping it** takes the job out if it was not begun. If it was, the job goes on to its end and its result is thrown away:
/// nobody can stop a thread. [`cancel`](Job::cancel) tells you which of the two it was; [`detach`](Job::detach) lets the job
/// be done in any case.
///
/// Cancel safe: a `&mut` to it may be awaited, dropped and awaited again; its place is kept.
///
/// # Errors
///
/// [`JobError`], if it panicked, or was never begun.
///
/// # Panics
///
/// If it is polled after it has given its answer.
#[must_use = "dropping a job takes it out of the queue: await it, or `detach` it"]
pub struct Job<T> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) task: Arc<dyn Answer<T>>,
    pub(crate) place: Place,
}

/// What became of a job that was handed over.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// There was none when it was handed over.
    NotYet,
    /// This is its number, in the queue or in line, or on a thread.
    Number(u64),
    /// The pool is closed, and did not take it in.
    Refused,
    /// The answer was given, or nobody wants it.
    Over,
}

// ANCHOR: cancel_says
/// What came of [cancelling](Job::cancel) a job.
#[derive(Debug)]
pub enum Cancel<T> {
    /// It was not begun, and never will be.
    Removed,
    /// It is being done, and nobody can stop that. Here it is back: await it, or drop it and let it run on.
    Running(Job<T>),
    /// It was over already. This is its answer.
    Done(Result<T, JobError>),
}
// ANCHOR_END: cancel_says

impl<T: 'static> Job<T> {
    /// Waits until it has a place in the pool. When that is awaited before the next job is handed over, no more jobs
    /// come into being than the pool has room for.
    ///
    /// ```
    /// let pool = offload::Pool::builder().max_threads(1).queue(10).build();
    /// loopbot::run(async {
    ///     let mut jobs = Vec::new();
    ///     for plate in 0..100 {
    ///         let mut job = pool.spawn_blocking(move || plate);
    ///         job.placed().await;
    ///         jobs.push(job);
    ///     }
    ///     for (plate, job) in jobs.into_iter().enumerate() {
    ///         assert_eq!(job.await.unwrap(), plate);
    ///     }
    /// });
    /// ```
    ///
    /// Cancel safe: it keeps its place in line.
    pub async fn placed(&mut self) {
        poll_fn(|cx| {
            let Some(number) = self.stand() else {
                return Poll::Ready(());
            };
            self.task.waits_for_place(cx.waker());
            match self.shared.lock().line.contains(number) {
                true => Poll::Pending,
                false => Poll::Ready(()),
            }
        })
        .await;
    }

    // ANCHOR: cancel
    /// Takes it out if it was not begun, and says what came of that.
    ///
    /// # Panics
    ///
    /// If it has given its answer before.
    pub fn cancel(mut self) -> Cancel<T> {
        let number = match self.place {
            Place::NotYet => return Cancel::Removed,
            Place::Refused => return Cancel::Done(Err(JobError::ShutDown)),
            Place::Over => panic!("{POLLED_AGAIN}"),
            Place::Number(number) => number,
        };
        if self.shared.remove(number).is_some() {
            self.place = Place::Over;
            return Cancel::Removed;
        }
        match self.task.take() {
            Some(answer) => {
                self.place = Place::Over;
                Cancel::Done(answer)
            }
            None if self.shared.lock().is_running(number) => Cancel::Running(self),
            // It ended between the two looks. Its answer is on the way, and nothing else can happen before it.
            None => Cancel::Done(self.wait()),
        }
    }
    // ANCHOR_END: cancel

    /// Lets it be done, although nobody waits for it. If it has no place yet it stands in line; whoever detaches many
    /// without looking makes that line long.
    pub fn detach(mut self) {
        self.stand();
        self.place = Place::Over;
    }

    /// Blocks this thread until the job is over, and gives its answer. Where there are no async tasks, this is how to wait.
    ///
    /// Do not call this on a thread that runs async tasks: it holds up all of them. `.await` the job there.
    ///
    /// # Errors
    ///
    /// As when it is awaited.
    pub fn wait(self) -> Result<T, JobError> {
        struct Unpark(Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut job = pin!(self);
        loop {
            if let Poll::Ready(answer) = job.as_mut().poll(&mut Context::from_waker(&waker)) {
                return answer;
            }
            thread::park();
        }
    }

    /// Stands in line, if it has no place, and gives its number. `None` if the pool did not take it in.
    fn stand(&mut self) -> Option<u64> {
        if let Place::NotYet = self.place {
            let work: Arc<dyn Work> = self.task.clone();
            self.place = self.shared.take_in(&work, true);
        }
        match self.place {
            Place::Number(number) => Some(number),
            _ => None,
        }
    }
}

const POLLED_AGAIN: &str = "this job has given its answer already";

impl<T: 'static> Future for Job<T> {
    type Output = Result<T, JobError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(number) = self.stand() else {
            assert!(!matches!(self.place, Place::Over), "{POLLED_AGAIN}");
            self.place = Place::Over;
            return Poll::Ready(Err(JobError::ShutDown));
        };
        if let Poll::Ready(answer) = self.task.poll(cx.waker()) {
            self.place = Place::Over;
            return Poll::Ready(answer);
        }
        if let Some(seat) = worker::seat_in(&self.shared) {
            self.shared.waits_for(seat, number);
        }
        Poll::Pending
    }
}

// ANCHOR: dropped
impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        if let Place::Number(number) = self.place {
            drop(self.shared.remove(number));
        }
    }
}
// ANCHOR_END: dropped

impl<T> fmt::Debug for Job<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Job")
            .field(&self.task.about().name())
            .finish()
    }
}
