//! What a recording says about itself: rules that look for what usually goes wrong, and say it in a sentence.
//!
//! A rule looks at a whole [`Recording`] and gives [`Hit`]s. Each names who it is about, when it was, what was
//! meant to happen, and the events that show it. Program, page and tests use the same rules: there is no
//! second opinion.
//!
//! ```
//! use std::time::Duration;
//! use flight::rules::{self, Limits, Rule, Severity};
//! use flight::{ActorKind, Event, Header, Recorder, VirtualTime};
//!
//! let time = VirtualTime::new();
//! let recorder = Recorder::new(Header::virtual_time("dinner", &time));
//! let robot = recorder.actor("LoopBot", ActorKind::Loop);
//! let task = recorder.task("the chatty guest");
//! let cause = robot.record(Event::TaskSpawn { task, by: None });
//! robot.record(Event::PollBegin { task, poll: 1, cause });
//! time.advance(Duration::from_secs(1));
//! robot.record(Event::PollEnd { task, ready: true });
//! drop(robot);
//!
//! let hits = rules::look(&recorder.recording(), &Limits::default());
//! assert_eq!((hits[0].rule, hits[0].severity), (Rule::LongPoll, Severity::Red));
//! assert!(hits[0].says.starts_with("the chatty guest kept LoopBot to itself for 1 s in one poll"));
//! ```
//!
//! Limits are what a person at a table would put up with. A run on a virtual clock may have its own:
//! [`Header::limits`], [`Limits::of`].
//!
//! A rule that speaks of what did *not* happen (nobody woke it, nobody heard of it) keeps silent where events
//! are missing from the recording: a torn tape proves nothing.
//!
//! | file | idea |
//! |---|---|
//! | `run.rs` | the events, read once: polls, tasks, who is ready since when |
//! | `words.rs` | times as a person says them |
//! | `long_poll.rs`, `late_timer.rs`, `ready_delay.rs` | the loop is held, and who waits for it |
//! | `lost_waker.rs`, `never_polled.rs`, `leaked_task.rs` | tasks that do not come to their end |
//! | `self_wake_storm.rs`, `starvation.rs` | turns that are not shared |
//! | `guard_across_await.rs`, `lock_cycle.rs` | locks |
//! | `unjoined_panic.rs` | what nobody heard |
//! | `queue_growth.rs`, `oversubscribed.rs` | more work than hands, more hands than cores |

mod guard_across_await;
mod late_timer;
mod leaked_task;
mod lock_cycle;
mod long_poll;
mod lost_waker;
mod never_polled;
mod oversubscribed;
mod queue_growth;
mod ready_delay;
mod run;
mod self_wake_storm;
mod starvation;
mod unjoined_panic;
mod words;

#[cfg(test)]
mod made_up;

use std::cmp::Reverse;
use std::fmt;
use std::time::Duration;

use crate::recording::{Entry, Header, Recording};
use run::Run;

/// Everything that the rules find in a recording: first what is [red](Severity::Red), each in order of time.
pub fn look(recording: &Recording, limits: &Limits) -> Vec<Hit> {
    let run = Run::of(recording);
    let mut hits: Vec<Hit> = Rule::ALL
        .iter()
        .flat_map(|rule| rule.look(&run, limits))
        .collect();
    hits.sort_by_key(|hit| (Reverse(hit.severity), hit.at));
    hits
}

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// One poll keeps the loop to itself.
    LongPoll,
    /// A timer fires after its time, or has not fired when the record ends.
    LateTimer,
    /// A task is ready and does not get its turn.
    ReadyDelay,
    /// A task waits, and nobody can wake it.
    LostWaker,
    /// A task wakes itself again and again.
    SelfWakeStorm,
    /// A task was spawned and never begun.
    NeverPolled,
    /// A lock is kept while its task waits for something else.
    GuardAcrossAwait,
    /// Robots wait for each other's locks.
    LockCycle,
    /// A task is dropped in the middle, because its loop ended.
    LeakedTask,
    /// A task panicked, and nobody heard of it.
    UnjoinedPanic,
    /// A queue gets longer and longer.
    QueueGrowth,
    /// Another task has turn after turn while this one is ready.
    Starvation,
    /// More threads want to run than there are cores for.
    Oversubscribed,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// It did little harm in this run. With more guests, or on another day, it will.
    Note,
    /// Somebody was harmed: had to wait for long, was forgotten, or can never go on.
    Red,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The rule that was broken.
    pub rule: Rule,
    /// How bad it is.
    pub severity: Severity,
    /// Who it is about: a task, a robot, a queue.
    pub subject: String,
    /// What happened, in one sentence: who, when, and what was meant to happen.
    pub says: String,
    /// What the rule allows: nanoseconds for a time, else a number of times; 0 if it allows nothing.
    pub limit: u64,
    /// What there was instead, in the same unit.
    pub observed: u64,
    /// When it happened, in nanoseconds since the start: where to look first.
    pub at: u64,
    /// The numbers ([`Entry::n`]) of the events that show it, in order.
    pub evidence: Vec<u64>,
}

/// What is still all right. The default is for learning: it says early what a service would put up with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a poll may take: 1 ms.
    pub long_poll: Duration,
    /// How late a timer may fire: 5 ms.
    pub late_timer: Duration,
    /// How long a task may be ready before it is polled: 5 ms.
    pub ready_delay: Duration,
    /// How many times one of these limits makes a hit red: 10.
    pub red_factor: u32,
    /// How many times a task may wake itself, if that is ...: 100.
    pub self_wakes: u64,
    /// ... more than this share of all its wakes, in percent: 50.
    pub self_wake_percent: u64,
    /// How many samples of a queue's length may grow, one after the other: 10.
    pub queue_samples: usize,
    /// Lengths that were noted closer together than this count as one sample, the last: 1 ms.
    pub queue_sample_every: Duration,
    /// How many turns another task may have while one is ready: 10.
    pub turns_while_ready: usize,
    /// How many threads may want to run for each core: 2.
    pub threads_per_core: u64,
    /// For how long there may be more of them: 10 ms.
    pub oversubscribed_for: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            long_poll: Duration::from_millis(1),
            late_timer: Duration::from_millis(5),
            ready_delay: Duration::from_millis(5),
            red_factor: 10,
            self_wakes: 100,
            self_wake_percent: 50,
            queue_samples: 10,
            queue_sample_every: Duration::from_millis(1),
            turns_while_ready: 10,
            threads_per_core: 2,
            oversubscribed_for: Duration::from_millis(10),
        }
    }
}

/// Under these names a recording says, among its facts, what is long on its own clock; in nanoseconds.
const LONG_POLL: &str = "limit long_poll";
const LATE_TIMER: &str = "limit late_timer";
const READY_DELAY: &str = "limit ready_delay";
/// And this is a number of times.
const RED_FACTOR: &str = "limit red_factor";

impl Header {
    /// Puts into the facts what is long on this run's clock. A virtual clock has a scale of its own: where the work of
    /// a minute is simulated, a poll of a minute is nothing to speak of.
    ///
    /// Of the limits, this keeps `long_poll`, `late_timer`, `ready_delay` and `red_factor`.
    pub fn limits(self, limits: &Limits) -> Header {
        self.fact(LONG_POLL, limits.long_poll.as_nanos())
            .fact(LATE_TIMER, limits.late_timer.as_nanos())
            .fact(READY_DELAY, limits.ready_delay.as_nanos())
            .fact(RED_FACTOR, limits.red_factor)
    }
}

impl Limits {
    /// The limits that a recording [brings with it](Header::limits); the default, where it brings none.
    ///
    /// ```
    /// use std::time::Duration;
    /// use flight::rules::Limits;
    /// use flight::{Header, Recorder, VirtualTime};
    ///
    /// let minutes = Limits { long_poll: Duration::from_secs(60), ..Limits::default() };
    /// let header = Header::virtual_time("a slow evening", &VirtualTime::new()).limits(&minutes);
    /// assert_eq!(Limits::of(&Recorder::new(header).recording()), minutes);
    /// ```
    pub fn of(recording: &Recording) -> Limits {
        let number = |name: &str| recording.header.facts.get(name)?.parse::<u64>().ok();
        let time = |name, or| number(name).map_or(or, Duration::from_nanos);
        let usual = Limits::default();
        Limits {
            long_poll: time(LONG_POLL, usual.long_poll),
            late_timer: time(LATE_TIMER, usual.late_timer),
            ready_delay: time(READY_DELAY, usual.ready_delay),
            red_factor: number(RED_FACTOR)
                .and_then(|factor| u32::try_from(factor).ok())
                .unwrap_or(usual.red_factor),
            ..usual
        }
    }

    /// How bad it is to exceed a limit of time by so much; `None` if it is not exceeded.
    fn severity(&self, limit: Duration, observed: u64) -> Option<Severity> {
        if observed <= ns(limit) {
            None
        } else if observed <= ns(limit.saturating_mul(self.red_factor)) {
            Some(Severity::Note)
        } else {
            Some(Severity::Red)
        }
    }
}

impl Rule {
    /// All rules.
    pub const ALL: [Rule; 13] = [
        Rule::LongPoll,
        Rule::LateTimer,
        Rule::ReadyDelay,
        Rule::LostWaker,
        Rule::SelfWakeStorm,
        Rule::NeverPolled,
        Rule::GuardAcrossAwait,
        Rule::LockCycle,
        Rule::LeakedTask,
        Rule::UnjoinedPanic,
        Rule::QueueGrowth,
        Rule::Starvation,
        Rule::Oversubscribed,
    ];

    /// Its name, as files spell it.
    pub fn name(self) -> &'static str {
        match self {
            Rule::LongPoll => "long_poll",
            Rule::LateTimer => "late_timer",
            Rule::ReadyDelay => "ready_delay",
            Rule::LostWaker => "lost_waker",
            Rule::SelfWakeStorm => "self_wake_storm",
            Rule::NeverPolled => "never_polled",
            Rule::GuardAcrossAwait => "guard_across_await",
            Rule::LockCycle => "lock_cycle",
            Rule::LeakedTask => "leaked_task",
            Rule::UnjoinedPanic => "unjoined_panic",
            Rule::QueueGrowth => "queue_growth",
            Rule::Starvation => "starvation",
            Rule::Oversubscribed => "oversubscribed",
        }
    }

    /// The chapter of the book that tells how it comes about and what to do.
    pub fn chapter(self) -> u8 {
        match self {
            Rule::LongPoll | Rule::LateTimer => 17,
            Rule::ReadyDelay => 18,
            Rule::LostWaker => 9,
            Rule::SelfWakeStorm | Rule::Starvation => 10,
            Rule::NeverPolled | Rule::UnjoinedPanic => 13,
            Rule::GuardAcrossAwait => 19,
            Rule::LockCycle => 6,
            Rule::LeakedTask => 15,
            Rule::QueueGrowth => 5,
            Rule::Oversubscribed => 21,
        }
    }

    /// What it means when this rule is broken, and what to do about it.
    pub fn explain(self) -> &'static str {
        match self {
            Rule::LongPoll => {
                "One poll kept the loop for long, and a loop does one thing at a time. Something in this poll blocks or computes: \
                 await it, give way in between, or hand it to a thread (chapter 17)."
            }
            Rule::LateTimer => {
                "A timer fired after its time. A loop can look at the clock only between two polls, so look for the \
                 long poll before it; if there is none, the machine had no core for the loop when it was time (chapter 17)."
            }
            Rule::ReadyDelay => {
                "A task was ready, and its turn came late. Who held the loop meanwhile? A long poll, or very many short ones (chapter 18)."
            }
            Rule::LostWaker => {
                "A task waits for a wake that cannot come. A future that returns Pending must see to it that its waker is called: \
                 keep a copy of it where the event will be noticed (chapter 9)."
            }
            Rule::SelfWakeStorm => {
                "A task wakes itself in order to ask again, and that is no waiting: the loop never sleeps. \
                 Wait for something that will call the waker (chapter 10)."
            }
            Rule::NeverPolled => {
                "A task was spawned, and the run ended before its first turn. What is spawned must be awaited by somebody, or it may never begin (chapter 13)."
            }
            Rule::GuardAcrossAwait => {
                "A task went on waiting with a lock in its hand. Whoever else wants the lock stops the whole thread, and with it the task \
                 that could give it back. Drop the guard before the await, or use a lock that is awaited (chapter 19)."
            }
            Rule::LockCycle => {
                "Robots wait for each other in a circle, each with a lock that another one wants. Take locks in one order everywhere (chapter 6)."
            }
            Rule::LeakedTask => {
                "A task was still waiting when its loop ended, and was dropped where it stood. Await it, or tell it to finish and await that (chapter 15)."
            }
            Rule::UnjoinedPanic => {
                "A task panicked, and nobody asked how it ended. A panic ends one task and not the program, so somebody has to await the handle and look (chapter 13)."
            }
            Rule::QueueGrowth => {
                "A queue grows and grows: more comes in than goes out. Bound it, so that those who bring have to wait (chapter 5)."
            }
            Rule::Starvation => {
                "One task has turn after turn while another one is ready. Whoever picks the next task must not forget the others (chapter 10)."
            }
            Rule::Oversubscribed => {
                "More threads want to run than there are cores for. They take turns and get in each other's way: as many as cores is enough for computing (chapter 21)."
            }
        }
    }

    /// The rule with this name.
    pub fn named(name: &str) -> Option<Rule> {
        Rule::ALL.into_iter().find(|rule| rule.name() == name)
    }

    fn look(self, run: &Run<'_>, limits: &Limits) -> Vec<Hit> {
        match self {
            Rule::LongPoll => long_poll::look(run, limits),
            Rule::LateTimer => late_timer::look(run, limits),
            Rule::ReadyDelay => ready_delay::look(run, limits),
            Rule::LostWaker => lost_waker::look(run),
            Rule::SelfWakeStorm => self_wake_storm::look(run, limits),
            Rule::NeverPolled => never_polled::look(run),
            Rule::GuardAcrossAwait => guard_across_await::look(run),
            Rule::LockCycle => lock_cycle::look(run),
            Rule::LeakedTask => leaked_task::look(run),
            Rule::UnjoinedPanic => unjoined_panic::look(run),
            Rule::QueueGrowth => queue_growth::look(run, limits),
            Rule::Starvation => starvation::look(run, limits),
            Rule::Oversubscribed => oversubscribed::look(run, limits),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Severity {
    /// Its name, as files spell it.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Red => "red",
        }
    }
}

/// Nanoseconds, as the record counts.
fn ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The numbers of these entries, in order, each once.
fn evidence<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<u64> {
    let mut numbers: Vec<u64> = entries.into_iter().map(|entry| entry.n).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Of all hits about one subject, only the worst is told, and how many more there are.
fn worst<K: Eq + std::hash::Hash>(hits: Vec<(K, Hit)>, more: impl Fn(usize) -> String) -> Vec<Hit> {
    let mut best: Vec<(Hit, usize)> = Vec::new();
    let mut index = std::collections::HashMap::new();
    for (key, hit) in hits {
        let at = *index.entry(key).or_insert(best.len());
        match best.get_mut(at) {
            None => best.push((hit, 0)),
            Some((worst, others)) => {
                *others += 1;
                if hit.observed > worst.observed {
                    *worst = hit;
                }
            }
        }
    }
    let tell = |(mut hit, others): (Hit, usize)| {
        if others > 0 {
            hit.says.push_str(&more(others));
        }
        hit.says.push('.');
        hit
    };
    best.into_iter().map(tell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_name_of_its_own_and_names_its_chapter() {
        for rule in Rule::ALL {
            assert_eq!(Rule::named(rule.name()), Some(rule));
            let chapter = format!("(chapter {}).", rule.chapter());
            assert!(rule.explain().ends_with(&chapter), "{rule}");
        }
        assert_eq!(Rule::named("no_such_rule"), None);
    }
}
