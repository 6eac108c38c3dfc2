//! `course hint NN [--more]`: one level of help at a time.

use std::path::Path;

use clap::Args;

use super::{NOT_REMEMBERED, about, print_json};
use crate::cli::print;
use crate::exercises::{self, Exercise};
use crate::progress;
use crate::trouble::status;

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct HintArgs {
    /// The exercise's number, such as 03
    #[arg(value_name = "NN")]
    pub exercise: String,
    /// One level further
    #[arg(long)]
    pub more: bool,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs it.
pub fn command(root: &Path, args: &HintArgs) -> anyhow::Result<u8> {
    let all = exercises::load(root)?;
    let exercise = exercises::find(&all, &args.exercise)?;
    if args.json {
        if let Some(note) = progress::mend(root) {
            eprintln!("{note}");
        }
        let shown = Shown::of(root, exercise, args.more);
        let mut answer = about(exercise, &progress::standing(root, exercise));
        let hints = &exercise.hints[..shown.level];
        let hints: Vec<_> = hints.iter().map(|hint| hint.trim()).collect();
        answer.insert("hints_shown".into(), shown.level.into());
        answer.insert("hints".into(), hints.into());
        answer.insert("remembered".into(), shown.remembered.into());
        print_json(&answer.into())?;
    } else {
        print(&hint(root, exercise, args.more))?;
    }
    Ok(status::DONE)
}

/// How many hints to show now.
struct Shown {
    level: usize,
    remembered: bool,
}

impl Shown {
    /// Those up to the level reached; with `more`, one level further. It remembers the level.
    fn of(root: &Path, exercise: &Exercise, more: bool) -> Shown {
        let all = exercise.hints.len();
        let before = progress::standing(root, exercise).hints.min(all);
        let level = if more { before + 1 } else { before.max(1) }.min(all);
        Shown {
            level,
            remembered: level == before || progress::note_hint(root, exercise, level),
        }
    }
}

/// What to print: the hints up to the level reached; with `more`, one level further.
pub fn hint(root: &Path, exercise: &Exercise, more: bool) -> String {
    let mut text = String::new();
    if let Some(note) = progress::mend(root) {
        text.push_str(&format!("{note}\n"));
    }
    let all = exercise.hints.len();
    if all == 0 {
        text.push_str(&format!("Exercise {} has no hints.\n", exercise.number));
        return text;
    }
    let Shown { level, remembered } = Shown::of(root, exercise, more);
    text.push_str(&format!(
        "Exercise {}, {}\n",
        exercise.number, exercise.title
    ));
    for (n, hint) in exercise.hints.iter().enumerate().take(level) {
        text.push_str(&format!("\nHint {} of {all}: {}\n", n + 1, hint.trim()));
    }
    if level < all {
        text.push_str(&format!(
            "\nStill stuck: `cargo course hint {} --more`.\n",
            exercise.number
        ));
    } else {
        text.push_str("\nThat was the last hint. The chapter tells the whole story: ");
        text.push_str(&format!("{}.\n", exercise.chapter));
    }
    if !remembered {
        text.push_str(&format!("{NOT_REMEMBERED}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exercises;

    fn exercise(root: &Path, hints: &[&str]) -> Exercise {
        exercises::tests::add(root, "03", "three", hints);
        exercises::load(root).unwrap().remove(0)
    }

    #[test]
    fn levels_come_one_by_one_and_are_remembered() {
        let root = tempfile::tempdir().unwrap();
        let exercise = exercise(root.path(), &["look", "think", "nearly"]);
        let shows = |text: &str| ["look", "think", "nearly"].map(|hint| text.contains(hint));
        assert_eq!(
            shows(&hint(root.path(), &exercise, false)),
            [true, false, false]
        );
        assert_eq!(
            shows(&hint(root.path(), &exercise, false)),
            [true, false, false]
        );
        assert_eq!(
            shows(&hint(root.path(), &exercise, true)),
            [true, true, false]
        );
        assert_eq!(
            shows(&hint(root.path(), &exercise, false)),
            [true, true, false]
        );
        assert_eq!(
            shows(&hint(root.path(), &exercise, true)),
            [true, true, true]
        );
        let last = hint(root.path(), &exercise, true);
        assert_eq!(shows(&last), [true, true, true]);
        assert!(last.contains("last hint"), "{last}");
    }

    #[test]
    fn more_is_the_first_hint_when_none_was_shown() {
        let root = tempfile::tempdir().unwrap();
        let exercise = exercise(root.path(), &["look", "think", "nearly"]);
        assert!(!hint(root.path(), &exercise, true).contains("think"));
    }

    #[test]
    fn hints_work_where_nothing_can_be_written() {
        let root = tempfile::tempdir().unwrap();
        let exercise = exercise(root.path(), &["look", "think", "nearly"]);
        // A file in the place of the folder stops even a user who may write everywhere.
        std::fs::write(root.path().join(".progress"), "").unwrap();
        let text = hint(root.path(), &exercise, false);
        assert!(
            text.contains("look") && text.contains("not remembered"),
            "{text}"
        );
    }
}
