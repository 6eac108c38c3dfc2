//! What the course remembers about a learner: `.progress/progress.json` at the workspace's root.
//!
//! Keys that this version does not know are kept. A damaged file is moved aside, never overwritten. Where nothing can be
//! written (a read-only folder), everything works and nothing is remembered.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Zoned;
use serde_json::{Map, Value, json};

use crate::check::Verdict;
use crate::exercises::Exercise;
use crate::starter;

/// How far a learner is with an exercise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The file is the starter.
    Untouched,
    /// The file is not the starter any more, and no check has looked at it yet.
    Begun,
    /// The last check did not pass, and none has before.
    Failing,
    /// A check has passed. It stays so when the file is edited further.
    Passed,
}

impl State {
    /// As it stands in JSON.
    pub fn name(self) -> &'static str {
        match self {
            State::Untouched => "untouched",
            State::Begun => "begun",
            State::Failing => "failing",
            State::Passed => "passed",
        }
    }
}

/// What is known about an exercise.
#[derive(Clone, Debug)]
pub struct Standing {
    /// How far the learner is.
    pub state: State,
    /// How many hints have been shown.
    pub hints: usize,
    /// The last verdict's name, as [`Verdict::name`](crate::check::Verdict::name) gives it.
    pub last: Option<String>,
    /// When it passed first, as `2026-11-21`.
    pub passed_on: Option<String>,
}

/// How far the learner is with an exercise.
pub fn standing(root: &Path, exercise: &Exercise) -> Standing {
    let progress = Progress::open(root);
    let known = &progress.value["exercises"][&exercise.number];
    let text = |key: &str| known[key].as_str().map(str::to_owned);
    let (last, passed_on) = (text("last"), text("passed_on"));
    let state = match (&passed_on, &last) {
        (Some(_), _) => State::Passed,
        (None, _) if !starter::is_edited(root, exercise) => State::Untouched,
        (None, Some(_)) => State::Failing,
        (None, None) => State::Begun,
    };
    Standing {
        state,
        hints: progress.hints_shown(&exercise.number),
        last,
        passed_on,
    }
}

/// Remembers a verdict. `false` when it could not be written.
///
/// What says nothing about the learner's code (a check that was stopped, a machine that could not build) is not kept.
pub fn note_check(root: &Path, exercise: &Exercise, verdict: Verdict) -> bool {
    if let Verdict::Stopped | Verdict::NotRun = verdict {
        return true;
    }
    let mut progress = Progress::open(root);
    let known = progress.exercise(&exercise.number);
    known.insert("last".into(), verdict.name().into());
    if verdict == Verdict::Passes {
        let today = Zoned::now().strftime("%Y-%m-%d").to_string();
        known.entry("passed_on").or_insert(today.into());
    }
    progress.save().is_ok()
}

/// The memory of one workspace.
pub struct Progress {
    file: PathBuf,
    value: Value,
    /// What the learner should know about the file, if anything.
    pub note: Option<String>,
}

impl Progress {
    /// Reads what there is.
    pub fn open(root: &Path) -> Progress {
        let file = root.join(".progress").join("progress.json");
        let fresh = || json!({ "version": 1 });
        let (value, note) = match fs::read_to_string(&file) {
            Err(_) => (fresh(), None),
            Ok(text) => match serde_json::from_str(&text) {
                Ok(value @ Value::Object(_)) => (value, None),
                _ => {
                    let aside = free_name(&file);
                    let moved = fs::rename(&file, &aside).is_ok();
                    let place = if moved {
                        format!("; it is kept as {}", aside.display())
                    } else {
                        String::new()
                    };
                    (
                        fresh(),
                        Some(format!(
                            "{} was damaged and is begun anew{place}.",
                            file.display()
                        )),
                    )
                }
            },
        };
        Progress { file, value, note }
    }

    /// How many hints of an exercise have been shown.
    pub fn hints_shown(&self, number: &str) -> usize {
        self.value["exercises"][number]["hints"]
            .as_u64()
            .unwrap_or(0) as usize
    }

    /// Remembers it. `false` when it could not be written.
    pub fn set_hints_shown(&mut self, number: &str, shown: usize) -> bool {
        self.exercise(number).insert("hints".into(), shown.into());
        self.save().is_ok()
    }

    /// What is kept of an exercise.
    fn exercise(&mut self, number: &str) -> &mut Map<String, Value> {
        let exercises = object(&mut self.value)
            .entry("exercises")
            .or_insert(Value::Null);
        object(object(exercises).entry(number).or_insert(Value::Null))
    }

    /// Written beside the file and moved over it: a crash leaves the old one.
    fn save(&self) -> std::io::Result<()> {
        let folder = self.file.parent().expect("the file has a folder");
        fs::create_dir_all(folder)?;
        let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut fresh, &self.value)?;
        fresh.write_all(b"\n")?;
        fresh.persist(&self.file)?;
        Ok(())
    }
}

/// The object that this is, or an empty one in the place of something else.
fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("it is an object by now")
}

fn free_name(file: &Path) -> PathBuf {
    (1..)
        .map(|n| file.with_extension(format!("damaged-{n}.json")))
        .find(|name| !name.exists())
        .expect("numbers do not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_there_next_time_and_other_keys_stay() {
        let root = tempfile::tempdir().unwrap();
        let mut progress = Progress::open(root.path());
        assert_eq!(progress.hints_shown("03"), 0);
        progress.value["later"] = json!({ "a": 1 });
        assert!(progress.set_hints_shown("03", 2));
        let again = Progress::open(root.path());
        assert_eq!(
            (again.hints_shown("03"), &again.value["later"]["a"]),
            (2, &json!(1))
        );
    }

    #[test]
    fn a_damaged_file_is_kept_aside() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(".progress")).unwrap();
        fs::write(
            root.path().join(".progress/progress.json"),
            "{\"exercises\": ",
        )
        .unwrap();
        let mut progress = Progress::open(root.path());
        assert!(progress.note.as_deref().unwrap().contains("damaged-1.json"));
        assert!(progress.set_hints_shown("03", 1));
        let kept =
            fs::read_to_string(root.path().join(".progress/progress.damaged-1.json")).unwrap();
        assert_eq!(kept, "{\"exercises\": ");
    }

    #[test]
    fn odd_shapes_do_not_panic() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(".progress")).unwrap();
        fs::write(
            root.path().join(".progress/progress.json"),
            "{\"exercises\": [1, 2]}",
        )
        .unwrap();
        let mut progress = Progress::open(root.path());
        assert_eq!(progress.hints_shown("03"), 0);
        assert!(progress.set_hints_shown("03", 1));
        assert_eq!(Progress::open(root.path()).hints_shown("03"), 1);
    }
}
