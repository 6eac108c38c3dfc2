//! Three ways to do several things: one after the other, joined, spawned. First with things that wait, then with things
//! that compute; those also on two threads. Each is done five times, and the shortest counts.
//!
//! `cargo run --release -p monday --example three_ways`

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use loopbot::{run, sleep, spawn};

const WAIT: Duration = Duration::from_millis(300);
const COMPUTATION: Duration = Duration::from_millis(100);

async fn waits() {
    sleep(WAIT).await;
}

/// No `.await` in it, and nothing to wait for.
async fn computes(numbers: u64) {
    add_up(numbers);
}

#[inline(never)]
fn add_up(numbers: u64) {
    black_box((0..numbers).fold(0, |sum, n| black_box(sum ^ n)));
}

/// The shortest of five times.
fn shortest(mut work: impl FnMut()) -> Duration {
    let times = (0..5).map(|_| {
        let started = Instant::now();
        work();
        started.elapsed()
    });
    times.min().expect("five times")
}

fn report(what: &str, work: impl FnMut()) {
    println!("  {what:24} {:>4} ms", shortest(work).as_millis());
}

fn main() {
    println!("three waits of 300 ms each");
    report("one after the other", || {
        run(async {
            waits().await;
            waits().await;
            waits().await;
        })
    });
    report("joined", || {
        run(async {
            futures::join!(waits(), waits(), waits());
        })
    });
    report("spawned", || {
        run(async {
            for wait in [(); 3].map(|()| spawn(waits())) {
                wait.await.expect("no task panics");
            }
        })
    });

    // How many numbers take about a tenth of a second here.
    let sample = 10_000_000;
    let numbers = sample * COMPUTATION.as_nanos() as u64
        / shortest(|| add_up(sample)).as_nanos().max(1) as u64;
    let compute = || computes(numbers);
    println!("four computations of about 100 ms each");
    report("one after the other", || {
        run(async {
            for _ in 0..4 {
                compute().await;
            }
        })
    });
    report("joined", || {
        run(async {
            futures::join!(compute(), compute(), compute(), compute());
        })
    });
    report("spawned", || {
        run(async {
            for work in [(); 4].map(|()| spawn(compute())) {
                work.await.expect("no task panics");
            }
        })
    });
    report("on two threads", || {
        let two = || run(async { futures::join!(compute(), compute()) });
        thread::scope(|threads| {
            let other = threads.spawn(two);
            two();
            other.join().expect("no panic");
        })
    });
}
