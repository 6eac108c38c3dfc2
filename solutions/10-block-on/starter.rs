//! Exercise 10: block_on.
//!
//! The smallest executor there is: it runs one future. It polls, and when the future is pending it sleeps until somebody
//! rings. Write both halves: `wake`, and `block_on`. Test: cargo test -p exercise-10
//!
//! (In std it would be `thread::park` and `unpark`. The checker does not see those, so here LoopBot sleeps at a `Condvar`.)

use std::pin::pin;
#[allow(unused_imports)] // `Poll` is for you.
use std::task::{Context, Poll, Wake, Waker};

use whatif::sync::{Arc, Condvar, Mutex};

/// Where LoopBot sleeps, and what ends its sleep.
pub struct Signal {
    /// Your turn: what must be written down here? A `Condvar` remembers nothing, and wakes only those who sleep already.
    pub memory: Mutex<()>,
    /// The bell at which LoopBot sleeps.
    pub bell: Condvar,
}

impl Signal {
    /// Nobody has rung yet.
    fn new() -> Signal {
        Signal {
            memory: Mutex::new(()).called("the memory"),
            bell: Condvar::new().called("the bell"),
        }
    }
}

impl Wake for Signal {
    /// Somebody rings: from any thread, at any moment, any number of times.
    fn wake(self: Arc<Self>) {
        todo!("ring. First hint: cargo course hint 10")
    }
}

/// Runs a future to its end, and returns what it made.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let signal = Arc::new(Signal::new());
    let waker = Waker::from(signal.clone());
    let (_future, _cx) = (pin!(future), Context::from_waker(&waker));
    todo!("poll, and sleep until somebody rings. First hint: cargo course hint 10")
}
