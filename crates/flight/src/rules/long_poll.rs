//! One poll keeps the loop to itself.
//!
//! A loop does one thing at a time: while a poll lasts, nobody else is polled, no socket is looked at, and no
//! timer can fire. So a poll is meant to be short.
//!
//! The limit: 1 ms is where a learner should hear of it, and from 10 ms on it is red. Others draw the line
//! elsewhere, since they mean something else by it: tokio-metrics counts a poll as slow from 50 µs on, Python's
//! asyncio reports callbacks from 100 ms on when it is debugging, and dial9 marks 10 ms and 50 ms.

use super::run::Run;
use super::words::{time, times};
use super::{Hit, Limits, Rule, evidence, ns, worst};

pub(super) fn look(run: &Run<'_>, limits: &Limits) -> Vec<Hit> {
    let mut hits = Vec::new();
    for poll in &run.polls {
        let Some(length) = run.length(poll) else {
            continue;
        };
        let Some(severity) = limits.severity(limits.long_poll, length) else {
            continue;
        };
        let (who, robot) = (run.name(poll.task), run.robot(poll.begin));
        let (took, from) = (time(length), time(poll.begin.t));
        let until = match poll.end {
            Some(end) => format!(" to {}", time(end.t)),
            None => " on, and not over yet".to_owned(),
        };
        let says = format!(
            "{who} kept {robot} to itself for {took} in one poll (poll {}, from {from}{until}): meanwhile nobody else was \
             polled and no timer could fire, and a poll is meant to end within {}",
            poll.number,
            time(ns(limits.long_poll)),
        );
        let hit = Hit {
            rule: Rule::LongPoll,
            severity,
            subject: who.to_owned(),
            says,
            limit: ns(limits.long_poll),
            observed: length,
            at: poll.begin.t,
            evidence: evidence([poll.begin].into_iter().chain(poll.end)),
        };
        hits.push((poll.task, hit));
    }
    worst(hits, |others| format!("; it did so {} more", times(others)))
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{MadeUp, hit, hits};
    use super::super::{Rule, Severity};
    use crate::Source;

    #[test]
    fn a_poll_that_talks_and_talks() {
        let mut run = MadeUp::new();
        let guest = run.spawn("the chatty guest");
        run.at(110).poll(guest, 1000, false);
        run.wake(guest, Source::Task);
        run.poll(guest, 2, true);
        let hit = hit(Rule::LongPoll, &run.over());
        assert_eq!((hit.severity, hit.observed), (Severity::Red, 1_000_000_000));
        assert_eq!(
            hit.says,
            "the chatty guest kept LoopBot to itself for 1 s in one poll (poll 1, from 110 ms to 1.11 s): meanwhile nobody \
             else was polled and no timer could fire, and a poll is meant to end within 1 ms; it did so once more."
        );
    }

    #[test]
    fn up_to_ten_times_the_limit_it_is_a_note_and_up_to_the_limit_nothing() {
        for (ms, severity) in [
            (1, None),
            (10, Some(Severity::Note)),
            (11, Some(Severity::Red)),
        ] {
            let mut run = MadeUp::new();
            let guest = run.spawn("a guest");
            run.poll(guest, ms, true);
            let found = hits(Rule::LongPoll, &run.over());
            assert_eq!(found.first().map(|hit| hit.severity), severity, "{ms} ms");
        }
    }

    #[test]
    fn a_poll_that_is_not_over_counts_as_long_as_it_has_taken() {
        let mut run = MadeUp::new();
        let guest = run.spawn("the chatty guest");
        run.begin(guest);
        run.at(700).robot.mark("watchdog", "still there", 0);
        let hit = hit(Rule::LongPoll, &run.recorder.recording());
        assert!(hit.says.contains("for 700 ms"), "{}", hit.says);
        assert!(
            hit.says.contains("from 0 s on, and not over yet"),
            "{}",
            hit.says
        );
    }
}
