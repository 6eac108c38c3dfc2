//! The pool as its user sees it.

use std::any::type_name;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::{Answer, Pending};
use crate::blob;
use crate::builder::{Builder, Output, Start};
use crate::core::{Core, Limits, State, Wish, nanos};
use crate::driver::{Settings, Shared};
use crate::error::{Full, JobError, StartError};
use crate::jobs::Jobs;
use crate::map::Map;
use crate::program::Other;
use crate::reply::Order;
use crate::worker::{Briefing, MOST_GIFTS, depth};

/// How deep pools may be nested.
const DEEPEST: u32 = 10;

/// A pool of worker processes. Cheap to clone; clones are the same pool.
///
/// When the last one is dropped, jobs that are queued are answered with [`ShutDown`](crate::JobError::ShutDown); those
/// that a worker has are done, and then the workers end. The drop does not wait for that. If you want all jobs done,
/// call [`shut_down`](Pool::shut_down). When the program ends, the workers end, whatever they are doing.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
    /// Only the pool's users have this, not its driver: the last one closes it.
    _door: Arc<Door>,
}

struct Door(Arc<Shared>);

impl Drop for Door {
    fn drop(&mut self) {
        self.0.with(|inner, now| inner.core.close(now, true));
    }
}

/// A worker, as [`Pool::workers`] sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerInfo {
    /// Its process id.
    pub pid: u32,
    /// What it does.
    pub state: WorkerState,
    /// The most memory that it has had at a time, in bytes, shared memory included. It looks between two jobs, and at
    /// most once a second; 0 before the end of its first job.
    pub peak_memory: u64,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WorkerState {
    /// It starts, or runs its initializer.
    Starting,
    /// It waits for a job.
    Idle,
    /// It has at least one job.
    Busy,
    /// It gets no more jobs and ends.
    Ending,
}

/// What a pool has done so far. Made by [`Pool::metrics`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Jobs that were accepted.
    pub submitted: u64,
    /// Jobs that were answered, by a value or an error.
    pub answered: u64,
    /// Jobs that wait for a worker.
    pub queued: usize,
    /// Jobs that are with a worker.
    pub with_workers: usize,
    /// Workers that were started.
    pub workers_started: u64,
    /// Workers that ended without being told to.
    pub workers_died: u64,
    /// Jobs that went back to the queue because their worker ended before it had begun them.
    pub given_back: u64,
    /// Jobs that went back to the queue because their worker was long at the one before them.
    pub taken_back: u64,
    /// Attempts at idempotent jobs beyond the first.
    pub retried: u64,
}

/// A job with wishes. Made by [`Pool::job`].
#[must_use = "nothing is submitted yet"]
pub struct JobBuilder<'a, F> {
    pool: &'a Pool,
    function: F,
    idempotent: bool,
    limit: Option<Duration>,
}

impl Pool {
    /// A pool of workers for these functions, to be described further.
    pub fn builder(jobs: Jobs) -> Builder {
        Builder::new(jobs)
    }

    pub(crate) fn new(builder: Builder) -> Result<Pool, StartError> {
        let setting = |why: &str| Err(StartError::Setting(why.to_owned()));
        if builder.workers == 0 {
            return setting("it needs at least one worker");
        }
        if builder.workers > usize::from(u16::MAX) {
            return setting("it can have 65,535 workers at most");
        }
        if builder.queue == 0 {
            return setting("it needs a queue of at least one place");
        }
        if builder.max_attempts == 0 || builder.max_jobs_per_worker == Some(0) {
            return setting("it needs at least one attempt at a job, and one job for each worker");
        }
        if builder.listener.is_some() && builder.output != Output::Capture {
            return setting("who listens to its lines needs Output::Capture");
        }
        let program = match builder.start {
            Start::ThisProgram => None,
            Start::Program(path) => match Other::now(path.clone()) {
                Ok(other) => Some(other),
                Err(error) => {
                    let path = path.display();
                    return setting(&format!("there is no program {path}: {error}"));
                }
            },
        };
        if depth() >= DEEPEST {
            return Err(StartError::TooDeep { limit: DEEPEST });
        }
        let initializer = builder
            .initializer
            .transpose()
            .map_err(StartError::Setting)?;
        let briefing = Briefing {
            memory_limit: builder.memory_limit,
            max_growth: builder.max_growth,
            spin: builder.spin,
            initializer,
            jobs: builder.jobs.described(),
        };
        let briefing = postcard::to_stdvec(&briefing)
            .map_err(|error| StartError::Setting(format!("the initializer's argument: {error}")))?;
        let limits = Limits {
            workers: builder.workers,
            queue: builder.queue,
            max_jobs: builder.max_jobs_per_worker.unwrap_or(u64::MAX),
            max_attempts: builder.max_attempts,
            idle: builder.idle_timeout.map(nanos),
            grace: nanos(builder.grace),
        };
        let settings = Settings {
            fingerprint: builder.jobs.fingerprint(),
            name: builder.name,
            program,
            briefing,
            memory_limit: builder.memory_limit.is_some(),
            time_limit: builder.time_limit,
            output: builder.output,
            listener: builder.listener,
            env: builder.env,
            spin: builder.spin,
            recorder: builder.recorder,
        };
        let core = Core::new(limits, builder.jobs.len());
        let shared = Shared::start(builder.jobs, settings, core)
            .map_err(|error| StartError::System(error.to_string()))?;
        let door = Arc::new(Door(Arc::clone(&shared)));
        Ok(Pool {
            shared,
            _door: door,
        })
    }

    /// Gives a job to the pool. It is sent at once if a worker is free, and queued otherwise, whether or not anybody
    /// awaits the answer. If the queue is full, the answer keeps the argument and takes a place when it is polled.
    pub fn submit<F, A, R>(&self, function: F, arg: A) -> Answer<R>
    where
        F: Fn(A) -> R + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        self.job(function).submit(arg)
    }

    /// The same, but if the queue is full you get the argument back.
    ///
    /// # Errors
    ///
    /// [`Full`], if there is no place in the queue.
    pub fn try_submit<F, A, R>(&self, function: F, arg: A) -> Result<Answer<R>, Full<A>>
    where
        F: Fn(A) -> R + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        self.job(function).try_submit(arg)
    }

    /// A job with wishes: a time limit of its own, or that it may be tried again.
    pub fn job<F>(&self, function: F) -> JobBuilder<'_, F> {
        JobBuilder {
            pool: self,
            function,
            idempotent: false,
            limit: self.shared.settings.time_limit,
        }
    }

    /// Runs the function for every input, in chunks.
    pub fn map<F, I, A, R>(&self, function: F, inputs: I) -> Map<F, I::IntoIter, A, R>
    where
        F: Fn(A) -> R + 'static,
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        self.job(function).map(inputs)
    }

    /// Takes no more jobs, waits until all that were accepted are answered, and until all workers have ended.
    pub fn shut_down(&self) {
        self.shared.with(|inner, now| inner.core.close(now, false));
        self.shared.wait_for_end();
    }

    /// Takes no more jobs, kills the workers and whatever they started, and waits until they have ended. Jobs that were
    /// queued are answered with [`ShutDown`](crate::JobError::ShutDown), those that were running with
    /// [`WorkerDied`](crate::JobError::WorkerDied).
    pub fn kill(&self) {
        self.shared.with(|inner, now| inner.core.kill(now));
        self.shared.wait_for_end();
    }

    /// The workers there are at this moment.
    pub fn workers(&self) -> Vec<WorkerInfo> {
        let info = |(pid, state, jobs, peak_memory)| {
            let state = match state {
                State::Starting | State::Preparing => WorkerState::Starting,
                State::Ready if jobs == 0 => WorkerState::Idle,
                State::Ready => WorkerState::Busy,
                State::Ending | State::Absent => WorkerState::Ending,
            };
            WorkerInfo {
                pid,
                state,
                peak_memory,
            }
        };
        self.shared
            .with(|inner, _| inner.workers().map(info).collect())
    }

    /// What the pool has done so far.
    pub fn metrics(&self) -> Metrics {
        self.shared.with(|inner, _| {
            let counts = inner.core.counts;
            let queued = inner.core.queued();
            let unanswered = counts.submitted - counts.answered;
            Metrics {
                submitted: counts.submitted,
                answered: counts.answered,
                queued,
                with_workers: usize::try_from(unanswered)
                    .unwrap_or(usize::MAX)
                    .saturating_sub(queued),
                workers_started: counts.started,
                workers_died: counts.died,
                given_back: counts.given_back,
                taken_back: counts.taken_back,
                retried: counts.retried,
            }
        })
    }
}

/// What serving other machines needs to know of a pool.
#[cfg(feature = "nats")]
impl Pool {
    pub(crate) fn jobs(&self) -> &Jobs {
        &self.shared.jobs
    }

    pub(crate) fn size(&self) -> usize {
        self.shared.workers()
    }

    /// The function at this place in the list.
    pub(crate) fn call(&self, function: u16, limit: Option<Duration>) -> Call {
        Call {
            function: Ok(function),
            shared: Arc::clone(&self.shared),
            idempotent: false,
            limit: limit.or(self.shared.settings.time_limit),
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("name", &self.shared.settings.name)
            .field("jobs", &self.shared.jobs)
            .finish_non_exhaustive()
    }
}

impl<F> JobBuilder<'_, F> {
    /// Doing it twice does no harm: if its worker dies, the job is given to another one, up to
    /// [`max_attempts`](Builder::max_attempts).
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// How long this job may run, in place of the pool's [limit](Builder::time_limit).
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// As [`Pool::submit`].
    pub fn submit<A, R>(self, arg: A) -> Answer<R>
    where
        F: Fn(A) -> R + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        Answer::new(self.call().submit(std::slice::from_ref(&arg)))
    }

    /// As [`Pool::try_submit`].
    ///
    /// # Errors
    ///
    /// [`Full`], if there is no place in the queue.
    pub fn try_submit<A, R>(self, arg: A) -> Result<Answer<R>, Full<A>>
    where
        F: Fn(A) -> R + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        let pending = self.call().submit(std::slice::from_ref(&arg));
        if pending.is_waiting() {
            return Err(Full(arg));
        }
        Ok(Answer::new(pending))
    }

    /// As [`Pool::map`].
    pub fn map<I, A, R>(self, inputs: I) -> Map<F, I::IntoIter, A, R>
    where
        F: Fn(A) -> R + 'static,
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        Map::new(self.call(), inputs.into_iter())
    }

    fn call(self) -> Call
    where
        F: 'static,
    {
        let _ = self.function;
        let shared = Arc::clone(&self.pool.shared);
        Call {
            function: shared.jobs.place::<F>().ok_or(type_name::<F>()),
            shared,
            idempotent: self.idempotent,
            limit: self.limit,
        }
    }
}

/// A job that can be submitted, or why there is none.
pub(crate) type Encoded = Result<(Wish, Order), JobError>;

/// A function of a pool, with wishes. Its arguments can be submitted.
pub(crate) struct Call {
    shared: Arc<Shared>,
    /// Its place in the list of jobs; or its name, if it is not there.
    function: Result<u16, &'static str>,
    idempotent: bool,
    limit: Option<Duration>,
}

impl Call {
    pub(crate) fn workers(&self) -> usize {
        self.shared.workers()
    }

    /// One job of these items.
    pub(crate) fn submit<A: Serialize>(&self, items: &[A]) -> Pending {
        let shared = Arc::clone(&self.shared);
        match self.order(items) {
            Ok((wish, order)) => Pending::new(shared, wish, order),
            Err(error) => Pending::refused(shared, error, items.len()),
        }
    }

    /// Several jobs, each with the number of its items, on their way together.
    pub(crate) fn submit_all(&self, orders: Vec<(Encoded, usize)>) -> Vec<(Pending, usize)> {
        Pending::several(&self.shared, orders)
    }

    /// What is to be submitted for these items, or why it cannot be.
    pub(crate) fn order<A: Serialize>(&self, items: &[A]) -> Encoded {
        let function = self.function.map_err(|name| {
            JobError::Encode(format!(
                "{name} is not in the pool's list of jobs: add it to jobs![…]"
            ))
        })?;
        let encode = || {
            let bytes = Vec::with_capacity(items.len() * size_of::<A>().min(64));
            items
                .iter()
                .try_fold(bytes, |bytes, item| postcard::to_extend(item, bytes))
        };
        let (args, gifts) = blob::writing(encode);
        let args = args.map_err(|error| JobError::Encode(format!("the argument: {error}")))?;
        if gifts.as_ref().is_some_and(|gifts| gifts.len() > MOST_GIFTS) {
            return Err(JobError::Encode(format!(
                "the argument has more than {MOST_GIFTS} blobs"
            )));
        }
        let wish = Wish {
            function,
            items: items.len() as u32,
            idempotent: self.idempotent,
            limit: self.limit,
        };
        let too_large = || JobError::Encode("the argument has 4 GiB or more".to_owned());
        let order = Order::new(self.shared.jobs.name(function), args, gifts);
        Ok((wish, order.ok_or_else(too_large)?))
    }
}
