//! `course hiring`: what robots cost. A week's contracts, worked out in virtual time; and what a thread costs on this
//! machine, measured.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use flight::{Event, Recording};
use restaurant::Shift;
use restaurant::story::{self, TableState};
use threadbots::{Coordination, Opening};

use crate::cli;
use crate::trouble::{Trouble, status};

/// Everybody else is one of a kind: GreetBot, ChefBot, WineBot.
const BESIDE_WAITERS: usize = 3;
/// The crews in question: four robots, up to the seven of a Friday.
const WAITERS: std::ops::RangeInclusive<usize> = 1..=4;
/// A crew is large enough if guests wait no longer than this, on average, until somebody has taken their order. Most of
/// it is their own: they dither for close to three minutes over the menu, with a robot beside them.
const ENOUGH: Duration = Duration::from_secs(4 * 60);

/// One evening of the week.
struct Day {
    name: &'static str,
    parties: u32,
    minutes: u32,
}

const WEEK: [Day; 7] = [
    Day {
        name: "Monday",
        parties: 8,
        minutes: 120,
    },
    Day {
        name: "Tuesday",
        parties: 8,
        minutes: 120,
    },
    Day {
        name: "Wednesday",
        parties: 12,
        minutes: 150,
    },
    Day {
        name: "Thursday",
        parties: 16,
        minutes: 180,
    },
    Day {
        name: "Friday",
        parties: 24,
        minutes: 180,
    },
    Day {
        name: "Saturday",
        parties: 22,
        minutes: 180,
    },
    Day {
        name: "Sunday",
        parties: 6,
        minutes: 120,
    },
];

/// Prints both tables; with `markdown`, also writes them there for the book.
///
/// # Errors
///
/// A file that cannot be written, threads that cannot be had: one sentence each.
pub fn command(seed: &str, markdown: Option<&Path>) -> anyhow::Result<u8> {
    let seed = cli::whole_number("seed", seed)?;
    let week: Vec<Evening> = WEEK.iter().map(|day| Evening::of(day, seed)).collect();
    cli::print(&week_table(&week, seed))?;
    cli::print("\nMeasuring what a robot costs on this machine ...\n")?;
    let costs = Costs::measure()?;
    cli::print(&costs.table())?;
    if let Some(path) = markdown {
        let week = anchored("week", &week_markdown(&week));
        let text = format!("{week}\n{}", anchored("costs", &costs.markdown()));
        fs::write(path, text).map_err(|error| {
            Trouble::input(format!(
                "{} cannot be written ({error}): name another file.",
                path.display()
            ))
        })?;
        cli::print(&format!("written: {}\n", path.display()))?;
    }
    Ok(status::DONE)
}

/// A page of the book includes it by this name.
fn anchored(name: &str, text: &str) -> String {
    format!("<!-- ANCHOR: {name} -->\n\n{text}\n<!-- ANCHOR_END: {name} -->\n")
}

/// An evening, served by each of the crews.
struct Evening {
    name: &'static str,
    parties: u32,
    /// By the number of WaitBots, from 1.
    served: Vec<Served>,
}

/// How one crew served it.
struct Served {
    /// Until everything was clear.
    length: Duration,
    /// From sitting down until somebody has taken the order, on average.
    wait: Duration,
}

impl Evening {
    fn of(day: &Day, seed: u64) -> Evening {
        let shift = Shift::plan(seed, 6, day.parties, day.minutes);
        let served = |waiters| {
            let evening = Opening::new(Coordination::Coordinated)
                .waiters(waiters)
                .rehearse(&shift);
            Served {
                length: evening.report.length,
                wait: average_wait(&evening.recording),
            }
        };
        Evening {
            name: day.name,
            parties: day.parties,
            served: WAITERS.map(served).collect(),
        }
    }

    /// The smallest crew that serves it well enough: how many robots. The largest one, if none does.
    fn needs(&self) -> usize {
        let enough = self.served.iter().position(|served| served.wait <= ENOUGH);
        BESIDE_WAITERS + WAITERS.start() + enough.unwrap_or(self.served.len() - 1)
    }

    /// A crew of so many robots is there until everything is clear.
    fn robot_hours(&self, robots: usize) -> f64 {
        let served = &self.served[robots - BESIDE_WAITERS - WAITERS.start()];
        robots as f64 * served.length.as_secs_f64() / 3600.0
    }
}

/// From the record: how long tables stood in the state "seated" before they stood in the state "ordered".
fn average_wait(recording: &Recording) -> Duration {
    let (mut seated, mut waits) = (BTreeMap::new(), Vec::new());
    for entry in &recording.events {
        let Event::Mark {
            text,
            category,
            value: table,
        } = entry.event
        else {
            continue;
        };
        if recording.text(category) != story::TABLE {
            continue;
        }
        let state = recording.text(text);
        if state == TableState::Seated.name() {
            seated.entry(table).or_insert(entry.t);
        } else if let Some(since) = seated.remove(&table) {
            waits.push(entry.t - since);
        }
    }
    Duration::from_nanos(waits.iter().sum::<u64>() / waits.len().max(1) as u64)
}

/// What a week costs with the same crew each evening, and with as many robots as each evening needs.
fn summary(week: &[Evening]) -> String {
    let sum = |robots: &dyn Fn(&Evening) -> usize| -> f64 {
        week.iter()
            .map(|evening| evening.robot_hours(robots(evening)))
            .sum()
    };
    let needed = sum(&Evening::needs);
    let fullest = week
        .iter()
        .map(Evening::needs)
        .max()
        .unwrap_or(BESIDE_WAITERS);
    let largest = BESIDE_WAITERS + WAITERS.end();
    let mut text = format!("As many robots as each evening needs: {needed:.0} robot-hours.");
    for (why, robots) in [
        ("what the fullest evening needs", fullest),
        ("the story's Friday", largest),
    ] {
        let paid = sum(&|_| robots);
        let _ = write!(
            text,
            "\nA contract for the week for {robots}, {why}: {paid:.0} robot-hours, {:.0} % of them for robots that stand about.",
            (1.0 - needed / paid) * 100.0
        );
    }
    text
}

fn minutes(wait: Duration) -> String {
    format!("{}:{:02} min", wait.as_secs() / 60, wait.as_secs() % 60)
}

fn week_table(week: &[Evening], seed: u64) -> String {
    let mut text = format!(
        "The week of seed {seed}, coordinated, in virtual time. How long a party waits,\non average, from sitting down until somebody has taken its order:\n\n"
    );
    let _ = write!(text, "{:<10} {:>7}", "", "parties");
    for waiters in WAITERS {
        let _ = write!(
            text,
            " {:>10}",
            format!("{} robots", BESIDE_WAITERS + waiters)
        );
    }
    text.push_str("   enough\n");
    for evening in week {
        let _ = write!(text, "{:<10} {:>7}", evening.name, evening.parties);
        for served in &evening.served {
            let _ = write!(text, " {:>10}", minutes(served.wait));
        }
        let _ = writeln!(text, "   {}", evening.needs());
    }
    let _ = writeln!(
        text,
        "\nEnough: the smallest crew with which that is no more than {} minutes.\n{}",
        ENOUGH.as_secs() / 60,
        summary(week)
    );
    text
}

fn week_markdown(week: &[Evening]) -> String {
    let mut text = "| evening | parties |".to_owned();
    for waiters in WAITERS {
        let _ = write!(text, " {} robots |", BESIDE_WAITERS + waiters);
    }
    text.push_str(" enough |\n|---|--:|");
    text.push_str(&"--:|".repeat(WAITERS.count() + 1));
    text.push('\n');
    for evening in week {
        let _ = write!(text, "| {} | {} |", evening.name, evening.parties);
        for served in &evening.served {
            let _ = write!(text, " {} |", minutes(served.wait));
        }
        let _ = writeln!(text, " {} |", evening.needs());
    }
    for line in summary(week).lines() {
        let _ = write!(text, "\n- {line}");
    }
    text.push('\n');
    text
}

/// What a thread costs here, beside a task of LoopBot's. Times are medians of several rounds.
struct Costs {
    /// Starting a thread and waiting for its end.
    thread: Duration,
    /// Starting a task and waiting for its end.
    task: Duration,
    /// Handing over from one thread to another.
    thread_switch: Duration,
    /// Handing over from one task to another.
    task_switch: Duration,
    /// Memory in use for a thread that waits, in bytes. None where the system does not tell.
    memory: Option<u64>,
}

const ROUNDS: usize = 9;
const STARTS: u32 = 500;
const SWITCHES: u32 = 5_000;
const TASKS: u32 = 20_000;
const WAITING: usize = 1_000;

impl Costs {
    fn measure() -> anyhow::Result<Costs> {
        Ok(Costs {
            thread: median(start_threads),
            task: median(start_tasks),
            thread_switch: median(switch_threads),
            task_switch: median(switch_tasks),
            memory: memory_of_a_thread()?,
        })
    }

    fn rows(&self) -> [(&'static str, String, String); 3] {
        let memory = self.memory.map_or_else(
            || "not told by this system".to_owned(),
            |bytes| format!("{:.1} KiB", bytes as f64 / 1024.0),
        );
        [
            (
                "start it, and wait for its end",
                readable(self.thread),
                readable(self.task),
            ),
            (
                "hand over to another one",
                readable(self.thread_switch),
                readable(self.task_switch),
            ),
            (
                "memory in use while it waits",
                memory,
                "see \"What it costs\"".to_owned(),
            ),
        ]
    }

    fn table(&self) -> String {
        let mut text = format!(
            "\n{:<32} {:>24} {:>24}\n",
            "", "a robot (thread)", "a task of LoopBot's"
        );
        for (what, thread, task) in self.rows() {
            let _ = writeln!(text, "{what:<32} {thread:>24} {task:>24}");
        }
        let _ = writeln!(
            text,
            "\nMedians of {ROUNDS} rounds. Beside what it uses, each thread reserves 2 MiB of addresses for its stack."
        );
        text
    }

    fn markdown(&self) -> String {
        let mut text = "| | a robot (thread) | a task of LoopBot's |\n|---|--:|--:|\n".to_owned();
        for (what, thread, task) in self.rows() {
            let _ = writeln!(text, "| {what} | {thread} | {task} |");
        }
        text
    }
}

fn readable(time: Duration) -> String {
    match time.as_nanos() {
        nanos @ ..1_000 => format!("{nanos} ns"),
        _ => format!("{:.1} µs", time.as_secs_f64() * 1e6),
    }
}

fn median(mut round: impl FnMut() -> Duration) -> Duration {
    let mut rounds: Vec<Duration> = (0..ROUNDS).map(|_| round()).collect();
    rounds.sort_unstable();
    rounds[ROUNDS / 2]
}

fn start_threads() -> Duration {
    let start = Instant::now();
    for _ in 0..STARTS {
        thread::spawn(|| ())
            .join()
            .expect("a thread that does nothing does not panic");
    }
    start.elapsed() / STARTS
}

fn start_tasks() -> Duration {
    let start = Instant::now();
    loopbot::run(async {
        for _ in 0..TASKS {
            loopbot::spawn(async {})
                .await
                .expect("a task that does nothing does not panic");
        }
    });
    start.elapsed() / TASKS
}

/// Two threads that wake each other in turn, each asleep until then.
fn switch_threads() -> Duration {
    let turn = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let here = thread::current();
    let other = {
        let turn = Arc::clone(&turn);
        thread::spawn(move || take_turns(&turn, 1, &here))
    };
    let start = Instant::now();
    take_turns(&turn, 0, other.thread());
    other.join().expect("taking turns does not panic");
    start.elapsed() / (2 * SWITCHES)
}

fn take_turns(turn: &std::sync::atomic::AtomicU32, mine: u32, other: &thread::Thread) {
    use std::sync::atomic::Ordering::{Acquire, Release};
    for round in 0..SWITCHES {
        while turn.load(Acquire) != 2 * round + mine {
            thread::park();
        }
        turn.store(2 * round + mine + 1, Release);
        other.unpark();
    }
}

/// Two tasks that give way to each other in turn.
fn switch_tasks() -> Duration {
    let start = Instant::now();
    loopbot::run(async {
        let other = loopbot::spawn(give_way());
        give_way().await;
        other.await.expect("giving way does not panic");
    });
    start.elapsed() / (2 * TASKS)
}

async fn give_way() {
    for _ in 0..TASKS {
        loopbot::yield_now().await;
    }
}

/// How much more memory is in use while a thousand threads wait, a thousandth of it.
fn memory_of_a_thread() -> anyhow::Result<Option<u64>> {
    let (ready, over) = (
        Arc::new(Barrier::new(WAITING + 1)),
        Arc::new(Barrier::new(WAITING + 1)),
    );
    // The first threads of a process make the allocator grow; they are not to be counted.
    start_threads();
    let before = memory_in_use();
    let mut robots = Vec::new();
    for hired in 0..WAITING {
        let (ready, over) = (Arc::clone(&ready), Arc::clone(&over));
        let wait = move || {
            ready.wait();
            over.wait();
        };
        match thread::Builder::new().spawn(wait) {
            Ok(robot) => robots.push(robot),
            // Those who are there already wait for a meeting that will not be. They end with the process.
            Err(error) => {
                return Err(Trouble::environment(format!(
                    "This system gives {hired} threads to a program, and {WAITING} were to wait at once ({error})."
                )));
            }
        }
    }
    ready.wait();
    let during = memory_in_use();
    over.wait();
    for robot in robots {
        robot.join().expect("waiting does not panic");
    }
    Ok(before
        .zip(during)
        .map(|(before, during)| during.saturating_sub(before) / WAITING as u64))
}

/// Bytes of this process that are in memory: on Linux, where `/proc` tells.
fn memory_in_use() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_evening_needs_fewer_robots_than_a_full_one() {
        let week: Vec<Evening> = WEEK.iter().map(|day| Evening::of(day, 42)).collect();
        let needs = |name| {
            week.iter()
                .find(|evening| evening.name == name)
                .unwrap()
                .needs()
        };
        assert!(
            needs("Sunday") < needs("Friday"),
            "{}",
            week_table(&week, 42)
        );
    }

    #[test]
    fn the_week_is_the_same_each_time() {
        let week = || {
            WEEK.iter()
                .map(|day| Evening::of(day, 7))
                .collect::<Vec<_>>()
        };
        assert_eq!(week_table(&week(), 7), week_table(&week(), 7));
        assert!(week_markdown(&week()).lines().count() >= WEEK.len() + 2);
    }

    #[test]
    fn every_cost_is_measured() {
        let costs = Costs::measure().unwrap();
        for time in [
            costs.thread,
            costs.task,
            costs.thread_switch,
            costs.task_switch,
        ] {
            assert!(!time.is_zero(), "{}", costs.table());
        }
        if cfg!(target_os = "linux") {
            assert!(
                costs.memory.is_some_and(|bytes| bytes > 0),
                "{}",
                costs.table()
            );
        }
    }
}
