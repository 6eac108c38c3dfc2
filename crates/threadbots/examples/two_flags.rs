//! Two robots, two flags: each raises its own, then looks for the other one's, and goes if it is down.
//!
//! `cargo run --release -p threadbots --example two_flags` asks the checker first, and then the machine. They do not
//! agree, and the chapter on claims says why.

use std::hint;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread;

use whatif::Checker;
use whatif::sync::atomic::{AtomicBool, Ordering};

type Flag = AtomicBool;

const ROUNDS: usize = 100_000;

// ANCHOR: raise_and_look
/// Returns whether the robot goes. Can both of them?
fn raise_and_look(mine: &Flag, other: &Flag, [store, load]: [Ordering; 2]) -> bool {
    mine.store(true, store);
    !other.load(load)
}
// ANCHOR_END: raise_and_look

fn main() {
    let orderings = [
        ("Relaxed", [Ordering::Relaxed; 2]),
        (
            "Release and Acquire",
            [Ordering::Release, Ordering::Acquire],
        ),
        ("SeqCst", [Ordering::SeqCst; 2]),
    ];
    for (name, ordering) in orderings {
        println!("{name}");
        println!("  {}", check(ordering));
        let both = on_this_machine(ordering);
        println!("  this machine: both robots went in {both} of {ROUNDS} rounds");
    }
}

/// Every order of steps.
fn check(ordering: [Ordering; 2]) -> whatif::Report {
    Checker::new("the checker").explore(move || {
        let flags = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
        let robots = [0, 1].map(|me| {
            let flags = flags.clone();
            whatif::thread::spawn(move || raise_and_look(&flags[me], &flags[1 - me], ordering))
        });
        let goes = robots.map(|robot| robot.join().unwrap());
        whatif::never("both robots go", goes == [true; 2]);
    })
}

/// How often both robots go, with threads of the operating system.
fn on_this_machine(ordering: [Ordering; 2]) -> usize {
    let flags = [AtomicBool::new(false), AtomicBool::new(false)];
    let at_the_line = AtomicUsize::new(0);
    let robot = |me: usize| {
        let (flags, at_the_line) = (&flags, &at_the_line);
        move || {
            let play = |round| {
                line_up(at_the_line, 2 * round);
                let goes = raise_and_look(&flags[me], &flags[1 - me], ordering);
                line_up(at_the_line, 2 * round + 1);
                flags[me].store(false, Ordering::SeqCst);
                goes
            };
            (0..ROUNDS).map(play).collect::<Vec<bool>>()
        }
    };
    let went = thread::scope(|scope| {
        let robots = [0, 1].map(|me| scope.spawn(robot(me)));
        robots.map(|robot| robot.join().unwrap())
    });
    let rounds = went[0].iter().zip(&went[1]);
    rounds.filter(|(one, other)| **one && **other).count()
}

/// Waits until both robots are at the line for the time `nth`, from 0. They start from it together, as nearly as
/// robots can.
fn line_up(at_the_line: &AtomicUsize, nth: usize) {
    at_the_line.fetch_add(1, Ordering::SeqCst);
    let both = 2 * (nth + 1);
    for spins in 1.. {
        if at_the_line.load(Ordering::SeqCst) >= both {
            return;
        }
        if spins % 1_000 == 0 {
            thread::yield_now(); // the other one may have no core to run on
        } else {
            hint::spin_loop();
        }
    }
}
