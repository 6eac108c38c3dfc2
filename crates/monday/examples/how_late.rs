//! How late do timers fire on a real clock, and how long does an evening take on a virtual one?
//!
//! `cargo run --release -p monday --example how_late`

use std::time::{Duration, Instant};

use flight::VirtualTime;
use loopbot::{Clock, LoopBot, now, sleep, sleep_until, spawn};

const TIMERS: u32 = 1_000;

/// A thousand sleeps that end within half a second. By how much was each of them late?
async fn sleeps() -> Vec<Duration> {
    let start = now() + Duration::from_millis(10);
    let sleepers: Vec<_> = (0..TIMERS)
        .map(|n| {
            spawn(async move {
                let deadline = start + n * Duration::from_micros(500);
                sleep_until(deadline).await;
                now()
                    .checked_sub(deadline)
                    .expect("a timer that fires early")
            })
        })
        .collect();
    let mut late = Vec::new();
    for sleeper in sleepers {
        late.push(sleeper.await.expect("no sleeper panics"));
    }
    late.sort();
    late
}

fn report(what: &str, late: &[Duration]) {
    let at = |percent: usize| late[(late.len() - 1) * percent / 100];
    println!(
        "{what:29}median {:>8.1?}, 99 % {:>8.1?}, worst {:>8.1?}",
        at(50),
        at(99),
        at(100)
    );
}

fn main() {
    let loopbot = |clock| LoopBot::builder().clock(clock).build();
    report(
        "the usual clock:",
        &loopbot(Clock::real()).run(async { sleeps().await }),
    );
    let exact = Clock::real().exact();
    report(
        "an exact clock:",
        &loopbot(exact).run(async { sleeps().await }),
    );
    let held_up = async {
        let late = spawn(sleeps());
        sleep(Duration::from_millis(100)).await;
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(50) {} // somebody computes
        late.await.expect("no sleeper panics")
    };
    report(
        "one task computes for 50 ms:",
        &loopbot(Clock::real()).run(held_up),
    );

    let started = Instant::now();
    let evening = async {
        let parties: Vec<_> = (0..1_000)
            .map(|party| {
                spawn(async move {
                    for _ in 0..100 {
                        sleep(Duration::from_secs(party % 140 + 4)).await;
                    }
                })
            })
            .collect();
        for party in parties {
            party.await.expect("no party panics");
        }
        now()
    };
    let hours = loopbot(Clock::virtual_time(VirtualTime::new())).run(evening);
    println!(
        "an evening of {:.1} h with 100,000 sleeps, on a virtual clock: {:.0?}",
        hours.as_secs_f64() / 3600.0,
        started.elapsed()
    );
}
