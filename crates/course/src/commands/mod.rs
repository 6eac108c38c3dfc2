//! What a learner asks for by name: one command a file.
//!
//! With `--json`, standard output holds one JSON value and nothing else; what is said meanwhile goes to standard error. The
//! keys are explained in the book, on the page "How to use this book".

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::cli;
use crate::exercises::Exercise;
use crate::progress::Standing;

pub mod check;
pub mod completions;
pub mod hint;
pub mod list;
pub mod reset;
pub mod solution;

/// Said where something ought to be remembered and cannot.
const NOT_REMEMBERED: &str = "(This folder cannot be written, so this is not remembered.)";

/// What every JSON answer says about an exercise, and about the learner in it.
pub fn about(exercise: &Exercise, standing: &Standing) -> Map<String, Value> {
    let hints = exercise.hints.len();
    let about = json!({
        "number": exercise.number,
        "slug": exercise.slug,
        "title": exercise.title,
        "minutes": exercise.minutes,
        "chapter": exercise.chapter,
        "state": standing.state.name(),
        "last": standing.last,
        "passed_on": standing.passed_on,
        "hints_shown": standing.hints.min(hints),
        "hints_in_all": hints,
    });
    match about {
        Value::Object(about) => about,
        _ => unreachable!("it is an object"),
    }
}

/// A path inside the course as a learner reads it anywhere: from the course's folder, with slashes.
pub fn place(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let text = inside.display().to_string();
    match cfg!(windows) {
        true => text.replace('\\', "/"),
        false => text,
    }
}

fn print_json(value: &Value) -> anyhow::Result<()> {
    cli::answer(&format!("{value:#}\n"))
}

/// Asks a question that wants yes or no. `None` where nobody is there to answer.
fn ask(question: &str) -> io::Result<Option<bool>> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(None);
    }
    let mut err = io::stderr().lock();
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let said = answer(&mut io::stdin().lock())?;
    if said.is_none() {
        writeln!(err)?;
    }
    Ok(Some(said.unwrap_or(false)))
}

/// Yes has to be said. `None`: the input is at its end.
fn answer(input: &mut impl BufRead) -> io::Result<Option<bool>> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let said = line.trim().to_lowercase();
    Ok(Some(said == "y" || said == "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        for (typed, means) in [
            ("y\n", Some(true)),
            (" YES \r\n", Some(true)),
            ("\n", Some(false)),
            ("n\n", Some(false)),
            ("yesterday\n", Some(false)),
            ("y", Some(true)),
            ("", None),
        ] {
            assert_eq!(answer(&mut typed.as_bytes()).unwrap(), means, "{typed:?}");
        }
    }

    #[test]
    fn a_place_inside_the_course_is_short_and_any_other_is_whole() {
        let root = Path::new("course");
        let inside = root.join("exercises").join("03-three");
        assert_eq!(place(root, &inside), "exercises/03-three");
        let other = Path::new("elsewhere");
        assert_eq!(place(root, other), "elsewhere");
    }
}
