//! Playing one schedule again, by its id; and making one shorter by playing it with less.

use crate::check::{Outcome, Report};
use crate::ending::{End, Ending, Void};
use crate::explore::Runs;
use crate::run::{self, Ran};
use crate::schedule::{IN_TURN, Schedule};
use crate::scheduler::Scheduler;
use crate::story::Story;

/// The environment variable that holds the id of the schedule to play.
pub(crate) const VARIABLE: &str = "WHATIF_REPLAY";

/// Runs the schedule `id` by `run`, which is told whether giving a lock back is a step.
pub(crate) fn replay(check: &str, id: &str, run: impl Fn(Scheduler, bool) -> Ran) -> Report {
    let ran = if id.trim() == IN_TURN {
        let ran = run(Scheduler::InTurn, false);
        if ran.void.is_some() { run(Scheduler::InTurn, true) } else { ran }
    } else {
        match Schedule::parse(id) {
            Ok(schedule) => {
                let unlock_is_step = schedule.unlock_is_step;
                run(run::follow(schedule, None), unlock_is_step)
            }
            Err(error) => {
                let story = Story::without_lines(check, &End::malformed_id(error));
                return Report { check: check.to_owned(), outcome: Outcome::Failed(story) };
            }
        }
    };
    // The story comes from a program that never came to a try_lock, and this one does.
    let story = ran.told.filter(|_| ran.void != Some(Void::AgainWithUnlock));
    let story = story.unwrap_or_else(|| Story::without_lines(check, &End::does_not_fit()));
    let outcome = match story.ending {
        Ending::AllWell => Outcome::Replayed(story),
        _ => Outcome::Failed(story),
    };
    Report { check: check.to_owned(), outcome }
}

/// So many runs are spent to make a story shorter.
const RUNS_TO_SHORTEN: usize = 300;

/// A story that was not found by the search has more turns than it needs: leaves out one after the
/// other, from the last one, as long as the same goes wrong without it.
pub(crate) fn shorten(mut story: Story, run: Runs) -> Story {
    let Ok(mut schedule) = Schedule::parse(&story.id) else { return story };
    let (mut at, mut runs) = (schedule.turns.len(), 0);
    while at > 0 && runs < RUNS_TO_SHORTEN {
        (at, runs) = (at - 1, runs + 1);
        let mut less = schedule.clone();
        less.turns.remove(at);
        let same = |it: &Story| (it.ending, &it.rule) == (story.ending, &story.rule);
        if let Some(shorter) = run(run::follow(less.clone(), None)).told.filter(same) {
            (story, at, schedule) = (shorter, less.turns.len(), less);
        }
    }
    story
}

/// A run at random came to no end, and dice are fair to nobody. Is there none, either, if from some
/// point on things happen by themselves? Then that is the story.
pub(crate) fn gets_nowhere(story: &Story, run: Runs) -> Option<Story> {
    let mut schedule = Schedule::parse(&story.id).ok()?;
    schedule.turns.truncate(schedule.turns.len() / 4);
    let ran = run(run::follow(schedule, None));
    ran.told.filter(|_| ran.void.is_none())
}
