//! must fail with: LoopBot polls, and nobody has rung
//!
//! Polls until the future is ready. It works, and it needs a whole processor to wait.

use std::pin::pin;
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
    fn wake(self: Arc<Self>) {}
}

/// Runs a future to its end, and returns what it made.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Signal::new()));
    let (mut future, mut cx) = (pin!(future), Context::from_waker(&waker));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}
