//! A thing that robots share: a lock, a bell, a cell, a channel. Who holds it, who has touched it,
//! what it is called. (A robot is a thing, too: others wake it, or look whether it is still there.)

use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use crate::channel::Channel;
use crate::clock::{Access, Clock, LastStore};
use crate::ending::End;
use crate::floor::{self, Floor, Me, Place, State};
use crate::pending::{Op, ThingId};
use crate::place;
use crate::tale::Words;

/// What the floor knows about a thing. Most of it is empty for most things.
#[derive(Default)]
pub(crate) struct Thing {
    pub name: Name,
    /// The robot that holds it, if it is a lock.
    pub holder: Option<usize>,
    /// The robots that hold it to read, if it is an `RwLock`.
    pub readers: Vec<usize>,
    /// The robots asleep or in line at it, in the order in which they came.
    pub sleepers: Vec<usize>,
    /// How often it has opened, if it is a `Barrier`; 1 if what is done once has been done.
    pub round: usize,
    /// The robots that have touched it.
    pub visitors: Vec<usize>,
    /// Robots below this number were there when the first one touched it.
    pub seen_by_first: usize,
    /// Two robots have met here.
    pub met: bool,
    /// What is known to whoever comes to it, and what is known to whoever changes it. See
    /// [`clock`](crate::clock).
    pub written: Clock,
    /// See `written`.
    pub read: Clock,
    /// The last store, if it is an atomic.
    pub stored: Option<LastStore>,
    /// Its ends and what is in it, if it is a channel.
    pub channel: Channel,
    /// The accesses that a later one must come after, if it is an `Unguarded`.
    pub accesses: Vec<Access>,
}

/// A robot at a thing.
#[derive(Clone)]
pub(crate) struct Visit {
    pub me: Me,
    pub thing: ThingId,
    pub at: Place,
}

impl Visit {
    /// Stops with `op` announced, and takes that step when its turn comes.
    pub(crate) fn step<R>(&self, op: Op, take: impl FnOnce(&mut State) -> R) -> R {
        self.me.step(self.at, |_| op, take)
    }

    /// Lets go of the thing, which makes others ready who were not; a step only where somebody could
    /// have noticed that it was not done yet.
    ///
    /// A robot that is being unwound does not stop any more, it only lets go.
    pub(crate) fn lets_go(&self, verb: Words, take: impl FnOnce(&mut State)) {
        if floor::me().is_some() && self.me.glance(|state| state.rules.unlock_is_step) {
            self.step(self.changes(verb), take);
        } else {
            self.me.glance(take);
        }
    }

    /// The step of changing the thing, which never has to wait: "is about to ring #".
    pub(crate) fn changes(&self, verb: Words) -> Op {
        Op::Do { thing: self.thing, verb, changes: true }
    }

    /// The step of looking at the thing.
    pub(crate) fn looks(&self, verb: Words) -> Op {
        Op::Do { thing: self.thing, verb, changes: false }
    }
}

impl Thing {
    pub(crate) fn new(name: Name) -> Thing {
        Thing { name, ..Thing::default() }
    }
}

/// How a story calls a thing. Put into words only if somebody wants to read it.
pub(crate) enum Name {
    Given(String),
    /// Nobody has given it one. Which of those it is that were made there, from 1; 0 for the only
    /// one.
    MadeAt {
        which: usize,
        kind: &'static str,
        at: Place,
    },
}

impl Default for Name {
    fn default() -> Name {
        Name::Given(String::new())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (which, kind, at) = match self {
            Name::Given(name) => return f.write_str(name),
            Name::MadeAt { which, kind, at } => (*which, kind, place::short(at)),
        };
        let nth = ["", "first ", "second ", "third ", "fourth ", "fifth ", "sixth "].get(which);
        match nth {
            Some(nth) => write!(f, "the {nth}{kind} made at {at}"),
            None => write!(f, "the {which}th {kind} made at {at}"),
        }
    }
}

/// Things of one kind that were made in one place: how many, and the number of the first one.
pub(crate) struct Made {
    kind: &'static str,
    at: Place,
    count: usize,
    first: Option<ThingId>,
}

impl State {
    fn makes(&mut self, kind: &'static str, at: Place) -> usize {
        let Some(made) = self.made.iter_mut().find(|it| (it.kind, it.at) == (kind, at)) else {
            self.made.push(Made { kind, at, count: 1, first: None });
            return 1;
        };
        made.count += 1;
        // Until now there was only one.
        if let Some(first) = made.first.take() {
            self.things[first].name = Name::MadeAt { which: 1, kind, at };
        }
        made.count
    }

    /// The name of a thing that is about to sit down as number `seat`.
    pub(crate) fn name_for(&mut self, tag: &Tag, seat: ThingId) -> Name {
        let here = |it: &&mut Made| (it.kind, it.at) == (tag.kind, tag.made_at);
        let (None, Some(made)) = (tag.name.get(), self.made.iter_mut().find(here)) else {
            return tag.name();
        };
        let alone = tag.number == 1 && made.count == 1;
        if alone {
            made.first = Some(seat);
        }
        let which = if alone { 0 } else { tag.number };
        Name::MadeAt { which, kind: tag.kind, at: tag.made_at }
    }

    /// Robots meet where both have touched the same thing. What the first one does before another
    /// one is there sets the scene, and what it does when that one has gone looks at the result.
    pub(crate) fn touches(&mut self, robot: usize, thing: ThingId) {
        let hired = self.robots.len();
        let thing = &mut self.things[thing];
        thing.met |= thing.visitors.iter().any(|other| match (*other, robot) {
            (other, robot) if other == robot => false,
            (0, robot) => robot < thing.seen_by_first,
            (other, 0) => !self.robots[other].gone,
            _ => true,
        });
        if !thing.visitors.contains(&robot) {
            thing.visitors.push(robot);
        }
        if robot == 0 {
            thing.seen_by_first = hired;
        }
    }
}

/// A kind of thing that cannot come from outside of a run.
pub(crate) const CHANNEL: &str = "channel";

/// What the thing itself carries: enough for the floor to know it again.
#[derive(Debug)]
pub(crate) struct Tag {
    pub kind: &'static str,
    name: OnceLock<String>,
    pub made_at: Place,
    /// The run in which it was made, if it was made in one.
    home: Weak<Floor>,
    /// Which of those it is that were made there in that run, from 1.
    number: usize,
    /// Its number, and the run in which that number holds: `run << 20 | number`.
    seat: AtomicU64,
}

impl Tag {
    #[track_caller]
    pub(crate) fn new(kind: &'static str) -> Tag {
        let made_at = Location::caller();
        let (home, number) = floor::me().map_or((Weak::new(), 0), |me| {
            (Arc::downgrade(&me.floor), me.glance(|state| state.makes(kind, made_at)))
        });
        Tag { kind, name: OnceLock::new(), made_at, home, number, seat: AtomicU64::new(0) }
    }

    pub(crate) fn call(&self, name: impl Into<String>) {
        let _ = self.name.set(name.into()); // The first name counts.
    }

    pub(crate) fn name(&self) -> Name {
        let made_at = Name::MadeAt { which: 0, kind: self.kind, at: self.made_at };
        self.name.get().cloned().map_or(made_at, Name::Given)
    }

    /// The robot that comes to the thing now, ready to take a step there. None
    /// means: no check here, behave like plain std.
    #[inline]
    pub(crate) fn visit(&self, at: Place) -> Option<Visit> {
        if floor::anybody_runs() { self.visit_in_a_run(at) } else { None }
    }

    /// A thread that is no robot has no business with a thing of a running check: nobody can tell
    /// when it moves. Then the run ends, and so does that thread.
    #[cold]
    pub(crate) fn visit_in_a_run(&self, at: Place) -> Option<Visit> {
        if let Some(me) = floor::me() {
            let thing = me.floor.state().thing(self, &me, at);
            return Some(Visit { me, thing, at });
        }
        if !std::thread::panicking()
            && !floor::is_robot()
            && let Some(floor) = self.home.upgrade()
        {
            let mut state = floor.state();
            if state.is_running() {
                state.finish(End::stranger(&self.name().to_string(), at));
                drop(state);
                floor::go_home_early();
            }
        }
        None
    }

    /// Was it made in a check?
    pub(crate) fn is_on_a_floor(&self) -> bool {
        self.home.strong_count() > 0
    }

    pub(crate) fn was_made_on(&self, floor: &Arc<Floor>) -> bool {
        self.home.as_ptr() == Arc::as_ptr(floor)
    }

    /// The thing's number in this run; `sit` gives it one when it comes for the first time.
    pub(crate) fn seat(&self, run: u64, sit: impl FnOnce() -> usize) -> usize {
        // Relaxed: only the robot whose turn it is comes here, and turns are handed over under a
        // lock.
        let seat = self.seat.load(Ordering::Relaxed);
        if seat >> 20 == run {
            return (seat & 0xF_FFFF) as usize;
        }
        let number = sit();
        assert!(number <= 0xF_FFFF, "more than a million locks and cells in one run");
        self.seat.store(run << 20 | number as u64, Ordering::Relaxed);
        number
    }
}
