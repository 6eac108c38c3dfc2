//! A task is dropped in the middle, because its loop ended.
//!
//! It was waiting when the main task was done. Nobody had awaited it, and nobody had cancelled it: with the loop
//! it was dropped at the await point where it stood, and what was to come after that never came.
//!
//! There is no limit. Of a task that is meant to run for ever and holds nothing, this is the end to be expected: the note says so once.

use super::run::Run;
use super::words::time;
use super::{Hit, Rule, Severity, evidence};
use crate::event::End;

pub(super) fn look(run: &Run<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for life in run.lives.iter().filter(|_| run.is_whole) {
        let Some(last) = run.left_waiting(life) else {
            continue;
        };
        let lane = last.begin.actor;
        let end = match life.end {
            Some((end, End::Cancelled)) => Some(end),
            Some(_) => None,
            None => run.lanes[lane].stop,
        };
        let Some(end) = end else {
            continue;
        };
        // Where a loop stood still, or a waker was lost, that is what is to be said.
        let has_better_reason = run.stood_still(lane).is_some() || run.lost_since(life).is_some();
        if run.is_root(life.task) || has_better_reason {
            continue;
        }
        let (who, robot) = (run.name(life.task), run.robot(last.begin));
        let since = last.end.map_or(last.begin.t, |end| end.t);
        hits.push(Hit {
            rule: Rule::LeakedTask,
            severity: Severity::Note,
            subject: who.to_owned(),
            says: format!(
                "when {robot}'s run ended at {}, {who} still waited, since {}: nobody had awaited or cancelled this task, so it was dropped \
                 where it stood (after its poll {}).",
                time(end.t),
                time(since),
                last.number,
            ),
            limit: 0,
            observed: end.t - since,
            at: end.t,
            evidence: evidence([last.begin, end].into_iter().chain(last.end)),
        });
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::made_up::{MadeUp, hit, hits};
    use crate::{End, Event, Source};

    #[test]
    fn the_loop_goes_home_and_a_task_still_waits() {
        let mut run = MadeUp::new();
        let doorman = run.spawn("the doorman");
        run.at(2).poll(doorman, 0, false);
        run.at(50);
        run.wake(run.main, Source::Timer);
        run.poll(run.main, 0, true);
        run.finish(doorman, End::Cancelled);
        let hit = hit(Rule::LeakedTask, &run.leave());
        assert_eq!((hit.at, hit.observed), (50_000_000, 48_000_000));
        assert!(
            hit.says.starts_with(
                "when LoopBot's run ended at 50 ms, the doorman still waited, since 2 ms"
            ),
            "{}",
            hit.says
        );
    }

    #[test]
    fn whoever_is_cancelled_or_done_is_not_leaked() {
        let mut run = MadeUp::new();
        let (one, two) = (run.spawn("one"), run.spawn("two"));
        run.poll(one, 0, false);
        run.poll(two, 0, true);
        run.wake(one, Source::Task); // Cancelled: in its turn it is dropped.
        run.begin(one);
        run.record(Event::PollEnd {
            task: one,
            ready: true,
        });
        run.finish(one, End::Cancelled);
        assert_eq!(hits(Rule::LeakedTask, &run.over()), []);
    }

    #[test]
    fn a_loop_that_stands_still_has_said_so() {
        let mut run = MadeUp::new();
        let one = run.spawn("one");
        run.poll(one, 0, false);
        for task in [run.main, one] {
            run.finish(task, End::Cancelled);
        }
        assert_eq!(hits(Rule::LeakedTask, &run.leave()), []);
    }
}
