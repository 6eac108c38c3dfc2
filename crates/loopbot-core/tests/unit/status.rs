//! The loop and whoever watches it meet at bad moments.

use std::sync::atomic::AtomicBool;
use std::thread;

use super::*;

#[test]
fn no_two_polls_look_the_same() {
    let status = Status::new(true);
    let mut seen = vec![status.poll()];
    let last_place = (PARKED - 1) as u32;
    for slot in [0, 0, 7, last_place, last_place, 0] {
        status.poll_begins(slot);
        let poll = status.poll();
        assert_eq!(poll.slot(), Some(slot));
        assert!(!seen.contains(&poll));
        seen.push(poll);
        status.poll_ends();
        status.turns_end();
        assert!(!status.poll().is_under_way());
        status.parks();
        assert!(status.poll().is_parked() && !status.poll().is_under_way());
        status.turns_end();
        assert!(!status.poll().is_parked());
    }
}

#[test]
fn there_is_a_place_for_whoever_is_on_a_shelf() {
    let status = Status::new(true);
    for slot in [0, 1023, 1024, 2047, 2048, 100_000] {
        status.spawned(slot, slot + 1, Location::caller());
        status.poll_begins(slot);
        let known = status.known(status.poll()).unwrap();
        assert_eq!((known.slot, known.born), (slot, slot + 1));
        status.poll_ends();
        status.turns_end();
    }
    const { assert!(FIRST_ROOM << ROOMS >= crate::inbox::PLACES) };
    assert!((crate::inbox::PLACES as u64) <= PARKED);
}

#[test]
fn of_a_poll_that_is_over_nothing_is_known() {
    let status = Status::new(true);
    status.spawned(3, 1, Location::caller());
    status.poll_begins(3);
    let poll = status.poll();
    assert_eq!(status.known(poll).unwrap().waited_at, None);
    let here = Location::caller();
    assert_eq!(status.waits(Some(here)), Some(3));
    assert_eq!(status.known(poll).unwrap().waited_at, Some(here));
    status.poll_ends();
    assert_eq!(
        status.poll(),
        poll,
        "what it leaves behind is dropped in its time"
    );
    assert_eq!(status.known(poll).unwrap().born, 1);
    status.turns_end();
    assert!(status.known(poll).is_none());
    status.spawned(3, 2, Location::caller());
    status.poll_begins(3);
    assert!(status.known(poll).is_none());
    let known = status.known(status.poll()).unwrap();
    assert_eq!((known.born, known.waited_at), (2, None));
}

#[test]
fn where_nobody_watches_nothing_is_noted() {
    let status = Status::new(false);
    status.spawned(3, 1, Location::caller());
    status.poll_begins(3);
    assert_eq!(status.waits(Some(Location::caller())), None);
    assert!(status.known(status.poll()).is_none());
}

#[test]
fn the_loop_knows_whom_it_polls() {
    let status = Status::new(false);
    assert_eq!(status.polled(), None);
    status.poll_begins(0);
    assert_eq!(status.polled(), Some(0));
    status.poll_ends();
    assert_eq!(status.polled(), None);
    status.poll_begins(7);
    assert_eq!(status.polled(), Some(7));
    status.turns_end();
    assert_eq!(status.polled(), None);
}

/// Two places have a new tenant before each poll, and from its number one sees of which poll it is.
#[test]
fn what_is_known_of_a_task_is_of_that_task() {
    let polls = if cfg!(miri) { 200 } else { 20_000 };
    let status = Status::new(true);
    let is_over = AtomicBool::new(false);
    let known = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut looks = 0;
            while !is_over.load(Ordering::Relaxed) {
                let poll = status.poll();
                if let Some(known) = status.known(poll) {
                    let polls_before = (poll.0 / (2 * OVER)) as u32;
                    assert_eq!(known.slot, known.born % 2, "task {}", known.born);
                    assert_eq!(known.born, polls_before, "it was spawned for this poll");
                    looks += 1;
                }
                thread::yield_now();
            }
            looks
        });
        for born in 1..polls {
            status.spawned(born % 2, born, Location::caller());
            status.poll_begins(born % 2);
            thread::yield_now();
            status.poll_ends();
            status.turns_end();
        }
        is_over.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    println!("{known} times something was known");
}
