//! One run of a program under one scheduler: what it tells, and which decisions it came to.

use std::sync::Arc;

use crate::crew::Crew;
use crate::ending::{End, Ending};
use crate::floor::{Floor, Rules, State};
use crate::schedule::{IN_TURN, Schedule};
use crate::scheduler::{Follow, Made, Scheduler};
use crate::story::Story;
use crate::watchdog::Watchdog;

/// What all runs of one check have in common, and the program does not see.
pub(crate) struct Backstage {
    pub watchdog: Watchdog,
    pub crew: Arc<Crew>,
}

impl Backstage {
    pub(crate) fn new(check: &str) -> Backstage {
        Backstage { watchdog: Watchdog::start(check), crew: Arc::default() }
    }
}

/// What is left when everybody has gone home.
pub(crate) struct Ran {
    /// The run, in words. Its ending may be `AllWell`.
    pub story: Story,
    /// The decisions, if the run followed a schedule.
    pub log: Vec<Made>,
    /// Two robots have touched the same thing, or one has had several ways to go on.
    pub met: bool,
    /// The run does not count: giving a lock back must be a step. See [`End::again_with_unlock`].
    pub again_with_unlock: bool,
}

/// Runs `f` once.
pub(crate) fn once(
    name: &str,
    scheduler: Scheduler,
    rules: Rules,
    backstage: &Backstage,
    f: impl FnOnce(),
) -> Ran {
    let floor = Floor::new(scheduler, rules);
    backstage.watchdog.watch(&floor);
    let mut state = floor.run(f);
    let id = match &state.scheduler {
        Scheduler::Follow(follow) => follow.schedule.to_string(),
        Scheduler::InTurn => IN_TURN.to_owned(),
        Scheduler::Dice(_) => String::new(),
    };
    let end = state.end.take();
    let again_with_unlock = end.as_ref().is_some_and(|end| end.again_with_unlock);
    let end = match left_over(&state) {
        Some(surprise) if !again_with_unlock => surprise,
        _ => end.unwrap_or_else(End::all_well),
    };
    // In a search most runs go well, and nobody wants to hear of them.
    let story = match (&state.scheduler, end.ending) {
        (Scheduler::Follow(Follow { expected: Some(_), .. }), Ending::AllWell) => {
            Story::without_lines(name, &end)
        }
        _ => Story::tell(name, &state, &end, id),
    };
    let met = met(&state) || state.has_chosen;
    let log = match &mut state.scheduler {
        Scheduler::Follow(follow) => std::mem::take(&mut follow.log),
        Scheduler::InTurn | Scheduler::Dice(_) => Vec::new(),
    };
    Ran { story, log, met, again_with_unlock }
}

/// The end of a run that never came to all turns of its schedule.
fn left_over(state: &State) -> Option<End> {
    let Scheduler::Follow(follow) = &state.scheduler else {
        return None;
    };
    if follow.left_over().is_empty() {
        return None;
    }
    match follow.expected {
        Some(_) => Some(End::different_steps()),
        None => Some(End::does_not_fit()),
    }
}

/// Have two robots touched the same thing? The first robot sets the scene and looks at the result,
/// which is no meeting; unless there is only one other robot for it to meet.
fn met(state: &State) -> bool {
    let alone = state.robots.len() <= 2;
    state
        .things
        .iter()
        .any(|thing| thing.visitors.iter().filter(|robot| alone || **robot != 0).count() > 1)
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
