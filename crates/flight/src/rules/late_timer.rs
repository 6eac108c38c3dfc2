//! A timer fires after its time, or not at all.
//!
//! This is what a blocked loop costs others, and it must be measured as due time against fire time. The time
//! from a task's wake to its poll cannot show it: while the loop is held, the wake has not happened yet.
//!
//! A timer that has not fired when the record ends is late as well, if its task still waits for it: the loop is held, and has been
//! since before the timer was due, or it went on without it. But most timers that never fire were dropped, by a timeout that was not needed
//! say, and nobody writes that down. So the rule says something only where nothing speaks for that: the task is alive and was not polled
//! since, somebody can still wake it, and the loop has not gone to sleep for longer than until the timer was due.
//!
//! The limit: 5 ms, more than a loop that gives way needs, and less than anybody at a table notices.

use std::collections::HashMap;

use super::run::Run;
use super::words::{time, times};
use super::{Hit, Limits, Rule, evidence, ns, worst};
use crate::event::{Event, Task};
use crate::recording::Entry;

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
    let mut left: Vec<&Entry> = armed.into_values().collect();
    left.sort_by_key(|arm| arm.n);
    hits.extend(
        left.into_iter()
            .filter_map(|arm| never_fired(run, limits, arm)),
    );
    worst(hits, |others| {
        format!("; its timers were late {} more", times(others))
    })
}

/// It was set here, and the record has no end of it.
fn never_fired(run: &Run<'_>, limits: &Limits, arm: &Entry) -> Option<(Task, Hit)> {
    let Event::TimerArm { task, due, .. } = arm.event else {
        return None;
    };
    let end = run.recording.duration();
    let late = end.saturating_sub(due);
    let severity = limits.severity(limits.late_timer, late)?;
    if !run.is_whole || !is_waited_for(run, arm, task) || is_forgotten(run, arm, due) {
        return None;
    }
    // A poll that is not over has no end yet to compare with.
    let lane = &run.lanes[arm.actor];
    let last = lane.polls.last().map(|poll| &run.polls[*poll]);
    let holds = last.filter(|poll| poll.end.is_none() && end - poll.begin.t.max(due) >= late / 2);
    let held = holds.or_else(|| run.who_held(arm.actor, due, end, None));
    let robot = run.robot(arm);
    let because = held.map_or(
        format!(" (no poll was in its way: {robot} has not fired it)"),
        |poll| {
            let (from, who) = (time(poll.begin.t), run.name(poll.task));
            let over = if poll.end.is_none() {
                ", which is not over"
            } else {
                ""
            };
            format!(" (from {from} on, {robot} was in a poll of {who}{over})")
        },
    );
    let who = run.name(task);
    let says = format!(
        "the timer of {who} was due at {} and has not fired by {}, when the record ends, {} late so far{because}: a timer is meant to fire \
         within {} of its time",
        time(due),
        time(end),
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
        at: end,
        evidence: evidence(poll.chain([arm])),
    };
    Some((task, hit))
}

/// The task waits, and has had no turn in which it could have dropped the timer.
fn is_waited_for(run: &Run<'_>, arm: &Entry, task: Task) -> bool {
    let life = &run.lives[task.index()];
    let root_is_over = run.lanes[arm.actor]
        .root
        .is_some_and(|root| run.lives[root.index()].end.is_some());
    let waits = run.left_waiting(life);
    life.end.is_none()
        && !root_is_over
        && !run.is_over(arm)
        && waits.is_some_and(|last| last.begin.n < arm.n)
        && run.lost_since(life).is_none()
}

/// The loop went to sleep for longer than until the timer was due, so it did not know of it any more: it was dropped.
fn is_forgotten(run: &Run<'_>, arm: &Entry, due: u64) -> bool {
    let after = run
        .recording
        .events
        .partition_point(|entry| entry.n <= arm.n);
    let mut later = run.recording.events[after..]
        .iter()
        .take_while(|entry| entry.t < due)
        .filter(|entry| entry.actor == arm.actor);
    later.any(|entry| match entry.event {
        Event::ParkBegin { until, .. } => until == 0 || until > due,
        _ => false,
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

    /// The soufflé's timer is set for 300 ms.
    fn set(run: &mut MadeUp) -> Task {
        let task = run.spawn("the soufflé");
        run.begin(task);
        let (timer, due) = (3, 300_000_000);
        run.record(Event::TimerArm { timer, task, due });
        run.end(task, false);
        task
    }

    fn sleeps(run: &MadeUp, until_ms: u64) {
        let why = run.recorder.text("nobody is ready");
        let until = until_ms * 1_000_000;
        run.record(Event::ParkBegin { why, until });
    }

    /// The last thing that the record has, on another lane.
    fn looked_at(run: &mut MadeUp, ms: u64) -> crate::Recording {
        run.at(ms);
        let dog = run.recorder.actor("the watchdog", crate::ActorKind::Thread);
        dog.mark("step", "looks", 0);
        run.recorder.recording()
    }

    #[test]
    fn the_loop_is_held_and_nobody_knows_for_how_long() {
        let mut run = MadeUp::new();
        set(&mut run);
        let guest = run.spawn("the chatty guest");
        run.at(110).begin(guest);
        let hit = hit(Rule::LateTimer, &looked_at(&mut run, 1110));
        assert_eq!((hit.severity, hit.observed), (Severity::Red, 810_000_000));
        assert_eq!(
            hit.says,
            "the timer of the soufflé was due at 300 ms and has not fired by 1.11 s, when the record ends, 810 ms late so far (from 110 ms on, \
             LoopBot was in a poll of the chatty guest, which is not over): a timer is meant to fire within 5 ms of its time."
        );
        assert_eq!(hit.evidence.len(), 2, "set, begin of the poll");
    }

    #[test]
    fn the_loop_goes_on_without_it() {
        let mut run = MadeUp::new();
        set(&mut run);
        sleeps(&run, 300);
        run.at(300).record(Event::ParkEnd);
        let guest = run.spawn("the polite guest");
        run.at(400).poll(guest, 2, true);
        sleeps(&run, 0);
        let hit = hit(Rule::LateTimer, &looked_at(&mut run, 900));
        assert_eq!(hit.observed, 600_000_000);
        assert!(
            hit.says.contains("has not fired by 900 ms")
                && hit.says.contains("LoopBot has not fired it"),
            "{}",
            hit.says
        );
    }

    #[test]
    fn a_timer_that_was_dropped_is_not_late() {
        // By its task, which has had a turn since.
        let mut run = MadeUp::new();
        let souffle = set(&mut run);
        run.at(100).wake(souffle, Source::Task);
        run.poll(souffle, 0, false);
        assert_eq!(hits(Rule::LateTimer, &looked_at(&mut run, 900)), []);

        // In the very poll in which it was set: the loop sleeps for longer.
        for until in [0, 800] {
            let mut run = MadeUp::new();
            set(&mut run);
            sleeps(&run, until);
            assert_eq!(hits(Rule::LateTimer, &looked_at(&mut run, 900)), []);
        }

        // With it went the only one who could have woken the task. That is another rule's.
        let mut run = MadeUp::new();
        let task = set(&mut run);
        run.record(Event::WakersGone { task });
        assert_eq!(hits(Rule::LateTimer, &looked_at(&mut run, 900)), []);
    }

    #[test]
    fn nobody_waits_for_the_timer_of_a_task_that_was_aborted() {
        let mut run = MadeUp::new();
        let souffle = set(&mut run);
        run.at(100).finish(souffle, crate::End::Cancelled);
        let guest = run.spawn("the chatty guest");
        run.begin(guest);
        assert_eq!(hits(Rule::LateTimer, &looked_at(&mut run, 900)), []);
    }

    #[test]
    fn the_house_closes_before_it_is_due_or_after_it() {
        for closes in [200, 900] {
            let mut run = MadeUp::new();
            let souffle = set(&mut run);
            let main = run.main;
            run.at(closes).wake(main, Source::Task);
            run.poll(main, 0, true);
            run.finish(souffle, crate::End::Cancelled);
            assert_eq!(hits(Rule::LateTimer, &run.leave()), []);
        }
    }

    #[test]
    fn not_due_yet_or_not_for_long() {
        let mut run = MadeUp::new();
        set(&mut run);
        assert_eq!(hits(Rule::LateTimer, &looked_at(&mut run, 304)), []);
    }
}
