//! Every exercise, from its description to its wrong answers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use course::check::{self, CheckOptions, Checked, Subject, Verdict};
use course::contained::Stop;
use course::exercises::{self, Exercise};
use house_tests::answers::{self, Wrong};
use house_tests::root;

/// No answer, right or wrong, may keep a learner waiting longer.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// One build folder for everything here. It lies below the target directory, so a second run builds nothing.
fn scratch() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("answers")
}

fn all() -> Vec<Exercise> {
    exercises::load(&root()).unwrap_or_else(|error| panic!("{error:#}"))
}

/// How many wrong answers run side by side.
const CHECKS_AT_ONCE: usize = 3;

struct Run {
    checked: Checked,
    output: String,
}

fn run(subject: &Subject) -> Run {
    let options = CheckOptions {
        tests: TIME_LIMIT,
        target: Some(scratch().join("target")),
        network: false,
        ..CheckOptions::default()
    };
    let mut output = String::new();
    let checked = check::check_package(subject, &options, &Stop::new(), &mut |line| {
        output.push_str(line);
        output.push('\n');
    });
    Run { checked, output }
}

fn member(package: String, folder: PathBuf, exercise: &Exercise) -> Subject {
    Subject {
        root: root(),
        package,
        folder,
        number: exercise.number.clone(),
    }
}

/// Collects what is wrong with each of many things, so that one run tells all of it.
#[derive(Default)]
struct Complaints(Vec<String>);

impl Complaints {
    fn add(&mut self, who: impl std::fmt::Display, what: impl std::fmt::Display) {
        self.0.push(format!("{who}: {what}"));
    }

    fn none(self) {
        assert!(self.0.is_empty(), "\n{}\n", self.0.join("\n"));
    }
}

#[test]
fn descriptions_are_complete() {
    let root = root();
    let mut complaints = Complaints::default();
    let all = all();
    assert!(!all.is_empty(), "there are no exercises");
    for exercise in &all {
        let who = exercise.package();
        if exercise.hints.len() != 3 || exercise.hints.iter().any(|hint| hint.trim().is_empty()) {
            complaints.add(
                &who,
                format!("needs three hints and has {}", exercise.hints.len()),
            );
        }
        if !(5..=30).contains(&exercise.minutes) {
            complaints.add(
                &who,
                format!("{} minutes is no length for an exercise", exercise.minutes),
            );
        }
        for (what, text) in [("title", &exercise.title), ("after", &exercise.after)] {
            if text.trim().is_empty() {
                complaints.add(&who, format!("`{what}` is empty"));
            }
        }
        let page = root
            .join("book/src/en")
            .join(format!("{}.md", exercise.chapter));
        if !page.is_file() {
            complaints.add(&who, format!("its chapter {} is not there", page.display()));
        }
        if exercise.misconceptions.is_empty()
            || exercise
                .misconceptions
                .iter()
                .any(|m| m.says.trim().is_empty())
        {
            complaints.add(&who, "names no misconception, or an empty one");
        }
        for text in exercise.hints.iter().chain([&exercise.after]) {
            for path in course_files(text) {
                if !root.join(path).is_file() {
                    complaints.add(&who, format!("names {path}, which is not there"));
                }
            }
        }
        let starter = fs::read_to_string(exercise.folder.join("src/lib.rs")).unwrap_or_default();
        match starter.lines().position(|line| line.contains("todo!(")) {
            _ if has_been_edited(exercise) => {}
            Some(above) if above > 60 => complaints.add(
                &who,
                format!("there are {above} lines above the first `todo!`, and 60 are enough"),
            ),
            Some(_) => {}
            None => complaints.add(&who, "has no `todo!`"),
        }
        match answers::wrong_answers(&root, exercise) {
            Ok(wrong) if wrong.len() >= 3 => {}
            Ok(wrong) => complaints.add(
                &who,
                format!("needs three wrong answers and has {}", wrong.len()),
            ),
            Err(error) => complaints.add(&who, format!("{error:#}")),
        }
    }
    complaints.none();
}

/// The pages and sources that a text names, by their place in the course.
fn course_files(text: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| c.is_whitespace() || "#,;:()`'\"".contains(c);
    text.split(ends)
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| {
            let (page, source) = (word.starts_with("book/src/"), word.starts_with("crates/"));
            (page && word.ends_with(".md")) || (source && word.ends_with(".rs"))
        })
}

#[test]
fn files_named_in_a_text_are_found_in_it() {
    let text =
        "Read book/src/en/a.md#the-claim, then (crates/whatif/src/floor.rs), and book/src/en/b.md.";
    let found: Vec<_> = course_files(text).collect();
    let files = [
        "book/src/en/a.md",
        "crates/whatif/src/floor.rs",
        "book/src/en/b.md",
    ];
    assert_eq!(found, files);
}

#[test]
fn starters_compile_without_warnings_and_fail_with_the_first_hint() {
    let mut complaints = Complaints::default();
    for exercise in all() {
        let who = exercise.package();
        if has_been_edited(&exercise) {
            eprintln!("SKIPPED: {who} has been worked on here, so it is no starter any more");
            continue;
        }
        let run = run(&member(who.clone(), exercise.folder.clone(), &exercise));
        if run.checked.verdict != Verdict::Fails {
            complaints.add(
                &who,
                format!("must fail, and: {}\n{}", run.checked.sentence, run.output),
            );
        }
        if run.output.lines().any(|line| line.starts_with("warning")) {
            complaints.add(&who, format!("compiles with warnings:\n{}", run.output));
        }
        let said = in_one_line(&run.output);
        let hint = format!("cargo course hint {}", exercise.number);
        // The first hint stands in the description, and perhaps in the test: then it must be the same.
        let first = [&hint, &exercise.hints[0]].map(|hint| format!("First hint: {hint}"));
        if !said.contains(&hint) || !first.iter().any(|first| said.contains(first)) {
            complaints.add(
                &who,
                format!("does not say one of {first:?}:\n{}", run.output),
            );
        }
    }
    complaints.none();
}

#[test]
fn solutions_pass() {
    let root = root();
    let mut complaints = Complaints::default();
    for exercise in all() {
        let package = format!("solution-{}", exercise.number);
        let folder = answers::solution_folder(&root, &exercise);
        let run = run(&member(package.clone(), folder, &exercise));
        if run.checked.verdict != Verdict::Passes {
            complaints.add(
                &package,
                format!("{}\n{}", run.checked.sentence, run.output),
            );
        }
        if run.output.lines().any(|line| line.starts_with("warning")) {
            complaints.add(&package, format!("compiles with warnings:\n{}", run.output));
        }
    }
    complaints.none();
}

/// All wrong answers as packages, made and built once for all tests here.
fn wrong_answers() -> &'static [Wrong] {
    static WRONG: OnceLock<Vec<Wrong>> = OnceLock::new();
    WRONG.get_or_init(|| {
        let folder = scratch().join("wrong");
        let wrong = answers::make_packages(&root(), &all(), &folder)
            .unwrap_or_else(|error| panic!("{error:#}"));
        answers::build_all(&folder, &scratch().join("target"));
        wrong
    })
}

#[test]
fn each_wrong_answer_fails_with_the_message_it_needs() {
    // Most of a run is starting and waiting, so several go on at once. Each takes the next one that nobody has taken.
    let answers = wrong_answers();
    let next = AtomicUsize::new(0);
    let check_some = || {
        let mut complaints = Complaints::default();
        while let Some(answer) = answers.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(complaint) = complaint(answer, &run(&answer.subject)) {
                complaints.add(answer.source.display(), complaint);
            }
        }
        complaints
    };
    let mut all = Complaints::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..CHECKS_AT_ONCE)
            .map(|_| scope.spawn(check_some))
            .collect();
        for worker in workers {
            all.0.extend(worker.join().expect("a check panicked").0);
        }
    });
    all.none();
}

#[test]
fn a_wrong_answer_gets_the_same_verdict_every_time() {
    for exercise in all() {
        let first = wrong_answers()
            .iter()
            .find(|answer| answer.subject.number == exercise.number);
        let first = first.expect("every exercise has wrong answers");
        let told = || {
            let run = run(&first.subject);
            let story = run
                .output
                .split_once("Testing ...")
                .map(|(_, story)| story.to_owned());
            (run.checked.verdict, story)
        };
        let once = told();
        for _ in 0..10 {
            assert_eq!(
                told(),
                once,
                "{} is told in two ways",
                first.source.display()
            );
        }
    }
}

/// What is wrong with the way in which a wrong answer failed, if anything.
fn complaint(answer: &Wrong, run: &Run) -> Option<String> {
    let Run { checked, output } = run;
    if let Verdict::Passes | Verdict::NotRun | Verdict::Stopped = checked.verdict {
        return Some(format!("must fail, and: {}\n{output}", checked.sentence));
    }
    if !fails_by_itself(checked) {
        return Some(format!(
            "must fail by itself, and: {}\n{output}",
            checked.sentence
        ));
    }
    let said = in_one_line(output);
    if said.contains("To play it again:") && !said.contains(&play_again(answer)) {
        return Some(format!("cannot be played again like this:\n{output}"));
    }
    // A story that the book quotes lies beside its answer, and has to come out word for word.
    let quoted = fs::read_to_string(answer.source.with_extension("txt")).unwrap_or_default();
    if !output.contains(&quoted) {
        return Some(format!(
            "does not tell the story that the book quotes:\n{output}"
        ));
    }
    let wanted = in_one_line(&answer.message);
    (!said.contains(&wanted)).then(|| format!("fails, but does not say {wanted:?}:\n{output}"))
}

/// A run that had to be killed told the learner nothing, and of one that called exit nobody knows why.
fn fails_by_itself(checked: &Checked) -> bool {
    match checked.verdict {
        Verdict::NeverEnds => checked.sentence.ends_with("the story is above."),
        Verdict::Dies => !checked.sentence.contains("in the middle of a test"),
        verdict => verdict != Verdict::PrintsTooMuch,
    }
}

/// What the command that plays a story again must hold.
fn play_again(answer: &Wrong) -> String {
    format!("cargo test -p {}", answer.subject.package)
}

/// Stories are wrapped to the width of a terminal; a message is looked for across line breaks.
fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a learner has worked on the exercise: what is on the disk differs from what was committed, or, if they commit
/// their answers, there is nothing left to write. Where starters are required to be starters, nobody has.
fn has_been_edited(exercise: &Exercise) -> bool {
    if std::env::var_os("LOOPBOT_STARTERS").is_some_and(|starters| starters == "required") {
        return false;
    }
    let starter = fs::read_to_string(exercise.folder.join("src/lib.rs"));
    if starter.is_ok_and(|starter| !starter.contains("todo!(")) {
        return true;
    }
    let git = Command::new("git")
        .args(["status", "--porcelain", "--untracked-files=no", "--", "."])
        .current_dir(&exercise.folder)
        .output();
    // Without git, or outside a repository, everything is taken for untouched.
    git.is_ok_and(|git| git.status.success() && !git.stdout.is_empty())
}

/// The test of the test: what must be complained of is complained of.
#[test]
fn an_answer_that_is_not_wrong_or_not_told_is_noticed() {
    let answer = Wrong {
        source: "wrong/example.rs".into(),
        message: "two parties sit at one table".into(),
        subject: Subject {
            root: root(),
            package: "wrong-03".into(),
            folder: root(),
            number: "03".into(),
        },
    };
    let run = |verdict, sentence: &str, output: &str| Run {
        checked: Checked {
            verdict,
            sentence: sentence.into(),
        },
        output: output.into(),
    };
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
}
