//! What a learner sees in the terminal: the tests named `shows_...` fail on purpose, each in a
//! process of its own.

mod common;

use std::process::{Command, ExitStatus, Output};

use common::{careful, careless};
use whatif::{DID_NOT_END, check, step};

#[test]
#[ignore = "fails on purpose; run by the tests below"]
fn shows_a_story() {
    check("one table", careless);
}

#[test]
#[ignore = "passes, but is run by the tests below"]
fn shows_a_proof() {
    check("one table", careful);
}

#[test]
#[ignore = "ends the process on purpose; run by the tests below"]
fn shows_an_endless_loop() {
    check("one table", || {
        common::robot("WaitBot-1", || {
            step("goes to table 2");
            #[expect(clippy::empty_loop, reason = "this is what it shows")]
            loop {}
        })
        .join()
        .unwrap();
    });
}

#[test]
#[ignore = "ends the process on purpose; run by the tests below"]
fn shows_a_panic_during_a_panic() {
    struct Tray;
    impl Drop for Tray {
        fn drop(&mut self) {
            panic!("the tray falls, too");
        }
    }
    check("one tray", || {
        let carry = || {
            let _tray = Tray;
            panic!("the waiter stumbles");
        };
        common::robot("WaitBot-1", carry).join().unwrap();
    });
}

/// Runs one of the tests above as `cargo test` would.
fn run(test: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let (status, text) = run_to_its_end(test, variables);
    (status.success(), text)
}

fn run_to_its_end(test: &str, variables: &[(&str, &str)]) -> (ExitStatus, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--ignored", "--exact", test])
        .env_remove("WHATIF_REPLAY")
        .env_remove("WHATIF_RECORD")
        .env("RUST_BACKTRACE", "1");
    command.envs(variables.iter().copied());
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status, String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

#[test]
fn a_failing_check_prints_its_story_once_and_nothing_else() {
    let (passed, text) = run("shows_a_story", &[]);
    assert!(!passed);
    assert_eq!(
        text.matches("rule broken: a party sits at a table that is being cleared").count(),
        1,
        "{text}"
    );
    let replay = if cfg!(windows) {
        "$env:WHATIF_REPLAY=\"0c-3b\"; cargo test -p whatif shows_a_story; $env:WHATIF_REPLAY=$null"
    } else {
        "WHATIF_REPLAY=0c-3b cargo test -p whatif shows_a_story"
    };
    assert_eq!(text.matches(replay).count(), 1, "{text}");
    for noise in ["panicked at", "stack backtrace", "RUST_BACKTRACE", "/lib.rs"] {
        assert!(!text.contains(noise), "{noise}: {text}");
    }
}

#[test]
fn a_replay_by_variable_tells_the_story_even_of_a_test_that_passes() {
    let (passed, text) = run("shows_a_proof", &[("WHATIF_REPLAY", "by-itself")]);
    assert!(passed, "{text}");
    assert_eq!(text.matches("in this order of steps nothing goes wrong").count(), 1, "{text}");
    assert!(text.contains("seats the Chen party"), "{text}");
}

#[test]
fn a_replay_by_variable_fails_where_the_story_fails() {
    let (passed, text) = run("shows_a_story", &[("WHATIF_REPLAY", "in-turn")]);
    assert!(!passed, "{text}");
    assert!(text.contains("this is how it goes wrong"), "{text}");
}

#[test]
fn a_story_can_be_written_to_a_file() {
    let file = std::env::temp_dir().join(format!("whatif-{}.story", std::process::id()));
    let name = file.to_str().unwrap();
    let _ = std::fs::remove_file(&file);
    let (passed, text) = run("shows_a_story", &[("WHATIF_RECORD", name)]);
    assert!(!passed, "{text}");
    let story = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Vec<&str>> = story.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines[0], ["whatif story 1"]);
    assert_eq!(lines[1], ["check", "one table"]);
    assert_eq!(lines[2], ["ending", "RuleBroken"]);
    assert_eq!(lines[3], ["rule", "a party sits at a table that is being cleared"]);
    assert_eq!(lines[4], ["id", "0c-3b"]);
    assert_eq!((lines[5][0], lines[5][1]), ("preemptions", "1"));
    assert_eq!((lines[6][0], lines[6][1]), ("schedules", "11"));
    assert_eq!(lines[7][..5], ["line", "1", ">>", "WaitBot-1", "sees table 2 free"]);
    assert_eq!(lines[8][..5], ["line", "2", "-", "WaitBot-1", "starts clearing table 2"]);
    assert!(lines[7][5].starts_with("tests/common/mod.rs:"), "{story}");
    assert_eq!(lines.len(), 11);

    // A run that is played is added, even if it goes well.
    let variables = [("WHATIF_RECORD", name), ("WHATIF_REPLAY", "by-itself")];
    let (passed, text) = run("shows_a_proof", &variables);
    assert!(passed, "{text}");
    let story = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(story.matches("whatif story 1\n").count(), 2, "{story}");
    assert!(
        story.matches("whatif story 1\n").count() == 2
            && story.contains("\nending\tAllWell\n")
            && story.contains("\nid\tby-itself\n"),
        "{story}"
    );
}

#[test]
fn a_story_that_cannot_be_written_is_told_all_the_same() {
    let (passed, text) = run("shows_a_story", &[("WHATIF_RECORD", "/no/such/folder/it.story")]);
    assert!(!passed);
    assert!(text.contains("cannot write the story to /no/such/folder/it.story: "), "{text}");
    assert!(text.contains("rule broken: "), "{text}");
}

#[test]
fn a_wrong_id_fails_with_one_clear_sentence() {
    let (passed, text) = run("shows_a_story", &[("WHATIF_REPLAY", "tomorrow")]);
    assert!(!passed);
    assert!(text.contains("\"tomorrow\" is not the id of a schedule"), "{text}");
}

#[test]
fn an_endless_loop_ends_the_process_and_names_the_robot() {
    let (status, text) = run_to_its_end("shows_an_endless_loop", &[("WHATIF_PATIENCE", "1")]);
    assert_eq!(status.code(), Some(DID_NOT_END), "{text}");
    let gone = "WaitBot-1 has been gone for 1 second without taking a step; it was last seen";
    assert!(text.contains(gone), "{text}");
    assert!(text.contains("goes to table 2"), "{text}");
    assert!(text.contains("use whatif::sync::Mutex"), "{text}");
}

#[test]
fn a_panic_during_a_panic_says_what_it_was_and_where() {
    let (passed, text) = run("shows_a_panic_during_a_panic", &[]);
    assert!(!passed);
    let said = text.lines().find(|line| line.contains("falls, too"));
    let said = said.unwrap_or_else(|| panic!("it says nothing of the tray: {text}"));
    assert!(
        said.starts_with("WaitBot-1 breaks down: the tray falls, too   [tests/process.rs:"),
        "{said}"
    );
}
