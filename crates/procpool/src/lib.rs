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

mod answer;
mod blob;
mod builder;
mod core;
mod driver;
mod error;
mod frame;
pub mod guarantees;
mod jobs;
mod leash;
mod link;
mod map;
mod os;
mod page;
mod pool;
mod reply;
mod slab;
mod tray;
mod worker;

pub use answer::Answer;
pub use blob::{Blob, SHARED_FROM};
pub use builder::{Builder, Output, Start};
pub use error::{Death, Full, JobError, Panic, StartError, WorkerDied};
pub use jobs::Jobs;
pub use map::{Map, Results};
pub use pool::{JobBuilder, Metrics, Pool, WorkerInfo, WorkerState};
pub use worker::{cancelled, depth, worker_entry};
