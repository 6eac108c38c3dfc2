//! A task waits, and nobody can wake it.
//!
//! A future that returns `Pending` promises to see to it that its waker is called. If it keeps no copy of the
//! waker, nobody can. A recorder that knows it says so at once ([`Event::WakersGone`](crate::Event::WakersGone)); and when a loop
//! on a virtual clock stands still, everybody who is left has been waiting for a wake that cannot come.
//!
//! There is no limit: once is too often.

use super::run::Run;
use super::words::{list, time};
use super::{Hit, Rule, Severity, evidence};

pub(super) fn look(run: &Run<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut lanes_with_lost: Vec<usize> = Vec::new();
    for life in &run.lives {
        let Some(gone) = run.lost_since(life) else {
            continue;
        };
        // A task that nobody can wake can still be dropped. If it is over in any other way, the recorder erred.
        let Some(last) = run.left_waiting(life) else {
            continue;
        };
        lanes_with_lost.push(gone.actor);
        let until = life.end.map_or(run.recording.duration(), |(end, _)| end.t);
        let who = run.name(life.task);
        hits.push(Hit {
            rule: Rule::LostWaker,
            severity: Severity::Red,
            subject: who.to_owned(),
            says: format!(
                "from {} on, nothing can wake {who} any more: in poll {} a future in it returned Pending, and neither called its \
                 waker nor kept a copy of it.",
                time(gone.t),
                last.number
            ),
            limit: 0,
            observed: until - gone.t,
            at: gone.t,
            evidence: evidence([last.begin, gone].into_iter().chain(last.end)),
        });
    }
    for lane in 0..run.lanes.len() {
        if run.is_whole && !lanes_with_lost.contains(&lane) {
            hits.extend(stood_still(run, lane));
        }
    }
    hits
}

/// Nobody is to blame for certain, but nobody who waited then can go on.
fn stood_still(run: &Run<'_>, lane: usize) -> Option<Hit> {
    let end = run.stood_still(lane)?;
    let waiting = run.lives.iter().filter_map(|life| {
        let last = run.left_waiting(life)?;
        (last.begin.actor == lane).then_some((run.name(life.task), last))
    });
    let (names, polls): (Vec<&str>, Vec<_>) = waiting.unzip();
    let robot = run.robot(end);
    let since = polls.iter().map(|poll| poll.begin.t).max()?;
    Some(Hit {
        rule: Rule::LostWaker,
        severity: Severity::Red,
        subject: robot.to_owned(),
        says: format!(
            "{robot} stood still from {} on: nobody was ready, no timer was set, and {} waited for a wake that could not come \
             any more, because it got lost, or because they wait for each other.",
            time(since),
            list(&names),
        ),
        limit: 0,
        observed: names.len() as u64,
        at: since,
        evidence: evidence(polls.iter().map(|poll| poll.begin).chain([end])),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::made_up::{MadeUp, hit, hits};
    use crate::{End, Event, Source};

    #[test]
    fn a_future_that_forgets_its_waker() {
        let mut run = MadeUp::new();
        let task = run.spawn("the bell");
        run.at(20).poll(task, 0, false);
        run.record(Event::WakersGone { task });
        run.at(500);
        run.wake(run.main, Source::Timer);
        run.poll(run.main, 0, true);
        run.finish(task, End::Cancelled);
        let hit = hit(Rule::LostWaker, &run.leave());
        assert_eq!((hit.at, hit.observed), (20_000_000, 480_000_000));
        assert!(
            hit.says.starts_with(
                "from 20 ms on, nothing can wake the bell any more: in poll 1 a future"
            ),
            "{}",
            hit.says
        );
    }

    #[test]
    fn whoever_is_woken_after_all_was_not_lost() {
        let mut run = MadeUp::new();
        let task = run.spawn("the bell");
        run.poll(task, 0, false);
        run.record(Event::WakersGone { task });
        run.wake(task, Source::Task);
        run.begin(task);
        run.record(Event::PollEnd { task, ready: true });
        run.finish(task, End::Cancelled);
        assert_eq!(hits(Rule::LostWaker, &run.over()), []);
    }

    #[test]
    fn a_loop_that_stands_still() {
        let mut run = MadeUp::new();
        let (one, two) = (run.spawn("GreetBot"), run.spawn("WaitBot"));
        run.at(5).poll(one, 0, false);
        run.at(7).poll(two, 0, false);
        for task in [run.main, one, two] {
            run.finish(task, End::Cancelled);
        }
        let hit = hit(Rule::LostWaker, &run.leave());
        assert_eq!((hit.subject.as_str(), hit.at), ("LoopBot", 7_000_000));
        assert!(
            hit.says.contains("main, GreetBot and WaitBot waited"),
            "{}",
            hit.says
        );
    }

    #[test]
    fn waiting_is_no_crime() {
        let mut run = MadeUp::new();
        let task = run.spawn("the bell");
        run.poll(task, 0, false);
        assert_eq!(hits(Rule::LostWaker, &run.recorder.recording()), []);
    }
}
