//! What can go wrong, in one sentence, and the exit status that says so.

use std::fmt;

/// The exit statuses of the program. `course --help` lists them.
pub mod status {
    /// Done; the exercise passes.
    pub const DONE: u8 = 0;
    /// The exercise's tests fail, the recordings are out of date, or the rules find something red in a recording.
    pub const FAILS: u8 = 1;
    /// The question cannot be answered as asked: unknown exercise, bad seed, port in use, file that cannot be written.
    pub const INPUT: u8 = 2;
    /// This machine or this folder lacks something. `course doctor` says what.
    pub const ENVIRONMENT: u8 = 3;
    /// The exercise does not compile.
    pub const DOES_NOT_COMPILE: u8 = 4;
    /// The exercise's tests did not end by themselves.
    pub const NEVER_ENDS: u8 = 5;
    /// The exercise's tests printed more than the output limit.
    pub const PRINTS_TOO_MUCH: u8 = 6;
    /// The exercise's tests aborted, overflowed the stack, or were killed by a signal.
    pub const DIES: u8 = 7;
    /// Stopped by Ctrl-C.
    pub const INTERRUPTED: u8 = 130;
}

/// An error that knows its exit status. Its text is one sentence: what was wrong, where, what to do.
#[derive(Debug)]
pub struct Trouble {
    /// One of [`status`].
    pub status: u8,
    sentence: String,
}

impl Trouble {
    /// The question cannot be answered as asked.
    pub fn input(sentence: impl Into<String>) -> anyhow::Error {
        Trouble {
            status: status::INPUT,
            sentence: sentence.into(),
        }
        .into()
    }

    /// This machine or this folder lacks something.
    pub fn environment(sentence: impl Into<String>) -> anyhow::Error {
        Trouble {
            status: status::ENVIRONMENT,
            sentence: sentence.into(),
        }
        .into()
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Trouble {}

/// The exit status for an error: its own if it has one, else [`status::ENVIRONMENT`].
pub fn status_of(error: &anyhow::Error) -> u8 {
    error
        .downcast_ref::<Trouble>()
        .map_or(status::ENVIRONMENT, |trouble| trouble.status)
}
