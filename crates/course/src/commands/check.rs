//! `course check [NN|all]`: runs an exercise's tests and says how they ended.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use super::{NOT_REMEMBERED, about, place, print_json};
use crate::check::{self, CheckOptions, Checked, Verdict};
use crate::cli::{self, answer};
use crate::contained::Stop;
use crate::exercises::{self, Exercise};
use crate::progress;
use crate::trouble::{Trouble, status};
use crate::{interrupt, starter};

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The exercise's number, such as 03; or `all` [default: where you were, or the next that has not passed]
    #[arg(value_name = "NN|all")]
    pub exercise: Option<String>,
    /// How long the tests of an exercise may take, in seconds, without the build
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub time_limit: u64,
    /// Show the stack of each panic
    #[arg(long)]
    pub backtrace: bool,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs it.
pub fn command(root: &Path, args: &CheckArgs) -> anyhow::Result<u8> {
    let exercises = exercises::load(root)?;
    if let Some(note) = progress::mend(root) {
        remark!("{note}");
    }
    let options = CheckOptions {
        tests: Duration::from_secs(args.time_limit),
        backtrace: args.backtrace,
        ..CheckOptions::default()
    };
    let asked = args.exercise.as_deref().map(str::trim);
    let exercise = match asked {
        Some(asked) if asked.eq_ignore_ascii_case("all") => {
            return all(root, &exercises, &options, args.json);
        }
        Some(asked) => exercises::find(&exercises, asked)?,
        None if exercises.is_empty() => return Err(Trouble::input(exercises::NONE)),
        None => match progress::next(root, &exercises, &progress::standings(root, &exercises)) {
            Some(next) => &exercises[next],
            None => return nothing_left(exercises.len(), args.json),
        },
    };
    if asked.is_none() && !args.json {
        answer(&format!(
            "Exercise {}, {}, is next.\n",
            exercise.number, exercise.title
        ))?;
    }
    one(root, &exercises, exercise, &options, args.json)
}

/// A check, or that none was needed.
struct Run {
    /// `None` for a starter that was not run.
    verdict: Option<Verdict>,
    sentence: String,
    output: Vec<String>,
    seconds: f64,
    remembered: bool,
}

impl Run {
    /// Checks, and remembers the verdict with `note`.
    fn of(
        root: &Path,
        exercise: &Exercise,
        options: &CheckOptions,
        stop: &Stop,
        note: fn(&Path, &Exercise, Verdict) -> bool,
        on_line: &mut dyn FnMut(&str),
    ) -> Run {
        let begun = Instant::now();
        let mut output = Vec::new();
        let Checked { verdict, sentence } =
            check::check(root, exercise, options, stop, &mut |line| {
                on_line(line);
                output.push(line.to_owned());
            });
        Run {
            verdict: Some(verdict),
            sentence,
            output,
            seconds: seconds_since(begun),
            remembered: note(root, exercise, verdict),
        }
    }

    fn not_begun(exercise: &Exercise) -> Run {
        Run {
            verdict: None,
            sentence: format!("Exercise {} is not begun.", exercise.number),
            output: Vec::new(),
            seconds: 0.0,
            remembered: true,
        }
    }

    fn status(&self) -> u8 {
        self.verdict.map_or(status::FAILS, Verdict::status)
    }

    fn json(&self, root: &Path, exercise: &Exercise) -> Value {
        let mut answer = about(exercise, &progress::standing(root, exercise));
        let more = [
            ("verdict", self.verdict.map(Verdict::name).into()),
            ("sentence", self.sentence.as_str().into()),
            ("output", self.output.as_slice().into()),
            ("seconds", self.seconds.into()),
            ("remembered", self.remembered.into()),
        ];
        answer.extend(more.map(|(key, value)| (key.to_owned(), value)));
        answer.into()
    }
}

fn seconds_since(begun: Instant) -> f64 {
    (begun.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
}

fn one(
    root: &Path,
    exercises: &[Exercise],
    exercise: &Exercise,
    options: &CheckOptions,
    json: bool,
) -> anyhow::Result<u8> {
    let interrupt = interrupt::listen()?;
    let mut told = false;
    let mut on_line = |line: &str| {
        told |= line.trim_start().starts_with("To play it again:");
        if !json {
            // A closed pipe is noticed at the end, when the sentence is printed.
            let _ = writeln!(io::stdout(), "{line}");
        }
    };
    let stop = interrupt.stop();
    let note = progress::note_check;
    let run = Run::of(root, exercise, options, stop, note, &mut on_line);
    if json {
        print_json(&run.json(root, exercise))?;
        return Ok(run.status());
    }
    let mut text = format!("\n{}\n", run.sentence);
    if run.verdict == Some(Verdict::Passes) {
        text.push_str(&format!("{}\n", exercise.after.trim()));
        if let Some(next) = next(root, exercises, exercise) {
            text.push_str(&format!("\n{next}\n"));
        }
    } else if told {
        text.push_str(&format!(
            "`cargo course story {}` shows it in the browser, step by step.\n",
            exercise.number
        ));
    }
    if !run.remembered {
        text.push_str(&format!("{NOT_REMEMBERED}\n"));
    }
    answer(&text)?;
    Ok(run.status())
}

/// Where to go on after a pass: to the next one that has not passed, or back to one that was left out.
fn next(root: &Path, exercises: &[Exercise], passed: &Exercise) -> Option<String> {
    let standings = progress::standings(root, exercises);
    // Where nothing can be remembered, this one has passed all the same.
    let here = exercises.iter().position(|e| e.slug == passed.slug)?;
    let next = progress::next_from(&standings, here + 1).filter(|&next| next != here)?;
    let next = &exercises[next];
    Some(format!(
        "Next: exercise {}, {} ({} min), in {}.",
        next.number,
        next.title,
        next.minutes,
        place(root, &starter::edited_file(next))
    ))
}

fn nothing_left(count: usize, json: bool) -> anyhow::Result<u8> {
    let sentence = match count {
        1 => "The exercise has passed. `cargo course check all` runs it again.".to_owned(),
        n => format!("All {n} exercises have passed. `cargo course check all` runs them again."),
    };
    match json {
        true => print_json(&json!({ "number": null, "verdict": null, "sentence": sentence }))?,
        false => answer(&format!("{sentence}\n"))?,
    }
    Ok(status::DONE)
}

/// A line for each exercise, then a summary. Its exit status is the highest of theirs.
///
/// A starter fails, as everybody knows: it counts as that, and is not run to prove it.
fn all(
    root: &Path,
    exercises: &[Exercise],
    options: &CheckOptions,
    json: bool,
) -> anyhow::Result<u8> {
    if exercises.is_empty() {
        return Err(Trouble::input(exercises::NONE));
    }
    let interrupt = interrupt::listen()?;
    let begun = Instant::now();
    let mut done = Vec::new();
    let (mut passed, mut untouched) = (0, 0);
    let mut worst = status::DONE;
    let mut remembered = true;
    for exercise in exercises {
        if interrupt.stop().is_raised() {
            worst = status::INTERRUPTED;
            break;
        }
        let run = if starter::is_edited(root, exercise) {
            let mut at_work = AtWork::new(&exercise.number);
            let mut on_line = |line: &str| at_work.hear(line);
            let stop = interrupt.stop();
            let note = progress::note_one_of_many;
            let run = Run::of(root, exercise, options, stop, note, &mut on_line);
            at_work.done();
            run
        } else {
            untouched += 1;
            Run::not_begun(exercise)
        };
        worst = worst.max(run.status());
        passed += usize::from(run.verdict == Some(Verdict::Passes));
        remembered &= run.remembered;
        let mut line = run.sentence.clone();
        if run.verdict.is_some() {
            line.push_str(&format!("  ({:.1} s)", run.seconds));
        }
        match json {
            true => remark!("{line}"),
            false => match cli::print(&format!("{line}\n")) {
                // Who closed the pipe has seen enough, and the rest need not run. Of that nobody knows that it passes.
                Err(error) if cli::is_closed_pipe(&error) => return Ok(worst.max(status::FAILS)),
                printed => printed?,
            },
        }
        done.push(run.json(root, exercise));
    }
    let mut sentence = format!("{passed} of {} pass", in_numbers(exercises.len()));
    if worst == status::INTERRUPTED {
        sentence.push_str(&format!("; stopped after {} of them", done.len()));
    } else if untouched > 0 {
        let are = if untouched == 1 { "is" } else { "are" };
        sentence.push_str(&format!(", {untouched} {are} not begun"));
    }
    sentence.push('.');
    if json {
        print_json(&json!({
            "exercises": done,
            "passed": passed,
            "total": exercises.len(),
            "sentence": sentence,
            "seconds": seconds_since(begun),
            "remembered": remembered,
        }))?;
        return Ok(worst);
    }
    let mut text = format!("\n{sentence}");
    if passed + untouched < done.len() && worst != status::INTERRUPTED {
        text.push_str(" `cargo course check NN` says why one does not.");
    }
    text.push('\n');
    if !remembered {
        text.push_str(&format!("{NOT_REMEMBERED}\n"));
    }
    answer(&text)?;
    Ok(worst)
}

fn in_numbers(count: usize) -> String {
    match count {
        1 => "1 exercise".into(),
        n => format!("{n} exercises"),
    }
}

/// What a slow step is doing, on a line that the next one replaces. Only where somebody watches.
struct AtWork {
    number: String,
    shown: usize,
    watched: bool,
}

impl AtWork {
    const WIDTH: usize = 70;

    fn new(number: &str) -> AtWork {
        AtWork {
            number: number.to_owned(),
            shown: 0,
            watched: io::stderr().is_terminal(),
        }
    }

    /// Shows what cargo says it does; not what tests print, which may be anything.
    fn hear(&mut self, line: &str) {
        let line = line.trim();
        let verb = line.split(' ').next().unwrap_or_default();
        let known = [
            "Building",
            "Testing",
            "Compiling",
            "Downloading",
            "Downloaded",
            "Updating",
            "Blocking",
        ];
        if self.watched && known.contains(&verb) {
            let text: String = format!("{}  {line}", self.number)
                .chars()
                .filter(|letter| !letter.is_control())
                .take(AtWork::WIDTH)
                .collect();
            self.replace(&text);
        }
    }

    fn done(&mut self) {
        if self.watched {
            self.replace("");
            let _ = write!(io::stderr(), "\r");
        }
    }

    fn replace(&mut self, text: &str) {
        let width = self.shown;
        let _ = write!(io::stderr(), "\r{text:width$}");
        let _ = io::stderr().flush();
        self.shown = text.chars().count();
    }
}
