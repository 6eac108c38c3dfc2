//! What a check says when it has not tried everything.

mod common;

use std::time::Duration;

use common::{both, careless, proved, story};
use whatif::sync::{Arc, Mutex, Shared};
use whatif::{Checker, Ending, Outcome};

/// Two robots with so many steps each that nobody can try every order.
fn long() {
    let cell = Arc::new(Shared::new(0));
    let other = Arc::clone(&cell);
    let count = |cell: &Shared<i32>| (0..12).for_each(|n| cell.set(n));
    both(("GreetBot", move || count(&cell)), ("WaitBot-1", move || count(&other)));
}

/// The same, and one order of the very last steps is wrong.
fn long_and_wrong() {
    let cell = Arc::new(Shared::new(0).called("the cell"));
    let other = Arc::clone(&cell);
    let count = |cell: &Shared<i32>| {
        for n in 0..6 {
            let seen = cell.get();
            whatif::never("a robot sees itself twice", n == 5 && seen % 100 == 11);
            cell.set(seen + 1);
        }
    };
    both(("GreetBot", move || count(&cell)), ("WaitBot-1", move || count(&other)));
}

#[test]
fn bounded_says_what_it_has_covered() {
    let report = Checker::new("the test").max_runs(500).explore(long);
    let Outcome::Bounded { runs: 500, preemptions: Some(up_to), more } = report.outcome else {
        panic!("{report}")
    };
    assert!(up_to > 0 && more > 0, "{report}");
    assert_eq!(
        report.to_string(),
        format!(
            "the test: all schedules with at most {up_to} preemptions, and {more} more, go well; that is no proof"
        )
    );
}

#[test]
fn a_time_limit_ends_the_search_and_says_that_nothing_is_covered() {
    // Not one schedule has been run to its end, so this must not look like a success.
    let check = Checker::new("the test").max_runs(usize::MAX).time_limit(Duration::ZERO);
    let found = story(check.explore(long));
    assert_eq!(found.ending, Ending::TooManyOrders);
    assert!(found.rule.contains("0 schedules"), "{found}");
    let report = Checker::new("the test").random(100, 1).time_limit(Duration::ZERO).explore(long);
    assert_eq!(story(report).ending, Ending::TooManyOrders);
    // What goes wrong with one step each in turn is found all the same.
    let found = Checker::new("the test").time_limit(Duration::ZERO).explore(careless);
    assert_eq!(story(found).rule, common::CLASH);
}

#[test]
fn random_schedules_are_no_proof() {
    let report = Checker::new("the test").random(50, 7).explore(long);
    assert_eq!(report.to_string(), "the test: 50 random schedules go well; that is no proof");
    let story = story(Checker::new("the test").random(50, 7).to_the_end().explore(long));
    assert_eq!(story.ending, Ending::TooManyOrders);
}

#[test]
fn a_random_failure_is_made_short_and_can_be_played_again() {
    let random = |seed| Checker::new("the test").random(2_000, seed).explore(long_and_wrong);
    let found = story(random(3));
    assert_eq!(found.rule, "a robot sees itself twice");
    assert_eq!(story(random(3)).to_string(), found.to_string(), "the same seed, the same story");
    assert_ne!(story(random(4)).schedules, 0);
    let again = story(Checker::new("the test").replay(&found.id, long_and_wrong));
    assert_eq!((again.rule, again.id.as_str()), (found.rule, found.id.as_str()));
    // Each turn that is left is needed: with any of them left out something else happens.
    assert!(found.id.split('-').count() <= 8, "{}", found.id);
}

#[test]
fn a_failure_that_only_the_proof_comes_to_is_told() {
    // Each robot has much to do that does not concern the other one. The search tries that in every
    // order, and does not get beyond the first preemptions; the proof tries it in one.
    let report = Checker::new("the test").max_runs(400).explore(|| {
        let book = Arc::new(Mutex::new(Vec::new()).called("the book"));
        let other = Arc::clone(&book);
        let write = |name: &'static str, book: &Mutex<Vec<&'static str>>| {
            let own = Shared::new(0);
            for _ in 0..4 {
                (0..2).for_each(|n| own.set(n));
                book.lock().unwrap().push(name);
            }
        };
        let all = Arc::clone(&book);
        both(("A", move || write("a", &book)), ("B", move || write("b", &other)));
        whatif::never("they alternate", all.lock().unwrap().join("") == "babababa");
    });
    let found = story(report);
    assert_eq!(found.rule, "they alternate", "{found}");
    assert!(found.preemptions >= 6 && found.schedules > 400, "{found}");
}

#[test]
fn what_goes_round_is_not_proved_by_leaving_things_out() {
    // A robot that waits in a loop: more schedules than anybody could run.
    let report = Checker::new("the test").max_runs(200).explore(|| {
        let light = Arc::new(Shared::new(false));
        let other = Arc::clone(&light);
        both(("GreetBot", move || while !light.get() {}), ("WaitBot-1", move || other.set(true)));
    });
    assert!(matches!(report.outcome, Outcome::Bounded { .. }), "{report}");
}

#[test]
fn robots_that_do_not_meet_cost_one_schedule() {
    let apart = || {
        let work = |_: usize| {
            let cell = Shared::new(0);
            (0..20).for_each(|n| cell.set(n));
        };
        both(("GreetBot", move || work(0)), ("WaitBot-1", move || work(1)));
    };
    assert_eq!(proved(&Checker::new("the test").shares_nothing().explore(apart)), 1);
}

/// The robots share one core in a check; nobody notices.
#[test]
fn a_check_says_how_many_cores_the_machine_has() {
    let cores = std::thread::available_parallelism().unwrap();
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen_inside = Arc::clone(&seen);
    Checker::new("cores").shares_nothing().explore(move || {
        let inside = whatif::thread::available_parallelism().unwrap();
        seen_inside.lock().unwrap().push(inside);
    });
    assert!(seen.lock().unwrap().iter().all(|inside| *inside == cores));
    assert_eq!(std::thread::available_parallelism().unwrap(), cores, "given back afterwards");
}

/// Robots keep their threads for the next check on the same thread, and no longer than that one is
/// there.
#[test]
#[cfg(target_os = "linux")]
fn a_thousand_checks_leave_no_threads_behind() {
    /// How many threads of this process have this name.
    fn called(name: &str) -> usize {
        let threads = std::fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok);
        let names = threads.filter_map(|it| std::fs::read_to_string(it.path().join("comm")).ok());
        names.filter(|it| it.trim_end() == name).count()
    }
    /// Threads that nobody needs any more end in their own time.
    fn at_most(most: usize) {
        let end = std::time::Instant::now() + Duration::from_secs(30);
        while called("Chen") + called("Okafor") > most {
            assert!(std::time::Instant::now() < end, "there should be {most} threads by now");
            std::thread::yield_now();
        }
    }
    let thread = std::thread::spawn(|| {
        for _ in 0..1_000 {
            let meet = || {
                let cell = Arc::new(Shared::new(0));
                let other = Arc::clone(&cell);
                both(("Chen", move || cell.set(1)), ("Okafor", move || other.set(2)));
            };
            proved(&Checker::new("one of a thousand").explore(meet));
        }
        at_most(2);
    });
    thread.join().unwrap();
    at_most(0);
}
