//! `course list`: the exercises, and how far the learner has come.

use std::path::Path;

use clap::Args;
use serde_json::Value;

use super::{about, print_json};
use crate::check::Verdict;
use crate::cli::print;
use crate::exercises::{self, Exercise};
use crate::progress::{self, Standing, State};
use crate::trouble::status;

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Only those with this in their title, number or chapter; several words must all be there
    #[arg(long, value_name = "WORD")]
    pub search: Option<String>,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs it.
pub fn command(root: &Path, args: &ListArgs) -> anyhow::Result<u8> {
    let all = exercises::load(root)?;
    if let Some(note) = progress::mend(root) {
        remark!("{note}");
    }
    let standings = progress::standings(root, &all);
    let next = progress::next(root, &all, &standings);
    let shown: Vec<usize> = (0..all.len())
        .filter(|&n| {
            args.search
                .as_deref()
                .is_none_or(|words| matches(&all[n], words))
        })
        .collect();
    if args.json {
        let items: Vec<Value> = shown
            .iter()
            .map(|&n| {
                let mut item = about(&all[n], &standings[n]);
                item.insert("next".into(), (next == Some(n)).into());
                item.into()
            })
            .collect();
        print_json(&items.into())?;
    } else {
        print(&text(
            &all,
            &standings,
            next,
            &shown,
            args.search.as_deref(),
        ))?;
    }
    Ok(status::DONE)
}

/// Whether an exercise has all of these words somewhere in its name or its chapter's. Case does not count.
pub fn matches(exercise: &Exercise, words: &str) -> bool {
    let Exercise {
        number,
        slug,
        title,
        chapter,
        ..
    } = exercise;
    let name = format!("exercise-{number} {slug} {title} {chapter}").to_lowercase();
    words
        .to_lowercase()
        .split_whitespace()
        .all(|word| name.contains(word))
}

fn text(
    all: &[Exercise],
    standings: &[Standing],
    next: Option<usize>,
    shown: &[usize],
    search: Option<&str>,
) -> String {
    if all.is_empty() {
        return format!("{}\n", exercises::NONE);
    }
    let titles = shown.iter().map(|&n| all[n].title.chars().count());
    let width = titles.max().unwrap_or(0);
    let mut text = String::new();
    for &n in shown {
        let exercise = &all[n];
        let mark = if next == Some(n) { '>' } else { ' ' };
        let line = format!(
            "{mark} {}  {:width$}  {:>3} min  {}",
            exercise.number,
            exercise.title,
            exercise.minutes,
            in_words(exercise, &standings[n])
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    if let Some(words) = search {
        let few = match shown.len() {
            0 => format!("None of the {} exercises has", all.len()),
            1 => format!("1 of {} exercises has", all.len()),
            n => format!("{n} of {} exercises have", all.len()),
        };
        text.push_str(&format!("\n{few} {words:?} in title, number or chapter.\n"));
        return text;
    }
    let passed = standings
        .iter()
        .filter(|standing| standing.state == State::Passed)
        .count();
    text.push_str(&format!("\n{passed} of {} passed", all.len()));
    if let Some(next) = next {
        let to_go = all.iter().zip(standings);
        let to_go = to_go.filter(|(_, standing)| standing.state != State::Passed);
        let minutes = to_go.map(|(exercise, _)| exercise.minutes).sum();
        let exercise = &all[next];
        let number = &exercise.number;
        text.push_str(&format!(
            ", {} to go. Next: {number}, {}.\n`cargo course check {number}` runs it, `cargo course hint {number}` helps.\n",
            time(minutes),
            exercise.title
        ));
    } else {
        text.push_str(".\n");
    }
    text
}

/// How far the learner is, in a few words.
fn in_words(exercise: &Exercise, standing: &Standing) -> String {
    let mut words = match standing.state {
        State::Untouched => String::new(),
        State::Begun => "begun".into(),
        State::Failing => {
            let last = standing.last.as_deref().unwrap_or_default();
            match () {
                _ if last == Verdict::DoesNotCompile.name() => "does not compile".into(),
                _ if last == Verdict::NeverEnds.name() => "does not end".into(),
                _ if last == Verdict::PrintsTooMuch.name() => "prints without end".into(),
                _ if last == Verdict::Dies.name() => "crashes".into(),
                _ => "does not pass yet".into(),
            }
        }
        State::Passed => match &standing.passed_on {
            Some(day) => format!("passed {day}"),
            None => "passed".into(),
        },
    };
    let hints = standing.hints.min(exercise.hints.len());
    if hints > 0 {
        if !words.is_empty() {
            words.push_str(", ");
        }
        words.push_str(&match hints {
            1 => "1 hint".to_owned(),
            n => format!("{n} hints"),
        });
    }
    words
}

fn time(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course() -> (tempfile::TempDir, Vec<Exercise>) {
        let root = tempfile::tempdir().unwrap();
        for (number, slug) in [("01", "first"), ("02", "second"), ("03", "the-third")] {
            exercises::tests::add(root.path(), number, slug, &["a", "b"]);
        }
        let all = exercises::load(root.path()).unwrap();
        (root, all)
    }

    fn standing(state: State, last: Option<&str>, hints: usize) -> Standing {
        Standing {
            state,
            hints,
            last: last.map(str::to_owned),
            passed_on: (state == State::Passed).then(|| "2026-11-21".into()),
        }
    }

    #[test]
    fn the_list_says_what_has_passed_what_is_next_and_how_long_it_takes() {
        let (_root, all) = course();
        let standings = [
            standing(State::Passed, Some("pass"), 1),
            standing(State::Failing, Some("never-ends"), 9),
            standing(State::Untouched, None, 0),
        ];
        assert_eq!(
            text(&all, &standings, Some(1), &[0, 1, 2], None),
            "  01  first title       10 min  passed 2026-11-21, 1 hint\n\
             > 02  second title      10 min  does not end, 2 hints\n\
             \x20 03  the-third title   10 min\n\
             \n1 of 3 passed, 20 min to go. Next: 02, second title.\n\
             `cargo course check 02` runs it, `cargo course hint 02` helps.\n"
        );
        assert_eq!((time(60), time(205)), ("1 h".into(), "3 h 25 min".into()));
    }

    #[test]
    fn a_search_wants_all_words_in_any_case_and_an_empty_one_finds_all() {
        let (_root, all) = course();
        for (words, found) in [
            ("THIRD", vec!["03"]),
            ("exercise-02", vec!["02"]),
            ("title sec", vec!["02"]),
            ("first third", vec![]),
            ("", vec!["01", "02", "03"]),
        ] {
            let numbers: Vec<_> = all
                .iter()
                .filter(|exercise| matches(exercise, words))
                .map(|exercise| exercise.number.as_str())
                .collect();
            assert_eq!(numbers, found, "{words:?}");
        }
    }
}
