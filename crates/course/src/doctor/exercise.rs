//! An exercise of the course is built and run, as `cargo course check` does it.

use std::time::Duration;

use crate::check::{self, CheckOptions, Checked, Subject, Verdict};
use crate::exercises::{self, Exercise};
use crate::starter;

use super::finding::Finding;
use super::visit::Visit;

const WHAT: &str = "exercise";
const NUMBER: &str = "03";

/// Builds and runs exercise 03: the starter, which has to fail, or where somebody has begun to work on it, the solution, which has
/// to pass.
pub fn exercise(visit: &Visit) -> Finding {
    if let Some(broken) = visit.first_broken(&["rustc", "cargo", "linker", "disk", "temp"]) {
        return Finding::waits(WHAT, broken);
    }
    let all = match exercises::load(&visit.root) {
        Ok(all) => all,
        Err(error) => return damaged(&format!("{error:#}")),
    };
    match exercises::find(&all, NUMBER) {
        Ok(exercise) => try_out(visit, exercise),
        Err(error) => damaged(&error.to_string()),
    }
}

fn damaged(why: &str) -> Finding {
    Finding::mend(
        WHAT,
        format!("The course is not complete: {why}"),
        "git status    (or unpack the course again)",
    )
}

fn try_out(visit: &Visit, exercise: &Exercise) -> Finding {
    let begun = starter::is_edited(&visit.root, exercise);
    let (package, folder, expected) = if begun {
        let solution = starter::solution_folder(&visit.root, exercise);
        (format!("solution-{NUMBER}"), solution, Verdict::Passes)
    } else {
        (exercise.package(), exercise.folder.clone(), Verdict::Fails)
    };
    let subject = Subject {
        root: visit.root.clone(),
        package,
        folder,
        number: exercise.number.clone(),
    };
    let options = CheckOptions {
        build: visit.limit.saturating_sub(Duration::from_secs(5)),
        tests: Duration::from_secs(30),
        // What has to be downloaded is the business of another look.
        network: false,
        ..CheckOptions::default()
    };
    let mut said = Vec::new();
    let checked = check::check_package(&subject, &options, &visit.stop, &mut |line| {
        visit.doing(line.trim());
        said.push(line.to_owned());
    });
    judge(
        &checked,
        expected,
        &subject.package,
        visit.is_broken("crates"),
        &said,
    )
}

fn judge(
    checked: &Checked,
    expected: Verdict,
    package: &str,
    crates_missing: bool,
    said: &[String],
) -> Finding {
    if checked.verdict == expected {
        let as_it_should = match expected {
            Verdict::Passes => "passes, as it should (your own exercise 03 was left alone)",
            _ => "fails, as it should before anybody has solved it",
        };
        return Finding::ok(
            WHAT,
            format!("{package} was built and run: it {as_it_should}."),
        );
    }
    if checked.verdict == Verdict::NotRun && crates_missing {
        return Finding::skipped(WHAT, "Not built, for crates are missing: see above.");
    }
    let error = said
        .iter()
        .find(|line| line.trim_start().starts_with("error"));
    let error = error.map_or(String::new(), |line| format!(" ({})", line.trim()));
    Finding::mend(
        WHAT,
        format!(
            "{package} was to {}, and did not: {}{error}",
            match expected {
                Verdict::Passes => "pass",
                _ => "fail with a story",
            },
            checked.sentence
        ),
        format!("cargo test -p {package}    (says more; where it only took long, run this again)"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;

    fn checked(verdict: Verdict) -> Checked {
        Checked {
            verdict,
            sentence: "So it went.".into(),
        }
    }

    #[test]
    fn a_starter_has_to_fail_and_a_solution_to_pass() {
        let state =
            |verdict, expected| judge(&checked(verdict), expected, "exercise-03", false, &[]).state;
        assert_eq!(state(Verdict::Fails, Verdict::Fails), State::Ok);
        assert_eq!(state(Verdict::Passes, Verdict::Passes), State::Ok);
        assert_eq!(state(Verdict::Passes, Verdict::Fails), State::Mend);
        assert_eq!(state(Verdict::NotRun, Verdict::Fails), State::Mend);
        assert_eq!(state(Verdict::NeverEnds, Verdict::Passes), State::Mend);
    }

    #[test]
    fn what_the_compiler_said_is_quoted() {
        let said = [
            "Building exercise-03 ...".into(),
            "error: linking failed".into(),
        ];
        let finding = judge(
            &checked(Verdict::NotRun),
            Verdict::Fails,
            "exercise-03",
            false,
            &said,
        );
        assert!(
            finding.found.contains("error: linking failed"),
            "{finding:?}"
        );
    }

    #[test]
    fn missing_crates_are_told_once() {
        let finding = judge(
            &checked(Verdict::NotRun),
            Verdict::Fails,
            "exercise-03",
            true,
            &[],
        );
        assert_eq!(finding.state, State::Skipped);
    }

    #[test]
    fn nothing_is_built_without_a_linker() {
        let mut visit = Visit::new(std::path::Path::new("."));
        visit.broken.insert("linker");
        assert_eq!(exercise(&visit).state, State::Skipped);
    }

    #[test]
    fn a_folder_without_exercises_is_a_finding() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(exercise(&Visit::new(root.path())).state, State::Mend);
    }
}
