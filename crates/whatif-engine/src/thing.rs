//! A thing that robots share: a lock, a bell, a cell, a channel. Who holds it, who has touched it,
//! what it is called. (A robot is a thing, too: others wake it, or look whether it is still there.)

use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use crate::clock::{Access, Clock, LastStore};
use crate::ending::End;
use crate::floor::{self, Floor, Me, Place, State};
use crate::pending::{Op, ThingId, Wait};
use crate::place;
use crate::tale::Words;

/// What the floor knows about a thing. Most of it is empty for most things.
#[derive(Default)]
pub struct Thing {
    pub(crate) name: Name,
    /// The robot that holds it, if it is a lock. Whoever waits for it waits for that robot, which is
    /// what a deadlock is made of.
    pub holder: Option<usize>,
    /// The robots that hold it to read, if several may.
    pub readers: Vec<usize>,
    /// The robots asleep or in line at it, in the order in which they came.
    pub sleepers: Vec<usize>,
    /// What its maker wants the floor to know besides.
    own: Option<Box<dyn Any + Send>>,
    /// The robots that have touched it.
    pub(crate) visitors: Vec<usize>,
    /// Robots below this number were there when the first one touched it.
    pub(crate) seen_by_first: usize,
    /// Two robots have met here.
    pub(crate) met: bool,
    /// What is known to whoever comes to it, and what is known to whoever changes it. See
    /// [`clock`](crate::clock).
    pub(crate) written: Clock,
    /// See `written`.
    pub(crate) read: Clock,
    /// The last store, if it is an atomic.
    pub(crate) stored: Option<LastStore>,
    /// The accesses that a later one must come after, if nothing guards it.
    pub(crate) accesses: Vec<Access>,
}

/// A robot at a thing: what it takes to make a step there.
#[derive(Clone)]
pub struct Visit {
    /// The robot.
    pub me: Me,
    /// The thing.
    pub thing: ThingId,
    /// The line that brought it there: the one that a story shows.
    pub at: Place,
}

impl Visit {
    /// Stops with `op` announced, and takes that step when its turn comes: `take` is what it does.
    /// All that `take` touches is in `op`, and nobody else moves meanwhile.
    pub fn step<R>(&self, op: Op, take: impl FnOnce(&mut State) -> R) -> R {
        self.me.step(self.at, |_| op, take)
    }

    /// Lets go of the thing, which makes others ready who were not; a step only where somebody could
    /// have noticed that it was not done yet.
    ///
    /// A robot that is being unwound does not stop any more, it only lets go.
    pub fn lets_go(&self, verb: Words, take: impl FnOnce(&mut State)) {
        if floor::me().is_some() && self.me.glance(|state| state.rules.unlock_is_step) {
            self.step(self.changes(verb), take);
        } else {
            self.me.glance(take);
        }
    }

    /// The step of changing the thing, which never has to wait: "is about to ring #".
    pub fn changes(&self, verb: Words) -> Op {
        Op::Do { thing: self.thing, verb, changes: true }
    }

    /// The step of looking at the thing. Two looks are not tried in both orders.
    pub fn looks(&self, verb: Words) -> Op {
        Op::Do { thing: self.thing, verb, changes: false }
    }

    /// The step of waiting at the thing until what `wait` says has come; of several such waits
    /// `number` is the one.
    pub fn awaits(&self, wait: &'static Wait, number: usize) -> Op {
        Op::Await { wait, thing: self.thing, number, until: None }
    }
}

impl Thing {
    pub(crate) fn new(name: Name) -> Thing {
        Thing { name, ..Thing::default() }
    }

    /// What its maker has put here, if that is a `T`.
    pub fn own<T: Any + Send>(&self) -> Option<&T> {
        self.own.as_ref()?.downcast_ref()
    }

    /// The same to change it. A thing to which nobody has come before has the default.
    pub fn own_mut<T: Any + Default + Send>(&mut self) -> &mut T {
        let own = self.own.get_or_insert_with(|| Box::new(T::default()));
        own.downcast_mut().expect("a thing is of one kind")
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
            return tag.called();
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

/// What the thing itself carries, beside what it is outside of a check: enough for the floor to
/// know it again.
#[derive(Debug)]
pub struct Tag {
    kind: &'static str,
    name: OnceLock<String>,
    /// Where it was made: where, in a story, what happens when it is dropped happens.
    pub made_at: Place,
    /// What was in it before the run began, the floor cannot know: it may not come from outside of a
    /// run, not even of a simulation.
    pub(crate) has_contents: bool,
    /// The run in which it was made, if it was made in one.
    home: Weak<Floor>,
    /// Which of those it is that were made there in that run, from 1.
    number: usize,
    /// Its number, and the run in which that number holds: `run << 20 | number`.
    seat: AtomicU64,
}

impl Tag {
    /// For a new thing. `kind` is what a story calls it that has no name: "the Mutex made at
    /// src/lib.rs:7", the line that calls this.
    #[track_caller]
    pub fn new(kind: &'static str) -> Tag {
        let made_at = Location::caller();
        let (home, number) = floor::me().map_or((Weak::new(), 0), |me| {
            (Arc::downgrade(&me.floor), me.glance(|state| state.makes(kind, made_at)))
        });
        let (name, seat) = (OnceLock::new(), AtomicU64::new(0));
        Tag { kind, name, made_at, has_contents: false, home, number, seat }
    }

    /// For a thing that holds what the floor must have seen come: it belongs to the run in which it
    /// is made.
    #[track_caller]
    pub fn with_contents(kind: &'static str) -> Tag {
        Tag { has_contents: true, ..Tag::new(kind) }
    }

    /// Gives the thing a name for stories. The first one counts.
    pub fn call(&self, name: impl Into<String>) {
        let _ = self.name.set(name.into());
    }

    /// How a story calls the thing.
    pub fn name(&self) -> String {
        self.called().to_string()
    }

    fn called(&self) -> Name {
        let made_at = Name::MadeAt { which: 0, kind: self.kind, at: self.made_at };
        self.name.get().cloned().map_or(made_at, Name::Given)
    }

    /// The robot that comes to the thing now, at the line `at`, ready to take a step there. None
    /// means: no check here, so be what you are outside of one. That costs one load.
    #[inline]
    pub fn visit(&self, at: Place) -> Option<Visit> {
        if floor::anybody_runs() { self.visit_in_a_run(at) } else { None }
    }

    /// A thread that is no robot has no business with a thing of a running check: nobody can tell
    /// when it moves. Then the run ends, and so does that thread.
    #[cold]
    fn visit_in_a_run(&self, at: Place) -> Option<Visit> {
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
                state.finish(End::stranger(&self.name(), at));
                drop(state);
                floor::go_home_early();
            }
        }
        None
    }

    /// Was it made in a check?
    pub fn is_on_a_floor(&self) -> bool {
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
