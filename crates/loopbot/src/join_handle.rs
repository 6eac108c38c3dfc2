//! The join handle: how what a task made reaches whoever waits for it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::join_error::JoinError;
use crate::task::wake_caught;

/// The place where a task leaves its result and its handle finds it. Both are on the loop's thread, so it needs no lock.
pub(crate) struct Outcome<T> {
    state: RefCell<State<T>>,
    aborted: Cell<bool>,
}

enum State<T> {
    /// Not over. The waker is that of whoever awaits the handle.
    Running(Option<Waker>),
    Over(Result<T, JoinError>),
    Taken,
}

impl<T> Outcome<T> {
    pub(crate) fn new() -> Outcome<T> {
        Outcome {
            state: RefCell::new(State::Running(None)),
            aborted: Cell::new(false),
        }
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.aborted.get()
    }

    pub(crate) fn set(&self, result: Result<T, JoinError>) {
        if let State::Running(Some(joiner)) = self.state.replace(State::Over(result)) {
            wake_caught(joiner);
        }
    }
}

/// Waits for a task, and gets what it made. Made by [`spawn`](crate::spawn).
///
/// Await it for the task's output, or for the [`JoinError`] that says why there is none.
///
/// Dropping it *detaches* the task: it runs on, and nobody hears of its end. (A dropped future stops, a
/// dropped handle does not stop its task: that is a common surprise.)
///
/// Cancel safety: dropping it half-way through an `.await` loses the result, not the task. Await `&mut handle`
/// to keep it.
///
/// ```
/// loopbot::run(async {
///     let plate = loopbot::spawn(async { "risotto" });
///     assert!(!plate.is_finished()); // nobody gave it a turn yet
///     assert_eq!(plate.await.unwrap(), "risotto");
/// });
/// ```
///
/// It stays on the loop's thread:
///
/// ```compile_fail
/// loopbot::run(async {
///     let plate = loopbot::spawn(async {});
///     std::thread::spawn(move || drop(plate));
/// });
/// ```
pub struct JoinHandle<T> {
    outcome: Rc<Outcome<T>>,
    /// The task's own, so that `abort` can give it the turn in which it ends.
    waker: Waker,
}

impl<T> JoinHandle<T> {
    pub(crate) fn new(outcome: Rc<Outcome<T>>, waker: Waker) -> JoinHandle<T> {
        JoinHandle { outcome, waker }
    }

    /// Whether the task is over: done, cancelled or panicked.
    pub fn is_finished(&self) -> bool {
        !matches!(*self.outcome.state.borrow(), State::Running(_))
    }

    /// Asks for the task to be cancelled. In its next turn its future is dropped instead of polled, and
    /// whoever awaits the handle gets a [`JoinError`] that [is cancelled](JoinError::is_cancelled).
    ///
    /// Does nothing to a task that is over. A task that is being polled right now and finishes in this poll is done, not cancelled.
    ///
    /// ```
    /// loopbot::run(async {
    ///     let guest = loopbot::spawn(std::future::pending::<()>());
    ///     guest.abort();
    ///     assert!(guest.await.unwrap_err().is_cancelled());
    /// });
    /// ```
    pub fn abort(&self) {
        self.outcome.aborted.set(true);
        self.waker.wake_by_ref();
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    ///
    /// If it is polled again after it returned `Ready`.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Cloned first, and the old state dropped last: a waker may be anybody's, and its clone and drop may run any code.
        let joiner = cx.waker().clone();
        let mut state = self.outcome.state.borrow_mut();
        let before = mem::replace(&mut *state, State::Taken);
        if let State::Running(_) = before {
            *state = State::Running(Some(joiner));
        }
        drop(state);
        match before {
            State::Running(_) => Poll::Pending,
            State::Over(result) => Poll::Ready(result),
            State::Taken => panic!("a JoinHandle was polled again after it gave its result"),
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("is_finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}
