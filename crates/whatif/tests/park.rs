//! Parking, looking whether a robot is still there, timed sleeps and scopes.

mod common;

use std::time::Duration;

use common::{both, explored, outcomes, proved, robot, story, texts};
use whatif::sync::{Arc, Condvar, Mutex, Shared};
use whatif::{Checker, Ending, thread};

const LONG: Duration = Duration::from_secs(60);

// Park -----------------------------------------------------------------------------------------------------------

#[test]
fn a_token_is_kept_and_counts_once() {
    let story = story(Checker::new("the test").explore(|| {
        let sleeper = robot("WaitBot", || {
            thread::park();
            thread::park();
            thread::park();
        });
        sleeper.thread().unpark();
        sleeper.thread().unpark();
        sleeper.join().unwrap();
    }));
    assert_eq!((story.ending, story.preemptions), (Ending::LostWakeUp, 0));
    assert_eq!(
        texts(&story),
        ["unparks WaitBot", "unparks WaitBot", "goes on: it has been unparked", "is parked"]
    );
    assert_eq!(story.rule, "lost wake-up: WaitBot is parked, and nobody is left to unpark it");
}

#[test]
fn a_look_before_parking_in_a_loop_is_proved_and_parking_at_once_is_found() {
    let waits = |looks: bool| {
        Checker::new("the test").explore(move || {
            let ready = Arc::new(Shared::new(false).called("the light"));
            let other = Arc::clone(&ready);
            let waiter = robot("WaitBot", move || {
                if looks {
                    while !other.get() {
                        thread::park();
                    }
                } else {
                    thread::park();
                    whatif::never("WaitBot goes before it may", !other.get());
                }
            });
            ready.set(true);
            waiter.thread().unpark();
            waiter.join().unwrap();
        })
    };
    proved(&waits(true));
    // A park may end although nobody has unparked the robot.
    let story = story(waits(false));
    assert_eq!(story.rule, "WaitBot goes before it may");
    assert_eq!(texts(&story), ["goes on, although nobody unparked it", "reads the light"]);
}

#[test]
fn a_park_with_a_timeout_ends_by_itself_or_by_an_unpark() {
    let found = outcomes(|| {
        let came = Arc::new(Shared::new(false));
        let seen = Arc::clone(&came);
        let waiter = thread::spawn(move || {
            thread::park_timeout(LONG);
            seen.get()
        });
        came.set(true);
        waiter.thread().unpark();
        waiter.join().unwrap()
    });
    assert_eq!(found, [false, true].into());
    outcomes(|| thread::park_timeout(LONG)); // nobody else is there: it ends
}

#[test]
fn a_robot_can_unpark_whoever_gave_it_its_handle() {
    let report = Checker::new("the test").explore(|| {
        let me = thread::current();
        assert_eq!(me.name(), std::thread::current().name());
        let done = Arc::new(Shared::new(false));
        let other = Arc::clone(&done);
        let chef = robot("ChefBot", move || {
            other.set(true);
            me.unpark();
        });
        while !done.get() {
            thread::park();
        }
        chef.join().unwrap();
    });
    proved(&report);
}

// Is it still there? ---------------------------------------------------------------------------------------------

#[test]
fn a_robot_may_have_finished_or_not() {
    let found = outcomes(|| {
        let cell = Arc::new(Shared::new(0));
        let other = Arc::clone(&cell);
        let chef = thread::spawn(move || other.set(1));
        let (finished, seen) = (chef.is_finished(), cell.get());
        chef.join().unwrap();
        (finished, seen)
    });
    // (false, 1): it has done its work, and has not gone home yet, or does it between the two looks.
    assert_eq!(found, [(false, 0), (false, 1), (true, 1)].into());
    let scoped = outcomes(|| {
        thread::scope(|s| {
            let robot = s.spawn(|| 1);
            (robot.is_finished(), robot.thread().name().is_some(), robot.join().unwrap())
        })
    });
    assert_eq!(scoped, [(false, false, 1), (true, false, 1)].into());
}

// Sleeping for a while -------------------------------------------------------------------------------------------

#[test]
fn a_timed_sleep_may_be_too_short_or_not() {
    let found = outcomes(|| {
        let pass = Arc::new((Mutex::new(false), Condvar::new()));
        let other = Arc::clone(&pass);
        let chef = thread::spawn(move || {
            *other.0.lock().unwrap() = true;
            other.1.notify_one();
        });
        let ready = pass.0.lock().unwrap();
        let (ready, result) = pass.1.wait_timeout_while(ready, LONG, |ready| !*ready).unwrap();
        let seen = (*ready, result.timed_out());
        drop(ready);
        chef.join().unwrap();
        seen
    });
    assert_eq!(found, [(false, true), (true, false)].into());
}

#[test]
fn a_single_timed_sleep_ends_by_a_ring_unasked_or_by_the_clock() {
    let found = outcomes(|| {
        let pass = Arc::new((Mutex::new(false), Condvar::new()));
        let other = Arc::clone(&pass);
        let chef = thread::spawn(move || {
            *other.0.lock().unwrap() = true;
            other.1.notify_one();
        });
        let ready = pass.0.lock().unwrap();
        let (ready, result) = pass.1.wait_timeout(ready, LONG).unwrap();
        let seen = (*ready, result.timed_out());
        drop(ready);
        chef.join().unwrap();
        seen
    });
    // (true, true): the time was over, but the chef had the lock first.
    assert_eq!(found, [(false, false), (false, true), (true, false), (true, true)].into());
}

#[test]
fn a_timed_sleep_is_no_lost_wake_up() {
    let (found, report) = explored(Checker::new("the test"), || {
        let pass = Arc::new((Mutex::new(()), Condvar::new()));
        let other = Arc::clone(&pass);
        both(
            ("WaitBot", move || drop(pass.1.wait_timeout(pass.0.lock().unwrap(), LONG))),
            ("ChefBot", move || other.1.notify_one()),
        );
    });
    proved(&report);
    assert_eq!(found.len(), 1);
}

#[test]
fn in_a_simulation_sleeps_take_their_time() {
    let time = flight::VirtualTime::new();
    let clock = time.clone();
    let evening = move || {
        let pass = Arc::new((Mutex::new(false), Condvar::new()));
        let other = Arc::clone(&pass);
        let chef = thread::spawn(move || {
            thread::sleep(LONG);
            *other.0.lock().unwrap() = true;
            other.1.notify_one();
        });
        let short = Duration::from_secs(5);
        let (ready, result) = pass.1.wait_timeout(pass.0.lock().unwrap(), short).unwrap();
        assert_eq!((*ready, result.timed_out(), clock.now()), (false, true, 5_000_000_000));
        let (ready, result) = pass.1.wait_timeout(ready, LONG * 9).unwrap();
        assert_eq!((*ready, result.timed_out(), clock.now()), (true, false, 60_000_000_000));
        drop(ready);
        thread::park_timeout(short);
        assert_eq!(clock.now(), 65_000_000_000);
        chef.join().unwrap();
    };
    whatif::simulate(1, &time, evening).unwrap();
}

// Scopes ---------------------------------------------------------------------------------------------------------

#[test]
fn a_robot_can_spawn_into_the_scope_in_which_it_was_spawned() {
    let found = outcomes(|| {
        let order = Mutex::new(Vec::new());
        thread::scope(|s| {
            s.spawn(|| {
                s.spawn(|| order.lock().unwrap().push('c'));
                order.lock().unwrap().push('b');
            });
            order.lock().unwrap().push('a');
        });
        order.into_inner().unwrap().into_iter().collect::<String>()
    });
    let all = ["abc", "acb", "bac", "bca", "cab", "cba"];
    assert_eq!(found, all.map(str::to_owned).into());
}

// Elsewhere ------------------------------------------------------------------------------------------------------

#[test]
fn outside_of_a_check_they_are_those_of_std() {
    let sleeper = thread::Builder::new().name("WaitBot".into()).spawn(thread::park).unwrap();
    assert_eq!(sleeper.thread().name(), Some("WaitBot"));
    assert_ne!(sleeper.thread().id(), thread::current().id());
    sleeper.thread().unpark();
    sleeper.join().unwrap();
    thread::park_timeout(Duration::ZERO);

    let bell = Condvar::new();
    let lock = Mutex::new(false);
    let (guard, result) = bell.wait_timeout(lock.lock().unwrap(), Duration::ZERO).unwrap();
    assert!(result.timed_out() && !*guard);
    let (guard, result) = bell.wait_timeout_while(guard, Duration::ZERO, |no| !*no).unwrap();
    assert!(result.timed_out() && !*guard);
    let (_, result) = bell.wait_timeout_while(guard, LONG, |no| *no).unwrap();
    assert!(!result.timed_out());

    let total = thread::scope(|s| {
        let robot = s.spawn(|| s.spawn(|| 20).join().unwrap() + 1);
        while !robot.is_finished() {
            thread::yield_now();
        }
        robot.join().unwrap() * 2
    });
    assert_eq!(total, 42);
}
