//! must fail with: lost wake-up: LoopBot sleeps at the bell, and nobody is left to ring it
//!
//! Writes the ring into an atomic, beside the lock that LoopBot sleeps with. So it can come between the look and the sleep.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use whatif::sync::{Arc, Condvar, Mutex};

/// Where LoopBot sleeps, and what ends its sleep.
pub struct Signal {
    /// Only to sleep with.
    pub memory: Mutex<()>,
    /// Whether somebody has rung.
    pub rung: AtomicBool,
    /// The bell at which LoopBot sleeps.
    pub bell: Condvar,
}

impl Signal {
    /// Nobody has rung yet.
    fn new() -> Signal {
        Signal {
            memory: Mutex::new(()).called("the memory"),
            rung: AtomicBool::new(false),
            bell: Condvar::new().called("the bell"),
        }
    }
}

impl Wake for Signal {
    /// Somebody rings: from any thread, at any moment, any number of times.
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        self.bell.notify_one();
    }
}

/// Runs a future to its end, and returns what it made.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let signal = Arc::new(Signal::new());
    let waker = Waker::from(signal.clone());
    let (mut future, mut cx) = (pin!(future), Context::from_waker(&waker));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        let mut memory = signal.memory.lock().unwrap();
        while !signal.rung.swap(false, Ordering::SeqCst) {
            memory = signal.bell.wait(memory).unwrap();
        }
    }
}
