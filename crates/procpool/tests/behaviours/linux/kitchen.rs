//! Jobs that many tests have use for. Those of one theme stand with their tests.

use std::process;
use std::time::Duration;

use procpool::{Builder, Jobs, Pool};
use rustix::process::{Signal, getpid, kill_process};

use super::gate::Pass;
use super::{deaths, endings, errors, limits, maps, submits, workers};

/// Everything that a worker can be asked for.
pub fn kitchen() -> Jobs {
    let mut jobs = procpool::jobs![double, pid, at_gate, dies, exits, panics, spins];
    for theme in [
        submits::jobs,
        maps::jobs,
        workers::jobs,
        errors::jobs,
        deaths::jobs,
        limits::jobs,
        endings::jobs,
    ] {
        jobs = theme(jobs);
    }
    jobs
}

pub fn pool(workers: usize) -> Pool {
    build(Pool::builder(kitchen()).workers(workers))
}

pub fn build(builder: Builder) -> Pool {
    builder.build().expect("a pool")
}

pub fn double(number: u64) -> u64 {
    number * 2
}

/// In which process it runs.
pub fn pid(_: ()) -> u32 {
    process::id()
}

/// Waits for the test, and says then in which process it runs.
pub fn at_gate(pass: Pass) -> u32 {
    pass.wait();
    process::id()
}

/// Ends by this signal.
pub fn dies(signal: i32) {
    let signal = Signal::from_named_raw(signal).expect("there is such a signal");
    // Not once: the first SIGSEGV is caught by the standard library, which looks whether the stack has overflowed.
    loop {
        kill_process(getpid(), signal).expect("one may signal oneself");
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub fn exits(code: i32) {
    process::exit(code);
}

pub fn panics(message: String) -> u64 {
    panic!("{message}");
}

/// Keeps a core busy, and looks at nothing.
pub fn spins(pass: Pass) {
    pass.note();
    loop {
        std::hint::spin_loop();
    }
}
