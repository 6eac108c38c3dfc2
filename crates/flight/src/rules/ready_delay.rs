//! A task is ready and does not get its turn.
//!
//! It was woken, so it waits in the run queue. What it waits for is the others: one that keeps the loop, or
//! very many ahead of it. Where a [late timer](super::Rule::LateTimer) is the harm before the wake, this is the harm after it.
//!
//! The limit: 5 ms between wake and poll, which is what dial9 flags as well.

use super::run::Run;
use super::words::{time, times};
use super::{Hit, Limits, Rule, evidence, ns, worst};

pub(super) fn look(run: &Run<'_>, limits: &Limits) -> Vec<Hit> {
    let mut hits = Vec::new();
    for poll in &run.polls {
        let Some(since) = poll.ready_since else {
            continue;
        };
        let waited = poll.begin.t - since.t;
        let Some(severity) = limits.severity(limits.ready_delay, waited) else {
            continue;
        };
        let held = run.who_held(poll.begin.actor, since.t, poll.begin.t, Some(poll.task));
        let because = held.map_or(String::new(), |held| {
            let robot = run.robot(poll.begin);
            format!(" ({robot} was in a poll of {})", run.name(held.task))
        });
        let (who, limit) = (run.name(poll.task), time(ns(limits.ready_delay)));
        let says = format!(
            "{who} got into the run queue at {} and got a turn at {}, {} later{because}: whoever is ready is meant to be polled within {limit}",
            time(since.t),
            time(poll.begin.t),
            time(waited),
        );
        let poll_of_other = held
            .into_iter()
            .flat_map(|poll| [poll.begin].into_iter().chain(poll.end));
        let hit = Hit {
            rule: Rule::ReadyDelay,
            severity,
            subject: who.to_owned(),
            says,
            limit: ns(limits.ready_delay),
            observed: waited,
            at: since.t,
            evidence: evidence([since, poll.begin].into_iter().chain(poll_of_other)),
        };
        hits.push((poll.task, hit));
    }
    worst(hits, |others| {
        format!("; it had to wait like this {} more", times(others))
    })
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{MadeUp, hit, hits};
    use super::super::{Rule, Severity};
    use crate::Source;

    #[test]
    fn a_guest_is_ready_while_another_one_talks() {
        let mut run = MadeUp::new();
        let (soup, guest) = (run.spawn("soup"), run.spawn("the chatty guest"));
        run.poll(soup, 0, false);
        run.at(10).begin(guest);
        run.wake(soup, Source::Task);
        run.at(310).end(guest, true);
        run.poll(soup, 0, true);
        let recording = run.over();
        let found = hits(Rule::ReadyDelay, &recording);
        let soup = found.iter().find(|hit| hit.subject == "soup").unwrap();
        assert_eq!((soup.severity, soup.observed), (Severity::Red, 300_000_000));
        assert_eq!(
            soup.says,
            "soup got into the run queue at 10 ms and got a turn at 310 ms, 300 ms later (LoopBot was in a poll of the chatty guest): \
             whoever is ready is meant to be polled within 5 ms."
        );
    }

    #[test]
    fn a_task_that_wakes_itself_is_ready_when_its_own_poll_is_over() {
        let mut run = MadeUp::new();
        let guest = run.spawn("the chatty guest");
        run.begin(guest);
        run.wake(guest, Source::OwnPoll);
        run.at(300).end(guest, false);
        run.at(304).poll(guest, 0, true);
        assert_eq!(hits(Rule::ReadyDelay, &run.over()), []);
    }

    #[test]
    fn a_thousand_short_polls_are_a_wait_too() {
        let mut run = MadeUp::new();
        let soup = run.spawn("soup");
        for _ in 0..60 {
            let guest = run.spawn("a guest");
            run.poll(guest, 1, true);
        }
        run.poll(soup, 0, true);
        let hit = hit(Rule::ReadyDelay, &run.over());
        assert!(
            hit.says.starts_with(
                "soup got into the run queue at 0 s and got a turn at 60 ms, 60 ms later: "
            ),
            "{}",
            hit.says
        );
    }
}
