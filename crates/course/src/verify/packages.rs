//! Every answer to an exercise as a package: the starter, the solution, and each wrong answer meet exactly the tests that the
//! learner's own code meets.
//!
//! The packages lie in a workspace of their own, with the course's versions of everything, and share one build folder. So
//! nothing here depends on what a learner has written, and a change to one answer builds one package.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use toml::{Table, Value};

use super::answers::WrongAnswer;
use crate::check::Subject;
use crate::exercises::Exercise;
use crate::starter;

/// What an answer is, and so what must become of it.
#[derive(Clone, Debug)]
pub enum Role {
    /// Fails with the first hint.
    Starter,
    /// Passes.
    Solution,
    /// Fails with its message.
    Wrong(WrongAnswer),
}

/// An answer and the package that is made of it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The exercise, as its place in the list that was asked for.
    pub exercise: usize,
    /// What must become of it.
    pub role: Role,
    /// The source, in the course.
    pub source: PathBuf,
    /// The package.
    pub subject: Subject,
    /// How many test programs it has.
    pub tests: usize,
}

/// The workspace of the packages.
#[derive(Debug)]
pub struct Packages {
    /// Its folder.
    pub folder: PathBuf,
    /// What is in it.
    pub answers: Vec<Answer>,
}

/// The folder of the packages, below that of the workspace.
pub(super) const SHELF: &str = "packages";

impl Packages {
    /// An empty workspace, to be written to `folder`.
    pub fn new(folder: &Path) -> Packages {
        Packages {
            folder: folder.to_path_buf(),
            answers: Vec::new(),
        }
    }

    /// Makes the packages of one exercise: number `at` in the list.
    ///
    /// Files that are right already are left alone, so that nothing is built twice.
    ///
    /// # Errors
    ///
    /// When something cannot be read or written; the message names the file.
    pub fn add(
        &mut self,
        root: &Path,
        at: usize,
        exercise: &Exercise,
        wrong: Vec<WrongAnswer>,
    ) -> anyhow::Result<()> {
        let solution = starter::solution_folder(root, exercise);
        let number = &exercise.number;
        let starter = starter::shipped_file(root, exercise);
        self.make(
            root,
            at,
            exercise,
            Role::Starter,
            starter,
            exercise.package(),
        )?;
        let right = solution.join("src").join("lib.rs");
        self.make(
            root,
            at,
            exercise,
            Role::Solution,
            right,
            format!("solution-{number}"),
        )?;
        for answer in wrong {
            let source = answer.source.clone();
            let name = source.file_stem().unwrap_or_default().to_string_lossy();
            let package = format!("wrong-{number}-{}", name.replace('_', "-"));
            self.make(root, at, exercise, Role::Wrong(answer), source, package)?;
        }
        Ok(())
    }

    fn make(
        &mut self,
        root: &Path,
        at: usize,
        exercise: &Exercise,
        role: Role,
        source: PathBuf,
        package: String,
    ) -> anyhow::Result<()> {
        let folder = self.folder.join(SHELF).join(&package);
        let (manifest, tests) = manifest(root, exercise, &role, &package)?;
        write(&folder.join("Cargo.toml"), &manifest)?;
        let text = fs::read_to_string(&source)
            .with_context(|| format!("{} cannot be read", source.display()))?;
        write(&folder.join("src").join("lib.rs"), &text)?;
        self.answers.push(Answer {
            exercise: at,
            role,
            source,
            subject: Subject {
                root: self.folder.clone(),
                package,
                folder,
                number: exercise.number.clone(),
            },
            tests,
        });
        Ok(())
    }

    /// Writes the manifest that holds them together, and the course's lock file beside it.
    ///
    /// # Errors
    ///
    /// When something cannot be read or written; the message names the file.
    pub fn finish(&self, root: &Path) -> anyhow::Result<()> {
        let members = self
            .answers
            .iter()
            .map(|answer| Value::String(format!("{SHELF}/{}", answer.subject.package)));
        let manifest = workspace(root, members.collect())?;
        write(&self.folder.join("Cargo.toml"), &manifest)?;
        // Cargo strikes out what these members do not need, so a copy that other members have used may lack something.
        let lock = root.join("Cargo.lock");
        if lock.is_file() {
            fs::copy(&lock, self.folder.join("Cargo.lock"))
                .with_context(|| format!("{} cannot be copied", lock.display()))?;
        }
        Ok(())
    }
}

/// The solution's manifest for another source: the same dependencies, and the exercise's own tests. With it, the number of
/// its test programs.
fn manifest(
    root: &Path,
    exercise: &Exercise,
    role: &Role,
    package: &str,
) -> anyhow::Result<(String, usize)> {
    let folder = starter::solution_folder(root, exercise);
    let solution = read(&folder.join("Cargo.toml"))?;
    let is_solution = matches!(role, Role::Solution);
    let mut manifest = Table::new();
    manifest.insert(
        "package".into(),
        table([
            ("name", package.into()),
            ("version", "0.0.0".into()),
            ("edition", "2024".into()),
            ("autotests", false.into()),
            ("autobins", false.into()),
        ]),
    );
    // The tests name the library, so it is called as the solution's is. Learners are not asked for documentation, so only the
    // solution has the house's lints.
    for (section, content) in &solution {
        let kept = match section.as_str() {
            "lib" | "features" => true,
            "lints" => is_solution,
            section => section == "target" || section.ends_with("dependencies"),
        };
        if kept {
            manifest.insert(section.clone(), content.clone());
        }
    }
    lead_back(&mut manifest, &folder);
    let mut tests = test_files(&exercise.folder)?;
    if is_solution {
        // What else the solution has to prove.
        tests.extend(test_files(&folder)?);
    }
    let count = tests.len();
    let tests = tests.into_iter().map(|path| {
        let name = stem(&path);
        let harness = has_harness(&solution, &name);
        table([
            ("name", name.into()),
            ("path", path_text(&path).into()),
            ("harness", harness.into()),
        ])
    });
    manifest.insert("test".into(), Value::Array(tests.collect()));
    Ok((toml::to_string(&manifest)?, count))
}

/// The test programs in a package's folder, by name.
pub(super) fn test_files(package: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let folder = package.join("tests");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries =
        fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut tests = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            tests.push(path);
        }
    }
    tests.sort();
    Ok(tests)
}

/// Whether a test has its main from the test harness, and not one of its own. The manifest says so.
pub(super) fn has_harness(manifest: &Table, test: &str) -> bool {
    let tests = manifest.get("test").and_then(Value::as_array);
    let named = |it: &&Value| it.get("name").and_then(Value::as_str) == Some(test);
    let it = tests.into_iter().flatten().find(named);
    it.and_then(|it| it.get("harness")?.as_bool())
        .unwrap_or(true)
}

/// Dependencies by path start from the folder in which they were written.
fn lead_back(manifest: &mut Table, folder: &Path) {
    for (section, content) in manifest.iter_mut() {
        let Some(content) = content.as_table_mut() else {
            continue;
        };
        if section == "target" {
            for (_, platform) in content {
                if let Some(platform) = platform.as_table_mut() {
                    lead_back(platform, folder);
                }
            }
        } else if section.ends_with("dependencies") {
            absolute_paths(content, folder);
        }
    }
}

fn absolute_paths(dependencies: &mut Table, folder: &Path) {
    for (_, dependency) in dependencies {
        if let Some(path) = dependency.get_mut("path")
            && let Some(text) = path.as_str()
        {
            *path = path_text(&folder.join(text)).into();
        }
    }
}

/// The course's own workspace table, with paths that lead back to the course.
fn workspace(root: &Path, members: Vec<Value>) -> anyhow::Result<String> {
    let file = root.join("Cargo.toml");
    let mut manifest = read(&file)?;
    let workspace = manifest
        .get_mut("workspace")
        .and_then(Value::as_table_mut)
        .ok_or_else(|| anyhow!("{} has no [workspace]", file.display()))?;
    workspace.insert("members".into(), Value::Array(members));
    workspace.remove("default-members");
    workspace.remove("exclude");
    let dependencies = workspace.get_mut("dependencies");
    if let Some(dependencies) = dependencies.and_then(Value::as_table_mut) {
        absolute_paths(dependencies, root);
    }
    let workspace = manifest
        .remove("workspace")
        .expect("it was there a moment ago");
    // Nobody debugs these: built small and fast.
    let small = table([
        ("debug", false.into()),
        ("codegen-units", 1.into()),
        ("incremental", false.into()),
        ("strip", "debuginfo".into()),
    ]);
    let fresh = Table::from_iter([
        ("workspace".to_owned(), workspace),
        ("profile".to_owned(), table([("dev", small)])),
    ]);
    Ok(toml::to_string(&fresh)?)
}

/// A TOML file.
pub(super) fn read(path: &Path) -> anyhow::Result<Table> {
    let text =
        fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    text.parse()
        .with_context(|| format!("{} is not TOML", path.display()))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().expect("a file has a folder"))
        .and_then(|()| fs::write(path, text))
        .with_context(|| format!("{} cannot be written", path.display()))
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
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
