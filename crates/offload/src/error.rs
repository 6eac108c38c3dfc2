//! Why a job has no result.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::Mutex;

// ANCHOR: job_error
/// Why a job has no result. Only [`Panicked`](JobError::Panicked) jobs were ever begun.
#[derive(Debug)]
#[non_exhaustive]
pub enum JobError {
    /// It panicked.
    Panicked(Panic),
    /// Its deadline came before a thread did. It was never begun.
    DeadlinePassed,
    /// The pool was shut down. It was never begun.
    ShutDown,
    /// A job of the same pool waits for it, and every other thread of that pool is taken by a job that waits like that. None
    /// would ever have been free. It was never begun, and the others can go on.
    WouldWaitForItself,
    /// The system gave the pool no thread at all. The words are the system's. It was never begun.
    NoThread(String),
}
// ANCHOR_END: job_error

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JobError::Panicked(panic) => write!(f, "the job panicked: {}", panic.message()),
            JobError::DeadlinePassed => {
                f.write_str("the job was not begun: its deadline passed before a thread was free")
            }
            JobError::ShutDown => f.write_str("the job was not begun: its pool was shut down"),
            JobError::WouldWaitForItself => f.write_str(
                "a job waited for another job of its own pool, and every thread of the pool waits like that, so \
                 none would ever be free: let the job return what is to be done next, or give the other job a pool of its own",
            ),
            JobError::NoThread(why) => {
                write!(f, "the job was not begun: no thread could be started: {why}")
            }
        }
    }
}

impl Error for JobError {}

/// What a job panicked with.
pub struct Panic {
    message: String,
    /// Never locked: a payload is `Send` only, and with it the error is `Sync` too, as `?` into a boxed error asks of it.
    payload: Mutex<Box<dyn Any + Send>>,
}

impl Panic {
    pub(crate) fn new(payload: Box<dyn Any + Send>) -> Panic {
        // `panic!("words")` carries a &str, `panic!("{words}")` a String.
        let message = match payload.downcast_ref::<&str>() {
            Some(message) => Some((*message).to_owned()),
            None => payload.downcast_ref::<String>().cloned(),
        };
        Panic {
            message: message.unwrap_or_else(|| "(not in words)".to_owned()),
            payload: Mutex::new(payload),
        }
    }

    /// The words of the panic.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What it panicked with, to hand on through [`std::panic::resume_unwind`].
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        let unpoisoned = self.payload.into_inner();
        unpoisoned.unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Panic").field(&self.message).finish()
    }
}

/// The pool has no place for one more job. The work comes back, as it was.
pub struct Full<F>(pub F);

impl<F> fmt::Debug for Full<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Full(..)")
    }
}

impl<F> fmt::Display for Full<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the pool's threads are busy and its queue is full: wait for a place with spawn_blocking, \
             or turn the work away",
        )
    }
}

impl<F> Error for Full<F> {}
