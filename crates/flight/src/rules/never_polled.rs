//! A task was spawned and never begun.
//!
//! To spawn is to put into the run queue. If the loop's run ends before the first turn, the future is dropped
//! as it was made: nothing of it has happened.
//!
//! There is no limit: a task that is meant to do nothing need not be spawned.

use super::run::Run;
use super::words::time;
use super::{Hit, Rule, Severity, evidence};

pub(super) fn look(run: &Run<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for life in run.lives.iter().filter(|_| run.is_whole) {
        let Some(spawn) = life.spawn.filter(|_| life.polls.is_empty()) else {
            continue;
        };
        let end = life.end.map(|(end, _)| end).or(run.lanes[spawn.actor].stop);
        let Some(end) = end else {
            continue; // Its turn may come.
        };
        let (who, robot) = (run.name(life.task), run.robot(spawn));
        hits.push(Hit {
            rule: Rule::NeverPolled,
            severity: Severity::Note,
            subject: who.to_owned(),
            says: format!(
                "{who}, spawned at {}, never had a turn: {robot}'s run ended at {}, and what was never polled has never begun.",
                time(spawn.t),
                time(end.t),
            ),
            limit: 0,
            observed: end.t - spawn.t,
            at: spawn.t,
            evidence: evidence([spawn, end]),
        });
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::made_up::{MadeUp, hit, hits};
    use crate::{ActorKind, End, Event, Header, Recorder, VirtualTime};

    #[test]
    fn a_task_that_is_dropped_as_it_was_made() {
        let mut run = MadeUp::new();
        let bread = run.at(3).spawn("the bread");
        run.poll(run.main, 0, true);
        run.finish(bread, End::Cancelled);
        let hit = hit(Rule::NeverPolled, &run.leave());
        assert!(
            hit.says
                .starts_with("the bread, spawned at 3 ms, never had a turn"),
            "{}",
            hit.says
        );
    }

    #[test]
    fn one_turn_is_enough_and_a_turn_may_still_come() {
        let mut run = MadeUp::new();
        let bread = run.spawn("the bread");
        assert_eq!(hits(Rule::NeverPolled, &run.recorder.recording()), []);
        run.poll(bread, 0, true);
        assert_eq!(hits(Rule::NeverPolled, &run.over()), []);
    }

    #[test]
    fn a_torn_tape_proves_nothing() {
        let time = VirtualTime::new();
        let recorder = Recorder::new(Header::virtual_time("test", &time).lane_capacity(4));
        let robot = recorder.actor("LoopBot", ActorKind::Loop);
        for name in ["main", "one", "two", "three", "four"] {
            let task = recorder.task(name);
            robot.record(Event::TaskSpawn { task, by: None });
        }
        drop(robot);
        assert_eq!(hits(Rule::NeverPolled, &recorder.recording()), []);
    }
}
