//! A task panicked, and nobody heard of it.
//!
//! A panic ends the task, not the program: it is kept for whoever awaits the handle. If nobody does, the task's
//! work is simply missing, and everything else goes on as if it had been done.
//!
//! There is no limit. It can be said only when the loop is over, since somebody may still ask; and only of a
//! recorder that writes down who took an outcome ([`Event::Observed`](crate::Event::Observed)), as LoopBot does.

use super::run::Run;
use super::words::time;
use super::{Hit, Rule, Severity, evidence};
use crate::event::End;

pub(super) fn look(run: &Run<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for life in run.lives.iter().filter(|_| run.is_whole) {
        let Some((end, End::Panicked)) = life.end else {
            continue;
        };
        // A panic of the main task goes to whoever called `run`.
        if life.is_observed || run.is_root(life.task) || !run.is_over(end) {
            continue;
        }
        let who = run.name(life.task);
        let last = life.polls.last().map(|poll| run.polls[*poll].begin);
        hits.push(Hit {
            rule: Rule::UnjoinedPanic,
            severity: Severity::Red,
            subject: who.to_owned(),
            says: format!(
                "{who} panicked at {} and nobody asked how it ended: its handle was never awaited, so everything else went on as \
                 if its work had been done.",
                time(end.t)
            ),
            limit: 0,
            observed: 1,
            at: end.t,
            evidence: evidence([end].into_iter().chain(last)),
        });
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::made_up::{MadeUp, hit, hits};
    use crate::{End, Event};

    #[test]
    fn a_panic_is_red_unless_somebody_asked() {
        for is_observed in [false, true] {
            let mut run = MadeUp::new();
            let task = run.spawn("the chef");
            run.at(6).begin(task);
            run.record(Event::PollEnd { task, ready: true });
            run.finish(task, End::Panicked);
            assert_eq!(
                hits(Rule::UnjoinedPanic, &run.recorder.recording()),
                [],
                "somebody may still ask"
            );
            if is_observed {
                run.record(Event::Observed { task });
                assert_eq!(hits(Rule::UnjoinedPanic, &run.over()), []);
            } else {
                let hit = hit(Rule::UnjoinedPanic, &run.over());
                assert!(
                    hit.says
                        .starts_with("the chef panicked at 6 ms and nobody asked"),
                    "{}",
                    hit.says
                );
            }
        }
    }
}
