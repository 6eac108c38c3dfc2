//! `course story`: a failing exercise becomes a page, and everything else one clear sentence.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::{add_exercise, scratch_course};

const SAMPLE: &str = include_str!("../src/story/sample.txt");

fn story(root: &Path, what: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_course"))
        .args(["story", what, "--no-open", "--root"])
        .arg(root)
        .env_remove("CARGO_TARGET_DIR")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An exercise whose test does this with the file that `WHATIF_RECORD` names.
fn with_test(body: &str) -> tempfile::TempDir {
    let root = scratch_course();
    let test = format!(
        "#[test] fn case() {{ let file = std::env::var_os(\"WHATIF_RECORD\").unwrap(); {body} }}"
    );
    add_exercise(root.path(), "03", "", Some(&test));
    root
}

/// Asserts that the answer is a page, and gives the page.
fn page(output: &Output) -> (PathBuf, String) {
    let (said, more) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{said}{more}");
    let path = PathBuf::from(said.trim_end_matches(['\r', '\n']));
    let page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{said:?}: {error}"));
    (path, page)
}

#[test]
fn what_a_failing_test_tells_becomes_a_page() {
    let root = with_test(&format!(
        "std::fs::write(file, {SAMPLE:?}).unwrap(); panic!();"
    ));
    let output = story(root.path(), "3");
    let (path, page) = page(&output);
    assert!(path.ends_with("stories/exercise-03.html"), "{path:?}");
    assert!(
        page.contains("Exercise 03: Case 03")
            && page.contains("a party sits at a table that is being cleared")
            && page.contains("deadlock: GreetBot and WineBot wait for each other")
    );
    let more = text(&output.stderr);
    assert!(more.contains("Exercise 03 does not pass yet"), "{more}");
    assert!(more.contains("These are the runs"), "{more}");
}

#[test]
fn whatif_tells_and_the_page_shows_it() {
    let root = scratch_course();
    let counts = "use whatif::{step, sync::{Arc, Shared}, thread};
        pub fn two_tips() {
            let jar = Arc::new(Shared::new(0).called(\"the jar\"));
            let tip = |jar: &Shared<u32>| {
                let coins = jar.get();
                step(format!(\"counts {coins}\"));
                jar.set(coins + 1);
            };
            let robot = thread::spawn({ let jar = jar.clone(); move || tip(&jar) });
            tip(&jar);
            robot.join().unwrap();
            whatif::never(\"a tip is lost\", jar.get() != 2);
        }";
    let test = "#[test] fn two() { whatif::check(\"two tips\", exercise::two_tips) }
        #[test] fn two_again() { whatif::check(\"two tips again\", exercise::two_tips) }";
    add_exercise(root.path(), "03", counts, Some(test));
    let manifest = root.path().join("exercises/03-case/Cargo.toml");
    let whatif = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("whatif");
    let text = fs::read_to_string(&manifest).unwrap()
        + &format!("[dependencies]\nwhatif = {{ path = {whatif:?} }}\n");
    fs::write(&manifest, text).unwrap();
    let (_, page) = page(&story(root.path(), "03"));
    for part in [
        "<h2>two tips</h2>",
        "<h2>two tips again</h2>",
        "Rule broken: a tip is lost",
        "counts 0",
        "WHATIF_REPLAY=",
        // The line of the learner's code, marked.
        "data-place=\"src/lib.rs:6\" class=\"taken\"",
    ] {
        assert!(page.contains(part), "{part} is not on the page");
    }
}

#[test]
fn a_story_counts_even_if_the_test_does_not_come_back() {
    let root = with_test(&format!(
        "std::fs::write(file, {SAMPLE:?}).unwrap(); std::process::abort();"
    ));
    let (_, page) = page(&story(root.path(), "03"));
    assert!(page.contains("being cleared"));
}

#[test]
fn where_nothing_goes_wrong_there_is_nothing_to_watch() {
    let root = with_test("drop(file);");
    let output = story(root.path(), "03");
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("passes") && said.contains("nothing that goes wrong"),
        "{said}"
    );
}

#[test]
fn a_failure_without_a_story_is_answered_with_the_verdict() {
    let root = with_test("drop(file); panic!();");
    let output = story(root.path(), "03");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("No run was told"));

    let root = scratch_course();
    add_exercise(root.path(), "03", "fn f() -> u8 {}", Some(""));
    let output = story(root.path(), "03");
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stdout).contains("does not compile yet"));
}

#[test]
fn a_file_that_a_test_wrote_becomes_a_page_beside_it() {
    let root = scratch_course();
    let file = root.path().join("told.txt");
    fs::write(&file, SAMPLE).unwrap();
    let (path, page) = page(&story(root.path(), file.to_str().unwrap()));
    assert_eq!(path, root.path().join("told.html"));
    assert!(page.contains("one table"));
    assert_eq!(fs::read_to_string(&file).unwrap(), SAMPLE);
}

#[test]
fn bad_input_gets_one_sentence() {
    let root = scratch_course();
    add_exercise(root.path(), "03", "", None);
    let file = root.path().join("notes.txt");
    fs::write(&file, "milk, bread").unwrap();
    for (what, words) in [
        ("77", "There is no exercise 77; there is 03."),
        ("no-such-file.txt", "There is no exercise no-such-file.txt"),
        (
            file.to_str().unwrap(),
            "notes.txt: this is not a run that whatif has recorded.",
        ),
    ] {
        let output = story(root.path(), what);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{what}: {said}");
        assert!(
            said.contains(words) && said.trim_end().lines().count() == 1,
            "{what}: {said}"
        );
    }
    assert!(!root.path().join("notes.html").exists());
}
