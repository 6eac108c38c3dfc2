//! The proof: every schedule but those that nobody can tell from another one, depth first.
//!
//! Each run takes one way through the tree of all schedules, and the next run goes the same way up
//! to the last place where there is something else to try, and there takes the next choice.
//!
//! What need not be tried is kept in a *sleep set*. When all that can follow a robot's step has
//! been tried, and the search goes on with another robot's step instead, the first robot is put to
//! sleep: trying its step right afterwards would only swap the two. It sleeps until somebody takes
//! a step that its own [depends on](crate::independence), because then the order counts. Where
//! everybody who is ready is asleep, whatever follows has been seen elsewhere.
//!
//! It finds a failure if there is one, but not the simplest, and it cannot stop half-way and say
//! what it has covered. For both there is the [search](crate::explore).

use std::mem;
use std::ops::ControlFlow;

use crate::ending::{End, Ending, Void};
use crate::explore::Found;
use crate::independence::Announced;
use crate::program::Program;
use crate::run::Ran;
use crate::scheduler::{Choice, Decision, Scheduler};
use crate::story::Story;

/// A robot that comes past the same place so often, while others could move and do not, is in a
/// loop that no proof sees the end of.
const A_LOOP: usize = 16;

/// A way through the tree of schedules.
#[derive(Default)]
pub(crate) struct Path {
    forks: Vec<Fork>,
    /// How many of them this run has come to.
    passed: usize,
    /// The sleep set: steps that are not to be tried now.
    asleep: Vec<Announced>,
    /// Nobody who is ready is awake, so this run has been seen before. It is not broken off, because
    /// going home takes robots less time than being sent home.
    pub is_redundant: bool,
    /// A robot is in a loop, so this run does not count. It is not broken off, either.
    pub is_beyond: bool,
    pub reduction: Reduction,
}

/// What a proof leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// Nothing.
    #[default]
    None,
    /// Schedules that nobody can tell from one that is run.
    SleepSets,
    /// Too much: for a test that must notice.
    Wrong,
}

/// A place with something to choose.
struct Fork {
    taken: usize,
    of: usize,
    /// How the runs come here; if one comes differently, it is not the same program.
    fingerprint: u64,
}

impl Path {
    pub(crate) fn new(reduction: Reduction) -> Path {
        Path { reduction, ..Path::default() }
    }

    pub(crate) fn pick(&mut self, decision: &Decision) -> Result<usize, End> {
        if self.is_redundant || self.is_beyond {
            return Ok(0);
        }
        let Some(robots) = decision.robots else {
            return self.take(decision.choices.len(), decision.fingerprint); // ways: all are tried
        };
        let step = |choice: &Choice| Announced {
            robot: choice.robot,
            unasked: choice.unasked,
            op: robots[choice.robot].pending.expect("whoever is ready has announced a step").0,
        };
        let awake = |choice: &Choice| {
            let same = |it: &Announced| (it.robot, it.unasked) == (choice.robot, choice.unasked);
            !self.asleep.iter().any(same)
        };
        let awake: Vec<usize> =
            (0..decision.choices.len()).filter(|i| awake(&decision.choices[*i])).collect();
        if awake.is_empty() {
            self.is_redundant = true;
            return Ok(0);
        }
        let nth = self.take(awake.len(), decision.fingerprint)?;
        let picked = awake[nth];
        let goes_on = decision.choices[picked].robot == decision.moving && awake.len() > 1;
        if goes_on && robots[decision.moving].times_passed() > A_LOOP {
            self.is_beyond = true;
            return Ok(0);
        }
        if self.reduction != Reduction::None {
            let taken = step(&decision.choices[picked]);
            let wrong = self.reduction == Reduction::Wrong;
            self.asleep.extend(awake[..nth].iter().map(|i| step(&decision.choices[*i])));
            self.asleep.retain(|it| wrong || it.is_independent_of(&taken));
        }
        Ok(picked)
    }

    /// Which of so many choices this run takes here.
    fn take(&mut self, of: usize, fingerprint: u64) -> Result<usize, End> {
        if of == 1 {
            return Ok(0);
        }
        if self.passed == self.forks.len() {
            self.forks.push(Fork { taken: 0, of, fingerprint });
        }
        let fork = &self.forks[self.passed];
        if (fork.of, fork.fingerprint) != (of, fingerprint) {
            return Err(End::different_steps());
        }
        self.passed += 1;
        Ok(fork.taken)
    }

    /// Has the run come to all the places that it was to come to?
    pub(crate) fn is_complete(&self) -> bool {
        self.passed == self.forks.len()
    }

    /// Turns to the next way. False if there is none.
    pub(crate) fn turn(&mut self) -> bool {
        self.passed = 0;
        self.asleep.clear();
        self.is_redundant = false;
        while let Some(fork) = self.forks.last_mut() {
            fork.taken += 1;
            if fork.taken < fork.of {
                return true;
            }
            self.forks.pop();
        }
        false
    }
}

/// How far a proof has come.
pub struct Proof {
    path: Option<Path>,
    /// Runs that may still be spent.
    budget: usize,
    /// Schedules that went well.
    pub runs: usize,
    met: bool,
    /// A schedule that goes wrong.
    pub failure: Option<Story>,
}

impl Proof {
    /// A proof that may take so many runs.
    pub fn new(budget: usize, reduction: Reduction) -> Proof {
        Proof { path: Some(Path::new(reduction)), budget, runs: 0, met: false, failure: None }
    }

    /// Gives up: the program goes round, or something goes wrong anyway.
    pub fn abandon(&mut self) {
        self.path = None;
    }

    /// Has it anything left to try?
    pub fn is_open(&self) -> bool {
        self.path.is_some()
    }

    /// Spends one more run. None: nothing to say yet, or ever.
    pub fn go_on(&mut self, program: &Program) -> Option<Found> {
        if self.budget == 0 {
            self.abandon();
        }
        let path = self.path.take()?;
        self.budget -= 1;
        let ran = program.run(Scheduler::Path(path));
        let Scheduler::Path(mut path) = ran.scheduler else { unreachable!("it is what it was") };
        match (ran.void, ran.told) {
            (Some(Void::AgainWithUnlock), _) => return Some(Found::AgainWithUnlock),
            (Some(Void::BeyondProof), _) => return None,
            // It might get somewhere if the schedule were a fair one, and others are tried first.
            (None, Some(story)) if story.ending == Ending::NobodyGetsAnywhere => return None,
            (None, Some(story)) if story.ending.is_final() => return Some(Found::Failure(story)),
            (None, Some(story)) => {
                self.failure = Some(story);
                return None;
            }
            (None, None) => {
                self.runs += usize::from(!path.is_redundant);
                self.met |= ran.met;
            }
        }
        if path.turn() {
            self.path = Some(path);
            return None;
        }
        Some(Found::Nothing { runs: self.runs, met: mem::take(&mut self.met) })
    }
}

/// One of all the ways that a program can go.
pub struct Way {
    /// The run.
    pub ran: Ran,
    /// It has been seen before: nobody can tell it from another one.
    pub is_redundant: bool,
}

/// Runs the program in every way, past those that go wrong, until `look` has seen enough, and breaks
/// with what it has found. None: it has seen all.
pub fn every_way<B>(
    program: &Program,
    reduction: Reduction,
    mut look: impl FnMut(Way) -> ControlFlow<B>,
) -> Option<B> {
    let mut path = Path::new(reduction);
    loop {
        let mut ran = program.run(Scheduler::Path(path));
        let Scheduler::Path(back) = mem::replace(&mut ran.scheduler, Scheduler::InTurn) else {
            unreachable!("it is what it was")
        };
        path = back;
        let way = Way { ran, is_redundant: path.is_redundant };
        if let ControlFlow::Break(found) = look(way) {
            return Some(found);
        }
        if !path.turn() {
            return None;
        }
    }
}
