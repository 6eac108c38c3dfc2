//! Everything that was recorded, in one order, with the names that the events refer to.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::VirtualTime;
use crate::event::{Event, Loc, Task, Text};
use crate::recorder::{ActorKind, Shared, lock};
use crate::ring::Stamped;

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

    pub(crate) fn collect(shared: Option<&Shared>) -> Recording {
        let Some(shared) = shared else {
            return Recording::empty(Header::monotonic("recorder is off"));
        };
        let (mut events, dropped) = take(shared, &mut Cursor::default());
        settle(&mut events, 0);
        let tables = lock(&shared.tables);
        let mut recording = Recording {
            strings: tables.strings.clone(),
            actors: tables.actors.clone(),
            tasks: tables.tasks.clone(),
            locs: tables.locs.clone(),
            dropped,
            events,
            ..Recording::empty(shared.header.clone())
        };
        recording.complete = recording.everyone_left();
        recording
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

/// How far a reader has come.
#[derive(Default)]
pub(crate) struct Cursor {
    /// The smallest number not yet handed out.
    next: u64,
    /// For each lane, how many of its events were handed out or reported as lost.
    lanes: Vec<u64>,
}

/// Takes what was recorded since the reader was here last: the entries, in order, and how many were lost.
pub(crate) fn take(shared: &Shared, cursor: &mut Cursor) -> (Vec<Entry>, u64) {
    // Numbers are drawn inside a ring's lock, and lanes are opened inside the lock of the list. While we
    // hold all of them nobody draws a number, so what we hand out now comes before all that comes later.
    let rings = lock(&shared.rings);
    let rings: Vec<_> = rings.iter().map(|ring| lock(ring)).collect();
    cursor.lanes.resize(rings.len(), 0);
    let mut entries = Vec::new();
    let mut dropped = 0;
    for (actor, (ring, seen)) in rings.iter().zip(&mut cursor.lanes).enumerate() {
        let entry = |Stamped { n, t, event }| Entry { n, t, actor, event };
        if let Some(lost) = ring.lost()
            && lost.count > *seen
        {
            let missing = lost.count - *seen;
            let gap = Event::Gap {
                lost: missing,
                from: lost.from.max(cursor.next),
                to: lost.last.n,
            };
            // The gap stands where the last lost event stood, under that event's number.
            entries.push(entry(Stamped {
                event: gap,
                ..lost.last
            }));
            dropped += missing;
            *seen = lost.count;
        }
        let before = entries.len();
        entries.extend(ring.since(*seen).map(entry));
        *seen += (entries.len() - before) as u64;
    }
    cursor.next = shared.next.load(Ordering::SeqCst);
    entries.sort_unstable_by_key(|entry| entry.n);
    (entries, dropped)
}

/// Raises times that run backwards; returns the latest.
pub(crate) fn settle(entries: &mut [Entry], mut latest: u64) -> u64 {
    for entry in entries {
        latest = entry.t.max(latest);
        entry.t = latest;
    }
    latest
}
