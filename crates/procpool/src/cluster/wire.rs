//! What travels between machines: orders there, verdicts back. A head in postcard, and then the bytes of the argument or
//! of the value, as they are.
//!
//! All who share a queue are the same program: the queue's subject has the fingerprint of the list of jobs in it, so
//! another build has another queue. So there is no version in here.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ClusterError;
use crate::error::{Death, JobError, Panic, WorkerDied};

/// A job, before the bytes of its argument.
#[derive(Serialize, Deserialize)]
pub(super) struct Order {
    /// The function's place in the list of jobs.
    pub(super) function: u16,
    pub(super) time_limit: Option<Duration>,
}

/// What became of a job. After [`Outcome::Value`] come the bytes of the value.
#[derive(Serialize, Deserialize)]
pub(super) struct Verdict {
    /// Which argument it was done with, to notice a key that is used for two.
    pub(super) argument: u64,
    pub(super) outcome: Outcome,
}

/// A [`JobError`] as it travels, or that there is none.
#[derive(Serialize, Deserialize)]
pub(super) enum Outcome {
    Value,
    Panicked(Panic),
    TimedOut(Duration),
    Encode(String),
    Decode(String),
    Poisoned {
        attempts: u32,
        pid: u32,
        how: Ending,
        stderr_tail: String,
    },
    Abandoned {
        attempts: u32,
    },
    /// Something that only its words are known of here.
    Other(String),
}

/// A [`Death`] as it travels.
#[derive(Serialize, Deserialize)]
pub(super) enum Ending {
    Signal(i32),
    Exit(i32),
    OutOfMemory,
}

/// Head and bytes in one.
pub(super) fn pack<H: Serialize>(head: &H, bytes: &[u8]) -> Result<Vec<u8>, JobError> {
    let mut packed = postcard::to_extend(head, Vec::with_capacity(bytes.len() + 32))
        .map_err(|error| JobError::Encode(error.to_string()))?;
    packed.extend_from_slice(bytes);
    Ok(packed)
}

/// And apart again.
pub(super) fn unpack<'a, H: Deserialize<'a>>(packed: &'a [u8]) -> Result<(H, &'a [u8]), JobError> {
    postcard::take_from_bytes(packed).map_err(|error| JobError::Decode(error.to_string()))
}

/// A number that stands for an argument.
pub(super) fn hash(argument: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    argument.hash(&mut hasher);
    hasher.finish()
}

impl From<JobError> for Outcome {
    fn from(error: JobError) -> Outcome {
        match error {
            JobError::Panicked(panic) => Outcome::Panicked(panic),
            JobError::TimedOut { limit } => Outcome::TimedOut(limit),
            JobError::Encode(why) => Outcome::Encode(why),
            JobError::Decode(why) => Outcome::Decode(why),
            JobError::Poisoned { attempts, last } => Outcome::Poisoned {
                attempts,
                pid: last.pid,
                how: match last.how {
                    Death::Signal(number) => Ending::Signal(number),
                    Death::Exit(code) => Ending::Exit(code),
                    Death::OutOfMemory => Ending::OutOfMemory,
                },
                stderr_tail: last.stderr_tail,
            },
            JobError::Cluster(ClusterError::Abandoned { attempts }) => {
                Outcome::Abandoned { attempts }
            }
            other => Outcome::Other(other.to_string()),
        }
    }
}

impl Outcome {
    /// The error that it was, for the job of this name; `None` for a value.
    pub(super) fn error(self, job: &'static str) -> Option<JobError> {
        Some(match self {
            Outcome::Value => return None,
            Outcome::Panicked(panic) => JobError::Panicked(panic),
            Outcome::TimedOut(limit) => JobError::TimedOut { limit },
            Outcome::Encode(why) => JobError::Encode(why),
            Outcome::Decode(why) => JobError::Decode(why),
            Outcome::Poisoned {
                attempts,
                pid,
                how,
                stderr_tail,
            } => JobError::Poisoned {
                attempts,
                last: WorkerDied {
                    job,
                    attempt: attempts,
                    pid,
                    how: match how {
                        Ending::Signal(number) => Death::Signal(number),
                        Ending::Exit(code) => Death::Exit(code),
                        Ending::OutOfMemory => Death::OutOfMemory,
                    },
                    stderr_tail,
                },
            },
            Outcome::Abandoned { attempts } => ClusterError::Abandoned { attempts }.into(),
            Outcome::Other(why) => JobError::Broken(why),
        })
    }
}
