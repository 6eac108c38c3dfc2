//! Robots wait for each other's locks, in a circle.
//!
//! Whenever somebody begins to wait for a lock: who has it, what does that one wait for, who has that? If the
//! way leads back to where it began, nobody on it can go on, unless one of them gives up.
//!
//! There is no limit. If one of them gets the lock after all, they did not wait for ever, and nothing is said.

use std::collections::HashMap;

use super::run::Run;
use super::words::time;
use super::{Hit, Rule, Severity, evidence};
use crate::event::{Event, Task, Text};
use crate::recording::Entry;

/// Who has a lock or waits for one: on a loop the task that is polled, else the robot.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    Robot(usize),
    Task(Task),
}

#[derive(Default)]
struct Locks<'a> {
    has: HashMap<Text, (Who, &'a Entry)>,
    wants: HashMap<Who, (Text, &'a Entry)>,
}

/// Somebody in a circle: who, what for, since when, and since when the next one has that.
type Link<'a> = (Who, Text, &'a Entry, &'a Entry);

pub(super) fn look(run: &Run<'_>) -> Vec<Hit> {
    let mut polled: Vec<Option<Task>> = vec![None; run.lanes.len()];
    let mut locks = Locks::default();
    let mut circles: Vec<Vec<Link<'_>>> = Vec::new();
    for entry in &run.recording.events {
        let who = polled[entry.actor].map_or(Who::Robot(entry.actor), Who::Task);
        match entry.event {
            Event::PollBegin { task, .. } => polled[entry.actor] = Some(task),
            Event::PollEnd { .. } | Event::Gap { .. } => polled[entry.actor] = None,
            Event::ResWait { resource } => {
                locks.wants.insert(who, (resource, entry));
                circles.extend(locks.circle(who));
            }
            Event::ResAcquire { resource } => {
                locks.wants.remove(&who);
                locks.has.insert(resource, (who, entry));
                circles.retain(|circle| {
                    circle
                        .iter()
                        .all(|link| (link.0, link.1) != (who, resource))
                });
            }
            Event::ResRelease { resource } => {
                locks.has.remove(&resource);
            }
            _ => {}
        }
    }
    circles.iter().map(|circle| tell(run, circle)).collect()
}

impl<'a> Locks<'a> {
    /// Follows who waits for whom from here, until it comes back to here or ends.
    fn circle(&self, start: Who) -> Option<Vec<Link<'a>>> {
        let mut circle: Vec<Link<'a>> = Vec::new();
        let mut who = start;
        loop {
            let (resource, wait) = *self.wants.get(&who)?;
            let (holder, taken) = *self.has.get(&resource)?;
            circle.push((who, resource, wait, taken));
            if holder == start {
                return Some(circle);
            }
            if circle.iter().any(|link| link.0 == holder) {
                return None; // A circle, but not through here: it was found before.
            }
            who = holder;
        }
    }
}

fn tell(run: &Run<'_>, circle: &[Link<'_>]) -> Hit {
    let name = |who: Who| match who {
        Who::Robot(actor) => run.recording.actors[actor].name.as_str(),
        Who::Task(task) => run.name(task),
    };
    let lock = |resource| run.recording.text(resource);
    // What one waits for, the next one has: so what each has is what the one before waits for.
    let before = circle.iter().cycle().skip(circle.len() - 1);
    let links: Vec<String> = before
        .zip(circle)
        .map(|(before, (who, wants, ..))| {
            format!(
                "{} has {} and waits for {}",
                name(*who),
                lock(before.1),
                lock(*wants)
            )
        })
        .collect();
    let names: Vec<&str> = circle.iter().map(|link| name(link.0)).collect();
    let last = circle.iter().map(|link| link.2.t).max().unwrap_or(0);
    let entries = circle
        .iter()
        .flat_map(|(_, _, wait, taken)| [*wait, *taken]);
    let says = match circle.len() {
        1 => format!(
            "from {} on, {} waits for {}, which it has itself: it can never go on.",
            time(last),
            names[0],
            lock(circle[0].1)
        ),
        _ => format!(
            "from {} on, {}: each waits for the next, and none of them can ever go on.",
            time(last),
            links.join(", ")
        ),
    };
    Hit {
        rule: Rule::LockCycle,
        severity: Severity::Red,
        subject: names.join(", "),
        says,
        limit: 0,
        observed: circle.len() as u64,
        at: last,
        evidence: evidence(entries),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::made_up::{MadeUp, hit, hits};
    use crate::{ActorKind, Event, Lane, Recording};

    fn takes(lane: &Lane, key: &str) {
        let resource = lane.text(key);
        lane.record(Event::ResWait { resource });
        lane.record(Event::ResAcquire { resource });
    }

    fn wants(lane: &Lane, key: &str) {
        let resource = lane.text(key);
        lane.record(Event::ResWait { resource });
    }

    fn gives_back(lane: &Lane, key: &str) {
        let resource = lane.text(key);
        lane.record(Event::ResRelease { resource });
    }

    fn robots(names: &[&str], act: impl Fn(&[Lane])) -> Recording {
        let mut run = MadeUp::new();
        let lane = |name: &&str| run.recorder.actor(name, ActorKind::Thread);
        let lanes: Vec<Lane> = names.iter().map(lane).collect();
        run.at(4);
        act(&lanes);
        drop(lanes);
        run.over()
    }

    #[test]
    fn two_keys() {
        let recording = robots(&["GreetBot", "WineBot"], |robots| {
            takes(&robots[0], "the cellar key");
            takes(&robots[1], "the wine book");
            wants(&robots[0], "the wine book");
            wants(&robots[1], "the cellar key");
        });
        let hit = hit(Rule::LockCycle, &recording);
        assert_eq!(
            hit.says,
            "from 4 ms on, WineBot has the wine book and waits for the cellar key, GreetBot has the cellar key and waits \
             for the wine book: each waits for the next, and none of them can ever go on."
        );
        assert_eq!((hit.observed, hit.evidence.len()), (2, 4));
    }

    #[test]
    fn a_circle_of_three_and_a_circle_of_one() {
        let recording = robots(&["A", "B", "C"], |robots| {
            for (robot, key) in robots.iter().zip(["1", "2", "3"]) {
                takes(robot, key);
            }
            for (robot, key) in robots.iter().zip(["2", "3", "1"]) {
                wants(robot, key);
            }
        });
        assert_eq!(hit(Rule::LockCycle, &recording).observed, 3);
        let recording = robots(&["A"], |robots| {
            takes(&robots[0], "the key");
            wants(&robots[0], "the key");
        });
        let hit = hit(Rule::LockCycle, &recording);
        assert!(
            hit.says
                .contains("A waits for the key, which it has itself"),
            "{}",
            hit.says
        );
    }

    #[test]
    fn one_order_for_all_makes_no_circle() {
        let recording = robots(&["GreetBot", "WineBot"], |robots| {
            takes(&robots[0], "the cellar key");
            wants(&robots[1], "the cellar key");
            takes(&robots[0], "the wine book");
        });
        assert_eq!(hits(Rule::LockCycle, &recording), []);
    }

    #[test]
    fn whoever_gives_up_breaks_the_circle() {
        let recording = robots(&["GreetBot", "WineBot"], |robots| {
            takes(&robots[0], "the cellar key");
            takes(&robots[1], "the wine book");
            wants(&robots[0], "the wine book");
            wants(&robots[1], "the cellar key");
            gives_back(&robots[1], "the wine book");
            takes(&robots[0], "the wine book");
        });
        assert_eq!(hits(Rule::LockCycle, &recording), []);
    }
}
