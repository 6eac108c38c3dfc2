//! Robots get the threads of those who came before them, and with them what a `thread_local` remembers. In std each
//! thread starts afresh. So a verdict that hangs on it is none, and the check says so.

mod common;

use std::cell::Cell;

use common::{both, proved, robot, story};
use whatif::sync::{Arc, Shared};
use whatif::{Checker, Ending, never, thread};

thread_local! {
    static TURNS: Cell<u32> = const { Cell::new(0) };
    static HAS_COME: Cell<bool> = const { Cell::new(false) };
}

/// On a thread of its own, each robot counts one turn.
fn counts_its_turns() {
    let table = Arc::new(Shared::new(0));
    let turn = |table: Arc<Shared<i32>>| {
        move || {
            TURNS.set(TURNS.get() + 1);
            table.write(|turns| *turns += 1);
            never("a robot has had a turn before its first one", TURNS.get() != 1);
        }
    };
    both(("WaitBot-1", turn(Arc::clone(&table))), ("WaitBot-2", turn(table)));
}

#[test]
fn what_goes_wrong_on_used_threads_only_is_not_told_as_a_failure() {
    let story = story(Checker::new("turns").explore(counts_its_turns));
    assert_eq!(story.ending, Ending::DifferentSteps, "{story}");
    assert!(story.advice.as_ref().unwrap().contains("thread_local"), "{story}");
}

/// Whoever comes for the first time is careless, and goes wrong in one order of steps; not where everybody moves in turn.
fn careless_the_first_time() {
    let (table, sign) = (Arc::new(Shared::new(0)), Arc::new(Shared::new(0)));
    let first = || !HAS_COME.replace(true);
    let clears = {
        let table = Arc::clone(&table);
        move || {
            if first() {
                table.set(1);
            }
            table.set(0);
        }
    };
    let seats = move || {
        if first() {
            sign.get();
            never("a party sits at a table that is being cleared", table.get() == 1);
        } else {
            table.get();
        }
    };
    both(("WaitBot", clears), ("GreetBot", seats));
}

#[test]
fn what_goes_well_on_used_threads_only_is_not_told_as_a_proof() {
    let story = story(Checker::new("the first time").explore(careless_the_first_time));
    assert_eq!(story.ending, Ending::DifferentSteps, "{story}");
}

/// The threads of the last check on this thread are used ones, too.
#[test]
fn what_robots_of_another_check_remember_changes_no_verdict() {
    let once = || {
        let table = Arc::new(Shared::new(0));
        let seats = Arc::clone(&table);
        let robot = robot("WaitBot-1", move || {
            TURNS.set(TURNS.get() + 1);
            seats.set(1);
        });
        table.get();
        robot.join().unwrap();
    };
    for _ in 0..3 {
        proved(&Checker::new("turns that nobody looks at").explore(once));
        let story = story(Checker::new("turns").explore(counts_its_turns));
        assert_eq!(story.ending, Ending::DifferentSteps, "{story}");
    }
}

/// A scoped robot has a thread of its own, as in std.
#[test]
fn a_scoped_robot_starts_afresh() {
    let scoped = || {
        let table = Shared::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    TURNS.set(TURNS.get() + 1);
                    table.write(|turns| *turns += 1);
                    never("a robot has had a turn before its first one", TURNS.get() != 1);
                });
            }
        });
    };
    proved(&Checker::new("scoped turns").explore(scoped));
}
