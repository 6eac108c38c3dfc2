//! The two or three steps of a story that matter: derived from the run, never guessed.
//!
//! * A broken rule: somebody looked at a thing, somebody else changed it, and the first one acted on
//!   what it had seen. The look, the change, the act.
//! * A standstill: how the locks came to be held that somebody waits for.
//! * A lost wake-up: the look, the ring that nobody heard, falling asleep.
//!
//! A step at a thing is told by what the robot says of it. If the run does not show such steps, the
//! last line is marked: there, at the latest, it went wrong.

use crate::ending::{End, Ending};
use crate::floor::State;
use crate::pending::{Op, ThingId};
use crate::tale::{IN_LINE, UNHEARD, What};

/// A step that has been taken.
pub(crate) struct Taken {
    pub robot: usize,
    pub op: Op,
    /// How many lines had been told before.
    pub line: usize,
}

/// Of so many steps before the end each could be at the thing that the broken rule is about.
const LAST_STEPS: usize = 4;

/// The lines that matter, by their place in the tale.
pub(crate) fn marks(state: &State, end: &End) -> Vec<usize> {
    let lines = &state.tale.lines;
    match end.ending {
        Ending::Deadlock | Ending::LockedTwice => {
            let holds_up = |i: &usize| match lines[*i].what {
                What::Took(..) => true,
                What::Did(lock, IN_LINE, _) => {
                    state.things[lock].sleepers.contains(&lines[*i].robot)
                }
                _ => false,
            };
            end.plot.iter().copied().filter(holds_up).collect()
        }
        Ending::LostWakeUp => lost_wake_up(state),
        Ending::RuleBroken => {
            let said = lines.iter().rposition(|told| matches!(told.what, What::Said(_)));
            let mut marks = look_change_act(state);
            if marks.is_empty() {
                marks.extend(said.or(lines.len().checked_sub(1)));
            }
            // Whoever notices, the last thing that was said or done is what broke the rule.
            marks.extend(said);
            marks
        }
        _ => Vec::new(),
    }
}

/// Does the step touch the thing, and if so, does it change it?
fn touches(step: &Taken, thing: ThingId) -> Option<bool> {
    step.op.footprint().iter().flatten().find(|(it, _)| *it == thing).map(|(_, changes)| *changes)
}

fn look_change_act(state: &State) -> Vec<usize> {
    let (steps, noticed) = (&state.taken, state.moving);
    let last = steps.iter().rev().filter(|it| it.robot == noticed).take(LAST_STEPS);
    let things = last.flat_map(|it| it.op.footprint()).flatten().map(|(thing, _)| thing);
    let speaks = state.tale.lines.iter().any(|told| matches!(told.what, What::Said(_)));
    for thing in things {
        let at: Vec<usize> =
            (0..steps.len()).filter(|i| touches(&steps[*i], thing).is_some()).collect();
        // The last act before which somebody else had changed what its robot had looked at.
        let stale = |act: &usize| {
            let robot = steps[*act].robot;
            let look = at.iter().copied().rfind(|i| i < act && steps[*i].robot == robot)?;
            let between = at.iter().copied().filter(|i| (look..*act).contains(i) && *i != look);
            let changes: Vec<usize> =
                between.filter(|i| touches(&steps[*i], thing) == Some(true)).collect();
            (!changes.is_empty()).then_some((look, changes, *act))
        };
        let by = |me: bool| {
            let acts = at.iter().rev().filter(move |i| !me || steps[**i].robot == noticed);
            acts.filter_map(stale).next()
        };
        let Some((look, changes, act)) = by(true).or_else(|| by(false)) else { continue };
        // Of a lock nobody knows what was done while it was held, so only one holder is the one.
        let is_lock = matches!(steps[act].op, Op::Lock(_));
        let change = changes.last().copied().filter(|_| !is_lock || changes.len() == 1);
        let line = |step: usize| told_by(state, step, speaks);
        let (look, change, act) = (line(look), change.and_then(line), line(act));
        // A robot may say what it does before it does it.
        let act = act.filter(|act| look.max(change) < Some(*act));
        return [look, change, act].into_iter().flatten().collect();
    }
    Vec::new()
}

fn lost_wake_up(state: &State) -> Vec<usize> {
    let steps = &state.taken;
    let asleep = state.robots.iter().enumerate().find_map(|(id, robot)| match robot.pending {
        Some((Op::Asleep { bell, lock, .. }, _)) if !robot.rung => Some((id, bell, lock)),
        _ => None,
    });
    let Some((robot, bell, lock)) = asleep else { return Vec::new() };
    let falls = |it: &Taken| it.robot == robot && matches!(it.op, Op::Wait { .. });
    let Some(falls) = steps.iter().rposition(falls) else { return Vec::new() };
    let unheard = |i: &usize| {
        let told = state.tale.lines[lines_of(state, *i)].first();
        touches(&steps[*i], bell).is_some()
            && told.is_some_and(|told| matches!(told.what, What::Did(_, UNHEARD, _)))
    };
    let mut marks: Vec<usize> = lines_of(state, falls).take(1).collect();
    if let Some(ring) = (0..falls).rfind(unheard) {
        marks.extend(lines_of(state, ring).take(1));
        let at_lock = |i: &usize| touches(&steps[*i], lock).is_some();
        let look = (0..ring).rfind(|i| steps[*i].robot == robot && at_lock(i));
        let is_stale = |look: &usize| {
            (*look..ring).any(|i| steps[i].robot != robot && touches(&steps[i], lock) == Some(true))
        };
        marks.extend(
            look.filter(is_stale).and_then(|look| {
                told_by(state, look, true).or_else(|| lines_of(state, look).next())
            }),
        );
    }
    marks
}

/// The lines that were told in a step, and on the way to the next one.
fn lines_of(state: &State, step: usize) -> std::ops::Range<usize> {
    let place = |line: usize| line.saturating_sub(state.tale.forgotten);
    let end = state.taken.get(step + 1).map_or(state.tale.lines.len(), |next| place(next.line));
    place(state.taken[step].line)..end
}

/// The line that tells of a step: where robots speak, what its robot says of it.
fn told_by(state: &State, step: usize, speaks: bool) -> Option<usize> {
    let robot = state.taken[step].robot;
    let lines = &state.tale.lines;
    if !speaks {
        return lines_of(state, step).find(|i| lines[*i].robot == robot);
    }
    let said = |step: usize| {
        let says = |i: &usize| lines[*i].robot == robot && matches!(lines[*i].what, What::Said(_));
        lines_of(state, step).find(says)
    };
    let is_step = |step: &usize| matches!(state.taken[*step].op, Op::Step);
    let own = |step: &usize| state.taken[*step].robot == robot;
    // What it says afterwards, before it says that it is about to do something else.
    let mut later = (step..state.taken.len()).filter(own).take_while(|it| !is_step(it));
    // What it said that it was about to do.
    let before = || {
        let told = (0..step).rev().filter(own).find_map(|it| said(it).map(|line| (it, line)));
        told.filter(|(it, _)| is_step(it)).map(|(_, line)| line)
    };
    let looks = state.taken[step].op.footprint().iter().flatten().all(|(_, changes)| !changes);
    match said(step) {
        Some(line) => Some(line),
        None if looks => later.find_map(said).or_else(before),
        None => before().or_else(|| later.find_map(said)),
    }
}
