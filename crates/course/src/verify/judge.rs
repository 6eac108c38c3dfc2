//! Whether an answer ended as it must: a starter with its first hint, a solution with a pass, a wrong answer with its message.

use whatif::Story;

use super::answers::WrongAnswer;
use super::complaint::{About, Complaint};
use super::run::Run;
use crate::check::{Checked, Verdict};
use crate::exercises::Exercise;

/// What is wrong with the way in which a starter ended. `place` is its file.
pub fn starter(exercise: &Exercise, place: &str, run: &Run) -> Vec<Complaint> {
    let complain = |what: String, mend: &str| {
        Complaint::new(About::Starter, place, what, mend).printed(&run.output)
    };
    let mut complaints = Vec::new();
    if run.warned {
        complaints.push(complain(
            "The starter compiles with warnings.".into(),
            "A learner's editor must be quiet before they begin: make it compile without, and its tests.",
        ));
    }
    let number = &exercise.number;
    let sentence = &run.checked.sentence;
    match run.checked.verdict {
        Verdict::Fails => {}
        Verdict::Passes => {
            complaints.push(complain(
                "The starter passes, so the test cannot fail.".into(),
                "Let a test call what the learner has to write, and look at what it does.",
            ));
            return complaints;
        }
        Verdict::DoesNotCompile => {
            complaints.push(complain(
                format!("The starter must compile: {sentence}"),
                "What the learner has to write is marked with `todo!()`, which compiles in any place.",
            ));
            return complaints;
        }
        _ => {
            complaints.push(complain(
                format!("The starter must fail by itself, and in time: {sentence}"),
                "Give every wait in the test an end, and a sentence that says what was waited for.",
            ));
            return complaints;
        }
    }
    let said = in_one_line(&run.output);
    let command = format!("cargo course hint {number}");
    // The first hint stands in the description, and perhaps in the test: then it must be the same.
    let first = exercise.hints.first().map_or("", String::as_str);
    let hints = [command.as_str(), first].map(|hint| in_one_line(&format!("First hint: {hint}")));
    if !said.contains(&command) || !hints.iter().any(|hint| said.contains(hint)) {
        complaints.push(complain(
            "The starter fails without its first hint.".into(),
            &format!("Let its `todo!` end in \"First hint: {command}\"."),
        ));
    }
    complaints
}

/// What is wrong with the way in which a solution ended. `place` is its file.
pub fn solution(place: &str, run: &Run) -> Vec<Complaint> {
    let complain = |what: String, mend: &str| {
        Complaint::new(About::Solution, place, what, mend).printed(&run.output)
    };
    let mut complaints = Vec::new();
    if run.warned {
        complaints.push(complain(
            "The solution compiles with warnings.".into(),
            "Learners read it as the way to write it: make it compile without.",
        ));
    }
    if run.checked.verdict != Verdict::Passes {
        complaints.push(complain(
            format!("The solution must pass: {}", run.checked.sentence),
            "Mend the solution, or the test.",
        ));
    }
    complaints
}

/// What is wrong with the way in which a wrong answer ended, if anything. `place` is its file, `package` the one it was made
/// into.
pub fn wrong(answer: &WrongAnswer, place: &str, package: &str, run: &Run) -> Option<Complaint> {
    let complain = |what: String, mend: &str| {
        Some(Complaint::new(About::WrongAnswer, place, what, mend).printed(&run.output))
    };
    let Run {
        checked, output, ..
    } = run;
    let sentence = &checked.sentence;
    match checked.verdict {
        Verdict::Passes => {
            return complain(
                "The wrong answer passes.".into(),
                "Add to the test what it gets wrong; or, if it is right after all, take it away.",
            );
        }
        Verdict::NotRun | Verdict::Stopped => {
            return complain(
                format!("Nothing was found out about the wrong answer: {sentence}"),
                "See below what stood in the way.",
            );
        }
        _ if !fails_by_itself(checked) => {
            return complain(
                format!("The wrong answer has to be ended from outside: {sentence}"),
                "A learner would not know why. Let the test notice, end it, and say what went wrong.",
            );
        }
        _ => {}
    }
    let said = in_one_line(output);
    let again = format!("cargo test -p {package}");
    if said.contains("To play it again:") && !said.contains(&again) {
        return complain(
            format!("The story cannot be played again with `{again}`."),
            "The command below it must name the package that was tested.",
        );
    }
    // A story is a table, and a terminal of 80 columns makes two lines of what is wider.
    let is_row = |line: &&str| line.starts_with(">> ") || line.starts_with("   step ");
    let rows = output.lines().filter(is_row);
    if let Some(wide) = rows.max_by_key(|row| row.chars().count())
        && wide.chars().count() > Story::WIDTH
    {
        return complain(
            format!(
                "A row of the story has more than {} columns: {wide}",
                Story::WIDTH
            ),
            "Where a story is printed, in whatif-engine, each row has to fit.",
        );
    }
    // A story that the book quotes lies beside its answer, and has to come out word for word.
    if !output.contains(&answer.quoted) {
        return complain(
            "The wrong answer is not told as the book quotes it.".into(),
            "If the new story is right, copy it to the .txt file beside the answer.",
        );
    }
    let wanted = in_one_line(&answer.message);
    if !said.contains(&wanted) {
        return complain(
            format!("The wrong answer fails, but does not say {wanted:?}."),
            "Let the test say it, or correct the first line of the answer.",
        );
    }
    None
}

/// A run that had to be killed told the learner nothing, and of one that called exit nobody knows why.
fn fails_by_itself(checked: &Checked) -> bool {
    match checked.verdict {
        Verdict::NeverEnds => checked.sentence.ends_with("the story is above."),
        Verdict::Dies => !checked.sentence.contains("in the middle of a test"),
        verdict => verdict != Verdict::PrintsTooMuch,
    }
}

/// Stories are wrapped to the width of a terminal; a message is looked for across line breaks.
fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
