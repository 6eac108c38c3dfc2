//! What is typed, and what is answered.

use std::path::Path;

use clap::Args;
use serde_json::{Value, json};

use super::screen::Screen;
use super::{Verification, Verified, VerifyOptions, verify};
use crate::cli::answer;
use crate::trouble::{Trouble, status};
use crate::{exercises, interrupt};

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// The exercises' numbers, such as 03, or all [default: all]
    #[arg(value_name = "NN")]
    pub exercise: Vec<String>,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
    /// How many compilers, and how many tests, at once [default: as many as this machine takes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
}

/// Runs it.
pub fn command(root: &Path, args: &VerifyArgs) -> anyhow::Result<u8> {
    let all = exercises::load(root)?;
    let mut asked = Vec::new();
    if args.exercise.is_empty() || args.exercise.iter().any(|name| name == "all") {
        asked.clone_from(&all);
    } else {
        for name in &args.exercise {
            let exercise = exercises::find(&all, name)?;
            if !asked
                .iter()
                .any(|it: &exercises::Exercise| it.number == exercise.number)
            {
                asked.push(exercise.clone());
            }
        }
    }
    if asked.is_empty() {
        return Err(Trouble::input(exercises::NONE));
    }
    let options = VerifyOptions {
        jobs: args.jobs.map(usize::from),
        ..VerifyOptions::new(root)
    };
    let interrupt = interrupt::listen()?;
    let screen = Screen::new();
    let verification = verify(root, &asked, &options, interrupt.stop(), &|event| {
        screen.tell(event);
    });
    screen.clear();
    let verification = verification?;
    let told = if args.json {
        format!("{:#}\n", json(&verification))
    } else {
        text(&verification)
    };
    answer(&told)?;
    Ok(if verification.stopped {
        status::INTERRUPTED
    } else if verification.complaints() == 0 {
        status::DONE
    } else {
        status::FAILS
    })
}

/// What came of it, to be read.
fn text(verification: &Verification) -> String {
    let mut text = String::new();
    for Verified {
        exercise,
        wrong_answers,
        notes,
        complaints,
    } in &verification.exercises
    {
        let (number, title) = (&exercise.number, &exercise.title);
        let came = if complaints.is_empty() {
            format!("as it must be ({})", count(*wrong_answers, "wrong answer"))
        } else {
            count(complaints.len(), "complaint")
        };
        text.push_str(&format!("{number}  {title}: {came}\n"));
        for note in notes {
            text.push_str(&format!("    Note: {note}\n"));
        }
        for complaint in complaints {
            text.push_str(&format!("  - {complaint}\n"));
        }
    }
    format!("{text}\n{}\n", sentence(verification))
}

/// What came of it, in one sentence.
fn sentence(verification: &Verification) -> String {
    if verification.stopped {
        return "The verification was stopped.".to_owned();
    }
    let exercises = &verification.exercises;
    let wrong: usize = exercises.iter().map(|it| it.wrong_answers).sum();
    let what = format!(
        "{} with {}",
        count(exercises.len(), "exercise"),
        count(wrong, "wrong answer")
    );
    let seconds = verification.took.as_secs_f32();
    match verification.complaints() {
        0 => format!("Verified in {seconds:.1} s: {what}. All is as it must be."),
        n => {
            let bad = exercises.iter().filter(|it| !it.complaints.is_empty());
            format!(
                "Verified in {seconds:.1} s: {what}. There {} about {}.",
                if n == 1 {
                    "is 1 complaint".to_owned()
                } else {
                    format!("are {n} complaints")
                },
                count(bad.count(), "exercise")
            )
        }
    }
}

/// What came of it, for programs.
fn json(verification: &Verification) -> Value {
    let verdict = match (verification.stopped, verification.complaints()) {
        (true, _) => "stopped",
        (_, 0) => "pass",
        _ => "fail",
    };
    let exercises = verification.exercises.iter().map(|it| {
        json!({
            "number": it.exercise.number,
            "slug": it.exercise.slug,
            "title": it.exercise.title,
            "verdict": if it.complaints.is_empty() { "pass" } else { "fail" },
            "wrong_answers": it.wrong_answers,
            "notes": it.notes,
            "complaints": it.complaints,
        })
    });
    json!({
        "verdict": verdict,
        "sentence": sentence(verification),
        "seconds": verification.took.as_secs_f64(),
        "exercises": exercises.collect::<Vec<_>>(),
    })
}

fn count(n: usize, what: &str) -> String {
    if n == 1 {
        format!("1 {what}")
    } else {
        format!("{n} {what}s")
    }
}
