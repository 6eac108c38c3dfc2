//! Wrong answers as packages: each meets exactly the tests that the learner's own code meets.
//!
//! They live in a workspace of their own under the target directory, with the course's versions of everything, and share
//! one build folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, anyhow};
use course::check::Subject;
use course::exercises::Exercise;
use toml::{Table, Value};

/// What the first line of a wrong answer begins with.
const MUST_FAIL: &str = "//! must fail with: ";

/// A wrong answer and what the learner must be told about it.
#[derive(Clone, Debug)]
pub struct Wrong {
    /// The file.
    pub source: PathBuf,
    /// What the output must contain.
    pub message: String,
    /// The package that was made of it.
    pub subject: Subject,
}

/// The folder `solutions/NN-slug` of an exercise.
pub fn solution_folder(root: &Path, exercise: &Exercise) -> PathBuf {
    root.join("solutions")
        .join(format!("{}-{}", exercise.number, exercise.slug))
}

/// The wrong answers to one exercise: file and message, by file name.
///
/// # Errors
///
/// When the folder cannot be read, or a file does not say on its first line how it must fail.
pub fn wrong_answers(root: &Path, exercise: &Exercise) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let folder = solution_folder(root, exercise).join("wrong");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut answers = Vec::new();
    for entry in entries {
        let source = entry?.path();
        if source.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(&source)?;
        let first = text.lines().next().unwrap_or_default();
        let message = first
            .strip_prefix(MUST_FAIL)
            .map(str::trim)
            .filter(|message| !message.is_empty());
        let message = message.ok_or_else(|| {
            anyhow!(
                "{} does not begin with a line `{MUST_FAIL}<text>`",
                source.display()
            )
        })?;
        answers.push((source.clone(), message.to_owned()));
    }
    answers.sort();
    Ok(answers)
}

/// Makes a workspace in `scratch` that holds a package for every wrong answer to `exercises`.
///
/// Files that are right already are left alone, so that nothing is built twice.
///
/// # Errors
///
/// When something cannot be read or written; the message names the file.
pub fn make_packages(
    root: &Path,
    exercises: &[Exercise],
    scratch: &Path,
) -> anyhow::Result<Vec<Wrong>> {
    let mut made = Vec::new();
    let mut members = Vec::new();
    for exercise in exercises {
        for (source, message) in wrong_answers(root, exercise)? {
            let name = source
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .replace('_', "-");
            let package = format!("wrong-{}-{name}", exercise.number);
            let folder = scratch.join(&package);
            write(
                &folder.join("Cargo.toml"),
                &manifest(root, exercise, &package)?,
            )?;
            write(
                &folder.join("src").join("lib.rs"),
                &fs::read_to_string(&source)?,
            )?;
            members.push(Value::String(package.clone()));
            let number = exercise.number.clone();
            let subject = Subject {
                root: scratch.to_path_buf(),
                package,
                folder,
                number,
            };
            made.push(Wrong {
                source,
                message,
                subject,
            });
        }
    }
    write(&scratch.join("Cargo.toml"), &workspace(root, members)?)?;
    fs::copy(root.join("Cargo.lock"), scratch.join("Cargo.lock"))
        .context("the workspace has no Cargo.lock")?;
    Ok(made)
}

/// Builds all packages of a scratch workspace in one go, which is faster than one by one. Whether it works is found out
/// when each of them is checked.
pub fn build_all(scratch: &Path, target: &Path) {
    let mut cargo: Command = course::check::cargo();
    cargo
        .args([
            "test",
            "--no-run",
            "--workspace",
            "--keep-going",
            "--offline",
            "--quiet",
        ])
        .arg("--target-dir")
        .arg(target)
        .current_dir(scratch);
    let _ = cargo.output();
}

/// The solution's manifest for another source: the same dependencies, and the exercise's own tests.
fn manifest(root: &Path, exercise: &Exercise, package: &str) -> anyhow::Result<String> {
    let solution = read(&solution_folder(root, exercise).join("Cargo.toml"))?;
    let mut manifest = Table::new();
    manifest.insert(
        "package".into(),
        table([
            ("name", package.into()),
            ("version", "0.0.0".into()),
            ("edition", "2024".into()),
        ]),
    );
    // The tests name the library, so it is called as the solution's is.
    let library = solution
        .get("lib")
        .context("a solution names its library")?;
    manifest.insert("lib".into(), library.clone());
    for section in ["dependencies", "dev-dependencies"] {
        if let Some(dependencies) = solution.get(section) {
            manifest.insert(section.into(), dependencies.clone());
        }
    }
    let mut tests = Vec::new();
    for entry in fs::read_dir(exercise.folder.join("tests"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let harness = has_harness(&solution, &name);
            tests.push(table([
                ("name", name.into()),
                ("path", path_text(&path).into()),
                ("harness", harness.into()),
            ]));
        }
    }
    manifest.insert("test".into(), Value::Array(tests));
    Ok(toml::to_string(&manifest)?)
}

/// Whether a test has its main from the test harness, and not one of its own. The solution says so.
fn has_harness(solution: &Table, test: &str) -> bool {
    let tests = solution.get("test").and_then(Value::as_array);
    let named = |it: &&Value| it.get("name").and_then(Value::as_str) == Some(test);
    let it = tests.into_iter().flatten().find(named);
    it.and_then(|it| it.get("harness")?.as_bool())
        .unwrap_or(true)
}

/// The course's own workspace table, with paths that lead back to the course.
fn workspace(root: &Path, members: Vec<Value>) -> anyhow::Result<String> {
    let mut manifest = read(&root.join("Cargo.toml"))?;
    let workspace = manifest
        .get_mut("workspace")
        .and_then(Value::as_table_mut)
        .context("no [workspace]")?;
    workspace.insert("members".into(), Value::Array(members));
    workspace.remove("default-members");
    for (_, dependency) in workspace
        .get_mut("dependencies")
        .and_then(Value::as_table_mut)
        .context("no dependencies")?
    {
        if let Some(path) = dependency.get_mut("path") {
            let absolute = root.join(path.as_str().context("a path that is no text")?);
            *path = path_text(&absolute).into();
        }
    }
    let workspace = manifest
        .remove("workspace")
        .expect("it was there a moment ago");
    // Nobody debugs these: built small and fast.
    let small = table([
        ("debug", false.into()),
        ("incremental", false.into()),
        ("strip", "debuginfo".into()),
    ]);
    let fresh = Table::from_iter([
        ("workspace".to_owned(), workspace),
        ("profile".to_owned(), table([("dev", small)])),
    ]);
    Ok(toml::to_string(&fresh)?)
}

fn read(path: &Path) -> anyhow::Result<Table> {
    let text =
        fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    text.parse()
        .with_context(|| format!("{} is not TOML", path.display()))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().expect("a file has a folder"))?;
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Table(
        entries
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}
