//! What the pages are told about the learner: how far they are, the hints they have had, and the solution once they have
//! passed. All of it stands in the progress file and the exercises' own files, so the terminal tells the same.

use std::path::Path;

use hyper::StatusCode;
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use super::routes::Refusal;
use crate::exercises::{self, Exercise};
use crate::progress::{self, Standing, State};
use crate::starter;

/// How far the learner is with every exercise.
///
/// `note` is what they should know about the progress file: told once, when it was found damaged.
pub fn standings(root: &Path) -> Result<Value, Refusal> {
    let note = progress::mend(root);
    let exercises = exercises::load(root)
        .map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")))?;
    let standings = progress::standings(root, &exercises);
    let all: Vec<Value> = exercises.iter().zip(standings).map(told).collect();
    Ok(json!({ "note": note, "exercises": all }))
}

/// How far the learner is with one exercise, and the hints they have had.
pub fn standing(root: &Path, exercise: &Exercise) -> Value {
    told((exercise, progress::standing(root, exercise)))
}

fn told((exercise, standing): (&Exercise, Standing)) -> Value {
    let shown = standing.hints.min(exercise.hints.len());
    json!({
        "number": exercise.number,
        "slug": exercise.slug,
        "title": exercise.title,
        "minutes": exercise.minutes,
        "chapter": exercise.chapter,
        "state": standing.state.name(),
        "last": standing.last,
        "passed_on": standing.passed_on,
        "hints_shown": shown,
        "hints_in_all": exercise.hints.len(),
        "hints": exercise.hints[..shown].iter().map(|hint| hint.trim()).collect::<Vec<_>>(),
    })
}

/// Shows the hints up to `level`, and remembers that. A level that was reached before stays reached.
///
/// The page names the level that it wants. So a second page, or a second click, does not go further than the reader meant.
pub fn hint(root: &Path, asked: &str, level: &str) -> Result<Value, Refusal> {
    let exercise = find(root, asked)?;
    let level = level.parse::<usize>().map_err(|_| {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "A hint is asked for by its level: 1 is the first.",
        )
    })?;
    let wanted = level.min(exercise.hints.len());
    let remembered = wanted <= progress::standing(root, &exercise).hints
        || progress::note_hint(root, &exercise, wanted);
    let mut answer = standing(root, &exercise);
    if !remembered {
        // Nothing can be written here; the hint is shown all the same.
        answer["hints_shown"] = json!(wanted);
        answer["hints"] = json!(exercise.hints[..wanted]);
    }
    answer["remembered"] = json!(remembered);
    Ok(answer)
}

/// The solution, compared with the learner's answer line by line: `[tag, line]`, where the tag is `-` for a line of theirs,
/// `+` for one of the solution, and a space for both. Only after a pass.
pub fn solution(root: &Path, asked: &str) -> Result<Value, Refusal> {
    let exercise = find(root, asked)?;
    let number = &exercise.number;
    if progress::standing(root, &exercise).state != State::Passed {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            format!(
                "Exercise {number} has not passed yet. `cargo course solution {number}` shows the solution all the same."
            ),
        ));
    }
    let file = starter::solution_folder(root, &exercise)
        .join("src")
        .join("lib.rs");
    let theirs = std::fs::read_to_string(&file).map_err(|error| {
        Refusal::new(
            StatusCode::NOT_FOUND,
            format!("{} cannot be read ({error}).", file.display()),
        )
    })?;
    let yours = starter::edited(&exercise)
        .map_err(|error| Refusal::new(StatusCode::NOT_FOUND, format!("{error:#}")))?;
    // Git may have changed the line endings of one of them.
    let (yours, theirs) = (yours.replace("\r\n", "\n"), theirs.replace("\r\n", "\n"));
    let lines: Vec<Value> = TextDiff::from_lines(&yours, &theirs)
        .iter_all_changes()
        .map(|change| {
            let tag = match change.tag() {
                ChangeTag::Delete => "-",
                ChangeTag::Insert => "+",
                ChangeTag::Equal => " ",
            };
            json!([tag, change.value().trim_end_matches('\n')])
        })
        .collect();
    let shown = file.strip_prefix(root).unwrap_or(&file);
    let shown = shown.display().to_string().replace('\\', "/");
    Ok(json!({ "number": number, "file": shown, "same": yours == theirs, "lines": lines }))
}

fn find(root: &Path, asked: &str) -> Result<Exercise, Refusal> {
    exercises::load(root)
        .and_then(|all| exercises::find(&all, asked).cloned())
        .map_err(|error| Refusal::new(StatusCode::NOT_FOUND, format!("{error:#}")))
}
