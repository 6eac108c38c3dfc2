//! How many schedules it takes to find each planted bug, and to prove that it is gone: whatif beside shuttle and loom.
//!
//! ```text
//! cargo run --release -p referee
//! ```
//!
//! Only counts are printed, and they are the same on every machine; for time, see `cargo bench -p referee`.

use std::panic::{self, AssertUnwindSafe};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use referee::planted::{NAMES, Planted};
use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner};
use whatif::{Checker, Outcome};

mod on_whatif {
    referee::planted!(whatif);
}
mod on_shuttle {
    referee::planted!(shuttle);
}
mod on_loom {
    referee::planted!(loom);
}

/// So many seeds for what is left to dice.
const SEEDS: u64 = 100;
/// More runs than this: not found, or not to the end.
const MOST: usize = 50_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, name, careless] = &arguments[..]
        && flag == "--loom"
    {
        let name = NAMES
            .into_iter()
            .find(|known| known == name)
            .expect("a planted program");
        return loom_here(Planted {
            name,
            careless: careless == "true",
        });
    }
    panic::set_hook(Box::new(|_| {}));
    println!(
        "Schedules until the bug shows, and schedules of the mended program until all have been run."
    );
    println!("Dice: the median and the worst of {SEEDS} seeds. A dash: more than {MOST}.\n");
    println!(
        "| scenario | whatif: bug | preemptions | proof | shuttle random: bug | shuttle PCT 3: bug | shuttle DFS: bug | proof | loom: bug | proof |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for name in NAMES {
        let careless = Planted {
            name,
            careless: true,
        };
        let coordinated = Planted {
            name,
            careless: false,
        };
        let (bug, preemptions) = whatif_bug(careless);
        println!(
            "| {name} | {bug} | {preemptions} | {} | {} | {} | {} | {} | {} | {} |",
            whatif_proof(coordinated),
            dice(|seed| runs(RandomScheduler::new_from_seed(seed, MOST), careless)),
            dice(|seed| runs(PctScheduler::new_from_seed(seed, 3, MOST), careless)),
            or_dash(runs(DfsScheduler::new(Some(MOST), false), careless).ok()),
            or_dash(
                runs(DfsScheduler::new(Some(MOST), false), coordinated)
                    .err()
                    .filter(|runs| *runs < MOST)
            ),
            loom(careless),
            loom(coordinated),
        );
    }
}

fn whatif_bug(planted: Planted) -> (usize, usize) {
    match Checker::new(planted.name)
        .explore(move || on_whatif::play(planted))
        .outcome
    {
        Outcome::Failed(story) => (story.schedules, story.preemptions),
        other => panic!("{planted:?}: {other:?}"),
    }
}

fn whatif_proof(planted: Planted) -> usize {
    match Checker::new(planted.name)
        .explore(move || on_whatif::play(planted))
        .outcome
    {
        Outcome::Proved { runs } => runs,
        other => panic!("{planted:?}: {other:?}"),
    }
}

/// Runs until the bug shows: Ok(runs); or to the end: Err(runs).
fn runs(scheduler: impl Scheduler + 'static, planted: Planted) -> Result<usize, usize> {
    let count = Arc::new(AtomicUsize::new(0));
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    let runner = Runner::new(scheduler, config);
    let once = {
        let count = Arc::clone(&count);
        move || {
            count.fetch_add(1, Ordering::Relaxed);
            on_shuttle::play(planted);
        }
    };
    let ended = panic::catch_unwind(AssertUnwindSafe(|| runner.run(once)));
    let count = count.load(Ordering::Relaxed);
    if ended.is_err() {
        Ok(count)
    } else {
        Err(count)
    }
}

fn dice(run: impl Fn(u64) -> Result<usize, usize>) -> String {
    let mut runs: Vec<usize> = (0..SEEDS)
        .map(|seed| run(seed).unwrap_or(usize::MAX))
        .collect();
    runs.sort_unstable();
    let show = |runs: usize| or_dash(Some(runs).filter(|runs| *runs != usize::MAX));
    format!(
        "{} / {}",
        show(runs[runs.len() / 2]),
        show(runs[runs.len() - 1])
    )
}

fn or_dash(runs: Option<usize>) -> String {
    runs.map_or_else(|| "-".to_owned(), |runs| runs.to_string())
}

/// In a process of its own: where loom finds a deadlock, it may abort.
fn loom(planted: Planted) -> String {
    let this = std::env::current_exe().expect("this program is a file");
    let child = Command::new(this)
        .args([
            "--loom",
            planted.name,
            if planted.careless { "true" } else { "false" },
        ])
        .stderr(Stdio::null())
        .output()
        .expect("this program can start itself");
    let said = String::from_utf8_lossy(&child.stdout);
    let runs = said
        .lines()
        .filter_map(|line| line.parse::<usize>().ok())
        .next_back();
    match (child.status.code(), runs) {
        (Some(0), runs) => or_dash(runs.filter(|runs| *runs < MOST)),
        (Some(_), runs) => or_dash(runs),
        (None, runs) => format!("{}, then it aborts", or_dash(runs)),
    }
}

/// Prints the number of each run when it begins: the last one that can be read is the one that counts.
fn loom_here(planted: Planted) {
    let mut model = loom::model::Builder::new();
    model.max_permutations = Some(MOST);
    let count = AtomicUsize::new(0);
    model.check(move || {
        println!("{}", count.fetch_add(1, Ordering::Relaxed) + 1);
        on_loom::play(planted);
    });
}
