//! Atomics: every order of their steps, what the story says, and what they are outside of a check.

mod common;

use common::{both, explored, outcomes, paper, proved, story, texts};
use whatif::sync::Arc;
use whatif::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI64, AtomicU8, AtomicU32, AtomicUsize, Ordering, fence,
};
use whatif::{Checker, Ending, never, thread};

use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

#[test]
fn load_and_store_are_two_steps_and_fetch_add_is_one() {
    let counted = |whole: bool| {
        outcomes(move || {
            let tips = AtomicU32::new(0);
            let tip = || {
                if whole {
                    tips.fetch_add(1, Relaxed);
                } else {
                    tips.store(tips.load(Relaxed) + 1, Relaxed);
                }
            };
            thread::scope(|s| {
                s.spawn(tip);
                s.spawn(tip);
            });
            tips.into_inner()
        })
    };
    assert_eq!(counted(false), [1, 2].into());
    assert_eq!(counted(true), [2].into());
}

#[test]
fn a_card_is_taken_once_by_compare_exchange_and_twice_by_a_look_and_a_store() {
    let taken = |claim: fn(&AtomicBool) -> bool| {
        outcomes(move || {
            let card = AtomicBool::new(false);
            thread::scope(|s| {
                let (a, b) = (s.spawn(|| claim(&card)), s.spawn(|| claim(&card)));
                usize::from(a.join().unwrap()) + usize::from(b.join().unwrap())
            })
        })
    };
    assert_eq!(
        taken(|card| card.compare_exchange(false, true, AcqRel, Acquire).is_ok()),
        [1].into()
    );
    assert_eq!(taken(|card| !card.swap(true, AcqRel)), [1].into());
    assert_eq!(
        taken(|card| {
            let free = !card.load(Acquire);
            card.store(true, Release);
            free
        }),
        [1, 2].into()
    );
}

#[test]
fn fetch_update_is_a_look_and_a_try_and_another_try() {
    let found = outcomes(|| {
        let (n, tries) = (AtomicU32::new(1), AtomicU32::new(0));
        let twice = || {
            n.fetch_update(SeqCst, SeqCst, |n| {
                tries.fetch_add(1, Relaxed);
                Some(n * 2)
            })
            .unwrap()
        };
        thread::scope(|s| {
            s.spawn(twice);
            s.spawn(twice);
        });
        (n.into_inner(), tries.into_inner())
    });
    assert_eq!(found, [(4, 2), (4, 3)].into());
}

#[test]
fn no_robot_reads_an_old_value() {
    // On a real machine both could read false with a weak ordering: that is not modelled.
    let found = outcomes(|| {
        let (a, b) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|s| {
            let left = s.spawn(|| {
                a.store(true, Relaxed);
                b.load(Relaxed)
            });
            b.store(true, Relaxed);
            let right = a.load(Relaxed);
            (left.join().unwrap(), right)
        })
    });
    assert_eq!(found, [(false, true), (true, false), (true, true)].into());
}

#[test]
fn the_story_tells_what_was_read_and_what_was_written() {
    let story = story(Checker::new("the card").explore(|| {
        let card = Arc::new(AtomicBool::new(false).called("the card"));
        let other = Arc::clone(&card);
        both(
            ("WaitBot-1", move || {
                if !card.load(Acquire) {
                    never("two robots have the card", card.swap(true, AcqRel));
                }
            }),
            ("WaitBot-2", move || {
                let _ = other.compare_exchange(false, true, AcqRel, Acquire);
            }),
        );
    }));
    assert_eq!(
        paper(&story),
        "\
the card: it can go wrong, and this is the shortest way I found
(3 schedules tried; it takes 1 preemption)

>> step 1  WaitBot-1  reads the card: false              [tests/atomics.rs:N]
>> step 2  WaitBot-2  swaps the card from false to true  [tests/atomics.rs:N]
>> step 3  WaitBot-1  swaps the card from true to true   [tests/atomics.rs:N]

   rule broken: two robots have the card
"
    );
}

#[test]
fn every_kind_of_access_has_its_words() {
    let story = story(Checker::new("the test").shares_nothing().explore(|| {
        let tips = AtomicI64::new(-3).called("the tip jar");
        tips.store(4, SeqCst);
        let _ = tips.fetch_sub(9, SeqCst) + tips.load(SeqCst);
        let _ = tips.compare_exchange(1, 2, SeqCst, SeqCst);
        never("the end", true);
    }));
    assert_eq!(
        texts(&story),
        [
            "sets the tip jar to 4",
            "changes the tip jar from 4 to -5",
            "reads the tip jar: -5",
            "finds the tip jar at -5, not at 1",
        ]
    );
}

#[test]
fn a_robot_that_waits_in_a_loop_lets_the_others_go_on() {
    let spin = |light: &'static str, on: bool| {
        Checker::new("the test").max_preemptions(2).explore(move || {
            let light = Arc::new(AtomicBool::new(false).called(light));
            let other = Arc::clone(&light);
            both(
                ("WaitBot-1", move || while !light.load(Acquire) {}),
                ("ChefBot", move || other.store(on, Release)),
            );
        })
    };
    assert!(!matches!(spin("the light", true).outcome, whatif::Outcome::Failed(_)));
    let story = story(spin("the light", false));
    assert_eq!(story.ending, Ending::NobodyGetsAnywhere);
    assert!(
        texts(&story).iter().any(|text| text.starts_with("reads the light: false (")),
        "{story}"
    );
}

#[test]
fn a_robot_may_be_overtaken_between_any_two_accesses() {
    // Three robots with one change each: 6 orders.
    let (_, report) = explored(Checker::new("the test"), || {
        let n = Arc::new(AtomicU32::new(0));
        let robots: Vec<_> = (1..4)
            .map(|k| {
                let n = Arc::clone(&n);
                thread::spawn(move || n.fetch_add(k, Relaxed))
            })
            .collect();
        robots.into_iter().map(|robot| robot.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(proved(&report), 6);
}

#[test]
fn outside_of_a_check_they_are_those_of_std() {
    let n = AtomicUsize::new(0).called("the counter");
    std::thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| (0..1000).map(|_| n.fetch_add(1, Relaxed)).max());
        }
    });
    assert_eq!(n.load(SeqCst), 4000);
    n.store(6, SeqCst);
    assert_eq!((n.fetch_and(3, SeqCst), n.fetch_or(8, SeqCst), n.fetch_xor(1, SeqCst)), (6, 2, 10));
    assert_eq!(
        (n.fetch_max(20, SeqCst), n.fetch_min(5, SeqCst), n.fetch_nand(4, SeqCst)),
        (11, 20, 5)
    );
    assert_eq!(n.swap(7, SeqCst), !4);
    assert_eq!(n.compare_exchange(1, 2, SeqCst, SeqCst), Err(7));
    while n.compare_exchange_weak(7, 8, SeqCst, SeqCst).is_err() {}
    assert_eq!(n.fetch_update(SeqCst, SeqCst, |n| n.checked_sub(9)), Err(8));
    assert_eq!(format!("{n:?} {:?}", AtomicBool::from(true)), "8 true");
    let mut small = AtomicU8::default();
    *small.get_mut() += 1;
    assert_eq!((small.fetch_sub(2, SeqCst), small.into_inner()), (1, 255));
    assert_eq!(AtomicI8::new(127).fetch_add(1, SeqCst), 127);
    fence(SeqCst);
}

#[test]
#[should_panic(expected = "no such thing as a release load")]
fn an_ordering_that_std_refuses_is_refused() {
    AtomicBool::new(false).load(Release);
}

#[test]
fn an_ordering_that_std_refuses_is_a_panic_of_its_robot() {
    let story = story(
        Checker::new("the test")
            .shares_nothing()
            .explore(|| AtomicBool::new(false).store(true, Acquire)),
    );
    assert_eq!(story.ending, Ending::BrokeDown);
    assert!(story.rule.contains("there is no such thing as an acquire store"), "{story}");
}
