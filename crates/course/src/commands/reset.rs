//! `course reset NN`: the starter again, and a copy of what was there.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::{about, ask, place, print_json};
use crate::cli::print;
use crate::exercises::{self, Exercise};
use crate::trouble::{Trouble, status, status_of};
use crate::{progress, starter};

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct ResetArgs {
    /// The exercise's number, such as 03; or `all`
    #[arg(value_name = "NN|all")]
    pub exercise: String,
    /// With `all`: do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs it.
pub fn command(root: &Path, args: &ResetArgs) -> anyhow::Result<u8> {
    let exercises = exercises::load(root)?;
    if let Some(note) = progress::mend(root) {
        remark!("{note}");
    }
    if args.exercise.trim().eq_ignore_ascii_case("all") {
        return all(root, &exercises, args);
    }
    let exercise = exercises::find(&exercises, &args.exercise)?;
    let done = Reset::of(root, exercise);
    let sentence = done.sentence(root, exercise)?;
    match args.json {
        true => print_json(&done.json(root, exercise, sentence))?,
        false => print(&format!("{sentence}\n"))?,
    }
    Ok(status::DONE)
}

/// Puts an exercise back to its starter, and says where the copy is of what was there. `None`: nothing was worth a copy,
/// because the file is the starter already, and is left alone, or is missing.
///
/// What is remembered about the exercise stays: passes and hints.
///
/// # Errors
///
/// One sentence, when the starter cannot be read, or a copy or the file cannot be written. Then nothing was changed.
pub fn put_back(root: &Path, exercise: &Exercise) -> anyhow::Result<Option<PathBuf>> {
    if !starter::is_edited(root, exercise) {
        return Ok(None);
    }
    let starter = starter::shipped(root, exercise)?;
    let file = starter::edited_file(exercise);
    let copy = match fs::symlink_metadata(&file) {
        Ok(_) => Some(starter::back_up(root, exercise)?),
        Err(_) => None,
    };
    let written = fs::create_dir_all(file.parent().expect("a file lies in a folder"))
        .and_then(|()| starter::replace(&file, starter.as_bytes()));
    written.map_err(|error| {
        Trouble::environment(format!(
            "{} cannot be written ({error}), so nothing was changed.",
            file.display()
        ))
    })?;
    Ok(copy)
}

/// What became of an exercise.
struct Reset {
    was_edited: bool,
    copy: anyhow::Result<Option<PathBuf>>,
}

impl Reset {
    fn of(root: &Path, exercise: &Exercise) -> Reset {
        Reset {
            was_edited: starter::is_edited(root, exercise),
            copy: put_back(root, exercise),
        }
    }

    fn sentence(&self, root: &Path, exercise: &Exercise) -> anyhow::Result<String> {
        let number = &exercise.number;
        match &self.copy {
            Ok(Some(copy)) => Ok(format!(
                "Exercise {number} is at its beginning again. Your work is kept in {}.",
                place(root, copy)
            )),
            Ok(None) if self.was_edited => Ok(format!(
                "Exercise {number} is at its beginning again: its file was missing."
            )),
            Ok(None) => Ok(format!(
                "Exercise {number} is as it was at the beginning: there is nothing to reset."
            )),
            Err(error) => Err(match status_of(error) {
                status::INPUT => Trouble::input(error.to_string()),
                _ => Trouble::environment(error.to_string()),
            }),
        }
    }

    fn json(&self, root: &Path, exercise: &Exercise, sentence: String) -> Value {
        let mut answer = about(exercise, &progress::standing(root, exercise));
        let copy = self.copy.as_ref().ok().and_then(Option::as_ref);
        let changed = self.was_edited && self.copy.is_ok();
        answer.insert("changed".into(), changed.into());
        answer.insert("backup".into(), copy.map(|copy| place(root, copy)).into());
        answer.insert("sentence".into(), sentence.into());
        answer.into()
    }
}

fn all(root: &Path, exercises: &[Exercise], args: &ResetArgs) -> anyhow::Result<u8> {
    let edited: Vec<_> = exercises
        .iter()
        .filter(|exercise| starter::is_edited(root, exercise))
        .collect();
    let numbers: Vec<_> = edited.iter().map(|e| e.number.as_str()).collect();
    if !edited.is_empty() && !args.yes {
        let which = format!(
            "Put back {}: {}. A copy of each is kept.",
            count(edited.len()),
            exercises::in_words(&numbers)
        );
        let agreed = if args.json {
            None
        } else {
            ask(&format!("{which} Go on?"))?
        };
        match agreed {
            Some(true) => {}
            Some(false) => return Err(Trouble::input("Nothing was changed.")),
            None => {
                return Err(Trouble::input(format!(
                    "This would put back {}: {}. Add --yes if you mean it; a copy of each is kept.",
                    count(edited.len()),
                    exercises::in_words(&numbers)
                )));
            }
        }
    }
    let mut worst = status::DONE;
    let mut done = Vec::new();
    for exercise in &edited {
        let reset = Reset::of(root, exercise);
        // One that cannot be put back is no reason to leave the others.
        let sentence = reset.sentence(root, exercise).unwrap_or_else(|error| {
            worst = worst.max(status_of(&error));
            error.to_string()
        });
        if !args.json {
            print(&format!("{sentence}\n"))?;
        }
        done.push(reset.json(root, exercise, sentence));
    }
    let changed = done.iter().filter(|reset| reset["changed"] == true).count();
    let sentence = match edited.len() {
        0 => "All exercises are as they were at the beginning: there is nothing to reset.".into(),
        n if n == changed => format!("{} put back.", count(changed)),
        n => format!("{changed} of {} put back.", count(n)),
    };
    match args.json {
        true => print_json(&json!({ "exercises": done, "sentence": sentence }))?,
        false => print(&format!("{sentence}\n"))?,
    }
    Ok(worst)
}

fn count(n: usize) -> String {
    match n {
        1 => "1 exercise".into(),
        n => format!("{n} exercises"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exercise(root: &Path) -> Exercise {
        let folder = exercises::tests::add(root, "03", "three", &[]);
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::create_dir_all(root.join("solutions/03-three")).unwrap();
        fs::write(folder.join("src/lib.rs"), "todo\n").unwrap();
        fs::write(root.join("solutions/03-three/starter.rs"), "todo\n").unwrap();
        exercises::load(root).unwrap().remove(0)
    }

    fn work(exercise: &Exercise) -> String {
        fs::read_to_string(starter::edited_file(exercise)).unwrap()
    }

    #[test]
    fn work_is_copied_and_the_starter_is_back() {
        let root = tempfile::tempdir().unwrap();
        let exercise = exercise(root.path());
        assert_eq!(put_back(root.path(), &exercise).unwrap(), None);
        for bytes in [&b"my work\n"[..], b"\xff\xfe not text", b""] {
            fs::write(starter::edited_file(&exercise), bytes).unwrap();
            let copy = put_back(root.path(), &exercise).unwrap().unwrap();
            assert_eq!(fs::read(copy).unwrap(), bytes);
            assert_eq!(work(&exercise), "todo\n");
        }
    }

    #[test]
    fn a_missing_file_comes_back_and_there_is_nothing_to_copy() {
        let root = tempfile::tempdir().unwrap();
        let exercise = exercise(root.path());
        fs::remove_dir_all(exercise.folder.join("src")).unwrap();
        let reset = Reset::of(root.path(), &exercise);
        let sentence = reset.sentence(root.path(), &exercise).unwrap();
        assert!(sentence.contains("was missing"), "{sentence}");
        assert_eq!(work(&exercise), "todo\n");
    }

    #[test]
    fn without_a_copy_or_a_starter_nothing_is_changed() {
        let root = tempfile::tempdir().unwrap();
        let exercise = exercise(root.path());
        fs::write(starter::edited_file(&exercise), "my work\n").unwrap();
        fs::write(root.path().join(".progress"), "in the way").unwrap();
        let error = put_back(root.path(), &exercise).unwrap_err();
        assert!(error.to_string().contains("nothing was changed"), "{error}");
        assert_eq!(work(&exercise), "my work\n");
        fs::remove_file(root.path().join(".progress")).unwrap();
        fs::remove_file(starter::shipped_file(root.path(), &exercise)).unwrap();
        let error = put_back(root.path(), &exercise).unwrap_err();
        assert!(error.to_string().contains("starter.rs"), "{error}");
        assert_eq!(work(&exercise), "my work\n");
    }

    #[cfg(unix)]
    #[test]
    fn permissions_and_links_stay_as_they_are() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let root = tempfile::tempdir().unwrap();
        let exercise = exercise(root.path());
        let file = starter::edited_file(&exercise);
        let elsewhere = root.path().join("elsewhere.rs");
        fs::write(&elsewhere, "my work\n").unwrap();
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o664)).unwrap();
        fs::remove_file(&file).unwrap();
        symlink(&elsewhere, &file).unwrap();
        put_back(root.path(), &exercise).unwrap().unwrap();
        assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "todo\n");
        let mode = fs::metadata(&elsewhere).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o664);
    }
}
