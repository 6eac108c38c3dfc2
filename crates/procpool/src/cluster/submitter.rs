//! The side that orders: a thread that talks to the server, and answers that wait for it.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use futures_core::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime;
use tokio::sync::{Semaphore, mpsc as queue, oneshot};
use tokio::time::{sleep, timeout};

use super::connection::{Connection, PAUSE};
use super::settings::is_word;
use super::wire::{self, Order, Verdict};
use super::{ClusterError, Settings};
use crate::answer::Unpark;
use crate::error::JobError;
use crate::jobs::Jobs;
use crate::submit::Submit;

/// News can be missed, when a connection is made anew for example. So whoever waits looks for the result now and then.
const LOOK: Duration = Duration::from_secs(2);

/// Gives jobs to other machines. Cheap to clone; clones share one connection.
///
/// What is promised is told in the [module](super). Jobs that were given away stand, whatever becomes of this program:
/// dropping a `Cluster`, or an answer, takes nothing back.
#[derive(Clone)]
pub struct Cluster {
    jobs: Arc<Jobs>,
    requests: queue::UnboundedSender<Request>,
}

/// A job with wishes. Made by [`Cluster::job`].
#[must_use = "nothing is submitted yet"]
pub struct ClusterJob<'a, F> {
    cluster: &'a Cluster,
    key: Option<String>,
    time_limit: Option<Duration>,
    patience: Option<Duration>,
    function: PhantomData<fn() -> F>,
}

/// What will become of a job on another machine. Await it on any runtime, or [`wait`](ClusterAnswer::wait) for it.
///
/// Awaiting it is cancel safe: a poll that is given up loses nothing. Dropping it takes nothing back: the order stands,
/// and whoever submits the same function with the same [key](ClusterJob::key) gets its result.
#[must_use = "the job is done even if nobody waits, but errors go unseen"]
pub struct ClusterAnswer<R> {
    state: State,
    job: &'static str,
    argument: u64,
    key: Option<String>,
    result: PhantomData<fn() -> R>,
}

enum State {
    Waiting(oneshot::Receiver<Result<Vec<u8>, JobError>>),
    /// It never left.
    Failed(Option<JobError>),
}

/// A job on its way from an answer to the thread.
struct Request {
    function: u16,
    key: Option<String>,
    order: Vec<u8>,
    patience: Option<Duration>,
    reply: oneshot::Sender<Result<Vec<u8>, JobError>>,
}

impl Cluster {
    /// Connects to the server, and makes the queue if it is not there. It blocks this thread until that is done, or has
    /// failed: five seconds for the connection, unless the [options](Settings::connect) say otherwise. A server that is
    /// slow to make the queue, or at odds with itself while others make it too, is asked again for as long as an
    /// [outage](Settings::outage) may be.
    ///
    /// # Errors
    ///
    /// A setting that cannot be; a server that cannot be reached, has no JetStream, or has a queue of this name with
    /// other settings.
    pub fn connect(jobs: Jobs, settings: impl Into<Settings>) -> Result<Cluster, ClusterError> {
        let settings = settings.into();
        let jobs = Arc::new(jobs);
        let (requests, mut orders) = queue::unbounded_channel::<Request>();
        let (says, opened) = mpsc::channel();
        let list = Arc::clone(&jobs);
        let talk = async move {
            let connection = match Connection::open(&settings, &list).await {
                Ok(connection) => connection,
                Err(error) => {
                    let _ = says.send(Err(error));
                    return;
                }
            };
            let _ = says.send(Ok(()));
            let desk = Arc::new(Desk {
                connection,
                room: Semaphore::new(settings.unanswered),
                patience: settings.patience,
                outage: settings.outage,
            });
            let mut tasks = tokio::task::JoinSet::new();
            while let Some(request) = orders.recv().await {
                tasks.spawn(Arc::clone(&desk).serve(request));
                while tasks.try_join_next().is_some() {}
            }
            // The last handle is gone. Orders that are still being sent are sent.
            tasks.join_all().await;
        };
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| ClusterError::Setting(error.to_string()))?;
        thread::Builder::new()
            .name("procpool-cluster".to_owned())
            .spawn(move || runtime.block_on(talk))
            .map_err(|error| ClusterError::Setting(error.to_string()))?;
        match opened.recv() {
            Ok(Ok(())) => Ok(Cluster { jobs, requests }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ClusterError::Refused(
                "the thread that was to connect has ended".to_owned(),
            )),
        }
    }

    /// Gives a job to whichever machine is free, whether or not anybody awaits the answer. It may be done more than
    /// once; one result counts.
    pub fn submit<F, A, R>(&self, function: F, arg: A) -> ClusterAnswer<R>
    where
        F: Fn(A) -> R + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        self.job(function).submit(arg)
    }

    /// A job with wishes: a key, a time limit, patience.
    pub fn job<F>(&self, function: F) -> ClusterJob<'_, F> {
        let _ = function;
        ClusterJob {
            cluster: self,
            key: None,
            time_limit: None,
            patience: None,
            function: PhantomData,
        }
    }
}

impl<F: 'static> ClusterJob<'_, F> {
    /// The job's name, chosen by the caller: the number of the order, say. All who submit the same function with the
    /// same key, here or elsewhere, now or until the result is [no longer kept](Settings::keep), get the same result,
    /// and the job is not ordered again. That includes an error as a result. For another try, choose another key.
    ///
    /// It is of letters, digits, `-` and `_`. Without one, each submission is a job of its own.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// How long the job may run, in place of the limit of the machine's pool.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// How long the answer waits, in place of the settings' [patience](Settings::patience).
    pub fn patience(mut self, time: Duration) -> Self {
        self.patience = Some(time);
        self
    }

    /// As [`Cluster::submit`].
    pub fn submit<A, R>(self, arg: A) -> ClusterAnswer<R>
    where
        F: Fn(A) -> R,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        let key = self.key.clone();
        let (state, job, argument) = match self.request(&arg) {
            Ok(sent) => sent,
            Err(error) => (State::Failed(Some(error)), type_name::<F>(), 0),
        };
        ClusterAnswer {
            state,
            job,
            argument,
            key,
            result: PhantomData,
        }
    }

    fn request<A: Serialize>(self, arg: &A) -> Result<(State, &'static str, u64), JobError> {
        let jobs = &self.cluster.jobs;
        let function = jobs.place::<F>().ok_or_else(|| {
            JobError::Encode(format!(
                "{} is not in the cluster's list of jobs: add it to jobs![…]",
                type_name::<F>()
            ))
        })?;
        if let Some(key) = &self.key
            && !is_word(key)
        {
            return Err(ClusterError::BadKey { key: key.clone() }.into());
        }
        let argument = postcard::to_stdvec(arg)
            .map_err(|error| JobError::Encode(format!("the argument: {error}")))?;
        let head = Order {
            function,
            time_limit: self.time_limit,
        };
        let (reply, answer) = oneshot::channel();
        let request = Request {
            function,
            key: self.key,
            order: wire::pack(&head, &argument)?,
            patience: self.patience,
            reply,
        };
        // If nobody takes it, the answer finds its other end dropped.
        let _ = self.cluster.requests.send(request);
        Ok((
            State::Waiting(answer),
            jobs.name(function),
            wire::hash(&argument),
        ))
    }
}

impl Submit for Cluster {
    type Answer<R>
        = ClusterAnswer<R>
    where
        R: DeserializeOwned;

    fn submit<F, A, R>(&self, function: F, arg: A) -> ClusterAnswer<R>
    where
        F: Fn(A) -> R + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        Cluster::submit(self, function, arg)
    }
}

impl<R: DeserializeOwned> ClusterAnswer<R> {
    /// Waits on this thread. On a thread that runs an async executor, await it instead.
    ///
    /// # Errors
    ///
    /// Why there is no value.
    pub fn wait(self) -> Result<R, JobError> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut answer = pin!(self);
        loop {
            match answer.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(result) => return result,
                Poll::Pending => thread::park(),
            }
        }
    }

    fn read(&self, verdict: &[u8]) -> Result<R, JobError> {
        let (verdict, value) = wire::unpack::<Verdict>(verdict)?;
        if verdict.argument != self.argument {
            let key = self.key.clone().unwrap_or_default();
            return Err(ClusterError::KeyTaken { key }.into());
        }
        match verdict.outcome.error(self.job) {
            Some(error) => Err(error),
            None => postcard::from_bytes(value)
                .map_err(|error| JobError::Decode(format!("the result: {error}"))),
        }
    }
}

impl<R> ClusterAnswer<R> {
    /// Whether there is an answer.
    pub fn is_done(&self) -> bool {
        match &self.state {
            State::Waiting(answer) => !answer.is_empty() || answer.is_terminated(),
            State::Failed(_) => true,
        }
    }
}

impl<R: DeserializeOwned> Future for ClusterAnswer<R> {
    type Output = Result<R, JobError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let gone =
            || JobError::Broken("the thread that talks to the other machines has ended".to_owned());
        let verdict = match &mut self.state {
            State::Failed(error) => return Poll::Ready(Err(error.take().unwrap_or_else(gone))),
            State::Waiting(answer) => match Pin::new(answer).poll(cx) {
                Poll::Ready(verdict) => verdict,
                Poll::Pending => return Poll::Pending,
            },
        };
        self.state = State::Failed(None);
        Poll::Ready(match verdict {
            Ok(Ok(verdict)) => self.read(&verdict),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(gone()),
        })
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("jobs", &self.jobs)
            .finish_non_exhaustive()
    }
}

impl<R> fmt::Debug for ClusterAnswer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterAnswer")
            .field("job", &self.job)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What all tasks on the thread share.
struct Desk {
    connection: Connection,
    /// For so many jobs without an answer.
    room: Semaphore,
    patience: Duration,
    outage: Duration,
}

impl Desk {
    /// One job, from the order to the answer.
    async fn serve(self: Arc<Self>, mut request: Request) {
        let own = request.key.is_some();
        let key = request
            .key
            .take()
            .unwrap_or_else(|| self.connection.new_key());
        let patience = request.patience.unwrap_or(self.patience);
        let order = std::mem::take(&mut request.order);
        let id = self.connection.id(request.function, &key);
        let ordered = AtomicBool::new(false);
        let verdict = async {
            let Ok(_room) = self.room.acquire().await else {
                return Err(JobError::ShutDown); // nobody closes it
            };
            // In this order: what is stored after the first line is told, what was stored before is found by the second.
            let mut news = self.news(&id).await;
            if own && let Ok(Some(verdict)) = self.connection.result(&id).await {
                return Ok(verdict);
            }
            self.connection.order(&id, order).await?;
            ordered.store(true, Relaxed);
            tokio::select! {
                verdict = self.verdict(&id, &mut news) => Ok(verdict),
                // It is ordered now, and nobody wants to know any more.
                () = request.reply.closed() => Err(JobError::Cancelled),
            }
        };
        let verdict = tokio::select! {
            verdict = verdict => verdict,
            () = sleep(patience) => {
                let ordered = ordered.load(Relaxed);
                let queue = self.connection.look().await;
                Err(ClusterError::NoAnswer { key, after: patience, ordered, queue }.into())
            }
            down_for = self.connection.lost(self.outage) => Err(ClusterError::ConnectionLost { key, down_for }.into()),
        };
        let _ = request.reply.send(verdict);
    }

    async fn news(&self, id: &str) -> async_nats::Subscriber {
        loop {
            match self.connection.news(id).await {
                Ok(news) => return news,
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// The result, when it is there.
    async fn verdict(&self, id: &str, news: &mut async_nats::Subscriber) -> Vec<u8> {
        loop {
            let told = timeout(
                LOOK,
                std::future::poll_fn(|cx| Pin::new(&mut *news).poll_next(cx)),
            )
            .await;
            match told {
                // Empty is what the server says of a result that somebody has deleted.
                Ok(Some(message)) if !message.payload.is_empty() => {
                    return message.payload.to_vec();
                }
                Ok(Some(_)) => {}
                Ok(None) => sleep(PAUSE).await,
                Err(_) => {}
            }
            if let Ok(Some(verdict)) = self.connection.result(id).await {
                return verdict;
            }
        }
    }
}
