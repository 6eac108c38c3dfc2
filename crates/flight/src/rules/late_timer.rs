//! A timer fires after its time.
//!
//! This is what a blocked loop costs others, and it must be measured as due time against fire time. The time
//! from a task's wake to its poll cannot show it: while the loop is held, the wake has not happened yet.
//!
//! The limit: 5 ms, more than a loop that gives way needs, and less than anybody at a table notices.

use std::collections::HashMap;

use super::run::Run;
use super::words::{time, times};
use super::{Hit, Limits, Rule, evidence, ns, worst};
use crate::event::Event;

pub(super) fn look(run: &Run<'_>, limits: &Limits) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut armed = HashMap::new();
    for entry in &run.recording.events {
        let (timer, task, late) = match entry.event {
            Event::TimerArm { timer, .. } => {
                armed.insert((entry.actor, timer), entry);
                continue;
            }
            Event::TimerFire { timer, task, late } => (timer, task, late),
            _ => continue,
        };
        let arm = armed.remove(&(entry.actor, timer));
        let Some(severity) = limits.severity(limits.late_timer, late) else {
            continue;
        };
        let due = entry.t.saturating_sub(late);
        let held = run.who_held(entry.actor, due, entry.t, None);
        let because = held.map_or(" (no poll was in its way)".to_owned(), |poll| {
            let (robot, who) = (run.robot(entry), run.name(poll.task));
            format!(
                " (from {} on, {robot} was in a poll of {who})",
                time(poll.begin.t)
            )
        });
        let who = run.name(task);
        let says = format!(
            "the timer of {who} was due at {} and fired at {}, {} late{because}: a timer is meant to fire within {} of its time",
            time(due),
            time(entry.t),
            time(late),
            time(ns(limits.late_timer)),
        );
        let poll = held
            .into_iter()
            .flat_map(|poll| [poll.begin].into_iter().chain(poll.end));
        let hit = Hit {
            rule: Rule::LateTimer,
            severity,
            subject: who.to_owned(),
            says,
            limit: ns(limits.late_timer),
            observed: late,
            at: entry.t,
            evidence: evidence(poll.chain(arm).chain([entry])),
        };
        hits.push((task, hit));
    }
    worst(hits, |others| {
        format!("; its timers were late {} more", times(others))
    })
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{MadeUp, hit, hits};
    use super::super::{Rule, Severity};
    use crate::{Event, Source, Task};

    fn fire(run: &mut MadeUp, task: Task, due_ms: u64, fires_ms: u64) {
        let due = due_ms * 1_000_000;
        run.record(Event::TimerArm {
            timer: 3,
            task,
            due,
        });
        if fires_ms > due_ms + 1 {
            let guest = run.spawn("the chatty guest");
            run.at(due_ms - 190)
                .poll(guest, fires_ms - due_ms + 190, true);
        }
        let late = (fires_ms - due_ms) * 1_000_000;
        run.at(fires_ms).record(Event::TimerFire {
            timer: 3,
            task,
            late,
        });
        run.wake(task, Source::Timer);
        run.poll(task, 0, true);
    }

    #[test]
    fn the_souffle_falls() {
        let mut run = MadeUp::new();
        let souffle = run.spawn("the soufflé");
        run.poll(souffle, 0, false);
        fire(&mut run, souffle, 300, 1110);
        let hit = hit(Rule::LateTimer, &run.over());
        assert_eq!((hit.severity, hit.at), (Severity::Red, 1_110_000_000));
        assert_eq!(
            hit.says,
            "the timer of the soufflé was due at 300 ms and fired at 1.11 s, 810 ms late (from 110 ms on, LoopBot was in a \
             poll of the chatty guest): a timer is meant to fire within 5 ms of its time."
        );
        assert_eq!(
            hit.evidence.len(),
            4,
            "set, begin and end of the poll, fired"
        );
    }

    #[test]
    fn a_machine_that_lets_the_loop_sleep_too_long() {
        let mut run = MadeUp::new();
        let task = run.spawn("the soufflé");
        run.poll(task, 0, false);
        let (timer, late) = (3, 6_000_000);
        run.at(306).record(Event::TimerFire { timer, task, late });
        let hit = hit(Rule::LateTimer, &run.recorder.recording());
        assert_eq!(hit.severity, Severity::Note);
        assert!(
            hit.says.contains("6 ms late (no poll was in its way)"),
            "{}",
            hit.says
        );
    }

    #[test]
    fn a_millisecond_late_is_all_right() {
        let mut run = MadeUp::new();
        let souffle = run.spawn("the soufflé");
        run.poll(souffle, 0, false);
        fire(&mut run, souffle, 300, 301);
        assert_eq!(hits(Rule::LateTimer, &run.over()), []);
    }
}
