//! Everything that was recorded, in one order, with the names that the events refer to.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::VirtualTime;
use crate::event::{Event, Loc, Task, Text};

/// How many events a lane remembers unless told otherwise. At 48 bytes each, a full lane takes 1.6 MB.
const LANE_CAPACITY: usize = 32_768;

/// The program that made a recording, as files name it.
const MADE_BY: &str = concat!("flight ", env!("CARGO_PKG_VERSION"));

/// What a recording says about the run as a whole.
#[derive(Clone, Debug)]
pub struct Header {
    /// The program that ran.
    pub program: String,
    /// The library and version that recorded it.
    pub made_by: String,
    /// Which clock the times are on.
    pub clock: ClockKind,
    /// When the clock stood at zero, in nanoseconds since 1970; 0 on virtual time.
    pub t0_unix_ns: u64,
    /// How many cores the machine offered; 0 on virtual time, where that makes no difference.
    pub cores: u64,
    /// Anything else worth knowing, by name: the seed, the number of tables.
    pub facts: BTreeMap<String, String>,
    pub(crate) source: Source,
    pub(crate) lane_capacity: usize,
}

/// Which clock a recording's times are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockKind {
    /// The computer's monotonic clock.
    Monotonic,
    /// A time that a simulation moved by hand.
    Virtual,
}

#[derive(Clone, Debug)]
pub(crate) enum Source {
    Monotonic,
    Virtual(VirtualTime),
}

impl Header {
    /// For a run in real time.
    pub fn monotonic(program: &str) -> Header {
        let t0 = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Header {
            clock: ClockKind::Monotonic,
            t0_unix_ns: t0.as_nanos() as u64,
            cores: std::thread::available_parallelism().map_or(0, |cores| cores.get() as u64),
            ..Header::virtual_time(program, &VirtualTime::new())
        }
        .on(Source::Monotonic)
    }

    /// For a run in virtual time. Nothing of the machine goes into the recording.
    pub fn virtual_time(program: &str, time: &VirtualTime) -> Header {
        Header {
            program: program.to_owned(),
            made_by: MADE_BY.to_owned(),
            clock: ClockKind::Virtual,
            t0_unix_ns: 0,
            cores: 0,
            facts: BTreeMap::new(),
            source: Source::Virtual(time.clone()),
            lane_capacity: LANE_CAPACITY,
        }
    }

    /// Adds a fact about the run.
    pub fn fact(mut self, name: &str, value: impl ToString) -> Header {
        self.facts.insert(name.to_owned(), value.to_string());
        self
    }

    /// How many events each lane remembers: the newest ones. Panics later if it is 0.
    pub fn lane_capacity(mut self, events: usize) -> Header {
        self.lane_capacity = events;
        self
    }

    fn on(mut self, source: Source) -> Header {
        self.source = source;
        self
    }
}

/// What takes part in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// An OS thread.
    Thread,
    /// An event loop.
    Loop,
    /// A worker of a thread pool.
    Pool,
    /// A worker process.
    Process,
}

/// A robot: one lane of the recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ActorKind,
}

/// One event, with its place in the order, its time, and the lane it happened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the total order. Numbers grow; some may be missing.
    pub n: u64,
    /// Nanoseconds since the start. Never smaller than that of the entry before.
    pub t: u64,
    /// Index into [`Recording::actors`].
    pub actor: usize,
    /// What happened.
    pub event: Event,
}

/// A run, written down.
///
/// Times never run backwards in it. On a real clock two lanes can read the time in one order and draw
/// their numbers in the other, nanoseconds apart; the order of the numbers is kept, and the time of the
/// later entry is raised to that of the earlier.
#[derive(Clone, Debug)]
pub struct Recording {
    /// About the run as a whole.
    pub header: Header,
    /// The texts, by [`Text::index`].
    pub strings: Vec<String>,
    /// The robots, by [`Entry::actor`].
    pub actors: Vec<Actor>,
    /// The names of the tasks, by [`Task::index`].
    pub tasks: Vec<String>,
    /// Places in the source, `file:line`, by [`Loc::index`].
    pub locs: Vec<String>,
    /// What happened, in order of `n`.
    pub events: Vec<Entry>,
    /// How many events the lanes' rings had no room for. Each [`Event::Gap`] says where.
    pub dropped: u64,
    /// Whether every robot had left when this was taken.
    pub complete: bool,
}

impl Recording {
    /// The words behind a text.
    pub fn text(&self, text: Text) -> &str {
        &self.strings[text.index()]
    }

    /// The name of a task.
    pub fn task(&self, task: Task) -> &str {
        &self.tasks[task.index()]
    }

    /// A place in the source.
    pub fn loc(&self, loc: Loc) -> &str {
        &self.locs[loc.index()]
    }

    /// The name of the robot on whose lane an entry stands.
    pub fn actor(&self, entry: &Entry) -> &str {
        &self.actors[entry.actor].name
    }

    /// All marks of one category, each with its words and its value.
    pub fn marks<'a>(
        &'a self,
        category: &'a str,
    ) -> impl Iterator<Item = (&'a Entry, &'a str, u64)> {
        self.events
            .iter()
            .filter_map(move |entry| match entry.event {
                Event::Mark {
                    text,
                    category: of,
                    value,
                } if self.text(of) == category => Some((entry, self.text(text), value)),
                _ => None,
            })
    }

    /// When the last event happened: how long the run took, in nanoseconds.
    pub fn duration(&self) -> u64 {
        self.events.last().map_or(0, |entry| entry.t)
    }

    pub(crate) fn empty(header: Header) -> Recording {
        Recording {
            header,
            strings: Vec::new(),
            actors: Vec::new(),
            tasks: Vec::new(),
            locs: Vec::new(),
            events: Vec::new(),
            dropped: 0,
            complete: true,
        }
    }

    pub(crate) fn everyone_left(&self) -> bool {
        let left = self
            .events
            .iter()
            .filter(|entry| entry.event == Event::ActorStop)
            .count();
        left == self.actors.len()
    }
}
