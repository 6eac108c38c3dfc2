//! A task wakes itself again and again.
//!
//! That is asking, not waiting: the task is always ready, so the loop never sleeps, and a whole core goes into
//! the question. To wake oneself now and then is all right, and fair to the others: that is how a long
//! computation gives way.
//!
//! The limit: more than half of a task's wakes (tokio-console's limit), and more than 100 of them.

use super::run::Run;
use super::words::time;
use super::{Hit, Limits, Rule, Severity, evidence};
use crate::event::Source;

pub(super) fn look(run: &Run<'_>, limits: &Limits) -> Vec<Hit> {
    let mut hits = Vec::new();
    for life in &run.lives {
        let own = life
            .wakes
            .iter()
            .filter(|(_, source)| *source == Source::OwnPoll);
        let own: Vec<_> = own.map(|(wake, _)| *wake).collect();
        let (count, all) = (own.len() as u64, life.wakes.len() as u64);
        let [first, .., last] = own[..] else {
            continue;
        };
        if count <= limits.self_wakes || count * 100 <= all * limits.self_wake_percent {
            continue;
        }
        let (who, robot) = (run.name(life.task), run.robot(first));
        hits.push(Hit {
            rule: Rule::SelfWakeStorm,
            severity: Severity::Note,
            subject: who.to_owned(),
            says: format!(
                "{who} woke itself {count} times from {} to {}, of {all} wakes in all: it asks again and again instead of \
                 waiting to be called, and {robot} cannot rest.",
                time(first.t),
                time(last.t),
            ),
            limit: limits.self_wakes,
            observed: count,
            at: first.t,
            evidence: evidence(own.iter().copied().take(3).chain([last])),
        });
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::made_up::{MadeUp, hit, hits};
    use crate::{Recording, Source};

    fn asks(own: u64, woken: u64) -> Recording {
        let mut run = MadeUp::new();
        let guest = run.spawn("the impatient guest");
        for ms in 0..own {
            run.at(ms).begin(guest);
            run.wake(guest, Source::OwnPoll);
            run.end(guest, false);
        }
        for _ in 0..woken {
            run.poll(guest, 0, false);
            run.wake(guest, Source::Task);
        }
        run.poll(guest, 0, true);
        run.over()
    }

    #[test]
    fn is_it_ready_is_it_ready_is_it_ready() {
        let hit = hit(Rule::SelfWakeStorm, &asks(200, 1));
        assert_eq!((hit.limit, hit.observed), (100, 200));
        assert!(
            hit.says.starts_with(
                "the impatient guest woke itself 200 times from 0 s to 199 ms, of 201 wakes in all"
            ),
            "{}",
            hit.says
        );
    }

    #[test]
    fn to_give_way_now_and_then_is_all_right() {
        assert_eq!(hits(Rule::SelfWakeStorm, &asks(100, 0)), [], "not many");
        assert_eq!(
            hits(Rule::SelfWakeStorm, &asks(200, 200)),
            [],
            "half of them"
        );
    }
}
