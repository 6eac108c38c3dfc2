//! Upgrades never touch a learner's work: real repositories, an upstream and its clone, and what `upgrade-check` says of them.
//!
//! Without git these tests have nothing to do, and pass.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::scratch_course;
use serde_json::Value;

/// Twenty lines, so that git has something to merge.
fn starter(name: &str) -> String {
    let lines = (1..=20).map(|n| format!("// {name}, line {n}\n"));
    lines.collect()
}

/// The starter with a learner's line in it.
fn answer(name: &str) -> String {
    starter(name).replace("line 15\n", "line 15, by the learner\n")
}

/// The same starter, a version later.
fn newer(name: &str) -> String {
    starter(name).replace("line 5\n", "line 5, improved\n")
}

fn write(path: PathBuf, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn lib(root: &Path, folder: &str) -> PathBuf {
    root.join("exercises").join(folder).join("src/lib.rs")
}

/// Writes an exercise as the course ships it.
fn ship(root: &Path, folder: &str, starter: &str) {
    let (number, slug) = folder.split_once('-').unwrap();
    let exercise = root.join("exercises").join(folder);
    write(
        exercise.join("Cargo.toml"),
        &format!("[package]\nname = \"exercise-{number}\"\nedition = \"2024\"\n"),
    );
    write(
        exercise.join("exercise.toml"),
        &format!(
            "number = \"{number}\"\nslug = \"{slug}\"\ntitle = \"The {slug}\"\nchapter = \"one\"\nminutes = 10\nhints = [\"look\", \"think\", \"nearly\"]\nafter = \"Read on.\"\n"
        ),
    );
    write(exercise.join("tests/it.rs"), "// the tests\n");
    write(lib(root, folder), starter);
    let solution = root.join("solutions").join(folder);
    write(solution.join("starter.rs"), starter);
    write(solution.join("src/lib.rs"), "// the solution\n");
}

/// A course of three exercises.
fn course() -> tempfile::TempDir {
    let root = scratch_course();
    for name in ["03-plates", "04-orders", "05-pass"] {
        ship(root.path(), name, &starter(name));
    }
    let attributes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.gitattributes");
    fs::copy(attributes, root.path().join(".gitattributes")).unwrap();
    write(root.path().join(".gitignore"), "target/\n/.progress\n");
    root
}

fn git_with(folder: &Path, args: &[&str]) -> Output {
    Command::new("git")
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", folder.join("no-such-file"))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C")
        .env("GIT_EDITOR", "true")
        .envs([
            ("GIT_AUTHOR_NAME", "A"),
            ("GIT_AUTHOR_EMAIL", "a@example.org"),
        ])
        .envs([
            ("GIT_COMMITTER_NAME", "A"),
            ("GIT_COMMITTER_EMAIL", "a@example.org"),
        ])
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .stdin(Stdio::null())
        .output()
        .expect("git runs")
}

#[track_caller]
fn git(folder: &Path, args: &[&str]) -> String {
    let output = git_with(folder, args);
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "git {args:?}: {said}");
    said
}

/// Git is asked to do what it cannot, and says so.
#[track_caller]
fn git_stops(folder: &Path, args: &[&str]) {
    let output = git_with(folder, args);
    assert!(!output.status.success(), "git {args:?} has not stopped");
}

/// An upstream, and the clone in which somebody learns.
struct Lab {
    _folders: (tempfile::TempDir, tempfile::TempDir),
    up: PathBuf,
    mine: PathBuf,
}

fn lab() -> Option<Lab> {
    if Command::new("git").arg("--version").output().is_err() {
        eprintln!("There is no git here, so there is nothing to try.");
        return None;
    }
    let up = course();
    git(up.path(), &["init", "--quiet", "--initial-branch", "main"]);
    commit(up.path());
    let place = tempfile::tempdir().unwrap();
    let mine = place.path().join("my course");
    let from = up.path().to_str().unwrap().to_owned();
    let to = mine.to_str().unwrap().to_owned();
    git(place.path(), &["clone", "--quiet", &from, &to]);
    Some(Lab {
        up: up.path().to_owned(),
        mine,
        _folders: (up, place),
    })
}

#[track_caller]
fn commit(folder: &Path) {
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", "A change"]);
}

impl Lab {
    /// Upstream ships a newer starter.
    fn upstream_improves(&self, folder: &str) {
        ship(&self.up, folder, &newer(folder));
        commit(&self.up);
    }

    fn edit(&self, folder: &str) {
        fs::write(lib(&self.mine, folder), answer(folder)).unwrap();
    }

    #[track_caller]
    fn ask(&self, more: &[&str]) -> Value {
        ask(&self.mine, more)
    }

    /// Nothing of the learner's has been touched.
    #[track_caller]
    fn has_my_answer(&self, folder: &str) {
        assert_eq!(read(lib(&self.mine, folder)), answer(folder));
    }

    #[track_caller]
    fn has_new_starter(&self, folder: &str) {
        assert_eq!(read(lib(&self.mine, folder)), newer(folder));
    }
}

fn run(root: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_course"))
        .arg("upgrade-check")
        .args(args)
        .arg("--root")
        .arg(root)
        .env("GIT_CONFIG_GLOBAL", root.join("no-such-file"))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[track_caller]
fn ask(root: &Path, more: &[&str]) -> Value {
    let mut args = more.to_vec();
    args.push("--json");
    let output = run(root, &args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{more:?}: {said}");
    serde_json::from_slice(&output.stdout).expect("one object of JSON")
}

#[track_caller]
fn refuses(root: &Path, args: &[&str], status: i32, words: &str) {
    let output = run(root, args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
    assert!(said.contains(words), "{args:?}: {said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{args:?}: {said}");
}

/// What is said of one exercise.
#[track_caller]
fn of<'a>(answer: &'a Value, number: &str) -> &'a Value {
    let all = answer["exercises"].as_array().unwrap();
    all.iter()
        .find(|one| one["number"] == number)
        .unwrap_or_else(|| panic!("nothing is said of {number}: {answer:#}"))
}

#[track_caller]
fn copy_of(answer: &Value) -> String {
    let copy = answer["taken"][0]["copy"]
        .as_str()
        .unwrap_or_else(|| panic!("nothing was taken: {answer:#}"));
    read(copy.into())
}

#[test]
fn where_nothing_is_new_nothing_is_said() {
    let Some(lab) = lab() else { return };
    lab.edit("03-plates");
    let answer = lab.ask(&[]);
    assert_eq!(answer["exercises"], serde_json::json!([]));
    assert_eq!(answer["sentence"], "Nothing is new upstream.");
    assert_eq!(answer["compared_with"], "origin/main");
    lab.has_my_answer("03-plates");
}

#[test]
fn without_fetch_the_answer_is_about_what_was_fetched_and_says_so() {
    let Some(lab) = lab() else { return };
    lab.upstream_improves("03-plates");
    assert_eq!(lab.ask(&[])["new_commits"], 0);
    let said = String::from_utf8(run(&lab.mine, &[]).stdout).unwrap();
    assert!(
        said.contains("as it was when this folder was cloned"),
        "{said}"
    );
    let answer = lab.ask(&["--fetch"]);
    assert_eq!(answer["new_commits"], 1);
    let said = String::from_utf8(run(&lab.mine, &[]).stdout).unwrap();
    assert!(said.contains("as it was fetched on"), "{said}");
    assert_eq!(of(&answer, "03")["pull"], "takes");
}

#[test]
fn new_tests_and_hints_come_and_the_work_stays() {
    let Some(lab) = lab() else { return };
    lab.edit("03-plates");
    write(
        lab.up.join("exercises/03-plates/tests/it.rs"),
        "// better\n",
    );
    commit(&lab.up);
    let answer = lab.ask(&["--fetch"]);
    let one = of(&answer, "03");
    assert_eq!(
        (&one["pull"], &one["parts"][0]),
        (&"leaves".into(), &"tests".into())
    );
    assert!(
        answer["sentence"]
            .as_str()
            .unwrap()
            .starts_with("`git pull` brings all")
    );
    git(&lab.mine, &["pull"]);
    lab.has_my_answer("03-plates");
    assert_eq!(
        read(lab.mine.join("exercises/03-plates/tests/it.rs")),
        "// better\n"
    );
}

#[test]
fn a_refused_pull_is_foretold_and_take_makes_way_for_it() {
    let Some(lab) = lab() else { return };
    lab.edit("03-plates");
    lab.edit("04-orders");
    lab.upstream_improves("03-plates");
    let answer = lab.ask(&["--fetch"]);
    assert_eq!(of(&answer, "03")["pull"], "refuses");
    git_stops(&lab.mine, &["pull"]);
    lab.has_my_answer("03-plates");

    let answer = lab.ask(&["--take", "3"]);
    assert_eq!(copy_of(&answer), self::answer("03-plates"));
    assert_eq!(of(&answer, "03")["pull"], "takes");
    git(&lab.mine, &["pull"]);
    lab.has_new_starter("03-plates");
    lab.has_my_answer("04-orders");

    // The copy goes back, as the sentence says; then it stands on an older starter, and that is seen.
    let copy = answer["taken"][0]["copy"].as_str().unwrap();
    fs::copy(copy, lib(&lab.mine, "03-plates")).unwrap();
    let answer = lab.ask(&[]);
    let one = of(&answer, "03");
    assert_eq!(
        (&one["older_starter"], &one["pull"]),
        (&true.into(), &"leaves".into())
    );
    let taken = lab.ask(&["--take"]);
    assert_eq!(copy_of(&taken), self::answer("03-plates"));
    lab.has_new_starter("03-plates");
    lab.has_my_answer("04-orders");
}

#[test]
fn whoever_works_the_changes_in_stands_on_the_newer_starter() {
    let Some(lab) = lab() else { return };
    lab.upstream_improves("03-plates");
    git(&lab.mine, &["pull"]);
    let both = newer("03-plates").replace("line 15\n", "line 15, by the learner\n");
    fs::write(lib(&lab.mine, "03-plates"), both).unwrap();
    assert_eq!(lab.ask(&[])["exercises"], serde_json::json!([]));
}

#[test]
fn a_merge_leaves_the_committed_answer_whole() {
    let Some(lab) = lab() else { return };
    lab.edit("03-plates");
    commit(&lab.mine);
    lab.upstream_improves("03-plates");
    lab.upstream_improves("04-orders");
    let answer = lab.ask(&["--fetch"]);
    assert_eq!(of(&answer, "03")["pull"], "conflicts");
    assert!(
        answer["sentence"]
            .as_str()
            .unwrap()
            .contains("git pull --no-rebase")
    );
    // Too early: it says so, and changes nothing.
    let early = lab.ask(&["--take", "03"]);
    assert!(
        early["taken"][0]["sentence"]
            .as_str()
            .unwrap()
            .starts_with("Pull first")
    );
    lab.has_my_answer("03-plates");

    git_stops(&lab.mine, &["pull", "--no-rebase"]);
    lab.has_my_answer("03-plates");
    let answer = lab.ask(&[]);
    assert_eq!(answer["unfinished"], "merge");
    assert_eq!(of(&answer, "03")["pull"], "unfinished");
    // What the merge has brought already is not taken for the learner's work.
    assert_eq!(
        answer["exercises"].as_array().unwrap().len(),
        1,
        "{answer:#}"
    );
    assert_eq!(answer["blocked"], serde_json::json!([]));
    // To keep it, as the sentence says.
    git(&lab.mine, &["add", "exercises/03-plates/src/lib.rs"]);
    let answer = lab.ask(&[]);
    assert!(
        answer["sentence"]
            .as_str()
            .unwrap()
            .starts_with("A merge is not finished"),
        "{answer:#}"
    );
    git(&lab.mine, &["commit", "--no-edit", "--quiet"]);
    lab.has_my_answer("03-plates");
    let answer = lab.ask(&[]);
    assert_eq!(of(&answer, "03")["older_starter"], true);
}

#[test]
fn the_new_starter_can_be_taken_in_the_middle_of_a_merge() {
    let Some(lab) = lab() else { return };
    lab.edit("03-plates");
    commit(&lab.mine);
    lab.upstream_improves("03-plates");
    git_stops(&lab.mine, &["pull", "--no-rebase"]);
    let answer = lab.ask(&["--take", "03"]);
    assert_eq!(copy_of(&answer), self::answer("03-plates"));
    lab.has_new_starter("03-plates");
    git(&lab.mine, &["add", "exercises/03-plates/src/lib.rs"]);
    git(&lab.mine, &["commit", "--no-edit", "--quiet"]);
    lab.has_new_starter("03-plates");
    assert_eq!(lab.ask(&[])["exercises"], serde_json::json!([]));
}

#[test]
fn what_was_written_in_the_middle_of_a_merge_is_kept_too() {
    let Some(lab) = lab() else { return };
    lab.edit("03-plates");
    commit(&lab.mine);
    lab.upstream_improves("03-plates");
    git_stops(&lab.mine, &["pull", "--no-rebase"]);
    fs::write(lib(&lab.mine, "03-plates"), "// something else\n").unwrap();
    let answer = lab.ask(&["--take", "03"]);
    assert_eq!(copy_of(&answer), "// something else\n");
    let copies = fs::read_dir(lab.mine.join(".progress/backups/03-plates")).unwrap();
    assert_eq!(copies.count(), 2);
}

#[test]
fn a_rebase_leaves_the_new_starter_and_the_answer_comes_back() {
    for take in [false, true] {
        let Some(lab) = lab() else { return };
        lab.edit("03-plates");
        commit(&lab.mine);
        lab.upstream_improves("03-plates");
        git_stops(&lab.mine, &["pull", "--rebase"]);
        lab.has_new_starter("03-plates");
        let answer = lab.ask(if take { &["--take"] } else { &[] });
        assert_eq!(answer["unfinished"], "rebase");
        let file = "exercises/03-plates/src/lib.rs";
        let sentence = of(&answer, "03")["sentence"].as_str().unwrap();
        assert!(
            sentence.contains(&format!("git checkout --theirs -- {file}")),
            "{sentence}"
        );
        if take {
            assert_eq!(copy_of(&answer), self::answer("03-plates"));
        } else {
            git(&lab.mine, &["checkout", "--theirs", "--", file]);
        }
        git(&lab.mine, &["add", file]);
        match take {
            // Nothing is left of the commit: git skips it, or wants to be told.
            true => drop(git_with(&lab.mine, &["rebase", "--continue"])),
            false => drop(git(&lab.mine, &["rebase", "--continue"])),
        }
        match take {
            true => lab.has_new_starter("03-plates"),
            false => lab.has_my_answer("03-plates"),
        }
    }
}

#[test]
fn a_stash_is_recognised_and_its_work_comes_back() {
    for take in [false, true] {
        let Some(lab) = lab() else { return };
        lab.edit("03-plates");
        lab.upstream_improves("03-plates");
        git(&lab.mine, &["stash", "push", "--quiet"]);
        git(&lab.mine, &["pull", "--quiet"]);
        git_stops(&lab.mine, &["stash", "pop"]);
        lab.has_new_starter("03-plates");
        let answer = lab.ask(if take { &["--take", "03"] } else { &[] });
        let sentence = of(&answer, "03")["sentence"].as_str().unwrap();
        assert!(sentence.contains("still in the stash"), "{sentence}");
        if take {
            assert_eq!(copy_of(&answer), self::answer("03-plates"));
            lab.has_new_starter("03-plates");
        } else {
            git(
                &lab.mine,
                &[
                    "checkout",
                    "--theirs",
                    "--",
                    "exercises/03-plates/src/lib.rs",
                ],
            );
            lab.has_my_answer("03-plates");
        }
    }
}

/// Upstream puts a new exercise in front, and the numbers behind it move.
fn renumber(up: &Path, change_starter: bool) {
    for (old, new) in [("05-pass", "06-pass"), ("04-orders", "05-orders")] {
        for top in ["exercises", "solutions"] {
            fs::rename(up.join(top).join(old), up.join(top).join(new)).unwrap();
        }
        let text = match change_starter {
            true => newer(old),
            false => starter(old),
        };
        ship(up, new, &text);
    }
    ship(up, "04-glasses", &starter("04-glasses"));
    commit(up);
}

#[test]
fn a_renumbered_exercise_takes_its_uncommitted_work_along_by_hand() {
    let Some(lab) = lab() else { return };
    lab.edit("04-orders");
    renumber(&lab.up, false);
    let answer = lab.ask(&["--fetch"]);
    let moved = of(&answer, "04");
    // There are two that are called 04: the one here, and the new one.
    assert!(answer.to_string().contains("It is new."), "{answer:#}");
    let moved = match moved["slug"] == "orders" {
        true => moved,
        false => answer["exercises"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["slug"] == "orders")
            .unwrap(),
    };
    assert_eq!(
        (&moved["moved_to"], &moved["pull"]),
        (&"05".into(), &"refuses".into())
    );
    git_stops(&lab.mine, &["pull"]);
    lab.has_my_answer("04-orders");
    let answer = lab.ask(&["--take", "orders"]);
    assert_eq!(copy_of(&answer), self::answer("04-orders"));
    let sentence = answer["taken"][0]["sentence"]
        .as_str()
        .unwrap()
        .replace('\\', "/");
    assert!(
        sentence.contains("exercises/05-orders/src/lib.rs"),
        "{sentence}"
    );
    git(&lab.mine, &["pull"]);
    assert_eq!(read(lib(&lab.mine, "05-orders")), starter("04-orders"));
}

#[test]
fn a_renumbered_exercise_takes_its_committed_answer_along() {
    for change_starter in [false, true] {
        let Some(lab) = lab() else { return };
        lab.edit("04-orders");
        commit(&lab.mine);
        renumber(&lab.up, change_starter);
        let answer = lab.ask(&["--fetch"]);
        let all = answer["exercises"].as_array().unwrap();
        let moved = all.iter().find(|one| one["slug"] == "orders").unwrap();
        assert_eq!(
            moved["pull"],
            if change_starter { "conflicts" } else { "moves" }
        );
        match change_starter {
            true => git_stops(&lab.mine, &["pull", "--no-rebase", "--no-edit"]),
            false => drop(git(&lab.mine, &["pull", "--no-rebase", "--no-edit"])),
        }
        assert_eq!(read(lib(&lab.mine, "05-orders")), self::answer("04-orders"));
        if change_starter {
            let answer = lab.ask(&["--take"]);
            assert_eq!(copy_of(&answer), self::answer("04-orders"));
            assert_eq!(read(lib(&lab.mine, "05-orders")), newer("04-orders"));
        }
    }
}

#[test]
fn the_work_of_an_exercise_that_is_gone_is_kept() {
    let Some(lab) = lab() else { return };
    lab.edit("05-pass");
    fs::remove_dir_all(lab.up.join("exercises/05-pass")).unwrap();
    fs::remove_dir_all(lab.up.join("solutions/05-pass")).unwrap();
    commit(&lab.up);
    let answer = lab.ask(&["--fetch"]);
    assert_eq!(
        (&of(&answer, "05")["upstream"], &of(&answer, "05")["pull"]),
        (&"gone".into(), &"refuses".into())
    );
    git_stops(&lab.mine, &["pull"]);
    let answer = lab.ask(&["--take"]);
    assert_eq!(copy_of(&answer), self::answer("05-pass"));
    git(&lab.mine, &["pull"]);
    assert!(!lib(&lab.mine, "05-pass").exists());
    assert_eq!(
        read(answer["taken"][0]["copy"].as_str().unwrap().into()),
        self::answer("05-pass")
    );
}

#[test]
fn a_committed_answer_to_an_exercise_that_is_gone_stays_until_it_is_let_go() {
    let Some(lab) = lab() else { return };
    lab.edit("05-pass");
    commit(&lab.mine);
    fs::remove_dir_all(lab.up.join("exercises/05-pass")).unwrap();
    fs::remove_dir_all(lab.up.join("solutions/05-pass")).unwrap();
    commit(&lab.up);
    assert_eq!(of(&lab.ask(&["--fetch"]), "05")["pull"], "conflicts");
    let answer = lab.ask(&["--take", "05"]);
    assert_eq!(copy_of(&answer), self::answer("05-pass"));
    lab.has_my_answer("05-pass");
    git_stops(&lab.mine, &["pull", "--no-rebase", "--no-edit"]);
    lab.has_my_answer("05-pass");
    let answer = lab.ask(&["--take"]);
    assert_eq!(copy_of(&answer), self::answer("05-pass"));
    git(
        &lab.mine,
        &["rm", "--quiet", "--force", "exercises/05-pass/src/lib.rs"],
    );
    git(&lab.mine, &["commit", "--no-edit", "--quiet"]);
    assert_eq!(lab.ask(&[])["exercises"], serde_json::json!([]));
}

#[test]
fn what_is_staged_is_unstaged_first() {
    let Some(lab) = lab() else { return };
    lab.edit("03-plates");
    let file = "exercises/03-plates/src/lib.rs";
    git(&lab.mine, &["add", file]);
    lab.upstream_improves("03-plates");
    let answer = lab.ask(&["--fetch", "--take", "03"]);
    assert_eq!(copy_of(&answer), self::answer("03-plates"));
    let unstage = format!("git restore --staged {file}");
    assert!(
        answer["taken"][0]["sentence"]
            .as_str()
            .unwrap()
            .contains(&unstage),
        "{answer:#}"
    );
    // Until then a pull goes on refusing, and it is told a second time.
    git_stops(&lab.mine, &["pull"]);
    let again = lab.ask(&["--take", "03"]);
    assert!(
        again["taken"][0]["sentence"]
            .as_str()
            .unwrap()
            .contains(&unstage),
        "{again:#}"
    );
    git(&lab.mine, &["restore", "--staged", file]);
    git(&lab.mine, &["pull"]);
    lab.has_new_starter("03-plates");
}

#[test]
fn a_file_that_is_not_there_hinders_no_pull() {
    let Some(lab) = lab() else { return };
    fs::remove_file(lib(&lab.mine, "03-plates")).unwrap();
    lab.upstream_improves("03-plates");
    let answer = lab.ask(&["--fetch", "--take"]);
    assert_eq!(answer["taken"], serde_json::json!([]));
    git(&lab.mine, &["pull"]);
    lab.has_new_starter("03-plates");
}

#[test]
fn line_endings_that_git_changes_are_no_work_and_hinder_no_pull() {
    let Some(lab) = lab() else { return };
    // As git for Windows does it.
    let (up, mine) = (lab.up.to_str().unwrap(), lab.mine.with_file_name("windows"));
    git(
        &lab.up,
        &[
            "clone",
            "--quiet",
            "--config",
            "core.autocrlf=true",
            up,
            mine.to_str().unwrap(),
        ],
    );
    let windows = |text: String| text.replace('\n', "\r\n");
    assert_eq!(read(lib(&mine, "04-orders")), windows(starter("04-orders")));
    fs::write(lib(&mine, "03-plates"), windows(answer("03-plates"))).unwrap();
    // An editor that puts other line endings than git did.
    fs::write(lib(&mine, "05-pass"), starter("05-pass")).unwrap();
    for folder in ["03-plates", "04-orders", "05-pass"] {
        lab.upstream_improves(folder);
    }
    let answer = ask(&mine, &["--fetch"]);
    assert_eq!(of(&answer, "03")["pull"], "refuses");
    assert_eq!(of(&answer, "04")["pull"], "takes");
    let is_refused = of(&answer, "05")["pull"] == "refuses";
    assert_eq!(of(&answer, "05")["edited"], false);
    git_stops(&mine, &["pull"]);
    let taken = ask(&mine, &["--take"]);
    assert_eq!(copy_of(&taken), windows(self::answer("03-plates")));
    assert_eq!(
        taken["taken"].as_array().unwrap().len(),
        1 + usize::from(is_refused)
    );
    git(&mine, &["pull"]);
    assert_eq!(ask(&mine, &[])["exercises"], serde_json::json!([]));
}

#[test]
fn the_pull_that_is_named_works_whatever_is_configured() {
    for (settings, own_commit) in [
        (&["pull.rebase", "true"][..], false),
        (&["pull.rebase", "true"], true),
        (&["branch.main.rebase", "merges"], true),
        (&["pull.ff", "only"], true),
        (&["pull.ff", "only"], false),
        (&["color.ui", "always"], true),
    ] {
        let Some(lab) = lab() else { return };
        git(&lab.mine, &["config", settings[0], settings[1]]);
        if own_commit {
            lab.edit("05-pass");
            commit(&lab.mine);
        }
        lab.edit("04-orders");
        lab.upstream_improves("03-plates");
        let answer = lab.ask(&["--fetch"]);
        let sentence = answer["sentence"].as_str().unwrap();
        let command = sentence
            .strip_prefix("`git ")
            .and_then(|rest| rest.split_once("` brings all of it"))
            .unwrap_or_else(|| panic!("{settings:?}: {sentence}"))
            .0;
        git(&lab.mine, &command.split(' ').collect::<Vec<_>>());
        lab.has_new_starter("03-plates");
        lab.has_my_answer("04-orders");
        // A second version of a starter is in the history now, and its colours do not confuse anybody.
        assert_eq!(lab.ask(&[])["exercises"], serde_json::json!([]));
    }
}

#[test]
fn a_shallow_clone_a_loose_head_and_another_history_are_compared_too() {
    let Some(lab) = lab() else { return };
    lab.upstream_improves("04-orders");
    let shallow = lab.mine.with_file_name("shallow");
    let from = format!("file://{}", lab.up.display());
    // Where addresses of that kind are not taken, there is nothing to try.
    let cloned = git_with(
        &lab.up,
        &[
            "clone",
            "--quiet",
            "--depth",
            "1",
            &from,
            shallow.to_str().unwrap(),
        ],
    );
    if cloned.status.success() {
        fs::write(lib(&shallow, "03-plates"), answer("03-plates")).unwrap();
        lab.upstream_improves("03-plates");
        assert_eq!(of(&ask(&shallow, &["--fetch"]), "03")["pull"], "refuses");
    }
    git(&lab.mine, &["checkout", "--quiet", "--detach"]);
    let answer = lab.ask(&["--fetch"]);
    assert_eq!(answer["compared_with"], "origin/main");
    assert!(
        answer["sentence"]
            .as_str()
            .unwrap()
            .starts_with("`git merge origin/main`")
    );

    git(&lab.mine, &["checkout", "--quiet", "--orphan", "other"]);
    refuses(&lab.mine, &[], 3, "no commit yet");
    commit(&lab.mine);
    lab.edit("04-orders");
    assert_eq!(of(&lab.ask(&[]), "04")["parts"][0], "starter");
}

#[test]
fn a_work_that_is_no_text_is_left_alone() {
    let Some(lab) = lab() else { return };
    let bytes = b"\xff\xfeu\0t\0f\0";
    fs::write(lib(&lab.mine, "03-plates"), bytes).unwrap();
    lab.upstream_improves("03-plates");
    lab.ask(&["--fetch"]);
    refuses(&lab.mine, &["--take", "03"], 3, "cannot be read");
    assert_eq!(fs::read(lib(&lab.mine, "03-plates")).unwrap(), bytes);
}

#[test]
fn what_git_leaves_in_a_folder_that_is_gone_hinders_nobody() {
    let Some(lab) = lab() else { return };
    // The course lists its packages by name. That of this test does, too.
    list_packages(&lab.up);
    commit(&lab.up);
    git(&lab.mine, &["pull"]);
    renumber(&lab.up, false);
    list_packages(&lab.up);
    commit(&lab.up);
    // An editor, or a Finder, or a build has left something in the folder of an exercise that moves.
    write(lab.mine.join("exercises/05-pass/target/x"), "");
    write(lab.mine.join("exercises/05-pass/my notes.txt"), "");
    let answer = lab.ask(&["--fetch"]);
    let left = serde_json::json!({
        "exercises/05-pass": ["exercises/05-pass/my notes.txt", "exercises/05-pass/target/x"]
    });
    assert_eq!(answer["left_over"], left);
    assert!(answer["advice"].to_string().contains("hinders nobody"));
    git(&lab.mine, &["pull"]);
    // So it is: nothing but that is left, and it is left.
    assert!(lab.mine.join("exercises/05-pass/target/x").exists());
    assert!(!lab.mine.join("exercises/05-pass/Cargo.toml").exists());
    assert!(!lab.mine.join("exercises/04-orders").exists());
    // Cargo starts, and so does every command that needs it.
    let loads = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--no-deps", "--format-version=1"])
        .current_dir(&lab.mine)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&loads.stderr);
    assert!(loads.status.success(), "{said}");
    let packages: Value = serde_json::from_slice(&loads.stdout).unwrap();
    assert_eq!(packages["packages"].as_array().unwrap().len(), 4);
}

/// Writes the workspace's list as the course has it.
fn list_packages(root: &Path) {
    let mut folders: Vec<_> = fs::read_dir(root.join("exercises"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| format!("    \"exercises/{name}\",\n"))
        .collect();
    folders.sort();
    let list = format!(
        "[workspace]\nresolver = \"3\"\nmembers = [\n{}]\n",
        folders.concat()
    );
    write(root.join("Cargo.toml"), &list);
}

#[test]
fn another_file_in_the_way_of_a_pull_is_named() {
    let Some(lab) = lab() else { return };
    write(lab.up.join("book/src/index.md"), "# Front\n\nNew.\n");
    write(lab.up.join("notes.txt"), "theirs\n");
    commit(&lab.up);
    write(lab.mine.join("book/src/index.md"), "# Front\n\nMine.\n");
    write(lab.mine.join("notes.txt"), "mine\n");
    let answer = lab.ask(&["--fetch"]);
    assert_eq!(
        answer["blocked"],
        serde_json::json!(["book/src/index.md", "notes.txt"])
    );
    git_stops(&lab.mine, &["pull"]);
    git(
        &lab.mine,
        &["stash", "push", "-u", "book/src/index.md", "notes.txt"],
    );
    git(&lab.mine, &["pull"]);
}

#[test]
fn take_never_writes_where_no_copy_can_be_made() {
    let Some(lab) = lab() else { return };
    lab.edit("03-plates");
    lab.upstream_improves("03-plates");
    lab.ask(&["--fetch"]);
    // A file in the place of the folder stops even a user who may write everywhere.
    fs::write(lab.mine.join(".progress"), "").unwrap();
    refuses(&lab.mine, &["--take", "03"], 3, "so nothing was changed");
    lab.has_my_answer("03-plates");
}

#[test]
fn what_cannot_be_asked_gets_a_sentence() {
    let Some(lab) = lab() else { return };
    refuses(
        &lab.mine,
        &["--take", "99"],
        2,
        "There is no exercise 99; there are 03, 04 and 05.",
    );
    refuses(
        &lab.mine,
        &["--take", "03"],
        2,
        "There is nothing new to take for exercise 03",
    );
    refuses(
        &lab.mine,
        &["--against", "no/such"],
        2,
        "no/such is no commit or branch",
    );
    refuses(
        &lab.mine,
        &["--against=--all"],
        2,
        "--all is no commit or branch",
    );
    git(&lab.mine, &["remote", "remove", "origin"]);
    refuses(&lab.mine, &[], 3, "has no upstream");
}

#[test]
fn a_fork_is_compared_with_the_original() {
    let Some(lab) = lab() else { return };
    let original = lab.up.to_str().unwrap();
    git(&lab.mine, &["remote", "add", "upstream", original]);
    lab.upstream_improves("03-plates");
    let answer = lab.ask(&["--fetch"]);
    assert_eq!(answer["compared_with"], "upstream/main");
    assert!(
        answer["sentence"]
            .as_str()
            .unwrap()
            .contains("`git merge upstream/main`")
    );
}

#[test]
fn without_a_repository_or_without_git_the_other_way_is_named() {
    let root = course();
    if lab().is_some() {
        refuses(root.path(), &[], 3, "is no git repository");
        // Inside a repository of something else it is none, either.
        let outer = tempfile::tempdir().unwrap();
        git(outer.path(), &["init", "--quiet"]);
        let inner = outer.path().join("course");
        fs::rename(root.path(), &inner).unwrap();
        refuses(&inner, &[], 3, "is no git repository");
        fs::rename(&inner, root.path()).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_course"))
        .args(["upgrade-check", "--root"])
        .arg(root.path())
        .env("PATH", root.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("git was not found") && said.contains("--from"),
        "{said}"
    );
}

#[test]
fn work_comes_over_from_an_older_folder() {
    let (old, new) = (course(), course());
    let (old, new) = (old.path(), new.path());
    // Upstream has renumbered, improved and dropped, as above.
    fs::remove_dir_all(new.join("exercises/05-pass")).unwrap();
    fs::remove_dir_all(new.join("solutions/05-pass")).unwrap();
    for top in ["exercises", "solutions"] {
        fs::rename(
            new.join(top).join("04-orders"),
            new.join(top).join("06-orders"),
        )
        .unwrap();
    }
    ship(new, "06-orders", &newer("04-orders"));
    for folder in ["04-orders", "05-pass"] {
        fs::write(lib(old, folder), answer(folder)).unwrap();
    }
    write(
        old.join(".progress/progress.json"),
        r#"{"version":1,"board":"x","exercises":{"04":{"passed_on":"2026-01-02","hints":2},"05":{"hints":1}}}"#,
    );
    write(
        old.join(".progress/backups/04-orders/2026.rs"),
        "// older still\n",
    );
    write(
        new.join(".progress/progress.json"),
        r#"{"version":1,"exercises":{"06":{"passed_on":"2026-03-04","hints":1,"last":"fails"}}}"#,
    );

    let from = old.to_str().unwrap();
    let seen = ask(new, &["--from", from]);
    assert_eq!(of(&seen, "04")["here"], "starter");
    assert_eq!(of(&seen, "04")["number_here"], "06");
    assert_eq!(of(&seen, "04")["starter_changed"], true);
    assert_eq!(of(&seen, "05")["here"], "gone");
    assert_eq!(read(lib(new, "06-orders")), newer("04-orders"));

    let taken = ask(new, &["--from", from, "--take"]);
    assert_eq!(taken["taken"].as_array().unwrap().len(), 2);
    assert_eq!(read(lib(new, "06-orders")), answer("04-orders"));
    assert_eq!(
        read(taken["taken"][1]["copy"].as_str().unwrap().into()),
        answer("05-pass")
    );
    let progress: Value = serde_json::from_str(&read(new.join(".progress/progress.json"))).unwrap();
    let orders = &progress["exercises"]["orders"];
    assert_eq!(
        (&orders["passed_on"], &orders["hints"], &orders["last"]),
        (&"2026-01-02".into(), &2.into(), &"fails".into())
    );
    assert_eq!(progress["board"], "x");
    // What is gone may come back.
    assert_eq!(progress["exercises"]["pass"]["hints"], 1);
    assert_eq!(
        read(new.join(".progress/backups/04-orders/2026.rs")),
        "// older still\n"
    );
    // A second time there is nothing left to do, and the older folder is as it was.
    let again = ask(new, &["--from", from, "--take"]);
    assert_eq!(of(&again, "04")["here"], "same");
    assert_eq!(again["progress"], false);
    assert_eq!(read(lib(old, "04-orders")), answer("04-orders"));
}

#[test]
fn work_in_both_folders_is_brought_over_only_by_name_and_with_a_copy() {
    let (old, new) = (course(), course());
    let (old, new) = (old.path(), new.path());
    fs::write(lib(old, "03-plates"), answer("03-plates")).unwrap();
    fs::write(lib(new, "03-plates"), "// what I did here\n").unwrap();
    let from = old.to_str().unwrap();
    let all = ask(new, &["--from", from, "--take"]);
    assert!(
        all["taken"][0]["sentence"]
            .as_str()
            .unwrap()
            .starts_with("Left alone")
    );
    assert_eq!(read(lib(new, "03-plates")), "// what I did here\n");
    let named = ask(new, &["--from", from, "--take", "03"]);
    assert_eq!(copy_of(&named), "// what I did here\n");
    assert_eq!(read(lib(new, "03-plates")), answer("03-plates"));
}

#[test]
fn a_folder_that_is_no_older_course_gets_a_sentence() {
    let root = course();
    let empty = tempfile::tempdir().unwrap();
    let here = root.path().to_str().unwrap();
    refuses(
        root.path(),
        &["--from", empty.path().to_str().unwrap()],
        2,
        "no copy of the course",
    );
    refuses(
        root.path(),
        &["--from", "no/such/folder"],
        2,
        "no copy of the course",
    );
    refuses(root.path(), &["--from", here], 2, "the same folder");
    let other = course();
    let from = other.path().to_str().unwrap();
    refuses(
        root.path(),
        &["--from", from, "--take", "03"],
        2,
        "There is no work in",
    );
}
