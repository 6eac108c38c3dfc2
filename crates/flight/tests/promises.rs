//! What the recorder promises, one test a promise.

use std::thread;
use std::time::Duration;

use flight::{ActorKind, End, Event, Header, Lane, Recorder, Recording, Source, VirtualTime};

fn recorder() -> Recorder {
    Recorder::new(Header::virtual_time("test", &VirtualTime::new()))
}

#[test]
fn a_recorder_that_is_off_records_nothing() {
    let recorder = Recorder::off();
    let lane = recorder.actor("ChefBot", ActorKind::Thread);
    assert_eq!(lane.record(Event::ParkEnd), 0);
    lane.mark("step", "cracks an egg", 0);
    assert!(!recorder.is_on() && !lane.is_on() && !Lane::off().is_on());
    assert!(recorder.recording().events.is_empty());
    assert!(recorder.follow().next_chunk().events.is_empty());
}

#[test]
fn events_of_all_threads_stand_in_one_order_and_time_never_runs_backwards() {
    let recorder = Recorder::new(Header::monotonic("test"));
    thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            let lane = recorder.actor(name, ActorKind::Thread);
            scope.spawn(move || (0..1000).for_each(|value| lane.counter("plates", value)));
        }
    });
    let recording = recorder.recording();
    assert_eq!(recording.events.len(), 4 * 1002);
    assert!(recording.complete);
    assert!(
        recording
            .events
            .windows(2)
            .all(|pair| pair[0].n < pair[1].n && pair[0].t <= pair[1].t)
    );
    for actor in 0..4 {
        let values: Vec<u64> = counters(&recording, actor);
        assert_eq!(
            values,
            (0..1000).collect::<Vec<_>>(),
            "each robot's own events are all there, in its own order"
        );
    }
}

fn counters(recording: &Recording, actor: usize) -> Vec<u64> {
    let of_actor = recording.events.iter().filter(|entry| entry.actor == actor);
    of_actor
        .filter_map(|entry| match entry.event {
            Event::Counter { value, .. } => Some(value),
            _ => None,
        })
        .collect()
}

#[test]
fn a_full_ring_keeps_the_newest_and_says_how_many_are_missing() {
    let recorder =
        Recorder::new(Header::virtual_time("test", &VirtualTime::new()).lane_capacity(10));
    let lane = recorder.actor("ChefBot", ActorKind::Thread); // n = 1
    for value in 0..50 {
        lane.counter("plates", value); // n = 2 to 51
    }
    let recording = recorder.recording();
    assert_eq!(recording.dropped, 41);
    assert_eq!(
        recording.events[0].event,
        Event::Gap {
            lost: 41,
            from: 1,
            to: 41
        }
    );
    assert_eq!(recording.events[0].n, 41);
    assert_eq!(counters(&recording, 0), (40..50).collect::<Vec<_>>());
}

#[test]
fn a_follower_that_keeps_up_sees_everything_though_the_ring_overflows() {
    let recorder =
        Recorder::new(Header::virtual_time("test", &VirtualTime::new()).lane_capacity(4));
    let lane = recorder.actor("ChefBot", ActorKind::Thread);
    let mut follower = recorder.follow();
    let mut seen = follower.next_chunk().events;
    for value in 0..20 {
        lane.counter("plates", value);
        lane.counter("plates", value);
        let chunk = follower.next_chunk();
        assert_eq!(chunk.dropped, 0);
        seen.extend(chunk.events);
    }
    assert_eq!(
        seen.iter().map(|entry| entry.n).collect::<Vec<_>>(),
        (1..=41).collect::<Vec<_>>()
    );
}

#[test]
fn a_follower_that_is_too_slow_is_told_what_it_missed() {
    let recorder =
        Recorder::new(Header::virtual_time("test", &VirtualTime::new()).lane_capacity(4));
    let lane = recorder.actor("ChefBot", ActorKind::Thread);
    let mut follower = recorder.follow();
    follower.next_chunk(); // has n = 1
    for value in 0..10 {
        lane.counter("plates", value); // n = 2 to 11
    }
    let chunk = follower.next_chunk();
    assert_eq!(chunk.dropped, 6);
    assert_eq!(
        chunk.events[0].event,
        Event::Gap {
            lost: 6,
            from: 2,
            to: 7
        }
    );
    assert_eq!(chunk.events.len(), 5);
}

#[test]
fn a_follower_hands_out_each_event_once_and_in_order_while_threads_record() {
    let recorder = Recorder::new(Header::monotonic("test"));
    let mut follower = recorder.follow();
    let mut seen = Vec::new();
    thread::scope(|scope| {
        let robots: Vec<_> = (0..3)
            .map(|robot| {
                let lane = recorder.actor(&format!("robot {robot}"), ActorKind::Thread);
                scope.spawn(move || (0..5000).for_each(|value| lane.counter("plates", value)))
            })
            .collect();
        while robots.iter().any(|robot| !robot.is_finished()) {
            seen.extend(follower.next_chunk().events);
        }
    });
    seen.extend(follower.next_chunk().events);
    let numbers: Vec<u64> = seen.iter().map(|entry| entry.n).collect();
    assert_eq!(numbers, (1..=3 * 5002).collect::<Vec<_>>());
}

#[test]
fn virtual_time_is_what_the_simulation_says() {
    let time = VirtualTime::new();
    let recorder = Recorder::new(Header::virtual_time("test", &time));
    let lane = recorder.actor("ChefBot", ActorKind::Thread);
    time.advance(Duration::from_secs(3));
    lane.mark("step", "cracks an egg", 0);
    let recording = recorder.recording();
    assert_eq!(recording.duration(), 3_000_000_000);
    assert_eq!(recording.header.t0_unix_ns, 0);
    assert!(!recording.complete, "the robot is still there");
    let steps: Vec<_> = recording
        .marks("step")
        .map(|(entry, text, value)| (entry.t, text, value))
        .collect();
    assert_eq!(steps, [(3_000_000_000, "cracks an egg", 0)]);
}

#[test]
fn names_are_kept_once() {
    let recorder = recorder();
    assert_eq!(recorder.text("the pass"), recorder.text("the pass"));
    assert_ne!(recorder.text("the pass"), recorder.text("the bar"));
    let here = std::panic::Location::caller();
    assert_eq!(recorder.loc(here), recorder.loc(here));
    let recording = recorder.recording();
    assert_eq!(recording.strings, ["the pass", "the bar"]);
    assert!(
        recording
            .loc(recorder.loc(here))
            .ends_with(&format!("promises.rs:{}", here.line()))
    );
}

#[test]
fn two_tasks_of_the_same_name_stay_two_tasks() {
    let recorder = recorder();
    let lane = recorder.actor("LoopBot", ActorKind::Loop);
    let (one, two) = (
        recorder.task("the Chen party"),
        recorder.task("the Chen party"),
    );
    assert_ne!(one, two);
    lane.record(Event::TaskSpawn {
        task: two,
        by: Some(one),
    });
    lane.record(Event::Wake {
        task: two,
        source: Source::Timer,
    });
    lane.record(Event::TaskEnd {
        task: two,
        how: End::Done,
    });
    assert_eq!(recorder.recording().task(two), "the Chen party");
}

#[test]
fn a_follower_hands_out_events_in_order_while_rings_overflow() {
    let recorder = Recorder::new(Header::monotonic("test").lane_capacity(1));
    let mut follower = recorder.follow();
    thread::scope(|scope| {
        let robots: Vec<_> = (0..3)
            .map(|robot| {
                let lane = recorder.actor(&format!("robot {robot}"), ActorKind::Thread);
                scope.spawn(move || (0..5000).for_each(|value| lane.counter("plates", value)))
            })
            .collect();
        let mut latest = 0;
        while robots.iter().any(|robot| !robot.is_finished()) {
            for entry in follower.next_chunk().events {
                assert!(entry.n > latest, "{} comes after {latest}", entry.n);
                latest = entry.n;
            }
        }
    });
}

#[test]
fn virtual_time_never_runs_backwards() {
    let time = VirtualTime::new();
    time.advance(Duration::from_secs(1));
    time.advance(Duration::MAX);
    assert_eq!(time.now(), u64::MAX);
    time.advance(Duration::from_nanos(5));
    time.advance_to(7);
    assert_eq!(time.now(), u64::MAX);
}
