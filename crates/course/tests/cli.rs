//! The program as a learner types it: bad input gets one sentence and its exit status.

mod common;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use course::check::Verdict;

use common::{add_exercise, add_solution, scratch_course};
use serde_json::{Value, json};

fn course(root: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_course"))
        .args(args)
        .arg("--root")
        .arg(root)
        .env_remove("CARGO_TARGET_DIR")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What it prints on standard output is one JSON value and nothing else.
fn answers(root: &Path, args: &[&str], status: i32) -> Value {
    let output = course(root, args);
    let said = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(status),
        "{args:?}: {said}{}",
        text(&output.stderr)
    );
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{args:?}: {error}: {said}"))
}

/// The keys of an object, in alphabetical order.
fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value
        .as_object()
        .unwrap_or_else(|| panic!("an object: {value}"))
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

/// What each answer says about an exercise, and what else.
fn about(more: &[&'static str]) -> Vec<&'static str> {
    let mut keys = vec![
        "number",
        "slug",
        "title",
        "minutes",
        "chapter",
        "state",
        "last",
        "passed_on",
        "hints_shown",
        "hints_in_all",
    ];
    keys.extend(more);
    keys.sort_unstable();
    keys
}

const CALL: Option<&str> = Some("#[test] fn f() { exercise::f() }");

/// Three exercises with starters and solutions: 01 is solved, 02 is begun, 03 is as it was shipped.
fn three_exercises() -> tempfile::TempDir {
    let root = scratch_course();
    for (number, lib) in [
        ("01", "pub fn f() {}\n"),
        ("02", "pub fn f() { panic!(\"not yet\") }\n"),
        ("03", "pub fn f() { todo!() }\n"),
    ] {
        add_exercise(root.path(), number, lib, CALL);
        add_solution(
            root.path(),
            number,
            "pub fn f() { todo!() }\n",
            "pub fn f() {}\n",
        );
        // In the one workspace, each has a slug of its own, as in the course.
        rename(root.path(), number);
    }
    root
}

fn rename(root: &Path, number: &str) {
    for shelf in ["exercises", "solutions"] {
        let shelf = root.join(shelf);
        fs::rename(
            shelf.join(format!("{number}-case")),
            shelf.join(format!("{number}-case-{number}")),
        )
        .unwrap();
    }
    let file = root.join(format!("exercises/{number}-case-{number}/exercise.toml"));
    let description = fs::read_to_string(&file).unwrap();
    let slug = format!("slug = \"case-{number}\"");
    fs::write(file, description.replace("slug = \"case\"", &slug)).unwrap();
}

fn work_on(root: &Path, number: &str) -> std::path::PathBuf {
    root.join(format!("exercises/{number}-case-{number}/src/lib.rs"))
}

fn refuses(root: &Path, args: &[&str], status: i32, words: &str) {
    let output = course(root, args);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
    assert!(said.contains(words), "{args:?}: {said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{args:?}: {said}");
}

#[test]
fn an_unknown_exercise_is_answered_with_what_there_is() {
    let root = scratch_course();
    add_exercise(root.path(), "03", "", None);
    add_exercise(root.path(), "08", "", None);
    for command in ["check", "hint", "reset", "solution"] {
        refuses(
            root.path(),
            &[command, "99", "--json"],
            2,
            "There is no exercise 99; there are 03 and 08.",
        );
    }
}

#[test]
fn a_taken_port_is_refused() {
    let root = scratch_course();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    refuses(
        root.path(),
        &["serve", "--no-open", "--port", &port],
        2,
        "is in use by another program",
    );
}

#[test]
fn a_folder_without_a_course_is_refused() {
    let empty = tempfile::tempdir().unwrap();
    refuses(empty.path(), &["list"], 2, "is not the LoopBot course");
}

#[test]
fn a_damaged_description_is_refused() {
    let root = scratch_course();
    add_exercise(root.path(), "03", "", None);
    fs::write(
        root.path().join("exercises/03-case/exercise.toml"),
        "number = ",
    )
    .unwrap();
    refuses(root.path(), &["list"], 3, "exercise.toml:1");
}

#[test]
fn no_temporary_folder_is_refused_with_the_way_out() {
    let root = scratch_course();
    let output = Command::new(env!("CARGO_BIN_EXE_course"))
        .args(["serve", "--no-open", "--port", "0", "--root"])
        .arg(root.path())
        .envs([
            ("TMPDIR", "/no/such/folder"),
            ("TMP", "Z:\\no\\such"),
            ("TEMP", "Z:\\no\\such"),
        ])
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("temporary folder") && said.contains("TMP"),
        "{said}"
    );
}

#[test]
fn exercises_are_listed_with_their_minutes() {
    let root = scratch_course();
    add_exercise(root.path(), "03", "", None);
    let output = course(root.path(), &["list"]);
    let said = text(&output.stdout);
    assert!(
        output.status.success() && said.contains("03  Case 03   10 min"),
        "{said}"
    );
}

#[test]
fn help_documents_the_exit_status() {
    let output = Command::new(env!("CARGO_BIN_EXE_course"))
        .arg("--help")
        .output()
        .unwrap();
    let said = text(&output.stdout);
    for status in [0, 1, 2, 3, 4, 5, 6, 7, 130] {
        assert!(said.contains(&format!("\n  {status:<3}  ")), "{said}");
    }
    assert!(said.contains("Exit status:"), "{said}");
}

#[test]
fn a_reader_that_goes_away_is_no_trouble() {
    let root = three_exercises();
    for args in [
        &["list"][..],
        &["list", "--json"],
        &["hint", "03"],
        &["solution", "03", "--yes"],
        &["completions", "bash"],
        &["check", "01"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_course"))
            .args(args)
            .arg("--root")
            .arg(root.path())
            .env_remove("CARGO_TARGET_DIR")
            .stdin(Stdio::null())
            .stdout(writer)
            .output()
            .unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
        assert!(
            !said.contains("pipe") && !said.contains("panicked"),
            "{said}"
        );
    }
}

#[test]
fn the_list_knows_how_far_the_learner_is() {
    let root = three_exercises();
    assert_eq!(course(root.path(), &["check", "01"]).status.code(), Some(0));
    course(root.path(), &["hint", "02"]);
    let said = text(&course(root.path(), &["list"]).stdout);
    assert!(said.contains("  01  Case 01   10 min  passed 20"), "{said}");
    assert!(
        said.contains("> 02  Case 02   10 min  begun, 1 hint\n"),
        "{said}"
    );
    assert!(said.contains("  03  Case 03   10 min\n"), "{said}");
    assert!(
        said.contains("1 of 3 passed, 20 min to go. Next: 02, Case 02."),
        "{said}"
    );

    let list = answers(root.path(), &["list", "--json"], 0);
    let list = list.as_array().unwrap();
    let states: Vec<_> = list.iter().map(|item| &item["state"]).collect();
    assert_eq!(states, ["passed", "begun", "untouched"]);
    let next: Vec<_> = list.iter().map(|item| &item["next"]).collect();
    assert_eq!(next, [false, true, false]);
    for item in list {
        assert_eq!(keys(item), about(&["next"]));
    }
    assert_eq!(
        (&list[0]["last"], &list[1]["hints_shown"]),
        (&json!("pass"), &json!(1))
    );

    let found = answers(root.path(), &["list", "--json", "--search", "CASE 03"], 0);
    assert_eq!(found[0]["number"], "03");
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(
        answers(root.path(), &["list", "--json", "--search", "soup"], 0),
        json!([])
    );
    let said = text(&course(root.path(), &["list", "--search", "soup"]).stdout);
    assert!(
        said.contains("None of the 3 exercises has \"soup\""),
        "{said}"
    );
}

#[test]
fn without_a_number_the_next_that_has_not_passed_is_checked() {
    let root = three_exercises();
    let check = || {
        let output = course(root.path(), &["check"]);
        (output.status.code(), text(&output.stdout))
    };
    let (status, said) = check();
    assert_eq!(status, Some(0), "{said}");
    assert!(
        said.starts_with("Exercise 01, Case 01, is next.\n"),
        "{said}"
    );
    assert!(
        said.ends_with(
            "\nNext: exercise 02, Case 02 (10 min), in exercises/02-case-02/src/lib.rs.\n"
        ),
        "{said}"
    );
    let (status, said) = check();
    assert_eq!(status, Some(1), "{said}");
    assert!(said.starts_with("Exercise 02, "), "{said}");
    for number in ["02", "03"] {
        fs::write(work_on(root.path(), number), "pub fn f() {}").unwrap();
        assert_eq!(check().0, Some(0));
    }
    let (status, said) = check();
    assert_eq!((status, said.lines().count()), (Some(0), 1), "{said}");
    assert!(said.starts_with("All 3 exercises have passed."), "{said}");
    let said = text(&course(root.path(), &["check", "3"]).stdout);
    assert!(!said.contains("Next:"), "{said}");
    let nothing = answers(root.path(), &["check", "--json"], 0);
    assert_eq!(
        (&nothing["number"], &nothing["verdict"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(keys(&nothing), ["number", "sentence", "verdict"]);
}

#[test]
fn after_a_pass_it_goes_on_from_there_and_comes_back_for_what_was_left_out() {
    let root = three_exercises();
    for (number, next) in [("02", "03"), ("03", "01"), ("01", "")] {
        fs::write(work_on(root.path(), number), "pub fn f() {}").unwrap();
        let said = text(&course(root.path(), &["check", number]).stdout);
        let next_is = |number: &str| said.contains(&format!("Next: exercise {number}"));
        assert_eq!(next_is(""), !next.is_empty(), "{said}");
        assert!(next.is_empty() || next_is(next), "{said}");
        // The list says the same, and so does a check without a number.
        let list = answers(root.path(), &["list", "--json"], 0);
        let marked: Vec<_> = list
            .as_array()
            .unwrap()
            .iter()
            .filter(|item| item["next"] == true)
            .map(|item| item["number"].as_str().unwrap())
            .collect();
        assert_eq!(marked.concat(), next);
        let said = text(&course(root.path(), &["list"]).stdout);
        assert_eq!(said.contains(&format!("Next: {next}")), !next.is_empty());
    }
}

/// A reader that goes away before there is anything to read, as in `… | head -1`, at both streams.
#[test]
fn when_nobody_reads_the_status_is_the_same_and_nothing_panics() {
    let root = three_exercises();
    for (args, status) in [
        (&["list"][..], 0),
        (&["hint", "02"], 0),
        (&["check", "01"], 0),
        (&["check", "02"], 1),
        (&["check", "02", "--json"], 1),
        (&["check", "all"], 1),
        (&["check", "all", "--json"], 1),
        (&["check", "99"], 2),
        (&["solution", "02"], 2),
        (&["verify"], 1),
        (&["no-such-command"], 2),
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_course"))
            .args(args)
            .arg("--root")
            .arg(root.path())
            .env_remove("CARGO_TARGET_DIR")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        assert_eq!(child.wait().unwrap().code(), Some(status), "{args:?}");
    }
    // What was found out is remembered all the same.
    let list = answers(root.path(), &["list", "--json"], 0);
    assert_eq!(
        (&list[0]["state"], &list[1]["state"]),
        (&json!("passed"), &json!("failing"))
    );
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_said_to_be_that() {
    let root = three_exercises();
    for args in [&["list"][..], &["check", "01"], &["hint", "02", "--json"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_course"))
            .args(args)
            .arg("--root")
            .arg(root.path())
            .env_remove("CARGO_TARGET_DIR")
            .stdout(fs::File::options().write(true).open("/dev/full").unwrap())
            .output()
            .unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(
            said.starts_with("The answer cannot be printed (") && said.lines().count() == 1,
            "{said}"
        );
    }
}

#[test]
fn a_panic_shows_its_stack_where_it_is_asked_for_and_nowhere_else() {
    let root = three_exercises();
    for (wanted, args) in [
        (false, &["check", "02"][..]),
        (true, &["check", "02", "--backtrace"]),
    ] {
        for set in ["0", "1", "full"] {
            let output = Command::new(env!("CARGO_BIN_EXE_course"))
                .args(args)
                .arg("--root")
                .arg(root.path())
                .env_remove("CARGO_TARGET_DIR")
                .env("RUST_BACKTRACE", set)
                .output()
                .unwrap();
            let said = text(&output.stdout);
            assert!(said.contains("not yet"), "{said}");
            assert_eq!(said.contains("stack backtrace:"), wanted, "{set}: {said}");
        }
    }
}

#[test]
fn a_starter_counts_as_a_failure_and_need_not_be_run() {
    let root = three_exercises();
    fs::write(work_on(root.path(), "02"), "pub fn f() {}").unwrap();
    let all = answers(root.path(), &["check", "all", "--json"], 1);
    assert_eq!(all["sentence"], "2 of 3 exercises pass, 1 is not begun.");
    let last = &all["exercises"][2];
    assert_eq!(
        (&last["verdict"], &last["sentence"], &last["state"]),
        (
            &Value::Null,
            &json!("Exercise 03 is not begun."),
            &json!("untouched")
        )
    );
    assert_eq!(keys(last), keys(&all["exercises"][0]));
    fs::write(work_on(root.path(), "03"), "pub fn f() {}").unwrap();
    let all = answers(root.path(), &["check", "all", "--json"], 0);
    assert_eq!(all["sentence"], "3 of 3 exercises pass.");
}

/// Every way in which a check can end, one exercise each, and all of them together.
#[test]
fn every_ending_has_its_exit_status() {
    let root = scratch_course();
    let endings = [
        ("01", "pub fn f() {}", "pass", 0),
        ("02", "pub fn f() { panic!(\"no\") }", "fail", 1),
        ("03", "pub fn f() -> u8 {}", "does-not-compile", 4),
        (
            "04",
            "pub fn f() { loop { std::thread::park() } }",
            "never-ends",
            5,
        ),
        (
            "05",
            "pub fn f() { loop { println!(\"{}\", \"soup \".repeat(1000)) } }",
            "prints-too-much",
            6,
        ),
        ("06", "pub fn f() { std::process::abort() }", "dies", 7),
        ("07", "pub fn f() {}", "not-run", 3),
    ];
    for (number, lib, verdict, _) in endings {
        add_exercise(
            root.path(),
            number,
            lib,
            CALL.filter(|_| verdict != "not-run"),
        );
        add_solution(root.path(), number, "", "");
        rename(root.path(), number);
    }
    let check_of_one = about(&["verdict", "sentence", "output", "seconds", "remembered"]);
    for (number, _, verdict, status) in endings {
        // Short where it has to be waited for, and long enough for any machine elsewhere.
        let limit = if verdict == "never-ends" { "1" } else { "60" };
        let args = ["check", number, "--time-limit", limit, "--json"];
        let answer = answers(root.path(), &args, status);
        assert_eq!(answer["verdict"], verdict, "{answer:#}");
        assert_eq!(keys(&answer), check_of_one);
        assert!(
            answer["sentence"]
                .as_str()
                .unwrap()
                .contains(&format!("xercise {number}"))
        );
        assert!(answer["seconds"].as_f64().unwrap() > 0.0);
        assert!(
            answer["output"]
                .as_array()
                .unwrap()
                .iter()
                .all(Value::is_string)
        );
        let (state, last) = match verdict {
            "pass" => ("passed", json!("pass")),
            "not-run" => ("begun", Value::Null),
            other => ("failing", json!(other)),
        };
        assert_eq!((&answer["state"], &answer["last"]), (&json!(state), &last));
    }

    let leave_out = |number: &str| {
        fs::remove_dir_all(
            root.path()
                .join(format!("exercises/{number}-case-{number}")),
        )
        .unwrap();
    };
    leave_out("04");
    leave_out("05");
    let all = answers(root.path(), &["check", "all", "--json"], 7);
    assert_eq!(
        keys(&all),
        [
            "exercises",
            "passed",
            "remembered",
            "seconds",
            "sentence",
            "total"
        ]
    );
    assert_eq!((&all["passed"], &all["total"]), (&json!(1), &json!(5)));
    let all = all["exercises"].as_array().unwrap();
    let verdicts: Vec<_> = all.iter().map(|one| &one["verdict"]).collect();
    assert_eq!(
        verdicts,
        ["pass", "fail", "does-not-compile", "dies", "not-run"]
    );
    assert!(all.iter().all(|one| keys(one) == check_of_one));

    // As text: a line each, and a summary.
    for number in ["03", "06", "07"] {
        leave_out(number);
    }
    let output = course(root.path(), &["check", "all"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let lines: Vec<_> = said.lines().collect();
    assert!(
        lines[0].starts_with("Exercise 01 passes: 1 test.  ("),
        "{said}"
    );
    assert!(
        lines[1].starts_with("Exercise 02 does not pass yet: "),
        "{said}"
    );
    assert!(lines[3].starts_with("1 of 2 exercises pass."), "{said}");
    assert_eq!(lines.len(), 4, "{said}");
}

#[test]
fn a_check_ends_with_the_sentence_and_what_comes_after() {
    let root = scratch_course();
    add_exercise(
        root.path(),
        "03",
        "pub fn f() {}",
        Some("#[test] fn f() { exercise::f() }"),
    );
    let output = course(root.path(), &["check", "3"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.ends_with("Exercise 03 passes: 1 test.\nRead on.\n"),
        "{said}"
    );
}

#[test]
fn hints_grow_and_are_remembered_between_runs() {
    let root = scratch_course();
    add_exercise(root.path(), "03", "", None);
    assert!(!text(&course(root.path(), &["hint", "03"]).stdout).contains("think"));
    assert!(text(&course(root.path(), &["hint", "03", "--more"]).stdout).contains("think"));
    assert!(text(&course(root.path(), &["hint", "03"]).stdout).contains("think"));
}

#[test]
fn hints_in_json_are_those_shown_so_far() {
    let root = scratch_course();
    add_exercise(root.path(), "03", "", None);
    let hint = |args: &[&str]| answers(root.path(), args, 0);
    let first = hint(&["hint", "3", "--json"]);
    assert_eq!(keys(&first), about(&["hints", "remembered"]));
    assert_eq!(
        (&first["hints"], &first["hints_shown"]),
        (&json!(["look"]), &json!(1))
    );
    let second = hint(&["hint", "case", "--more", "--json"]);
    assert_eq!(
        (&second["hints"], &second["hints_in_all"]),
        (&json!(["look", "think"]), &json!(3))
    );
    assert_eq!(
        hint(&["hint", "exercise-03", "--json"])["hints"],
        second["hints"]
    );
}

#[test]
fn a_reset_keeps_the_work_and_says_where() {
    let root = three_exercises();
    let output = course(root.path(), &["reset", "02"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let place = said
        .trim_end()
        .strip_suffix('.')
        .unwrap()
        .rsplit(' ')
        .next()
        .unwrap();
    assert!(
        place.starts_with(".progress/backups/02-case-02/20"),
        "{said}"
    );
    let copy = fs::read_to_string(root.path().join(place)).unwrap();
    assert!(copy.contains("not yet"), "{copy}");
    let starter = fs::read_to_string(work_on(root.path(), "02")).unwrap();
    assert_eq!(starter, "pub fn f() { todo!() }\n");

    let said = text(&course(root.path(), &["reset", "02"]).stdout);
    assert!(said.contains("nothing to reset"), "{said}");
    let untouched = answers(root.path(), &["reset", "02", "--json"], 0);
    assert_eq!(keys(&untouched), about(&["changed", "backup", "sentence"]));
    assert_eq!(
        (&untouched["changed"], &untouched["backup"]),
        (&json!(false), &Value::Null)
    );
    let changed = answers(root.path(), &["reset", "01", "--json"], 0);
    assert_eq!(changed["changed"], true);
    assert!(
        root.path()
            .join(changed["backup"].as_str().unwrap())
            .is_file()
    );
}

#[test]
fn a_reset_of_all_wants_a_yes() {
    let root = three_exercises();
    for args in [&["reset", "all"][..], &["reset", "all", "--json"]] {
        refuses(
            root.path(),
            args,
            2,
            "This would put back 2 exercises: 01 and 02. Add --yes",
        );
    }
    assert!(
        fs::read_to_string(work_on(root.path(), "02"))
            .unwrap()
            .contains("not yet")
    );
    let said = text(&course(root.path(), &["reset", "all", "--yes"]).stdout);
    assert!(
        said.contains("Exercise 01 is at its beginning again.")
            && said.contains(".progress/backups/02-"),
        "{said}"
    );
    assert!(said.ends_with("2 exercises put back.\n"), "{said}");
    let again = answers(root.path(), &["reset", "all", "--json"], 0);
    assert_eq!(keys(&again), ["exercises", "sentence"]);
    assert_eq!(again["exercises"], json!([]));

    // What cannot be put back is named, and the others are.
    for number in ["01", "02"] {
        fs::write(work_on(root.path(), number), "my work").unwrap();
    }
    fs::remove_file(root.path().join("solutions/01-case-01/starter.rs")).unwrap();
    let half = answers(root.path(), &["reset", "all", "--yes", "--json"], 3);
    // 03's starter is there: it is untouched. 01's is not: it counts as work, and stays.
    let changed: Vec<_> = half["exercises"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["changed"])
        .collect();
    assert_eq!(changed, [false, true]);
    assert_eq!(half["sentence"], "1 of 2 exercises put back.");
    assert_eq!(
        fs::read_to_string(work_on(root.path(), "01")).unwrap(),
        "my work"
    );
}

#[test]
fn the_solution_is_for_whoever_has_passed_or_insists() {
    let root = three_exercises();
    for args in [
        &["solution", "2"][..],
        &["solution", "02", "--diff"],
        &["solution", "02", "--json"],
    ] {
        refuses(
            root.path(),
            args,
            2,
            "Exercise 02 has not passed yet. Add --yes",
        );
    }
    let output = course(root.path(), &["solution", "02", "--yes"]);
    assert_eq!(text(&output.stdout), "pub fn f() {}\n");
    assert!(text(&output.stderr).contains("solutions/02-case-02/src/lib.rs"));
    let diff = text(&course(root.path(), &["solution", "02", "--yes", "--diff"]).stdout);
    assert!(
        diff.contains("\n-pub fn f() { panic!(\"not yet\") }\n+pub fn f() {}\n"),
        "{diff}"
    );
    let answer = answers(root.path(), &["solution", "02", "--yes", "--json"], 0);
    assert_eq!(keys(&answer), about(&["file", "solution", "same", "diff"]));
    assert_eq!(answer["file"], "solutions/02-case-02/src/lib.rs");
    assert_eq!(
        (&answer["solution"], &answer["same"]),
        (&json!("pub fn f() {}\n"), &json!(false))
    );
    assert_eq!(answer["diff"], diff);

    assert_eq!(course(root.path(), &["check", "01"]).status.code(), Some(0));
    let answer = answers(root.path(), &["solution", "01", "--json"], 0);
    assert_eq!(
        (&answer["same"], &answer["diff"]),
        (&json!(true), &json!(""))
    );
    let said = text(&course(root.path(), &["solution", "01", "--diff"]).stdout);
    assert!(
        said.contains("the same as solutions/01-case-01/src/lib.rs"),
        "{said}"
    );

    fs::remove_file(root.path().join("solutions/01-case-01/src/lib.rs")).unwrap();
    refuses(root.path(), &["solution", "01"], 3, "cannot be read");
}

#[test]
fn where_nothing_can_be_written_everything_works_and_it_is_said() {
    let root = three_exercises();
    // A file in the place of the folder stops even a user who may write everywhere.
    fs::write(root.path().join(".progress"), "").unwrap();
    let output = course(root.path(), &["check", "01"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("passes") && said.ends_with("is not remembered.)\n"),
        "{said}"
    );
    assert_eq!(
        answers(root.path(), &["check", "01", "--json"], 0)["remembered"],
        false
    );
    let hint = answers(root.path(), &["hint", "01", "--more", "--json"], 0);
    assert_eq!(
        (&hint["hints_shown"], &hint["remembered"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(course(root.path(), &["list"]).status.code(), Some(0));
    refuses(root.path(), &["reset", "02"], 3, "nothing was changed");
    assert!(
        fs::read_to_string(work_on(root.path(), "02"))
            .unwrap()
            .contains("not yet")
    );
}

#[test]
fn a_damaged_memory_is_mended_and_said_beside_the_answer() {
    let root = three_exercises();
    course(root.path(), &["hint", "02", "--more"]);
    let file = root.path().join(".progress/progress.json");
    for command in [
        &["list"][..],
        &["list", "--json"],
        &["hint", "02", "--json"],
    ] {
        fs::write(&file, "{\"version\": 2, \"exerc").unwrap();
        let output = course(root.path(), command);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{err}");
        assert!(
            err.contains("restored from its last good copy"),
            "{command:?}: {err}"
        );
        assert!(!out.contains("restored"), "{out}");
        assert!(
            text(&course(root.path(), &["list"]).stderr).is_empty(),
            "it is said once"
        );
    }
    assert_eq!(
        answers(root.path(), &["list", "--json"], 0)[1]["hints_shown"],
        1
    );
}

/// The page "How to use this book" explains what scripts may rely on.
#[test]
fn the_book_explains_every_key_and_every_status() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/src/en/how-to-use.md");
    let page = fs::read_to_string(page).unwrap();
    let root = three_exercises();
    let one = answers(root.path(), &["list", "--json"], 0)[0].clone();
    let mut answers = vec![
        one,
        answers(root.path(), &["check", "1", "--json"], 0),
        answers(root.path(), &["check", "ALL", "--json"], 1),
        answers(root.path(), &["hint", "2", "--json"], 0),
        answers(root.path(), &["solution", "1", "--json"], 0),
        answers(root.path(), &["reset", "2", "--json"], 0),
        answers(root.path(), &["reset", "all", "--yes", "--json"], 0),
    ];
    let inner = answers.iter().filter_map(|answer| answer.get("exercises"));
    let inner: Vec<_> = inner.map(|all| all[0].clone()).collect();
    answers.extend(inner);
    for answer in &answers {
        for key in keys(answer) {
            assert!(page.contains(&format!("`{key}`")), "{key}: {answer:#}");
        }
    }
    for status in [0, 1, 2, 3, 4, 5, 6, 7, 130] {
        assert!(page.contains(&format!("\n| {status} | ")), "{status}");
    }
    for verdict in [
        Verdict::Passes,
        Verdict::Fails,
        Verdict::DoesNotCompile,
        Verdict::NeverEnds,
        Verdict::PrintsTooMuch,
        Verdict::Dies,
        Verdict::Stopped,
        Verdict::NotRun,
    ] {
        let name = verdict.name();
        assert!(page.contains(&format!("`\"{name}\"`")), "{name}");
    }
}

/// Watch, the server and a check in another terminal: nobody's change is lost, and nobody reads half a file.
#[test]
fn processes_that_write_at_once_lose_nothing() {
    let root = scratch_course();
    let numbers = ["01", "02", "03", "04", "05", "06"];
    for number in numbers {
        add_exercise(root.path(), number, "", None);
        add_solution(root.path(), number, "", "");
        rename(root.path(), number);
    }
    std::thread::scope(|scope| {
        for number in numbers {
            let root = root.path();
            scope.spawn(move || {
                for level in 1..=3 {
                    let hint = answers(root, &["hint", number, "--more", "--json"], 0);
                    assert_eq!(
                        (&hint["hints_shown"], &hint["remembered"]),
                        (&json!(level), &json!(true))
                    );
                    let output = course(root, &["list", "--json"]);
                    assert_eq!(text(&output.stderr), "");
                }
            });
        }
    });
    let list = answers(root.path(), &["list", "--json"], 0);
    for item in list.as_array().unwrap() {
        assert_eq!(item["hints_shown"], 3, "{list:#}");
    }
}

/// In bash, as a learner presses Tab: behind `cargo course`, with the numbers of the exercises; and behind `cargo`, what was
/// there before.
#[cfg(unix)]
#[test]
fn completions_complete_cargo_course() {
    let root = three_exercises();
    let script = text(&course(root.path(), &["completions", "bash"]).stdout);
    let press_tab = r#"
_before() { COMPREPLY=(build); }
complete -F _before cargo
source "$1"
tab() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    [[ "$(complete -p "$1")" =~ -F\ ([^\ ]+) ]] || exit 9
    "${BASH_REMATCH[1]}" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
    echo "${COMPREPLY[*]}"
}
tab cargo course ch
tab cargo +nightly --offline course check 0
tab cargo course hint 03 --m
tab cargo bu
tab course sol
"#;
    let file = root.path().join("course.bash");
    fs::write(&file, script).unwrap();
    let Ok(output) = Command::new("bash")
        .args(["--norc", "--noprofile", "-c", press_tab, "bash"])
        .arg(&file)
        .output()
    else {
        // Its machine has no use for them.
        return;
    };
    assert_eq!(
        text(&output.stdout),
        "check\n01 02 03\n--more\nbuild\nsolution\n",
        "{}",
        text(&output.stderr)
    );
}

/// `course shift`, which needs no course around it.
fn shift(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_course"))
        .arg("shift")
        .args(args)
        .stdin(Stdio::null())
        .current_dir(std::env::temp_dir())
        .output()
        .unwrap()
}

#[test]
fn an_evening_that_makes_no_sense_is_refused_before_it_begins() {
    for (args, words) in [
        (&["--seed", "seven"][..], "\"seven\" is not"),
        (&["--seed", "-1"], "-1"),
        (&["--waiters", "0"], "1 to 64 WaitBots"),
        (&["--waiters", "many"], "\"many\" is not"),
        (&["loopbot", "--careless"], "for threadbots"),
        (&["loopbot", "--waiters", "2"], "LoopBot is one robot"),
        (&["loopbot", "--robots", "4..8"], "LoopBot is one robot"),
        (&["--robots", "3"], "4 to 64 robots"),
        (&["--robots", "8..4"], "goes from many to few"),
        (&["--robots", "8", "--waiters", "2"], "cannot be used with"),
        (&["--robots", "8", "--plot", "a.svg"], "--robots 4..64"),
        (&["--robots", "4..8", "--stream"], "for one evening"),
        (&["--robots", "4..8", "--times", "0"], "1 to 10000 evenings"),
        (&["--careless", "--coordinated"], "cannot be used with"),
        (
            &["--record", "no/such/folder/night.json"],
            "no/such/folder/night.json cannot be written",
        ),
        (&["--trace", "."], ". cannot be written"),
    ] {
        let output = shift(args);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
        assert!(!said.contains("panicked"), "{args:?}: {said}");
    }
}

#[test]
fn an_evening_is_reported_and_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let (record, trace) = (
        folder.path().join("night.json"),
        folder.path().join("night.trace"),
    );
    fs::write(&record, "x".repeat(10_000_000)).unwrap();
    let files = [record.to_str().unwrap(), trace.to_str().unwrap()];
    let output = shift(&[
        "loopbot",
        "--evening",
        "monday",
        "--record",
        files[0],
        "--trace",
        files[1],
    ]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    assert!(
        said.contains("8 parties served") && said.contains("no collisions"),
        "{said}"
    );
    assert!(
        said.contains("LoopBot") && said.contains("% waiting"),
        "{said}"
    );
    // No live line where nobody watches.
    assert!(!said.contains('\r'), "{said}");
    let recording = flight::Recording::from_json(&fs::read_to_string(&record).unwrap()).unwrap();
    assert_eq!((recording.complete, recording.dropped), (true, 0));
    assert_eq!(recording.header.facts["seed"], "42");
    let trace: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&trace).unwrap()).unwrap();
    assert!(
        trace["traceEvents"]
            .as_array()
            .is_some_and(|events| events.len() > 100)
    );
}

#[test]
fn coordinated_robots_serve_everybody_without_a_collision() {
    let output = shift(&["threadbots", "--coordinated", "--waiters", "2"]);
    let said = text(&output.stdout);
    assert!(
        said.contains("24 parties served") && said.contains("no collisions"),
        "{said}"
    );
    assert!(said.contains("WaitBot-2"), "{said}");
}

#[test]
fn more_and_more_robots_are_counted_in_a_table_and_a_plot() {
    let folder = tempfile::tempdir().unwrap();
    let (table, plot) = (
        folder.path().join("robots.md"),
        folder.path().join("robots.svg"),
    );
    let output = shift(&[
        "--coordinated",
        "--evening",
        "monday",
        "--robots",
        "4..5",
        "--times",
        "2",
        "--minute",
        "200",
        "--markdown",
        table.to_str().unwrap(),
        "--plot",
        plot.to_str().unwrap(),
    ]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    assert!(
        said.starts_with("collisions on a Monday, mean of 2"),
        "{said}"
    );
    assert!(
        said.contains("4 robots") && said.contains("5 robots"),
        "{said}"
    );
    assert!(!said.contains('\r') && !said.contains("careless"), "{said}");
    let table = fs::read_to_string(table).unwrap();
    assert!(
        table.contains("\n| 4 | 0 | ") && table.contains("\n| 5 | 0 | "),
        "{table}"
    );
    assert!(fs::read_to_string(plot).unwrap().starts_with("<svg"));
}

#[test]
fn a_scene_is_searched_and_played() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("collisions.md");
    let collisions = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_course"))
            .arg("collisions")
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    let output = collisions(&[
        "--scene",
        "one-table",
        "--evenings",
        "2",
        "--patience",
        "60000",
        "--markdown",
        table.to_str().unwrap(),
    ]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    assert!(
        said.contains("one-table      coordinated") && said.contains("0 of 2 (0 %)"),
        "{said}"
    );
    let table = fs::read_to_string(table).unwrap();
    assert!(table.contains("| one-table | careless | "), "{table}");

    let output = collisions(&["--scene", "ten-tables"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("There is no scene \"ten-tables\"; there are "));
}

/// The lines put together are the recording that a page draws.
#[test]
fn a_stream_is_a_recording_in_pieces() {
    let output = shift(&[
        "threadbots",
        "--careless",
        "--evening",
        "monday",
        "--stream",
    ]);
    let said = text(&output.stdout);
    let lines: Vec<serde_json::Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (first, rest) = lines.split_first().unwrap();
    assert_eq!(
        (&first["schema"], &first["live"]),
        (&"loopbot-flight".into(), &true.into())
    );
    assert_eq!(
        rest.last().unwrap()["end"],
        serde_json::json!({ "dropped": 0, "complete": true })
    );
    assert!(
        lines.len() > 5,
        "an evening of a second comes in {} pieces",
        lines.len()
    );
    let mut whole = first.clone();
    let file = whole.as_object_mut().unwrap();
    for piece in rest {
        for table in ["strings", "actors", "tasks", "locs", "events"] {
            let more = piece[table].as_array().unwrap().clone();
            file[table].as_array_mut().unwrap().extend(more);
        }
    }
    file.remove("live");
    file["complete"] = true.into();
    let recording = flight::Recording::from_json(&whole.to_string()).unwrap();
    assert_eq!(recording.actors.len(), 4);
}

#[test]
fn a_recording_is_told_or_refused_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let night = folder.path().join("night.json");
    let night = night.to_str().unwrap();
    assert!(
        shift(&["loopbot", "--evening", "monday", "--record", night])
            .status
            .success()
    );
    let tell = |file: &str| {
        Command::new(env!("CARGO_BIN_EXE_course"))
            .args(["tell", file])
            .output()
            .unwrap()
    };
    let told = text(&tell(night).stdout);
    assert!(
        told.starts_with("loopbot, ") && told.contains("seed: 42") && told.contains("1. LoopBot"),
        "{told}"
    );

    let whole = fs::read_to_string(night).unwrap();
    let without = |what: &str| whole.replacen(what, "", 1);
    for (content, words) in [
        (whole[..whole.len() / 2].to_owned(), "breaks off"),
        (
            whole.replacen("\"version\":1", "\"version\":2", 1),
            "a newer version",
        ),
        (without("\"strings\":"), "recording"),
        ("soup".to_owned(), "not a recording"),
        (String::new(), "recording"),
    ] {
        fs::write(night, &content).unwrap();
        let output = tell(night);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains("night.json") && said.contains(words),
            "{said}"
        );
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    }
    assert_eq!(tell("no-such-recording").status.code(), Some(2));
}
