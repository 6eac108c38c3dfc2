//! Which LoopBot runs on this thread. `spawn`, `sleep` and the others find it here.

use std::cell::RefCell;
use std::rc::Rc;

use crate::executor::Executor;

thread_local! {
    static CURRENT: RefCell<Option<Rc<Executor>>> = const { RefCell::new(None) };
}

/// As long as this lives, its executor is the one that runs on this thread.
pub(crate) struct Entered(Rc<Executor>);

/// Makes an executor, and makes it the current one.
#[track_caller]
pub(crate) fn enter(make: impl FnOnce() -> Executor) -> Entered {
    assert!(
        get().is_none(),
        "a LoopBot already runs on this thread, and a second one inside it would keep it from going on: \
         `.await` the future, or `loopbot::spawn` it, instead of calling `run`"
    );
    let executor = Rc::new(make());
    CURRENT.set(Some(executor.clone()));
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
                CURRENT.set(None);
            }
        }
        let _leave = Leave;
        self.0.drop_tasks();
    }
}

/// The executor of this thread, if one runs. A clone, so that no borrow is open while it is used.
pub(crate) fn get() -> Option<Rc<Executor>> {
    // `try_with`: a waker may be called while this thread ends and its thread-locals are gone already.
    CURRENT
        .try_with(|current| current.borrow().clone())
        .ok()
        .flatten()
}

/// The executor of this thread, for a function that cannot do without.
#[track_caller]
pub(crate) fn expect(function: &str) -> Rc<Executor> {
    match get() {
        Some(executor) => executor,
        None => panic!(
            "`loopbot::{function}` was called where no LoopBot runs: call it from inside `loopbot::run(async {{ .. }})`, on the same thread"
        ),
    }
}
