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
    /// Up to this level: 1, 2 or 3
    #[arg(long, value_name = "N", conflicts_with = "more", value_parser = clap::value_parser!(u8).range(1..=9))]
    pub level: Option<u8>,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Which hints somebody wants.
#[derive(Clone, Copy, Debug)]
pub enum Wish {
    /// Those that were shown before; the first, if none was.
    Again,
    /// One more than were shown before.
    More,
    /// All up to this one.
    UpTo(usize),
}

/// Runs it.
pub fn command(root: &Path, args: &HintArgs) -> anyhow::Result<u8> {
    let all = exercises::load(root)?;
    let exercise = exercises::find(&all, &args.exercise)?;
    let wish = match args.level {
        Some(level) => Wish::UpTo(level.into()),
        None if args.more => Wish::More,
        None => Wish::Again,
    };
    if args.json {
        if let Some(note) = progress::mend(root) {
            remark!("{note}");
        }
        let shown = Shown::of(root, exercise, wish);
        let mut answer = about(exercise, &progress::standing(root, exercise));
        let hints = &exercise.hints[..shown.level];
        let hints: Vec<_> = hints.iter().map(|hint| hint.trim()).collect();
        answer.insert("hints_shown".into(), shown.level.into());
        answer.insert("hints".into(), hints.into());
        answer.insert("remembered".into(), shown.remembered.into());
        print_json(&answer.into())?;
    } else {
        print(&hint(root, exercise, wish))?;
    }
    Ok(status::DONE)
}

/// How many hints to show now.
struct Shown {
    level: usize,
    remembered: bool,
}

impl Shown {
    /// Finds the level, and remembers it if it is the highest so far.
    fn of(root: &Path, exercise: &Exercise, wish: Wish) -> Shown {
        let all = exercise.hints.len();
        let before = progress::standing(root, exercise).hints.min(all);
        let level = match wish {
            Wish::Again => before.max(1),
            Wish::More => before + 1,
            Wish::UpTo(level) => level,
        };
        let level = level.min(all);
        Shown {
            level,
            remembered: level <= before || progress::note_hint(root, exercise, level),
        }
    }
}

/// What to print.
pub fn hint(root: &Path, exercise: &Exercise, wish: Wish) -> String {
    let mut text = String::new();
    if let Some(note) = progress::mend(root) {
        text.push_str(&format!("{note}\n"));
    }
    let all = exercise.hints.len();
    if all == 0 {
        text.push_str(&format!("Exercise {} has no hints.\n", exercise.number));
        return text;
    }
    let Shown { level, remembered } = Shown::of(root, exercise, wish);
    text.push_str(&format!(
        "Exercise {}, {}\n",
        exercise.number, exercise.title
    ));
    for (n, hint) in exercise.hints.iter().enumerate().take(level) {
        text.push_str(&format!("\nHint {} of {all}: {}\n", n + 1, hint.trim()));
    }
    if level < all {
        // Where nothing is remembered, "more" would be the same again.
        let next = match remembered {
            true => "--more".to_owned(),
            false => format!("--level {}", level + 1),
        };
        text.push_str(&format!(
            "\nStill stuck: `cargo course hint {} {next}`.\n",
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
            shows(&hint(root.path(), &exercise, Wish::Again)),
            [true, false, false]
        );
        assert_eq!(
            shows(&hint(root.path(), &exercise, Wish::Again)),
            [true, false, false]
        );
        assert_eq!(
            shows(&hint(root.path(), &exercise, Wish::More)),
            [true, true, false]
        );
        assert_eq!(
            shows(&hint(root.path(), &exercise, Wish::Again)),
            [true, true, false]
        );
        assert_eq!(
            shows(&hint(root.path(), &exercise, Wish::More)),
            [true, true, true]
        );
        let last = hint(root.path(), &exercise, Wish::More);
        assert_eq!(shows(&last), [true, true, true]);
        assert!(last.contains("last hint"), "{last}");
    }

    #[test]
    fn more_is_the_first_hint_when_none_was_shown() {
        let root = tempfile::tempdir().unwrap();
        let exercise = exercise(root.path(), &["look", "think", "nearly"]);
        assert!(!hint(root.path(), &exercise, Wish::More).contains("think"));
    }

    #[test]
    fn hints_work_where_nothing_can_be_written() {
        let root = tempfile::tempdir().unwrap();
        let exercise = exercise(root.path(), &["look", "think", "nearly"]);
        // A file in the place of the folder stops even a user who may write everywhere.
        std::fs::write(root.path().join(".progress"), "").unwrap();
        let text = hint(root.path(), &exercise, Wish::Again);
        assert!(
            text.contains("look") && text.contains("not remembered"),
            "{text}"
        );
        assert!(text.contains("hint 03 --level 2"), "{text}");
        let text = hint(root.path(), &exercise, Wish::UpTo(2));
        assert!(text.contains("think") && !text.contains("nearly"), "{text}");
    }
}
