//! The loop and its watchdog meet at bad moments.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use super::*;

const ROUNDS: u32 = if cfg!(miri) { 50 } else { 500 };
/// How long the loop waits for a watchdog that does not wake up, before the test fails.
const PATIENCE: Duration = Duration::from_secs(if cfg!(miri) { 7200 } else { 60 });

#[test]
fn a_watchdog_that_falls_asleep_while_the_loop_wakes_up_is_woken() {
    let watch = Arc::new(Watch::new());
    let looks = Arc::new(AtomicU64::new(0));
    let is_over = Arc::new(AtomicBool::new(false));
    let dog = thread::spawn({
        let (watch, looks, is_over) = (watch.clone(), looks.clone(), is_over.clone());
        move || {
            while !is_over.load(Ordering::Relaxed) {
                looks.fetch_add(1, Ordering::SeqCst);
                if watch.falls_asleep() {
                    thread::park();
                }
            }
        }
    });
    for round in 0..ROUNDS {
        watch.park_begins();
        for _ in 0..round % 64 * 8 {
            std::hint::spin_loop();
        }
        watch.park_ended(dog.thread());
        watch.poll_begins(0);
        let (before, began) = (looks.load(Ordering::SeqCst), Instant::now());
        while looks.load(Ordering::SeqCst) == before {
            assert!(
                began.elapsed() < PATIENCE,
                "it was left asleep in round {round}"
            );
            thread::yield_now();
        }
        watch.poll_ended();
    }
    is_over.store(true, Ordering::Relaxed);
    dog.thread().unpark();
    dog.join().unwrap();
}

#[test]
fn no_two_polls_look_the_same() {
    let watch = Watch::new();
    let mut seen = vec![watch.poll()];
    let last_place = (PARKED - 1) as u32;
    for slot in [0, 0, 7, last_place, last_place, 0] {
        watch.poll_begins(slot);
        let poll = watch.poll();
        assert_eq!(poll.slot(), Some(slot));
        assert!(!seen.contains(&poll));
        seen.push(poll);
        watch.poll_ended();
        assert!(!watch.poll().is_under_way());
        watch.park_begins();
        assert!(watch.poll().is_parked() && !watch.poll().is_under_way());
        watch.park_ended(&thread::current());
    }
}

#[test]
fn there_is_a_place_for_whoever_is_on_a_shelf() {
    let watch = Watch::new();
    for slot in [0, 63, 64, 191, 192, 100_000] {
        watch.spawned(slot, slot + 1, Location::caller());
        watch.poll_begins(slot);
        let told = watch.describe(watch.poll()).unwrap();
        assert_eq!(told.name, format!("task {}", slot + 1));
        watch.poll_ended();
    }
    let places: u64 = (0..ROOMS).map(|room| (FIRST_ROOM << room) as u64).sum();
    assert!(places >= loopbot_core::observe::MOST_PLACES as u64);
    assert!((loopbot_core::observe::MOST_PLACES as u64) <= PARKED);
}

#[test]
fn of_a_poll_that_is_over_nothing_is_told() {
    let watch = Watch::new();
    watch.spawned(3, 1, Location::caller());
    watch.is_called(3, 1, "the chatty guest");
    watch.poll_begins(3);
    let poll = watch.poll();
    assert_eq!(watch.describe(poll).unwrap().name, "the chatty guest");
    watch.poll_ended();
    watch.spawned(3, 2, Location::caller());
    watch.poll_begins(3);
    assert!(watch.describe(poll).is_none());
    assert_eq!(watch.describe(watch.poll()).unwrap().name, "task 2");
}
