//! A robot that never stops again: notices it, says so, and ends the process.

use std::io::{self, Write};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use crate::ending::End;
use crate::floor::Floor;
use crate::story::Story;

/// The exit code of a process that its watchdog has ended: as `timeout` of Unix has it, and unlike
/// that of a test that fails (101). The story has been told by then.
pub const DID_NOT_END: i32 = 124;

/// Watches the runs of one check. Dropping it ends the watch.
pub(crate) struct Watchdog {
    /// Counts steps. As long as it moves, all is well.
    pub heartbeat: Arc<AtomicU64>,
    stage: Arc<Mutex<Weak<Floor>>>,
    _stop: Sender<()>,
}

/// Seconds without a step. `WHATIF_PATIENCE` changes it; 0 switches the watchdog off, for a
/// debugger.
const PATIENCE: usize = 2;

/// It looks ten times a second, and counts its own looks instead of the clock's seconds: on a
/// machine that is overloaded, or has been asleep, the watchdog was as slow as the robot.
const LOOK: Duration = Duration::from_millis(100);

impl Watchdog {
    pub(crate) fn start(check: &str) -> Watchdog {
        let heartbeat = Arc::new(AtomicU64::new(0));
        let stage = Arc::new(Mutex::new(Weak::new()));
        let (stop, stopped) = mpsc::channel();
        let patience =
            std::env::var("WHATIF_PATIENCE").ok().and_then(|seconds| seconds.trim().parse().ok());
        let patience = patience.unwrap_or(PATIENCE);
        if patience > 0 {
            let (check, heartbeat, stage) =
                (check.to_owned(), Arc::clone(&heartbeat), Arc::clone(&stage));
            let watch = move || {
                let mut last = (0, 0);
                let mut unchanged = 0;
                while stopped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                    let floor = lock(&stage).upgrade();
                    let seen = (
                        floor.as_ref().map_or(0, |floor| floor.run),
                        heartbeat.load(Ordering::Relaxed),
                    );
                    unchanged = if seen == last { unchanged + 1 } else { 0 };
                    last = seen;
                    match floor {
                        Some(floor) if unchanged >= patience * 10 => bark(&check, &floor, patience),
                        _ => {}
                    }
                }
            };
            // Without a watchdog a check is still right, only less patient readers are worse off.
            let _ = thread::Builder::new().name("watchdog".to_owned()).spawn(watch);
        }
        Watchdog { heartbeat, stage, _stop: stop }
    }

    /// Watches this run from now on.
    pub(crate) fn watch(&self, floor: &Arc<Floor>) {
        *lock(&self.stage) = Arc::downgrade(floor);
    }
}

fn lock(stage: &Mutex<Weak<Floor>>) -> std::sync::MutexGuard<'_, Weak<Floor>> {
    stage.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells the story so far, and ends the process with [`DID_NOT_END`].
///
/// A thread cannot be stopped from outside, and a test that waits for one would wait for ever. So
/// this is the one end that other tests of the same program share: they must be run again. It
/// writes to the real stderr, because what `eprintln!` is given in a test is kept back until the
/// test ends, and this one never does.
fn bark(check: &str, floor: &Floor, patience: usize) {
    let mut state = floor.state();
    if !state.is_running() {
        return;
    }
    // Somebody may have caught the panic that was to send it home, as an executor does.
    let end = state.end.take();
    let end = end.unwrap_or_else(|| End::endless_loop(&mut state, patience));
    let story = Story::tell(check, &state, &end, false);
    // Tests run side by side, and several may hang. The first one has the word, and nobody talks into it.
    static BARKING: Mutex<()> = Mutex::new(());
    let _first = BARKING.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = io::stderr().write_all(format!("\n{story}\n\n").as_bytes());
    process::exit(DID_NOT_END);
}
