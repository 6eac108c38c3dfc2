//! The kill storm, in small. The large one is an example: `cargo run --release -p procpool --example storm`.

#[path = "../examples/storm.rs"]
mod storm;

use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    procpool::worker_entry(storm::kitchen);
    let tests = vec![Trial::test(
        "every_job_in_a_kill_storm_is_answered_once",
        || {
            every_job_in_a_kill_storm_is_answered_once();
            Ok(())
        },
    )];
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

fn every_job_in_a_kill_storm_is_answered_once() {
    let weather = storm::Weather {
        seconds: 3,
        every: Duration::from_millis(20),
        seed: 1,
    };
    let books = storm::storm(weather);
    assert!(books.values > 0, "{books:?}");
    assert!(cfg!(not(unix)) || books.kills > 0, "{books:?}");
}
