//! The sources that are shipped: what git would ship, and where there is no git, what its ignore files do not name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use crate::doctor::ask;
use crate::doctor::platform;
use crate::doctor::visit::Visit;
use crate::trouble::Trouble;
use crate::{exercises, starter};

use super::{BOOK, START_HERE, VENDOR, cannot_write};

/// Names at the top of the course that are never shipped: what is made anew for each archive, what cargo builds, and what
/// belongs to the learner.
const NEVER: [&str; 6] = [".git", ".progress", "target", VENDOR, BOOK, START_HERE];

/// What was shipped, and what was not.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// How many files.
    pub files: usize,
    /// Exercises that somebody has worked on, and that were shipped as they are in the beginning.
    pub starters_for: Vec<String>,
    /// Exercises that somebody has worked on, and that were shipped as they are.
    pub work_of: Vec<String>,
    /// Files that git does not know, and links.
    pub left_out: Vec<String>,
    /// Folders with workspaces of their own, whose crates are not vendored.
    pub workspaces_apart: Vec<String>,
}

/// Copies what is shipped from the course to `stage`.
///
/// # Errors
///
/// One sentence that names the file which cannot be read or written.
pub fn lay_out(
    visit: &Visit,
    output: &Path,
    stage: &Path,
    with_my_work: bool,
) -> anyhow::Result<Sources> {
    let root = &visit.root;
    let mut sources = Sources::default();
    let files = list(visit, output, &mut sources)?;
    for file in &files {
        if visit.stop.is_raised() {
            return Err(Trouble::environment("Stopped."));
        }
        copy(&root.join(file), &stage.join(file))?;
        if is_workspace(&root.join(file)) && file != Path::new("Cargo.toml") {
            let folder = file.parent().unwrap_or(Path::new(""));
            sources
                .workspaces_apart
                .push(folder.display().to_string().replace('\\', "/"));
        }
    }
    sources.files = files.len();
    for exercise in exercises::load(root)? {
        if !starter::is_edited(root, &exercise) {
            continue;
        }
        if with_my_work {
            sources.work_of.push(exercise.number.clone());
            continue;
        }
        let shipped = starter::shipped_file(root, &exercise);
        let edited = starter::edited_file(&exercise);
        let place = stage.join(edited.strip_prefix(root).unwrap_or(&edited));
        fs::copy(&shipped, &place).map_err(|error| {
            Trouble::environment(format!(
                "Exercise {} is your own work, and its starter {} cannot be put in its place ({error}).",
                exercise.number,
                shipped.display()
            ))
        })?;
        sources.starters_for.push(exercise.number.clone());
    }
    Ok(sources)
}

/// The files to ship, sorted, relative to the root.
fn list(visit: &Visit, output: &Path, sources: &mut Sources) -> anyhow::Result<Vec<PathBuf>> {
    let root = &visit.root;
    let walked = walk(root, output)?;
    let mut files: BTreeSet<PathBuf> = match git_knows(visit) {
        None => walked,
        Some(known) => {
            let unknown = walked.difference(&known);
            sources
                .left_out
                .extend(unknown.map(|file| file.display().to_string()));
            known
        }
    };
    // Git lists what was deleted and not committed, too; and a link may lead anywhere.
    files.retain(|file| {
        let first = file.iter().next().and_then(|name| name.to_str());
        if first.is_some_and(|first| NEVER.contains(&first)) {
            return false;
        }
        match fs::symlink_metadata(root.join(file)) {
            Ok(metadata) if metadata.is_file() => true,
            Ok(metadata) if metadata.is_symlink() => {
                sources.left_out.push(file.display().to_string());
                false
            }
            _ => false,
        }
    });
    Ok(files.into_iter().collect())
}

/// All files that no ignore file of the course names.
fn walk(root: &Path, output: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    let walk = WalkBuilder::new(root)
        .hidden(false)
        .parents(false)
        .ignore(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(false)
        .filter_entry(|entry| {
            entry.depth() != 1
                || !entry
                    .file_name()
                    .to_str()
                    .is_some_and(|name| NEVER.contains(&name))
        })
        .build();
    for entry in walk {
        let entry = entry.map_err(|error| {
            Trouble::environment(format!("The course cannot be read: {error}."))
        })?;
        // An earlier archive, or this one.
        let archive = entry.path() == output
            || entry.depth() == 1 && entry.file_name().to_string_lossy().ends_with(".tar.gz");
        if archive || entry.file_type().is_none_or(|kind| kind.is_dir()) {
            continue;
        }
        if let Ok(file) = entry.path().strip_prefix(root) {
            files.insert(file.to_path_buf());
        }
    }
    Ok(files)
}

/// What git has under its care, where the course is a clone and git answers.
fn git_knows(visit: &Visit) -> Option<BTreeSet<PathBuf>> {
    if !visit.root.join(".git").exists() {
        return None;
    }
    let mut command = std::process::Command::new("git");
    command
        .args(["ls-files", "-z", "--cached"])
        .current_dir(&visit.root);
    let answer = ask::ask(visit, command).ok()?;
    let text = answer.out.join("\n");
    let known: BTreeSet<PathBuf> = text
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(PathBuf::from)
        .collect();
    (!known.is_empty()).then_some(known)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    }
    let content = fs::read(from).map_err(|error| {
        Trouble::environment(format!("{} cannot be read ({error}).", from.display()))
    })?;
    fs::write(to, &content).map_err(|error| cannot_write(to, &error))?;
    if platform::is_executable(from, &content) {
        platform::make_executable(to).map_err(|error| cannot_write(to, &error))?;
    }
    Ok(())
}

fn is_workspace(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name == "Cargo.toml")
        && fs::read_to_string(file)
            .ok()
            .and_then(|text| text.parse::<toml::Table>().ok())
            .is_some_and(|manifest| manifest.contains_key("workspace"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        exercises::tests::add(root.path(), "03", "three", &[]);
        for (file, text) in [
            ("Cargo.toml", "[workspace]\n"),
            (".gitignore", "/.progress\ntarget/\nsecret\n"),
            (".ci/run", "#!/bin/sh\n"),
            (".progress/progress.json", "{}"),
            ("target/debug/course", ""),
            ("crates/a/target/debug/a", ""),
            ("crates/a/secret", ""),
            ("crates/a/src/lib.rs", ""),
            ("crates/a/benches/peers/Cargo.toml", "[workspace]\n"),
            ("vendor/rand-0.1.0/src/lib.rs", ""),
            ("book-html/index.html", ""),
            ("START-HERE.txt", ""),
            ("old.tar.gz", ""),
            ("exercises/03-three/src/lib.rs", "todo!()\n"),
            ("solutions/03-three/starter.rs", "todo!()\n"),
        ] {
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        root
    }

    fn shipped(root: &Path, with_my_work: bool) -> (tempfile::TempDir, Sources) {
        let stage = tempfile::tempdir().unwrap();
        let output = root.join("out.tar.gz");
        let sources = lay_out(&Visit::new(root), &output, stage.path(), with_my_work).unwrap();
        (stage, sources)
    }

    fn names(folder: &Path) -> Vec<String> {
        walk(folder, Path::new(""))
            .unwrap()
            .iter()
            .map(|file| file.display().to_string().replace('\\', "/"))
            .collect()
    }

    #[test]
    fn without_git_the_ignore_files_decide() {
        let root = course();
        let (stage, sources) = shipped(root.path(), false);
        assert_eq!(
            names(stage.path()),
            [
                ".ci/run",
                ".gitignore",
                "Cargo.toml",
                "crates/a/benches/peers/Cargo.toml",
                "crates/a/src/lib.rs",
                "exercises/03-three/Cargo.toml",
                "exercises/03-three/exercise.toml",
                "exercises/03-three/src/lib.rs",
                "solutions/03-three/starter.rs",
            ]
        );
        assert_eq!(sources.workspaces_apart, ["crates/a/benches/peers"]);
        assert!(sources.starters_for.is_empty());
    }

    #[test]
    fn a_learners_work_is_replaced_by_the_starter_unless_asked_for() {
        let root = course();
        let answer = Path::new("exercises/03-three/src/lib.rs");
        fs::write(root.path().join(answer), "my answer\n").unwrap();

        let (stage, sources) = shipped(root.path(), false);
        assert_eq!(sources.starters_for, ["03"]);
        assert_eq!(
            fs::read_to_string(stage.path().join(answer)).unwrap(),
            "todo!()\n"
        );
        let (stage, sources) = shipped(root.path(), true);
        assert_eq!(sources.work_of, ["03"]);
        assert_eq!(
            fs::read_to_string(stage.path().join(answer)).unwrap(),
            "my answer\n"
        );
        assert_eq!(
            fs::read_to_string(root.path().join(answer)).unwrap(),
            "my answer\n"
        );
    }

    #[test]
    fn an_ignore_file_above_the_course_does_not_count() {
        let above = tempfile::tempdir().unwrap();
        fs::write(above.path().join(".gitignore"), "*\n").unwrap();
        let root = above.path().join("course");
        fs::create_dir(&root).unwrap();
        fs::write(root.join("Cargo.toml"), "[workspace]\n").unwrap();
        assert_eq!(names(&root), ["Cargo.toml"]);
    }

    #[test]
    fn in_a_clone_git_decides_and_what_it_does_not_know_is_named() {
        let root = course();
        let git = |args: &[&str]| {
            let mut command = std::process::Command::new("git");
            command.args(args).current_dir(root.path());
            command.output().is_ok_and(|output| output.status.success())
        };
        if !git(&["init", "-q"]) {
            eprintln!("skipped: there is no git here");
            return;
        }
        assert!(git(&["add", "."]));
        fs::write(root.path().join("my-notes.txt"), "private\n").unwrap();
        fs::remove_file(root.path().join("crates/a/src/lib.rs")).unwrap();
        let (stage, sources) = shipped(root.path(), false);
        assert_eq!(sources.left_out, ["my-notes.txt"]);
        let names = names(stage.path());
        assert!(!names.contains(&"my-notes.txt".to_owned()), "{names:?}");
        assert!(
            !names.contains(&"crates/a/src/lib.rs".to_owned()),
            "{names:?}"
        );
        assert!(names.contains(&"Cargo.toml".to_owned()), "{names:?}");
    }

    #[cfg(unix)]
    #[test]
    fn scripts_stay_executable_and_links_are_left_out() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let root = course();
        let script = root.path().join(".ci/run");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        symlink("/etc/hosts", root.path().join("hosts")).unwrap();
        let (stage, sources) = shipped(root.path(), false);
        let mode = |file: &str| {
            let metadata = fs::metadata(stage.path().join(file)).unwrap();
            metadata.permissions().mode() & 0o111
        };
        assert_ne!(mode(".ci/run"), 0);
        assert_eq!(mode("Cargo.toml"), 0);
        assert_eq!(sources.left_out, ["hosts"]);
    }
}
