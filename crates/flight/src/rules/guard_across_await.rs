//! A lock is kept while its task waits for something else.
//!
//! The lock was taken in one poll of a task and given back in a later one. The locks of the record are those that
//! stop a whole robot ([`Event::ResWait`]). If another task on the same loop wants this one, it stops the loop,
//! and with it the task that could give it back: that is the end, unless another thread has it in hand.
//!
//! There is no limit: even one wait is a place where this can happen. It is red when somebody did want it.

use std::collections::BTreeMap;

use super::run::Run;
use super::words::{time, times};
use super::{Hit, Rule, Severity, evidence, worst};
use crate::event::{Event, Task, Text};
use crate::recording::Entry;

/// A lock in a task's hand.
struct Guard<'a> {
    lane: usize,
    taken: &'a Entry,
    /// The end of the first poll that left it behind.
    carried: Option<&'a Entry>,
    /// How many polls did.
    waits: u64,
    wanted: Option<(&'a Entry, String)>,
}

pub(super) fn look(run: &Run<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut polled: Vec<Option<Task>> = vec![None; run.lanes.len()];
    let mut guards: BTreeMap<(Task, Text), Guard<'_>> = BTreeMap::new();
    for entry in &run.recording.events {
        let current = &mut polled[entry.actor];
        match (entry.event, *current) {
            (Event::PollBegin { task, .. }, _) => *current = Some(task),
            (Event::PollEnd { task, ready }, _) => {
                *current = None;
                let of_task = (task, Text(0))..=(task, Text(u32::MAX));
                for (_, guard) in guards.range_mut(of_task).filter(|_| !ready) {
                    guard.carried.get_or_insert(entry);
                    guard.waits += 1;
                }
                if ready {
                    // What it still held was dropped with it.
                    for (_, resource) in locks_of(&guards, task) {
                        let guard = guards.remove(&(task, resource));
                        hits.extend(
                            guard.and_then(|it| tell(run, task, resource, &it, Some(entry))),
                        );
                    }
                }
            }
            (Event::ResAcquire { resource }, Some(task)) => {
                let guard = Guard {
                    lane: entry.actor,
                    taken: entry,
                    carried: None,
                    waits: 0,
                    wanted: None,
                };
                guards.insert((task, resource), guard);
            }
            (Event::ResWait { resource }, current) => {
                let wanted = guards.iter_mut().find(|((_, of), guard)| {
                    *of == resource && guard.lane == entry.actor && guard.carried.is_some()
                });
                if let Some(((holder, _), guard)) = wanted
                    && current != Some(*holder)
                {
                    let who = current.map_or(run.robot(entry), |task| run.name(task));
                    guard.wanted.get_or_insert((entry, who.to_owned()));
                }
            }
            (Event::ResRelease { resource }, Some(task)) => {
                if let Some(guard) = guards.remove(&(task, resource)) {
                    hits.extend(tell(run, task, resource, &guard, Some(entry)));
                }
            }
            (Event::Gap { .. }, _) => {
                let lane = entry.actor;
                *current = None;
                guards.retain(|_, guard| guard.lane != lane);
            }
            _ => {}
        }
    }
    for ((task, resource), guard) in &guards {
        hits.extend(tell(run, *task, *resource, guard, None));
    }
    worst(hits, |others| format!("; it did so {} more", times(others)))
}

fn locks_of(guards: &BTreeMap<(Task, Text), Guard<'_>>, task: Task) -> Vec<(Task, Text)> {
    let of_task = guards.range((task, Text(0))..=(task, Text(u32::MAX)));
    of_task.map(|(key, _)| *key).collect()
}

/// `None`, if the guard was given back in the poll in which it was taken.
fn tell(
    run: &Run<'_>,
    task: Task,
    resource: Text,
    guard: &Guard<'_>,
    release: Option<&Entry>,
) -> Option<((Task, Text), Hit)> {
    let carried = guard.carried?;
    let (who, what, robot) = (
        run.name(task),
        run.recording.text(resource),
        run.robot(guard.taken),
    );
    let back = match release {
        Some(release) => format!("gave it back at {}", time(release.t)),
        None => "had not given it back at the end".to_owned(),
    };
    let then = match &guard.wanted {
        Some((wait, other)) => format!(
            "at {} {other} wanted it, and whoever waits for a lock stops {robot}, and with it the one who has the lock",
            time(wait.t)
        ),
        None => format!(
            "had another task of {robot} wanted it meanwhile, it would have stopped {robot}, and with it the one who has the lock"
        ),
    };
    let hit = Hit {
        rule: Rule::GuardAcrossAwait,
        severity: match guard.wanted {
            Some(_) => Severity::Red,
            None => Severity::Note,
        },
        subject: who.to_owned(),
        says: format!(
            "{who} took {what} at {}, went on waiting with it in hand, and {back}: {then}",
            time(guard.taken.t)
        ),
        limit: 0,
        observed: guard.waits,
        at: carried.t,
        evidence: evidence(
            [guard.taken, carried]
                .into_iter()
                .chain(guard.wanted.as_ref().map(|(wait, _)| *wait))
                .chain(release),
        ),
    };
    Some(((task, resource), hit))
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{MadeUp, hit, hits};
    use super::super::{Rule, Severity};
    use crate::{Event, Source};

    #[test]
    fn a_guest_goes_on_waiting_with_the_key_in_hand() {
        for is_wanted in [false, true] {
            let mut run = MadeUp::new();
            let (guest, other) = (run.spawn("the guest"), run.spawn("WaitBot"));
            let resource = run.recorder.text("the cellar key");
            run.at(1).begin(guest);
            run.record(Event::ResAcquire { resource });
            run.end(guest, false);
            run.at(5).begin(other);
            if is_wanted {
                run.record(Event::ResWait { resource });
            }
            run.end(other, false);
            run.at(9).wake(guest, Source::Timer);
            run.begin(guest);
            run.record(Event::ResRelease { resource });
            run.end(guest, true);
            let hit = hit(Rule::GuardAcrossAwait, &run.over());
            let start = "the guest took the cellar key at 1 ms, went on waiting with it in hand, and gave it back at 9 ms: ";
            assert!(hit.says.starts_with(start), "{}", hit.says);
            let (severity, words) = match is_wanted {
                false => (Severity::Note, "had another task of LoopBot wanted it"),
                true => (Severity::Red, "at 5 ms WaitBot wanted it"),
            };
            assert_eq!((hit.severity, hit.observed), (severity, 1));
            assert!(hit.says.contains(words), "{}", hit.says);
        }
    }

    #[test]
    fn given_back_before_the_await_it_is_all_right() {
        let mut run = MadeUp::new();
        let guest = run.spawn("the guest");
        let resource = run.recorder.text("the cellar key");
        run.begin(guest);
        run.record(Event::ResWait { resource });
        run.record(Event::ResAcquire { resource });
        run.record(Event::ResRelease { resource });
        run.end(guest, false);
        run.wake(guest, Source::Task);
        run.begin(guest);
        run.record(Event::ResAcquire { resource }); // The end of the task gives it back.
        run.end(guest, true);
        assert_eq!(hits(Rule::GuardAcrossAwait, &run.over()), []);
    }

    #[test]
    fn a_robot_of_threads_may_wait_with_a_lock_in_hand() {
        let run = MadeUp::new();
        let resource = run.recorder.text("the cellar key");
        let thread = run.recorder.actor("GreetBot", crate::ActorKind::Thread);
        thread.record(Event::ResAcquire { resource });
        thread.record(Event::ParkBegin {
            why: resource,
            until: 0,
        });
        drop(thread);
        assert_eq!(hits(Rule::GuardAcrossAwait, &run.over()), []);
    }
}
