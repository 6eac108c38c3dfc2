//! `course check NN`: an exercise's tests, contained, with one clear sentence at the end.
//!
//! Building and testing are two steps here. Cargo builds (and holds its lock only while it does); then this program starts the
//! test executables itself. So the time limit is for the tests alone, and a crash is seen as the signal it was.
//!
//! The build goes to `target/check`, not `target`: an editor checks the learner's code on every save, and a page's check
//! button must not wait for that, nor the editor for it.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::contained::{self, CONTAINED, Clues, Ended, Fate, Limits, Stop, Stream, Streams};
use crate::exercises::Exercise;
use crate::trouble::status;

/// The environment variable that names the file for [`CheckOptions::record`].
const RECORD: &str = "WHATIF_RECORD";

/// What a check may use.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// For the build, which may have to download something the first time.
    pub build: Duration,
    /// For the tests, without the build.
    pub tests: Duration,
    /// Bytes that the tests may print before they are ended.
    pub output: u64,
    /// Bytes of memory that the tests may use, where the platform has such a limit.
    pub memory: Option<u64>,
    /// Bytes of it that are shown.
    pub shown: usize,
    /// Where to build. `None`: `target/check`, or a folder like it where `target` is elsewhere or cannot be written.
    pub target: Option<PathBuf>,
    /// Whether cargo may use the network, for what is not there yet.
    pub network: bool,
    /// Where `whatif` writes down the runs that it tells, if somebody wants to read them.
    pub record: Option<PathBuf>,
    /// Whether a panic shows its stack. If not, it is as short as it is in the book, whatever `RUST_BACKTRACE` says here.
    pub backtrace: bool,
}

impl Default for CheckOptions {
    fn default() -> CheckOptions {
        // What the tests get under plain `cargo test`, too.
        let limits = Limits::default();
        CheckOptions {
            build: Duration::from_secs(600),
            tests: limits.time,
            output: limits.output,
            memory: limits.memory,
            shown: 1 << 20,
            target: None,
            network: true,
            record: None,
            backtrace: false,
        }
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every test passed, and there was at least one.
    Passes,
    /// A test failed.
    Fails,
    /// The compiler refused the learner's code.
    DoesNotCompile,
    /// The tests were ended at the time limit, or have ended themselves because somebody did not come back.
    NeverEnds,
    /// The tests were ended at the output limit.
    PrintsTooMuch,
    /// The tests aborted, overflowed the stack, or were killed.
    Dies,
    /// The check was stopped before its end.
    Stopped,
    /// Nothing was found out: cargo or the machine stood in the way.
    NotRun,
}

impl Verdict {
    /// As it stands in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Passes => "pass",
            Verdict::Fails => "fail",
            Verdict::DoesNotCompile => "does-not-compile",
            Verdict::NeverEnds => "never-ends",
            Verdict::PrintsTooMuch => "prints-too-much",
            Verdict::Dies => "dies",
            Verdict::Stopped => "stopped",
            Verdict::NotRun => "not-run",
        }
    }

    /// The exit status that says it.
    pub fn status(self) -> u8 {
        match self {
            Verdict::Passes => status::DONE,
            Verdict::Fails => status::FAILS,
            Verdict::DoesNotCompile => status::DOES_NOT_COMPILE,
            Verdict::NeverEnds => status::NEVER_ENDS,
            Verdict::PrintsTooMuch => status::PRINTS_TOO_MUCH,
            Verdict::Dies => status::DIES,
            Verdict::Stopped => status::INTERRUPTED,
            Verdict::NotRun => status::ENVIRONMENT,
        }
    }
}

/// A verdict with its sentence.
#[derive(Clone, Debug)]
pub struct Checked {
    /// How it ended.
    pub verdict: Verdict,
    /// The same for the learner.
    pub sentence: String,
}

impl Checked {
    pub(crate) fn new(verdict: Verdict, sentence: impl Into<String>) -> Checked {
        Checked {
            verdict,
            sentence: sentence.into(),
        }
    }
}

/// A package that answers an exercise: the learner's own, the solution, or a wrong answer.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The workspace that the package belongs to.
    pub root: PathBuf,
    /// The package's name.
    pub package: String,
    /// The package's folder. Its tests run there, as they do under cargo.
    pub folder: PathBuf,
    /// The exercise's number, for the sentences.
    pub number: String,
}

/// Checks the learner's answer to an exercise. `on_line` sees what cargo, the compiler and the tests print.
pub fn check(
    root: &Path,
    exercise: &Exercise,
    options: &CheckOptions,
    stop: &Stop,
    on_line: &mut dyn FnMut(&str),
) -> Checked {
    let subject = Subject {
        root: root.to_path_buf(),
        package: exercise.package(),
        folder: exercise.folder.clone(),
        number: exercise.number.clone(),
    };
    check_package(&subject, options, stop, on_line)
}

/// Builds a package's tests and runs them, as [`check`] does.
pub fn check_package(
    subject: &Subject,
    options: &CheckOptions,
    stop: &Stop,
    on_line: &mut dyn FnMut(&str),
) -> Checked {
    on_line(&format!("Building {} ...", subject.package));
    let tests = match build(subject, options, stop, on_line) {
        Ok(tests) => tests,
        Err(checked) => return checked,
    };
    on_line("Testing ...");
    run_built(subject, &tests, options, stop, on_line)
}

/// Runs a package's test programs, which are built already.
pub(crate) fn run_built(
    subject: &Subject,
    tests: &[PathBuf],
    options: &CheckOptions,
    stop: &Stop,
    on_line: &mut dyn FnMut(&str),
) -> Checked {
    let mut passed = 0;
    for test in tests {
        match run_tests(subject, test, options, stop, on_line) {
            Ok(more) => passed += more,
            Err(checked) => return checked,
        }
    }
    let number = &subject.number;
    if passed == 0 {
        let tests = subject.folder.join("tests");
        return Checked::new(
            Verdict::NotRun,
            format!(
                "Exercise {number} has no test that runs: {} should hold one.",
                tests.display()
            ),
        );
    }
    Checked::new(
        Verdict::Passes,
        format!("Exercise {number} passes: {}.", count(passed, "test")),
    )
}

/// Where checks build when nothing else is asked for.
pub(crate) fn target_dir(root: &Path) -> PathBuf {
    folder_in_target(root, "check")
}

/// A folder below the target folder for builds of our own; somewhere else where that cannot be written.
pub(crate) fn folder_in_target(root: &Path, name: &str) -> PathBuf {
    // Cargo names what it builds by its place in the workspace, so two copies of the course must not share a folder.
    let mut hasher = DefaultHasher::new();
    root.hash(&mut hasher);
    let own = format!("{name}-{:016x}", hasher.finish());
    let folder = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(elsewhere) => root.join(elsewhere).join(&own),
        None => root.join("target").join(name),
    };
    let writable = fs::create_dir_all(&folder).is_ok() && tempfile::tempfile_in(&folder).is_ok();
    if writable {
        folder
    } else {
        std::env::temp_dir().join(format!("loopbot-{own}"))
    }
}

/// The cargo that started this program, so that the toolchain is the same; else the one on the PATH.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Builds; gives the test executables.
fn build(
    subject: &Subject,
    options: &CheckOptions,
    stop: &Stop,
    on_line: &mut dyn FnMut(&str),
) -> Result<Vec<PathBuf>, Checked> {
    let mut command = cargo();
    command
        .args([
            "test",
            "--no-run",
            "--message-format=json",
            "--package",
            &subject.package,
        ])
        .arg("--target-dir")
        .arg(
            options
                .target
                .clone()
                .unwrap_or_else(|| target_dir(&subject.root)),
        )
        .current_dir(&subject.root);
    if !options.network {
        command.arg("--offline");
    }
    let mut tests = Vec::new();
    let mut compiler = Compiler::default();
    let build_limits = Limits {
        time: options.build,
        output: options.output,
        line: 8 << 20,
        memory: None,
        // Where the compiler has a cache with a server, the first build starts it.
        may_leave: true,
    };
    let ended = contained::run(
        command,
        Streams::Apart,
        build_limits,
        stop,
        &mut |stream, line| {
            match stream {
                Stream::Err => {
                    if line.trim_start().starts_with("error") {
                        compiler.cargo_said = line.trim().to_owned();
                    }
                    on_line(line);
                }
                Stream::Out => match serde_json::from_str::<Value>(line) {
                    Ok(message) if message["reason"] == "compiler-message" => {
                        compiler.hear(&message["message"], &subject.package, &message, on_line);
                    }
                    Ok(message)
                        if message["reason"] == "compiler-artifact"
                            && message["profile"]["test"] == true =>
                    {
                        tests.extend(message["executable"].as_str().map(PathBuf::from));
                    }
                    _ => {}
                },
            }
            ControlFlow::Continue(())
        },
    );
    let number = &subject.number;
    match ended {
        Ok(Ended::Exited(status)) if status.success() => Ok(tests),
        Ok(Ended::Exited(_)) => Err(compiler.verdict(number)),
        Ok(Ended::OutOfTime) => Err(Checked::new(
            Verdict::NotRun,
            format!(
                "Building exercise {number} took more than {} and was stopped.",
                seconds(options.build)
            ),
        )),
        Ok(Ended::OutOfOutput) => Err(Checked::new(
            Verdict::NotRun,
            format!(
                "Building exercise {number} printed more than {} and was stopped.",
                mebibytes(options.output)
            ),
        )),
        Ok(Ended::Stopped) => Err(stopped(number)),
        Err(error) => Err(Checked::new(
            Verdict::NotRun,
            format!(
                "Cargo cannot be started ({error}): `cargo course doctor` says how to mend that."
            ),
        )),
    }
}

/// What the compiler said on the way.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    errors: usize,
    first_at: Option<String>,
    linker: Option<String>,
    cargo_said: String,
}

impl Compiler {
    pub(crate) fn hear(
        &mut self,
        message: &Value,
        package: &str,
        envelope: &Value,
        on_line: &mut dyn FnMut(&str),
    ) {
        let level = message["level"].as_str().unwrap_or_default();
        let text = message["message"].as_str().unwrap_or_default();
        let is_error = level.starts_with("error");
        // A warning in a crate that the learner did not write is not their business.
        if !is_error
            && !envelope["package_id"]
                .as_str()
                .unwrap_or_default()
                .contains(package)
        {
            return;
        }
        for line in message["rendered"].as_str().unwrap_or(text).lines() {
            on_line(line);
        }
        if !is_error || text.starts_with("aborting due to") {
            return;
        }
        let place = message["spans"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|span| span["is_primary"] == true);
        if place.is_none() && text.starts_with("link") {
            self.linker = Some(text.lines().next().unwrap_or_default().to_owned());
        }
        self.errors += 1;
        if self.first_at.is_none() {
            self.first_at = place.map(|span| {
                format!(
                    "{}:{}",
                    span["file_name"].as_str().unwrap_or_default(),
                    span["line_start"]
                )
            });
        }
    }

    pub(crate) fn verdict(self, number: &str) -> Checked {
        if let Some(linker) = self.linker {
            return Checked::new(
                Verdict::NotRun,
                format!(
                    "Exercise {number} cannot be linked on this machine ({linker}): `cargo course doctor` says how to mend that."
                ),
            );
        }
        if self.errors == 0 {
            let why = if self.cargo_said.is_empty() {
                String::new()
            } else {
                format!(" ({})", self.cargo_said)
            };
            return Checked::new(
                Verdict::NotRun,
                format!("Cargo could not build exercise {number}{why}: its words are above."),
            );
        }
        let place = self
            .first_at
            .map_or(String::new(), |place| format!(", the first at {place}"));
        Checked::new(
            Verdict::DoesNotCompile,
            format!(
                "Exercise {number} does not compile yet: {}{place}.",
                count(self.errors, "error")
            ),
        )
    }
}

/// Runs one test executable; gives the number of tests that passed.
fn run_tests(
    subject: &Subject,
    test: &Path,
    options: &CheckOptions,
    stop: &Stop,
    on_line: &mut dyn FnMut(&str),
) -> Result<usize, Checked> {
    let mut command = Command::new(test);
    // Nothing captured: otherwise the test harness would hold what a printing loop prints, in memory, without a limit.
    // One test at a time, so that what two of them print is not mixed.
    // The names are those that cargo gives to the tests it starts: a story says with them how to play it again.
    command
        .args(["--nocapture", "--test-threads=1", "--color=never"])
        .env("CARGO_MANIFEST_DIR", &subject.folder)
        .env("CARGO_PKG_NAME", &subject.package)
        .env(CONTAINED, "1")
        .env("RUST_BACKTRACE", if options.backtrace { "1" } else { "0" })
        .env_remove(RECORD)
        .envs(options.record.iter().map(|file| (RECORD, file)))
        .current_dir(&subject.folder);
    let mut shown = Shown {
        room: options.shown,
        on_line,
    };
    let mut summary = None;
    let mut clues = Clues::default();
    let mut listing = false;
    let limits = Limits {
        time: options.tests,
        output: options.output,
        memory: options.memory,
        ..Limits::default()
    };
    let ended = contained::run(command, Streams::Merged, limits, stop, &mut |_, line| {
        clues.hear(line);
        if let Some(result) = line.strip_prefix("test result: ") {
            summary = Some(Summary::read(result));
        } else if line == "failures:" {
            // The harness's own list of what has been told already.
            listing = true;
        } else if !listing {
            shown.line(line);
        }
        ControlFlow::Continue(())
    });
    let number = &subject.number;
    let fate = match ended {
        Ok(ended) => Fate::of(&ended, &clues),
        Err(error) => {
            return Err(Checked::new(
                Verdict::NotRun,
                format!("The tests of exercise {number} cannot be started: {error}."),
            ));
        }
    };
    let fate = match (fate, summary) {
        (Fate::Finished(status), Some(Summary { passed, failed: 0 })) if status.success() => {
            return Ok(passed);
        }
        (Fate::Finished(_), Some(Summary { passed, failed })) => {
            return Err(Checked::new(
                Verdict::Fails,
                format!(
                    "Exercise {number} does not pass yet: {failed} of {} failed. `cargo course hint {number}` helps.",
                    count(passed + failed, "test")
                ),
            ));
        }
        // The harness was told to run everything, and never came to its last line.
        (Fate::Finished(status), None) => Fate::Leaves(status),
        (fate, _) => fate,
    };
    let verdict = match fate {
        Fate::NeverEnds | Fate::ToldThatItDoesNotEnd => Verdict::NeverEnds,
        Fate::PrintsTooMuch => Verdict::PrintsTooMuch,
        Fate::Stopped => return Err(stopped(number)),
        Fate::UsesUpMemory
        | Fate::OverflowsItsStack
        | Fate::Dies(_)
        | Fate::Leaves(_)
        | Fate::Finished(_) => Verdict::Dies,
    };
    let sentence = fate.sentence(&format!("Exercise {number}"), &limits);
    Err(Checked::new(verdict, sentence.unwrap_or_default()))
}

/// The harness's last line.
struct Summary {
    passed: usize,
    failed: usize,
}

impl Summary {
    /// Reads `ok. 3 passed; 0 failed; 0 ignored; ...`.
    fn read(result: &str) -> Summary {
        let number = |what: &str| {
            let before = result.split(what).next()?;
            before
                .rsplit([' ', ';'])
                .find(|word| !word.is_empty())?
                .parse()
                .ok()
        };
        Summary {
            passed: number(" passed").unwrap_or(0),
            failed: number(" failed").unwrap_or(0),
        }
    }
}

/// Passes lines on until there is no room, then says so once.
struct Shown<'a> {
    room: usize,
    on_line: &'a mut dyn FnMut(&str),
}

impl Shown<'_> {
    fn line(&mut self, line: &str) {
        if self.room == 0 {
            return;
        }
        match self.room.checked_sub(line.len() + 1) {
            Some(room) if room > 0 => {
                self.room = room;
                (self.on_line)(line);
            }
            _ => {
                self.room = 0;
                (self.on_line)("... (the rest of the output is not shown)");
            }
        }
    }
}

fn stopped(number: &str) -> Checked {
    Checked::new(
        Verdict::Stopped,
        format!("The check of exercise {number} was stopped."),
    )
}

fn seconds(time: Duration) -> String {
    if time.as_secs() == 1 {
        "1 second".into()
    } else {
        format!("{} seconds", time.as_secs_f32())
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes as f64 / f64::from(1 << 20))
}

fn count(n: usize, what: &str) -> String {
    if n == 1 {
        format!("1 {what}")
    } else {
        format!("{n} {what}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_harness_summary_is_read() {
        let summary = Summary::read(
            "FAILED. 2 passed; 13 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        );
        assert_eq!((summary.passed, summary.failed), (2, 13));
        let summary = Summary::read("nonsense");
        assert_eq!((summary.passed, summary.failed), (0, 0));
    }

    #[test]
    fn shown_output_has_a_bound_and_says_so_once() {
        let mut lines = Vec::new();
        let mut keep = |line: &str| lines.push(line.to_owned());
        let mut shown = Shown {
            room: 20,
            on_line: &mut keep,
        };
        for _ in 0..100 {
            shown.line("0123456");
        }
        assert_eq!(
            lines,
            [
                "0123456",
                "0123456",
                "... (the rest of the output is not shown)"
            ]
        );
    }

    #[test]
    fn a_missing_linker_is_not_the_learners_fault() {
        let mut compiler = Compiler::default();
        let message = serde_json::json!({ "level": "error", "message": "linker `cc` not found", "spans": [] });
        compiler.hear(&message, "exercise-03", &Value::Null, &mut |_| {});
        let checked = compiler.verdict("03");
        assert_eq!(checked.verdict, Verdict::NotRun);
        assert!(
            checked.sentence.contains("`cc` not found"),
            "{}",
            checked.sentence
        );
    }
}
