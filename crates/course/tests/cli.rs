//! The program as a learner types it: bad input gets one sentence and its exit status.

mod common;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::{add_exercise, scratch_course};

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
    for command in ["check", "hint"] {
        refuses(
            root.path(),
            &[command, "99"],
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
    assert!(
        said.contains("Exit status:") && said.contains("does not compile"),
        "{said}"
    );
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
