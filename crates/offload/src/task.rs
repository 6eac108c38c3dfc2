//! A task: the work, and later, in the same place, what came of it.
//!
//! One allocation for each job, with two ends. A thread of the pool holds it as [`Work`] and knows nothing of the
//! result's type. Whoever waits holds it as [`Answer`] and knows nothing of the work's.

use std::mem;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Instant;

use crate::error::{JobError, Panic};

#[cfg(loom)]
use loom::sync::{Mutex, MutexGuard};
#[cfg(not(loom))]
use std::sync::{Mutex, MutexGuard};

/// What is known of a job beside its work.
#[derive(Clone)]
pub(crate) struct About {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) at: &'static Location<'static>,
    pub(crate) deadline: Option<Instant>,
}

impl About {
    pub(crate) fn name(&self) -> String {
        match &self.name {
            Some(name) => name.to_string(),
            None => format!("a job from {}:{}", self.at.file(), self.at.line()),
        }
    }
}

// ANCHOR: work
/// What the pool does with a task.
pub(crate) trait Work: Send + Sync {
    fn about(&self) -> &About;

    /// Does the work. `ended` is told whether it panicked, before anybody gets the answer.
    fn run(&self, ended: &mut dyn FnMut(bool));

    /// Answers without doing the work. Whoever waits is to be woken. No foreign code runs in here.
    fn refuse(&self, why: JobError) -> Option<Waker>;

    /// It has a place in the pool now. Whoever waits to hear that is to be woken.
    fn got_place(&self) -> Option<Waker>;
}
// ANCHOR_END: work

// ANCHOR: answer
/// What whoever waits does with it.
pub(crate) trait Answer<T>: Work {
    /// The answer, once. Until there is one, the waker is kept, and only the last one that was given.
    fn poll(&self, waker: &Waker) -> Poll<Result<T, JobError>>;

    /// The answer, if there is one.
    fn take(&self) -> Option<Result<T, JobError>>;

    /// From now on, a place in the pool is a reason to wake as well.
    fn waits_for_place(&self, waker: &Waker);
}
// ANCHOR_END: answer

// ANCHOR: task
pub(crate) struct Task<F, T> {
    about: About,
    state: Mutex<State<F, T>>,
}

struct State<F, T> {
    /// Until it is begun.
    work: Option<F>,
    /// Until somebody takes it.
    answer: Option<Result<T, JobError>>,
    waker: Option<Waker>,
    waits_for_place: bool,
}
// ANCHOR_END: task

impl<F, T> Task<F, T> {
    pub(crate) fn new(about: About, work: F) -> Task<F, T> {
        let state = State {
            work: Some(work),
            answer: None,
            waker: None,
            waits_for_place: false,
        };
        Task {
            about,
            state: Mutex::new(state),
        }
    }

    /// The work, if it was not begun.
    pub(crate) fn take_work(&self) -> Option<F> {
        self.lock().work.take()
    }

    fn lock(&self) -> MutexGuard<'_, State<F, T>> {
        let unpoisoned = self.state.lock();
        unpoisoned.expect("no foreign code runs, so nobody panics, while a task is locked")
    }

    fn answer(&self, answer: Result<T, JobError>) -> Option<Waker> {
        let mut state = self.lock();
        state.answer = Some(answer);
        state.waker.take()
    }

    fn keep(&self, mut state: MutexGuard<'_, State<F, T>>, waker: Waker) {
        let before = state.waker.replace(waker);
        drop(state);
        drop(before); // last: it may be anybody's
    }
}

impl<F, T> Work for Task<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    fn about(&self) -> &About {
        &self.about
    }

    // ANCHOR: run
    fn run(&self, ended: &mut dyn FnMut(bool)) {
        let Some(work) = self.take_work() else {
            unreachable!("whoever takes a task out of the queue is the only one who does its work");
        };
        let result = catch_unwind(AssertUnwindSafe(work));
        ended(result.is_err());
        let answer = result.map_err(|payload| JobError::Panicked(Panic::new(payload)));
        wake(self.answer(answer));
    }
    // ANCHOR_END: run

    fn refuse(&self, why: JobError) -> Option<Waker> {
        self.answer(Err(why))
    }

    fn got_place(&self) -> Option<Waker> {
        let mut state = self.lock();
        mem::take(&mut state.waits_for_place).then(|| state.waker.take())?
    }
}

impl<F, T> Answer<T> for Task<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    fn poll(&self, waker: &Waker) -> Poll<Result<T, JobError>> {
        let waker = waker.clone();
        let mut state = self.lock();
        match state.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                self.keep(state, waker);
                Poll::Pending
            }
        }
    }

    fn take(&self) -> Option<Result<T, JobError>> {
        self.lock().answer.take()
    }

    fn waits_for_place(&self, waker: &Waker) {
        let waker = waker.clone();
        let mut state = self.lock();
        state.waits_for_place = true;
        self.keep(state, waker);
    }
}

/// Wakers are anybody's code. One that panics keeps nobody else from being woken.
pub(crate) fn wake(wakers: impl IntoIterator<Item = Waker>) {
    for waker in wakers {
        caught(|| waker.wake());
    }
}

/// Work and results are anybody's code as well, when they are dropped.
pub(crate) fn let_go(task: impl Into<Option<Arc<dyn Work>>>) {
    let task = task.into();
    caught(|| drop(task));
}

/// Whoever reads the panic hook's message has heard of it.
fn caught(f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        mem::forget(payload); // It might panic again when it is dropped.
    }
}

/// `RUSTFLAGS="--cfg loom" cargo test -p offload --lib --release` tries out every order in which a thread that does the work
/// and one that waits for the answer can go on.
#[cfg(all(test, loom))]
mod tests {
    use std::panic::Location;
    use std::task::Wake;

    use loom::thread::{self, Thread};

    use super::*;

    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    fn task<T: Send + 'static>(work: fn() -> T) -> Arc<dyn Answer<T>> {
        let about = About {
            name: None,
            at: Location::caller(),
            deadline: None,
        };
        Arc::new(Task::new(about, work))
    }

    /// Polls once with a waker that means nothing, then as one does who waits.
    fn wait<T>(task: &dyn Answer<T>) -> Result<T, JobError> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        if let Poll::Ready(answer) = task.poll(Waker::noop()) {
            return answer;
        }
        loop {
            match task.poll(&waker) {
                Poll::Ready(answer) => return answer,
                Poll::Pending => thread::park(),
            }
        }
    }

    #[test]
    fn the_answer_reaches_whoever_waits_in_every_order() {
        loom::model(|| {
            let task = task(|| 5);
            let work: Arc<dyn Work> = task.clone();
            let worker = thread::spawn(move || work.run(&mut |panicked| assert!(!panicked)));
            assert_eq!(wait(&*task).unwrap(), 5);
            worker.join().unwrap();
            assert!(task.take().is_none(), "there is one answer");
        });
    }

    #[test]
    fn so_does_a_refusal_and_a_place_that_is_told_before_it() {
        loom::model(|| {
            let task = task(|| 5);
            let work: Arc<dyn Work> = task.clone();
            let pool = thread::spawn(move || {
                wake(work.got_place());
                wake(work.refuse(JobError::ShutDown));
            });
            task.waits_for_place(Waker::noop());
            assert!(matches!(wait(&*task), Err(JobError::ShutDown)));
            pool.join().unwrap();
        });
    }
}
