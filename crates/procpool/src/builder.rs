//! What a pool shall be like.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flight::Recorder;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StartError;
use crate::jobs::Jobs;
use crate::pool::Pool;
use crate::voice::{Line, Listener};

/// Which program the workers run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Start {
    /// This one, once more. Its main calls [`worker_entry`](crate::worker_entry) first. It is the very file that this
    /// program was started from, also if another build stands in its place by now.
    #[default]
    ThisProgram,
    /// Another one, built with the same list of jobs, whose main calls [`worker_entry`](crate::worker_entry) first.
    ///
    /// What can be compared is compared when it starts: this crate's version, the functions' names and order, and the
    /// names and sizes of their arguments and results. If something differs, the pool is broken, and says what. The
    /// fields of a type that has kept its name and size are not seen, and two programs have no build in common that
    /// could be compared: build both from the same source.
    ///
    /// The file is the one that is there when the pool is built. If it is replaced or written anew later, by an upgrade
    /// while this program runs, no worker is started from it: those that are there go on, and when none is left the
    /// pool is [broken](crate::JobError::Broken) and says so. A new pool takes the new file.
    Program(PathBuf),
}

/// Where the workers' standard output and standard error go. Their standard input is always empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Where this program's go.
    #[default]
    Inherit,
    /// To the pool: the end of what a worker wrote on standard error is in
    /// [`WorkerDied::stderr_tail`](crate::WorkerDied::stderr_tail), and each line of both goes to whoever
    /// [listens](Builder::on_line). If nobody does, the rest is thrown away.
    Capture,
    /// Nowhere.
    Null,
}

/// Says what a [`Pool`] shall be like. Made by [`Pool::builder`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    pub(crate) jobs: Jobs,
    pub(crate) name: String,
    pub(crate) workers: usize,
    pub(crate) start: Start,
    /// The function's place in the list and its encoded argument, or why there is none.
    pub(crate) initializer: Option<Result<(u16, Vec<u8>), String>>,
    pub(crate) max_jobs_per_worker: Option<u64>,
    pub(crate) memory_limit: Option<u64>,
    pub(crate) time_limit: Option<Duration>,
    pub(crate) grace: Duration,
    pub(crate) queue: usize,
    pub(crate) max_growth: Option<u64>,
    pub(crate) output: Output,
    pub(crate) listener: Option<Listener>,
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) spin: Duration,
    pub(crate) max_attempts: u32,
    pub(crate) recorder: Recorder,
}

impl Builder {
    pub(crate) fn new(jobs: Jobs) -> Builder {
        Builder {
            jobs,
            name: "procpool".to_owned(),
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            start: Start::ThisProgram,
            initializer: None,
            max_jobs_per_worker: None,
            memory_limit: None,
            time_limit: None,
            grace: Duration::from_millis(500),
            queue: 100_000,
            max_growth: None,
            output: Output::Inherit,
            listener: None,
            env: Vec::new(),
            idle_timeout: None,
            spin: Duration::ZERO,
            max_attempts: 3,
            recorder: Recorder::off(),
        }
    }

    /// How many worker processes there may be at a time. They start when there is something to do. The default is one
    /// for each core this process may use.
    pub fn workers(mut self, workers: usize) -> Builder {
        self.workers = workers;
        self
    }

    /// Which program the workers run. The default is this one.
    pub fn start(mut self, start: Start) -> Builder {
        self.start = start;
        self
    }

    /// A function of the list that every worker runs once, before its first job. If it panics or its worker dies in it,
    /// that counts as a failed start; after three in a row the pool is [broken](crate::JobError::Broken).
    pub fn initializer<F, A, R>(mut self, function: F, arg: A) -> Builder
    where
        F: Fn(A) -> R + Send + Sync + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        let _ = function;
        self.initializer = Some(match self.jobs.place::<F>() {
            None => Err(format!(
                "the initializer {} is not in its list of jobs",
                std::any::type_name::<F>()
            )),
            Some(place) => postcard::to_stdvec(&arg)
                .map(|bytes| (place, bytes))
                .map_err(|error| format!("the initializer's argument cannot be sent: {error}")),
        });
        self
    }

    /// After how many jobs a worker is replaced by a fresh one. Every input of a [`map`](Pool::map) counts as one.
    pub fn max_jobs_per_worker(mut self, jobs: u64) -> Builder {
        self.max_jobs_per_worker = Some(jobs);
        self
    }

    /// How much memory of its own a worker may have, in bytes: what is private and writable. What goes beyond it is
    /// refused, and a Rust program that is refused memory says so on its standard error and aborts: the job's error is
    /// then [`Death::OutOfMemory`](crate::Death::OutOfMemory). What a library in another language makes of it is told as
    /// what it is, a signal or an exit code.
    ///
    /// For that the pool reads the workers' standard error, whatever the [`Output`] is. With [`Output::Inherit`] it is
    /// passed on to this program's, through a pipe and a thread, so that a job does not find a terminal there.
    pub fn memory_limit(mut self, bytes: u64) -> Builder {
        self.memory_limit = Some(bytes);
        self
    }

    /// By how many bytes a worker's own memory may grow, measured from the end of its first job. A worker that has grown
    /// more does what it has and is replaced; no job is lost. It looks between two jobs, and at most once a second.
    /// The default is any amount.
    pub fn max_growth(mut self, bytes: u64) -> Builder {
        self.max_growth = Some(bytes);
        self
    }

    /// How long a job may run. Then it is [asked to stop](crate::cancelled), and after the [grace](Builder::grace) its
    /// worker is killed and replaced. For a map, the limit is that of one input. Without it, as long as it takes.
    pub fn time_limit(mut self, limit: Duration) -> Builder {
        self.time_limit = Some(limit);
        self
    }

    /// How long a job that was asked to stop has before its worker is killed. The default is half a second.
    pub fn grace(mut self, grace: Duration) -> Builder {
        self.grace = grace;
        self
    }

    /// How many jobs may be waiting for a worker. Beyond that, [`submit`](Pool::submit) waits for a place and
    /// [`try_submit`](Pool::try_submit) gives the argument back. The default is 100,000.
    pub fn queue(mut self, jobs: usize) -> Builder {
        self.queue = jobs;
        self
    }

    /// Where the workers' output goes. The default is where this program's goes.
    pub fn output(mut self, output: Output) -> Builder {
        self.output = output;
        self
    }

    /// Captures the workers' output ([`Output::Capture`]) and gives each [`Line`] of it to this function.
    ///
    /// It is called on one thread of the pool's own, line after line, and may take its time: neither the pool nor a
    /// worker waits for it. Some thousand lines wait; what comes on top of them is lost, and
    /// [counted](Line::missed). [`shut_down`](Pool::shut_down) returns when it has had all lines, so it must not itself
    /// wait for the pool's end. If it panics, the other lines come all the same.
    ///
    /// ```no_run
    /// # fn taste(dish: String) -> usize { dish.len() }
    /// # fn kitchen() -> procpool::Jobs { procpool::jobs![taste] }
    /// let pool = procpool::Pool::builder(kitchen())
    ///     .on_line(|line| println!("[{} {}] {}", line.pid, line.job.unwrap_or("-"), line.text))
    ///     .build()?;
    /// # Ok::<(), procpool::StartError>(())
    /// ```
    pub fn on_line(mut self, listener: impl Fn(&Line) + Send + Sync + 'static) -> Builder {
        self.output = Output::Capture;
        self.listener = Some(Arc::new(listener));
        self
    }

    /// A variable in the workers' environment, besides those of this program.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Builder {
        self.env.push((name.into(), value.into()));
        self
    }

    /// After how long without a job a worker ends. It starts again on demand. Without this it stays.
    pub fn idle_timeout(mut self, timeout: Duration) -> Builder {
        self.idle_timeout = Some(timeout);
        self
    }

    /// How long a worker looks for its next job, and whoever waits for its next answer, before going to sleep. To be
    /// woken takes longer than a tiny job. In a conversation of such jobs, one after the other, 50 µs save most of that
    /// time; they cost as much of a core whenever the conversation pauses, and where no core is free they cost the jobs.
    /// The default is to sleep at once.
    pub fn spin(mut self, time: Duration) -> Builder {
        self.spin = time;
        self
    }

    /// How many workers an [idempotent](crate::JobBuilder::idempotent) job is given to before it is
    /// [poisoned](crate::JobError::Poisoned). The default is 3.
    pub fn max_attempts(mut self, attempts: u32) -> Builder {
        self.max_attempts = attempts;
        self
    }

    /// Where the pool writes down what it does: jobs, and processes that start and exit.
    pub fn recorder(mut self, recorder: Recorder) -> Builder {
        self.recorder = recorder;
        self
    }

    /// The pool's name in the record. The default is "procpool".
    pub fn name(mut self, name: &str) -> Builder {
        self.name = name.to_owned();
        self
    }

    /// The pool. Its workers start when there is something to do.
    ///
    /// # Errors
    ///
    /// If a setting cannot be (no workers, an empty queue, a program that is not there); if this is a worker of a pool
    /// in a pool, more than ten deep; if the system has no thread or no descriptors for it.
    pub fn build(self) -> Result<Pool, StartError> {
        Pool::new(self)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("workers", &self.workers)
            .field("jobs", &self.jobs)
            .finish_non_exhaustive()
    }
}
