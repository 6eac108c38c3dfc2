//! What those who share a queue have to agree on, and how each of them finds it.

use std::fmt;
use std::time::Duration;

use async_nats::ConnectOptions;

use super::ClusterError;

/// Where the queue is and what it is like.
///
/// The first to come makes the queue. What is marked *(shared)* has to be the same for all who come after; a submitter
/// or a machine that wants something else is told so when it connects.
///
/// ```
/// use std::time::Duration;
///
/// use procpool::cluster::Settings;
///
/// let settings = Settings::new("nats://127.0.0.1:4222")
///     .name("kitchen")
///     .attempts(3)
///     .ack_wait(Duration::from_secs(2));
/// ```
#[derive(Clone)]
#[must_use = "settings do nothing until something connects with them"]
pub struct Settings {
    pub(super) url: String,
    pub(super) options: ConnectOptions,
    pub(super) name: String,
    pub(super) attempts: u32,
    pub(super) ack_wait: Duration,
    pub(super) keep: Duration,
    pub(super) backlog: i64,
    pub(super) in_hand: i64,
    pub(super) replicas: usize,
    pub(super) unanswered: usize,
    pub(super) patience: Duration,
    pub(super) outage: Duration,
}

impl Settings {
    /// The queue called "procpool" on this server; several servers of one NATS cluster are separated by commas.
    pub fn new(url: impl Into<String>) -> Settings {
        Settings {
            url: url.into(),
            options: ConnectOptions::new(),
            name: "procpool".to_owned(),
            attempts: 3,
            ack_wait: Duration::from_secs(5),
            keep: Duration::from_secs(60 * 60),
            backlog: 100_000,
            in_hand: 4096,
            replicas: 1,
            unanswered: 1024,
            patience: Duration::from_secs(60 * 60),
            outage: Duration::from_secs(10),
        }
    }

    /// How to connect: user and password, certificates, the local address. The callback for events and
    /// the interval of pings are ours.
    ///
    /// For TLS, the program needs `async-nats` with its feature `ring` or `aws-lc-rs`. This crate takes neither.
    pub fn connect(mut self, options: ConnectOptions) -> Settings {
        self.options = options;
        self
    }

    /// *(shared)* The queue's name, of letters, digits, `-` and `_`. Stream, bucket and subjects are named after it.
    pub fn name(mut self, name: &str) -> Settings {
        self.name = name.to_owned();
        self
    }

    /// How often a job is given to a machine before it is given up, with [`Poisoned`](crate::JobError::Poisoned) or
    /// [`Abandoned`](ClusterError::Abandoned). Used by machines. The default is 3.
    pub fn attempts(mut self, attempts: u32) -> Settings {
        self.attempts = attempts;
        self
    }

    /// How long a machine may be silent about a job before the job is given to another one. A machine that is at work
    /// says so three times in that time. Short means that a dead machine's jobs are soon done elsewhere, and that a
    /// machine that was only slow has its jobs done twice. The default is 5 seconds. The latest machine to come sets it
    /// for all, so use the same everywhere.
    pub fn ack_wait(mut self, wait: Duration) -> Settings {
        self.ack_wait = wait;
        self
    }

    /// *(shared)* For how long results are kept. So long a key stands for one result; after that, whoever uses it again
    /// orders anew. The default is an hour.
    pub fn keep(mut self, time: Duration) -> Settings {
        self.keep = time;
        self
    }

    /// *(shared)* How many jobs may be in the queue. Beyond that, submitters wait. The default is 100,000.
    pub fn backlog(mut self, jobs: u32) -> Settings {
        self.backlog = i64::from(jobs);
        self
    }

    /// How many jobs may be in the hands of all machines together (`max_ack_pending`). The latest machine to come sets
    /// it for all. The default is 4,096; more workers than that stand idle.
    pub fn in_hand(mut self, jobs: u32) -> Settings {
        self.in_hand = i64::from(jobs);
        self
    }

    /// *(shared)* On how many servers of a NATS cluster queue and results are kept. The default is 1: if that server's
    /// disk is lost, so are they.
    pub fn replicas(mut self, servers: usize) -> Settings {
        self.replicas = servers;
        self
    }

    /// How many jobs of one submitter may be without an answer; further ones wait here, and are not sent. The default
    /// is 1,024.
    pub fn unanswered(mut self, jobs: usize) -> Settings {
        self.unanswered = jobs;
        self
    }

    /// How long an answer waits before it is [`NoAnswer`](ClusterError::NoAnswer), counted from the submission. The
    /// default is an hour.
    pub fn patience(mut self, time: Duration) -> Settings {
        self.patience = time;
        self
    }

    /// How long the connection of a submitter may be down before its answers are
    /// [`ConnectionLost`](ClusterError::ConnectionLost). Shorter outages are not noticed. A
    /// server that says nothing at all, not even that it is gone, is taken for gone after that time. And so long a server
    /// is asked again that is slow to make the queue, or does not find it. The default is 10 seconds.
    pub fn outage(mut self, time: Duration) -> Settings {
        self.outage = time;
        self
    }

    /// Whether that can be.
    pub(super) fn check(&self) -> Result<(), ClusterError> {
        let setting = |why: &str| Err(ClusterError::Setting(why.to_owned()));
        if !is_word(&self.name) {
            return setting("its name has to be of letters, digits, - and _");
        }
        if self.attempts == 0 || self.backlog == 0 || self.in_hand == 0 || self.unanswered == 0 {
            return setting(
                "attempts, backlog, jobs in hand and unanswered jobs have to be at least one",
            );
        }
        if self.ack_wait < Duration::from_millis(100) {
            return setting(
                "an ack_wait below a tenth of a second has machines taken for dead that are not",
            );
        }
        if self.keep < Duration::from_secs(1) || self.keep < self.ack_wait {
            return setting("results have to be kept for a second at least, and for the ack_wait");
        }
        Ok(())
    }

    /// For how long the server recognises an order that it has seen. Never longer than the order's result is kept: else
    /// there would be a time in which an order is refused as known while its result is gone.
    pub(super) fn duplicate_window(&self) -> Duration {
        self.keep.min(Duration::from_secs(120))
    }
}

impl From<&str> for Settings {
    fn from(url: &str) -> Settings {
        Settings::new(url)
    }
}

impl From<String> for Settings {
    fn from(url: String) -> Settings {
        Settings::new(url)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a password.
        f.debug_struct("Settings")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Whether it can be part of a subject and of a key as it is.
pub(super) fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.len() <= 128 && text.bytes().all(plain)
}
