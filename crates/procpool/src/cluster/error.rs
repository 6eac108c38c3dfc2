//! What can go wrong between machines.

use std::fmt;
use std::time::Duration;

use crate::error::JobError;

/// Why there is no answer from other machines, or no connection to them.
///
/// After [`ConnectionLost`](ClusterError::ConnectionLost) and [`NoAnswer`](ClusterError::NoAnswer) nobody here knows
/// what became of the job. It may be queued, running, done, or never sent. In each case it is
/// right to submit it again with the same key: then it is at most joined, never ordered twice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClusterError {
    /// A setting that cannot be, or not beside those of others. In words.
    Setting(String),
    /// The server cannot be reached, or refuses. In words.
    Refused(String),
    /// The connection was down for longer than the settings' [`outage`](super::Settings::outage).
    ConnectionLost {
        /// The job's key.
        key: String,
        /// How long it had been down.
        down_for: Duration,
    },
    /// No machine has answered in time.
    NoAnswer {
        /// The job's key.
        key: String,
        /// The time that is over.
        after: Duration,
        /// Whether the server has the order. Then it stands, and will be done. Otherwise the queue was full, or this
        /// submitter had too many jobs without an answer, or the server did not confirm.
        ordered: bool,
        /// What the server then said of the queue, in words for people: how many orders wait, how many are with machines,
        /// and whether any machine asks for one.
        queue: String,
    },
    /// A key has to be of letters, digits, `-` and `_`, 128 at most.
    BadKey {
        /// The key.
        key: String,
    },
    /// This key is that of an earlier job of the same function with another argument.
    KeyTaken {
        /// The key.
        key: String,
    },
    /// The job was given to so many machines, and each of them fell silent over it.
    Abandoned {
        /// How many.
        attempts: u32,
    },
    /// The pool of this machine takes no more jobs, so the machine has left. Its jobs are given to others.
    Pool(Box<JobError>),
}

impl fmt::Display for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClusterError::Setting(why) => write!(f, "this cluster cannot be: {why}"),
            ClusterError::Refused(why) => {
                write!(f, "the server cannot be reached, or refuses: {why}")
            }
            ClusterError::ConnectionLost { key, down_for } => write!(
                f,
                "the connection has been down for {down_for:.1?}; ask again for {key} when it is back"
            ),
            ClusterError::NoAnswer {
                key,
                after,
                ordered,
                queue,
            } => {
                let order = if *ordered {
                    "stands"
                } else {
                    "was not confirmed"
                };
                write!(
                    f,
                    "no machine has answered within {after:.1?}; the order {key} {order}; {queue}"
                )
            }
            ClusterError::BadKey { key } => {
                write!(
                    f,
                    "{key:?} cannot be a key: use letters, digits, - and _, 128 at most"
                )
            }
            ClusterError::KeyTaken { key } => {
                write!(
                    f,
                    "the key {key} is that of an earlier job with another argument"
                )
            }
            ClusterError::Abandoned { attempts } => {
                write!(
                    f,
                    "given up after {attempts} machines have fallen silent over it"
                )
            }
            ClusterError::Pool(error) => write!(f, "this machine takes no more jobs: {error}"),
        }
    }
}

impl std::error::Error for ClusterError {}

impl From<ClusterError> for JobError {
    fn from(error: ClusterError) -> JobError {
        JobError::Cluster(error)
    }
}
