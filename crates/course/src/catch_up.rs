//! `course catch-up CHECKPOINT`: a reference state beside a learner's work, never over it.
//!
//! The answers go to `reference/NN-slug.rs` at the top of the course: a folder that git ignores and cargo does not look into. They do
//! not go into the exercises' own folders, for cargo refuses to work as soon as a folder there has no `Cargo.toml`, and that is what
//! would be left after an upgrade that has renumbered an exercise.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Zoned;
use serde::Serialize;

use crate::cli::print;
use crate::exercises::{self, Exercise};
use crate::progress::{self, State};
use crate::starter;
use crate::trouble::{Trouble, status};

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct CatchUpArgs {
    /// The last exercise that the class has done, such as 05
    #[arg(value_name = "CHECKPOINT")]
    pub checkpoint: String,
    /// Those that you have passed, too
    #[arg(long)]
    pub all: bool,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// What became of one exercise.
#[derive(Debug, Serialize)]
pub struct CaughtUp {
    /// Its number.
    pub number: String,
    /// Its slug.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// How far the learner is with it, as [`State::name`] has it.
    pub state: &'static str,
    /// What was done.
    pub did: Did,
    /// Where its reference answer is, unless it has been left out.
    pub file: Option<PathBuf>,
    /// The learner's own file, which is as it was.
    pub yours: PathBuf,
}

/// What was done about an exercise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// The answer was written.
    Written,
    /// It was there already.
    AlreadyThere,
    /// It was written under a name with a date, because something else has its name.
    WrittenBeside,
    /// Nothing: the learner has passed it.
    Passed,
}

/// Runs it.
pub fn command(root: &Path, args: &CatchUpArgs) -> anyhow::Result<u8> {
    let all = exercises::load(root)?;
    let last = exercises::find(&all, &args.checkpoint)?;
    let mut done = Vec::new();
    for exercise in all.iter().filter(|one| one.number <= last.number) {
        done.push(catch_up(root, exercise, args.all)?);
    }
    print(&if args.json {
        format!("{}\n", serde_json::to_string_pretty(&done)?)
    } else {
        text(root, &done)
    })?;
    Ok(status::DONE)
}

/// Puts the reference answer of one exercise where it belongs. The learner's own file is not touched.
///
/// # Errors
///
/// One sentence, when the answer cannot be read or written.
pub fn catch_up(
    root: &Path,
    exercise: &Exercise,
    even_if_passed: bool,
) -> anyhow::Result<CaughtUp> {
    let state = progress::standing(root, exercise).state;
    let caught_up = |did, file| CaughtUp {
        number: exercise.number.clone(),
        slug: exercise.slug.clone(),
        title: exercise.title.clone(),
        state: state.name(),
        did,
        file,
        yours: starter::edited_file(exercise),
    };
    if state == State::Passed && !even_if_passed {
        return Ok(caught_up(Did::Passed, None));
    }
    let solution = starter::solution_folder(root, exercise)
        .join("src")
        .join("lib.rs");
    let answer = fs::read_to_string(&solution).map_err(|error| {
        Trouble::environment(format!("{} cannot be read ({error}).", solution.display()))
    })?;
    let answer = format!("{}\n\n{answer}", first_line(exercise));
    let folder = root.join("reference");
    let (file, did) = write(&folder, &format!("{}-{}", exercise.number, exercise.slug), &answer)
        .map_err(|error| {
            Trouble::environment(format!(
                "The answer to exercise {} cannot be written to {} ({error}); `cargo course solution {}` shows it.",
                exercise.number,
                folder.display(),
                exercise.number
            ))
        })?;
    Ok(caught_up(did, Some(file)))
}

fn first_line(exercise: &Exercise) -> String {
    format!(
        "// A reference answer to exercise {0}, written by `cargo course catch-up`: nobody compiles this file. Yours is exercises/{0}-{1}/src/lib.rs.",
        exercise.number, exercise.slug
    )
}

/// Writes `text` to `NAME.rs`, or beside what else is there.
fn write(folder: &Path, name: &str, text: &str) -> io::Result<(PathBuf, Did)> {
    fs::create_dir_all(folder)?;
    let today = Zoned::now().strftime("%Y-%m-%d").to_string();
    let mut did = Did::Written;
    for n in 0.. {
        let file = folder.join(match n {
            0 => format!("{name}.rs"),
            1 => format!("{name}-{today}.rs"),
            n => format!("{name}-{today}-{n}.rs"),
        });
        match fs::File::create_new(&file) {
            Ok(mut fresh) => {
                if let Err(error) = fresh.write_all(text.as_bytes()) {
                    // Half an answer is none.
                    let _ = fs::remove_file(&file);
                    return Err(error);
                }
                return Ok((file, did));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let there = fs::read_to_string(&file).unwrap_or_default();
                if there.lines().eq(text.lines()) {
                    let did = if n == 0 { Did::AlreadyThere } else { did };
                    return Ok((file, did));
                }
                did = Did::WrittenBeside;
            }
            Err(error) => return Err(error),
        }
    }
    unreachable!("numbers do not end")
}

fn text(root: &Path, done: &[CaughtUp]) -> String {
    let mut text = String::new();
    let width = done
        .iter()
        .map(|one| one.title.chars().count())
        .max()
        .unwrap_or(0);
    for one in done {
        let place = one.file.as_deref().map_or_else(String::new, |file| {
            file.strip_prefix(root)
                .unwrap_or(file)
                .display()
                .to_string()
        });
        text.push_str(&format!(
            "{}  {:width$}  {}\n",
            one.number,
            one.title,
            match one.did {
                Did::Written => place,
                Did::AlreadyThere => format!("{place} (there already)"),
                Did::WrittenBeside => format!("{place} (beside a file that is not the same)"),
                Did::Passed => "left out, for you have passed it (--all brings it)".to_owned(),
            }
        ));
    }
    // The last one is where the class is.
    let last = done
        .iter()
        .rev()
        .find_map(|one| Some((one, one.file.as_deref()?)));
    let Some((one, file)) = last else {
        text.push_str("\nYou are where the class is.\n");
        return text;
    };
    let short = |path: &Path| {
        path.strip_prefix(root)
            .unwrap_or(path)
            .display()
            .to_string()
    };
    text.push_str(&format!(
        "\nYour own files are as they were. To compare: `cargo course solution {0} --diff`. To go on from a reference answer: `cargo course reset {0}`, which keeps a copy of your work, and then `{1} {2} {3}`.\n",
        one.number,
        if cfg!(windows) { "copy" } else { "cp" },
        short(file),
        short(&one.yours),
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict;

    /// A course of two exercises, the first of which is passed.
    fn course() -> (tempfile::TempDir, Vec<Exercise>) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (number, slug) in [("01", "one"), ("02", "two")] {
            let exercise = exercises::tests::add(root, number, slug, &[]);
            fs::create_dir_all(exercise.join("src")).unwrap();
            fs::write(exercise.join("src/lib.rs"), "my work\n").unwrap();
            let solution = root.join("solutions").join(format!("{number}-{slug}"));
            fs::create_dir_all(solution.join("src")).unwrap();
            fs::write(solution.join("src/lib.rs"), "//! The answer.\n").unwrap();
            fs::write(solution.join("starter.rs"), "todo\n").unwrap();
        }
        let all = exercises::load(root).unwrap();
        assert!(progress::note_check(root, &all[0], Verdict::Passes));
        (folder, all)
    }

    #[test]
    fn the_answer_lies_beside_the_work_and_says_what_it_is() {
        let (root, all) = course();
        let one = catch_up(root.path(), &all[1], false).unwrap();
        let file = one.file.unwrap();
        assert_eq!(
            (one.did, &file),
            (Did::Written, &root.path().join("reference/02-two.rs"))
        );
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            text.starts_with("// A reference answer to exercise 02"),
            "{text}"
        );
        assert!(text.ends_with("\n\n//! The answer.\n"), "{text}");
        assert_eq!(fs::read_to_string(one.yours).unwrap(), "my work\n");
        let again = catch_up(root.path(), &all[1], false).unwrap();
        assert_eq!((again.did, again.file), (Did::AlreadyThere, Some(file)));
    }

    #[test]
    fn what_is_passed_is_left_out_unless_all_are_asked_for() {
        let (root, all) = course();
        assert_eq!(
            catch_up(root.path(), &all[0], false).unwrap().did,
            Did::Passed
        );
        assert!(!root.path().join("reference").exists());
        assert_eq!(
            catch_up(root.path(), &all[0], true).unwrap().did,
            Did::Written
        );
    }

    #[test]
    fn what_has_the_name_already_stays_as_it_is() {
        let (root, all) = course();
        let place = root.path().join("reference/02-two.rs");
        fs::create_dir(root.path().join("reference")).unwrap();
        fs::write(&place, "my notes\n").unwrap();
        let mut files = Vec::new();
        for change in ["", "// changed\n"] {
            let one = catch_up(root.path(), &all[1], false).unwrap();
            assert_eq!(one.did, Did::WrittenBeside);
            let file = one.file.unwrap();
            if !change.is_empty() {
                fs::write(&file, change).unwrap();
            }
            files.push(file);
        }
        // The second time the first copy had not been changed: but something else has the name, so it says so.
        assert_eq!(files[0], files[1]);
        let third = catch_up(root.path(), &all[1], false).unwrap().file.unwrap();
        assert_ne!(third, files[0]);
        assert_eq!(fs::read_to_string(&place).unwrap(), "my notes\n");
        assert_eq!(fs::read_to_string(&files[0]).unwrap(), "// changed\n");
    }

    #[test]
    fn where_nothing_can_be_written_the_other_way_is_named() {
        let (root, all) = course();
        fs::write(root.path().join("reference"), "").unwrap();
        let error = catch_up(root.path(), &all[1], false)
            .unwrap_err()
            .to_string();
        assert!(error.contains("cargo course solution 02"), "{error}");
    }

    #[test]
    fn the_text_says_where_and_what_next() {
        let (root, all) = course();
        let done: Vec<_> = all
            .iter()
            .map(|one| catch_up(root.path(), one, false).unwrap())
            .collect();
        let said = text(root.path(), &done).replace('\\', "/");
        for words in [
            "01  one title  left out",
            "02  two title  reference/02-two.rs\n",
            "solution 02 --diff",
            "reset 02",
            "reference/02-two.rs exercises/02-two/src/lib.rs",
        ] {
            assert!(said.contains(words), "{words:?} is not in:\n{said}");
        }
    }
}
