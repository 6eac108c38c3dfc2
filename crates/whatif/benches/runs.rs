//! How fast a check is: microseconds a run, and schedules to a proof. As tests are built without
//! optimisation: `cargo bench -p whatif --bench runs --profile dev`. Prints, asserts nothing.

use std::time::{Duration, Instant};

use whatif::sync::atomic::{AtomicU32, Ordering::SeqCst};
use whatif::sync::{Arc, Condvar, Mutex};
use whatif::{Checker, Outcome, Reduction, thread};

fn main() {
    println!(
        "{:10} {:>8} {:>8} {:>8}   schedules to a proof, and without reduction",
        "us a run:", "search", "random", "proof"
    );
    round("two tips", two_tips);
    round("orders", orders);
    round("a bell", a_bell);
    round("a shift", a_shift);
}

fn round(name: &str, f: fn()) {
    let search = per_run(|| {
        match Checker::new(name).max_preemptions(100).max_runs(1_000).explore(f).outcome {
            Outcome::Proved { runs } | Outcome::Bounded { runs, .. } => runs,
            outcome => panic!("{outcome:?}"),
        }
    });
    let random = per_run(|| {
        Checker::new(name).random(1_000, 1).explore(f);
        1_000
    });
    let count = |reduction| {
        Checker::new(name).max_runs(50_000).every_end(reduction, |_| {}, f).map(|it| it.1)
    };
    let schedules = count(Reduction::SleepSets);
    let proof = per_run(|| count(Reduction::SleepSets).unwrap_or_else(|runs| runs));
    let all = count(Reduction::None)
        .map_or_else(|runs| format!("more than {runs}"), |runs| runs.to_string());
    println!("{name:10} {search:8.1} {random:8.1} {proof:8.1}   {schedules:?}, {all}");
}

/// Microseconds a run, best of five.
fn per_run(runs: impl Fn() -> usize) -> f64 {
    let time = || {
        let start = Instant::now();
        let runs = runs();
        start.elapsed().div_f64(runs as f64)
    };
    (0..5).map(|_| time()).min().unwrap_or(Duration::ZERO).as_secs_f64() * 1e6
}

fn robots<const N: usize>(robot: impl Fn(usize) -> thread::JoinHandle<()>) {
    let robots: [_; N] = std::array::from_fn(robot);
    robots.into_iter().for_each(|robot| robot.join().unwrap());
}

/// Two robots count their tips, twice each: look, add, write.
fn two_tips() {
    let jar = Arc::new(AtomicU32::new(0));
    robots::<2>(|_| {
        let jar = Arc::clone(&jar);
        thread::spawn(move || (0..2).for_each(|_| jar.store(jar.load(SeqCst) + 1, SeqCst)))
    });
}

/// Three robots take orders from one rail.
fn orders() {
    let rail = Arc::new(Mutex::new(vec![1, 2, 3]));
    robots::<3>(|_| {
        let rail = Arc::clone(&rail);
        thread::spawn(move || while rail.lock().unwrap().pop().is_some() {})
    });
}

/// One cooks three plates, one carries them.
fn a_bell() {
    let pass = Arc::new((Mutex::new(0), Condvar::new()));
    robots::<2>(|robot| {
        let pass = Arc::clone(&pass);
        thread::spawn(move || {
            for _ in 0..3 {
                let mut plates = pass.0.lock().unwrap();
                if robot == 0 {
                    *plates += 1;
                    pass.1.notify_one();
                } else {
                    *pass.1.wait_while(plates, |plates| *plates == 0).unwrap() -= 1;
                }
            }
        })
    });
}

/// Three robots at two locks and a counter.
fn a_shift() {
    let floor = Arc::new((Mutex::new(0), Mutex::new(0), AtomicU32::new(0)));
    robots::<3>(|robot| {
        let floor = Arc::clone(&floor);
        thread::spawn(move || {
            *floor.0.lock().unwrap() += robot;
            floor.2.fetch_add(1, SeqCst);
            *floor.1.lock().unwrap() += robot;
            floor.2.load(SeqCst);
        })
    });
}
