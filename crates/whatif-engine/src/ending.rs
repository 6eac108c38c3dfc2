//! How a run can end before its time, and the sentence that says so.

use std::borrow::Cow;

use crate::breakdown::LastWords;
use crate::clock::{Access, acquires, releases};
use crate::floor::{Place, Robot, State};
use crate::pending::{Op, ThingId};
use crate::place;
use crate::story::count;
use crate::tale::{NONE, Told, What};

/// The kinds of ends that a run can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// Everybody went home, and nothing went wrong.
    AllWell,
    /// A rule given to `never` was broken.
    RuleBroken,
    /// Everybody who is left waits for somebody else who is left.
    Deadlock,
    /// A robot sleeps at a `Condvar`, and nobody is left to ring it.
    LostWakeUp,
    /// A robot asked for a lock that it was holding itself.
    LockedTwice,
    /// Steps without end, though everybody who could move did, again and again: a livelock, or a
    /// loop that waits for something that never comes.
    NobodyGetsAnywhere,
    /// Two accesses of an `Unguarded` that nothing orders, and one of them writes.
    DataRace,
    /// A robot has not taken a step for seconds of real time.
    EndlessLoop,
    /// A robot panicked.
    BrokeDown,
    /// A robot came to a `todo!()`.
    NotWritten,
    /// The same schedule led to different steps.
    DifferentSteps,
    /// A thread that the check does not know touched one of its things.
    Stranger,
    /// A robot touched a thing that was made before the run began.
    MadeOutside,
    /// A step inside of a step, or more robots than a check can take.
    Misuse,
    /// No thing was touched by two robots, so the check has checked nothing.
    NeverMet,
    /// A check that was to run all schedules has come to its limits before; or the schedule that was
    /// played has steps without end because it keeps somebody waiting who could go on.
    TooManyOrders,
    /// The id to replay is not one, or is one of a program that has changed since.
    DoesNotFit,
}

impl Ending {
    /// Is it one of those that no other schedule can put right?
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Ending::NotWritten
                | Ending::DifferentSteps
                | Ending::Stranger
                | Ending::MadeOutside
                | Ending::Misuse
        )
    }
}

/// The end of a run, with what a story has to show of it.
#[derive(Debug)]
pub struct End {
    pub(crate) ending: Ending,
    /// What is wrong, in a sentence.
    pub(crate) rule: String,
    /// What to try next, where there is something to say.
    pub(crate) advice: Option<Cow<'static, str>>,
    /// Lines about locks and bells that are the plot, by their place in the tale.
    pub(crate) plot: Vec<usize>,
    /// The two or three lines that matter, likewise.
    pub(crate) marks: Vec<usize>,
    /// The run does not count.
    pub(crate) void: Option<Void>,
}

/// Why a run does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Void {
    /// Somebody has tried a lock and would not have waited for it, and the run has to be told apart from runs in which the lock is given
    /// back later: everything must be run again, with giving a lock back as a step.
    AgainWithUnlock,
    /// A robot goes round, and others would have to wait for ever. No search sees the end of that.
    BeyondProof,
}

impl End {
    /// The end of this kind, in a sentence.
    pub fn new(ending: Ending, rule: String) -> End {
        End { ending, rule, advice: None, plot: Vec::new(), marks: Vec::new(), void: None }
    }

    /// And what to try next.
    pub fn advise(mut self, advice: impl Into<Cow<'static, str>>) -> End {
        self.advice = Some(advice.into());
        self
    }

    pub(crate) fn all_well() -> End {
        End::new(Ending::AllWell, "Everybody went home.".to_owned())
    }

    /// Nobody is ready, and time cannot help either.
    pub(crate) fn standstill(state: &mut State) -> End {
        let ring = ring_of_locks(state);
        let stuck = tell_where_everybody_is(state, &ring);
        let name = |robot: usize| state.robots[robot].name.as_str();
        // Who waits for a message may only wait for somebody whom nobody wakes.
        let in_vain = || {
            let in_vain = stuck.iter().filter_map(|(robot, op)| op.in_vain(*robot, state));
            in_vain.min_by_key(|(ending, ..)| *ending != Ending::LostWakeUp)
        };
        let deadlock = |who: String| (Ending::Deadlock, format!("deadlock: {who}"), None);
        let (ending, rule, advice) = match ring.as_slice() {
            [] | [_] => {
                in_vain().unwrap_or_else(|| deadlock("nobody can ever move again".to_owned()))
            }
            [a, b] => deadlock(format!("{} and {} wait for each other", name(*a), name(*b))),
            [first, .., last] => {
                let waits = ring.windows(2).enumerate().map(|(i, pair)| {
                    let waits = if i == 0 { " waits" } else { "" };
                    format!("{}{waits} for {}", name(pair[0]), name(pair[1]))
                });
                let chain = waits.collect::<Vec<_>>().join(", ");
                deadlock(format!("{chain}, and {} for {}", name(*last), name(*first)))
            }
        };
        let things: Vec<ThingId> = stuck.iter().filter_map(|(_, op)| op.thing()).collect();
        let advice = advice.map(Cow::Borrowed);
        End { plot: plot(state, &things), advice, ..End::new(ending, rule) }
    }

    /// Nothing orders the two accesses.
    pub(crate) fn data_race(state: &mut State, thing: ThingId, a: Access, b: Access) -> End {
        let name = |robot: usize| state.robots[robot].name.as_str();
        let did = |it: &Access| {
            format!("{}'s {}", name(it.robot), if it.writes { "write" } else { "read" })
        };
        let what = format!("{} and {} of {}", did(&a), did(&b), state.name_of(thing));
        // Did the second robot see something that the first one did after its access?
        let missed = state.robots[b.robot].knows.missed.iter();
        let missed = missed.rev().find(|it| it.writer == a.robot && it.moment >= a.moment).copied();
        let advice = missed.and_then(|it| {
            let (flag, a, b) = (state.name_of(it.atomic), name(a.robot), name(b.robot));
            let wanted = match (releases(it.stored), acquires(it.loaded)) {
                (false, false) => "Release on the store and Acquire on the load",
                (false, true) => "Release on the store",
                (true, false) => "Acquire on the load",
                (true, true) => return None,
            };
            Some(Cow::Owned(format!(
                "{b} has seen what {a} stored in {flag}, but that orders nothing: it is stored \
                 with {:?} and loaded with {:?}. {wanted} would order them.",
                it.stored, it.loaded
            )))
        });
        let advice = advice.unwrap_or(Cow::Borrowed(
            "Hand it over: under a lock, in a message, by a join, or by a flag that is stored with \
             Release and loaded with Acquire.",
        ));
        let rule = format!("data race: nothing orders {what}");
        let forgotten = state.tale.forgotten;
        let mut plot = missed.map_or(Vec::new(), |it| plot(state, &[it.atomic]));
        for line in [a.line, b.line].iter().filter_map(|line| line.checked_sub(forgotten)) {
            state.tale.lines[line].marked = true;
            plot.push(line);
        }
        End { plot, ..End::new(Ending::DataRace, rule) }.advise(advice)
    }

    /// A robot asks for a lock that it holds.
    pub fn locked_twice(state: &mut State, robot: usize, lock: ThingId, at: Place) -> End {
        let (name, thing) = (state.robots[robot].name.clone(), state.name_of(lock));
        state.tale.tell(robot, What::Stuck(format!("asks for {thing}, and waits for itself")), at);
        let rule = format!("deadlock: {name} asks for {thing}, which it holds already");
        End { plot: plot(state, &[lock]), ..End::new(Ending::LockedTwice, rule) }.advise(
            "A MutexGuard gives the lock back when it is dropped, at the end of its scope. \
 Is one still alive?",
        )
    }

    pub(crate) fn nobody_gets_anywhere(state: &mut State) -> End {
        tell_where_everybody_is(state, &[]);
        if !state.is_fair() {
            let rule = format!(
                "this order of steps is not a fair one: after {} of them they are still at it, and \
                 robots that could have gone on were made to wait again and again",
                state.rules.max_steps
            );
            let end = End::new(Ending::TooManyOrders, rule).advise(GOES_ROUND);
            return End { void: Some(Void::BeyondProof), ..end };
        }
        let rule = format!(
            "nobody gets anywhere: after {} steps they are still at it",
            state.rules.max_steps
        );
        End::new(Ending::NobodyGetsAnywhere, rule).advise(
            "Somebody goes round in a loop, waiting for what never comes; \
 or two robots keep giving way to each other.",
        )
    }

    pub(crate) fn endless_loop(state: &mut State, seconds: usize) -> End {
        let robot = &state.robots[state.moving];
        let seen = robot.pending.map_or_else(String::new, |(_, at)| {
            format!("; it was last seen at {}", place::short(at))
        });
        let rule = format!(
            "{} has been gone for {} without taking a step{seen}",
            robot.name,
            count(seconds, "second")
        );
        End::new(Ending::EndlessLoop, rule).advise(
            "An endless loop, a computation that takes long, or a lock or a sleep of plain std? \
             What the check cannot see holds it up: use whatif::sync::Mutex and whatif::thread, \
             or in an event loop that loop's own locks and sleeps. \
             (In a debugger, set WHATIF_PATIENCE=0.)",
        )
    }

    pub(crate) fn broke_down(robot: &str, words: &LastWords) -> End {
        let LastWords { message, place } = words;
        match message
            .strip_prefix("not yet implemented")
            .or(message.strip_prefix("not implemented"))
        {
            Some(note) => {
                let note = note.trim_start_matches(':').trim();
                let note = if note.is_empty() { "this is yours to write" } else { note };
                End::new(Ending::NotWritten, format!("not written yet: {note}   [{place}]"))
            }
            None => {
                End::new(Ending::BrokeDown, format!("{robot} breaks down: {message}   [{place}]"))
            }
        }
    }

    /// A schedule does not lead where it led before, or where it leads on other threads.
    pub fn different_steps() -> End {
        End::new(Ending::DifferentSteps, "the same schedule led to different steps".to_owned())
            .advise(
                "A check replays schedules, so what the robots do may depend on nothing else. \
             Is there a static, a clock, a random number, a thread_local, or the order of a \
             HashMap?",
            )
    }

    /// A schedule leads to moments that are not there.
    pub fn does_not_fit() -> End {
        let rule = "this id does not fit any more: the code has changed since the story was told";
        End::new(Ending::DoesNotFit, rule.to_owned()).advise(
            "Run the test without WHATIF_REPLAY. \
 If something still goes wrong, the story has a new id.",
        )
    }

    pub(crate) fn stranger(thing: &str, at: Place) -> End {
        let rule = format!(
            "a robot that the check does not know touches {thing}   [{}]",
            place::short(at)
        );
        End::new(Ending::Stranger, rule).advise(
            "Was it started with std::thread::spawn? \
 Use whatif::thread::spawn, and its turns can be checked too.",
        )
    }

    pub(crate) fn made_outside(thing: &str, robot: &str, at: Place) -> End {
        let rule = format!(
            "{robot} touches {thing}, which was there before the run began   [{}]",
            place::short(at)
        );
        End::new(Ending::MadeOutside, rule).advise(
            "Every schedule must start from the same state. \
 Make it inside the closure that check runs, or in what the robots share.",
        )
    }

    /// A robot stops where it cannot be stopped.
    pub fn misuse(robot: &str, at: Place) -> End {
        let rule =
            format!("{robot} tries to stop in the middle of one step   [{}]", place::short(at));
        End::new(Ending::Misuse, rule).advise(
            "What happens inside read and write of a Shared is one step. \
 Put locks, steps and other Shareds outside.",
        )
    }

    pub(crate) fn too_many_robots() -> End {
        let rule =
            "more than 26 robots: no check can try all the orders in which so many could move";
        End::new(Ending::Misuse, rule.to_owned())
            .advise("Two or three robots show nearly every bug.")
    }
}

/// What to try where there are too many orders of steps.
pub const GOES_ROUND: &str = "Do your robots go round in a loop? Each round is one more order to try. \
    A lock waits better than `try_lock` in a loop; and a bell, a message or a join waits better \
    than `yield_now`, a nap or a timeout in one.";

impl Op {
    /// Does robot `me` wait for somebody to come, rather than for something that another robot has?
    /// Then nobody is left who could, and this is what is wrong, and what to try next.
    fn in_vain(self, me: usize, state: &State) -> Option<(Ending, String, Option<&'static str>)> {
        let (ending, waits, whom, advice) = match self {
            Op::Asleep { bell, .. } if !state.robots[me].rung => {
                (Ending::LostWakeUp, ("sleeps at #", bell), "ring it", None)
            }
            Op::Park { robot, .. } => (Ending::LostWakeUp, ("is parked", robot), "unpark it", None),
            Op::Await { wait, thing, .. } => {
                (Ending::Deadlock, (wait.in_vain, thing), wait.whom, wait.advice)
            }
            _ => return None,
        };
        let what = if ending == Ending::LostWakeUp { "lost wake-up" } else { "deadlock" };
        let waits = state.fill_in(waits.0, waits.1, NONE);
        let robot = &state.robots[me].name;
        Some((ending, format!("{what}: {robot} {waits}, and nobody is left to {whom}"), advice))
    }
}

/// Adds a last line for each robot that has not gone home. Returns them, with what they were about
/// to do.
///
/// A robot that waits for another one to finish is only an echo of it, unless it is part of the
/// ring.
fn tell_where_everybody_is(state: &mut State, ring: &[usize]) -> Vec<(usize, Op)> {
    let present = |(id, robot): (usize, &Robot)| {
        robot.pending.filter(|_| !robot.gone).map(|(op, at)| (id, op, at))
    };
    let mut stuck: Vec<(usize, Op, Place)> =
        state.robots.iter().enumerate().filter_map(present).collect();
    let is_plot =
        |(id, op, _): &(usize, Op, Place)| !matches!(op, Op::Join(_)) || ring.contains(id);
    if stuck.iter().any(is_plot) {
        stuck.retain(is_plot);
    }
    for (robot, op, at) in &stuck {
        let reason = op.reason(*robot, state);
        state.tale.tell(*robot, What::Stuck(reason), at);
    }
    stuck.into_iter().map(|(robot, op, _)| (robot, op)).collect()
}

/// The lines that explain a standstill: how each of these locks came to be held, and what happened
/// at these bells.
fn plot(state: &State, things: &[ThingId]) -> Vec<usize> {
    let lines = &state.tale.lines;
    let is_plot = |i: usize| match lines[i].what {
        // Of all the times that a lock was taken, the last one is the one that hurts.
        What::Took(lock, _) => {
            let (thing, me) = (&state.things[lock], lines[i].robot);
            let again = |later: &Told| {
                later.robot == me && matches!(later.what, What::Took(other, _) if other == lock)
            };
            things.contains(&lock)
                && (thing.holder == Some(me) || thing.readers.contains(&me))
                && !lines[i + 1..].iter().any(again)
        }
        ref what => what.thing().is_some_and(|thing| things.contains(&thing)),
    };
    (0..lines.len()).filter(|i| is_plot(*i)).collect()
}

/// Robots of which each one waits for the next one in the ring: the shortest ring there is. Empty
/// if there is none.
fn ring_of_locks(state: &State) -> Vec<usize> {
    let rings = (0..state.robots.len()).filter_map(|start| {
        // Who is waited for, in how many steps from `start`, and by whom first.
        let mut chain = vec![(start, start)];
        let mut at = 0;
        while let Some(&(robot, _)) = chain.get(at) {
            for next in waits_for(state, robot) {
                if next == start {
                    let mut ring = vec![robot];
                    while ring[0] != start {
                        let of = |it: &&(usize, usize)| it.0 == ring[0];
                        let (_, before) = chain.iter().find(of).expect("it came from somewhere");
                        ring.insert(0, *before);
                    }
                    return Some(ring);
                }
                if chain.iter().all(|(known, _)| *known != next) {
                    chain.push((next, robot));
                }
            }
            at += 1;
        }
        None
    });
    rings.min_by_key(Vec::len).unwrap_or_default()
}

/// The robots of which each one alone is enough to keep this one waiting.
fn waits_for(state: &State, robot: usize) -> Vec<usize> {
    let Some((op, _)) = state.robots[robot].pending else { return Vec::new() };
    match op {
        Op::Join(other) => vec![other],
        Op::Lock(lock) | Op::Share(lock) | Op::Asleep { lock, .. } => {
            let thing = &state.things[lock];
            match (thing.holder, op) {
                (Some(holder), _) => vec![holder],
                (None, Op::Lock(_)) => thing.readers.clone(),
                (None, Op::Share(_)) => thing.sleepers.clone(),
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}
