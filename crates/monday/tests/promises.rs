//! What one robot promises, one test a promise.

use std::time::Duration;

use flight::{Event, Header, Recorder, Recording};
use monday::Opening;
use restaurant::{Pace, Shift, story};

#[test]
fn every_party_is_served_and_nothing_collides_on_any_evening() {
    for seed in 0..40 {
        for shift in [Shift::monday(seed), Shift::friday(seed)] {
            let evening = Opening::new().rehearse(&shift);
            assert_eq!(evening.report.served, shift.parties.len());
            assert!(
                evening.report.incidents.is_empty(),
                "seed {seed}: {:?}",
                evening.report.incidents
            );
            let goodbyes = evening
                .recording
                .marks(story::PARTY)
                .filter(|(_, name, _)| name.is_empty())
                .count();
            assert_eq!(goodbyes, shift.parties.len());
        }
    }
}

#[test]
fn an_evening_in_virtual_time_is_the_same_byte_for_byte() {
    let json = || {
        Opening::new()
            .rehearse(&Shift::friday(42))
            .recording
            .to_json()
    };
    assert_eq!(json(), json());
}

#[test]
fn the_robot_is_in_one_place_at_a_time() {
    let recording = Opening::new().rehearse(&Shift::friday(7)).recording;
    let walks: Vec<u64> = recording
        .marks(story::PLACE)
        .map(|(entry, ..)| entry.t)
        .collect();
    assert!(walks.len() > 100);
    let walk = Duration::from_secs(20).as_nanos() as u64;
    assert!(
        walks.windows(2).all(|pair| pair[1] - pair[0] >= walk),
        "no walk begins before the one before it ends"
    );
}

#[test]
fn an_evening_for_real_records_one_robot_and_measures_it() {
    let recorder = Recorder::new(Header::monotonic("test"));
    let pace = Pace::minute_in(Duration::from_micros(300));
    let report = Opening::new()
        .pace(pace)
        .serve(&Shift::monday(1), &recorder);
    assert_eq!((report.served, report.timesheets.len()), (8, 1));
    assert!(report.incidents.is_empty());
    let recording: Recording = recorder.recording();
    assert_eq!(recording.actors.len(), 1);
    let polls = recording
        .events
        .iter()
        .filter(|entry| matches!(entry.event, Event::PollBegin { .. }))
        .count();
    assert!(polls > 8 * 10);
}
