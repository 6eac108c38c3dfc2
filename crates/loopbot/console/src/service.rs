//! The ledger, told over gRPC as tokio-console wants to hear it.
//!
//! This runs on a thread of its own, on a Tokio of its own: LoopBot may be busy, or stuck, and just then one wants to look.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use console_api::instrument::instrument_server::{Instrument, InstrumentServer};
use console_api::instrument::{
    InstrumentRequest, PauseRequest, PauseResponse, ResumeRequest, ResumeResponse, State,
    StateRequest, TaskDetailsRequest, Temporality, Update,
};
use console_api::register_metadata::NewMetadata;
use console_api::tasks::TaskDetails;
use console_api::{MetaId, Metadata, RegisterMetadata, metadata};
use flight::{Follower, Recorder};
use futures::future::ready;
use futures::stream::{self, BoxStream, StreamExt};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use crate::ledger::{Ledger, METADATA, timestamp};

/// How often a console hears news.
const EVERY: Duration = Duration::from_millis(250);

/// Tells whoever attaches a console to `address` what the recorder records. Returns the address on
/// which it listens, and goes on in the background until the process ends.
///
/// # Errors
///
/// If nobody can listen on this address, and if the recorder is off.
pub fn serve(recorder: &Recorder, address: SocketAddr) -> io::Result<SocketAddr> {
    let follower = recorder.follow();
    let header = follower.header();
    let header =
        header.ok_or_else(|| io::Error::other("the recorder is off: there is nothing to tell"))?;
    let ledger = Ledger::new(header.t0_unix_ns);
    let console = Console(Arc::new(Mutex::new(Followed { follower, ledger })));

    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::Builder::new()
        .name("console".to_string())
        .spawn(move || {
            let served = tokio.block_on(answer(console, listener));
            if let Err(error) = served {
                eprintln!("nobody answers consoles any more: {error}");
            }
        })?;
    Ok(address)
}

async fn answer(
    console: Console,
    listener: std::net::TcpListener,
) -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::from_std(listener)?;
    let callers = stream::unfold(listener, async |listener| {
        let accepted = listener.accept().await.map(|(stream, _)| stream);
        Some((accepted, listener))
    });
    let server = Server::builder().add_service(InstrumentServer::new(console));
    Ok(server.serve_with_incoming(callers).await?)
}

struct Console(Arc<Mutex<Followed>>);

struct Followed {
    follower: Follower,
    ledger: Ledger,
}

#[tonic::async_trait]
impl Instrument for Console {
    type WatchUpdatesStream = BoxStream<'static, Result<Update, Status>>;
    type WatchTaskDetailsStream = BoxStream<'static, Result<TaskDetails, Status>>;
    type WatchStateStream = BoxStream<'static, Result<State, Status>>;

    /// Everything first, then what changes.
    async fn watch_updates(
        &self,
        _: Request<InstrumentRequest>,
    ) -> Result<Response<Self::WatchUpdatesStream>, Status> {
        let followed = self.0.clone();
        let updates = stream::unfold(true, move |is_first| {
            let followed = followed.clone();
            async move {
                if !is_first {
                    tokio::time::sleep(EVERY).await;
                }
                Some((Ok(followed.lock().unwrap().update(is_first)), false))
            }
        });
        Ok(Response::new(updates.boxed()))
    }

    /// Histograms are not kept: the record itself shows every poll.
    async fn watch_task_details(
        &self,
        _: Request<TaskDetailsRequest>,
    ) -> Result<Response<Self::WatchTaskDetailsStream>, Status> {
        Err(Status::unimplemented(
            "LoopBot's record has every poll; no histogram is made of them here",
        ))
    }

    async fn watch_state(
        &self,
        _: Request<StateRequest>,
    ) -> Result<Response<Self::WatchStateStream>, Status> {
        let live = State {
            temporality: Temporality::Live.into(),
        };
        let for_ever = stream::once(ready(Ok(live))).chain(stream::pending());
        Ok(Response::new(for_ever.boxed()))
    }

    async fn pause(&self, _: Request<PauseRequest>) -> Result<Response<PauseResponse>, Status> {
        Err(Status::unimplemented(
            "a record goes on as long as its program runs",
        ))
    }

    async fn resume(&self, _: Request<ResumeRequest>) -> Result<Response<ResumeResponse>, Status> {
        Err(Status::unimplemented(
            "a record goes on as long as its program runs",
        ))
    }
}

impl Followed {
    fn update(&mut self, everything: bool) -> Update {
        self.ledger.enter(self.follower.next_chunk());
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Update {
            now: Some(timestamp(now.as_nanos() as u64)),
            task_update: Some(self.ledger.update(everything)),
            resource_update: Some(Default::default()),
            async_op_update: Some(Default::default()),
            new_metadata: everything.then(metadata_of_all),
        }
    }
}

/// What would be the spans' metadata, were there spans.
fn metadata_of_all() -> RegisterMetadata {
    RegisterMetadata {
        metadata: vec![NewMetadata {
            id: Some(MetaId { id: METADATA }),
            metadata: Some(Metadata {
                name: "runtime.spawn".to_string(),
                target: "loopbot".to_string(),
                module_path: "loopbot".to_string(),
                location: None,
                kind: metadata::Kind::Span.into(),
                level: metadata::Level::Trace.into(),
                field_names: vec!["task.name".to_string(), "kind".to_string()],
            }),
        }],
    }
}
