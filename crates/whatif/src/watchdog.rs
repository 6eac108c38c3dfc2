//! A robot that never stops again: notices it, says so, and ends the process.

use std::io::{self, Write};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use crate::ending::End;
use crate::floor::Floor;
use crate::story::Story;

/// The exit code of a process that its watchdog has ended: as `timeout` of Unix has it, and unlike
/// that of a test that fails (101). The story has been told by then.
pub const DID_NOT_END: i32 = 124;

/// What is to be known of one check.
#[derive(Default)]
pub(crate) struct Watchdog {
    /// Counts steps. As long as it moves, all is well.
    pub heartbeat: AtomicU64,
    stage: Mutex<Weak<Floor>>,
}

/// Seconds without a step. `WHATIF_PATIENCE` changes it; 0 switches the watchdog off, for a
/// debugger.
const PATIENCE: usize = 2;

/// It looks ten times a second, and counts its own looks instead of the clock's seconds: on a
/// machine that is overloaded, or has been asleep, the watchdog was as slow as the robot.
const LOOK: Duration = Duration::from_millis(100);

/// All checks that are going on; one thread watches them all.
static WATCHED: Mutex<Option<Vec<Watched>>> = Mutex::new(None);

struct Watched {
    check: Weak<Watchdog>,
    patience: usize,
    /// The run, and its heartbeat, when it looked last.
    last: (u64, u64),
    unchanged: usize,
}

impl Watchdog {
    /// Watches the runs of a check, until it is dropped.
    pub(crate) fn start() -> Arc<Watchdog> {
        let check = Arc::new(Watchdog::default());
        let patience =
            std::env::var("WHATIF_PATIENCE").ok().and_then(|seconds| seconds.trim().parse().ok());
        let patience = patience.unwrap_or(PATIENCE);
        if patience > 0 {
            let mut watched = lock(&WATCHED);
            // Without a watchdog a check is still right, only less patient readers are worse off.
            let is_awake = watched.is_some()
                || thread::Builder::new().name("watchdog".to_owned()).spawn(watch).is_ok();
            if is_awake {
                let check = Arc::downgrade(&check);
                let it = Watched { check, patience, last: (0, 0), unchanged: 0 };
                watched.get_or_insert_default().push(it);
            }
        }
        check
    }

    /// Watches this run from now on.
    pub(crate) fn watch(&self, floor: &Arc<Floor>) {
        *lock(&self.stage) = Arc::downgrade(floor);
    }
}

/// Looks after all checks. When there has been none for a second, it goes home.
fn watch() {
    let mut idle = 0;
    while idle < 10 {
        thread::sleep(LOOK);
        let mut watched = lock(&WATCHED);
        let checks = watched.get_or_insert_default();
        checks.retain_mut(Watched::goes_on);
        idle = if checks.is_empty() { idle + 1 } else { 0 };
        if idle == 10 {
            *watched = None;
        }
    }
}

impl Watched {
    /// Looks at it. False if the check is over.
    fn goes_on(&mut self) -> bool {
        let Some(check) = self.check.upgrade() else { return false };
        let floor = lock(&check.stage).upgrade();
        let run = floor.as_ref().map_or(0, |floor| floor.run);
        let seen = (run, check.heartbeat.load(Ordering::Relaxed));
        self.unchanged = if seen == self.last { self.unchanged + 1 } else { 0 };
        self.last = seen;
        if let Some(floor) = floor
            && self.unchanged >= self.patience * 10
        {
            bark(&floor, self.patience);
        }
        true
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells the story so far, and ends the process with [`DID_NOT_END`].
///
/// A thread cannot be stopped from outside, and a test that waits for one would wait for ever. So
/// this is the one end that other tests of the same program share: they must be run again. It
/// writes to the real stderr, because what `eprintln!` is given in a test is kept back until the
/// test ends, and this one never does.
fn bark(floor: &Floor, patience: usize) {
    let mut state = floor.state();
    if !state.is_running() {
        return;
    }
    // Somebody may have caught the panic that was to send it home, as an executor does.
    let end = state.end.take();
    let end = end.unwrap_or_else(|| End::endless_loop(&mut state, patience));
    let story = Story::tell(&state.rules.check, &state, &end, false);
    let _ = io::stderr().write_all(format!("\n{story}\n\n").as_bytes());
    process::exit(DID_NOT_END);
}
