//! What `course verify` is doing, in one line that changes on a terminal, and in a line now and then elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Event;

/// A terminal's line is not written more often than this.
const CALM: Duration = Duration::from_millis(80);
/// Where lines stay, one in this time is enough.
const NOW_AND_THEN: Duration = Duration::from_secs(10);

/// Tells on standard error what is going on.
pub struct Screen {
    is_terminal: bool,
    state: Mutex<State>,
}

struct State {
    packages: usize,
    built: usize,
    runs: usize,
    ran: usize,
    doing: String,
    written: Option<Instant>,
}

impl Screen {
    /// A screen on which nothing stands.
    pub fn new() -> Screen {
        Screen {
            is_terminal: std::io::stderr().is_terminal(),
            state: Mutex::new(State {
                packages: 0,
                built: 0,
                runs: 0,
                ran: 0,
                doing: String::new(),
                written: None,
            }),
        }
    }

    /// Takes in what has happened.
    pub fn tell(&self, event: Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let lasting = match event {
            Event::Waits => {
                state.doing =
                    "Another `cargo course verify` is at work here; waiting for it.".into();
                true
            }
            Event::Cargo(word) => {
                state.doing = word.into();
                true
            }
            Event::Builds(packages) => {
                state.packages = packages;
                state.doing = format!("Building {packages} packages, all by one call of cargo ...");
                true
            }
            Event::Runs(runs) => {
                state.runs = runs;
                false
            }
            Event::Built(package) => {
                state.built += 1;
                state.doing = state.line(package);
                false
            }
            Event::Ran(package) => {
                state.ran += 1;
                state.doing = state.line(package);
                false
            }
            Event::Alone(package) => {
                state.doing = format!("{package} did not end as it must; again, by itself ...");
                true
            }
        };
        self.show(&mut state, lasting);
    }

    fn show(&self, state: &mut State, lasting: bool) {
        let calm = if self.is_terminal { CALM } else { NOW_AND_THEN };
        let too_soon = state.written.is_some_and(|at| at.elapsed() < calm);
        if state.doing.is_empty() || (too_soon && !lasting) {
            return;
        }
        state.written = Some(Instant::now());
        // Nobody may be reading any more.
        let _ = if self.is_terminal {
            write!(std::io::stderr(), "\r\x1b[K{}", cut(&state.doing))
        } else {
            writeln!(std::io::stderr(), "{}", state.doing)
        };
    }

    /// Leaves an empty line for what comes after.
    pub fn clear(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_terminal && state.written.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

impl State {
    fn line(&self, package: &str) -> String {
        let State {
            packages,
            built,
            runs,
            ran,
            ..
        } = self;
        if built < packages {
            format!("Built {built} of {packages}, run {ran} of {runs}: {package}")
        } else {
            format!("Run {ran} of {runs}: {package}")
        }
    }
}

/// A line that goes on in the next one cannot be taken back. No terminal is narrower than this.
fn cut(line: &str) -> String {
    line.chars().take(78).collect()
}
