//! A told run as a recording that the book's player opens: a lane for each robot, a second for each step.

use std::time::Duration;

use flight::{ActorKind, Event, Header, Lane, Recorder, Recording, VirtualTime};
use restaurant::story::{INCIDENT, STEP};

use super::told::{Told, Turn};

/// As long as a step takes in the playback's own time. The check has no clock: only the order is real.
const STEP_TAKES: Duration = Duration::from_secs(1);

/// The same run, as a recording.
pub fn fly(told: &Told) -> Recording {
    let time = VirtualTime::new();
    let header = Header::virtual_time(&told.check, &time).fact("schedule", &told.schedule);
    let recorder = Recorder::new(header);
    let mut robots: Vec<(&str, Lane)> = Vec::new();
    for line in &told.lines {
        if !robots.iter().any(|(name, _)| *name == line.robot) {
            robots.push((&line.robot, recorder.actor(&line.robot, ActorKind::Thread)));
        }
    }
    let lane = |robot: &str| {
        &robots
            .iter()
            .find(|(name, _)| *name == robot)
            .expect("it is in the story")
            .1
    };

    let wait = |robot: &str, why: &str| {
        let lane = lane(robot);
        let why = lane.text(why);
        lane.record(Event::ParkBegin { why, until: 0 });
    };

    // One robot moves at a time, and the others wait for their turn.
    for (robot, _) in &robots {
        wait(robot, "its turn");
    }
    let mut moving: Option<&str> = None;
    let mut places: Vec<String> = Vec::new();
    for line in &told.lines {
        time.advance(STEP_TAKES);
        if moving != Some(&line.robot) {
            if let Some(robot) = moving {
                wait(robot, "its turn");
            }
            lane(&line.robot).record(Event::ParkEnd);
        }
        let place = places
            .iter()
            .position(|place| *place == line.place)
            .unwrap_or_else(|| {
                places.push(line.place.clone());
                places.len() - 1
            });
        lane(&line.robot).mark(STEP, &line.text, place as u64 + 1);
        moving = Some(&line.robot);
        if line.turn == Turn::ForEver {
            wait(&line.robot, &line.text);
            moving = None;
        }
    }
    if let Some(last) = told
        .lines
        .iter()
        .rfind(|line| line.marked)
        .or(told.lines.last())
        && !told.good
    {
        lane(&last.robot).mark(INCIDENT, &told.rule, 0);
    }
    time.advance(STEP_TAKES);
    drop(robots);
    Recording {
        locs: places,
        ..recorder.recording()
    }
}

#[cfg(test)]
mod tests {
    use super::super::told::tests::{keys, table};
    use super::*;

    #[test]
    fn a_broken_rule_is_the_last_mark_of_the_robot_that_broke_it() {
        let recording = fly(&table());
        let told: Vec<(&str, &str)> = [STEP, INCIDENT]
            .iter()
            .flat_map(|category| recording.marks(category))
            .map(|(entry, text, _)| (recording.actor(entry), text))
            .collect();
        assert_eq!(
            told,
            [
                ("GreetBot", "sees table 2 free"),
                ("WaitBot", "sees table 2 free"),
                ("GreetBot", "seats the Chen party"),
                ("WaitBot", "starts clearing"),
                ("WaitBot", "a party sits at a table that is being cleared"),
            ]
        );
        assert_eq!(recording.locs, ["src/lib.rs:5", "src/lib.rs:9"]);
        assert!(recording.complete && recording.events.is_sorted_by_key(|entry| entry.t));
        // It can be written and read like any other.
        assert!(Recording::from_json(&recording.to_json()).is_ok());
    }

    #[test]
    fn robots_that_wait_for_ever_are_parked_to_the_end() {
        let recording = fly(&keys());
        for robot in ["GreetBot", "WineBot"] {
            let last = recording.events.iter().rfind(|entry| {
                recording.actor(entry) == robot
                    && matches!(entry.event, Event::ParkBegin { .. } | Event::ParkEnd)
            });
            let Some(Event::ParkBegin { why, .. }) = last.map(|entry| entry.event) else {
                panic!("{robot} is up and about: {last:?}");
            };
            assert!(
                recording.text(why).starts_with("waits for the"),
                "{}",
                recording.text(why)
            );
        }
        assert_eq!(recording.marks(INCIDENT).count(), 1);
    }
}
