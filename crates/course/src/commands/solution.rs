//! `course solution NN`: the solution, for whoever has passed, or insists.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use similar::TextDiff;

use super::{about, ask, place, print_json};
use crate::cli::print;
use crate::exercises::{self, Exercise};
use crate::progress::{self, State};
use crate::starter;
use crate::trouble::{Trouble, status};

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct SolutionArgs {
    /// The exercise's number, such as 03
    #[arg(value_name = "NN")]
    pub exercise: String,
    /// Show how it differs from your code
    #[arg(long)]
    pub diff: bool,
    /// Do not ask, although the exercise has not passed
    #[arg(long, short)]
    pub yes: bool,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs it.
pub fn command(root: &Path, args: &SolutionArgs) -> anyhow::Result<u8> {
    let exercises = exercises::load(root)?;
    let exercise = exercises::find(&exercises, &args.exercise)?;
    if let Some(note) = progress::mend(root) {
        remark!("{note}");
    }
    let solution = text(root, exercise)?;
    let standing = progress::standing(root, exercise);
    if standing.state != State::Passed && !args.yes {
        let not_yet = format!("Exercise {} has not passed yet.", exercise.number);
        let agreed = if args.json {
            None
        } else {
            ask(&format!("{not_yet} Show its solution all the same?"))?
        };
        match agreed {
            Some(true) => {}
            Some(false) => {
                return Err(Trouble::input(format!(
                    "Then not. `cargo course hint {}` helps.",
                    exercise.number
                )));
            }
            None => {
                return Err(Trouble::input(format!(
                    "{not_yet} Add --yes to see its solution all the same."
                )));
            }
        }
    }
    let shown = place(root, &file(root, exercise));
    if args.json {
        let mut answer = about(exercise, &standing);
        let diff = diff(root, exercise).ok();
        answer.insert("file".into(), shown.into());
        answer.insert("solution".into(), solution.into());
        answer.insert(
            "same".into(),
            diff.as_ref().map(|diff| diff.is_empty()).into(),
        );
        answer.insert("diff".into(), diff.into());
        print_json(&answer.into())?;
    } else if args.diff {
        let diff = diff(root, exercise)?;
        if diff.is_empty() {
            print(&format!("Your code is the same as {shown}.\n"))?;
        } else {
            let colors = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            print(&if colors { colored(&diff) } else { diff })?;
        }
    } else {
        // The text alone goes to standard output: it can be sent to a file.
        remark!("{shown}:");
        print(&solution)?;
        remark!(
            "`cargo course solution {} --diff` compares it with your code.",
            exercise.number
        );
    }
    Ok(status::DONE)
}

/// Where the solution of an exercise lies.
pub fn file(root: &Path, exercise: &Exercise) -> PathBuf {
    starter::solution_folder(root, exercise)
        .join("src")
        .join("lib.rs")
}

/// The solution of an exercise. Whether the learner should see it yet is for the caller to ask.
///
/// # Errors
///
/// One sentence that names the file, when it cannot be read.
pub fn text(root: &Path, exercise: &Exercise) -> anyhow::Result<String> {
    let file = file(root, exercise);
    fs::read_to_string(&file).map_err(|error| {
        Trouble::environment(format!("{} cannot be read ({error}).", file.display()))
    })
}

/// From the learner's code (`-`) to the solution (`+`), as a unified diff; empty when they are the same. Line endings do
/// not count, for git may change them.
///
/// # Errors
///
/// One sentence that names the file, when one of the two cannot be read.
pub fn diff(root: &Path, exercise: &Exercise) -> anyhow::Result<String> {
    let yours = starter::edited(exercise)?.replace("\r\n", "\n");
    let solution = text(root, exercise)?.replace("\r\n", "\n");
    Ok(TextDiff::configure()
        // A file of any size gets an answer; it may be a longer one than need be.
        .timeout(Duration::from_secs(2))
        .diff_lines(&yours, &solution)
        .unified_diff()
        .header(
            &place(root, &starter::edited_file(exercise)),
            &place(root, &file(root, exercise)),
        )
        .to_string())
}

fn colored(diff: &str) -> String {
    let mut text = String::new();
    for line in diff.lines() {
        let color = match line.as_bytes().first() {
            Some(b'-') => "\x1b[31m",
            Some(b'+') => "\x1b[32m",
            Some(b'@') => "\x1b[36m",
            _ => "",
        };
        let end = if color.is_empty() { "" } else { "\x1b[0m" };
        text.push_str(&format!("{color}{line}{end}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_leads_from_the_learners_code_to_the_solution() {
        let root = tempfile::tempdir().unwrap();
        let folder = exercises::tests::add(root.path(), "03", "three", &[]);
        let write = |path: &Path, text: &str| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let exercise = exercises::load(root.path()).unwrap().remove(0);
        write(&folder.join("src/lib.rs"), "one\r\nmine\r\n");
        write(&file(root.path(), &exercise), "one\ntheirs\n");
        assert_eq!(
            diff(root.path(), &exercise).unwrap(),
            "--- exercises/03-three/src/lib.rs\n+++ solutions/03-three/src/lib.rs\n@@ -1,2 +1,2 @@\n one\n-mine\n+theirs\n"
        );
        write(&folder.join("src/lib.rs"), "one\r\ntheirs\r\n");
        assert_eq!(diff(root.path(), &exercise).unwrap(), "");
    }

    #[test]
    fn colors_change_no_text() {
        let diff = "@@ -1 +1 @@\n same\n-old\n+new\n";
        let colored = colored(diff);
        assert!(colored.contains("\x1b[31m-old\x1b[0m\n"), "{colored:?}");
        let mut plain = colored;
        for code in ["\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[0m"] {
            plain = plain.replace(code, "");
        }
        assert_eq!(plain, diff);
    }
}
