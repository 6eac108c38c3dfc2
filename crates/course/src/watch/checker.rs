//! The thread that runs checks, one after the other: a new one stops the one before.

use std::path::PathBuf;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use crate::check::{self, CheckOptions, Verdict};
use crate::contained::Stop;
use crate::exercises::Exercise;
use crate::{progress, starter};

use super::app::{Event, Outcome};
use super::compare;

struct Job {
    exercise: usize,
    run: u64,
    stop: Stop,
}

/// Runs checks until it is dropped. What runs then is stopped, and gone when `drop` returns.
pub struct Checker {
    jobs: Option<Sender<Job>>,
    running: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Checker {
    /// Begins. `tell` hears of lines and verdicts, on another thread.
    ///
    /// # Errors
    ///
    /// When there can be no thread.
    pub fn start(
        root: PathBuf,
        exercises: Vec<Exercise>,
        options: CheckOptions,
        tell: impl Fn(Event) + Send + 'static,
    ) -> std::io::Result<Checker> {
        let (jobs, asked) = mpsc::channel::<Job>();
        let thread = thread::Builder::new()
            .name("checks".into())
            .spawn(move || {
                for Job {
                    exercise: n,
                    run,
                    stop,
                } in asked
                {
                    let exercise = &exercises[n];
                    let checked = check::check(&root, exercise, &options, &stop, &mut |line| {
                        tell(Event::Printed {
                            run,
                            line: line.to_owned(),
                        });
                    });
                    let edited = starter::is_edited(&root, exercise);
                    // Of a starter that nobody has touched there is nothing to remember.
                    let remembered =
                        !edited || progress::note_check(&root, exercise, checked.verdict);
                    let texts = (checked.verdict == Verdict::Passes)
                        .then(|| compare::texts(&root, exercise).ok())
                        .flatten();
                    let outcome = Outcome {
                        standings: progress::standings(&root, &exercises),
                        remembered,
                        edited,
                        texts,
                        checked,
                    };
                    let outcome = Box::new(outcome);
                    tell(Event::Checked { run, outcome });
                }
            })?;
        Ok(Checker {
            jobs: Some(jobs),
            running: Stop::new(),
            thread: Some(thread),
        })
    }

    /// Stops what runs, and runs this.
    pub fn check(&mut self, exercise: usize, run: u64) {
        self.stop();
        self.running = Stop::new();
        if let Some(jobs) = &self.jobs {
            // An error means that the thread is gone, which it tells by itself.
            let _ = jobs.send(Job {
                exercise,
                run,
                stop: self.running.clone(),
            });
        }
    }

    /// Stops what runs.
    pub fn stop(&self) {
        self.running.now();
    }
}

impl Drop for Checker {
    fn drop(&mut self) {
        self.stop();
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
