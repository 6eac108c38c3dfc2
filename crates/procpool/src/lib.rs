//! The other kitchen: jobs that compute run in worker processes, and when one of them dies it costs one job.
//!
//! A job is an ordinary function of one argument. The pool's workers are this same program, started again; the first
//! line of `main` lets them serve.
//!
//! ```no_run
//! fn taste(dish: String) -> usize {
//!     dish.len()
//! }
//! fn kitchen() -> procpool::Jobs {
//!     procpool::jobs![taste]
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     procpool::worker_entry(kitchen); // in a worker this never returns
//!     let pool = procpool::Pool::builder(kitchen()).workers(2).build()?;
//!     let letters = pool.submit(taste, "onion soup".to_owned()).wait()?;
//!     assert_eq!(letters, 10);
//!     pool.shut_down();
//!     Ok(())
//! }
//! ```
//!
//! What it promises, and which test or sentence holds it to that, is in [`guarantees`] and, one by one, in [`behaviours`].
//!
//! # A tour of the code
//!
//! From the outside to the inside. A folder has the parts of the file that bears its name.
//!
//! | file | idea |
//! |---|---|
//! | `pool.rs`, `builder.rs`, `error.rs` | the pool as its user sees it |
//! | `jobs.rs` | a function's type is its name |
//! | `answer.rs`, `map.rs` | a job as a future; many inputs as a stream |
//! | `reply.rs` | what came back, item by item, and who waits for it |
//! | `room.rs` | who waits for a place in the queue |
//! | `core.rs` | what the pool decides, without doing any of it: the words for it |
//! | `core/queue.rs` | what is queued, and who gets it |
//! | `core/starts.rs`, `deaths.rs`, `ends.rs` | how workers come, what becomes of a dead one's jobs, how things end |
//! | `core/turns.rs`, `taking_back.rs`, `clock.rs` | what a worker is at, what it is relieved of, what is due |
//! | `core/simulated.rs`, `cases.rs` | a world of dice around it, in which every promise is checked after every step; and single cases |
//! | `slab.rs` | keys that are never used again |
//! | `driver.rs` | doing what the core decides, under one lock |
//! | `driver/thread.rs`, `lead.rs` | the pool's one thread; and who waits may do that thread's work |
//! | `driver/look.rs`, `talk.rs`, `places.rs` | waiting for workers, talking with them, starting and burying them |
//! | `link.rs` | a living worker, as the pool holds it, and what is found out when it is dead; `link/output.rs`: what it prints |
//! | `frame.rs` | what travels over the socket |
//! | `worker.rs` | the other side: from its start to its end |
//! | `worker/source.rs`, `batch.rs`, `out.rs` | a job comes in, its items are done, the answers go out |
//! | `worker/panics.rs` | a panic is noted, and told to whoever awaits the job |
//! | `page.rs` | which item a worker was at, told even by a dead one |
//! | `tray.rs` | answers that survive their worker |
//! | `leash.rs` | why no worker outlives its pool |
//! | `growth.rs` | a worker that has grown too much says so itself |
//! | `program.rs` | another program is started only as long as it is the same file |
//! | `voice.rs` | what workers print, given to whoever listens, however slowly |
//! | `told.rs` | what the record says of a worker |
//! | `blob.rs` | bytes that are handed over without being copied; in `blob/`, how they travel, and how memory is used again |
//! | `submit.rs` | what a pool has in common with `cluster.rs`: pools on other machines (feature `nats`) |
//! | `os/` | the operating system: the one place that knows which one it is |
//!
//! # What it does not do
//!
//! - A worker is never a fork of this program: it starts afresh, so it has none of this program's state.
//! - A job that was sent to a worker behind another one, because jobs like it are tiny, is taken back if that one turns
//!   out long: after five milliseconds, or some tens of them where threads wait for their answers themselves. A worker
//!   that somebody has stopped before it began any of them keeps them.
//! - The record shows a job's start when the job is its worker's next: when it was sent to an idle worker, which takes
//!   the time of a message to begin; or when the pool hears that the job before it there is over. Of tiny jobs whose
//!   answers come together, start and end stand at the same time. Each start has an end; a job whose worker died before
//!   it was begun has `cancelled` there, and starts again elsewhere.

mod answer;
#[doc = include_str!("behaviours.md")]
pub mod behaviours {}
mod blob;
mod builder;
#[cfg(feature = "nats")]
pub mod cluster;
mod core;
mod driver;
mod error;
mod frame;
mod growth;
pub mod guarantees;
mod jobs;
mod leash;
mod link;
mod map;
// Elsewhere nothing can be made, so that some of its names are never used.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
mod os;
mod page;
mod pool;
mod program;
mod reply;
mod room;
mod slab;
mod submit;
mod told;
mod tray;
mod voice;
mod worker;

pub use answer::Answer;
pub use blob::{Blob, SHARED_FROM};
pub use builder::{Builder, Output, Start};
#[cfg(feature = "nats")]
pub use cluster::{Cluster, ClusterError};
pub use error::{Death, Full, JobError, Panic, StartError, WorkerDied};
pub use jobs::Jobs;
pub use map::{Map, ResultStream, Results};
pub use pool::{JobBuilder, Metrics, Pool, WorkerInfo, WorkerState};
pub use submit::Submit;
pub use voice::{Line, Stream};
pub use worker::{cancelled, depth, worker_entry};
