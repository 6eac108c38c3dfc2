//! A robot that never stops again: notices it, says so, and ends the process.

use std::io::{self, Write};
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use whatif_engine::{Onlooker, Story};

/// The exit code of a process that its watchdog has ended: as `timeout` of Unix has it, and unlike
/// that of a test that fails (101). The story has been told by then.
pub const DID_NOT_END: i32 = 124;

/// Watches the runs of one check. Dropping it ends the watch.
pub(crate) struct Watchdog {
    _stop: Sender<()>,
}

/// Seconds without a step. `WHATIF_PATIENCE` changes it; 0 switches the watchdog off, for a
/// debugger.
const PATIENCE: usize = 2;

/// It looks ten times a second, and counts its own looks instead of the clock's seconds: on a
/// machine that is overloaded, or has been asleep, the watchdog was as slow as the robot.
const LOOK: Duration = Duration::from_millis(100);

impl Watchdog {
    pub(crate) fn start(onlooker: Onlooker) -> Watchdog {
        let (stop, stopped) = mpsc::channel();
        let patience =
            std::env::var("WHATIF_PATIENCE").ok().and_then(|seconds| seconds.trim().parse().ok());
        let patience = patience.unwrap_or(PATIENCE);
        if patience > 0 {
            let watch = move || {
                let (mut last, mut unchanged) = (None, 0);
                while stopped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                    let seen = onlooker.pulse();
                    unchanged = if seen == last { unchanged + 1 } else { 0 };
                    last = seen;
                    if seen.is_some() && unchanged >= patience * 10 {
                        onlooker.interrupts(patience, bark);
                    }
                }
            };
            // Without a watchdog a check is still right, only less patient readers are worse off.
            let _ = thread::Builder::new().name("watchdog".to_owned()).spawn(watch);
        }
        Watchdog { _stop: stop }
    }
}

/// Tells the story so far, and ends the process with [`DID_NOT_END`].
///
/// A thread cannot be stopped from outside, and a test that waits for one would wait for ever. So
/// this is the one end that other tests of the same program share: they must be run again. It
/// writes to the real stderr, because what `eprintln!` is given in a test is kept back until the
/// test ends, and this one never does.
fn bark(story: Story) {
    // Tests run side by side, and several may hang. The first one has the word, and nobody talks into it.
    static BARKING: Mutex<()> = Mutex::new(());
    let _first = BARKING.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = io::stderr().write_all(format!("\n{story}\n\n").as_bytes());
    process::exit(DID_NOT_END);
}
