//! The rows of the table: what each measures, how often, and in which unit.

pub mod echo;
pub mod memory;
pub mod ping_pong;
pub mod sleeps;
pub mod spawn_join;
pub mod start;
pub mod timers;
pub mod wake;
pub mod wake_remote;
pub mod yields;

use std::time::Duration;

use crate::contestants::Works;
use crate::measure;

pub struct Row {
    /// What the filter and `--one` call it.
    pub key: &'static str,
    pub title: &'static str,
    pub figures: &'static [Figure],
    /// Repetitions of which the median is taken.
    pub repetitions: u64,
    pub measure: Measure,
}

/// One number that a row gives.
pub struct Figure {
    pub what: &'static str,
    pub unit: &'static str,
    pub better: Better,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Better {
    Less,
    More,
    /// Told, not judged.
    Neither,
}

/// How a row comes to its figures. All give `None` if the peer has no means for it.
pub enum Measure {
    /// So many operations, in nanoseconds each, or in microseconds if the figure says so. These rows can
    /// also be counted in instructions.
    Each {
        /// So many tasks or timers at a time.
        batch: u64,
        operations: u64,
        work: fn(&Works, u64, u64) -> Option<Duration>,
    },
    /// Figures of its own kind.
    Figures(fn(&Works) -> Option<Vec<f64>>),
    /// Bytes each, measured in a process of its own.
    Bytes {
        parts: u64,
        work: fn(&Works) -> Option<InFreshProcess>,
    },
}

/// Prints its figure and ends the process.
type InFreshProcess = fn(u64);

impl Row {
    /// The figures of one repetition. `Bytes` are not measured here.
    pub fn figures_of(&self, works: &Works) -> Option<Vec<f64>> {
        match self.measure {
            Measure::Each {
                batch,
                operations,
                work,
            } => {
                let nanos = measure::each(work(works, batch, operations)?, operations);
                let unit = if self.figures[0].unit == "µs" {
                    1e3
                } else {
                    1.0
                };
                Some(vec![nanos / unit])
            }
            Measure::Figures(figures) => figures(works),
            Measure::Bytes { .. } => None,
        }
    }
}

const NANOSECONDS: &[Figure] = &[Figure {
    what: "",
    unit: "ns",
    better: Better::Less,
}];
const MICROSECONDS: &[Figure] = &[Figure {
    what: "",
    unit: "µs",
    better: Better::Less,
}];
const BYTES: &[Figure] = &[Figure {
    what: "",
    unit: "B",
    better: Better::Less,
}];
const LATENCY: &[Figure] = &[
    Figure {
        what: "p50",
        unit: "µs",
        better: Better::Less,
    },
    Figure {
        what: "p99",
        unit: "µs",
        better: Better::Less,
    },
];
const SLEEPS: &[Figure] = &[
    Figure {
        what: "CPU each",
        unit: "ns",
        better: Better::Less,
    },
    Figure {
        what: "lateness p50",
        unit: "µs",
        better: Better::Less,
    },
    Figure {
        what: "lateness p99",
        unit: "µs",
        better: Better::Less,
    },
    Figure {
        what: "earliest",
        unit: "µs",
        better: Better::Neither,
    },
];
const ECHO: &[Figure] = &[
    Figure {
        what: "requests/s",
        unit: "k",
        better: Better::More,
    },
    Figure {
        what: "server CPU per request",
        unit: "µs",
        better: Better::Less,
    },
];

/// The table, from top to bottom.
pub fn all() -> Vec<Row> {
    vec![
        each(
            "spawn-join-1k",
            "spawn, then join: 1,000 tasks",
            1_000,
            20_000,
            41,
            |w, batch, n| Some((w.spawn_join)(batch, n)),
        ),
        each(
            "spawn-join-10k",
            "spawn, then join: 10,000 tasks",
            10_000,
            50_000,
            21,
            |w, batch, n| Some((w.spawn_join)(batch, n)),
        ),
        each(
            "spawn-join-100k",
            "spawn, then join: 100,000 tasks",
            100_000,
            100_000,
            15,
            |w, batch, n| Some((w.spawn_join)(batch, n)),
        ),
        each(
            "spawn-join-at-once",
            "spawn and join at once",
            1,
            20_000,
            41,
            |w, _, n| Some((w.spawn_join_at_once)(n)),
        ),
        each("yield-1", "yield: 1 task", 1, 20_000, 41, |w, batch, n| {
            Some((w.yields)(batch, n))
        }),
        each(
            "yield-100",
            "yield: 100 tasks",
            100,
            20_000,
            41,
            |w, batch, n| Some((w.yields)(batch, n)),
        ),
        each(
            "yield-10k",
            "yield: 10,000 tasks",
            10_000,
            100_000,
            21,
            |w, batch, n| Some((w.yields)(batch, n)),
        ),
        each(
            "ping-pong-local",
            "ping-pong over local-channel",
            1,
            20_000,
            41,
            |w, _, n| Some((w.over_local_channel)(n)),
        ),
        each(
            "ping-pong-own",
            "ping-pong over its own channel",
            1,
            20_000,
            41,
            |w, _, n| Some(w.over_its_own?(n)),
        ),
        each(
            "ping-pong-futures",
            "ping-pong over futures' mpsc",
            1,
            20_000,
            41,
            |w, _, n| Some((w.over_futures_mpsc)(n)),
        ),
        each(
            "wake-1k",
            "wake on the same thread: 1,000 tasks",
            1_000,
            20_000,
            41,
            |w, batch, n| Some((w.wake)(batch, n)),
        ),
        each(
            "wake-100k",
            "wake on the same thread: 100,000 tasks",
            100_000,
            200_000,
            15,
            |w, batch, n| Some((w.wake)(batch, n)),
        ),
        each(
            "remote-throughput",
            "wake from another thread: 1,000 tasks",
            1_000,
            200_000,
            21,
            |w, batch, n| Some((w.remote_throughput)(batch, n)),
        ),
        Row {
            key: "remote-latency",
            title: "wake from another thread: latency",
            figures: LATENCY,
            repetitions: 7,
            measure: Measure::Figures(|w| Some((w.remote_latency)(1_000).to_vec())),
        },
        each(
            "timers-1k",
            "timer set and cancelled: 1,000 at a time",
            1_000,
            20_000,
            41,
            |w, batch, n| Some(w.insert_and_cancel?(batch, n)),
        ),
        each(
            "timers-100k",
            "timer set and cancelled: 100,000 at a time",
            100_000,
            100_000,
            11,
            |w, batch, n| Some(w.insert_and_cancel?(batch, n)),
        ),
        each(
            "timers-1m",
            "timer set and cancelled: 1,000,000 at a time",
            1_000_000,
            1_000_000,
            5,
            |w, batch, n| Some(w.insert_and_cancel?(batch, n)),
        ),
        Row {
            key: "sleeps",
            title: "100,000 sleeps within 500 ms",
            figures: SLEEPS,
            repetitions: 5,
            measure: Measure::Figures(|w| {
                Some(w.sleeps?(100_000, Duration::from_millis(500)).to_vec())
            }),
        },
        Row {
            key: "exact-sleeps",
            title: "100,000 sleeps within 500 ms, exact if the peer can",
            figures: SLEEPS,
            repetitions: 5,
            measure: Measure::Figures(|w| {
                Some(w.exact_sleeps?(100_000, Duration::from_millis(500)).to_vec())
            }),
        },
        echo("echo-1", "echo, 1 connection", |w| echo_of(w, 1)),
        echo("echo-100", "echo, 100 connections", |w| echo_of(w, 100)),
        echo("echo-1000", "echo, 1,000 connections", |w| {
            echo_of(w, 1_000)
        }),
        echo("echo-8000", "echo, 8,000 connections", |w| {
            echo_of(w, 8_000)
        }),
        Row {
            key: "memory-task",
            title: "memory of a parked task",
            figures: BYTES,
            repetitions: 3,
            measure: Measure::Bytes {
                parts: 100_000,
                work: |w| Some(w.parked_tasks),
            },
        },
        Row {
            key: "memory-connection",
            title: "memory of an idle connection",
            figures: BYTES,
            repetitions: 3,
            measure: Measure::Bytes {
                parts: 8_000,
                work: |w| w.idle_connections,
            },
        },
        Row {
            key: "start",
            title: "create, run a ready future, drop",
            figures: MICROSECONDS,
            repetitions: 21,
            measure: Measure::Each {
                batch: 1,
                operations: 20,
                work: |w, _, n| Some((w.start)(n)),
            },
        },
    ]
}

fn each(
    key: &'static str,
    title: &'static str,
    batch: u64,
    operations: u64,
    repetitions: u64,
    work: fn(&Works, u64, u64) -> Option<Duration>,
) -> Row {
    Row {
        key,
        title,
        figures: NANOSECONDS,
        repetitions,
        measure: Measure::Each {
            batch,
            operations,
            work,
        },
    }
}

fn echo(key: &'static str, title: &'static str, figures: fn(&Works) -> Option<Vec<f64>>) -> Row {
    Row {
        key,
        title,
        figures: ECHO,
        // Whom the system puts on which core, and when, is another matter each time.
        repetitions: 9,
        measure: Measure::Figures(figures),
    }
}

fn echo_of(works: &Works, connections: u64) -> Option<Vec<f64>> {
    let [per_second, micros] = works.echo?(connections, Duration::from_millis(500));
    Some(vec![per_second / 1e3, micros])
}
