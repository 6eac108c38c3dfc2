//! Playing one schedule again, by its id; and making one shorter by playing it with less.

use whatif_engine::{End, Ending, IN_TURN, Program, Schedule, Story, Void};

use crate::check::Outcome;

/// The environment variable that holds the id of the schedule to play.
pub(crate) const VARIABLE: &str = "WHATIF_REPLAY";

/// Runs the schedule `id`, and tells every line of it.
pub(crate) fn replay(check: &str, id: &str, mut program: Program) -> Outcome {
    program.whole = true;
    let ran = if id.trim() == IN_TURN {
        program.twice(|program| Some(program.in_turn()).filter(|ran| ran.void.is_none()))
    } else {
        match Schedule::parse(id) {
            Ok(schedule) => {
                program.rules.unlock_is_step = schedule.unlock_is_step;
                program.follow(schedule)
            }
            Err(error) => {
                return Outcome::Failed(Story::without_lines(
                    check,
                    &End::new(Ending::DoesNotFit, error),
                ));
            }
        }
    };
    // The story comes from a program that never came to a try_lock, and this one does.
    let story = ran.told.filter(|_| ran.void != Some(Void::AgainWithUnlock));
    let story = story.unwrap_or_else(|| Story::without_lines(check, &End::does_not_fit()));
    match story.ending {
        Ending::AllWell => Outcome::Replayed(story),
        _ => Outcome::Failed(story),
    }
}

/// So many runs are spent to make a story shorter.
const RUNS_TO_SHORTEN: usize = 300;

/// A story that was not found by the search, after so many schedules, has more turns than it needs:
/// leaves out one after the other, from the last one, as long as the same goes wrong without it.
pub(crate) fn shorten(mut story: Story, schedules: usize, program: &Program) -> Story {
    if let Ok(mut schedule) = Schedule::parse(&story.id) {
        let (mut at, mut runs) = (schedule.turns.len(), 0);
        while at > 0 && runs < RUNS_TO_SHORTEN {
            (at, runs) = (at - 1, runs + 1);
            let mut less = schedule.clone();
            less.turns.remove(at);
            let same = |it: &Story| (it.ending, &it.rule) == (story.ending, &story.rule);
            if let Some(shorter) = program.follow(less.clone()).told.filter(same) {
                (story, at, schedule) = (shorter, less.turns.len(), less);
            }
        }
    }
    story.schedules = schedules;
    story
}

/// A run at random came to no end, and dice are fair to nobody. Is there none, either, if from some
/// point on things happen by themselves? Then that is the story.
pub(crate) fn gets_nowhere(story: &Story, program: &Program) -> Option<Story> {
    let mut schedule = Schedule::parse(&story.id).ok()?;
    schedule.turns.truncate(schedule.turns.len() / 4);
    let ran = program.follow(schedule);
    ran.told.filter(|_| ran.void.is_none())
}
