//! Playing one schedule again, by its id.

use crate::check::{Outcome, Report};
use crate::ending::{End, Ending};
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
        if ran.again_with_unlock { run(Scheduler::InTurn, true) } else { ran }
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
    let story = if ran.again_with_unlock {
        // The schedule was found in a program that never came to a try_lock. This one does.
        Story::without_lines(check, &End::does_not_fit())
    } else {
        ran.story
    };
    let outcome = if story.ending == Ending::AllWell {
        Outcome::Replayed(story)
    } else {
        Outcome::Failed(story)
    };
    Report { check: check.to_owned(), outcome }
}
