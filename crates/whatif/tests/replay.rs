//! An id plays the same schedule again, and says so when it cannot.

mod common;

use common::{careful, careless, story};
use whatif::sync::{Arc, Shared};
use whatif::{Checker, Ending, Outcome, say};

#[test]
fn a_hundred_checks_tell_the_same_story() {
    let first = story(Checker::new("the test").explore(careless)).to_string();
    for _ in 0..100 {
        assert_eq!(story(Checker::new("the test").explore(careless)).to_string(), first);
    }
}

#[test]
fn the_id_of_a_story_tells_it_again() {
    let found = story(Checker::new("the test").explore(careless));
    let again = story(Checker::new("the test").replay(&found.id, careless));
    let lines = |story: &whatif::Story| {
        story.lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        (again.rule.as_str(), &again.id, lines(&again)),
        (found.rule.as_str(), &found.id, lines(&found))
    );
}

#[test]
fn a_schedule_that_goes_well_is_told_too() {
    let report = Checker::new("the test").replay("by-itself", careful);
    let Outcome::Replayed(story) = &report.outcome else { panic!("{report}") };
    assert_eq!(story.ending, Ending::AllWell);
    assert!(
        report.to_string().starts_with("the test: in this order of steps nothing goes wrong\n"),
        "{report}"
    );
    assert!(report.to_string().contains("GreetBot   sees table 2 free"), "{report}");
}

#[test]
fn one_step_each_in_turn_can_be_played() {
    let story = story(Checker::new("the test").replay("in-turn", careless));
    assert_eq!((story.rule.as_str(), story.id.as_str()), (common::CLASH, "in-turn"));
}

#[test]
fn an_id_of_code_that_has_changed_does_not_fit() {
    // Two ways not to fit: the robot cannot move there, or the run never comes that far.
    for id in ["0z", "999c", "u-999c", "0C"] {
        let story = story(Checker::new("the test").replay(id, careful));
        assert_eq!(story.ending, Ending::DoesNotFit, "{id}: {story}");
        assert!(story.to_string().contains("the code has changed since"), "{story}");
    }
}

#[test]
fn a_malformed_id_is_named() {
    let story = story(Checker::new("the test").replay("hello", careless));
    assert_eq!(story.ending, Ending::DoesNotFit);
    assert!(
        story.rule.starts_with("\"hello\" is not the id of a schedule: I cannot read \"hello\""),
        "{story}"
    );
}

#[test]
fn the_clock_moves_one_second_a_step_and_starts_again_with_each_run() {
    let time = flight::VirtualTime::new();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let (look, noted) = (time.clone(), std::sync::Arc::clone(&seen));
    let report = Checker::new("the test").clock(&time).shares_nothing().explore(move || {
        let cell = Arc::new(Shared::new(0));
        noted.lock().unwrap().push(look.now());
        cell.set(1);
        noted.lock().unwrap().push(look.now());
        say("not a step");
        cell.set(2);
        noted.lock().unwrap().push(look.now());
    });
    common::proved(&report);
    // Once in turn, once by itself.
    assert_eq!(*seen.lock().unwrap(), [0, 1_000_000_000, 2_000_000_000].repeat(2));
}
