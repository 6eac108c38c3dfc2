//! Ctrl-C, and a request to terminate: one handler for the whole program.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use crate::contained::Stop;

/// Waits for Ctrl-C (or SIGTERM, or a closed console on Windows).
pub struct Interrupt {
    rung: mpsc::Receiver<()>,
    stop: Stop,
}

/// Installs the handler. A second Ctrl-C ends the program at once, for the case that a clean end takes too long.
///
/// # Errors
///
/// When the platform refuses a handler, or one is installed already.
pub fn listen() -> anyhow::Result<Interrupt> {
    let (ring, rung) = mpsc::channel();
    let ring = Mutex::new(ring);
    let stop = Stop::new();
    let asked_to_stop = stop.clone();
    let once = Arc::new(AtomicBool::new(false));
    ctrlc::set_handler(move || {
        if once.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(crate::trouble::status::INTERRUPTED));
        }
        asked_to_stop.now();
        let _ = ring.lock().map(|ring| ring.send(()));
    })?;
    Ok(Interrupt { rung, stop })
}

/// Calls `each` on every Ctrl-C or request to terminate, on a thread of its own: for a program that has more to do then than
/// to stop. In the place of [`listen`].
///
/// # Errors
///
/// As [`listen`].
pub fn on_each(each: impl FnMut() + Send + 'static) -> anyhow::Result<()> {
    Ok(ctrlc::set_handler(each)?)
}

impl Interrupt {
    /// Blocks until the program is asked to end.
    pub fn wait(&self) {
        // An error means that the handler is gone, which only happens at exit.
        let _ = self.rung.recv();
    }

    /// Raised when the program is asked to end: hand it to what should stop then.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }
}
