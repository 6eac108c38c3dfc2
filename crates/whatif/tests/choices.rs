//! A robot that has several ways to go on is tried with all of them, like robots that could move.

mod common;

use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex as StdMutex};

use common::{both, proved, story};
use flight::VirtualTime;
use whatif::sync::Shared;
use whatif::{Checker, Ending, Outcome, Report, choose, never, say, simulate, step, thread};

const ABC: [&str; 3] = ["a", "b", "c"];

/// Explores `f`, and gives everything that it returned, with the report.
fn every<T: Ord + Send + 'static>(
    checker: Checker,
    f: impl Fn() -> T + Send + Sync + 'static,
) -> (Vec<T>, Report) {
    let results = Arc::new(StdMutex::new(Vec::new()));
    let noted = Arc::clone(&results);
    let report = checker.explore(move || {
        let result = f();
        noted.lock().unwrap().push(result);
    });
    // The first run is the one with a step each in turn; the search runs it again.
    let results = results.lock().unwrap().drain(..).skip(1).collect();
    (results, report)
}

/// An event loop, as small as can be: tasks that are ready stand in a queue, and each has some turns to take.
fn event_loop(tasks: &[(&'static str, usize)]) -> Vec<&'static str> {
    let mut queue: VecDeque<_> = tasks.iter().copied().collect();
    let mut order = Vec::new();
    while !queue.is_empty() {
        let names: Vec<&str> = queue.iter().map(|(name, _)| *name).collect();
        let (name, turns) = queue.remove(choose(&names)).unwrap();
        say(format!("goes on with {name}"));
        order.push(name);
        if turns > 1 {
            queue.push_back((name, turns - 1));
        }
    }
    order
}

#[test]
fn every_way_is_tried_once() {
    // With a limit there is no proof beside the search, which would run them all again.
    let search = Checker::new("the test").max_preemptions(100);
    let (mut found, report) = every(search, || (choose(&ABC), choose(&ABC[..2])));
    found.sort();
    assert_eq!(found, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]);
    assert_eq!(proved(&report), 6);
}

#[test]
fn every_order_of_an_event_loop_is_tried_once() {
    let tasks = [("a", 1), ("b", 1), ("c", 1), ("d", 1)];
    let (found, report) = every(Checker::new("the test"), move || event_loop(&tasks));
    assert_eq!(proved(&report), 24);
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>().len(), 24);
}

#[test]
fn one_way_is_no_choice() {
    let (found, report) = every(Checker::new("the test").shares_nothing(), || choose(&["a"]));
    assert_eq!((proved(&report), found), (1, vec![0]));
}

#[test]
fn ways_and_robots_are_tried_together() {
    // Two robots with one step each can come in 2 orders, and each then goes one of 3 ways.
    let (mut found, report) = every(Checker::new("the test"), || {
        let seen = Arc::new(Shared::new(Vec::new()));
        let robot = |name: &'static str| {
            let seen = Arc::clone(&seen);
            (name, move || {
                let way = choose(&ABC);
                seen.write(|seen| seen.push((name, way)));
            })
        };
        both(robot("GreetBot"), robot("WaitBot"));
        seen.read(Vec::clone)
    });
    assert_eq!(proved(&report), 18);
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 18);
}

#[test]
fn the_failure_found_has_the_fewest_turns_out_of_order() {
    // Three turns come before that of "a" only if each of them is taken out of order.
    let starves = || {
        let order = event_loop(&[("a", 1), ("b", 2), ("c", 1)]);
        never("a comes last", order.last() == Some(&"a"));
    };
    let report = Checker::new("the test").explore(starves);
    let text = report.to_string();
    let story = story(report);
    assert_eq!((story.preemptions, story.out_of_turn), (0, Some(3)));
    assert!(text.contains("it takes 3 turns out of order)"), "{text}");
    assert!(text.contains(", although a came first"), "{text}");
    // What breaks the rule is a step of the story, not the turn before it.
    let marked: Vec<_> = story.lines.iter().filter(|line| line.marked).collect();
    assert_eq!(marked.len(), 1);
    assert_eq!(marked[0].text, "goes on with a");
}

#[test]
fn what_goes_wrong_in_the_usual_order_says_so() {
    let report = Checker::new("the test").explore(|| {
        let order = event_loop(&[("a", 1), ("b", 1)]);
        never("b comes last", order[1] == "b");
    });
    let text = report.to_string();
    assert!(text.contains("it takes no turn out of order)"), "{text}");
    assert_eq!(story(report).id, "by-itself");
}

#[test]
fn preemptions_and_turns_out_of_order_are_told_apart() {
    // A tip is lost only if LoopBot puts one in at all, and comes between the two steps of GreetBot.
    let report = Checker::new("the test").explore(|| {
        let (jar, tips) = (Arc::new(Shared::new(0)), Arc::new(Shared::new(0)));
        let (greet, looped) = (Arc::clone(&jar), Arc::clone(&jar));
        let given = Arc::clone(&tips);
        both(
            ("GreetBot", move || {
                let seen = greet.get();
                greet.set(seen + 1);
            }),
            ("LoopBot", move || {
                if choose(&["keeps the tip", "gives the tip"]) == 1 {
                    looped.write(|jar| *jar += 1);
                    given.set(1);
                }
            }),
        );
        never("a tip is lost", jar.get() < 1 + tips.get());
    });
    let text = report.to_string();
    let story = story(report);
    assert_eq!((story.preemptions, story.out_of_turn), (1, Some(1)));
    assert!(text.contains("it takes 1 preemption and 1 turn out of order)"), "{text}");
}

#[test]
fn an_id_goes_the_same_way_again() {
    let tell = || {
        let order = event_loop(&[("a", 2), ("b", 1), ("c", 1)]);
        never("c comes first", order[0] == "c");
    };
    let found = story(Checker::new("the test").explore(tell));
    assert_eq!(found.id, "0a2");
    let again = story(Checker::new("the test").replay(&found.id, tell));
    let lines = |story: &whatif::Story| -> Vec<String> {
        story.lines.iter().map(|line| line.text.clone()).collect()
    };
    assert_eq!((again.rule.as_str(), lines(&again)), ("c comes first", lines(&found)));
    assert_eq!(lines(&again)[0], "turns to c, although a came first");
    // By itself the first way is taken; and so it is where everybody takes one step in turn.
    for id in ["by-itself", "in-turn"] {
        let report = Checker::new("the test").replay(id, tell);
        let Outcome::Replayed(story) = report.outcome else { panic!("{report}") };
        assert_eq!(lines(&story)[0], "goes on with a");
    }
}

#[test]
fn an_id_of_another_program_does_not_fit() {
    let tell = || drop(event_loop(&[("a", 1), ("b", 1)]));
    for id in ["0a2", "0b1", "0b", "7a1"] {
        let story = story(Checker::new("the test").replay(id, tell));
        assert_eq!(story.ending, Ending::DoesNotFit, "{id}: {story}");
    }
}

#[test]
fn the_same_story_every_time() {
    let tell = || {
        let order = event_loop(&[("a", 2), ("b", 2), ("c", 1)]);
        never("b comes before a", order[..2] == ["b", "c"]);
    };
    let first = story(Checker::new("the test").explore(tell)).to_string();
    for _ in 0..50 {
        assert_eq!(story(Checker::new("the test").explore(tell)).to_string(), first);
    }
}

#[test]
fn ways_that_are_not_the_same_in_each_run_are_noticed() {
    let runs = Arc::new(StdMutex::new(0));
    let report = Checker::new("the test").explore(move || {
        let mut runs = runs.lock().unwrap();
        *runs += 1;
        let other = format!("run {runs}");
        choose(&["a", &other]);
    });
    assert_eq!(story(report).ending, Ending::DifferentSteps);
}

#[test]
fn choosing_for_ever_gets_nowhere() {
    // An event loop with one task that is always ready.
    let report = Checker::new("the test").max_steps(100).explore(|| {
        loop {
            choose(&["the same task"]);
        }
    });
    assert_eq!(story(report).ending, Ending::NobodyGetsAnywhere);
}

#[test]
fn an_executor_that_catches_panics_does_not_hide_a_broken_rule() {
    let report = Checker::new("the test").explore(|| {
        for _ in 0..3 {
            let task = || never("b comes first", choose(&["a", "b"]) == 1);
            let _ = catch_unwind(AssertUnwindSafe(task)); // as for a task that panics
        }
    });
    let story = story(report);
    assert_eq!((story.rule.as_str(), story.out_of_turn), ("b comes first", Some(1)));
}

#[test]
fn the_seed_of_a_simulation_chooses() {
    let ways = |seed| {
        let chosen = Arc::new(StdMutex::new(Vec::new()));
        let noted = Arc::clone(&chosen);
        simulate(seed, &VirtualTime::new(), move || {
            for _ in 0..20 {
                noted.lock().unwrap().push(choose(&ABC));
            }
        })
        .unwrap();
        Arc::try_unwrap(chosen).unwrap().into_inner().unwrap()
    };
    let chosen = ways(7);
    assert_eq!(ways(7), chosen);
    assert_ne!(ways(8), chosen);
    assert!((0..3).all(|way| chosen.contains(&way)), "{chosen:?}");
}

#[test]
fn a_choice_is_no_step() {
    // No other robot comes between a look and the choice after it.
    let report = Checker::new("the test").explore(|| {
        let cell = Arc::new(Shared::new(0));
        let (one, two) = (Arc::clone(&cell), Arc::clone(&cell));
        both(
            ("LoopBot", move || {
                one.write(|n| *n += 1);
                choose(&ABC);
            }),
            ("GreetBot", move || step(format!("sees {}", two.get()))),
        );
    });
    // LoopBot's write, and GreetBot's read, in 2 orders; with 3 ways in each.
    assert_eq!(proved(&report), 6);
}

#[test]
fn outside_of_a_check_it_is_the_first() {
    assert_eq!(choose(&ABC), 0);
    assert_eq!(choose(&ABC.map(str::to_owned)), 0);
    assert_eq!(thread::spawn(|| choose(&ABC)).join().unwrap(), 0);
}

#[test]
#[should_panic(expected = "nobody can choose between no ways at all")]
fn no_ways_at_all_is_a_mistake() {
    choose(&[""; 0]);
}
