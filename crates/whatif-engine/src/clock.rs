//! Happens-before: which of the things that others have done a robot can rely on.
//!
//! Each robot counts its own time, and a [`Clock`] says up to which moment of each robot somebody
//! knows. Knowledge travels only where the language promises that it does: a robot that gives a
//! lock back leaves its clock there, and the next one to take the lock learns it; a `Release` store
//! leaves it at the atomic, an `Acquire` load picks it up, and `Relaxed` carries nothing. Two
//! accesses of a value that nothing guards, and that no such chain connects, are a data race, in
//! whatever order they came in this run.
//!
//! Knowledge never travels from one reader to another, only between steps of which one changes the
//! thing. So two runs that nobody can tell apart have the same clocks, and the search may skip one.

use std::sync::atomic::Ordering;

use crate::ending::End;
use crate::floor::State;
use crate::pending::{Op, ThingId};
use crate::tale::NONE;
use crate::thing::Visit;

/// Up to which moment of each robot something is known.
#[derive(Clone, Debug, Default)]
pub struct Clock(Vec<u32>);

impl Clock {
    /// Learns what `other` knows.
    pub(crate) fn join(&mut self, other: &Clock) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (robot, theirs) in other.0.iter().enumerate() {
            if self.0[robot] < *theirs {
                self.0[robot] = *theirs;
            }
        }
    }

    /// Up to which moment of `robot`?
    pub(crate) fn of(&self, robot: usize) -> u32 {
        self.0.get(robot).copied().unwrap_or(0)
    }

    /// A new moment of `robot` begins.
    pub(crate) fn tick(&mut self, robot: usize) {
        self.0.resize(self.0.len().max(robot + 1), 0);
        self.0[robot] += 1;
    }

    fn set(&mut self, other: &Clock) {
        self.0.clone_from(&other.0);
    }
}

/// What one robot knows.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    pub now: Clock,
    /// What it knew at its last `Release` fence: its `Relaxed` stores after that carry it.
    fenced: Clock,
    /// What its `Relaxed` loads have come across: its next `Acquire` fence makes it known.
    glimpsed: Clock,
    /// Values that it has read without learning what their writers knew.
    pub missed: Vec<Missed>,
}

/// A value that somebody wrote and somebody read, and that ordered nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Missed {
    pub atomic: ThingId,
    pub writer: usize,
    /// The writer's moment.
    pub moment: u32,
    pub stored: Ordering,
    pub loaded: Ordering,
}

/// Who wrote an atomic last, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastStore {
    writer: usize,
    moment: u32,
    order: Ordering,
}

/// One access of a value that nothing guards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    pub robot: usize,
    pub moment: u32,
    pub writes: bool,
    /// Its line of the tale, counted from the first one.
    pub line: usize,
}

impl State {
    /// A new robot knows what its spawner knows.
    pub(crate) fn spawns(&mut self, spawner: usize, robot: usize) {
        let known = self.robots[spawner].knows.now.clone();
        let knows = &mut self.robots[robot].knows.now;
        *knows = known;
        knows.tick(robot);
        self.robots[spawner].knows.now.tick(spawner);
    }

    /// Robot `me` learns all that `other` knew in the end.
    pub fn joins(&mut self, me: usize, other: usize) {
        let known = std::mem::take(&mut self.robots[other].knows.now);
        self.robots[me].knows.now.join(&known);
        self.robots[other].knows.now = known;
    }

    /// The robot learns what those who have changed the thing knew; if it is about to change it
    /// itself, also what those who have only looked at it knew.
    pub fn hears(&mut self, v: &Visit, changes: bool) {
        let (thing, knows) = (&self.things[v.thing], &mut self.robots[v.me.id].knows.now);
        knows.join(&thing.written);
        if changes {
            knows.join(&thing.read);
        }
    }

    /// The robot leaves at the thing what it knows, for the next one who changes it; if it has
    /// changed it itself, for everybody who comes.
    pub fn leaves_word(&mut self, v: &Visit, changed: bool) {
        let (thing, knows) = (&mut self.things[v.thing], &mut self.robots[v.me.id].knows.now);
        if changed {
            thing.written.join(knows)
        } else {
            thing.read.join(knows)
        }
        knows.tick(v.me.id);
    }

    /// The robot hands over what it knows, to whoever [learns](State::learns) it: in a message, say.
    pub fn hands_over(&mut self, robot: usize) -> Clock {
        let knows = &mut self.robots[robot].knows.now;
        let handed = knows.clone();
        knows.tick(robot);
        handed
    }

    /// The robot learns what somebody has handed over.
    pub fn learns(&mut self, robot: usize, handed: &Clock) {
        self.robots[robot].knows.now.join(handed);
    }

    /// An atomic is loaded.
    pub fn loads(&mut self, v: &Visit, order: Ordering) {
        let (thing, knows) = (&self.things[v.thing], &mut self.robots[v.me.id].knows);
        if acquires(order) {
            knows.now.join(&thing.written);
        } else {
            knows.glimpsed.join(&thing.written);
        }
        if let Some(LastStore { writer, moment, order: stored }) = thing.stored
            && knows.now.of(writer) < moment
        {
            knows.missed.push(Missed { atomic: v.thing, writer, moment, stored, loaded: order });
        }
    }

    /// An atomic is stored to. What earlier stores carried is gone; unless this is the second half
    /// of a change such as `swap` or `fetch_add`, which continues their release sequence.
    pub fn stores(&mut self, v: &Visit, order: Ordering, continues: bool) {
        let me = v.me.id;
        let (thing, knows) = (&mut self.things[v.thing], &mut self.robots[me].knows);
        let carried = if releases(order) { &knows.now } else { &knows.fenced };
        if continues {
            thing.written.join(carried)
        } else {
            thing.written.set(carried)
        }
        thing.stored = Some(LastStore { writer: me, moment: knows.now.of(me), order });
        knows.now.tick(me);
    }

    /// `atomic::fence`.
    pub fn fences(&mut self, me: usize, order: Ordering) {
        let knows = &mut self.robots[me].knows;
        if acquires(order) {
            knows.now.join(&knows.glimpsed);
        }
        if releases(order) {
            knows.fenced.set(&knows.now);
            knows.now.tick(me);
        }
    }

    /// A value that nothing guards is accessed. The access before it with which it races, if there is
    /// one.
    fn accesses(&mut self, v: &Visit, writes: bool) -> Option<(Access, Access)> {
        let words = if writes { "writes #, unguarded" } else { "reads #, unguarded" };
        self.tell(v, words, NONE);
        let (me, knows) = (v.me.id, &self.robots[v.me.id].knows.now);
        let line = self.tale.forgotten + self.tale.lines.len() - 1;
        let access = Access { robot: me, moment: knows.of(me), writes, line };
        let before = &mut self.things[v.thing].accesses;
        let races =
            |other: &&Access| (writes || other.writes) && knows.of(other.robot) < other.moment;
        let race = before.iter().find(races).map(|other| (*other, access));
        // Whoever comes later and is ordered after this one is ordered after those before it.
        before.retain(|other| if writes { false } else { other.writes || other.robot != me });
        before.push(access);
        race
    }
}

/// How often a robot may pass the same access, with nobody else moving, before it lets the others
/// go first.
const PATIENCE: usize = 100;

impl Visit {
    /// The robot accesses a value that nothing guards. That is no step. If nothing orders this access
    /// and an earlier one, and one of the two writes, the run ends here: a data race.
    pub fn accesses(&self, writes: bool) {
        // A loop that waits for a change would never let anybody make it.
        if self.me.glance(|state| state.passes(self.me.id, self.at)) > PATIENCE {
            self.step(Op::Yield, |_| ());
        }
        self.me.glance(|state| {
            if let Some((before, now)) = state.accesses(self, writes) {
                let end = End::data_race(state, self.thing, before, now);
                state.finish(end);
            }
        });
        drop(self.me.unless_over(self.me.floor.state()));
    }
}

/// Does a load with this order learn what the writer knew?
pub(crate) fn acquires(order: Ordering) -> bool {
    matches!(order, Ordering::Acquire | Ordering::AcqRel | Ordering::SeqCst)
}

/// Does a store with this order hand over what the writer knows?
pub(crate) fn releases(order: Ordering) -> bool {
    matches!(order, Ordering::Release | Ordering::AcqRel | Ordering::SeqCst)
}
