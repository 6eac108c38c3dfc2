//! Everything that can become of a job besides its value, and why a pool cannot be built.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why a job has no value. Each error is that of one job alone; only [`Broken`](JobError::Broken) and
/// [`ShutDown`](JobError::ShutDown) speak of the whole pool.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobError {
    /// The worker's process ended while this job was running in it.
    WorkerDied(WorkerDied),
    /// The job is idempotent, was tried again, and took every worker with it.
    Poisoned {
        /// How many workers it was given to.
        attempts: u32,
        /// How the last one ended.
        last: WorkerDied,
    },
    /// The job ran longer than its time limit. It was asked to stop first, and its worker killed after the grace.
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// The job panicked. Its worker lives on, unless the program is built with `panic = "abort"`.
    Panicked(Panic),
    /// It was cancelled: see [`Answer::cancel`](crate::Answer::cancel).
    Cancelled,
    /// The pool was shut down before the job was begun.
    ShutDown,
    /// The argument or the result cannot be serialised, or the function is not in the pool's list. In words.
    Encode(String),
    /// The argument, in the worker, or the result, here, cannot be read. In words.
    Decode(String),
    /// The pool cannot start workers any more. In words, why.
    Broken(String),
    /// It was given to [other machines](crate::cluster), and something between here and there has failed.
    #[cfg(feature = "nats")]
    Cluster(crate::cluster::ClusterError),
}

/// A worker that ended in the middle of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerDied {
    /// The function that was running.
    pub job: &'static str,
    /// Which attempt at this job it was, from 1.
    pub attempt: u32,
    /// The worker's process id.
    pub pid: u32,
    /// What the system says about its end.
    pub how: Death,
    /// The last that the worker wrote to stderr, if that was [captured](crate::Output::Capture).
    pub stderr_tail: String,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Death {
    /// A signal ended it, such as 11 (SIGSEGV), 6 (SIGABRT) or 9 (SIGKILL).
    Signal(i32),
    /// It called exit, or returned from main.
    Exit(i32),
    /// The system had no memory left for it, or it had gone beyond its memory limit.
    OutOfMemory,
}

/// A panic in a job, as the panic hook saw it in the worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panic {
    /// The words of the panic; "(not in words)" if it had none.
    pub message: String,
    /// `file:line:column`.
    pub location: String,
    /// The worker's stack, if `RUST_BACKTRACE` is set; empty otherwise.
    pub backtrace: String,
}

/// The queue is full. Returned by [`Pool::try_submit`](crate::Pool::try_submit), together with the argument.
#[derive(Debug)]
pub struct Full<A>(pub A);

/// Why there is no pool.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// A setting that cannot be. In words.
    Setting(String),
    /// This is a worker in a pool in a pool … deeper than `limit`.
    TooDeep {
        /// The deepest that pools may be nested.
        limit: u32,
    },
    /// The system refused something the pool cannot do without. In words.
    System(String),
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JobError::WorkerDied(died) => died.fmt(f),
            JobError::Poisoned { attempts, last } => {
                write!(f, "given up after {attempts} workers; the last: {last}")
            }
            JobError::TimedOut { limit } => {
                write!(f, "the job ran longer than its limit of {limit:?}")
            }
            JobError::Panicked(panic) => panic.fmt(f),
            JobError::Cancelled => write!(f, "the job was cancelled"),
            JobError::ShutDown => write!(f, "the pool was shut down before the job was begun"),
            JobError::Encode(why) => write!(f, "cannot be sent: {why}"),
            JobError::Decode(why) => write!(f, "cannot be read: {why}"),
            JobError::Broken(why) => write!(f, "the pool is broken: {why}"),
            #[cfg(feature = "nats")]
            JobError::Cluster(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for WorkerDied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WorkerDied {
            job,
            attempt,
            pid,
            how,
            stderr_tail,
        } = self;
        write!(
            f,
            "the worker (pid {pid}) died of {how} during attempt {attempt} at {job}"
        )?;
        if !stderr_tail.is_empty() {
            write!(f, "; it had written: {}", stderr_tail.trim_end())?;
        }
        Ok(())
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Death::Signal(number) => match signal_name(*number) {
                Some(name) => write!(f, "signal {number} ({name})"),
                None => write!(f, "signal {number}"),
            },
            Death::Exit(code) => write!(f, "exit({code})"),
            Death::OutOfMemory => write!(f, "lack of memory"),
        }
    }
}

fn signal_name(number: i32) -> Option<&'static str> {
    Some(match number {
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return None,
    })
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the job panicked at {}: {}", self.location, self.message)?;
        if !self.backtrace.is_empty() {
            write!(f, "\nin the worker:\n{}", self.backtrace)?;
        }
        Ok(())
    }
}

impl<A> fmt::Display for Full<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the pool's queue is full")
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Setting(why) => write!(f, "this pool cannot be: {why}"),
            StartError::TooDeep { limit } => {
                write!(f, "pools in workers of pools, more than {limit} deep")
            }
            StartError::System(why) => write!(f, "the pool cannot be started: {why}"),
        }
    }
}

impl std::error::Error for JobError {}
impl std::error::Error for StartError {}
impl<A: fmt::Debug> std::error::Error for Full<A> {}
