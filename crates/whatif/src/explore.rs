//! The search: every schedule once, those with the fewest preemptions first.
//!
//! A run makes decisions. Each choice that it did not take is another schedule, to be run later: at
//! the same level if that choice is free, one level up if it is a preemption. So level 0 holds all
//! schedules in which robots change places only where somebody must wait, level 1 those with one
//! preemption, and so on. (The field calls it iterative context bounding.) Nearly all bugs need one
//! or two, so the first one found is the simplest there is; and when no schedule is left, there is
//! no bug. A turn out of order ([`choose`](crate::choose())) counts as a preemption does.
//!
//! A schedule is run from the start, and afterwards lets things happen by themselves, so every
//! schedule is reached from exactly one other: the one without its last exception. That is why none
//! is run twice, and none is left out.

use crate::ending::Ending;
use crate::run::{self, Ran};
use crate::schedule::{Schedule, Turn};
use crate::scheduler::Scheduler;
use crate::story::Story;

/// Where the search stops.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub max_preemptions: usize,
    pub max_runs: usize,
}

/// After the first failure, so many more schedules of the same level are tried, for a shorter
/// story.
const RUNS_FOR_A_SHORTER_STORY: usize = 2000;

/// What the search has found.
pub(crate) enum Found {
    /// All schedules have been run.
    Nothing {
        runs: usize,
        met: bool,
    },
    /// All schedules with up to `preemptions` preemptions have been run, and some more. None: not
    /// even all of those without any.
    NothingUpTo {
        runs: usize,
        preemptions: Option<usize>,
        met: bool,
    },
    Failure(Story),
    /// The search must start again, with giving a lock back as a step.
    AgainWithUnlock,
}

/// A schedule that has not been run yet.
struct Untried {
    schedule: Schedule,
    /// The first decision that is not its parent's.
    new_from: usize,
    /// How the parent came to the decision at which they part. See
    /// [`Follow`](crate::scheduler::Follow).
    expected: u64,
}

/// Runs schedules by `run` until one fails, or none is left, or the limits are reached.
pub(crate) fn search(
    limits: &Limits,
    unlock_is_step: bool,
    mut run: impl FnMut(Scheduler) -> Ran,
) -> Found {
    let root = Schedule { unlock_is_step, ..Schedule::default() };
    let mut level = vec![Untried { schedule: root, new_from: 0, expected: 0 }];
    let mut next_level = Vec::new();
    let (mut runs, mut budget, mut met) = (0, limits.max_runs, false);
    let mut best: Option<Story> = None;

    for preemptions in 0_usize.. {
        while let Some(untried) = level.pop() {
            if runs == budget {
                let preemptions = preemptions.checked_sub(1);
                return best_or(best, runs, Found::NothingUpTo { runs, preemptions, met });
            }
            let ran = run(run::follow(untried.schedule.clone(), Some(untried.expected)));
            if ran.again_with_unlock {
                return Found::AgainWithUnlock;
            }
            (runs, met) = (runs + 1, met || ran.met);
            // More than can be run need not be kept; the one too many keeps the level from looking
            // complete.
            let room = budget - runs + 1;
            for (price, child) in branches(&untried, &ran) {
                let list = if price == 0 { &mut level } else { &mut next_level };
                if list.len() < room {
                    list.push(child);
                }
            }
            if ran.story.ending != Ending::AllWell {
                let story = Story {
                    preemptions: preemptions - ran.story.out_of_turn.unwrap_or(0),
                    ..ran.story
                };
                if run::is_final(story.ending) {
                    return best_or(Some(story), runs, Found::AgainWithUnlock);
                }
                if best.is_none() {
                    budget = budget.min(runs + RUNS_FOR_A_SHORTER_STORY);
                }
                if best.as_ref().is_none_or(|best| rank(&story) < rank(best)) {
                    best = Some(story);
                }
            }
        }
        if best.is_some() || next_level.is_empty() {
            return best_or(best, runs, Found::Nothing { runs, met });
        }
        if preemptions == limits.max_preemptions {
            return Found::NothingUpTo { runs, preemptions: Some(preemptions), met };
        }
        std::mem::swap(&mut level, &mut next_level);
    }
    unreachable!("there is always a level above, or the search has returned")
}

/// The best story, if there is one.
fn best_or(best: Option<Story>, runs: usize, otherwise: Found) -> Found {
    best.map_or(otherwise, |story| Found::Failure(Story { schedules: runs, ..story }))
}

/// Every choice that the run did not take, with its price. Choices at decisions before `new_from`
/// are its parent's.
fn branches<'a>(untried: &'a Untried, ran: &'a Ran) -> impl Iterator<Item = (usize, Untried)> + 'a {
    let new = ran.log.iter().enumerate().skip(untried.new_from);
    new.flat_map(move |(at, made)| {
        made.choices[1..].iter().map(move |choice| {
            let mut schedule = untried.schedule.clone();
            schedule.turns.push(Turn {
                at,
                robot: choice.robot,
                unasked: choice.unasked,
                way: choice.way,
            });
            (choice.price, Untried { schedule, new_from: at + 1, expected: made.fingerprint })
        })
    })
}

/// Of two stories with equally many preemptions the one with fewer lines is better, then the one
/// with fewer exceptions.
fn rank(story: &Story) -> (usize, usize) {
    (story.length(), story.id.split('-').count())
}
