//! A simulated evening depends on its seed and on nothing else.

mod common;

use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use common::robot;
use flight::VirtualTime;
use whatif::sync::{Condvar, Mutex, Shared};
use whatif::{Ending, never, say, simulate, step, thread};

/// Six robots that step, nap, and meet at one pass. Returns what happened when.
fn evening(seed: u64, rounds: u64) -> Vec<String> {
    let log = Arc::new(StdMutex::new(Vec::new()));
    let time = VirtualTime::new();
    let (out, now) = (Arc::clone(&log), time.clone());
    simulate(seed, &time, move || {
        let pass = Arc::new(Mutex::new(0));
        let robots: Vec<_> = (0..6)
            .map(|id| {
                let (pass, out, now) = (Arc::clone(&pass), Arc::clone(&out), now.clone());
                robot(&format!("robot {id}"), move || {
                    for round in 0..rounds {
                        step("looks");
                        thread::sleep(Duration::from_millis(id * 7 + round % 3));
                        let mut plates = pass.lock().unwrap();
                        *plates += 1;
                        out.lock()
                            .unwrap()
                            .push(format!("{} robot {id} round {round} plate {plates}", now.now()));
                    }
                })
            })
            .collect();
        robots.into_iter().for_each(|robot| robot.join().unwrap());
    })
    .unwrap();
    Arc::try_unwrap(log).unwrap().into_inner().unwrap()
}

#[test]
fn the_same_seed_gives_the_same_evening() {
    let first = evening(42, 5);
    for _ in 0..20 {
        assert_eq!(evening(42, 5), first);
    }
}

#[test]
fn another_seed_gives_another_evening() {
    assert_ne!(evening(1, 5), evening(2, 5));
}

#[test]
fn thousands_of_steps_are_no_trouble() {
    assert_eq!(evening(7, 300).len(), 1800);
}

#[test]
fn time_moves_by_naps_alone_and_naps_at_once_overlap() {
    let time = VirtualTime::new();
    let now = time.clone();
    simulate(1, &time, move || {
        let cell = Shared::new(0);
        (0..100).for_each(|n| cell.set(n));
        assert_eq!(now.now(), 0);
        thread::scope(|scope| {
            for minutes in [1, 5, 3] {
                scope.spawn(move || thread::sleep(Duration::from_secs(60 * minutes)));
            }
        });
        assert_eq!(now.now(), 300_000_000_000);
        thread::sleep(Duration::ZERO);
    })
    .unwrap();
    assert_eq!(time.now(), 300_000_000_000);
}

#[test]
fn a_deadlock_is_returned_as_a_story() {
    let story = simulate(1, &VirtualTime::new(), || {
        let bell = (Mutex::new(()), Condvar::new().called("the bell"));
        say("opens the restaurant");
        drop(bell.1.wait(bell.0.lock().unwrap()));
    })
    .unwrap_err();
    assert_eq!(story.ending, Ending::LostWakeUp);
    assert_eq!(
        story.rule,
        "lost wake-up: the evening sleeps at the bell, and nobody is left to ring it"
    );
    assert_eq!(story.lines[0].text, "opens the restaurant");
    assert_eq!((story.id.as_str(), story.play_again), ("", None));
}

#[test]
fn a_broken_rule_and_a_panic_are_returned_as_stories() {
    let broken = simulate(1, &VirtualTime::new(), || never("the soup is cold", true)).unwrap_err();
    assert_eq!((broken.ending, broken.rule.as_str()), (Ending::RuleBroken, "the soup is cold"));
    let panic = simulate(1, &VirtualTime::new(), || panic!("no soup")).unwrap_err();
    assert!(panic.rule.starts_with("the evening breaks down: no soup"), "{panic}");
}

#[test]
fn going_round_without_time_passing_gets_nowhere() {
    let story = simulate(1, &VirtualTime::new(), || {
        loop {
            thread::yield_now();
        }
    })
    .unwrap_err();
    assert_eq!(story.ending, Ending::NobodyGetsAnywhere);
}

#[test]
fn things_may_be_made_before_the_evening_begins() {
    let till = Arc::new(Mutex::new(0));
    let inside = Arc::clone(&till);
    simulate(1, &VirtualTime::new(), move || {
        let robots = [1, 2].map(|tip| {
            let till = Arc::clone(&inside);
            thread::spawn(move || *till.lock().unwrap() += tip)
        });
        robots.into_iter().for_each(|robot| robot.join().unwrap());
    })
    .unwrap();
    assert_eq!(*till.lock().unwrap(), 3);
}

#[test]
fn who_only_tries_a_lock_can_find_it_held() {
    let missed = Arc::new(StdMutex::new(0));
    for seed in 0..20 {
        let missed = Arc::clone(&missed);
        simulate(seed, &VirtualTime::new(), move || {
            let key = Arc::new(Mutex::new(()));
            let other = Arc::clone(&key);
            let holder = thread::spawn(move || (0..5).for_each(|_| drop(other.lock().unwrap())));
            for _ in 0..5 {
                if key.try_lock().is_err() {
                    *missed.lock().unwrap() += 1;
                }
            }
            holder.join().unwrap();
        })
        .unwrap();
    }
    assert!(*missed.lock().unwrap() > 0);
}
