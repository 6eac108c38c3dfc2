//! Building all packages by one call of cargo, and hearing of each as soon as it is done.
//!
//! Cargo tells in JSON which test program belongs to which package, and what the compiler said of each: of one that does not
//! compile as well, for some wrong answers must not.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::packages::{Packages, SHELF};
use crate::check::{self, Checked, Compiler, Verdict};
use crate::contained::{self, Ended, Limits, Stop, Stream, Streams};
use crate::trouble::Trouble;

/// What cargo may take for all of it. Somebody's first build on a slow machine takes a while.
const LIMITS: (Duration, u64, usize) = (Duration::from_secs(4 * 3600), 4 << 30, 64 << 20);

/// A package that cargo is done with.
#[derive(Debug)]
pub struct Built {
    /// Its test programs; or, when there are none, how the build ended.
    pub tests: Result<Vec<PathBuf>, Checked>,
    /// What the compiler printed.
    pub printed: String,
    /// Whether there was a warning in it.
    pub warned: bool,
}

/// How cargo is called.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// Whether cargo may use the network, for what is not there yet.
    pub network: bool,
    /// How many compilers at once; cargo knows, if nobody says.
    pub jobs: Option<usize>,
}

/// Builds the packages. `on_built` gets each, with its place in the list, as soon as cargo is done with it; `on_word` what
/// cargo says while somebody else holds its lock.
///
/// `Ok(false)` when it was stopped.
///
/// # Errors
///
/// One sentence, with the compiler's or cargo's words, when it is no package's fault.
pub fn build(
    root: &Path,
    packages: &Packages,
    how: How,
    stop: &Stop,
    on_built: &mut dyn FnMut(usize, Built),
    on_word: &mut dyn FnMut(&str),
) -> anyhow::Result<bool> {
    let mut listening = Listening::new(packages);
    let (time, output, line) = LIMITS;
    let limits = Limits {
        time,
        output,
        line,
        memory: None,
        // Where the compiler has a cache with a server, the first build starts it.
        may_leave: true,
    };
    let ended = contained::run(
        command(root, packages, how),
        Streams::Apart,
        limits,
        stop,
        &mut |stream, line| {
            match stream {
                Stream::Out => listening.hear(line, on_built),
                Stream::Err => {
                    let word = line.trim();
                    if word.starts_with("Blocking") || word.starts_with("Download") {
                        on_word(word);
                    }
                    listening.words.push(line.to_owned());
                }
            }
            ControlFlow::Continue(())
        },
    );
    match ended {
        Ok(Ended::Stopped) => Ok(false),
        Ok(Ended::Exited(_)) => {
            listening.end(on_built)?;
            Ok(true)
        }
        Ok(Ended::OutOfTime) => Err(Trouble::environment(format!(
            "Cargo was not done after {} hours and was stopped.",
            time.as_secs() / 3600
        ))),
        Ok(Ended::OutOfOutput) => Err(Trouble::environment(format!(
            "Cargo printed more than {} GiB and was stopped.",
            output >> 30
        ))),
        Err(error) => Err(Trouble::environment(format!(
            "Cargo cannot be started ({error}): `cargo course doctor` says how to mend that."
        ))),
    }
}

fn command(root: &Path, packages: &Packages, how: How) -> std::process::Command {
    let mut command = check::cargo();
    command
        // `cargo test --no-run` would stop at the first package that does not compile.
        .args(["build", "--tests", "--workspace", "--keep-going"])
        .arg("--message-format=json")
        .arg("--manifest-path")
        .arg(packages.folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(packages.folder.join("build"))
        // Cargo's configuration is that of the course, wherever the packages lie.
        .current_dir(root);
    if !how.network {
        command.arg("--offline");
    }
    if let Some(jobs) = how.jobs {
        command.arg("--jobs").arg(jobs.to_string());
    }
    command
}

/// What has been heard so far.
struct Listening<'a> {
    packages: &'a Packages,
    by_name: HashMap<&'a str, usize>,
    /// One for each package; taken when it is handed on.
    heard: Vec<Option<Heard>>,
    /// The errors of a package that is not ours to judge, such as a crate of the course.
    elsewhere: Vec<String>,
    /// What cargo itself said.
    words: Vec<String>,
}

#[derive(Default)]
struct Heard {
    tests: Vec<(String, PathBuf)>,
    compiler: Compiler,
    failed: bool,
    printed: String,
    warned: bool,
}

impl<'a> Listening<'a> {
    fn new(packages: &'a Packages) -> Listening<'a> {
        let names = packages.answers.iter().enumerate();
        Listening {
            packages,
            by_name: names
                .map(|(at, answer)| (answer.subject.package.as_str(), at))
                .collect(),
            heard: packages
                .answers
                .iter()
                .map(|_| Some(Heard::default()))
                .collect(),
            elsewhere: Vec::new(),
            words: Vec::new(),
        }
    }

    fn hear(&mut self, line: &str, on_built: &mut dyn FnMut(usize, Built)) {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            return;
        };
        let at = self.whose(&message);
        let Some((at, heard)) = at.and_then(|at| Some((at, self.heard[at].as_mut()?))) else {
            let level = message["message"]["level"].as_str().unwrap_or_default();
            if level.starts_with("error") {
                let rendered = message["message"]["rendered"].as_str();
                self.elsewhere.extend(rendered.map(str::to_owned));
            }
            return;
        };
        if message["reason"] == "compiler-message" {
            let level = message["message"]["level"].as_str().unwrap_or_default();
            heard.failed |= level.starts_with("error");
            heard.warned |= level == "warning";
            let package = &self.packages.answers[at].subject.package;
            let printed = &mut heard.printed;
            heard
                .compiler
                .hear(&message["message"], package, &message, &mut |line| {
                    printed.push_str(line);
                    printed.push('\n');
                });
        } else if message["reason"] == "compiler-artifact"
            && message["profile"]["test"] == true
            && let Some(executable) = message["executable"].as_str()
        {
            let name = message["target"]["name"].as_str().unwrap_or_default();
            heard.tests.push((name.to_owned(), executable.into()));
        }
        if heard.tests.len() == self.packages.answers[at].tests && !heard.tests.is_empty() {
            self.hand_on(at, on_built);
        }
    }

    /// The package that a message is about. Cargo names its manifest, and its folder is called as the package is.
    fn whose(&self, message: &Value) -> Option<usize> {
        let manifest = Path::new(message["manifest_path"].as_str()?);
        let folder = manifest.parent()?;
        if folder.parent()?.file_name()? != SHELF {
            return None;
        }
        self.by_name.get(folder.file_name()?.to_str()?).copied()
    }

    fn hand_on(&mut self, at: usize, on_built: &mut dyn FnMut(usize, Built)) {
        let Some(mut heard) = self.heard[at].take() else {
            return;
        };
        heard.tests.sort();
        let complete = heard.tests.len() == self.packages.answers[at].tests;
        let number = &self.packages.answers[at].subject.number;
        let tests = if complete && !heard.failed {
            Ok(heard.tests.into_iter().map(|(_, path)| path).collect())
        } else {
            Err(heard.compiler.verdict(number))
        };
        let built = Built {
            tests,
            printed: heard.printed,
            warned: heard.warned,
        };
        on_built(at, built);
    }

    /// Cargo is done: who has not been handed on yet does not compile, or was never built.
    fn end(&mut self, on_built: &mut dyn FnMut(usize, Built)) -> anyhow::Result<()> {
        if let Some(first) = self.elsewhere.first() {
            return Err(Trouble::environment(format!(
                "A crate that the answers lean on does not compile, so nothing was found out about them:\n\n{first}"
            )));
        }
        // A package has been left out without a word of the compiler's: then cargo itself says why.
        let silent = self
            .heard
            .iter()
            .zip(&self.packages.answers)
            .any(|(heard, answer)| {
                heard
                    .as_ref()
                    .is_some_and(|heard| !heard.failed && answer.tests > 0)
            });
        if silent {
            let from = self
                .words
                .iter()
                .position(|word| word.trim_start().starts_with("error"))
                .unwrap_or(0);
            return Err(Trouble::environment(format!(
                "Cargo could not build the answers:\n\n{}",
                self.words[from..].join("\n")
            )));
        }
        for at in 0..self.heard.len() {
            if self.packages.answers[at].tests == 0 {
                // There is nothing to run, and whoever reads the description has been told.
                let number = &self.packages.answers[at].subject.number;
                let sentence = format!("Exercise {number} has no test.");
                on_built(
                    at,
                    Built {
                        tests: Err(Checked::new(Verdict::NotRun, sentence)),
                        printed: String::new(),
                        warned: false,
                    },
                );
            } else {
                self.hand_on(at, on_built);
            }
        }
        Ok(())
    }
}
