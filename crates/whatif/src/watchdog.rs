//! A robot that never stops again: notices it, says so, and ends the process.

use std::io::{self, Write};
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use whatif_engine::{Onlooker, Story};

/// The exit code of a process that its watchdog has ended: as `timeout` of Unix has it, and unlike
/// that of a test that fails (101). The story has been told by then.
pub const DID_NOT_END: i32 = 124;

/// Watches the runs of one check. Dropping it ends the watch.
pub(crate) struct Watchdog {
    _check: Arc<()>,
}

/// Seconds without a step. `WHATIF_PATIENCE` changes it; 0 switches the watchdog off, for a
/// debugger.
const PATIENCE: usize = 2;

/// It looks ten times a second, and counts its own looks instead of the clock's seconds: on a
/// machine that is overloaded, or has been asleep, the watchdog was as slow as the robot.
const LOOK: Duration = Duration::from_millis(100);

/// All checks that are going on; one thread watches them all. None: it has gone home.
static WATCHED: Mutex<Option<Vec<Watched>>> = Mutex::new(None);

struct Watched {
    check: Weak<()>,
    onlooker: Onlooker,
    patience: usize,
    /// What it saw when it looked last, and how often it has seen that.
    last: Option<(u64, u64)>,
    unchanged: usize,
}

impl Watchdog {
    pub(crate) fn start(onlooker: Onlooker) -> Watchdog {
        let _check = Arc::new(());
        let patience =
            std::env::var("WHATIF_PATIENCE").ok().and_then(|seconds| seconds.trim().parse().ok());
        let patience = patience.unwrap_or(PATIENCE);
        if patience > 0 {
            let mut watched = watched();
            // Without a watchdog a check is still right, only less patient readers are worse off.
            let is_awake = watched.is_some()
                || thread::Builder::new().name("watchdog".to_owned()).spawn(watch).is_ok();
            if is_awake {
                let check = Arc::downgrade(&_check);
                let it = Watched { check, onlooker, patience, last: None, unchanged: 0 };
                watched.get_or_insert_default().push(it);
            }
        }
        Watchdog { _check }
    }
}

/// Looks after all checks. When there has been none for a second, it goes home.
fn watch() {
    let mut idle = 0;
    while idle < 10 {
        thread::sleep(LOOK);
        let mut watched = watched();
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
        let seen = self.onlooker.pulse();
        self.unchanged = if seen == self.last { self.unchanged + 1 } else { 0 };
        self.last = seen;
        let is_there = self.check.strong_count() > 0;
        if is_there && seen.is_some() && self.unchanged >= self.patience * 10 {
            self.onlooker.interrupts(self.patience, bark);
        }
        is_there
    }
}

fn watched() -> MutexGuard<'static, Option<Vec<Watched>>> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells the story so far, and ends the process with [`DID_NOT_END`].
///
/// A thread cannot be stopped from outside, and a test that waits for one would wait for ever. So
/// this is the one end that other tests of the same program share: they must be run again. It
/// writes to the real stderr, because what `eprintln!` is given in a test is kept back until the
/// test ends, and this one never does.
fn bark(story: Story) {
    let _ = io::stderr().write_all(format!("\n{story}\n\n").as_bytes());
    process::exit(DID_NOT_END);
}
