//! What a robot is about to do: the step that it has announced and not yet taken.
//!
//! A robot announces a step, and takes it when its turn comes. Because the step is known before it
//! is taken, one question answers everything: *could it be taken now?* Robots for which the answer
//! is yes are ready. If nobody is ready, nothing can ever happen again, and what each robot has
//! announced says why.

use crate::floor::State;

/// A thing that robots share (a lock, a bell, a cell), by its number in this run.
pub(crate) type ThingId = usize;

/// An announced step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Op {
    /// A step of the story.
    Step,
    /// `Mutex::lock`.
    Lock(ThingId),
    /// `Mutex::try_lock`: never waits.
    TryLock(ThingId),
    /// Giving a lock back, where that counts as a step.
    Unlock(ThingId),
    /// Falling asleep at a `Condvar`: gives the lock back.
    Wait(ThingId),
    /// Asleep at a `Condvar`. Goes on when it has been rung and the lock is free.
    Asleep { bell: ThingId, lock: ThingId },
    /// `notify_one` or `notify_all`.
    Notify(ThingId),
    /// Reading or writing a `Shared`.
    Read(ThingId),
    /// See `Read`.
    Write(ThingId),
    /// Waiting for another robot to finish.
    Join(usize),
    /// `thread::yield_now`.
    Yield,
    /// `thread::sleep`, until this many virtual nanoseconds where time flows.
    Nap { until: u64 },
}

impl Op {
    /// Could robot `me` take this step now?
    pub(crate) fn is_ready(self, me: usize, state: &State) -> bool {
        match self {
            Op::Lock(lock) => state.things[lock].holder.is_none(),
            Op::Asleep { lock, .. } => state.robots[me].rung && state.things[lock].holder.is_none(),
            Op::Join(robot) => state.robots[robot].gone,
            Op::Nap { until } => state.time_is(until),
            Op::Step
            | Op::TryLock(_)
            | Op::Unlock(_)
            | Op::Wait(_)
            | Op::Notify(_)
            | Op::Read(_)
            | Op::Write(_)
            | Op::Yield => true,
        }
    }

    /// The shared thing that this step touches.
    pub(crate) fn thing(self) -> Option<ThingId> {
        match self {
            Op::Lock(thing) | Op::TryLock(thing) | Op::Unlock(thing) | Op::Wait(thing) => {
                Some(thing)
            }
            Op::Notify(thing) | Op::Read(thing) | Op::Write(thing) => Some(thing),
            Op::Asleep { bell, .. } => Some(bell),
            Op::Step | Op::Join(_) | Op::Yield | Op::Nap { .. } => None,
        }
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

    /// Why the robot stands where it stands, in a sentence about the robot.
    pub(crate) fn reason(self, me: usize, state: &State) -> String {
        match self {
            Op::Lock(lock) => match state.things[lock].holder {
                Some(holder) if state.robots[holder].gone => format!(
                    "waits for {}, which {} took home without giving it back",
                    state.name_of(lock),
                    state.robots[holder].name
                ),
                Some(holder) => {
                    format!(
                        "waits for {}, held by {}",
                        state.name_of(lock),
                        state.robots[holder].name
                    )
                }
                None => format!("is about to take {}", state.name_of(lock)),
            },
            Op::TryLock(lock) => format!("tries to take {}", state.name_of(lock)),
            Op::Unlock(lock) => format!("is about to give back {}", state.name_of(lock)),
            Op::Wait(bell) => format!("is about to sleep at {}", state.name_of(bell)),
            Op::Asleep { lock, .. } if state.robots[me].rung => {
                format!("has been woken, and now {}", Op::Lock(lock).reason(me, state))
            }
            Op::Asleep { bell, .. } => format!("sleeps at {}", state.name_of(bell)),
            Op::Notify(bell) => format!("is about to ring {}", state.name_of(bell)),
            Op::Read(cell) => format!("is about to read {}", state.name_of(cell)),
            Op::Write(cell) => format!("is about to write {}", state.name_of(cell)),
            Op::Join(robot) => format!("waits for {} to finish", state.robots[robot].name),
            Op::Yield => "lets the others go first".to_owned(),
            Op::Nap { .. } => "naps".to_owned(),
            Op::Step => "is about to take its next step".to_owned(),
        }
    }
}
