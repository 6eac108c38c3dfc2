//! What a robot is about to do: the step that it has announced and not yet taken.
//!
//! A robot announces a step, and takes it when its turn comes. Because the step is known before it
//! is taken, one question answers everything: *could it be taken now?* Robots for which the answer
//! is yes are ready. If nobody is ready, nothing can ever happen again, and what each robot has
//! announced says why.
//!
//! The search also asks an announced step what it touches, and takes two steps that touch nothing
//! in common for two that can come in either order. So this is the rule for whoever adds one: *all
//! that a step touches is in its announcement.* What a robot does while it goes on to its next stop
//! belongs to no step; there it may only make ready who was not (by giving a lock back), and must
//! not change what another one's step would return. What could do that is a step of its own.

use crate::floor::State;
use crate::tale::{NONE, Words};
use crate::thing::Thing;

/// A thing that robots share (a lock, a bell, a cell, or a robot), by its number in this run.
pub type ThingId = usize;

/// A step that a robot announces: what it touches, and when it can be taken. Taking it changes
/// nothing by itself; whoever announces it says what happens then.
///
/// `until` is when the robot gives up waiting, from [`State::wake_time`]: in virtual nanoseconds
/// where time flows, and at any moment where it does not.
#[allow(missing_docs, reason = "a variant says what its fields are")]
#[derive(Clone, Copy, Debug, Hash)]
pub enum Op {
    /// A step of the story.
    Step,
    /// A step at one thing that never waits: "is about to `verb`". See
    /// [`Visit::changes`](crate::Visit::changes) and [`Visit::looks`](crate::Visit::looks).
    Do { thing: ThingId, verb: Words, changes: bool },
    /// Taking a lock alone: waits until nobody [holds](Thing::holder) it. Where others
    /// [read](Thing::readers), the robot may get [in line](Thing::sleepers).
    Lock(ThingId),
    /// Taking a lock to read: waits until nobody holds it, or is in line for it.
    Share(ThingId),
    /// Falling asleep at a bell: gives the lock back.
    Wait { bell: ThingId, lock: ThingId },
    /// Asleep at a bell, perhaps not for ever. Goes on when it has been [rung](State::ring_one) and
    /// the lock is free.
    Asleep { bell: ThingId, lock: ThingId, until: Option<u64> },
    /// Parked, perhaps not for ever: waits for a [token](crate::Robot::token).
    Park { robot: ThingId, until: Option<u64> },
    /// Waiting at a thing for what its maker says. The number is the maker's own: which round, which
    /// message.
    Await { wait: &'static Wait, thing: ThingId, number: usize, until: Option<u64> },
    /// Waiting for another robot to finish.
    Join(usize),
    /// Letting the others go first, or not: that is a hint.
    Yield,
    /// A nap, until this many virtual nanoseconds where time flows.
    Nap { until: u64 },
}

/// What a robot can wait for at a thing: a message, a place, the last one to come.
#[derive(Debug, Hash)]
pub struct Wait {
    /// Has it come? Asked of the thing and the number that the robot has announced.
    pub has_come: fn(&Thing, usize) -> bool,
    /// What the robot is about to do when it has come, where it does more than go on: "send to #".
    pub verb: Option<Words>,
    /// Does the step change the thing? If not, two who wait for the same thing may go on in either
    /// order, and nobody tries both.
    pub changes: bool,
    /// Does the step nothing but end the wait? Then nobody can notice when it is taken, and it is
    /// taken as soon as it can be.
    pub ends_a_wait: bool,
    /// Why the robot stands there until then: "waits for a place in the pass, which is full".
    pub reason: fn(&State, ThingId) -> String,
    /// What is wrong if nobody will ever come: "waits for a place in #" ...
    pub in_vain: Words,
    /// ... and nobody is left to do this: "receive".
    pub whom: &'static str,
    /// What to try then, where there is something to say.
    pub advice: Option<&'static str>,
}

impl Op {
    /// Could robot `me` take this step now?
    pub(crate) fn is_ready(self, me: usize, state: &State) -> bool {
        self.has_come(me, state)
            || self.until(me, state).is_some_and(|until| state.time_is(until))
            || matches!(self, Op::Lock(lock) if state.things[lock].holder.is_none()
                && !state.things[lock].sleepers.contains(&me))
    }

    /// Could it only give up waiting, or get in line?
    pub(crate) fn gives_up(self, me: usize, state: &State) -> bool {
        !self.has_come(me, state)
    }

    /// When the robot gives up waiting, where time flows. Where it stands, it can happen at any
    /// moment.
    pub(crate) fn until(self, me: usize, state: &State) -> Option<u64> {
        match self {
            Op::Nap { until } => Some(until),
            Op::Asleep { until, .. } => until.filter(|_| !state.robots[me].rung),
            Op::Await { until, .. } | Op::Park { until, .. } => {
                until.filter(|_| !self.has_come(me, state))
            }
            _ => None,
        }
    }

    /// Could it go on if it woke up although nobody woke it?
    pub(crate) fn could_wake_unasked(self, me: usize, state: &State) -> bool {
        match self {
            Op::Asleep { lock, .. } => {
                !state.robots[me].rung && state.things[lock].holder.is_none()
            }
            Op::Park { .. } => !self.has_come(me, state),
            _ => false,
        }
    }

    /// Does this step nothing but end a wait? Then others cannot notice when it is taken.
    pub(crate) fn ends_a_wait(self) -> bool {
        matches!(self, Op::Join(_) | Op::Await { wait: Wait { ends_a_wait: true, .. }, .. })
    }

    /// Has that come for which the robot waits?
    fn has_come(self, me: usize, state: &State) -> bool {
        match self {
            Op::Lock(lock) => {
                state.things[lock].holder.is_none() && state.things[lock].readers.is_empty()
            }
            Op::Share(lock) => {
                state.things[lock].holder.is_none() && state.things[lock].sleepers.is_empty()
            }
            Op::Asleep { lock, .. } => state.robots[me].rung && state.things[lock].holder.is_none(),
            Op::Await { wait, thing, number, .. } => (wait.has_come)(&state.things[thing], number),
            Op::Park { .. } => state.robots[me].token || state.robots[me].rung,
            Op::Join(robot) => state.robots[robot].gone,
            Op::Nap { until } => state.time_is(until),
            Op::Step | Op::Do { .. } | Op::Wait { .. } | Op::Yield => true,
        }
    }

    /// The shared things that this step touches, and whether it changes them.
    pub(crate) fn footprint(self) -> [Option<(ThingId, bool)>; 2] {
        match self {
            Op::Do { thing, changes, .. } => [Some((thing, changes)), None],
            Op::Share(lock) => [Some((lock, false)), None],
            Op::Lock(thing) | Op::Park { robot: thing, .. } => [Some((thing, true)), None],
            Op::Await { wait, thing, .. } => [Some((thing, wait.changes)), None],
            Op::Wait { bell, lock } | Op::Asleep { bell, lock, .. } => {
                [Some((bell, true)), Some((lock, true))]
            }
            Op::Step | Op::Join(_) | Op::Yield | Op::Nap { .. } => [None; 2],
        }
    }

    /// The shared thing at which the robot stands.
    pub(crate) fn thing(self) -> Option<ThingId> {
        self.footprint()[0].map(|(thing, _)| thing)
    }

    /// How often a robot may pass the same place, with nobody else moving, before it is taken to be
    /// waiting in a loop. After that it gives way to the others, or a loop such as `while
    /// !ready.get() {}` would go on for ever.
    pub(crate) fn patience(self) -> usize {
        match self {
            Op::Yield => 0,
            Op::Nap { .. } => 1,
            _ => 8,
        }
    }

    /// Why robot `me` stands where it stands, in a sentence about the robot.
    pub fn reason(self, me: usize, state: &State) -> String {
        let fill_in = |words, thing| state.fill_in(words, thing, NONE);
        let robot = |robot: usize| state.robots[robot].name.as_str();
        match self {
            Op::Share(lock) | Op::Lock(lock) => {
                let (thing, name) = (&state.things[lock], state.name_of(lock));
                let reads: Vec<&str> = thing.readers.iter().map(|it| robot(*it)).collect();
                match (thing.holder, self, thing.sleepers.first()) {
                    (Some(holder), ..) if state.robots[holder].gone => format!(
                        "waits for {name}, which {} took home without giving it back",
                        robot(holder)
                    ),
                    (Some(holder), ..) => format!("waits for {name}, held by {}", robot(holder)),
                    (None, Op::Share(_), Some(writer)) => {
                        format!("waits for {name}, in line behind {}", robot(*writer))
                    }
                    (None, Op::Lock(_), _) if !reads.is_empty() => {
                        format!("waits for {name}, which is read by {}", reads.join(", "))
                    }
                    _ => format!("is about to take {name}"),
                }
            }
            Op::Do { thing, verb, .. } => format!("is about to {}", fill_in(verb, thing)),
            Op::Wait { bell, .. } => fill_in("is about to sleep at #", bell),
            Op::Asleep { lock, .. } if state.robots[me].rung => {
                format!("has been woken, and now {}", Op::Lock(lock).reason(me, state))
            }
            Op::Asleep { bell, .. } => fill_in("sleeps at #", bell),
            Op::Await { wait: Wait { verb: Some(verb), .. }, thing, .. }
                if self.has_come(me, state) =>
            {
                format!("is about to {}", fill_in(verb, thing))
            }
            Op::Await { wait, thing, .. } => (wait.reason)(state, thing),
            Op::Park { .. } => "is parked".to_owned(),
            Op::Join(other) => format!("waits for {} to finish", robot(other)),
            Op::Yield => "lets the others go first".to_owned(),
            Op::Nap { .. } => "naps".to_owned(),
            Op::Step => "is about to take its next step".to_owned(),
        }
    }
}
