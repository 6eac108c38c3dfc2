// ANCHOR: tour
//! The back of house: work that blocks, on a bounded pool of threads, awaited from any runtime.
//!
//! A task must not block, because all the others on its thread would have to wait. So work that does (a file, a
//! library that knows nothing of async, a computation) is handed over to a thread, and the task awaits its answer:
//!
//! ```
//! let answer = loopbot::run(async {
//!     let drawer = offload::spawn_blocking(|| {
//!         std::thread::sleep(std::time::Duration::from_millis(5)); // it sticks
//!         "a corkscrew"
//!     });
//!     drawer.await // LoopBot does other things meanwhile
//! });
//! assert_eq!(answer.unwrap(), "a corkscrew");
//! ```
//!
//! A [`Job`] is a plain future. It is woken by a waker and by nothing else, so it works on LoopBot, Tokio, smol, or any other runtime.
//! (Threads live in real time: a LoopBot on a virtual clock does not wait for them. It says that it stands still.)
//!
//! # What it promises
//!
//! - There are never more threads than [the bound](Builder::max_threads), however many jobs wait. They are started when there is work,
//!   and leave when there has been none for a while.
//! - The queue is bounded. When it is full, [`spawn_blocking`] keeps the work until there is a place, first come, first
//!   served, and [`try_spawn_blocking`](Pool::try_spawn_blocking) gives it back at once.
//! - Jobs are begun in the order in which they got their places. Each is done at most once.
//! - A panic is the job's answer: [`JobError::Panicked`]. The thread goes on.
//! - Work that was not begun can be cancelled, and dropping its [`Job`] does so. Work that was begun cannot; [`Cancel`] says which it was.
//! - A job whose deadline passes before it is begun is never begun, and whoever waits hears of it then, even if all threads are stuck.
//! - [`shut_down`](Pool::shut_down) does what was handed over. [`shut_down_within`](Pool::shut_down_within) names what was still being done.
//! - When every thread of the pool does a job that awaits a job of the same pool, nobody could ever go on. Then one that was not
//!   begun is given up, and whoever waits for it is told: [`JobError::WouldWaitForItself`].
//!
//! It cannot see what a job blocks on beside that: two jobs that wait for each other through a channel of their own wait for ever.
//! And it is a poor place for work that never ends: that wants a thread of its own.
//!
//! # A tour of the code
//!
//! Read the files in this order. Each holds one idea.
//!
//! | file | idea |
//! |---|---|
//! | `pool.rs`, `new_job.rs` | handing work over, and shutting down |
//! | `job.rs` | the future of an answer; what dropping and cancelling it mean |
//! | `task.rs` | work, and later its answer, in one place |
//! | `state.rs` | queue, line, threads: the whole pool behind one lock |
//! | `fifo.rs` | a queue that one can leave |
//! | `worker.rs` | what a thread does: work, look out, park, go home |
//! | `shared.rs` | changing the state, and calling whoever must know |
//! | `deadline.rs` | jobs that were not begun in time |
//! | `error.rs`, `metrics.rs`, `record.rs` | what it says about jobs, about itself, and in the record |
//! | `builder.rs` | a pool of another kind |
//! | `fs.rs` | files: an example |
// ANCHOR_END: tour

mod builder;
mod deadline;
mod error;
mod fifo;
pub mod fs;
mod job;
mod metrics;
mod new_job;
mod pool;
mod record;
mod shared;
mod state;
mod task;
mod worker;

pub use builder::Builder;
pub use error::{Full, JobError, Panic};
pub use job::{Cancel, Job};
pub use metrics::Metrics;
pub use new_job::NewJob;
pub use pool::{Leftovers, Pool};

/// Hands over work that blocks, to the [pool of the process](Pool::global).
///
/// If the pool has a place, the work is on its way when this returns, whether or not the [`Job`] is awaited. If not, the `Job`
/// keeps the work, and stands in line for a place from its first poll on. So whoever awaits what they hand over is slowed
/// down to what the pool can do. To wait for the place only, there is [`Job::placed`].
///
/// The work must be `'static`, because it may outlast whoever waits for it: nobody can stop a thread.
#[track_caller]
pub fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Job<T> {
    Pool::global().spawn_blocking(work)
}
