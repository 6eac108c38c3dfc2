//! What a watchdog costs: the same short tasks without one and with one, by turns, in one process.
//!
//! `cargo bench -p loopbot --bench watchdog`
//!
//! Two runs of the same thing differ by more than what is to be measured, above all on a machine that does other things
//! as well. So there are many short runs; each run with a watchdog is divided by the mean of a run before it and a run after
//! it that have none; and what is counted is the time that the processor spends on LoopBot's thread, where the system can tell.
//! What is printed is the median of these ratios, and the quarters below and above it. The first line has no watchdog
//! in either: what it shows is how good the measurement is.

use std::hint::black_box;
use std::pin::Pin;
use std::time::Duration;

use loopbot::{LoopBot, Watchdog, sleep, spawn, wait_point, yield_now};

/// How many times each pair is run.
const ROUNDS: usize = 1001;

fn main() {
    // Without `cargo bench`, only to see whether it works.
    let quick = !std::env::args().any(|argument| argument == "--bench");
    let rounds = if quick { 3 } else { ROUNDS };
    println!("a run with a watchdog (limit 50 ms) to one without; {rounds} pairs each");
    println!(
        "{:<52}{:>9}{:>9}{:>9}  quarters",
        "", "ns each", "ns more", "ratio"
    );
    let none = || LoopBot::builder().build();
    let dog = || {
        let dog = Watchdog::new(Duration::from_millis(50)).on_stuck(|_| ());
        LoopBot::builder().watchdog(dog).build()
    };
    let rows: [(&str, usize, Work); 9] = [
        ("no watchdog at all: a turn of 100 tasks", 20_000, |n| {
            Box::pin(turns(n, 100, 0))
        }),
        ("a turn of a task that only gives way", 20_000, |n| {
            Box::pin(turns(n, 1, 0))
        }),
        (
            "a turn of one of 100 tasks that only give way",
            20_000,
            |n| Box::pin(turns(n, 100, 0)),
        ),
        ("a turn that computes for 20 ns or so", 5_000, |n| {
            Box::pin(turns(n, 100, 30))
        }),
        ("a turn that computes for 300 ns or so", 1_000, |n| {
            Box::pin(turns(n, 100, 300))
        }),
        (
            "a task that does nothing, spawned and awaited",
            5_000,
            |n| Box::pin(tasks(n, 0)),
        ),
        ("a task of 300 ns or so, spawned and awaited", 1_000, |n| {
            Box::pin(tasks(n, 300))
        }),
        ("a wait with a name", 5_000, |n| Box::pin(waits(n))),
        ("a sleep of 20 µs, with nobody else there", 50, |n| {
            Box::pin(sleeps(n))
        }),
    ];
    for (index, (name, n, work)) in rows.into_iter().enumerate() {
        let with = if index == 0 { none() } else { dog() };
        row(name, rounds, n, &none(), &with, work);
    }
    idle(Duration::from_millis(if quick { 50 } else { 3000 }));
}

type Work = fn(usize) -> Pin<Box<dyn Future<Output = ()>>>;

fn row(name: &str, rounds: usize, n: usize, without: &LoopBot, with: &LoopBot, work: Work) {
    let time = |robot: &LoopBot| {
        robot.run(async {
            work(n / 10).await; // warms up
            let before = busy();
            work(n).await;
            (busy() - before).as_secs_f64()
        })
    };
    let mut before = time(without);
    let mut ratios = Vec::new();
    let mut times = Vec::new();
    for _ in 0..rounds {
        let watched = time(with);
        let after = time(without);
        ratios.push(watched / ((before + after) / 2.0));
        times.push(after);
        before = after;
    }
    ratios.sort_by(f64::total_cmp);
    times.sort_by(f64::total_cmp);
    let each = times[rounds / 2] * 1e9 / n as f64;
    let at = |part: usize| ratios[rounds * part / 4];
    let (ratio, more) = (at(2), each * (at(2) - 1.0));
    println!(
        "{name:<52}{each:>9.1}{more:>9.1}{ratio:>9.3}  {:.3} to {:.3}",
        at(1),
        at(3)
    );
}

/// For how long the processor has worked for this thread.
#[cfg(unix)]
fn busy() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(not(unix))]
fn busy() -> Duration {
    static BEGAN: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    BEGAN.elapsed()
}

/// So many turns, of so many tasks together.
async fn turns(n: usize, tasks: usize, work: u32) {
    let handles: Vec<_> = (0..tasks)
        .map(|_| {
            spawn(async move {
                for _ in 0..n / tasks {
                    compute(work);
                    yield_now().await;
                }
            })
        })
        .collect();
    for handle in handles {
        handle.await.unwrap();
    }
}

async fn tasks(n: usize, work: u32) {
    for _ in 0..n {
        spawn(async move { compute(work) }).await.unwrap();
    }
}

async fn sleeps(n: usize) {
    for _ in 0..n {
        sleep(Duration::from_micros(20)).await;
    }
}

async fn waits(n: usize) {
    for _ in 0..n {
        wait_point("the other task", yield_now()).await;
    }
}

fn compute(steps: u32) {
    let mut crumbs = black_box(1_u64);
    for _ in 0..steps {
        crumbs = black_box(
            crumbs
                .wrapping_mul(6_364_136_223_846_793_005)
                .rotate_left(7),
        );
    }
}

/// What the watchdog's thread does while LoopBot sleeps.
fn idle(night: Duration) {
    let dog = Watchdog::new(Duration::from_millis(50));
    LoopBot::builder().watchdog(dog).build().run(async {
        sleep(Duration::from_millis(100)).await; // time to fall asleep
        let before = looks();
        sleep(night).await;
        match (before, looks()) {
            (Some(before), Some(after)) => println!(
                "LoopBot asleep for {night:?}: the watchdog's thread was woken {} times",
                after - before
            ),
            _ => println!(
                "how often the watchdog is woken while LoopBot sleeps is known on Linux only"
            ),
        }
    });
}

/// How many times the watchdog's thread has gone to sleep so far.
fn looks() -> Option<u64> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let of_the_dog = tasks.flatten().find_map(|task| {
        let status = std::fs::read_to_string(task.path().join("status")).ok()?;
        status.starts_with("Name:\twatchdog").then_some(status)
    })?;
    let line = of_the_dog
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
    line.trim().parse().ok()
}
