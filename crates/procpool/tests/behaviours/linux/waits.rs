//! Every wait ends. One that does not come to its good end within the patience fails, and says what it waited for.

use std::fs;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Much longer than anything here takes, on a machine however busy.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Runs a test, and fails if it does not come to an end.
pub fn with_an_end(test: fn()) {
    let (done, is_done) = mpsc::channel();
    let body = thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    match is_done.recv_timeout(PATIENCE) {
        Err(RecvTimeoutError::Timeout) => {
            panic!("it hangs: an answer or an end did not come within {PATIENCE:?}")
        }
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {
            if let Err(panic) = body.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

/// Looks until it is so.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE / 2, "never: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The state of a process: `R`, `S`, `Z` … Nothing if there is none with this number, not even a zombie.
pub fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets, and may contain anything.
    stat[stat.rfind(')')? + 1..].trim_start().chars().next()
}

/// Waits until this process has ended, and whoever has to reap it has done so.
#[track_caller]
pub fn until_reaped(pid: u32) {
    until(&format!("process {pid} has ended and is reaped"), || {
        state(pid).is_none()
    });
}

/// Waits until this process has ended. Reaping it is up to whoever has inherited it.
#[track_caller]
pub fn until_gone(pid: u32) {
    until(&format!("process {pid} has ended"), || {
        matches!(state(pid), None | Some('Z' | 'X'))
    });
}

/// SIGKILL, or another.
pub fn send(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid as i32).expect("a process has a number");
    let _ = rustix::process::kill_process(pid, signal);
}

pub fn kill(pid: u32) {
    send(pid, rustix::process::Signal::KILL);
}
