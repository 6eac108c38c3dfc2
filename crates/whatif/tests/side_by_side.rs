//! Checks on many threads at once, again and again, with robots that leave in bad order: each is told as if it were alone.

mod common;

use std::mem;
use std::thread as real;

use common::{both, careless, story};
use whatif::sync::{Arc, Mutex};
use whatif::{Checker, Ending};

fn breaks_down() {
    let tips = Arc::new(Mutex::new(0));
    let other = Arc::clone(&tips);
    both(
        ("WaitBot-1", move || {
            let _held = tips.lock().unwrap();
            panic!("the tip jar is too heavy");
        }),
        ("WaitBot-2", move || *other.lock().unwrap() += 1),
    );
}

fn forgets_a_guard() {
    let tips = Arc::new(Mutex::new(0));
    let other = Arc::clone(&tips);
    both(
        ("WaitBot-1", move || mem::forget(tips.lock().unwrap())),
        ("WaitBot-2", move || *other.lock().unwrap() += 1),
    );
}

#[test]
fn many_checks_at_once_tell_what_each_tells_alone() {
    let programs: [(fn(), Ending); 3] = [
        (careless, Ending::RuleBroken),
        (breaks_down, Ending::BrokeDown),
        (forgets_a_guard, Ending::Deadlock),
    ];
    let told = |(program, ending): (fn(), Ending)| {
        let story = story(Checker::new("side by side").explore(program));
        assert_eq!(story.ending, ending, "{story}");
        story.to_string()
    };
    let alone = programs.map(told);
    for _ in 0..10 {
        // Each thread ends with its last check, and its robots' threads with it.
        let threads: Vec<_> = (0..8)
            .map(|at| {
                real::spawn(move || {
                    (0..6).map(|i| told(programs[(at + i) % 3])).collect::<Vec<_>>()
                })
            })
            .collect();
        for (at, thread) in threads.into_iter().enumerate() {
            for (i, story) in thread.join().unwrap().into_iter().enumerate() {
                assert_eq!(story, alone[(at + i) % 3]);
            }
        }
    }
}
