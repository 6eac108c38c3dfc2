//! What a claim costs, and a tip: with a lock, and without.
//!
//! `cargo run --release -p threadbots --example what_a_claim_costs`. The numbers are one machine's; a busy one has others.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Instant;

const TIMES: u32 = 500_000;
const BATCHES: usize = 25;
const NOBODY: u32 = 0;

fn main() {
    println!(
        "nanoseconds for one, the middle of {BATCHES} batches (half of them lie between the other two)"
    );
    for robots in [1, 2, 4] {
        println!("{robots} at once");

        let card = Mutex::new(NOBODY);
        row("claim and give back, by lock", robots, |me| {
            let mut on_it = card.lock().unwrap();
            let free = *on_it == NOBODY;
            if free {
                *on_it = me;
            }
            drop(on_it);
            if free {
                *card.lock().unwrap() = NOBODY;
            }
            free
        });
        let card = AtomicU32::new(NOBODY);
        row("claim and give back, by compare_exchange", robots, |me| {
            let claimed = card
                .compare_exchange(NOBODY, me, Ordering::Acquire, Ordering::Relaxed)
                .is_ok();
            if claimed {
                card.store(NOBODY, Ordering::Release);
            }
            claimed
        });

        let jar = Mutex::new(0u32);
        row("a tip, by lock", robots, |_| {
            *jar.lock().unwrap() += 1;
            true
        });
        let jar = AtomicU32::new(0);
        row("a tip, by fetch_add", robots, |_| {
            jar.fetch_add(1, Ordering::Relaxed);
            true
        });
        let jar = AtomicU32::new(0);
        row("a tip, by compare_exchange in a loop", robots, |_| {
            let one_more = |held: u32| held.checked_add(1);
            jar.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
                .is_ok()
        });
    }
}

/// Prints what one `job` takes if so many robots do it at once, and how many jobs were refused.
fn row(what: &str, robots: u32, job: impl Fn(u32) -> bool + Sync) {
    let batches: Vec<(f64, u32)> = (0..BATCHES).map(|_| batch(robots, &job)).collect();
    let mut times: Vec<f64> = batches.iter().map(|(time, _)| *time).collect();
    times.sort_by(f64::total_cmp);
    let quarter = |n: usize| times[(BATCHES - 1) * n / 4];
    let refused: u32 = batches.iter().map(|(_, refused)| refused).sum();
    let percent = 100.0 * f64::from(refused) / (BATCHES as f64 * f64::from(TIMES * robots));
    println!(
        "  {what:<42}{:>6.1}   ({:.1} to {:.1})   {percent:.1} % refused",
        quarter(2),
        quarter(1),
        quarter(3),
    );
}

/// Nanoseconds for one job, by the robot that took longest; and how many were refused.
fn batch(robots: u32, job: &(impl Fn(u32) -> bool + Sync)) -> (f64, u32) {
    let start = Barrier::new(robots as usize);
    let work = |me| {
        start.wait();
        let began = Instant::now();
        let refused = (0..TIMES).filter(|_| !job(me)).count() as u32;
        (
            began.elapsed().as_nanos() as f64 / f64::from(TIMES),
            refused,
        )
    };
    thread::scope(|scope| {
        let robots: Vec<_> = (1..=robots)
            .map(|me| scope.spawn(move || work(me)))
            .collect();
        let robots = robots.into_iter().map(|robot| robot.join().unwrap());
        robots.fold((0.0, 0), |(longest, all), (time, refused)| {
            (f64::max(longest, time), all + refused)
        })
    })
}
