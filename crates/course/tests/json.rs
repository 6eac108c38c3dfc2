//! The answers in JSON have the keys that the page "How to use this book" says, and no others: its tables are what is compared.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use common::{add_exercise, add_solution, scratch_course};
use serde_json::Value;

fn house() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A row of the tables: which answer, where in it, and its keys.
struct Row {
    command: String,
    place: String,
    keys: BTreeSet<String>,
}

/// The tables of the section, with what every exercise has put in its place.
fn documented() -> Vec<Row> {
    let page = fs::read_to_string(house().join("book/src/en/how-to-use.md")).unwrap();
    let section = page.split("{#answers-in-json}").nth(1).unwrap();
    let section = section.split("\n### ").next().unwrap();
    let code = |cell: &str| -> BTreeSet<String> {
        let spans = cell.split('`').skip(1).step_by(2);
        spans.map(str::to_owned).collect()
    };
    let mut exercise = BTreeSet::new();
    let mut rows = Vec::new();
    for line in section.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        match cells[..] {
            ["key" | "command", ..] => {}
            [rule, ..] if rule.starts_with("---") => {}
            [keys, _] => exercise.extend(code(keys)),
            [command, place, keys, _] => {
                let mut all = code(keys);
                if let Some(rest) = keys.strip_prefix("an exercise's") {
                    assert!(rest.starts_with(','), "{line}");
                    all.extend(exercise.clone());
                }
                rows.push(Row {
                    command: command.to_owned(),
                    place: place.trim_matches('`').to_owned(),
                    keys: all,
                });
            }
            _ => panic!("a row of the page has another form: {line}"),
        }
    }
    assert_eq!(exercise.len(), 10, "what every exercise has: {exercise:?}");
    rows
}

/// The objects in an answer at a place such as `exercises[].complaints[]`.
fn at<'a>(answer: &'a Value, place: &str) -> Vec<&'a Value> {
    let mut found = vec![answer];
    for step in place.split('.').filter(|step| !step.is_empty()) {
        let name = step.strip_suffix("[]").expect("a place is an array");
        found = found
            .into_iter()
            .map(|it| if name.is_empty() { it } else { &it[name] })
            // Where a row says that it may be null.
            .filter(|it| !it.is_null())
            .flat_map(|it| it.as_array().unwrap_or_else(|| panic!("{place}: {it}")))
            .collect();
    }
    found
}

fn course(root: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_course"))
        .args(args)
        .arg("--root")
        .arg(root)
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("LOOPBOT_STARTERS")
        .env("CARGO_NET_OFFLINE", "true")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn answer(root: &Path, args: &[&str]) -> Value {
    let args = [args, &["--json"]].concat();
    let output = course(root, &args);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        let words = String::from_utf8_lossy(&output.stderr);
        panic!("{args:?}: {error}; status {}: {words}", output.status)
    })
}

const STARTER: &str = "pub fn f() {\n    todo!()\n}\n";
const SOLVED: &str = "pub fn f() {}\n";
const WRONG: &str = "pub fn f() {\n    panic!(\"not yet\")\n}\n";

/// An exercise with its starter and its solution; `lib` is what the learner has written.
fn exercise(root: &Path, number: &str, lib: &str) {
    let test = "#[test]\nfn f() {\n    exercise::f()\n}\n";
    add_exercise(root, number, lib, Some(test));
    add_solution(root, number, STARTER, SOLVED);
    // In one course, each has a slug of its own.
    for shelf in ["exercises", "solutions"] {
        let shelf = root.join(shelf);
        let (from, to) = (format!("{number}-case"), format!("{number}-case-{number}"));
        fs::rename(shelf.join(from), shelf.join(to)).unwrap();
    }
    let file = root.join(format!("exercises/{number}-case-{number}/exercise.toml"));
    let text = fs::read_to_string(&file).unwrap();
    let slug = format!("slug = \"case-{number}\"");
    fs::write(file, text.replace("slug = \"case\"", &slug)).unwrap();
}

fn lib(root: &Path, number: &str) -> PathBuf {
    root.join(format!("exercises/{number}-case-{number}/src/lib.rs"))
}

fn cargo(root: &Path, args: &[&str]) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let done = Command::new(cargo).args(args).current_dir(root).output();
    assert!(done.unwrap().status.success(), "cargo {args:?}");
}

fn git(folder: &Path, args: &[&str]) {
    let done = Command::new("git")
        .args(["-c", "user.name=A", "-c", "user.email=a@example.org"])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", folder.join("no-such-file"))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// Every answer of the tables, from a course in which there is something of everything; by the name that it has there.
fn answers() -> &'static BTreeMap<&'static str, Value> {
    static ALL: OnceLock<BTreeMap<&'static str, Value>> = OnceLock::new();
    ALL.get_or_init(ask)
}

fn ask() -> BTreeMap<&'static str, Value> {
    let root = scratch_course();
    let root = root.path();
    exercise(root, "01", SOLVED);
    exercise(root, "02", WRONG);
    exercise(root, "03", STARTER);
    fs::write(root.join(".gitignore"), "target/\n/.progress\n/reference\n").unwrap();
    cargo(root, &["generate-lockfile", "--offline"]);
    let house = house();
    let mut all = BTreeMap::from([
        ("list", answer(root, &["list"])),
        ("check 03", answer(root, &["check", "03"])),
        ("check all", answer(root, &["check", "all"])),
        ("hint 03", answer(root, &["hint", "03"])),
        ("solution 03", answer(root, &["solution", "03", "--yes"])),
        ("catch-up 03", answer(root, &["catch-up", "03"])),
        ("verify", answer(root, &["verify"])),
        ("doctor", answer(root, &["doctor"])),
        ("plan", answer(&house, &["plan", "--length", "90"])),
        (
            "look FILE",
            answer(
                &house,
                &[
                    "look",
                    path(&house.join("book/src/recordings/gallery-dns-broken.json")),
                ],
            ),
        ),
    ]);
    let room = tempfile::tempdir().unwrap();
    let archive = room.path().join("a.tar.gz");
    all.insert(
        "bundle",
        answer(root, &["bundle", "--output", path(&archive)]),
    );

    // A newer course, in which the learner has not begun, and this one as the older one beside it.
    let newer = scratch_course();
    for number in ["01", "02", "03"] {
        exercise(newer.path(), number, STARTER);
    }
    let take = ["upgrade-check", "--from", path(root), "--take"];
    all.insert("upgrade-check --from", answer(newer.path(), &take));

    all.insert("reset 03", answer(root, &["reset", "03"]));
    all.insert("reset all", answer(root, &["reset", "all", "--yes"]));
    for number in ["01", "02", "03"] {
        fs::write(lib(root, number), SOLVED).unwrap();
    }
    answer(root, &["check", "all"]);
    all.insert("check, when all have passed", answer(root, &["check"]));

    if Command::new("git").arg("--version").output().is_ok() {
        for number in ["01", "02", "03"] {
            fs::write(lib(root, number), STARTER).unwrap();
        }
        git(root, &["init", "--quiet", "--initial-branch", "main"]);
        git(root, &["add", "--all"]);
        git(root, &["commit", "--quiet", "--message", "it"]);
        let mine = room.path().join("mine");
        git(root, &["clone", "--quiet", path(root), path(&mine)]);
        fs::write(lib(&mine, "02"), WRONG).unwrap();
        let newer = format!("// Newer.\n{STARTER}");
        fs::write(lib(root, "02"), &newer).unwrap();
        fs::write(root.join("solutions/02-case-02/starter.rs"), &newer).unwrap();
        git(root, &["commit", "--quiet", "--all", "--message", "newer"]);
        let take = ["upgrade-check", "--fetch", "--take", "02"];
        all.insert("upgrade-check", answer(&mine, &take));
    } else {
        eprintln!("There is no git here, so `upgrade-check` is left out.");
    }
    all
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn every_answer_has_the_keys_that_the_page_says() {
    let answers = answers();
    let mut seen = BTreeSet::new();
    for Row {
        command,
        place,
        keys,
    } in documented()
    {
        let Some(answer) = answers.get(command.as_str()) else {
            assert_eq!(command, "upgrade-check", "nobody asks for this one");
            continue;
        };
        seen.insert(command.clone());
        let objects = at(answer, &place);
        assert!(
            !objects.is_empty(),
            "{command} {place}: nothing is there to compare: {answer:#}"
        );
        for object in objects {
            let object = object
                .as_object()
                .unwrap_or_else(|| panic!("{command} {place}: {object}"));
            let found: BTreeSet<String> = object.keys().cloned().collect();
            assert_eq!(found, keys, "{command} {place}");
        }
    }
    let asked: BTreeSet<_> = answers.keys().map(|&it| it.to_owned()).collect();
    assert_eq!(seen, asked, "the page has a row for each");
}

/// What else is in an answer is documented, too: an object in an array has a row of its own.
#[test]
fn no_array_of_objects_is_forgotten() {
    let rows = documented();
    for (&command, answer) in answers() {
        let mut places = vec![String::new()];
        while let Some(place) = places.pop() {
            for object in at(answer, &place) {
                if object.is_array() {
                    places.push("[]".into());
                    continue;
                }
                for (key, value) in object.as_object().into_iter().flatten() {
                    let entries = value.as_array().into_iter().flatten();
                    if entries.clone().any(Value::is_object) {
                        let dot = if place.is_empty() { "" } else { "." };
                        places.push(format!("{place}{dot}{key}[]"));
                    }
                }
            }
            places.dedup();
            let has = rows
                .iter()
                .any(|row| row.command == command && row.place == place);
            assert!(
                has || answer.is_array() && place.is_empty(),
                "{command}: {place:?} has no row"
            );
        }
    }
}

#[test]
fn every_command_that_answers_in_json_is_in_the_tables() {
    let help = |command: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_course"))
            .args([command, "--help"])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let all = Command::new(env!("CARGO_BIN_EXE_course"))
        .arg("--help")
        .output()
        .unwrap();
    let all = String::from_utf8(all.stdout).unwrap();
    let commands = all
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        // A description that goes on is indented further.
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.split_whitespace().next().unwrap())
        .filter(|name| *name != "help");
    let have: BTreeSet<String> = commands
        .filter(|name| help(name).contains("--json"))
        .map(str::to_owned)
        .collect();
    let documented: BTreeSet<String> = documented()
        .iter()
        .map(|row| row.command.split([' ', ',']).next().unwrap().to_owned())
        .collect();
    assert_eq!(have, documented);
}
