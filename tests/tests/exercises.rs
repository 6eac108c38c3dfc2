//! Every exercise, from its description to its wrong answers: what `cargo course verify` proves, proved by `cargo test`.

use std::sync::OnceLock;
use std::time::Duration;

use course::check::{Checked, Verdict};
use course::contained::Stop;
use course::exercises;
use course::verify::answers::WrongAnswer;
use course::verify::run::Run;
use course::verify::{self, About, Event, Verification, VerifyOptions, judge};
use house_tests::root;

/// All of it, built and run once for the tests here, in the folder of `cargo course verify`: what one has built the other
/// need not build again.
fn verification() -> &'static Verification {
    static DONE: OnceLock<Verification> = OnceLock::new();
    DONE.get_or_init(|| {
        let all = exercises::load(&root()).unwrap_or_else(|error| panic!("{error:#}"));
        assert!(!all.is_empty(), "there are no exercises");
        let options = VerifyOptions {
            network: false,
            ..VerifyOptions::new(&root())
        };
        let tell = |event: Event<'_>| {
            if let Event::Waits | Event::Cargo(_) | Event::Builds(_) | Event::Alone(_) = event {
                eprintln!("{event:?}");
            }
        };
        let done = verify::verify(&root(), &all, &options, &Stop::new(), &tell)
            .unwrap_or_else(|error| panic!("{error:#}"));
        for note in done.exercises.iter().flat_map(|it| &it.notes) {
            eprintln!("NOTE: {note}");
        }
        done
    })
}

/// Fails with everything that is wrong, not with the first thing.
fn nothing_is_wrong(about: About) {
    let complaints = verification()
        .exercises
        .iter()
        .flat_map(|it| &it.complaints);
    let told: Vec<_> = complaints
        .filter(|complaint| complaint.about == about)
        .map(ToString::to_string)
        .collect();
    assert!(told.is_empty(), "\n{}\n", told.join("\n\n"));
}

#[test]
fn descriptions_are_complete() {
    nothing_is_wrong(About::Description);
}

#[test]
fn starters_compile_without_warnings_and_fail_with_the_first_hint() {
    nothing_is_wrong(About::Starter);
}

#[test]
fn solutions_pass() {
    nothing_is_wrong(About::Solution);
}

#[test]
fn each_wrong_answer_fails_with_the_message_it_needs() {
    nothing_is_wrong(About::WrongAnswer);
}

#[test]
fn a_wrong_answer_gets_the_same_verdict_every_time() {
    nothing_is_wrong(About::Repeat);
}

/// A folder that git has left behind must stop nobody's cargo, so the packages are listed by name; and none is forgotten.
#[test]
fn the_workspace_lists_every_package_by_its_name() {
    let told = course::members::disagreements(&root()).unwrap();
    assert!(told.is_empty(), "\n{}\n", told.join("\n"));
}

/// Nothing is proved by answers that were never run.
#[test]
fn there_is_something_to_prove() {
    for it in &verification().exercises {
        let who = it.exercise.package();
        assert!(it.wrong_answers >= 3, "{who} has hardly a wrong answer");
    }
}

/// The test of the test: what must be complained of is complained of.
#[test]
fn an_answer_that_is_not_wrong_or_not_told_is_noticed() {
    let answer = WrongAnswer {
        source: "wrong/example.rs".into(),
        message: "two parties sit at one table".into(),
        quoted: String::new(),
    };
    let run = |verdict, sentence: &str, output: &str| Run {
        checked: Checked {
            verdict,
            sentence: sentence.into(),
        },
        output: output.into(),
        story: output.into(),
        warned: false,
        took: Duration::ZERO,
    };
    let complaint =
        |answer: &WrongAnswer, run: &Run| judge::wrong(answer, "wrong/example.rs", "wrong-03", run);
    let ended = "As it ended.";
    let above = "It does not end, and the story is above.";
    let left = "It ended the test program in the middle of a test.";
    let told = "rule broken: two parties\n   sit at one table";
    let again = format!("{told}\n   To play it again:  X=1 cargo test -p");
    let named = format!("{again} wrong-03 two_parties");
    for (verdict, sentence, output) in [
        (Verdict::Fails, ended, told),
        (Verdict::Fails, ended, &named),
        (Verdict::NeverEnds, above, told),
    ] {
        assert_eq!(complaint(&answer, &run(verdict, sentence, output)), None);
    }
    for (verdict, sentence, output) in [
        (Verdict::Passes, ended, told),
        (Verdict::NotRun, ended, told),
        (Verdict::Stopped, ended, told),
        (Verdict::NeverEnds, ended, told),
        (Verdict::PrintsTooMuch, ended, told),
        (Verdict::Dies, left, told),
        (Verdict::Fails, ended, &again),
        (Verdict::Fails, ended, "one party sits at one table"),
    ] {
        assert!(
            complaint(&answer, &run(verdict, sentence, output)).is_some(),
            "{verdict:?} with {output:?} goes unnoticed"
        );
    }
    let quoted = WrongAnswer {
        quoted: "rule broken: two parties\n sit at one table".into(),
        ..answer
    };
    let run = run(Verdict::Fails, ended, told);
    assert!(
        complaint(&quoted, &run).is_some(),
        "the book's story is another"
    );
}
