//! A program to run, again and again, each time from its start.

use std::sync::Arc;

use crate::crew::NewThreads;
use crate::floor::{Rules, Time};
use crate::onlooker::Onlooker;
use crate::run::{self, Ran};
use crate::schedule::Schedule;
use crate::scheduler::{Dice, Scheduler};

/// A program, and what all its runs have in common.
pub struct Program<'a> {
    /// What holds for its runs.
    pub rules: Rules,
    /// Every run is told, and every line of it. Otherwise only what goes wrong is told: in a search
    /// most runs go well, and nobody wants to hear of them.
    pub whole: bool,
    /// For who wants to know, meanwhile, whether it still moves.
    pub onlooker: Onlooker,
    pub(crate) f: &'a dyn Fn(),
}

impl<'a> Program<'a> {
    /// The program `f`. It makes everything that its robots share, and does the same in each run.
    pub fn new(check: &str, f: &'a dyn Fn()) -> Program<'a> {
        let onlooker = Onlooker::default();
        let rules = Rules {
            check: check.into(),
            time: Time::Stands,
            unlock_is_step: false,
            wake_unasked: true,
            things_from_outside: false,
            max_steps: 2_000,
            watch: None,
            crew: Arc::new(NewThreads),
            heartbeat: onlooker.heartbeat.clone(),
        };
        Program { rules, whole: false, onlooker, f }
    }

    /// Runs it once: everybody one step in turn.
    pub fn in_turn(&self) -> Ran {
        self.run(Scheduler::InTurn)
    }

    /// Runs it once, and lets dice decide. The same seed gives the same run.
    pub fn at_random(&self, seed: u64) -> Ran {
        self.run(Scheduler::Dice(Dice(seed)))
    }

    /// Runs it once, in this order of steps.
    pub fn follow(&self, schedule: Schedule) -> Ran {
        self.run(run::follow(schedule, None))
    }

    /// Does `work`. If that comes to nothing, because somebody only tries a lock, does it again, with
    /// giving a lock back as a step.
    pub fn twice<R>(&mut self, work: impl Fn(&Program) -> Option<R>) -> R {
        let done = work(self).or_else(|| {
            self.rules.unlock_is_step = true;
            work(self)
        });
        done.expect("after the second try all steps are known")
    }
}
