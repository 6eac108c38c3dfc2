//! How long one run takes under whatif and under shuttle: the same programs, round by round in turn. First in every order,
//! as far as shuttle's depth-first search gets in so many runs; then by dice, which change threads as often as they can.
//!
//! ```text
//! cargo bench -p referee --profile dev      # as `cargo test` builds
//! cargo bench -p referee
//! ```
//!
//! Prints, asserts nothing.

use std::cell::Cell;
use std::time::Instant;

use referee::planted::{NAMES, Planted};
use shuttle::scheduler::{DfsScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner};
use whatif::{Checker, Outcome, Reduction};

mod on_whatif {
    referee::planted!(whatif);
}
mod on_shuttle {
    referee::planted!(shuttle);
}

const RUNS: usize = 1_000;
const ROUNDS: u64 = 7;

fn main() {
    println!("µs a run, medians of {ROUNDS} rounds of up to {RUNS} runs, and their ratio:\n");
    println!(
        "| program | in every order: whatif | shuttle | shuttle / whatif | by dice: whatif | shuttle | shuttle / whatif |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|");
    for name in NAMES {
        let planted = Planted {
            name,
            careless: false,
        };
        let (mut ours, mut theirs, mut our_dice, mut their_dice) = (vec![], vec![], vec![], vec![]);
        for round in 0..ROUNDS {
            ours.push(whatif_in_order(planted));
            theirs.push(shuttle(planted, DfsScheduler::new(Some(RUNS), false)));
            our_dice.push(whatif_by_dice(planted, round));
            their_dice.push(shuttle(
                planted,
                RandomScheduler::new_from_seed(round, RUNS),
            ));
        }
        let [ours, theirs, our_dice, their_dice] = [ours, theirs, our_dice, their_dice].map(median);
        println!(
            "| {name} | {ours:.1} | {theirs:.1} | {:.2} | {our_dice:.1} | {their_dice:.1} | {:.2} |",
            theirs / ours,
            their_dice / our_dice
        );
    }
}

/// Without reduction, so that each run is counted.
fn whatif_in_order(planted: Planted) -> f64 {
    let runs = Cell::new(0);
    let start = Instant::now();
    let after = |_| runs.set(runs.get() + 1);
    let checker = Checker::new(planted.name).max_runs(RUNS);
    let _ = checker.every_end(Reduction::None, after, move || on_whatif::play(planted));
    micros(start, runs.get())
}

fn whatif_by_dice(planted: Planted, seed: u64) -> f64 {
    let start = Instant::now();
    let checker = Checker::new(planted.name).random(RUNS, seed);
    let report = checker.explore(move || on_whatif::play(planted));
    assert!(matches!(report.outcome, Outcome::Random { .. }), "{report}");
    micros(start, RUNS)
}

fn shuttle(planted: Planted, scheduler: impl Scheduler + 'static) -> f64 {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    let runner = Runner::new(scheduler, config);
    let start = Instant::now();
    let runs = runner.run(move || on_shuttle::play(planted));
    micros(start, runs)
}

fn micros(start: Instant, runs: usize) -> f64 {
    start.elapsed().as_secs_f64() * 1e6 / runs as f64
}

fn median(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_unstable_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}
