//! A task: a future, and what the loop has to know about it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use flight::End;

use crate::join_error::JoinError;
use crate::join_handle::{JoinHandle, Outcome};
use crate::run_queue::RunQueue;
use crate::waker::Bell;

/// The name by which the run queue and the wakers speak of a task. It is a number and not a pointer, so a
/// waker that outlives its task points at nothing: the worst it can do is name somebody who is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskId(pub(crate) u64);

// ANCHOR: task
/// A task on the loop's shelf.
pub(crate) struct Task {
    pub(crate) identity: Identity,
    pub(crate) job: Box<dyn Job>,
}

/// What the loop keeps of every task, and of the main future as well.
pub(crate) struct Identity {
    pub(crate) who: Who,
    pub(crate) name: Rc<str>,
    /// How many times it was polled.
    pub(crate) polls: u64,
    pub(crate) bell: Arc<Bell>,
    /// The same bell, in the form that futures know.
    pub(crate) waker: Waker,
}
// ANCHOR_END: task

/// A task, as the record needs to know it.
#[derive(Clone, Copy)]
pub(crate) struct Who {
    pub(crate) id: TaskId,
    /// Its row in the record's table of tasks.
    pub(crate) row: flight::Task,
}

impl Identity {
    /// For a task that is already in the run queue.
    pub(crate) fn new(who: Who, name: Rc<str>, run_queue: &Arc<RunQueue>) -> Identity {
        let bell = Arc::new(Bell::queued(who, run_queue));
        Identity {
            who,
            name,
            polls: 0,
            waker: bell.clone().into(),
            bell,
        }
    }
}

impl Task {
    /// A task for `future`, and the handle to what it will have made.
    pub(crate) fn new<F>(identity: Identity, future: F) -> (Task, JoinHandle<F::Output>)
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let outcome = Rc::new(Outcome::new());
        let handle = JoinHandle::new(outcome.clone(), identity.waker.clone());
        let job = FutureJob {
            future: Some(Box::pin(future)),
            outcome,
            name: identity.name.clone(),
        };
        (
            Task {
                identity,
                job: Box::new(job),
            },
            handle,
        )
    }
}

/// What the loop does with a future. Its output's type is gone here: that is between the future and its
/// handle, and the loop holds tasks of every type on one shelf.
pub(crate) trait Job {
    /// Polls the future. `Ready` means that it is over, dropped, and its handle has the outcome.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End>;

    /// Drops the future, wherever it stands, and tells its handle.
    fn cancel(&mut self) -> End;
}

struct FutureJob<F: Future> {
    /// Pinned on the heap: a future may point into itself, so once polled it must not move.
    future: Option<Pin<Box<F>>>,
    outcome: Rc<Outcome<F::Output>>,
    name: Rc<str>,
}

impl<F: Future> Job for FutureJob<F> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        if self.outcome.is_aborted() {
            return Poll::Ready(self.cancel());
        }
        let future = self
            .future
            .as_mut()
            .expect("the loop does not poll a job that is over");
        match poll_caught(future.as_mut(), cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(output)) => Poll::Ready(self.finish(Ok(output))),
            Poll::Ready(Err(panic)) => {
                let error = JoinError::panicked(&self.name, panic);
                Poll::Ready(self.finish(Err(error)))
            }
        }
    }

    fn cancel(&mut self) -> End {
        let error = JoinError::cancelled(&self.name);
        self.finish(Err(error))
    }
}

impl<F: Future> FutureJob<F> {
    fn finish(&mut self, mut result: Result<F::Output, JoinError>) -> End {
        // The future goes first: what it held is free again before anybody hears that it is over.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.future = None)) {
            let error = JoinError::panicked(&self.name, panic);
            drop_caught(std::mem::replace(&mut result, Err(error)));
        }
        let how = match &result {
            Ok(_) => End::Done,
            Err(error) if error.is_panic() => End::Panicked,
            Err(_) => End::Cancelled,
        };
        self.outcome.set(result);
        how
    }
}

/// Polls a future and catches its panic, so that it ends one task and not the loop.
///
/// `AssertUnwindSafe`: a future that panicked is never polled again, so nobody sees it half changed.
pub(crate) fn poll_caught<F: Future>(
    future: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<thread::Result<F::Output>> {
    match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(panic) => Poll::Ready(Err(panic)),
    }
}

/// Calls a waker. It may be anybody's, and if it panics, the panic hook has said so, and the loop goes on.
pub(crate) fn wake_caught(waker: Waker) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        drop_caught(panic);
    }
}

/// Drops something of the user's. If that panics, the panic hook has said so, and the loop goes on.
pub(crate) fn drop_caught<T>(value: T) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        // The payload is the user's as well, and could panic in its own drop, without end.
        std::mem::forget(panic);
    }
}
