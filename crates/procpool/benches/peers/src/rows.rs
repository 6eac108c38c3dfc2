//! The rows of the table: what each measures, and how a Rust pool comes to its figures.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::jobs;
use crate::measure::{
    descendants, descriptors, kill, median, micros_each, proportional, quantile, resident,
    written_pid,
};
use crate::peer::Peer;

pub struct Row {
    /// What the command line calls it.
    pub key: &'static str,
    pub title: &'static str,
    /// What each of its figures is, and in which unit.
    pub figures: &'static [(&'static str, &'static str)],
    /// How often at most, so that one sample of the slowest takes about a second. Where it is 0 the peer says.
    pub count: u64,
    /// Samples of which the median is taken.
    pub samples: u64,
}

/// The table, from top to bottom.
pub const ALL: &[Row] = &[
    Row {
        key: "start",
        title: "start to first answer",
        figures: &[("", "ms")],
        count: 1,
        samples: 15,
    },
    Row {
        key: "round-trip",
        title: "no-op, there and back",
        figures: &[("p50", "µs"), ("p99", "µs")],
        count: 5_000,
        samples: 7,
    },
    Row {
        key: "await",
        title: "the same, awaited",
        figures: &[("p50", "µs")],
        count: 5_000,
        samples: 7,
    },
    Row {
        key: "awake",
        title: "no-op, while nobody sleeps",
        figures: &[("p50", "µs"), ("awaited, p50", "µs")],
        count: 5_000,
        samples: 7,
    },
    Row {
        key: "submit",
        title: "no-ops, all submitted first",
        figures: &[("", "thousand/s")],
        count: 0,
        samples: 7,
    },
    Row {
        key: "map",
        title: "map in chunks of 64",
        figures: &[("", "million/s")],
        count: 2_000_000,
        samples: 7,
    },
    Row {
        key: "echo-1k",
        title: "echo, 1 KiB",
        figures: &[("", "GB/s")],
        count: 2_000,
        samples: 7,
    },
    Row {
        key: "echo-1m",
        title: "echo, 1 MiB",
        figures: &[("", "GB/s")],
        count: 100,
        samples: 7,
    },
    Row {
        key: "echo-64m",
        title: "echo, 64 MiB",
        figures: &[("", "GB/s")],
        count: 3,
        samples: 7,
    },
    Row {
        key: "share-64m",
        title: "64 MiB copied once, and read there",
        figures: &[("", "GB/s")],
        count: 10,
        samples: 7,
    },
    Row {
        key: "hand-over",
        title: "64 MiB of shared memory handed over",
        figures: &[("p50", "µs")],
        count: 1_000,
        samples: 7,
    },
    Row {
        key: "cpu",
        title: "primes, two workers against none",
        figures: &[("", "times")],
        count: 1,
        samples: 5,
    },
    Row {
        key: "kill-error",
        title: "worker killed: until its job says so",
        figures: &[("", "ms"), ("jobs lost of 22", "")],
        count: 1,
        samples: 15,
    },
    Row {
        key: "kill-retry",
        title: "worker killed: until the second try answers",
        figures: &[("", "ms")],
        count: 1,
        samples: 15,
    },
    Row {
        key: "parent",
        title: "parent killed, workers busy: until all are gone",
        figures: &[("", "ms"), ("left of 2", "")],
        count: 1,
        samples: 15,
    },
    Row {
        key: "queued",
        title: "a queued job",
        figures: &[("memory", "B"), ("descriptors", "")],
        count: 0,
        samples: 3,
    },
    Row {
        key: "idle",
        title: "an idle worker's memory (PSS)",
        figures: &[("", "MiB")],
        count: 1,
        samples: 5,
    },
];

/// One sample of one row for one pool.
pub fn measure<P: Peer>(row: &Row, place: &Path) -> Option<Vec<f64>> {
    let places = || ["a", "b"].map(|name| place.join(name).to_string_lossy().into_owned());
    let start = Instant::now();
    let mut pool = match row.key {
        "awake" => P::start_awake()?,
        _ => P::start(),
    };
    if row.key == "start" {
        pool.round_trip(1);
        return Some(vec![start.elapsed().as_secs_f64() * 1e3]);
    }
    // Both workers are up, and have worked.
    pool.map(64 * 64);
    pool.primes(&[(0, 30_000), (0, 30_000)]);
    match row.key {
        "round-trip" => {
            let micros = micros_each(row.count, |number| {
                assert_eq!(pool.round_trip(number), number);
            });
            Some(vec![median(&micros), quantile(&micros, 0.99)])
        }
        "awake" => {
            let waited = micros_each(row.count, |number| {
                assert_eq!(pool.round_trip(number), number);
            });
            let awaited = micros_each(row.count, |number| {
                assert_eq!(pool.awaited(number), Some(number));
            });
            Some(vec![median(&waited), median(&awaited)])
        }
        "await" => {
            pool.awaited(0)?;
            let micros = micros_each(row.count, |number| {
                assert_eq!(pool.awaited(number), Some(number));
            });
            Some(vec![median(&micros)])
        }
        "submit" => {
            let jobs = P::FLOOD;
            let start = Instant::now();
            assert_eq!(pool.flood(jobs), jobs * (jobs - 1) / 2);
            Some(vec![jobs as f64 / start.elapsed().as_secs_f64() / 1e3])
        }
        "map" => {
            let items = row.count - row.count % 64;
            let start = Instant::now();
            assert_eq!(pool.map(items), items * (items + 1) / 2);
            Some(vec![items as f64 / start.elapsed().as_secs_f64() / 1e6])
        }
        "echo-1k" => Some(vec![echo(pool, row.count, 1 << 10)]),
        "echo-1m" => Some(vec![echo(pool, row.count, 1 << 20)]),
        "echo-64m" => Some(vec![echo(pool, row.count, 1 << 26)]),
        "share-64m" => {
            let bytes = vec![1; 1 << 26];
            let expected = jobs::sum(&bytes);
            pool.share(&bytes)?;
            let micros = micros_each(row.count, |_| {
                assert_eq!(pool.share(&bytes), Some(expected));
            });
            Some(vec![bytes.len() as f64 / median(&micros) / 1e3])
        }
        "hand-over" => {
            let mut hand_over = pool.hand_over(1 << 26)?;
            let micros = micros_each(row.count, |_| hand_over(&mut pool));
            Some(vec![median(&micros)])
        }
        "cpu" => {
            let ranges: Vec<(u64, u64)> =
                (0..100).map(|n| (n * 30_000, (n + 1) * 30_000)).collect();
            let start = Instant::now();
            let alone: u64 = ranges.iter().map(|range| jobs::primes(*range)).sum();
            let inline = start.elapsed();
            let start = Instant::now();
            assert_eq!(pool.primes(&ranges), alone);
            Some(vec![inline.as_secs_f64() / start.elapsed().as_secs_f64()])
        }
        "kill-error" => {
            let [first, second] = places();
            let end = kills(&first, Some(&second));
            let (known, lost) = pool.fails([first.clone(), second.clone()], 20, end);
            Some(vec![known.as_secs_f64() * 1e3, lost as f64])
        }
        "kill-retry" => {
            let [first, _] = places();
            let end = kills(&first, None);
            let known = pool.retried(first.clone(), end)?;
            Some(vec![known.as_secs_f64() * 1e3])
        }
        "parent" => {
            let [first, second] = places();
            pool.spin([first.clone(), second.clone()]);
            written_pid(first.as_ref());
            written_pid(second.as_ref());
            println!("busy");
            std::thread::sleep(Duration::from_secs(60));
            None
        }
        "queued" => {
            let jobs = P::FLOOD;
            let before = std::cell::Cell::new((0, 0));
            let mut figures = None;
            let [first, second] = places();
            pool.queue(
                [first.clone(), second.clone()],
                jobs,
                || {
                    written_pid(first.as_ref());
                    written_pid(second.as_ref());
                    before.set((resident(), descriptors()));
                },
                || {
                    let grown = [resident() - before.get().0, descriptors() - before.get().1];
                    figures = Some(grown.map(|all| all as f64 / jobs as f64).to_vec());
                },
            );
            figures
        }
        "idle" => {
            let workers = descendants(std::process::id());
            let largest = workers.into_iter().map(proportional).max()?;
            Some(vec![largest as f64 / f64::from(1 << 20)])
        }
        unknown => panic!("no row is called {unknown}"),
    }
}

/// Gigabytes a second, those that go and those that come back.
fn echo(mut pool: impl Peer, times: u64, size: usize) -> f64 {
    let mut bytes = vec![7; size];
    let micros = micros_each(times, |_| bytes = pool.echo(std::mem::take(&mut bytes)));
    assert!(bytes.len() == size && bytes.iter().all(|byte| *byte == 7));
    2.0 * size as f64 / median(&micros) / 1e3
}

/// Waits until the jobs have begun, and kills the worker of the first.
fn kills<'a>(first: &'a str, second: Option<&'a String>) -> impl FnOnce() -> Instant + use<'a> {
    move || {
        let pid = written_pid(first.as_ref());
        if let Some(second) = second {
            written_pid(second.as_ref());
        }
        assert!(fs::exists(first).unwrap_or(false));
        let now = Instant::now();
        kill(pid);
        now
    }
}
