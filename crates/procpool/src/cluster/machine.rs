//! The side that works: as many pulls as it has workers, each for one order at a time.

use std::future::pending;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use async_nats::header;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::{AckKind, Message};
use futures_core::Stream;
use tokio::runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::connection::{Connection, PAUSE, Stored};
use super::forward;
use super::wire::{self, Order, Outcome, Verdict};
use super::{ClusterError, Settings};
use crate::error::JobError;
use crate::pool::Pool;

/// How long a request for an order waits at the server. It is also how long a machine that is told to stop may take to
/// notice.
const PULL: Duration = Duration::from_secs(1);
/// How much longer this side waits for the server to say that the request has expired. nats-server 2.9 does not always
/// say so, and the client waits for five seconds more: so long this place would ask for nothing.
const SAYS_SO: Duration = Duration::from_secs(1);

/// What a machine has done. Returned by [`serve_until`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Served {
    /// Jobs that ran here, to a value or an error, and whose result is the one that counts.
    pub done: u64,
    /// Jobs that ran here for nothing: another machine's result was there first.
    pub late: u64,
    /// Orders that needed no cooking any more: their result was there when they came.
    pub known: u64,
    /// Orders given back, because a worker of the pool died over them or the pool could not go on.
    pub given_back: u64,
    /// Orders given up after too many attempts.
    pub given_up: u64,
}

/// Makes this machine one of those that do the jobs, until its pool is broken or shut down. See [`serve_until`].
///
/// # Errors
///
/// As [`serve_until`].
pub fn serve(pool: &Pool, settings: impl Into<Settings>) -> Result<Served, ClusterError> {
    serve_until(pool, settings, pending())
}

/// Makes this machine one of those that do the jobs, until `until` is ready. It then takes no more orders, finishes those
/// that it has, and returns what it has done.
///
/// The jobs run in the pool's processes. The pool should have nothing else to do: this takes an order for each of its
/// workers, and no more. It blocks its thread, and waits as long as it takes for a server that is gone for a while.
///
/// # Errors
///
/// A setting that cannot be; a server that cannot be reached at the beginning, or refuses; a pool that takes no more jobs.
pub fn serve_until(
    pool: &Pool,
    settings: impl Into<Settings>,
    until: impl Future<Output = ()>,
) -> Result<Served, ClusterError> {
    if runtime::Handle::try_current().is_ok() {
        let why = "serving blocks its thread, so it cannot be done on one of an async runtime";
        return Err(ClusterError::Setting(why.to_owned()));
    }
    let settings = settings.into();
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| ClusterError::Setting(error.to_string()))?;
    runtime.block_on(async {
        let connection = Connection::open(&settings, pool.jobs()).await?;
        let machine = Arc::new(Machine {
            consumer: connection.consumer(&settings).await?,
            connection,
            pool: pool.clone(),
            attempts: i64::from(settings.attempts),
            progress: settings.ack_wait / 3,
            counts: Counts::default(),
        });
        let (stop, stopping) = watch::channel(false);
        let mut places = JoinSet::new();
        for _ in 0..pool.size() {
            places.spawn(Arc::clone(&machine).place(stopping.clone()));
        }
        let mut until = pin!(until);
        let mut failed = None;
        loop {
            tokio::select! {
                () = &mut until, if !*stop.borrow() => drop(stop.send_replace(true)),
                place = places.join_next() => match place {
                    None => break,
                    Some(Ok(Ok(()))) => {}
                    Some(Ok(Err(error))) => {
                        failed = Some(error);
                        stop.send_replace(true);
                    }
                    Some(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
                },
            }
        }
        match failed {
            Some(error) => Err(ClusterError::Pool(Box::new(error))),
            None => Ok(machine.counts.read()),
        }
    })
}

struct Machine {
    connection: Connection,
    consumer: PullConsumer,
    pool: Pool,
    attempts: i64,
    progress: Duration,
    counts: Counts,
}

impl Machine {
    /// One worker's worth of work: one order after the other. An error is the pool's end.
    async fn place(self: Arc<Self>, stopping: watch::Receiver<bool>) -> Result<(), JobError> {
        while !*stopping.borrow() {
            match self.pull().await {
                Some(Ok(message)) => self.take_in_sight(&message).await?,
                Some(Err(_)) => sleep(PAUSE).await, // the server is away, or starts
                None => {}
            }
        }
        Ok(())
    }

    async fn pull(&self) -> Option<Result<Message, async_nats::Error>> {
        let batch = self
            .consumer
            .batch()
            .max_messages(1)
            .expires(PULL)
            .messages();
        match batch.await {
            Ok(mut batch) => {
                let next = std::future::poll_fn(|cx| Pin::new(&mut batch).poll_next(cx));
                timeout(PULL + SAYS_SO, next).await.unwrap_or(None)
            }
            Err(error) => Some(Err(error.into())),
        }
    }

    /// Takes an order, and says at once and again and again that somebody is at it: also while it looks and stores, which
    /// may take long on a server that has a lot to do.
    async fn take_in_sight(&self, message: &Message) -> Result<(), JobError> {
        let mut taken = pin!(self.take(message));
        let mut progress = interval(self.progress);
        progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                done = &mut taken => return done,
                _ = progress.tick() => drop(message.ack_with(AckKind::Progress).await),
            }
        }
    }

    // ANCHOR: take
    /// One order: look, cook, store, acknowledge. In this order, so that at whatever point this machine dies, either
    /// the result is stored or the order is not acknowledged, and then it is given to another one.
    async fn take(&self, message: &Message) -> Result<(), JobError> {
        let headers = message.headers.as_ref();
        let id = headers.and_then(|headers| headers.get(header::NATS_MESSAGE_ID));
        let (Some(id), Ok(info), Ok((order, argument))) =
            (id, message.info(), wire::unpack::<Order>(&message.payload))
        else {
            let _ = message.ack_with(AckKind::Term).await; // nobody of ours has sent that
            return Ok(());
        };
        let id = id.as_str();

        match self.connection.result(id).await {
            Ok(None) => {}
            Ok(Some(_)) => {
                let _ = message.double_ack().await;
                self.counts.known.fetch_add(1, Relaxed);
                return Ok(());
            }
            // Who cannot look does not cook. The order comes again when its time is over.
            Err(_) => return Ok(()),
        }

        let result = match info.delivered > self.attempts {
            true => Err(ClusterError::Abandoned {
                attempts: self.attempts as u32,
            }
            .into()),
            false => forward::run(&self.pool, order.function, order.time_limit, argument).await,
        };
        let (value, outcome, ack) = match result {
            Ok(value) => (value, Outcome::Value, AckKind::Ack),
            // A job that has killed a worker may do better on another machine, unless it has had its attempts.
            Err(JobError::WorkerDied(_)) if info.delivered < self.attempts => {
                let _ = message.ack_with(AckKind::Nak(None)).await;
                self.counts.given_back.fetch_add(1, Relaxed);
                return Ok(());
            }
            Err(error @ (JobError::ShutDown | JobError::Broken(_))) => {
                let _ = message.double_ack_with(AckKind::Nak(None)).await;
                self.counts.given_back.fetch_add(1, Relaxed);
                return Err(error);
            }
            Err(JobError::WorkerDied(last)) => {
                let attempts = self.attempts as u32;
                self.counts.given_up.fetch_add(1, Relaxed);
                (
                    Vec::new(),
                    JobError::Poisoned { attempts, last }.into(),
                    AckKind::Term,
                )
            }
            // What went wrong by itself will go wrong again: it is an answer.
            Err(error) => {
                if let JobError::Cluster(_) = error {
                    self.counts.given_up.fetch_add(1, Relaxed);
                }
                (Vec::new(), error.into(), AckKind::Term)
            }
        };
        self.store(id, argument, outcome, value).await;
        let _ = message.double_ack_with(ack).await; // if that is lost, it comes again and is known
        Ok(())
    }

    /// Stores the result, or finds that there is one. Without a server it tries again until there is one.
    async fn store(&self, id: &str, argument: &[u8], outcome: Outcome, value: Vec<u8>) {
        let ran = !matches!(outcome, Outcome::Abandoned { .. });
        let argument = wire::hash(argument);
        let mut packed = wire::pack(&Verdict { argument, outcome }, &value);
        if let Ok(bytes) = &packed
            && let Err(error) = self.connection.check_size(bytes.len())
        {
            let why = format!("the result: {error}");
            let outcome = Outcome::Encode(why);
            packed = wire::pack(&Verdict { argument, outcome }, &[]);
        }
        let Ok(packed) = packed else { return };
        let mut unsure = false;
        loop {
            match self.connection.store(id, &packed).await {
                Ok(stored) => {
                    let is_ours = match stored {
                        Stored::Now => true,
                        // If the server's word got lost, it may have been ours that was stored.
                        Stored::Before if unsure => {
                            let there = self.connection.result(id).await;
                            there.is_ok_and(|there| there.as_ref() == Some(&packed))
                        }
                        Stored::Before => false,
                    };
                    let count = match is_ours {
                        true => &self.counts.done,
                        false => &self.counts.late,
                    };
                    count.fetch_add(u64::from(ran), Relaxed);
                    return;
                }
                Err(_) => {
                    unsure = true;
                    sleep(PAUSE).await;
                }
            }
        }
    }
    // ANCHOR_END: take
}

#[derive(Default)]
struct Counts {
    done: AtomicU64,
    late: AtomicU64,
    known: AtomicU64,
    given_back: AtomicU64,
    given_up: AtomicU64,
}

impl Counts {
    fn read(&self) -> Served {
        Served {
            done: self.done.load(Relaxed),
            late: self.late.load(Relaxed),
            known: self.known.load(Relaxed),
            given_back: self.given_back.load(Relaxed),
            given_up: self.given_up.load(Relaxed),
        }
    }
}
