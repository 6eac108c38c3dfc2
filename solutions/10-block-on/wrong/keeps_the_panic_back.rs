//! must fail with: the future has panicked, and `block_on` polls it again
//!
//! Catches what the future panics with, so that LoopBot does not fall over. But then nobody hears of it, and there is
//! nothing left to poll.

use std::pin::pin;
use std::task::{Context, Poll, Wake, Waker};

use whatif::sync::{Arc, Condvar, Mutex};

/// Where LoopBot sleeps, and what ends its sleep.
pub struct Signal {
    /// Whether somebody has rung since LoopBot last got up.
    pub memory: Mutex<bool>,
    /// The bell at which LoopBot sleeps.
    pub bell: Condvar,
}

impl Signal {
    /// Nobody has rung yet.
    fn new() -> Signal {
        Signal {
            memory: Mutex::new(false).called("the memory"),
            bell: Condvar::new().called("the bell"),
        }
    }
}

impl Wake for Signal {
    /// Somebody rings: from any thread, at any moment, any number of times.
    fn wake(self: Arc<Self>) {
        *self.memory.lock().unwrap() = true;
        self.bell.notify_one();
    }
}

/// Runs a future to its end, and returns what it made.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let signal = Arc::new(Signal::new());
    let waker = Waker::from(signal.clone());
    let (mut future, mut cx) = (pin!(future), Context::from_waker(&waker));
    loop {
        if let Ok(Poll::Ready(output)) =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                future.as_mut().poll(&mut cx)
            }))
        {
            return output;
        }
        let mut rung = signal.memory.lock().unwrap();
        while !*rung {
            rung = signal.bell.wait(rung).unwrap();
        }
        *rung = false; // Now, and not later: what is rung from here on is for the poll after the next one.
    }
}
