//! The connection, and what lies at its other end: a stream that is the queue, and a bucket that has the results.
//!
//! | what | where |
//! |---|---|
//! | orders | stream `NAME-orders`, subject `NAME.order.LIST`; a work queue: what is acknowledged is gone |
//! | results | bucket `NAME-results`, key `LIST.FUNCTION.KEY` |
//! | news of results | subject `NAME.done.LIST.FUNCTION.KEY`, sent by the server once a result is stored |
//!
//! `LIST` is the fingerprint of the list of jobs. Each list has a consumer of its own, so that a machine never sees an
//! order that it has no function for.

use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer};
use async_nats::jetstream::context::{CreateStreamErrorKind, PublishErrorKind};
use async_nats::jetstream::kv::{CreateErrorKind, Store};
use async_nats::jetstream::stream::ConsumerErrorKind;
use async_nats::jetstream::stream::{self, DiscardPolicy, Republish, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, Context, ErrorCode};
use async_nats::{Client, Event, HeaderMap, Subscriber, header};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::{ClusterError, Settings};
use crate::error::JobError;
use crate::jobs::Jobs;

/// How long to wait before something is tried again that the server did not answer.
pub(super) const PAUSE: Duration = Duration::from_millis(100);
/// How long the server may take to say what it has.
const LOOK: Duration = Duration::from_secs(1);
/// What a message may have besides our bytes: its headers.
const HEADERS: usize = 1024;

pub(super) struct Connection {
    client: Client,
    jetstream: Context,
    results: Store,
    /// Since when the connection is down.
    down: watch::Receiver<Option<Instant>>,
    name: String,
    list: String,
    outage: Duration,
}

/// What became of a write.
pub(super) enum Stored {
    Now,
    /// Somebody else's result was there before.
    Before,
}

impl Connection {
    /// Connects, and makes queue and bucket if they are not there.
    pub(super) async fn open(settings: &Settings, jobs: &Jobs) -> Result<Connection, ClusterError> {
        settings.check()?;
        let (says, down) = watch::channel(None);
        // After three pings without an answer the client takes the connection for dead.
        let ping = (settings.outage / 3).clamp(Duration::from_millis(100), Duration::from_secs(60));
        let options = settings
            .options
            .clone()
            .ping_interval(ping)
            .event_callback(move |event| {
                match event {
                    Event::Connected => says.send_replace(None),
                    Event::Disconnected => says.send_replace(Some(Instant::now())),
                    _ => None,
                };
                std::future::ready(())
            });
        let servers: Vec<String> = settings
            .url
            .split(',')
            .map(|url| url.trim().to_owned())
            .collect();
        // As a task, because without a provider of cryptography TLS does not fail but panic.
        let client = tokio::spawn(options.connect(servers)).await;
        let client = client
            .map_err(|_| {
                ClusterError::Refused(
                    "TLS needs a provider of cryptography, see Settings::connect".to_owned(),
                )
            })?
            .map_err(refused)?;
        let jetstream = jetstream::new(client.clone());
        let orders = stream::Config {
            name: format!("{}-orders", settings.name),
            subjects: vec![format!("{}.order.*", settings.name)],
            retention: RetentionPolicy::WorkQueue,
            discard: DiscardPolicy::New, // a full queue refuses, in place of throwing the oldest order away
            max_messages: settings.backlog,
            duplicate_window: settings.duplicate_window(),
            storage: StorageType::File,
            num_replicas: settings.replicas,
            ..stream::Config::default()
        };
        make_stream(&jetstream, orders, settings.outage).await?;
        // The bucket is a stream with certain settings. It is made as one, because the client's own way asks something that
        // servers before 2.10 cannot answer.
        let bucket = format!("{}-results", settings.name);
        let results = stream::Config {
            name: format!("KV_{bucket}"),
            subjects: vec![format!("$KV.{bucket}.>")],
            max_messages_per_subject: 1,
            max_age: settings.keep,
            discard: DiscardPolicy::New,
            allow_rollup: true,
            allow_direct: true,
            deny_delete: true,
            duplicate_window: settings.duplicate_window(),
            storage: StorageType::File,
            num_replicas: settings.replicas,
            // A result is announced when it is stored, and only if it is. Those that come too late are not.
            republish: Some(Republish {
                source: format!("$KV.{bucket}.>"),
                destination: format!("{}.done.>", settings.name),
                headers_only: false,
            }),
            ..stream::Config::default()
        };
        make_stream(&jetstream, results, settings.outage).await?;
        let results = jetstream.get_key_value(bucket).await.map_err(refused)?;
        Ok(Connection {
            client,
            jetstream,
            results,
            down,
            name: settings.name.clone(),
            list: format!("{:016x}", jobs.fingerprint()),
            outage: settings.outage,
        })
    }

    /// A job's name for all: the same key for another function is another job.
    pub(super) fn id(&self, function: u16, key: &str) -> String {
        format!("{}.{function}.{key}", self.list)
    }

    /// A key that nobody else has.
    pub(super) fn new_key(&self) -> String {
        let inbox = self.client.new_inbox();
        inbox.rsplit('.').next().unwrap_or_default().to_owned()
    }

    /// Whether the server takes a message of so many bytes.
    pub(super) fn check_size(&self, bytes: usize) -> Result<(), JobError> {
        let most = self.client.max_payload().saturating_sub(HEADERS);
        match bytes <= most {
            true => Ok(()),
            false => Err(JobError::Encode(format!(
                "it has {bytes} bytes, and the server takes {most}: put it where all machines can reach it, and send its \
                 name"
            ))),
        }
    }

    /// Ends when the connection has been down for so long.
    pub(super) async fn lost(&self, outage: Duration) -> Duration {
        let mut down = self.down.clone();
        loop {
            let since = *down.borrow_and_update();
            let changed = match since {
                Some(since) => {
                    match timeout(outage.saturating_sub(since.elapsed()), down.changed()).await {
                        Ok(changed) => changed,
                        Err(_) => return since.elapsed(),
                    }
                }
                None => down.changed().await,
            };
            if changed.is_err() {
                return Duration::ZERO; // nobody watches any more: the client is gone
            }
        }
    }

    /// News of this result, as soon as it is stored. They can be missed; the [result](Connection::result) cannot.
    pub(super) async fn news(&self, id: &str) -> Result<Subscriber, ClusterError> {
        let subject = format!("{}.done.{id}", self.name);
        self.client.subscribe(subject).await.map_err(refused)
    }

    /// The result, if there is one.
    pub(super) async fn result(&self, id: &str) -> Result<Option<Vec<u8>>, ClusterError> {
        let found = self.results.get(id).await.map_err(refused)?;
        Ok(found.map(Vec::from))
    }

    /// Puts an order into the queue, as often as it takes until the server has confirmed it. Twice is once, because the
    /// server knows its id. A full queue is waited for, and so is one that is not there yet, or not yet again.
    pub(super) async fn order(&self, id: &str, order: Vec<u8>) -> Result<(), JobError> {
        self.check_size(order.len())?;
        let subject = format!("{}.order.{}", self.name, self.list);
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_MESSAGE_ID, id);
        let mut missing = None;
        loop {
            let sent = self.jetstream.publish_with_headers(
                subject.clone(),
                headers.clone(),
                order.clone().into(),
            );
            let confirmed = match sent.await {
                Ok(confirmation) => confirmation.await.map(drop),
                Err(error) => Err(error),
            };
            match confirmed {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == PublishErrorKind::StreamNotFound => {
                    if missing.get_or_insert_with(Instant::now).elapsed() > self.outage {
                        return Err(refused(error).into());
                    }
                }
                Err(_) => missing = None,
            }
            sleep(PAUSE).await;
        }
    }

    /// Writes a result, if there is none yet.
    pub(super) async fn store(&self, id: &str, verdict: &[u8]) -> Result<Stored, ClusterError> {
        match self.results.create(id, verdict.to_vec().into()).await {
            Ok(_) => Ok(Stored::Now),
            Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Ok(Stored::Before),
            Err(error) => Err(refused(error)),
        }
    }

    /// Where orders for this list of jobs come out.
    pub(super) async fn consumer(&self, settings: &Settings) -> Result<PullConsumer, ClusterError> {
        let consumer = pull::Config {
            durable_name: Some(format!("machines-{}", self.list)),
            filter_subject: format!("{}.order.{}", self.name, self.list),
            ack_policy: AckPolicy::Explicit,
            ack_wait: settings.ack_wait,
            // Without a limit: at its own, the server falls silent about an order, and nobody would be told. Machines count,
            // and give an order up with a result that says so.
            max_deliver: -1,
            max_ack_pending: settings.in_hand,
            max_waiting: settings.in_hand,
            ..pull::Config::default()
        };
        let begin = Instant::now();
        loop {
            let made = self
                .jetstream
                .create_consumer_on_stream(consumer.clone(), self.orders())
                .await;
            match made {
                Err(error) if begin.elapsed() < self.outage && is_unready(&error.kind()) => {
                    sleep(PAUSE).await;
                }
                made => return made.map_err(refused),
            }
        }
    }

    fn orders(&self) -> String {
        format!("{}-orders", self.name)
    }

    /// What the server says of the queue at this moment, for somebody who has waited in vain.
    pub(super) async fn look(&self) -> String {
        let consumer = self
            .jetstream
            .get_consumer_from_stream::<pull::Config, _, _>(
                format!("machines-{}", self.list),
                self.orders(),
            );
        match timeout(LOOK, consumer).await {
            Ok(Ok(consumer)) => {
                let found = consumer.cached_info();
                format!(
                    "{} orders wait, {} are with machines, {} places of machines ask for one",
                    found.num_pending, found.num_ack_pending, found.num_waiting
                )
            }
            Ok(Err(error)) => match error.kind() {
                ConsumerErrorKind::JetStream(why)
                    if why.error_code() == ErrorCode::CONSUMER_NOT_FOUND =>
                {
                    "no machine has ever come for this list of jobs".to_owned()
                }
                _ => format!("the server does not tell: {error}"),
            },
            Err(_) => "the server does not answer".to_owned(),
        }
    }
}

/// Makes a stream, or finds the same one.
///
/// Who comes first makes it, and many may come first. nats-server 2.9 then refuses all but one: between its two looks,
/// for a stream of this name and for one with these subjects, another's has come into being, and it takes the very
/// stream that was asked for as one that overlaps. By the next time it finds it. So that refusal counts only if it
/// lasts.
async fn make_stream(
    jetstream: &Context,
    stream: stream::Config,
    outage: Duration,
) -> Result<(), ClusterError> {
    let begin = Instant::now();
    loop {
        match jetstream.create_stream(stream.clone()).await {
            Ok(_) => return Ok(()),
            Err(error) if begin.elapsed() < outage && may_pass(&error.kind()) => {
                sleep(PAUSE).await;
            }
            Err(error) => return Err(refused(error)),
        }
    }
}

fn may_pass(refusal: &CreateStreamErrorKind) -> bool {
    match refusal {
        CreateStreamErrorKind::JetStream(why) => {
            why.error_code() == ErrorCode::STREAM_SUBJECT_OVERLAP
        }
        kind => *kind == CreateStreamErrorKind::TimedOut,
    }
}

/// The stream is there, but somebody is still making it; or the server is slow.
fn is_unready(refusal: &ConsumerErrorKind) -> bool {
    match refusal {
        ConsumerErrorKind::JetStream(why) => why.code() >= 500,
        kind => *kind == ConsumerErrorKind::TimedOut,
    }
}

fn refused(error: impl std::fmt::Display) -> ClusterError {
    ClusterError::Refused(error.to_string())
}
