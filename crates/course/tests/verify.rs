//! `course new-exercise` and `course verify`, on small courses of their own: what a skeleton still lacks, and that everything
//! which is not as it must be is told.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// A course without exercises. Its `contained` stands in for the real one, which has tests of its own.
fn house() -> tempfile::TempDir {
    let root = tempfile::Builder::new()
        .prefix("course-verify-")
        .tempdir()
        .unwrap();
    let manifest = "[workspace]\nresolver = \"3\"\nmembers = [\n    \"contained\",\n]\n\
        [workspace.package]\nversion = \"0.1.0\"\nedition = \"2024\"\nrust-version = \"1.88\"\nlicense = \"MIT\"\npublish = false\n\
        [workspace.dependencies]\ncontained = { path = \"contained\" }\n\
        [workspace.lints.rust]\nmissing_docs = \"warn\"\n";
    write(root.path(), "Cargo.toml", manifest);
    write(
        root.path(),
        "contained/Cargo.toml",
        "[package]\nname = \"contained\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    write(
        root.path(),
        "contained/src/lib.rs",
        "#[macro_export]\nmacro_rules! tests { () => {} }\n",
    );
    write(
        root.path(),
        "book/book.toml",
        "[book]\ntitle = \"Scratch\"\n",
    );
    write(root.path(), "book/src/en/one.md", "# One\n");
    fs::create_dir(root.path().join("exercises")).unwrap();
    root
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn read(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap()
}

fn course(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_course"));
    command
        .args(args)
        .arg("--root")
        .arg(root)
        .env("CARGO_NET_OFFLINE", "true")
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("LOOPBOT_STARTERS");
    command
}

fn run(root: &Path, args: &[&str]) -> Output {
    course(root, args).output().unwrap()
}

#[track_caller]
fn done(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}\n{words}");
    text
}

/// What `verify --json` says.
#[track_caller]
fn verified(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!(
            "{error}: {text}\n{}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// All complaints, each with what it is about in front.
fn complaints(verified: &Value) -> Vec<String> {
    let mut all = Vec::new();
    for exercise in verified["exercises"].as_array().unwrap() {
        for it in exercise["complaints"].as_array().unwrap() {
            let text = |key: &str| it[key].as_str().unwrap().to_owned();
            all.push(format!(
                "{}: {}: {} {}",
                text("about"),
                text("place"),
                text("what"),
                text("mend")
            ));
        }
    }
    all
}

/// Makes an exercise, and writes what its author has to write.
fn finished(root: &Path, slug: &str) -> String {
    done(&run(root, &["new-exercise", slug, "--chapter", "one"]));
    let folders = fs::read_dir(root.join("exercises")).unwrap();
    let mut names = folders.map(|it| it.unwrap().file_name().into_string().unwrap());
    let name = names.find(|name| name.ends_with(slug)).unwrap();
    for folder in ["exercises", "solutions"].map(|shelf| root.join(shelf).join(&name)) {
        take_marks_away(&folder);
    }
    write(
        root,
        &format!("solutions/{name}/wrong/one_more.rs"),
        "//! must fail with: a table is laid for nobody\n\n/// Tables.\npub fn tables(guests: u32) -> u32 {\n    guests / 4 + 2\n}\n",
    );
    name
}

fn take_marks_away(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            take_marks_away(&path);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, text.replace("TO WRITE: ", "")).unwrap();
        }
    }
}

#[test]
fn a_skeleton_works_and_verify_lists_everything_that_is_missing() {
    let house = house();
    let root = house.path();
    let told = done(&run(
        root,
        &[
            "new-exercise",
            "the-second-bell",
            "--number",
            "7",
            "--title",
            "The \"second\" bell",
        ],
    ));
    assert!(told.contains("exercises/07-the-second-bell"), "{told}");
    assert!(
        read(root, "Cargo.lock").contains("solution-07"),
        "the lock file is behind"
    );

    let output = run(root, &["verify", "07", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let verified = verified(&output);
    let complaints = complaints(&verified);
    for missing in [
        "exercise.toml:4: This is not written yet: the page of its chapter",
        "This is not written yet: the first hint",
        "This is not written yet: the second hint",
        "This is not written yet: the third hint",
        "This is not written yet: what a learner believes before",
        "solutions/07-the-second-bell/wrong: There are 2 wrong answers, and at least three are needed.",
        "tests/the_second_bell.rs:1: This is not written yet",
        "solutions/07-the-second-bell/starter.rs:3: This is not written yet",
        "solutions/07-the-second-bell/src/lib.rs:3: This is not written yet",
    ] {
        assert!(
            complaints.iter().any(|it| it.contains(missing)),
            "{missing}\n{complaints:#?}"
        );
    }
    // And it works: nothing is wrong with how anything ends.
    assert!(
        complaints.iter().all(|it| it.starts_with("description: ")),
        "{complaints:#?}"
    );

    // A second one gets the next number; the first is left alone.
    let before = read(root, "exercises/07-the-second-bell/exercise.toml");
    assert_eq!(
        run(root, &["new-exercise", "the-second-bell"])
            .status
            .code(),
        Some(2)
    );
    assert_eq!(
        run(root, &["new-exercise", "third", "--number", "07"])
            .status
            .code(),
        Some(2)
    );
    done(&run(root, &["new-exercise", "third"]));
    assert!(root.join("exercises/08-third").is_dir());
    assert_eq!(
        read(root, "exercises/07-the-second-bell/exercise.toml"),
        before
    );
}

#[test]
fn a_finished_exercise_is_as_it_must_be() {
    let house = house();
    let name = finished(house.path(), "the-bell");
    let told = done(&run(house.path(), &["verify"]));
    assert!(told.contains("All is as it must be."), "{told}");

    // Somebody works on it: said, and no fault, unless starters are required.
    let starter = format!("exercises/{name}/src/lib.rs");
    write(
        house.path(),
        &starter,
        "pub fn tables(guests: u32) -> u32 { guests / 3 }\n",
    );
    let told = done(&run(house.path(), &["verify"]));
    assert!(told.contains("has been worked on"), "{told}");
    let output = course(house.path(), &["verify", "--json"])
        .env("LOOPBOT_STARTERS", "required")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = complaints(&verified(&output));
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("cargo course reset 01"), "{told:#?}");
}

/// What is wrong with an exercise, and how it is told.
struct Case {
    slug: &'static str,
    /// The file that is changed, below `solutions/NN-slug`.
    file: &'static str,
    text: &'static str,
    /// How the complaint begins: about what, and which file.
    told: &'static str,
    words: &'static str,
}

const CASES: [Case; 11] = [
    Case {
        slug: "starter-passes",
        file: "starter.rs",
        text: "//! todo!( First hint: cargo course hint NN\npub fn tables(guests: u32) -> u32 { guests.div_ceil(4) }\n",
        told: "starter: ",
        words: "the test cannot fail",
    },
    Case {
        slug: "starter-warns",
        file: "starter.rs",
        text: "use std::fmt;\npub fn tables(_: u32) -> u32 { todo!(\"First hint: cargo course hint NN\") }\n",
        told: "starter: ",
        words: "compiles with warnings",
    },
    Case {
        slug: "starter-says-nothing",
        file: "starter.rs",
        text: "pub fn tables(_: u32) -> u32 { todo!() }\n",
        told: "starter: ",
        words: "without its first hint",
    },
    Case {
        slug: "starter-does-not-compile",
        file: "starter.rs",
        text: "pub fn tables(_: u32) -> u32 { todo!(\"\") + }\n",
        told: "starter: ",
        words: "must compile",
    },
    Case {
        slug: "solution-fails",
        file: "src/lib.rs",
        text: "//! It.\n\n/// Tables.\npub fn tables(guests: u32) -> u32 { guests }\n",
        told: "solution: ",
        words: "must pass",
    },
    Case {
        slug: "solution-warns",
        file: "src/lib.rs",
        text: "//! It.\n\npub fn tables(guests: u32) -> u32 { guests.div_ceil(4) }\n",
        told: "solution: ",
        words: "warnings",
    },
    Case {
        slug: "wrong-is-right",
        file: "wrong/rounds_down.rs",
        text: "//! must fail with: x\npub fn tables(guests: u32) -> u32 { guests.div_ceil(4) }\n",
        told: "wrong_answer: ",
        words: "The wrong answer passes",
    },
    Case {
        slug: "wrong-says-another-thing",
        file: "wrong/rounds_down.rs",
        text: "//! must fail with: the kitchen burns\npub fn tables(guests: u32) -> u32 { guests / 4 }\n",
        told: "wrong_answer: ",
        words: "does not say \"the kitchen burns\"",
    },
    Case {
        slug: "wrong-is-quoted-otherwise",
        file: "wrong/rounds_down.txt",
        text: "the last guests have a table\n",
        told: "wrong_answer: ",
        words: "not told as the book quotes it",
    },
    Case {
        slug: "wrong-leaves",
        file: "wrong/rounds_down.rs",
        text: "//! must fail with: x\npub fn tables(_: u32) -> u32 { std::process::exit(3) }\n",
        told: "wrong_answer: ",
        words: "ended from outside",
    },
    Case {
        slug: "wrong-by-luck",
        file: "wrong/does_nothing.rs",
        text: "//! must fail with: nobody has a table\n\
            pub fn tables(_: u32) -> u32 {\n    let now = std::time::SystemTime::now();\n    println!(\"{:?}\", now.duration_since(std::time::UNIX_EPOCH));\n    0\n}\n",
        told: "repeat: ",
        words: "not told in the same way every time",
    },
];

#[test]
fn whatever_is_wrong_is_told_for_the_file_that_it_is_in() {
    let house = house();
    let root = house.path();
    for case in &CASES {
        let name = finished(root, case.slug);
        let text = case.text.replace("NN", &name[..2]);
        write(root, &format!("solutions/{name}/{}", case.file), &text);
        if case.file == "starter.rs" {
            write(root, &format!("exercises/{name}/src/lib.rs"), &text);
        }
    }
    // Some wrong answers must not compile: then the compiler's words are the message.
    let name = finished(root, "wrong-does-not-compile");
    let text = "//! must fail with: cannot be sent between threads safely\n\
        pub fn tables(_: u32) -> u32 {\n    let it = std::rc::Rc::new(1);\n    std::thread::spawn(move || *it).join().unwrap()\n}\n";
    write(
        root,
        &format!("solutions/{name}/wrong/does_nothing.rs"),
        text,
    );

    let output = run(root, &["verify", "--json"]);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{words}");
    let verified = verified(&output);
    for exercise in verified["exercises"].as_array().unwrap() {
        let slug = exercise["slug"].as_str().unwrap();
        let mut one = verified.clone();
        one["exercises"] = Value::Array(vec![exercise.clone()]);
        let told = complaints(&one);
        let Some(case) = CASES.iter().find(|case| case.slug == slug) else {
            assert!(told.is_empty(), "{slug}: {told:#?}");
            continue;
        };
        let file = case.file.replace(".txt", ".rs");
        let begins = format!(
            "{}solutions/{}-{slug}/{file}: ",
            case.told,
            exercise["number"].as_str().unwrap()
        );
        assert!(
            told.len() == 1 && told[0].starts_with(&begins) && told[0].contains(case.words),
            "{slug} should begin with {begins:?}, and say {:?}: {told:#?}",
            case.words
        );
    }
}

#[test]
fn files_that_are_missing_or_do_not_fit_are_told_all_at_once() {
    let house = house();
    let root = house.path();
    let name = finished(root, "case");
    let (exercise, solution) = (format!("exercises/{name}"), format!("solutions/{name}"));
    let manifest = format!("{exercise}/Cargo.toml");
    let text = read(root, &manifest);
    write(
        root,
        &manifest,
        &format!("{text}\n[dependencies]\ncontained = {{ workspace = true }}\n"),
    );
    let test = format!("{exercise}/tests/case.rs");
    write(
        root,
        &test,
        &read(root, &test).replace("contained::tests!();", ""),
    );
    write(
        root,
        &format!("{solution}/wrong/silent.rs"),
        "pub fn tables(_: u32) -> u32 { 0 }\n",
    );
    write(root, &format!("{solution}/wrong/alone.txt"), "a story\n");
    let description = format!("{exercise}/exercise.toml");
    let text = read(root, &description);
    let text = text
        .replace("minutes = 10", "minutes = 90")
        .replace("\"one\"", "\"two\"");
    write(root, &description, &text);
    let told = complaints(&verified(&run(root, &["verify", "1", "--json"])));
    for words in [
        "[dependencies] is not as in the solution's",
        "Add the line `contained::tests!();`",
        "wrong/silent.rs: It does not say how it must fail.",
        "wrong/alone.txt: It is the story of a wrong answer that is not there.",
        "90 minutes is no length",
        "Its chapter book/src/en/two.md is not there.",
    ] {
        assert!(
            told.iter().any(|it| it.contains(words)),
            "{words}\n{told:#?}"
        );
    }
    assert_eq!(told.len(), 6, "{told:#?}");

    // Without a solution nothing can be run; it is said, and nothing else breaks.
    fs::remove_dir_all(root.join(&solution)).unwrap();
    let output = run(root, &["verify", "1", "--json"]);
    let told = complaints(&verified(&output));
    for words in [
        "There is no copy of the starter.",
        "There is no solution.",
        "There is no wrong answer",
    ] {
        assert!(
            told.iter().any(|it| it.contains(words)),
            "{words}\n{told:#?}"
        );
    }
}

#[test]
fn a_broken_crate_below_is_told_once_and_not_for_every_answer() {
    let house = house();
    finished(house.path(), "one");
    finished(house.path(), "two");
    write(house.path(), "contained/src/lib.rs", "pub fn broken(\n");
    let output = run(house.path(), &["verify"]);
    assert_eq!(output.status.code(), Some(3));
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(
        words.contains("A crate that the answers lean on does not compile"),
        "{words}"
    );
    assert!(words.contains("contained/src/lib.rs"), "{words}");
}

#[test]
fn two_at_once_wait_for_each_other() {
    let house = house();
    finished(house.path(), "one");
    finished(house.path(), "two");
    let started: Vec<_> = ["01", "02", "all"]
        .map(|which| course(house.path(), &["verify", which]))
        .into_iter()
        .map(|mut command| command.spawn().unwrap())
        .collect();
    for mut child in started {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn a_workspace_that_does_not_load_gets_no_exercise() {
    let house = house();
    let root = house.path();
    finished(root, "one");
    let locked = read(root, "Cargo.lock");
    let listed = read(root, "Cargo.toml");
    write(root, "contained/Cargo.toml", "[package]\nname = 5\n");
    let output = run(root, &["new-exercise", "three"]);
    assert_eq!(output.status.code(), Some(3));
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("it was taken away again"), "{words}");
    assert!(!root.join("exercises/03-three").exists());
    assert!(!root.join("solutions/03-three").exists());
    assert_eq!(read(root, "Cargo.lock"), locked);
    assert_eq!(read(root, "Cargo.toml"), listed);
}

#[test]
fn two_new_exercises_at_the_same_moment_are_both_listed() {
    let house = house();
    let root = house.path();
    let started: Vec<_> = [("one", "01"), ("two", "02"), ("three", "03")]
        .map(|(slug, number)| course(root, &["new-exercise", slug, "--number", number]))
        .into_iter()
        .map(|mut command| command.spawn().unwrap())
        .collect();
    for mut child in started {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    let manifest = read(root, "Cargo.toml");
    for name in ["01-one", "02-two", "03-three"] {
        for shelf in ["exercises", "solutions"] {
            let line = format!("    \"{shelf}/{name}\",\n");
            assert_eq!(manifest.matches(&line).count(), 1, "{manifest}");
        }
    }
}

#[test]
fn an_exercise_that_the_workspace_does_not_list_is_complained_of() {
    let house = house();
    let root = house.path();
    let name = finished(root, "one");
    let line = format!("    \"exercises/{name}\",\n");
    let manifest = read(root, "Cargo.toml");
    assert!(manifest.contains(&line), "{manifest}");
    write(root, "Cargo.toml", &manifest.replace(&line, ""));
    let output = run(root, &["verify"]);
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8_lossy(&output.stdout);
    assert!(
        words.contains(&format!("exercises/{name} is not among the members")),
        "{words}"
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_everything() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let house = house();
    let root = house.path();
    let name = finished(root, "one");
    // It says who it is, and stays.
    let solution = format!(
        "//! It.\n\n/// Tables.\npub fn tables(_: u32) -> u32 {{\n    std::fs::write({:?}, std::process::id().to_string()).unwrap();\n    loop {{ std::thread::park() }}\n}}\n",
        root.join("here")
    );
    write(root, &format!("solutions/{name}/src/lib.rs"), &solution);
    let mut child = course(root, &["verify"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let here = root.join("here");
    let id = loop {
        match fs::read_to_string(&here) {
            Ok(id) if !id.is_empty() => break id,
            _ => std::thread::sleep(std::time::Duration::from_millis(20)),
        }
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended by itself, and the solution never ran"
        );
    };
    let interrupt = |signal: &str, id: &str| {
        Command::new("kill")
            .args([signal, id])
            .output()
            .unwrap()
            .status
            .success()
    };
    assert!(interrupt("-INT", &child.id().to_string()));
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let last = lines.map_while(Result::ok).last();
    assert_eq!(last.as_deref(), Some("The verification was stopped."));
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!interrupt("-0", &id), "the solution's test is still there");
}
