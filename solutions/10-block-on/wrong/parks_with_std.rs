//! must fail with: a lock or a sleep of plain std?
//!
//! `park` and `unpark` of std. In a program of yours that is right, and shorter. The checker cannot see it, so here
//! LoopBot is gone, and nobody else gets a turn.

use std::pin::pin;
use std::task::{Context, Poll, Wake, Waker};

use whatif::sync::{Arc, Condvar};

/// Where LoopBot sleeps, and what ends its sleep.
pub struct Signal {
    /// Who sleeps.
    pub thread: std::thread::Thread,
    /// The bell at which LoopBot sleeps.
    pub bell: Condvar,
}

impl Signal {
    /// Nobody has rung yet.
    fn new() -> Signal {
        Signal {
            thread: std::thread::current(),
            bell: Condvar::new().called("the bell"),
        }
    }
}

impl Wake for Signal {
    /// Somebody rings: from any thread, at any moment, any number of times.
    fn wake(self: Arc<Self>) {
        self.thread.unpark();
    }
}

/// Runs a future to its end, and returns what it made.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Signal::new()));
    let (mut future, mut cx) = (pin!(future), Context::from_waker(&waker));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        std::thread::park();
    }
}
