//! `course hands`: what more threads do for work that only computes, measured on this machine.

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hands::{Counters, alone, count, in_portions, in_shares, with_rayon};

use crate::cli;
use crate::table::Table;
use crate::trouble::{Trouble, status};

/// The prime numbers below this are counted.
const NUMBERS: u64 = 600_000;
const PORTION: u64 = 2_000;
const ROUNDS: usize = 5;
const HANDS: [usize; 4] = [1, 2, 4, 8];
const SIZES: [u64; 7] = [300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000];
/// Additions of each hand.
const ADDITIONS: u64 = 1_000_000;
/// How long a guest's timer is set for, again and again.
const SIP: Duration = Duration::from_millis(1);

/// Prints four tables; with `markdown`, also writes them there for the book.
///
/// # Errors
///
/// A file that cannot be written, threads that cannot be had: one sentence each.
pub fn command(markdown: Option<&Path>) -> anyhow::Result<u8> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    cli::print(&format!(
        "This machine gives us {cores} core(s). Medians of {ROUNDS} rounds; in each round every way has its turn.\n"
    ))?;
    let mut written = String::new();
    for (name, make) in [
        ("speedup", speedup as fn(usize) -> anyhow::Result<Table>),
        ("size", size),
        ("counters", counters),
        ("crowd", crowd),
    ] {
        let table = make(cores)?;
        cli::print(&table.text())?;
        let _ = writeln!(
            written,
            "<!-- ANCHOR: {name} -->\n\n{}\n<!-- ANCHOR_END: {name} -->\n",
            table.markdown()
        );
    }
    if let Some(path) = markdown {
        fs::write(path, written).map_err(|error| {
            Trouble::input(format!(
                "{} cannot be written ({error}): name another file.",
                path.display()
            ))
        })?;
        cli::print(&format!("\nwritten: {}\n", path.display()))?;
    }
    Ok(status::DONE)
}

/// How long it takes.
fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

/// All ways in turn, several times over, so that what disturbs the machine disturbs them alike. The median of each.
fn medians(ways: &[&dyn Fn() -> u64], rounds: usize) -> Vec<Duration> {
    let mut times = vec![Vec::new(); ways.len()];
    for _ in 0..rounds {
        for (way, times) in ways.iter().zip(&mut times) {
            times.push(timed(way));
        }
    }
    let median = |times: Vec<Duration>| {
        let mut times = times;
        times.sort_unstable();
        times[times.len() / 2]
    };
    times.into_iter().map(median).collect()
}

fn rayon_of(hands: usize) -> anyhow::Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(hands)
        .build()
        .map_err(|error| Trouble::environment(format!("No {hands} threads for rayon: {error}.")))
}

/// Two tasks of one LoopBot, half of the work each: they take turns at most, and here not even that.
fn on_the_loop() -> u64 {
    loopbot::run(async {
        let lower = loopbot::spawn(async { alone(0..NUMBERS / 2) });
        let upper = loopbot::spawn(async { alone(NUMBERS / 2..NUMBERS) });
        lower.await.unwrap_or(0) + upper.await.unwrap_or(0)
    })
}

fn speedup(_: usize) -> anyhow::Result<Table> {
    let mut table = Table::new(
        format!(
            "How many times as fast as alone: prime numbers below {NUMBERS}, portions of {PORTION}"
        ),
        &["hands", "equal shares", "portions", "rayon"],
    );
    let alone_there = || alone(0..NUMBERS);
    for hands in HANDS {
        let pool = rayon_of(hands)?;
        let shares = || in_shares(0..NUMBERS, hands);
        let portions = || in_portions(0..NUMBERS, hands, PORTION);
        let rayon = || pool.install(|| with_rayon(0..NUMBERS));
        let times = medians(&[&alone_there, &shares, &portions, &rayon], ROUNDS);
        let mut row = vec![hands.to_string()];
        row.extend(times[1..].iter().map(|time| times_as_fast(times[0], *time)));
        table.rows.push(row);
    }
    let on_the_loop = || on_the_loop();
    let times = medians(&[&alone_there, &on_the_loop], ROUNDS);
    let of_the_loop = times_as_fast(times[0], times[1]);
    table.rows.push(vec![
        "2 tasks of LoopBot's".to_owned(),
        of_the_loop,
        String::new(),
        String::new(),
    ]);
    Ok(table)
}

fn times_as_fast(alone: Duration, together: Duration) -> String {
    format!("{:.2}", alone.as_secs_f64() / together.as_secs_f64())
}

fn size(cores: usize) -> anyhow::Result<Table> {
    let hands = cores.max(2);
    let mut table = Table::new(
        format!("From which size on {hands} hands are worth it: prime numbers below a number, µs"),
        &[
            "below",
            "alone",
            "portions, hired each time",
            "rayon, hired before",
        ],
    );
    let pool = rayon_of(hands)?;
    pool.install(|| with_rayon(0..NUMBERS)); // Its threads are there, and awake.
    for numbers in SIZES {
        let portion = (numbers / 16).max(1);
        let by_one = || alone(0..numbers);
        let by_hand = || in_portions(0..numbers, hands, portion);
        let rayon = || pool.install(|| with_rayon(0..numbers));
        let times = medians(&[&by_one, &by_hand, &rayon], ROUNDS * 11);
        let mut row = vec![numbers.to_string()];
        row.extend(
            times
                .iter()
                .map(|time| format!("{:.1}", time.as_secs_f64() * 1e6)),
        );
        table.rows.push(row);
    }
    Ok(table)
}

fn counters(cores: usize) -> anyhow::Result<Table> {
    let hands = cores.max(2);
    let mut table = Table::new(
        "What an addition costs each hand, when all of them count at the same time, ns".to_owned(),
        &["counter", "1 hand", &format!("{hands} hands")],
    );
    for (name, way) in [
        ("one for all", Counters::Shared),
        ("one each, side by side", Counters::Neighbours),
        ("one each, a cache line apart", Counters::Apart),
        ("a local variable each", Counters::Own),
    ] {
        let one = || count(way, 1, ADDITIONS);
        let all = || count(way, hands, ADDITIONS);
        let times = medians(&[&one, &all], ROUNDS);
        let mut row = vec![name.to_owned()];
        let each = |time: &Duration| time.as_secs_f64() * 1e9 / ADDITIONS as f64;
        row.extend(times.iter().map(|time| format!("{:.1}", each(time))));
        table.rows.push(row);
    }
    Ok(table)
}

/// Many hands on few cores. Beside them a guest, whose thread sleeps for a millisecond, again and again.
fn crowd(cores: usize) -> anyhow::Result<Table> {
    let mut table = Table::new(
        "More hands than cores: how long the work takes, and how late a guest's timer of 1 ms is"
            .to_owned(),
        &[
            "hands",
            "work, ms",
            "guest: half later than, ms",
            "latest, ms",
        ],
    );
    for hands in [0, 1, cores, cores * 4, cores * 16, cores * 64] {
        let over = AtomicBool::new(false);
        let (time, mut late) = thread::scope(|scope| {
            let guest = scope.spawn(|| {
                let mut late = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    let slept = timed(|| thread::sleep(SIP));
                    late.push(slept.saturating_sub(SIP));
                }
                late
            });
            let time = timed(|| match hands {
                0 => thread::sleep(Duration::from_millis(200)),
                _ => assert!(in_portions(0..NUMBERS * 2, hands, PORTION / 4) > 0),
            });
            over.store(true, Ordering::Relaxed);
            let late = guest.join().expect("sleeping does not panic");
            (time, late)
        });
        late.sort_unstable();
        let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
        let half = late.get(late.len() / 2).copied().unwrap_or_default();
        let latest = late.last().copied().unwrap_or_default();
        let work = if hands == 0 { "-".to_owned() } else { ms(time) };
        table
            .rows
            .push(vec![hands.to_string(), work, ms(half), ms(latest)]);
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ways_have_their_turn() {
        let calls = std::cell::Cell::new(0);
        let way = || {
            calls.set(calls.get() + 1);
            calls.get()
        };
        assert_eq!(medians(&[&way, &way], 3).len(), 2);
        assert_eq!(calls.get(), 6);
    }
}
