//! The search: every schedule once, those with the fewest preemptions first.
//!
//! A run makes decisions. Each choice that it did not take is another schedule, to be run later: at
//! the same level if that choice is free, one level up if it is a preemption. So level 0 holds all
//! schedules in which robots change places only where somebody must wait, level 1 those with one
//! preemption, and so on. (The field calls it iterative context bounding.) Nearly all bugs need one
//! or two, so the first one found is the simplest there is; and when no schedule is left, there is
//! no bug. A turn out of order ([`Me::chooses`](crate::Me::chooses)) counts as a preemption does.
//!
//! A schedule is run from the start, and afterwards lets things happen by themselves, so every
//! schedule is reached from exactly one other: the one without its last exception. That is why none
//! is run twice, and none is left out.

use std::mem;

use crate::ending::Void;
use crate::program::Program;
use crate::run;
use crate::schedule::{Schedule, Turn};
use crate::scheduler::{Made, Scheduler};
use crate::story::Story;

/// After the first failure, so many more schedules of the same level are tried, for a shorter
/// story.
const RUNS_FOR_A_SHORTER_STORY: usize = 2000;

/// What a search or a proof has found.
#[expect(clippy::large_enum_variant, reason = "one at a time, and never kept")]
pub enum Found {
    /// Nothing goes wrong: all schedules have been run, or others that cannot be told from them.
    Nothing {
        /// How many have been run.
        runs: usize,
        /// Robots have met in them. See [`Ran::met`](crate::Ran::met).
        met: bool,
    },
    /// Something goes wrong, and this is how.
    Failure(Story),
    /// Everything must start again, with giving a lock back as a step.
    AgainWithUnlock,
}

/// Of a schedule that comes to no end, so many decisions are looked at for other schedules ...
const BEFORE_IT_GOES_ROUND: usize = 32;

/// ... and after so many of them the search gives up: each takes as long as hundreds of others.
const MOST_GAPS: usize = 100;

/// A schedule that has not been run yet.
struct Untried {
    schedule: Schedule,
    /// The first decision that is not its parent's.
    new_from: usize,
    /// How the parent came to the decision at which they part. See
    /// [`Follow`](crate::scheduler::Follow).
    expected: u64,
}

/// How far a search has come.
#[derive(Default)]
pub struct Search {
    level: Vec<Untried>,
    next_level: Vec<Untried>,
    /// The number of the level: with so many preemptions.
    preemptions: usize,
    /// Schedules that have been run.
    pub runs: usize,
    /// How many of them belong to levels that are complete.
    complete: usize,
    /// All schedules with up to so many preemptions have been run.
    covered: Option<usize>,
    /// So many schedules were not fair, and came to no end. Most of what follows from them is left
    /// out.
    gaps: usize,
    budget: usize,
    max_preemptions: usize,
    /// Robots have met in them.
    pub met: bool,
    best: Option<Story>,
}

impl Search {
    /// A search that may take so many runs, for schedules with so many preemptions at most.
    pub fn new(max_preemptions: usize, max_runs: usize, unlock_is_step: bool) -> Search {
        let schedule = Schedule { unlock_is_step, ..Schedule::default() };
        let level = vec![Untried { schedule, new_from: 0, expected: 0 }];
        Search { level, budget: max_runs, max_preemptions, ..Search::default() }
    }

    /// Has something gone wrong, and all that can come is a shorter story?
    pub fn has_failed(&self) -> bool {
        self.best.is_some()
    }

    /// All schedules with up to so many preemptions have been run, and so many more. None: not even
    /// all of those without any.
    pub fn covered(&self) -> (Option<usize>, usize) {
        (self.covered, self.runs - self.complete)
    }

    /// The budget has been spent, or the last level that is wanted.
    pub fn is_over(&self) -> bool {
        (self.runs >= self.budget && !self.level.is_empty())
            || self.preemptions > self.max_preemptions
            || self.gaps > MOST_GAPS
            || self.gaps > 0 && self.level.is_empty() && self.next_level.is_empty()
    }

    /// Runs one more schedule, if the search is not over.
    pub fn go_on(&mut self, program: &Program) -> Option<Found> {
        if self.is_over() {
            return self.best().map(Found::Failure);
        }
        let Some(untried) = self.level.pop() else {
            if self.gaps == 0 {
                (self.covered, self.complete) = (Some(self.preemptions), self.runs);
            }
            if self.best.is_none() && !self.next_level.is_empty() {
                mem::swap(&mut self.level, &mut self.next_level);
                self.preemptions += 1;
                return None;
            }
            let nothing = Found::Nothing { runs: self.runs, met: self.met };
            return Some(self.best().map_or(nothing, Found::Failure));
        };
        let ran = program.run(run::follow(untried.schedule.clone(), Some(untried.expected)));
        match ran.void {
            Some(Void::AgainWithUnlock) => return Some(Found::AgainWithUnlock),
            Some(Void::BeyondProof) => {
                (self.gaps, self.budget) = (self.gaps + 1, self.budget - 1);
                // What came before it went round can still be done otherwise.
                if let Scheduler::Follow(follow) = &ran.scheduler {
                    let before = follow.log.len().min(BEFORE_IT_GOES_ROUND);
                    self.branch(&untried, &follow.log[..before]);
                }
                return None;
            }
            None => {}
        }
        (self.runs, self.met) = (self.runs + 1, self.met || ran.met);
        if let Scheduler::Follow(follow) = &ran.scheduler {
            self.branch(&untried, &follow.log);
        }
        if let Some(story) = ran.told {
            let is_final = story.ending.is_final();
            if self.best.is_none() {
                self.budget = self.budget.min(self.runs + RUNS_FOR_A_SHORTER_STORY);
            }
            if is_final || self.best.as_ref().is_none_or(|best| rank(&story) < rank(best)) {
                self.best = Some(story);
            }
            if is_final {
                return self.best().map(Found::Failure);
            }
        }
        None
    }

    /// The best story, if there is one.
    pub fn best(&mut self) -> Option<Story> {
        let story = self.best.take()?;
        Some(Story { schedules: self.runs, ..story })
    }

    /// Every choice that the run did not take is another schedule. Choices at decisions before
    /// `new_from` are its parent's.
    fn branch(&mut self, untried: &Untried, log: &[Made]) {
        // More than can be run need not be kept; the one too many keeps the level from looking
        // complete.
        let room = self.budget - self.runs + 1;
        for (at, made) in log.iter().enumerate().skip(untried.new_from) {
            for choice in &made.choices[1..] {
                let list = if choice.price == 0 { &mut self.level } else { &mut self.next_level };
                if list.len() < room {
                    let mut schedule = untried.schedule.clone();
                    schedule.turns.push(Turn::at(at, choice));
                    list.push(Untried { schedule, new_from: at + 1, expected: made.fingerprint });
                }
            }
        }
    }
}

/// Of two stories with equally many preemptions the one with fewer lines is better, then the one
/// with fewer exceptions.
fn rank(story: &Story) -> (usize, usize) {
    (story.length(), story.id.split('-').count())
}
