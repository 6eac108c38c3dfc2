//! A tour of the other kitchen: what a process pool does for you, and what it does when a cook drops dead.
//!
//! ```text
//! cargo run --release -p procpool --example kitchen
//! ```
//!
//! Everything that it prints has happened: the times are measured, the process numbers are real, and one of the
//! processes is killed in the middle of its work.

use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

use procpool::{Blob, Jobs, Output, Pool};
use serde::{Deserialize, Serialize};

// ANCHOR: jobs
// ANCHOR: taste
/// Jobs are ordinary functions of one argument. What they take and give is anything that serde can write.
#[derive(Debug, Serialize, Deserialize)]
struct Menu {
    guest: String,
    courses: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Verdict {
    guest: String,
    stars: u32,
    cook: u32,
}

fn taste(menu: Menu) -> Verdict {
    let letters: usize = menu.courses.iter().map(String::len).sum();
    Verdict {
        guest: menu.guest,
        stars: letters as u32 % 5 + 1,
        cook: std::process::id(),
    }
}
// ANCHOR_END: taste

/// Real work: how many primes there are below a number.
fn weigh(flour: u32) -> usize {
    let is_prime = |n: &u32| {
        (2..)
            .take_while(|d| d * d <= *n)
            .all(|d| !n.is_multiple_of(d))
    };
    (2..flour).filter(is_prime).count()
}

/// Takes its time, so that there is time to kill it.
fn simmer(millis: u64) -> u32 {
    println!("  (cook {} simmers)", std::process::id());
    let _ = std::io::stdout().flush();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(millis) {
        std::hint::spin_loop();
    }
    std::process::id()
}

/// The recipe has a mistake in it.
fn souffle(eggs: Vec<u32>) -> u32 {
    eggs[3]
}

/// So has this one, and there is no panic that could tell of it.
fn flambe(_: ()) -> u32 {
    eprintln!("too much brandy");
    std::process::abort()
}

// ANCHOR: develop
/// A picture, as bytes in memory that both processes see. In goes one, out comes another; neither is copied.
fn develop(picture: Blob) -> Blob {
    Blob::build(picture.len(), |bytes| {
        for (new, old) in bytes.iter_mut().zip(picture.iter()) {
            *new = !old;
        }
    })
}
// ANCHOR_END: develop

fn kitchen() -> Jobs {
    procpool::jobs![taste, weigh, simmer, souffle, flambe, develop]
}
// ANCHOR_END: jobs

fn main() -> Result<(), Box<dyn Error>> {
    // In a cook's process this call serves the pool and never returns.
    procpool::worker_entry(kitchen);

    let pool = Pool::builder(kitchen()).workers(2).build()?;

    println!("One menu is tasted, in another process:");
    let menu = Menu {
        guest: "the Chen party".to_owned(),
        courses: vec!["onion soup".to_owned(), "soufflé".to_owned()],
    };
    let verdict = pool.submit(taste, menu).wait()?;
    println!(
        "  {} gets {} stars from cook {}; the waiter is {}",
        verdict.guest,
        verdict.stars,
        verdict.cook,
        std::process::id()
    );

    // ANCHOR: map
    println!("A thousand bags of flour, in chunks of 20, in order:");
    let begin = Instant::now();
    let mut primes = 0;
    for weight in pool.map(weigh, 2_000..3_000).chunk(20).ordered() {
        primes += weight?;
    }
    let together = begin.elapsed();
    let begin = Instant::now();
    let alone: usize = (2_000..3_000).map(weigh).sum();
    println!(
        "  {primes} in {together:.1?}; the waiter alone: {alone} in {:.1?}",
        begin.elapsed()
    );
    // ANCHOR_END: map

    println!("A mistake comes back with its message, and the cook lives:");
    let error = pool.submit(souffle, vec![1, 2, 3]).wait();
    println!(
        "  {}",
        error.map_or_else(|error| error.to_string(), |egg| egg.to_string())
    );

    // ANCHOR: die
    println!("A cook who drops dead takes one job along, not the ones that wait behind it:");
    let told = Pool::builder(kitchen())
        .workers(1)
        .output(Output::Capture)
        .build()?;
    let bad = told.submit(flambe, ());
    let good: Vec<_> = (0..5).map(|eggs| told.submit(weigh, 10 + eggs)).collect();
    println!(
        "  {}",
        bad.wait()
            .map_or_else(|error| error.to_string(), |never| never.to_string())
    );
    let served = good
        .into_iter()
        .map(|answer| answer.wait())
        .collect::<Result<Vec<_>, _>>()?;
    println!("  and the five behind it: {served:?}");
    told.shut_down();
    // ANCHOR_END: die

    kill_one(&pool)?;

    println!("64 MiB of picture go there and come back in shared memory:");
    let picture = Blob::build(64 << 20, |bytes| bytes.fill(7));
    let begin = Instant::now();
    let negative = pool.submit(develop, picture).wait()?;
    println!(
        "  {} bytes, the first of them {}, in {:.1?}, nearly all of it the developing",
        negative.len(),
        negative[0],
        begin.elapsed()
    );

    pool.shut_down();
    println!(
        "Everybody has gone home: {} cooks left.",
        pool.workers().len()
    );
    Ok(())
}

// ANCHOR: kill
/// A job that may be done twice is done again when its worker is killed.
#[cfg(unix)]
fn kill_one(pool: &Pool) -> Result<(), Box<dyn Error>> {
    use procpool::WorkerState;
    use rustix::process::{Pid, Signal, kill_process};

    println!("A cook is killed in the middle of a job that may be done twice:");
    let answer = pool.job(simmer).idempotent().submit(100);
    // Wait until somebody is at it. Two cooks at most, so one is found at once.
    let victim = loop {
        let busy = pool
            .workers()
            .into_iter()
            .find(|worker| worker.state == WorkerState::Busy);
        match busy {
            Some(worker) => break worker.pid,
            None => std::thread::yield_now(),
        }
    };
    std::thread::sleep(Duration::from_millis(20));
    let pid = i32::try_from(victim)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or("no such process")?;
    kill_process(pid, Signal::KILL)?;
    let killed = Instant::now();
    let second = answer.wait()?;
    println!(
        "  cook {victim} was killed; cook {second} did it again, and was done {:.1?} later",
        killed.elapsed()
    );
    Ok(())
}

#[cfg(not(unix))]
fn kill_one(_: &Pool) -> Result<(), Box<dyn Error>> {
    println!("(No cook is killed here: that needs Unix.)");
    Ok(())
}
// ANCHOR_END: kill
