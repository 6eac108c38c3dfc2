//! What the pool decides, without doing any of it.
//!
//! Events come in as method calls, each with the time. What is to be done about them comes out as [`Action`]s. Nothing
//! here reads a clock, a socket or a process, so a test can be the whole world around it: see `core/simulated.rs`, where
//! workers die at random and every promise is checked after every step.
//!
//! A job is a batch of items; a single submit is a batch of one. A worker does its jobs in the order in which they were
//! sent, and its items in order. Which item it is at is told by a [`Ticket`], and the ticket outlives the worker.
//!
//! This file has the words: what comes in, what goes out, what is kept. The files below have one part each of what is
//! done about it.

mod clock;
mod deaths;
mod ends;
mod queue;
mod seen;
mod starts;
mod taking_back;
mod turns;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod simulated;

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use crate::error::Death;
use crate::slab::{Key, Slab};

/// A point in time, in nanoseconds since the pool was built.
pub(crate) type Time = u64;

/// Which item of which job a worker has begun: its jobs are numbered from 1 as they are sent to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(pub(crate) u64);

impl Ticket {
    /// How many items a job can have.
    pub(crate) const MOST_ITEMS: usize = (1 << 20) - 1;

    pub(crate) fn new(number: u64, item: u32) -> Ticket {
        Ticket(number << 20 | u64::from(item))
    }

    pub(crate) fn number(self) -> u64 {
        self.0 >> 20
    }

    pub(crate) fn item(self) -> u32 {
        (self.0 & ((1 << 20) - 1)) as u32
    }
}

/// What the core does not look into: arguments, and who wants to know.
pub(crate) trait Payload {
    /// These items have no value, and why.
    fn lose(&mut self, items: Range<u32>, why: &Why<'_>);
}

/// Why an item has no value. What the worker itself answers, panics included, is a value to the core.
#[derive(Clone, Debug)]
pub(crate) enum Why<'a> {
    /// The worker ended while it was at this item; given up after so many attempts.
    Died {
        obituary: &'a Obituary,
        attempt: u32,
        poisoned: bool,
    },
    TimedOut(Duration),
    Cancelled,
    ShutDown,
    Broken(&'a str),
}

/// What is known of a worker that ended.
#[derive(Clone, Debug)]
pub(crate) struct Obituary {
    pub(crate) pid: u32,
    pub(crate) how: Death,
    /// It was killed, and neither by us nor, as far as can be known, by itself.
    pub(crate) from_outside: bool,
    /// What it had begun last.
    pub(crate) begun: Ticket,
    pub(crate) stderr_tail: String,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Action<P> {
    /// Start a worker in this place.
    Start(usize),
    /// Send it this job, from this item on, under this number.
    Send {
        worker: usize,
        job: Key,
        number: u64,
        from: u32,
    },
    /// Take back what the worker has and has not begun, behind its first job; and say what that leaves it.
    TakeBack(usize),
    /// Raise the flag that asks this item to stop.
    Ask { worker: usize, ticket: Ticket },
    /// Tell the worker that nothing more will come: it ends when it has done what it has.
    Retire(usize),
    /// Kill it and whatever it started.
    Kill(usize),
    /// All items of this job are answered.
    Resolve(P),
}

/// What somebody wants done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) function: u16,
    pub(crate) items: u32,
    pub(crate) idempotent: bool,
    pub(crate) limit: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) workers: usize,
    pub(crate) queue: usize,
    pub(crate) max_jobs: u64,
    pub(crate) max_attempts: u32,
    pub(crate) idle: Option<u64>,
    pub(crate) grace: u64,
}

/// A job that is accepted and not answered.
struct Job<P> {
    payload: P,
    wish: Wish,
    /// How many of its items are answered: the first ones.
    done: u32,
    /// How often the item after those was begun and lost with its worker.
    lost: u32,
    /// The worker that has it; `None` while it is queued.
    with: Option<u16>,
    /// Nobody wants it any more, but a worker has it.
    cancelled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// There is no process in this place.
    Absent,
    /// There is one, and it has not said a word.
    Starting,
    /// It has said a word, and runs its initializer.
    Preparing,
    /// It takes jobs.
    Ready,
    /// It takes no more jobs.
    Ending,
}

/// The item that a worker answers next.
pub(crate) struct Expected<'a, P> {
    pub(crate) key: Key,
    pub(crate) ticket: Ticket,
    /// How many items are left of its job, with this one.
    pub(crate) left: u32,
    pub(crate) payload: &'a mut P,
}

struct Worker {
    state: State,
    /// The jobs it has, in the order in which it does them. The first one's number is `first`.
    jobs: VecDeque<Key>,
    first: u64,
    /// How much work that is, in nanoseconds, as far as is known.
    load: u64,
    /// How many items it was given since its start, and whether it ever answered.
    given: u64,
    answered: bool,
    /// It is to be replaced when it has done what it has.
    outgrown: bool,
    /// The item whose time counts.
    at: Ticket,
    /// What it was asked to stop, and why.
    asked: Option<(Ticket, Option<Duration>)>,
    /// When something has to be done about it if nothing happens.
    deadline: Option<Time>,
    /// When it came to its first job, or was last asked what it has not begun.
    turned: Time,
    /// It is long at its first job. Nothing is sent behind that.
    long: bool,
}

/// What happens to new jobs, and to queued ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    /// No more jobs; those that are queued are done.
    Draining,
    /// No more jobs; those that are queued fail.
    Closed,
    /// Cannot start workers; why.
    Broken(String),
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) submitted: u64,
    pub(crate) answered: u64,
    pub(crate) started: u64,
    pub(crate) died: u64,
    pub(crate) given_back: u64,
    pub(crate) taken_back: u64,
    pub(crate) retried: u64,
}

pub(crate) struct Core<P> {
    limits: Limits,
    phase: Phase,
    jobs: Slab<Job<P>>,
    /// Those that wait for a worker; among them keys of jobs that were cancelled meanwhile.
    queue: VecDeque<Key>,
    queued: usize,
    workers: Vec<Worker>,
    /// The idle ones; the one that was busy last is on top, so that the others can retire.
    idle: Vec<usize>,
    starting: usize,
    /// How long an item takes, by function: nanoseconds, rather too much than too little.
    cost: Vec<u64>,
    failures: u32,
    /// How many of those were nobody else's doing; and since when no start has succeeded.
    own_failures: u32,
    failing_since: Option<Time>,
    not_before: Time,
    pub(crate) counts: Counts,
    /// A deadline has been set since this was last taken back.
    pub(crate) alarm: bool,
    pub(crate) actions: VecDeque<Action<P>>,
}

impl<P: Payload> Core<P> {
    pub(crate) fn new(limits: Limits, functions: usize) -> Core<P> {
        let worker = |_| Worker {
            state: State::Absent,
            jobs: VecDeque::new(),
            first: 1,
            load: 0,
            given: 0,
            answered: false,
            outgrown: false,
            at: Ticket::default(),
            asked: None,
            deadline: None,
            turned: 0,
            long: false,
        };
        Core {
            limits,
            phase: Phase::Open,
            jobs: Slab::new(),
            queue: VecDeque::new(),
            queued: 0,
            workers: (0..limits.workers).map(worker).collect(),
            idle: Vec::new(),
            starting: 0,
            cost: vec![u64::MAX; functions],
            failures: 0,
            own_failures: 0,
            failing_since: None,
            not_before: 0,
            counts: Counts::default(),
            alarm: false,
            actions: VecDeque::new(),
        }
    }
}

/// A duration as the core counts.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
