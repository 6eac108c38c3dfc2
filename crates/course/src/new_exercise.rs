//! `course new-exercise SLUG`: the skeleton that CONTRIBUTING.md describes.
//!
//! The skeleton works as it is, on a small example: the starter fails with its hint, the solution passes, the wrong answers fail
//! with their messages. What its author has to write is marked, and `course verify` lists the marks. Nothing is ever written
//! over, and when something fails midway, what was made is taken away again.

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;

use crate::check;
use crate::cli::print;
use crate::contained::{self, Ended, Limits, Stop, Stream, Streams};
use crate::interrupt;
use crate::members;
use crate::progress;
use crate::starter;
use crate::trouble::{Trouble, status};
use crate::verify::description::TO_WRITE;

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct NewExerciseArgs {
    /// What it is called in paths, such as the-second-bell
    #[arg(value_name = "SLUG")]
    pub slug: String,
    /// Its number [default: the next free one]
    #[arg(long, value_name = "NN")]
    pub number: Option<String>,
    /// Its title [default: the slug, in words]
    #[arg(long, value_name = "TITLE")]
    pub title: Option<String>,
    /// The page of its chapter in book/src/en, without .md
    #[arg(long, value_name = "PAGE")]
    pub chapter: Option<String>,
}

/// Runs it.
pub fn command(root: &Path, args: &NewExerciseArgs) -> anyhow::Result<u8> {
    let plan = plan(root, args)?;
    let interrupt = interrupt::listen()?;
    if !make(root, &plan, interrupt.stop())? {
        remark!("Stopped; nothing is left of exercise {}.", plan.number);
        return Ok(status::INTERRUPTED);
    }
    let Plan { number, folder, .. } = &plan;
    print(&format!(
        "Exercise {number} is made:\n\
        \x20 exercises/{folder}/   what a learner gets: the starter, its test, its description\n\
        \x20 solutions/{folder}/   the solution, a copy of the starter, and wrong answers\n\n\
        It works already, on a small example. Put your own in its place: `cargo course verify {number}` says what is still\n\
        missing, and \"Add an exercise\" in CONTRIBUTING.md how to go about it. Cargo.toml lists both packages now, and Cargo.lock\n\
        has changed, too: commit them.\n"
    ))?;
    Ok(status::DONE)
}

/// What is to be made.
#[derive(Debug)]
struct Plan {
    number: String,
    /// `NN-slug`.
    folder: String,
    /// Every file, from the course's folder on. A folder counts as a package when it has a manifest, so these come last.
    files: Vec<(PathBuf, String)>,
}

impl Plan {
    /// The folders of the two packages, as the workspace lists them.
    fn packages(&self) -> [String; 2] {
        ["exercises", "solutions"].map(|shelf| format!("{shelf}/{}", self.folder))
    }
}

/// Decides what to make, or says in one sentence why it cannot be made.
fn plan(root: &Path, args: &NewExerciseArgs) -> anyhow::Result<Plan> {
    let slug = args.slug.as_str();
    check_slug(slug)?;
    let taken = taken(root)?;
    if let Some((_, folder)) = taken
        .iter()
        .find(|(_, folder)| folder.get(3..) == Some(slug))
    {
        return Err(Trouble::input(format!(
            "There is an exercise {folder} already: give yours another name."
        )));
    }
    let number = match &args.number {
        Some(asked) => asked_number(asked)?,
        None => taken.iter().map(|(number, _)| *number).max().unwrap_or(0) + 1,
    };
    if number > 99 {
        return Err(Trouble::input(
            "There is no number after 99: name a free one with --number.",
        ));
    }
    if let Some((_, folder)) = taken.iter().find(|(other, _)| *other == number) {
        return Err(Trouble::input(format!(
            "The number {number:02} is taken, by {folder}: leave --number out, and the next free one is used."
        )));
    }
    let title = match &args.title {
        Some(title) => one_line("title", title)?,
        None => in_words(slug),
    };
    let chapter = match &args.chapter {
        Some(chapter) => page(chapter)?,
        None => {
            format!("{TO_WRITE}: the page of its chapter in book/src/en, without .md")
        }
    };
    let number = format!("{number:02}");
    let folder = format!("{number}-{slug}");
    let files = files(&number, slug, &title, &chapter);
    Ok(Plan {
        number,
        folder,
        files,
    })
}

/// A slug is part of paths, package names and addresses, on every system.
fn check_slug(slug: &str) -> anyhow::Result<()> {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let begins = slug.starts_with(|first: char| first.is_ascii_lowercase());
    if !begins || slug.len() > 48 || !slug.split('-').all(is_word) {
        return Err(Trouble::input(format!(
            "{slug:?} is no name for an exercise: take lower-case letters and digits, words joined by single hyphens, a letter first, at most 48 in all, such as the-second-bell."
        )));
    }
    // The test program and its file are called so: what the compiler, or Windows, keeps for itself they cannot have.
    const KEPT: [&str; 13] = [
        "alloc",
        "aux",
        "build",
        "con",
        "core",
        "deps",
        "examples",
        "nul",
        "prn",
        "std",
        "test",
        "tests",
        "contained",
    ];
    let device = ["com", "lpt"].iter().any(|it| {
        slug.strip_prefix(it)
            .is_some_and(|rest| rest.len() == 1 && rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    if device || KEPT.contains(&slug) {
        return Err(Trouble::input(format!(
            "{slug:?} means something else to the compiler or to Windows: take more than this one word."
        )));
    }
    Ok(())
}

/// The numbers that are taken, with the folder that has each.
fn taken(root: &Path) -> anyhow::Result<Vec<(u32, String)>> {
    let mut taken = Vec::new();
    for shelf in ["exercises", "solutions"] {
        let shelf = root.join(shelf);
        let entries = match fs::read_dir(&shelf) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.map_err(|error| {
                Trouble::environment(format!("{} cannot be read: {error}.", shelf.display()))
            })?,
        };
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let number = name.split_once('-').map(|(number, _)| number);
            if let Some(number) = number.filter(|it| it.len() == 2)
                && let Ok(number) = number.parse()
            {
                taken.push((number, name));
            }
        }
    }
    taken.sort();
    Ok(taken)
}

fn asked_number(asked: &str) -> anyhow::Result<u32> {
    let number = asked.trim().parse().ok();
    number
        .filter(|number| (1..=99).contains(number))
        .ok_or_else(|| {
            Trouble::input(format!(
                "The number must be one from 01 to 99, and {asked:?} is not."
            ))
        })
}

/// A text that stands in one line of several files.
fn one_line(what: &str, text: &str) -> anyhow::Result<String> {
    let text = text.trim();
    if text.is_empty() || text.len() > 100 || text.chars().any(char::is_control) {
        return Err(Trouble::input(format!(
            "The {what} must be one line of at most 100 characters, and {text:?} is not."
        )));
    }
    Ok(text.to_owned())
}

/// The name of a page, as `exercise.toml` has it.
fn page(asked: &str) -> anyhow::Result<String> {
    let page = asked
        .trim()
        .trim_start_matches("book/src/en/")
        .trim_end_matches(".md");
    let is_name = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if !page.split('/').all(is_name) {
        return Err(Trouble::input(format!(
            "{asked:?} is no page of the book: name a file in book/src/en, such as ch09-the-bell."
        )));
    }
    Ok(page.to_owned())
}

/// `the-second-bell` as `The second bell`.
fn in_words(slug: &str) -> String {
    let words = slug.replace('-', " ");
    let (first, rest) = words.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}

/// Writes the files, and asks cargo whether the workspace still loads. `Ok(false)`: stopped, and all is as it was.
fn make(root: &Path, plan: &Plan, stop: &Stop) -> anyhow::Result<bool> {
    let lock = root.join("Cargo.lock");
    let locked = fs::read(&lock).ok();
    let mut made = Made::default();
    let result = write(root, plan, stop, &mut made)
        .and_then(|()| list(root, plan))
        .and_then(|()| loads(root, stop));
    match result {
        Ok(true) if !stop.is_raised() => Ok(true),
        result => {
            let manifest = root.join("Cargo.toml");
            progress::alone(root, || {
                if let Ok(text) = fs::read_to_string(&manifest) {
                    let rest = members::without(&text, &plan.packages());
                    if rest != text {
                        let _ = starter::replace(&manifest, rest.as_bytes());
                    }
                }
            });
            made.undo();
            if let Some(locked) = locked
                && fs::read(&lock).is_ok_and(|now| now != locked)
            {
                let _ = fs::write(&lock, locked);
            }
            result.map(|_| false)
        }
    }
}

/// What has been made so far.
#[derive(Default)]
struct Made {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Made {
    /// Takes away what was made, and nothing else: a folder into which somebody else has put something stays.
    fn undo(&self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }

    /// Makes the folders above a file that are not there.
    fn folder(&mut self, folder: &Path) -> std::io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        if let Some(above) = folder.parent() {
            self.folder(above)?;
        }
        fs::create_dir(folder)?;
        self.folders.push(folder.to_path_buf());
        Ok(())
    }

    fn file(&mut self, path: &Path, text: &str) -> std::io::Result<()> {
        self.folder(path.parent().expect("a file has a folder"))?;
        // Never over one that is there.
        let mut file = fs::File::create_new(path)?;
        self.files.push(path.to_path_buf());
        file.write_all(text.as_bytes())
    }
}

fn write(root: &Path, plan: &Plan, stop: &Stop, made: &mut Made) -> anyhow::Result<()> {
    for (path, text) in &plan.files {
        if stop.is_raised() {
            return Ok(());
        }
        made.file(&root.join(path), text).map_err(|error| {
            Trouble::environment(format!(
                "{} cannot be written ({error}), so nothing was made.",
                path.display()
            ))
        })?;
    }
    Ok(())
}

/// Puts both packages into the workspace's lists. Whoever makes another exercise at the same moment waits meanwhile, or one of
/// the two would write the lists as they were before the other.
fn list(root: &Path, plan: &Plan) -> anyhow::Result<()> {
    let file = root.join("Cargo.toml");
    let listed = || {
        let text = fs::read_to_string(&file)?;
        let with = members::with(&text, &plan.packages())?;
        if with != text {
            starter::replace(&file, with.as_bytes())?;
        }
        anyhow::Ok(())
    };
    progress::alone(root, listed).map_err(|error| {
        Trouble::environment(format!(
            "The new packages cannot be added to {} ({error:#}), so nothing was made.",
            file.display()
        ))
    })
}

/// Whether cargo can still load the workspace, with the packages that are new. It adds them to its lock file.
fn loads(root: &Path, stop: &Stop) -> anyhow::Result<bool> {
    let mut command = check::cargo();
    command
        .args(["metadata", "--format-version", "1", "--offline"])
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"))
        .current_dir(root);
    let mut words = Vec::new();
    let limits = Limits {
        time: Duration::from_secs(300),
        output: 1 << 30,
        line: 1 << 20,
        memory: None,
        may_leave: true,
    };
    let ended = contained::run(
        command,
        Streams::Apart,
        limits,
        stop,
        &mut |stream, line| {
            if stream == Stream::Err {
                words.push(line.to_owned());
            }
            ControlFlow::Continue(())
        },
    );
    match ended {
        Ok(Ended::Stopped) => Ok(false),
        Ok(Ended::Exited(status)) if status.success() => Ok(true),
        Ok(_) => Err(Trouble::environment(format!(
            "Cargo cannot load the workspace with the new exercise, so it was taken away again:\n\n{}",
            words.join("\n")
        ))),
        Err(error) => Err(anyhow!(Trouble::environment(format!(
            "Cargo cannot be started ({error}): `cargo course doctor` says how to mend that."
        )))),
    }
}

fn files(number: &str, slug: &str, title: &str, chapter: &str) -> Vec<(PathBuf, String)> {
    let folder = format!("{number}-{slug}");
    let exercise = Path::new("exercises").join(&folder);
    let solution = Path::new("solutions").join(&folder);
    let test = slug.replace('-', "_");
    // A TOML string, with its quotes, and what stands inside of one.
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let fill = |text: &str| {
        let title = title.trim_end_matches('.');
        text.replace("@TO_WRITE@", TO_WRITE)
            .replace("@NUMBER@", number)
            .replace("@BARE_NUMBER@", number.trim_start_matches('0'))
            .replace("@SLUG@", slug)
            .replace("@TEST@", &test)
            .replace("@CHAPTER@", &quoted(chapter))
            .replace("@TITLE_QUOTED@", &quoted(title))
            .replace("@ABOUT@", &quoted(&format!("Exercise {number}: {title}.")))
            .replace(
                "@ABOUT_SOLUTION@",
                &quoted(&format!("Exercise {number}, {title}: the solution.")),
            )
            .replace("@TITLE@", title)
    };
    let wrong = solution.join("wrong");
    vec![
        (exercise.join("src").join("lib.rs"), fill(STARTER)),
        (
            exercise.join("tests").join(format!("{test}.rs")),
            fill(TEST),
        ),
        (exercise.join("exercise.toml"), fill(DESCRIPTION)),
        (solution.join("src").join("lib.rs"), fill(SOLUTION)),
        (solution.join("starter.rs"), fill(STARTER)),
        (wrong.join("does_nothing.rs"), fill(DOES_NOTHING)),
        (wrong.join("rounds_down.rs"), fill(ROUNDS_DOWN)),
        (solution.join("Cargo.toml"), fill(SOLUTION_MANIFEST)),
        (exercise.join("Cargo.toml"), fill(MANIFEST)),
    ]
}

const MANIFEST: &str = r#"[package]
name = "exercise-@NUMBER@"
description = @ABOUT@
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true

[lib]
name = "exercise_@NUMBER@"
path = "src/lib.rs"
test = false
doctest = false
doc = false

[dev-dependencies]
contained = { workspace = true }
"#;

const SOLUTION_MANIFEST: &str = r#"[package]
name = "solution-@NUMBER@"
description = @ABOUT_SOLUTION@
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true

[lib]
name = "exercise_@NUMBER@"
test = false
doctest = false
doc = false

[dev-dependencies]
contained = { workspace = true }

# The learner's own tests: one file for the starter, the solution, and every wrong answer.
[[test]]
name = "@TEST@"
path = "../../exercises/@NUMBER@-@SLUG@/tests/@TEST@.rs"

[lints]
workspace = true
"#;

const DESCRIPTION: &str = r#"number = @BARE_NUMBER@
slug = "@SLUG@"
title = @TITLE_QUOTED@
chapter = @CHAPTER@
minutes = 10
hints = [
  "@TO_WRITE@: the first hint, a question that shows where to look.",
  "@TO_WRITE@: the second hint, the concept, with the page that explains it.",
  "@TO_WRITE@: the third hint, nearly the code.",
]
misconceptions = [
  { id = 0, says = "@TO_WRITE@: what a learner believes before, with its number in the list of misconceptions." },
]
after = """
@TO_WRITE@: what they have understood now, and what to read next.
"""
"#;

const STARTER: &str = r#"//! Exercise @NUMBER@: @TITLE@.
//!
//! @TO_WRITE@: what goes wrong in the restaurant, in two or three sentences, and what to write.
//! Test: cargo test -p exercise-@NUMBER@

/// @TO_WRITE@: your own, in place of this example.
///
/// How many tables `guests` need. Four sit at each.
pub fn tables(guests: u32) -> u32 {
    todo!("find tables for {guests} guests. First hint: cargo course hint @NUMBER@")
}
"#;

const SOLUTION: &str = r#"//! Exercise @NUMBER@, @TITLE@: the solution.
//!
//! @TO_WRITE@: why it is right, and your own in place of this example.

/// How many tables `guests` need. Four sit at each.
pub fn tables(guests: u32) -> u32 {
    guests.div_ceil(4)
}
"#;

const TEST: &str = r#"//! @TO_WRITE@: what is asked for here, and your own tests in place of this example.
//!
//! They serve the starter, the solution and every wrong answer, and fail with a sentence that helps. Explore schedules with
//! `whatif`, or use virtual time; never sleep, never look at the clock.

use exercise_@NUMBER@::tables;

#[test]
fn everybody_has_a_table() {
    assert!(tables(8) > 0, "nobody has a table");
    assert!(tables(9) > 2, "the last guests have no table");
    assert!(tables(9) < 4, "a table is laid for nobody");
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
"#;

const DOES_NOTHING: &str = r#"//! must fail with: nobody has a table
//!
//! @TO_WRITE@: the laziest thing that could pass, in place of this one.

/// How many tables `guests` need. Four sit at each.
pub fn tables(guests: u32) -> u32 {
    let _ = guests;
    0
}
"#;

const ROUNDS_DOWN: &str = r#"//! must fail with: the last guests have no table
//!
//! @TO_WRITE@: a mistake that people really make, in place of this one.

/// How many tables `guests` need. Four sit at each.
pub fn tables(guests: u32) -> u32 {
    guests / 4
}
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trouble::status_of;

    fn args(slug: &str) -> NewExerciseArgs {
        NewExerciseArgs {
            slug: slug.into(),
            number: None,
            title: None,
            chapter: None,
        }
    }

    fn course() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for folder in [
            "exercises/03-three",
            "solutions/03-three",
            "exercises/07-seven",
        ] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        root
    }

    #[test]
    fn the_next_number_is_free_and_the_title_comes_from_the_slug() {
        let root = course();
        let made = plan(root.path(), &args("the-second-bell")).unwrap();
        assert_eq!(made.folder, "08-the-second-bell");
        let (_, description) = &made.files[2];
        assert!(description.contains("number = 8\n"), "{description}");
        assert!(
            description.contains("title = \"The second bell\""),
            "{description}"
        );
        // Between two that are taken there may be room.
        let five = NewExerciseArgs {
            number: Some("5".into()),
            ..args("five")
        };
        assert_eq!(plan(root.path(), &five).unwrap().number, "05");
    }

    #[test]
    fn what_cannot_be_made_is_refused_with_a_reason() {
        let root = course();
        let long = "a".repeat(49);
        for slug in [
            "", "-", "a-", "-a", "a--b", "The-Bell", "the bell", "über", "../x", "a/b", "a_b",
            "7-up", "con", "com1", "std", "test", "three", &long,
        ] {
            let error = plan(root.path(), &args(slug)).unwrap_err();
            assert_eq!(status_of(&error), status::INPUT, "{slug}");
        }
        for number in ["3", "07", "0", "100", "-1", "x", ""] {
            let asked = NewExerciseArgs {
                number: Some(number.into()),
                ..args("new")
            };
            let error = plan(root.path(), &asked).unwrap_err();
            assert_eq!(status_of(&error), status::INPUT, "{number}");
        }
        for title in ["", " ", "one\ntwo"] {
            let asked = NewExerciseArgs {
                title: Some(title.into()),
                ..args("new")
            };
            assert!(plan(root.path(), &asked).is_err(), "{title:?}");
        }
        for chapter in ["", "../secret", "/etc/x", "a b", "c:\\x"] {
            let asked = NewExerciseArgs {
                chapter: Some(chapter.into()),
                ..args("new")
            };
            assert!(plan(root.path(), &asked).is_err(), "{chapter:?}");
        }
    }

    #[test]
    fn after_the_last_number_one_has_to_be_named() {
        let root = course();
        fs::create_dir_all(root.path().join("solutions/99-last")).unwrap();
        let error = plan(root.path(), &args("new")).unwrap_err().to_string();
        assert!(error.contains("--number"), "{error}");
    }

    #[test]
    fn any_title_is_a_title_in_every_file() {
        let root = course();
        let title = r#"A "quoted" \ title, with */ and @SLUG@ in it"#;
        let asked = NewExerciseArgs {
            title: Some(title.into()),
            chapter: Some("book/src/en/ch09-the-bell.md".into()),
            ..args("new")
        };
        for (path, text) in plan(root.path(), &asked).unwrap().files {
            if path.extension().is_some_and(|it| it == "toml") {
                let table: toml::Table = text.parse().unwrap();
                if let Some(found) = table.get("title") {
                    assert_eq!(found.as_str(), Some(title));
                    assert_eq!(table["chapter"].as_str(), Some("ch09-the-bell"));
                }
            }
        }
    }

    #[test]
    fn when_something_fails_midway_nothing_is_left_and_nothing_is_lost() {
        let root = course();
        let plan = plan(root.path(), &args("new")).unwrap();
        // Somebody else is quicker, with one of the last files.
        let theirs = root.path().join("solutions/08-new/starter.rs");
        fs::create_dir_all(theirs.parent().unwrap()).unwrap();
        fs::write(&theirs, "theirs").unwrap();
        let error = make(root.path(), &plan, &Stop::new())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("starter.rs") && error.contains("nothing was made"),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");
        assert!(!root.path().join("exercises/08-new").exists());
        assert!(!root.path().join("solutions/08-new/src").exists());
    }

    #[test]
    fn a_stop_in_the_middle_leaves_nothing() {
        let root = course();
        let lists = "[workspace]\nmembers = [\n    \"exercises/07-seven\",\n]\n";
        fs::write(root.path().join("Cargo.toml"), lists).unwrap();
        let plan = plan(root.path(), &args("new")).unwrap();
        let stop = Stop::new();
        stop.now();
        assert!(!make(root.path(), &plan, &stop).unwrap());
        assert!(!root.path().join("exercises/08-new").exists());
        let now = fs::read_to_string(root.path().join("Cargo.toml")).unwrap();
        assert_eq!(now, lists);
    }

    #[test]
    fn where_the_lists_have_another_form_nothing_is_made() {
        let root = course();
        let lists = "[workspace]\nmembers = [\"exercises/07-seven\"]\n";
        fs::write(root.path().join("Cargo.toml"), lists).unwrap();
        let plan = plan(root.path(), &args("new")).unwrap();
        let error = make(root.path(), &plan, &Stop::new()).unwrap_err();
        let told = error.to_string();
        assert!(told.contains("one folder a line"), "{told}");
        assert!(told.contains("nothing was made"), "{told}");
        assert!(!root.path().join("exercises/08-new").exists());
    }
}
