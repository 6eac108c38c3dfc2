//! How long one run takes under whatif and under shuttle, and how many it takes to a proof: the same programs, round by
//! round in turn.
//!
//! * In every order: as far as the two get in so many runs. Where all orders are fewer, they begin again, each with a
//!   check (a `Runner`) of its own.
//! * By dice, which change threads as often as they can.
//! * A proof: one check, on a thread of its own that has not checked anything before, as a test has it. The time is that of
//!   all its runs: next to the proof, whatif looks for a failure, and some of its runs turn out to be redundant.
//!
//! ```text
//! cargo bench -p referee --profile dev      # as `cargo test` builds
//! cargo bench -p referee
//! ```
//!
//! Prints, asserts nothing.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
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
/// shuttle gives up a proof after so many runs.
const MOST: usize = 20_000;

fn main() {
    println!("µs a run, medians of {ROUNDS} rounds of {RUNS} runs, and their ratio:\n");
    println!(
        "| program | in every order: whatif | shuttle | shuttle / whatif | by dice: whatif | shuttle | shuttle / whatif |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|");
    for planted in programs() {
        let (mut ours, mut theirs, mut our_dice, mut their_dice) = (vec![], vec![], vec![], vec![]);
        for round in 0..ROUNDS {
            ours.push(whatif_in_order(planted));
            theirs.push(shuttle_in_order(planted));
            our_dice.push(whatif_by_dice(planted, round));
            let start = Instant::now();
            let dice = RandomScheduler::new_from_seed(round, RUNS);
            their_dice.push(micros(start, shuttle(planted, dice)));
        }
        let [ours, theirs, our_dice, their_dice] = [ours, theirs, our_dice, their_dice].map(median);
        println!(
            "| {} | {ours:.1} | {theirs:.1} | {:.2} | {our_dice:.1} | {their_dice:.1} | {:.2} |",
            planted.name,
            theirs / ours,
            their_dice / our_dice
        );
    }
    println!("\nA proof in a new thread, medians of {ROUNDS} rounds:\n");
    println!(
        "| program | whatif: schedules of the proof | all runs | ms | shuttle: runs | ms | shuttle's runs / of the proof | / all |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    for planted in programs() {
        let (mut our_time, mut their_time, mut runs) = (vec![], vec![], (0, 0, 0));
        for _ in 0..ROUNDS {
            let ((schedules, all), ours) = alone(move || whatif_proof(planted));
            let dfs = DfsScheduler::new(Some(MOST), false);
            let (theirs, their) = alone(move || shuttle(planted, dfs));
            runs = (schedules, all, theirs);
            our_time.push(ours);
            their_time.push(their);
        }
        let (schedules, all, theirs) = runs;
        let more = if theirs == MOST { "> " } else { "" };
        println!(
            "| {} | {schedules} | {all} | {:.2} | {more}{theirs} | {more}{:.2} | {more}{:.1} | {more}{:.1} |",
            planted.name,
            median(our_time),
            median(their_time),
            theirs as f64 / schedules as f64,
            theirs as f64 / all as f64
        );
    }
}

fn programs() -> impl Iterator<Item = Planted> {
    NAMES.into_iter().map(|name| Planted {
        name,
        careless: false,
    })
}

/// Without reduction, so that each run is counted.
fn whatif_in_order(planted: Planted) -> f64 {
    let runs = Cell::new(0);
    let start = Instant::now();
    while runs.get() < RUNS {
        let after = |_| runs.set(runs.get() + 1);
        let checker = Checker::new(planted.name).max_runs(RUNS - runs.get());
        let _ = checker.every_end(Reduction::None, after, move || on_whatif::play(planted));
    }
    micros(start, runs.get())
}

fn shuttle_in_order(planted: Planted) -> f64 {
    let mut runs = 0;
    let start = Instant::now();
    while runs < RUNS {
        runs += shuttle(planted, DfsScheduler::new(Some(RUNS - runs), false));
    }
    micros(start, runs)
}

fn whatif_by_dice(planted: Planted, seed: u64) -> f64 {
    let start = Instant::now();
    let checker = Checker::new(planted.name).random(RUNS, seed);
    let report = checker.explore(move || on_whatif::play(planted));
    assert!(matches!(report.outcome, Outcome::Random { .. }), "{report}");
    micros(start, RUNS)
}

/// The schedules of the proof, and all runs that the check makes.
fn whatif_proof(planted: Planted) -> (usize, usize) {
    let all = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&all);
    let report = Checker::new(planted.name).explore(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        on_whatif::play(planted)
    });
    let Outcome::Proved { runs } = report.outcome else {
        panic!("{report}")
    };
    (runs, all.load(Ordering::Relaxed))
}

/// How many runs there were.
fn shuttle(planted: Planted, scheduler: impl Scheduler + 'static) -> usize {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    Runner::new(scheduler, config).run(move || on_shuttle::play(planted))
}

/// On a thread that is new, and how many milliseconds it takes.
fn alone<T: Send + 'static>(check: impl FnOnce() -> T + Send + 'static) -> (T, f64) {
    let start = Instant::now();
    let result = thread::spawn(check).join().expect("a proof");
    (result, start.elapsed().as_secs_f64() * 1e3)
}

fn micros(start: Instant, runs: usize) -> f64 {
    start.elapsed().as_secs_f64() * 1e6 / runs as f64
}

fn median(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_unstable_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}
