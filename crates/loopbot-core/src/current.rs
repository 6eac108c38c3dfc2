//! Which LoopBot runs on this thread. `spawn`, `sleep`, wakers and all the others find it here.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::num::NonZeroU64;
use std::rc::Rc;

use crate::blocks;
use crate::executor::Executor;

thread_local! {
    /// `ManuallyDrop`, because `Leave` takes it out: with nothing to be dropped at the end of the thread, no
    /// access has to ask whether that has happened already.
    static CURRENT: RefCell<Option<ManuallyDrop<Rc<Executor>>>> = const { RefCell::new(None) };
    static RUNS: Cell<u64> = const { Cell::new(0) };
}

/// As long as this lives, its executor is the one that runs on this thread.
pub(crate) struct Entered(Rc<Executor>);

/// Makes an executor, and makes it the current one. It is told the how-manyth run on this thread it is.
#[track_caller]
pub(crate) fn enter(make: impl FnOnce(NonZeroU64) -> Executor) -> Entered {
    assert!(
        try_with(|_| ()).is_none(),
        "a LoopBot already runs on this thread, and a second one inside it would keep it from going on: \
         `.await` the future, or `loopbot::spawn` it, instead of calling `run`"
    );
    let run = NonZeroU64::MIN.saturating_add(RUNS.get()); // At one a nanosecond, they last 584 years.
    RUNS.set(run.get());
    let executor = Rc::new(make(run));
    CURRENT.set(Some(ManuallyDrop::new(executor.clone())));
    Entered(executor)
}

impl std::ops::Deref for Entered {
    type Target = Executor;

    fn deref(&self) -> &Executor {
        &self.0
    }
}

/// The end of a run, whether it returns or unwinds. The tasks go first: what they do when
/// they are dropped may need the loop (it may spawn, wake, or cancel a timer).
impl Drop for Entered {
    fn drop(&mut self) {
        // Whatever happens while tasks are dropped: afterwards this thread is free for another LoopBot.
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                drop(CURRENT.take().map(ManuallyDrop::into_inner));
            }
        }
        let _leave = Leave;
        self.0.drop_tasks();
        blocks::release();
    }
}

/// Does something with the executor of this thread, if one runs.
#[inline]
pub(crate) fn try_with<R>(f: impl FnOnce(&Executor) -> R) -> Option<R> {
    // `try_with`: a waker may be called while this thread ends, and not every system has thread-locals that last.
    // The borrow is shared, so `f` may come here again; the loop enters and leaves when nobody is inside.
    CURRENT
        .try_with(|current| current.borrow().as_deref().map(|executor| f(executor)))
        .ok()
        .flatten()
}

/// The same, for a function that cannot do without.
#[track_caller]
#[inline]
pub(crate) fn with<R>(function: &str, f: impl FnOnce(&Executor) -> R) -> R {
    match try_with(f) {
        Some(result) => result,
        None => panic!(
            "`loopbot::{function}` was called where no LoopBot runs: call it from inside `loopbot::run(async {{ .. }})`, on the same thread"
        ),
    }
}

/// The executor of this thread, if one runs. A clone, so that no borrow is open while it is used.
pub(crate) fn get() -> Option<Rc<Executor>> {
    let current = CURRENT.try_with(|current| current.borrow().as_deref().cloned());
    current.ok().flatten()
}

/// The executor of this thread, for a function that cannot do without.
#[track_caller]
pub(crate) fn expect(function: &str) -> Rc<Executor> {
    with(function, |_| ());
    get().expect("a LoopBot runs here: it was asked for a moment ago")
}
