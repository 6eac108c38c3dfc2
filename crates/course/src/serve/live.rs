//! Evenings and checks that a page starts: one at a time, contained, streamed line by line.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use futures_channel::mpsc;
use futures_core::Stream as _;
use hyper::StatusCode;
use hyper::body::{Body, Bytes, Frame};
use serde_json::json;

use super::Options;
use super::learner;
use super::reload::Reloads;
use super::routes::Refusal;
use crate::check::{self, CheckOptions};
use crate::contained::{self, Ended, Limits, Stop, Stream, Streams};
use crate::exercises;
use crate::progress;

/// A run that a page may ask for by name. Nothing else can be started from a page.
#[derive(Clone, Copy, Debug)]
pub struct NamedRun {
    /// As in `__loopbot/run/NAME`.
    pub name: &'static str,
    /// Arguments of `course`.
    pub args: &'static [&'static str],
}

/// All named runs.
pub const RUNS: &[NamedRun] = &[
    NamedRun {
        name: "threadbots-careless",
        args: &["shift", "threadbots", "--careless", "--stream"],
    },
    NamedRun {
        name: "threadbots-napping",
        args: &["shift", "threadbots", "--napping", "--stream"],
    },
    NamedRun {
        name: "threadbots-coordinated",
        args: &["shift", "threadbots", "--coordinated", "--stream"],
    },
    NamedRun {
        name: "loopbot",
        args: &["shift", "loopbot", "--stream"],
    },
    NamedRun {
        name: "monday-threadbots",
        args: &[
            "shift",
            "threadbots",
            "--coordinated",
            "--evening",
            "monday",
            "--stream",
        ],
    },
    NamedRun {
        name: "monday-loopbot",
        args: &["shift", "loopbot", "--evening", "monday", "--stream"],
    },
];

/// What a run may use.
#[derive(Clone, Copy, Debug)]
pub struct RunLimits {
    /// From start to end.
    pub time: Duration,
    /// Bytes of recording.
    pub output: u64,
}

impl Default for RunLimits {
    fn default() -> RunLimits {
        RunLimits {
            time: Duration::from_secs(30),
            output: 64 << 20,
        }
    }
}

/// The one place where something can be running.
pub struct Live {
    root: PathBuf,
    program: PathBuf,
    run_limits: RunLimits,
    check_options: CheckOptions,
    reloads: Arc<Reloads>,
    slot: Mutex<Slot>,
    /// Held by the thread that runs something, so that the next one waits until its group is gone.
    turn: Mutex<()>,
}

enum Slot {
    Free,
    Taken(Stop),
    Closed,
}

impl Live {
    pub fn new(root: &Path, options: &Options, reloads: Arc<Reloads>) -> Live {
        Live {
            root: root.to_path_buf(),
            program: options.program.clone(),
            run_limits: options.run_limits,
            check_options: options.check_options.clone(),
            reloads,
            slot: Mutex::new(Slot::Free),
            turn: Mutex::new(()),
        }
    }

    /// Starts the run called `name` and streams what it prints: one JSON object per line. A run that does not end by
    /// itself, or not well, gets a last line `{"error": sentence}`.
    pub fn run(self: &Arc<Self>, name: &str) -> Result<LiveLines, Refusal> {
        let Some(run) = RUNS.iter().find(|run| run.name == name) else {
            let names: Vec<_> = RUNS.iter().map(|run| run.name).collect();
            return Err(Refusal::new(
                StatusCode::NOT_FOUND,
                format!(
                    "There is no run of that name; there are {}.",
                    names.join(", ")
                ),
            ));
        };
        let live = Arc::clone(self);
        self.start(move |outlet| {
            outlet.deadline = Some(Instant::now() + live.run_limits.time);
            if let Some(sentence) = live.run_child(run, outlet) {
                let _ = outlet.send(&json!({ "error": sentence }).to_string());
            }
        })
    }

    /// Checks an exercise and streams `{"line": ..}` for each line, then `{"verdict": .., "sentence": .., "remembered": ..,
    /// "standing": ..}`. The verdict goes into the progress file, as that of a check in the terminal does.
    pub fn check(self: &Arc<Self>, number: &str) -> Result<LiveLines, Refusal> {
        // Two digits and nothing else: the answer to anything else does not depend on what is on the disk.
        if number.is_empty()
            || number.len() > 2
            || !number.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(Refusal::new(
                StatusCode::NOT_FOUND,
                "An exercise is asked for by its number, such as 03.",
            ));
        }
        let (live, number) = (Arc::clone(self), number.to_owned());
        self.start(move |outlet| {
            let found =
                exercises::load(&live.root).and_then(|all| exercises::find(&all, &number).cloned());
            let last = match found {
                Ok(exercise) => {
                    let stop = outlet.stop.clone();
                    let checked = check::check(
                        &live.root,
                        &exercise,
                        &live.check_options,
                        &stop,
                        &mut |line| {
                            // A reader who left has raised `stop` already.
                            let _ = outlet.send(&json!({ "line": line }).to_string());
                        },
                    );
                    let remembered = progress::note_check(&live.root, &exercise, checked.verdict);
                    live.reloads.announce_progress();
                    json!({
                        "verdict": checked.verdict.name(),
                        "sentence": checked.sentence,
                        "remembered": remembered,
                        "standing": learner::standing(&live.root, &exercise),
                    })
                }
                Err(error) => json!({ "verdict": "not-run", "sentence": format!("{error:#}") }),
            };
            let _ = outlet.send(&last.to_string());
        })
    }

    /// Ends what is running and lets nothing start any more. Returns when its process group is gone.
    pub fn end(&self) {
        if let Slot::Taken(stop) = std::mem::replace(&mut *self.slot(), Slot::Closed) {
            stop.now();
        }
        drop(self.turn.lock());
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Outlet) + Send + 'static,
    ) -> Result<LiveLines, Refusal> {
        let stop = Stop::new();
        {
            let mut slot = self.slot();
            match &*slot {
                // A run whose reader has left is on its way out: the new one waits for its turn.
                Slot::Taken(before) if !before.is_raised() => {
                    return Err(Refusal::new(
                        StatusCode::CONFLICT,
                        "Something is running already: wait for it to end, or stop it on the page that started it.",
                    ));
                }
                Slot::Closed => {
                    return Err(Refusal::new(
                        StatusCode::SERVICE_UNAVAILABLE,
                        "The server is closing.",
                    ));
                }
                Slot::Taken(_) | Slot::Free => *slot = Slot::Taken(stop.clone()),
            }
        }
        let (lines, received) = mpsc::channel(64);
        let body = LiveLines {
            lines: received,
            stop: stop.clone(),
        };
        let live = Arc::clone(self);
        thread::spawn(move || {
            let _turn = live.turn.lock().unwrap_or_else(PoisonError::into_inner);
            let _clear = Clear {
                live: &live,
                stop: stop.clone(),
            };
            work(&mut Outlet {
                lines,
                stop,
                deadline: None,
            });
        });
        Ok(body)
    }

    /// Runs the child; the sentence is what went wrong, if something did.
    fn run_child(&self, run: &NamedRun, outlet: &mut Outlet) -> Option<String> {
        let mut command = Command::new(&self.program);
        command.args(run.args).current_dir(&self.root);
        let limits = Limits {
            time: self.run_limits.time,
            output: self.run_limits.output,
            line: 16 << 20,
            memory: None,
            ..Limits::default()
        };
        let mut last_words = String::new();
        let stop = outlet.stop.clone();
        let ended = contained::run(
            command,
            Streams::Apart,
            limits,
            &stop,
            &mut |stream, line| match stream {
                Stream::Out => outlet.send(line),
                Stream::Err => {
                    if !line.trim().is_empty() && line.len() < 1000 {
                        last_words = line.to_owned();
                    }
                    ControlFlow::Continue(())
                }
            },
        );
        match ended {
            Ok(Ended::Exited(status)) if status.success() => None,
            Ok(Ended::Exited(_)) if !last_words.is_empty() => Some(last_words),
            Ok(Ended::Exited(status)) => Some(match contained::crash(status) {
                Some(how) => format!("The run {how}."),
                None => format!("The run ended with {status}."),
            }),
            Ok(Ended::OutOfTime) => Some(format!(
                "The run was ended after {} seconds, the limit.",
                self.run_limits.time.as_secs()
            )),
            Ok(Ended::OutOfOutput) => Some(format!(
                "The run was ended after {} MiB of recording, the limit.",
                self.run_limits.output >> 20
            )),
            Ok(Ended::Stopped) => Some("The run was stopped.".to_owned()),
            Err(error) => Some(format!(
                "{} cannot be started ({error}): stop the server and start it again with `cargo run`.",
                self.program.display()
            )),
        }
    }
}

/// Frees the slot when the work is over, a panic included, unless the slot is somebody else's by now.
struct Clear<'a> {
    live: &'a Live,
    stop: Stop,
}

impl Drop for Clear<'_> {
    fn drop(&mut self) {
        let mut slot = self.live.slot();
        if matches!(&*slot, Slot::Taken(stop) if stop.is_same(&self.stop)) {
            *slot = Slot::Free;
        }
    }
}

/// The worker's end of a response.
struct Outlet {
    lines: mpsc::Sender<Bytes>,
    stop: Stop,
    deadline: Option<Instant>,
}

impl Outlet {
    /// Sends a line, waiting for a slow reader: until the run is stopped, or out of time.
    fn send(&mut self, line: &str) -> ControlFlow<()> {
        let mut bytes = Bytes::from(format!("{line}\n"));
        loop {
            match self.lines.try_send(bytes) {
                Ok(()) => return ControlFlow::Continue(()),
                Err(gone) if gone.is_disconnected() => return ControlFlow::Break(()),
                Err(full) => bytes = full.into_inner(),
            }
            if self.stop.is_raised()
                || self
                    .deadline
                    .is_some_and(|deadline| Instant::now() > deadline)
            {
                return ControlFlow::Break(());
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// The body of a streamed run. When the reader goes away it is dropped, and that ends the run.
pub struct LiveLines {
    lines: mpsc::Receiver<Bytes>,
    stop: Stop,
}

impl Body for LiveLines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.lines)
            .poll_next(cx)
            .map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}

impl Drop for LiveLines {
    fn drop(&mut self) {
        self.stop.now();
    }
}
