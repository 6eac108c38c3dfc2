//! The packages of the workspace, as the root `Cargo.toml` lists them: one a line.
//!
//! A pattern such as `exercises/*` would be shorter. But cargo wants a manifest in every folder that a pattern finds, and refuses
//! the whole workspace otherwise. When an exercise gets another number, git leaves what it does not know in the old folder: an
//! editor's file, a copy, a build. Then no command of cargo's would start any more, ours among them. With a list, such a folder
//! is nobody's business.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow};
use toml::{Table, Value};

/// The folders that hold packages.
const SHELVES: [&str; 3] = ["crates", "exercises", "solutions"];

/// What the list and the folders disagree about, a sentence each.
///
/// # Errors
///
/// When the manifest or a folder cannot be read.
pub fn disagreements(root: &Path) -> anyhow::Result<Vec<String>> {
    let file = root.join("Cargo.toml");
    let text =
        fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let listed = Listed::read(&text)?;
    let mut told = Vec::new();
    for pattern in listed.all().filter(|it| it.contains('*')) {
        told.push(format!(
            "Cargo.toml lists {pattern:?}: name each folder, or one that git has left behind stops cargo."
        ));
    }
    for shelf in SHELVES {
        for folder in packages(root, shelf)? {
            if !listed.members.contains(&folder) {
                told.push(format!(
                    "{folder} is a package and is not among the members in Cargo.toml: add it."
                ));
            } else if shelf != "exercises" && !listed.by_default.contains(&folder) {
                told.push(format!(
                    "{folder} is not among the default-members in Cargo.toml, so `cargo test` leaves it out: add it."
                ));
            }
        }
    }
    for folder in listed.all() {
        if !folder.contains('*') && !root.join(folder).join("Cargo.toml").is_file() {
            told.push(format!(
                "Cargo.toml lists {folder}, which is no package: take it out."
            ));
        }
    }
    if let Some(exercise) = listed
        .by_default
        .iter()
        .find(|it| it.starts_with("exercises/"))
    {
        told.push(format!(
            "{exercise} is among the default-members in Cargo.toml, so `cargo test` fails until somebody solves it: take it out there."
        ));
    }
    Ok(told)
}

/// Which of an exercise's two packages the workspace does not list. Nothing is said of a manifest that cannot be read.
pub(crate) fn missing(root: &Path, folder: &str) -> Vec<String> {
    let text = fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let Ok(listed) = Listed::read(&text) else {
        return Vec::new();
    };
    ["exercises", "solutions"]
        .map(|shelf| format!("{shelf}/{folder}"))
        .into_iter()
        .filter(|package| !covers(&listed.members, package))
        .collect()
}

/// The manifest with these packages in it, each in its place; in both lists, except for exercises, which are not tested by
/// default. One that is there already stays as it is.
///
/// # Errors
///
/// When a list does not stand one entry a line, so that nobody but its author can add to it.
pub(crate) fn with(manifest: &str, packages: &[String]) -> anyhow::Result<String> {
    let mut text = manifest.to_owned();
    for package in packages {
        let is_exercise = package.starts_with("exercises/");
        for list in ["members", "default-members"] {
            let listed = Listed::read(&text)?;
            let has = match list {
                "members" => covers(&listed.members, package),
                _ => is_exercise || listed.has_no_default || covers(&listed.by_default, package),
            };
            if !has {
                text = insert(&text, list, package).ok_or_else(|| {
                    anyhow!("the list `{list}` in Cargo.toml does not stand one folder a line")
                })?;
            }
        }
    }
    Ok(text)
}

/// The manifest without these packages, wherever [`with`] has put them.
pub(crate) fn without(manifest: &str, packages: &[String]) -> String {
    let line = |package: &String| format!("    \"{package}\",");
    let ours: BTreeSet<String> = packages.iter().map(line).collect();
    let lines = manifest.split_inclusive('\n');
    lines
        .filter(|line| !ours.contains(line.trim_end()))
        .collect()
}

/// Whether a list names a package, or has a pattern for its folder.
fn covers(list: &BTreeSet<String>, package: &str) -> bool {
    let pattern = package
        .split_once('/')
        .map(|(shelf, _)| format!("{shelf}/*"));
    list.contains(package) || pattern.is_some_and(|pattern| list.contains(&pattern))
}

struct Listed {
    members: BTreeSet<String>,
    by_default: BTreeSet<String>,
    has_no_default: bool,
}

impl Listed {
    fn read(manifest: &str) -> anyhow::Result<Listed> {
        let table: Table = manifest.parse().context("Cargo.toml is not TOML")?;
        let list = |name: &str| {
            let list = table.get("workspace").and_then(|it| it.get(name));
            let list = list.and_then(Value::as_array)?;
            let folders = list.iter().filter_map(Value::as_str).map(str::to_owned);
            Some(folders.collect::<BTreeSet<_>>())
        };
        let by_default = list("default-members");
        Ok(Listed {
            members: list("members").unwrap_or_default(),
            has_no_default: by_default.is_none(),
            by_default: by_default.unwrap_or_default(),
        })
    }

    fn all(&self) -> impl Iterator<Item = &String> {
        self.members.union(&self.by_default)
    }
}

/// The folders with a manifest, such as `crates/flight`.
fn packages(root: &Path, shelf: &str) -> anyhow::Result<Vec<String>> {
    let folder = root.join(shelf);
    let entries =
        fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            found.push(format!("{shelf}/{}", entry.file_name().to_string_lossy()));
        }
    }
    found.sort();
    Ok(found)
}

/// Adds a line to a list: behind the last entry of the same shelf that comes before it.
fn insert(manifest: &str, list: &str, package: &str) -> Option<String> {
    let entry = |line: &str| Some(line.trim().strip_prefix('"')?.split_once('"')?.0.to_owned());
    let lines: Vec<&str> = manifest.split_inclusive('\n').collect();
    let begin = lines.iter().position(|line| {
        let (name, value) = line.split_once('=').unwrap_or_default();
        name.trim() == list && value.trim() == "["
    })?;
    let end = begin + lines[begin..].iter().position(|line| line.trim() == "]")?;
    let shelf = package.split_once('/')?.0;
    let on_shelf = |entry: &str| entry.split_once('/').is_some_and(|(it, _)| it == shelf);
    let mut at = None;
    for (offset, line) in lines[begin + 1..end].iter().enumerate() {
        match entry(line) {
            Some(there) if on_shelf(&there) && *there < *package => at = Some(begin + 2 + offset),
            Some(there) if on_shelf(&there) => at = at.or(Some(begin + 1 + offset)),
            _ => {}
        }
    }
    let at = at.unwrap_or(end);
    // The last entry of a list need not have a comma; then nothing can stand behind it.
    let last = lines[at - 1].split('#').next().unwrap_or_default().trim();
    let ends_well = at == begin + 1 || last.is_empty() || last.ends_with(',');
    let before = lines[..at].concat();
    let line_end = if manifest.contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    let text = format!(
        "{before}    \"{package}\",{line_end}{}",
        lines[at..].concat()
    );
    // Whatever else may stand there: it is a list with this entry now, or it is not touched.
    let right = Listed::read(&text).is_ok_and(|listed| match list {
        "members" => listed.members.contains(package),
        _ => listed.by_default.contains(package),
    });
    (ends_well && right).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[workspace]\nmembers = [\n    \"crates/a\",\n    \"exercises/01-one\", # the first\n    \"exercises/03-three\",\n    \"solutions/01-one\",\n    \"tests\",\n]\ndefault-members = [\n    \"crates/a\",\n    \"solutions/01-one\",\n    \"tests\",\n]\n";

    fn new(number: &str) -> [String; 2] {
        [format!("exercises/{number}"), format!("solutions/{number}")]
    }

    #[test]
    fn a_new_package_gets_its_place_and_an_exercise_is_not_tested_by_default() {
        let text = with(MANIFEST, &new("02-two")).unwrap();
        let expected = MANIFEST
            .replace("# the first\n", "# the first\n    \"exercises/02-two\",\n")
            .replace(
                "    \"solutions/01-one\",\n",
                "    \"solutions/01-one\",\n    \"solutions/02-two\",\n",
            );
        assert_eq!(text, expected);
        assert_eq!(with(&text, &new("02-two")).unwrap(), text);
        assert_eq!(without(&text, &new("02-two")), MANIFEST);
        let first = with(MANIFEST, &new("00-zero")).unwrap();
        assert!(first.contains("\"crates/a\",\n    \"exercises/00-zero\",\n"));
        let windows = with(&MANIFEST.replace('\n', "\r\n"), &new("02-two")).unwrap();
        assert_eq!(windows, expected.replace('\n', "\r\n"));
        let none_yet = "[workspace]\nmembers = [\n]\n";
        let text = with(none_yet, &new("01-one")).unwrap();
        assert_eq!(
            text,
            "[workspace]\nmembers = [\n    \"exercises/01-one\",\n    \"solutions/01-one\",\n]\n"
        );
    }

    #[test]
    fn a_pattern_needs_no_entry_and_a_list_in_another_form_is_left_to_its_author() {
        let patterns = "[workspace]\nmembers = [\"exercises/*\", \"solutions/*\"]\n";
        assert_eq!(with(patterns, &new("02-two")).unwrap(), patterns);
        for form in [
            "[workspace]\nmembers = [\"exercises/01-one\"]\n",
            "[workspace]\nmembers = [\n    \"exercises/01-one\"\n]\n",
            "[workspace]\nresolver = \"3\"\n",
            "[package]\nmembers = [\n]\n",
        ] {
            let error = with(form, &new("02-two")).unwrap_err();
            assert!(error.to_string().contains("one folder a line"), "{form}");
        }
    }

    #[test]
    fn the_list_and_the_folders_are_compared() {
        let root = tempfile::tempdir().unwrap();
        let make = |folder: &str| {
            fs::create_dir_all(root.path().join(folder)).unwrap();
            fs::write(root.path().join(folder).join("Cargo.toml"), "").unwrap();
        };
        for folder in [
            "crates/a",
            "exercises/01-one",
            "exercises/03-three",
            "solutions/01-one",
            "tests",
        ] {
            make(folder);
        }
        let told = |manifest: &str| {
            fs::write(root.path().join("Cargo.toml"), manifest).unwrap();
            disagreements(root.path()).unwrap()
        };
        assert_eq!(told(MANIFEST), [""; 0]);
        // What git leaves of an exercise that has moved.
        fs::create_dir_all(root.path().join("exercises/02-old/target")).unwrap();
        assert_eq!(told(MANIFEST), [""; 0]);
        for (from, to, expected) in [
            (
                "    \"exercises/03-three\",\n",
                "",
                "is not among the members",
            ),
            (
                "default-members = [\n    \"crates/a\",",
                "default-members = [",
                "`cargo test` leaves it out",
            ),
            ("\"crates/a\"", "\"crates/*\"", "name each folder"),
            ("\"tests\"", "\"exercises/02-old\"", "which is no package"),
            (
                "[\n    \"crates/a\",\n    \"sol",
                "[\n    \"crates/a\",\n    \"exercises/01-one\",\n    \"sol",
                "until somebody solves it",
            ),
        ] {
            let manifest = MANIFEST.replace(from, to);
            assert_ne!(manifest, MANIFEST);
            let told = told(&manifest);
            assert!(
                told.iter().any(|it| it.contains(expected)),
                "{expected}: {told:?}"
            );
        }
    }
}
