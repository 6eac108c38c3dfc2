//! What the ThreadBots promise, one test a promise.

use std::time::Duration;

use flight::{ActorKind, Event, Header, Recorder};
use restaurant::{Incident, Pace, Shift, story};
use threadbots::{Coordination, Opening, scene};
use whatif::Outcome;

fn incidents(coordination: Coordination, waiters: usize, seed: u64) -> Vec<Incident> {
    let opening = Opening::new(coordination).waiters(waiters);
    let evening = opening.rehearse(&Shift::friday(seed));
    assert_eq!(evening.report.served, 24);
    let goodbyes = evening
        .recording
        .marks(story::PARTY)
        .filter(|(_, name, _)| name.is_empty())
        .count();
    assert_eq!(goodbyes, 24, "every party has been seated, fed and let go");
    evening.report.incidents
}

#[test]
fn coordinated_robots_never_collide() {
    for seed in 0..8 {
        assert_eq!(incidents(Coordination::Coordinated, 1, seed), []);
        assert_eq!(incidents(Coordination::Coordinated, 3, seed), []);
    }
}

#[test]
fn careless_robots_collide_and_naps_do_not_help() {
    for coordination in [Coordination::Careless, Coordination::Napping] {
        let seated = |incident: &Incident| matches!(incident, Incident::SeatedWhileCleared { .. });
        let collisions = (0..8)
            .flat_map(|seed| incidents(coordination, 1, seed))
            .filter(seated)
            .count();
        assert!(
            collisions > 0,
            "{coordination}: not one collision in eight Fridays"
        );
    }
}

#[test]
fn a_second_careless_waiter_takes_orders_twice() {
    let twice = |incident: &Incident| matches!(incident, Incident::OrderTakenTwice { .. });
    assert!(
        (0..4)
            .flat_map(|seed| incidents(Coordination::Careless, 3, seed))
            .any(|incident| twice(&incident))
    );
    assert!(
        !(0..4)
            .flat_map(|seed| incidents(Coordination::Careless, 1, seed))
            .any(|incident| twice(&incident))
    );
}

#[test]
fn the_checker_breaks_careless_and_napping_robots_and_proves_coordinated_ones() {
    for scene in scene::ALL {
        for coordination in [Coordination::Careless, Coordination::Napping] {
            let report = scene.check(coordination);
            let Outcome::Failed(story) = report.outcome else {
                panic!("{coordination} robots break: {report}")
            };
            if scene.name == "one-table" {
                assert_eq!(story.rule, "a party sits at a table that is being cleared");
            }
        }
        let report = scene.check(Coordination::Coordinated);
        assert!(matches!(report.outcome, Outcome::Proved { .. }), "{report}");
    }
}

#[test]
fn a_rehearsal_is_the_same_byte_for_byte() {
    let json = || {
        Opening::new(Coordination::Careless)
            .waiters(2)
            .rehearse(&Shift::friday(7))
            .recording
            .to_json()
    };
    assert_eq!(json(), json());
    for scene in scene::ALL {
        for coordination in Coordination::ALL {
            let json = || scene.record(coordination).to_json();
            assert_eq!(json(), json(), "{} {coordination}", scene.name);
        }
    }
}

#[test]
fn the_recorded_scene_is_the_one_that_breaks() {
    for scene in scene::ALL {
        for coordination in Coordination::ALL {
            let recording = scene.record(coordination);
            assert_eq!(
                recording.marks(story::INCIDENT).count(),
                usize::from(coordination != Coordination::Coordinated),
                "{} {coordination}",
                scene.name
            );
            assert!(recording.marks(story::STEP).count() >= 3);
        }
    }
}

#[test]
fn an_evening_for_real_has_a_thread_for_every_robot_and_a_timesheet_for_every_thread() {
    for coordination in Coordination::ALL {
        let recorder = Recorder::new(Header::monotonic("test"));
        let pace = Pace::minute_in(Duration::from_micros(500));
        let report = Opening::new(coordination)
            .waiters(2)
            .pace(pace)
            .serve(&Shift::monday(3), &recorder);
        assert_eq!(report.served, 8);
        let names: Vec<&str> = report
            .timesheets
            .iter()
            .map(|sheet| sheet.robot.as_str())
            .collect();
        assert_eq!(
            names,
            ["GreetBot", "WaitBot-1", "WaitBot-2", "ChefBot", "WineBot"]
        );
        let recording = recorder.recording();
        assert!(recording.complete && recording.dropped == 0);
        assert!(
            recording
                .actors
                .iter()
                .all(|actor| actor.kind == ActorKind::Thread)
        );
        assert!(
            recording
                .events
                .iter()
                .any(|entry| matches!(entry.event, Event::ParkBegin { .. }))
        );
        if coordination == Coordination::Coordinated {
            assert_eq!(report.incidents, []);
        }
    }
}
