//! One run of a program under one scheduler: what it tells, and which decisions it came to.

use std::mem;
use std::sync::Arc;

use crate::crew::Crew;
use crate::ending::{End, Ending, Void};
use crate::floor::{Floor, Rules, State};
use crate::one_core::OneCore;
use crate::schedule::Schedule;
use crate::scheduler::{Follow, Scheduler};
use crate::story::Story;
use crate::watchdog::Watchdog;

/// What all runs of one check have in common, and the program does not see.
pub(crate) struct Backstage {
    pub check: Arc<str>,
    pub watchdog: Arc<Watchdog>,
    pub crew: Arc<Crew>,
    _one_core: OneCore,
}

impl Backstage {
    pub(crate) fn new(check: &str) -> Backstage {
        let watchdog = Watchdog::start(); // Before the robots' core is chosen: it may use any.
        let one_core = OneCore::keep();
        let crew = Crew::on(one_core.now);
        Backstage { check: check.into(), watchdog, crew, _one_core: one_core }
    }
}

impl Drop for Backstage {
    fn drop(&mut self) {
        self.crew.is_free();
    }
}

/// What is left when everybody has gone home.
pub(crate) struct Ran {
    /// The run, in words, if something went wrong in it, or somebody wants to hear of it anyway.
    pub told: Option<Story>,
    /// Why the run does not count.
    pub void: Option<Void>,
    /// The scheduler, with what it knows now.
    pub scheduler: Scheduler,
    /// Two robots have touched the same thing, or one has had several ways to go on.
    pub met: bool,
}

/// Runs `f` once. Tells of it if something goes wrong, and with `whole` every line of it in any
/// case: in a search most runs go well, and nobody wants to hear of them.
pub(crate) fn once(
    name: &str,
    scheduler: Scheduler,
    rules: Rules,
    backstage: &Backstage,
    whole: bool,
    f: impl FnOnce(),
) -> Ran {
    let floor = Floor::new(scheduler, rules);
    backstage.watchdog.watch(&floor);
    let mut state = floor.run(f);
    let end = state.end.take();
    let void = match &state.scheduler {
        _ if state.again => Some(Void::AgainWithUnlock),
        Scheduler::Path(path) if path.is_beyond => Some(Void::BeyondProof),
        _ => end.as_ref().and_then(|end| end.void),
    };
    // A run that has never come to all turns of its schedule is not the one that it should be.
    let end = state.scheduler.left_over().filter(|_| void.is_none()).or(end);
    let end = end.unwrap_or_else(End::all_well);
    let told =
        (whole || end.ending != Ending::AllWell).then(|| Story::tell(name, &state, &end, whole));
    let met = met(&state) || state.has_chosen;
    Ran { told, void, scheduler: mem::replace(&mut state.scheduler, Scheduler::InTurn), met }
}

/// Have two robots met? If there is only one besides the first, that is the one for it to meet.
fn met(state: &State) -> bool {
    let alone = state.robots.len() <= 2;
    state.things.iter().any(|thing| thing.met || alone && thing.visitors.len() > 1)
}

/// Is the run's end one of those that no other schedule can put right?
pub(crate) fn is_final(ending: Ending) -> bool {
    matches!(
        ending,
        Ending::NotWritten
            | Ending::DifferentSteps
            | Ending::Stranger
            | Ending::MadeOutside
            | Ending::Misuse
    )
}

/// A scheduler that follows a schedule in which the search has found `expected` before.
pub(crate) fn follow(schedule: Schedule, expected: Option<u64>) -> Scheduler {
    Scheduler::Follow(Follow::new(schedule, expected))
}
