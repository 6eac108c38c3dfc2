//! A queue gets longer and longer.
//!
//! More comes in than goes out, and nobody who brings is made to wait. Whatever the queue holds is late by the
//! length of the queue, and in the end memory runs out.
//!
//! The limit: 10 samples in a row, each higher than the one before. A burst of work makes a queue long for a
//! moment and is no growth, so samples less than 1 ms apart count as one. A [counter](crate::Event::Counter) is a queue's
//! length if its name has the word "queue", "queued", "waiting" or "backlog": what else is counted may well grow.

use std::collections::HashMap;

use super::run::Run;
use super::words::time;
use super::{Hit, Limits, Rule, Severity, evidence, ns};
use crate::event::{Event, Text};
use crate::recording::Entry;

const NAMES: [&str; 4] = ["queue", "queued", "waiting", "backlog"];

type Sample<'a> = (&'a Entry, u64);

pub(super) fn look(run: &Run<'_>, limits: &Limits) -> Vec<Hit> {
    let mut queues: Vec<(Text, Vec<Sample<'_>>)> = Vec::new();
    let mut index = HashMap::new();
    for entry in &run.recording.events {
        let Event::Counter { name, value } = entry.event else {
            continue;
        };
        let words = run
            .recording
            .text(name)
            .split(|c: char| !c.is_alphanumeric());
        if !words.into_iter().any(|word| NAMES.contains(&word)) {
            continue;
        }
        let at = *index.entry(name).or_insert(queues.len());
        if at == queues.len() {
            queues.push((name, Vec::new()));
        }
        let samples = &mut queues[at].1;
        // A sample stands until the next one is far enough away from where it began.
        match samples.last_mut() {
            Some(last) if entry.t - last.0.t < ns(limits.queue_sample_every) => last.1 = value,
            _ => samples.push((entry, value)),
        }
    }
    queues
        .iter()
        .filter_map(|(name, samples)| tell(run, limits, *name, longest_climb(samples)))
        .collect()
}

/// The longest row of samples of which each is higher than the one before.
fn longest_climb<'s, 'a>(samples: &'s [Sample<'a>]) -> &'s [Sample<'a>] {
    let climbs = samples.chunk_by(|one, next| one.1 < next.1);
    climbs.max_by_key(|climb| climb.len()).unwrap_or(&[])
}

fn tell(run: &Run<'_>, limits: &Limits, name: Text, climb: &[Sample<'_>]) -> Option<Hit> {
    let [first, .., last] = climb else {
        return None;
    };
    if climb.len() < limits.queue_samples {
        return None;
    }
    let name = run.recording.text(name);
    Some(Hit {
        rule: Rule::QueueGrowth,
        severity: Severity::Note,
        subject: name.to_owned(),
        says: format!(
            "{name:?} grew and grew, from {} at {} to {} at {}, {} samples in a row without once getting shorter: more comes in than \
             goes out, and nobody is made to wait.",
            first.1,
            time(first.0.t),
            last.1,
            time(last.0.t),
            climb.len(),
        ),
        limit: limits.queue_samples as u64,
        observed: climb.len() as u64,
        at: first.0.t,
        evidence: evidence(climb.iter().map(|sample| sample.0)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::made_up::{MadeUp, hit, hits};
    use crate::Recording;

    fn counted(name: &str, every_ms: u64, lengths: impl IntoIterator<Item = u64>) -> Recording {
        let mut run = MadeUp::new();
        for (length, i) in lengths.into_iter().zip(0..) {
            run.at(i * every_ms).robot.counter(name, length);
        }
        run.over()
    }

    #[test]
    fn more_comes_in_than_goes_out() {
        let hit = hit(
            Rule::QueueGrowth,
            &counted("the queue of the pass", 100, [9].into_iter().chain(3..=14)),
        );
        assert_eq!((hit.limit, hit.observed), (10, 12));
        assert!(
            hit.says.starts_with("\"the queue of the pass\" grew and grew, from 3 at 100 ms to 14 at 1.2 s, 12 samples in a row"),
            "{}",
            hit.says
        );
    }

    #[test]
    fn a_queue_that_gets_shorter_now_and_then() {
        let lengths = (0..60).map(|i| i / 2 + i % 2 * 3);
        assert_eq!(
            hits(Rule::QueueGrowth, &counted("parties waiting", 100, lengths)),
            []
        );
    }

    #[test]
    fn a_burst_is_not_growth_and_not_every_counter_is_a_queue() {
        assert_eq!(
            hits(Rule::QueueGrowth, &counted("queued jobs", 0, 0..1000)),
            []
        );
        assert_eq!(
            hits(Rule::QueueGrowth, &counted("plates served", 100, 0..1000)),
            []
        );
    }
}
