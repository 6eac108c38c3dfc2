//! One run of a program under one scheduler: what it tells, and which decisions it came to.

use std::mem;

use crate::ending::{End, Ending, Void};
use crate::floor::{Floor, State};
use crate::program::Program;
use crate::schedule::Schedule;
use crate::scheduler::{Follow, Scheduler};
use crate::story::Story;

/// What is left when everybody has gone home.
pub struct Ran {
    /// The run, in words, if something went wrong in it, or somebody wants to hear of it anyway.
    pub told: Option<Story>,
    /// Why the run does not count.
    pub void: Option<Void>,
    /// The scheduler, with what it knows now.
    pub(crate) scheduler: Scheduler,
    /// Two robots have touched the same thing, or one has had several ways to go on.
    pub met: bool,
    /// A number that differs if two runs differ in a step that somebody announced.
    pub fingerprint: u64,
}

impl Program<'_> {
    /// Runs it once. Tells of it if something goes wrong, or if every run is to be told.
    pub(crate) fn run(&self, scheduler: Scheduler) -> Ran {
        let floor = Floor::new(scheduler, self.rules.clone());
        self.onlooker.looks_at(&floor);
        let mut state = floor.run(self.f);
        let end = state.end.take();
        let void = match &state.scheduler {
            _ if state.again => Some(Void::AgainWithUnlock),
            Scheduler::Path(path) if path.is_beyond => Some(Void::BeyondProof),
            _ => end.as_ref().and_then(|end| end.void),
        };
        // A run that has never come to all turns of its schedule is not the one that it should be.
        let end = state.scheduler.left_over().filter(|_| void.is_none()).or(end);
        let end = end.unwrap_or_else(End::all_well);
        let told = (self.whole || end.ending != Ending::AllWell)
            .then(|| Story::tell(&self.rules.check, &state, &end, self.whole));
        let met = met(&state) || state.has_chosen;
        let fingerprint = state.fingerprint;
        let scheduler = mem::replace(&mut state.scheduler, Scheduler::InTurn);
        Ran { told, void, scheduler, met, fingerprint }
    }
}

/// Have two robots met? If there is only one besides the first, that is the one for it to meet.
fn met(state: &State) -> bool {
    let alone = state.robots.len() <= 2;
    state.things.iter().any(|thing| thing.met || alone && thing.visitors.len() > 1)
}

/// A scheduler that follows a schedule in which the search has found `expected` before.
pub(crate) fn follow(schedule: Schedule, expected: Option<u64>) -> Scheduler {
    Scheduler::Follow(Follow::new(schedule, expected))
}
