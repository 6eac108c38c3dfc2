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
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::kv::{CreateErrorKind, Store};
use async_nats::jetstream::stream::{self, DiscardPolicy, Republish, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, Event, HeaderMap, Subscriber, header};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::{ClusterError, Settings};
use crate::error::JobError;
use crate::jobs::Jobs;

/// How long to wait before something is tried again that the server did not answer.
pub(super) const PAUSE: Duration = Duration::from_millis(100);
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
        jetstream.create_stream(orders).await.map_err(refused)?;
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
        jetstream.create_stream(results).await.map_err(refused)?;
        let results = jetstream.get_key_value(bucket).await.map_err(refused)?;
        Ok(Connection {
            client,
            jetstream,
            results,
            down,
            name: settings.name.clone(),
            list: format!("{:016x}", jobs.fingerprint()),
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
    /// server knows its id. A full queue is waited for.
    pub(super) async fn order(&self, id: &str, order: Vec<u8>) -> Result<(), JobError> {
        self.check_size(order.len())?;
        let subject = format!("{}.order.{}", self.name, self.list);
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_MESSAGE_ID, id);
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
                    return Err(refused(error).into());
                }
                Err(_) => sleep(PAUSE).await,
            }
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
        let stream = format!("{}-orders", self.name);
        self.jetstream
            .create_consumer_on_stream(consumer, stream)
            .await
            .map_err(refused)
    }
}

fn refused(error: impl std::fmt::Display) -> ClusterError {
    ClusterError::Refused(error.to_string())
}
