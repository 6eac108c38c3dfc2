//! What the world promises, one test a promise.

use std::time::Duration;

use flight::{ActorKind, Event, Header, Recorder, VirtualTime};
use restaurant::{Course, Incident, Meter, Pace, Shift, Slip, Table, Timesheet};

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// A number that stands for a whole evening (FNV-1a over its description).
fn digest(shift: &Shift) -> u64 {
    format!("{shift:?}")
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

#[test]
fn seed_42_is_the_same_evening_on_every_machine() {
    let friday = Shift::friday(42);
    let first = &friday.parties[0];
    assert_eq!(
        (first.name.as_str(), first.arrives.as_secs(), first.size()),
        ("Okafor", 1053, 3)
    );
    assert_eq!(digest(&friday), 18_418_353_587_772_543_966);
}

#[test]
fn every_seed_is_another_evening() {
    let digests: std::collections::HashSet<u64> =
        (0..100).map(|seed| digest(&Shift::friday(seed))).collect();
    assert_eq!(digests.len(), 100);
}

#[test]
fn an_evening_is_what_was_asked_for() {
    for seed in 0..50 {
        let shift = Shift::plan(seed, 3, 30, 90);
        assert_eq!((shift.tables, shift.parties.len()), (3, 30));
        assert!(shift.parties.is_sorted_by_key(|party| party.arrives));
        assert!(
            shift
                .parties
                .iter()
                .all(|party| party.arrives < minutes(60))
        );
        assert!(
            shift
                .parties
                .iter()
                .all(|party| (1..=4).contains(&party.size()))
        );
        assert!(
            shift
                .parties
                .iter()
                .enumerate()
                .all(|(index, party)| party.number == index)
        );
    }
    assert!(Shift::plan(1, 1, 0, 90).parties.is_empty());
}

#[test]
fn a_table_goes_through_an_evening() {
    let party = Shift::friday(42).parties[0].clone();
    let mut table = Table::new(2);
    assert!(table.is_free() && !table.wants_clearing());

    assert_eq!(table.seat(party.clone()), None);
    assert!(!table.is_free() && table.wants_to_order());

    let ([food, drinks], incident) = table.take_order().unwrap();
    assert_eq!((incident, table.wants_to_order()), (None, false));
    assert_eq!(
        (food.course, drinks.course, food.table),
        (Course::Food, Course::Drinks, 2)
    );

    assert!(table.serve(&drinks, minutes(10)) && !table.eats());
    assert!(
        !table.serve(&drinks, minutes(10)),
        "a second round that nobody ordered"
    );
    assert!(table.serve(&food, minutes(20)) && table.eats());
    assert!(!table.wants_to_pay(minutes(20) + party.eats - Duration::from_secs(1)));
    assert!(table.wants_to_pay(minutes(20) + party.eats));

    assert_eq!(table.leave(), Some(party));
    assert!(table.is_free() && table.wants_clearing());
    assert_eq!(table.start_clearing(), None);
    assert!(!table.is_free() && !table.wants_clearing());
    table.finish_clearing();
    assert!(table.is_free() && !table.wants_clearing());
}

#[test]
fn a_party_and_a_clearing_robot_at_one_table_are_an_incident_whoever_comes_first() {
    let collision = Some(Incident::SeatedWhileCleared { table: 2 });
    let party = &Shift::friday(42).parties[0];

    let mut table = Table::new(2);
    assert_eq!(table.start_clearing(), None);
    assert_eq!(table.seat(party.clone()), collision);

    let mut table = Table::new(2);
    assert_eq!(table.seat(party.clone()), None);
    assert_eq!(table.start_clearing(), collision);
}

#[test]
fn a_second_order_is_an_incident_and_its_plates_are_not_wanted() {
    let mut table = Table::new(4);
    assert!(table.take_order().is_none(), "nobody there to ask");
    table.seat(Shift::friday(42).parties[0].clone());
    let ([food, _], _) = table.take_order().unwrap();
    let ([again, _], incident) = table.take_order().unwrap();
    assert_eq!(incident, Some(Incident::OrderTakenTwice { table: 4 }));
    assert!(table.serve(&food, minutes(1)));
    assert!(!table.serve(&again, minutes(2)));
    let elsewhere = Slip {
        party: "nobody".into(),
        ..food
    };
    assert!(!table.serve(&elsewhere, minutes(3)));
}

#[test]
fn a_pace_turns_restaurant_minutes_into_real_time_and_back() {
    let pace = Pace::minute_in(Duration::from_millis(12));
    assert_eq!(pace.real(minutes(180)), Duration::from_millis(2160));
    assert_eq!(pace.restaurant(Duration::from_millis(2160)), minutes(180));
    assert_eq!(Pace::LIFE.real(minutes(3)), minutes(3));
}

#[test]
fn a_timesheet_counts_parked_time_as_waiting() {
    let time = VirtualTime::new();
    let recorder = Recorder::new(Header::virtual_time("test", &time));
    let lane = recorder.actor("WaitBot-1", ActorKind::Thread);
    let why = recorder.text("the oven");
    time.advance_to(1_000);
    lane.record(Event::ParkBegin { why, until: 0 });
    time.advance_to(9_000);
    lane.record(Event::ParkEnd);
    time.advance_to(9_500);
    lane.record(Event::ParkBegin { why, until: 0 });
    time.advance_to(10_000);
    drop(lane);
    let [sheet] = Timesheet::from_recording(&recorder.recording())
        .try_into()
        .unwrap();
    assert_eq!(
        (sheet.working.as_nanos(), sheet.waiting.as_nanos()),
        (1_500, 8_500)
    );
    assert!((sheet.share_waiting() - 0.85).abs() < 1e-9);
}

#[test]
fn a_meter_finds_work_where_a_thread_computes() {
    let meter = Meter::start();
    let mut sum = 0_u64;
    for number in 0..3_000_000 {
        sum = std::hint::black_box(sum.wrapping_add(number));
    }
    let sheet = meter.stop("ChefBot");
    assert!(sheet.working > Duration::ZERO);
    assert!(sheet.to_string().starts_with("ChefBot"));
}
