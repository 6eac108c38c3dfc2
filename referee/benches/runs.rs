//! How long one run takes under whatif and under shuttle: the same programs, random schedules, round by round in turn.
//!
//! ```text
//! cargo bench -p referee --profile dev      # as `cargo test` builds
//! cargo bench -p referee
//! ```
//!
//! Prints, asserts nothing.

use std::time::{Duration, Instant};

use referee::planted::{NAMES, Planted};
use shuttle::scheduler::RandomScheduler;
use shuttle::{Config, FailurePersistence, Runner};
use whatif::{Checker, Outcome};

mod on_whatif {
    referee::planted!(whatif);
}
mod on_shuttle {
    referee::planted!(shuttle);
}

const RUNS: usize = 1_000;
const ROUNDS: u64 = 7;

fn main() {
    println!(
        "µs a run, median of {ROUNDS} rounds of {RUNS} random schedules each; the ratio is that of the medians:\n"
    );
    println!("| program | whatif | shuttle | shuttle / whatif |");
    println!("|---|--:|--:|--:|");
    for name in NAMES {
        let planted = Planted {
            name,
            careless: false,
        };
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            ours.push(whatif(planted, round));
            theirs.push(shuttle(planted, round));
        }
        let (ours, theirs) = (median(ours), median(theirs));
        println!(
            "| {name} | {ours:.1} | {theirs:.1} | {:.2} |",
            theirs / ours
        );
    }
}

fn whatif(planted: Planted, seed: u64) -> Duration {
    let start = Instant::now();
    let report = Checker::new(planted.name)
        .random(RUNS, seed)
        .explore(move || on_whatif::play(planted));
    assert!(matches!(report.outcome, Outcome::Random { .. }), "{report}");
    start.elapsed()
}

fn shuttle(planted: Planted, seed: u64) -> Duration {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    let runner = Runner::new(RandomScheduler::new_from_seed(seed, RUNS), config);
    let start = Instant::now();
    runner.run(move || on_shuttle::play(planted));
    start.elapsed()
}

/// Microseconds a run.
fn median(mut rounds: Vec<Duration>) -> f64 {
    rounds.sort_unstable();
    rounds[rounds.len() / 2].as_secs_f64() * 1e6 / RUNS as f64
}
