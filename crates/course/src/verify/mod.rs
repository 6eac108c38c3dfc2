//! `course verify`: what continuous integration proves of every exercise.
//!
//! The starter fails with its first hint, the solution passes, every wrong answer fails by itself with the message that a
//! learner needs, the same every time; and descriptions are complete. One idea a file: [`description`] looks at the files,
//! [`answers`] reads the wrong answers, [`packages`] makes a package of everything that can be run, [`build`] has cargo build
//! them all at once, [`run`] runs them contained, [`judge`] says whether they ended as they must, and [`complaint`] what to do
//! if not.

pub mod answers;
pub mod build;
mod command;
pub mod complaint;
pub mod description;
pub mod judge;
pub mod packages;
pub mod run;
mod screen;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use fs4::{FileExt, TryLockError};

pub use self::command::{VerifyArgs, command};
pub use self::complaint::{About, Complaint};

use self::build::{Built, How};
use self::packages::{Answer, Packages, Role};
use self::run::{Queue, Run};
use crate::check::{self, CheckOptions, Verdict};
use crate::commands::place;
use crate::contained::Stop;
use crate::exercises::Exercise;
use crate::trouble::Trouble;

/// No answer, right or wrong, may keep a learner waiting longer.
const TIME_LIMIT: Duration = Duration::from_secs(20);
/// How often a wrong answer is run again, to see whether it gets the same verdict.
const AGAIN: usize = 10;
/// How often an answer has to be told right by itself, after it was not while others ran.
const ALONE: usize = 3;
/// When more answers than this go wrong, it is not the load.
const MOST_ALONE: usize = 20;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// Where packages are made and built. See [`folder`].
    pub folder: PathBuf,
    /// How many compilers, and how many tests, at once. `None`: as many as this machine takes.
    pub jobs: Option<usize>,
    /// Whether cargo may use the network, for what is not there yet.
    pub network: bool,
    /// Whether an exercise that somebody has worked on is wrong.
    pub starters_required: bool,
}

impl VerifyOptions {
    /// In the usual folder; with starters required where the environment says `LOOPBOT_STARTERS=required`.
    pub fn new(root: &Path) -> VerifyOptions {
        VerifyOptions {
            folder: folder(root),
            jobs: None,
            network: true,
            starters_required: std::env::var_os("LOOPBOT_STARTERS")
                .is_some_and(|starters| starters == "required"),
        }
    }
}

/// Where packages are made and built, if nobody says otherwise: `target/verify`.
pub fn folder(root: &Path) -> PathBuf {
    check::folder_in_target(root, "verify")
}

/// What is going on. It comes from several threads.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Somebody else verifies here; this one waits.
    Waits,
    /// What cargo says while it cannot go on.
    Cargo(&'a str),
    /// So many packages were made, and are built now.
    Builds(usize),
    /// Another package is built.
    Built(&'a str),
    /// So many runs are needed in all.
    Runs(usize),
    /// Another run has ended.
    Ran(&'a str),
    /// An answer is run again by itself.
    Alone(&'a str),
}

/// What came of one exercise.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The exercise.
    pub exercise: Exercise,
    /// How many wrong answers were run.
    pub wrong_answers: usize,
    /// What was left out, and why.
    pub notes: Vec<String>,
    /// What is wrong.
    pub complaints: Vec<Complaint>,
}

/// What came of all.
#[derive(Clone, Debug)]
pub struct Verification {
    /// One for each exercise that was asked for.
    pub exercises: Vec<Verified>,
    /// Whether it was stopped before its end.
    pub stopped: bool,
    /// How long building and running took.
    pub took: Duration,
}

impl Verification {
    /// How much is wrong.
    pub fn complaints(&self) -> usize {
        self.exercises.iter().map(|it| it.complaints.len()).sum()
    }
}

/// Proves the exercises, or says what is wrong with them.
///
/// # Errors
///
/// One sentence, when nothing could be found out: cargo or the machine stands in the way.
pub fn verify(
    root: &Path,
    exercises: &[Exercise],
    options: &VerifyOptions,
    stop: &Stop,
    tell: &(dyn Fn(Event<'_>) + Sync),
) -> anyhow::Result<Verification> {
    let begun = Instant::now();
    let mut verified = Vec::new();
    let mut packages = Packages::new(&options.folder);
    // Two of these at once would write over each other's packages.
    let Some(_alone) = lock(&options.folder, stop, tell)? else {
        return Ok(stopped(begun));
    };
    for (at, exercise) in exercises.iter().enumerate() {
        let mut seen = description::look(root, exercise, options.starters_required);
        let wrong_answers = seen.wrong.len();
        let same = |other: &&Exercise| other.number == exercise.number;
        if let Some(other) = exercises[..at].iter().find(same) {
            seen.complaints.push(Complaint::new(
                About::Description,
                place(root, &exercise.folder),
                format!("The number {} is that of {} already.", exercise.number, other.slug),
                "Give it another one: in the names of both folders, in both manifests, and in exercise.toml.",
            ));
        } else if seen.can_run {
            packages.add(root, at, exercise, seen.wrong)?;
        }
        verified.push(Verified {
            exercise: exercise.clone(),
            wrong_answers,
            notes: seen.notes,
            complaints: seen.complaints,
        });
    }
    if packages.answers.is_empty() {
        return Ok(Verification {
            exercises: verified,
            stopped: false,
            took: begun.elapsed(),
        });
    }
    packages.finish(root)?;
    tell(Event::Builds(packages.answers.len()));
    let Some(outcomes) = build_and_run(root, exercises, &packages, options, stop, tell)? else {
        return Ok(stopped(begun));
    };
    for (answer, outcome) in packages.answers.iter().zip(outcomes) {
        let verified = &mut verified[answer.exercise];
        verified.complaints.extend(outcome.complaints);
        verified.notes.extend(outcome.notes);
    }
    Ok(Verification {
        exercises: verified,
        stopped: false,
        took: begun.elapsed(),
    })
}

fn stopped(begun: Instant) -> Verification {
    Verification {
        exercises: Vec::new(),
        stopped: true,
        took: begun.elapsed(),
    }
}

/// Waits until nobody else verifies in this folder. `None`: it was stopped meanwhile.
fn lock(
    folder: &Path,
    stop: &Stop,
    tell: &(dyn Fn(Event<'_>) + Sync),
) -> anyhow::Result<Option<fs::File>> {
    let path = folder.join("lock");
    let trouble = |error: std::io::Error| {
        Trouble::environment(format!("{} cannot be locked: {error}.", path.display()))
    };
    fs::create_dir_all(folder).map_err(trouble)?;
    let file = fs::File::create(&path).map_err(trouble)?;
    let mut told = false;
    loop {
        match FileExt::try_lock(&file) {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(trouble(error)),
        }
        if stop.is_raised() {
            return Ok(None);
        }
        if !told {
            tell(Event::Waits);
            told = true;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// What came of one answer.
#[derive(Debug, Default)]
struct Outcome {
    complaints: Vec<Complaint>,
    notes: Vec<String>,
}

/// A run to be done: of which answer, and whether it is for the verdict or to see whether it is the same again.
struct Job {
    at: usize,
    again: bool,
}

/// Builds everything, and runs each answer as soon as it is built. `None`: it was stopped.
fn build_and_run(
    root: &Path,
    exercises: &[Exercise],
    packages: &Packages,
    options: &VerifyOptions,
    stop: &Stop,
    tell: &(dyn Fn(Event<'_>) + Sync),
) -> anyhow::Result<Option<Vec<Outcome>>> {
    let answers = &packages.answers;
    let repeated: Vec<bool> = (0..answers.len())
        .map(|at| is_repeated(answers, at))
        .collect();
    let mut runs = answers.len() + AGAIN * repeated.iter().filter(|it| **it).count();
    tell(Event::Runs(runs));
    let built: Vec<OnceLock<Built>> = answers.iter().map(|_| OnceLock::new()).collect();
    let done: Vec<Mutex<Vec<Run>>> = answers.iter().map(|_| Mutex::default()).collect();
    let queue = Queue::new();
    let one = |at: usize| {
        let answer: &Answer = &answers[at];
        let built = built[at].get().expect("nothing is run before it is built");
        run::run(&answer.subject, built, &limits(), stop)
    };
    let work = || {
        while let Some(Job { at, again }) = queue.take() {
            if stop.is_raised() {
                continue;
            }
            let run = one(at);
            tell(Event::Ran(&answers[at].subject.package));
            let mut done = done[at].lock().unwrap_or_else(PoisonError::into_inner);
            // The verdict first, whoever is done first.
            let place = if again { done.len() } else { 0 };
            done.insert(place, run);
        }
    };
    let how = How {
        network: options.network,
        jobs: options.jobs,
    };
    let whole = thread::scope(|scope| {
        for _ in 0..at_once(options.jobs) {
            scope.spawn(work);
        }
        let whole = build::build(
            root,
            packages,
            how,
            stop,
            &mut |at, it| {
                tell(Event::Built(&answers[at].subject.package));
                let again = match (repeated[at], &it.tests) {
                    (true, Ok(_)) => AGAIN,
                    // What the compiler refuses, it refuses every time.
                    (true, Err(_)) => {
                        runs -= AGAIN;
                        tell(Event::Runs(runs));
                        0
                    }
                    (false, _) => 0,
                };
                if built[at].set(it).is_ok() {
                    queue.push(Job { at, again: false });
                    for _ in 0..again {
                        queue.push(Job { at, again: true });
                    }
                }
            },
            &mut |word| tell(Event::Cargo(word)),
        );
        queue.close();
        whole
    })?;
    if !whole || stop.is_raised() {
        return Ok(None);
    }

    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut suspects = Vec::new();
    for (at, runs) in done.into_iter().enumerate() {
        let runs = runs.into_inner().unwrap_or_else(PoisonError::into_inner);
        let exercise = &exercises[answers[at].exercise];
        let complaints = judged(root, exercise, &answers[at], &runs);
        if !complaints.is_empty() && built[at].get().is_some_and(|built| built.tests.is_ok()) {
            suspects.push(at);
        }
        outcomes.push(Outcome {
            complaints,
            notes: Vec::new(),
        });
    }
    if suspects.len() > MOST_ALONE {
        return Ok(Some(outcomes));
    }
    // Now nothing else runs. What is right this time was spoiled by the load, and that is no fault of the answer's.
    for at in suspects {
        tell(Event::Alone(&answers[at].subject.package));
        let times = if repeated[at] { 1 + AGAIN } else { ALONE };
        let mut runs = Vec::new();
        for _ in 0..times {
            runs.push(one(at));
            if stop.is_raised() {
                return Ok(None);
            }
        }
        let answer = &answers[at];
        let exercise = &exercises[answer.exercise];
        let mut complaints = judged(root, exercise, answer, &runs);
        for run in &runs[1..] {
            if complaints.is_empty() {
                complaints = judged(root, exercise, answer, std::slice::from_ref(run));
            }
        }
        if complaints.is_empty() {
            outcomes[at].notes.push(format!(
                "{} ended otherwise while others ran beside it, and as it must {times} times by itself.",
                place(root, &answer.source)
            ));
        }
        outcomes[at].complaints = complaints;
    }
    Ok(Some(outcomes))
}

/// The first wrong answer to each exercise is run again and again.
fn is_repeated(answers: &[Answer], at: usize) -> bool {
    let is_wrong = |answer: &Answer| matches!(answer.role, Role::Wrong(_));
    let answer = &answers[at];
    let first = answers
        .iter()
        .position(|other| other.exercise == answer.exercise && is_wrong(other));
    first == Some(at)
}

/// How many tests run at once. They wait most of the time.
fn at_once(jobs: Option<usize>) -> usize {
    let cores = || thread::available_parallelism().map_or(2, usize::from);
    jobs.unwrap_or_else(|| cores() * 2).max(1)
}

fn limits() -> CheckOptions {
    CheckOptions {
        tests: TIME_LIMIT,
        ..CheckOptions::default()
    }
}

/// What is wrong with how an answer ended: the first run for the verdict, all of them for whether it is the same.
fn judged(root: &Path, exercise: &Exercise, answer: &Answer, runs: &[Run]) -> Vec<Complaint> {
    let place = place(root, &answer.source);
    let Some((first, more)) = runs.split_first() else {
        return Vec::new();
    };
    let mut complaints = match &answer.role {
        Role::Starter => judge::starter(exercise, &place, first),
        Role::Solution => judge::solution(&place, first),
        Role::Wrong(wrong) => judge::wrong(wrong, &place, &answer.subject.package, first)
            .into_iter()
            .collect(),
    };
    if let Role::Wrong(_) = answer.role
        && let Some(other) = more.iter().find(|run| run.told() != first.told())
        && other.checked.verdict != Verdict::Stopped
    {
        complaints.push(
            Complaint::new(
                About::Repeat,
                place,
                "The wrong answer is not told in the same way every time.",
                "Let the test search for what goes wrong, instead of hoping for it; nothing in it may hang on the clock or on luck.",
            )
            .printed(&format!(
                "once:\n{}\n{}\nanother time:\n{}\n{}",
                first.story, first.checked.sentence, other.story, other.checked.sentence
            )),
        );
    }
    complaints
}
