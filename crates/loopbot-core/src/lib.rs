// ANCHOR: tour
//! The heart of LoopBot: tasks, wakers, the loop that polls them, its clock, and its record. It knows no socket.
//!
//! Programs use it through the crate `loopbot`, which has the same names and everything else; this is the first evening's
//! reading, and what a library needs that brings futures of its own.
//!
//! ```
//! use std::time::Duration;
//!
//! let total = loopbot_core::run(async {
//!     let soup = loopbot_core::spawn(async {
//!         loopbot_core::sleep(Duration::from_millis(20)).await; // it simmers; LoopBot does something else
//!         4
//!     });
//!     let bread = 1; // this line runs before the soup is even begun
//!     soup.await.unwrap() + bread
//! });
//! assert_eq!(total, 5);
//! ```
//!
//! # The first evening
//!
//! Read the files in this order. Each holds one idea. The first five names in bold are the core of the core: what a future
//! needs to become a task and to be run.
//!
//! | file | idea |
//! |---|---|
//! | **`executor.rs`** | the loop: see who rang, fire timers, poll who is ready, wait |
//! | `shelf.rs`, **`run_queue.rs`** | where the tasks lie, and who of them is ready |
//! | **`task.rs`**, `blocks.rs` | a future that becomes its result, and the memory for both |
//! | **`waker.rs`** | a waker is a name: how a task gets back into the run queue |
//! | `inbox.rs`, `address.rs` | how other threads ring, and where they find the loop |
//! | **`join_handle.rs`**, `join_error.rs` | how what a task made reaches whoever waits for it |
//! | `park.rs` | waiting when nobody is ready |
//! | `parking.rs` | how waiting for the world outside is plugged in |
//! | `pace.rs` | how often it looks around when somebody is ready |
//! | `clock.rs`, `timer_queue.rs` | what time it is, and who is to be woken when |
//! | `alarms.rs` | the loop's timers |
//! | `leaf.rs` | what every future that waits has to do: keep a budget, and say what it waits for |
//! | `sleep.rs`, `yield_now.rs` | the two smallest useful futures |
//! | `record.rs` | what is written down |
//! | `status.rs`, `observe.rs` | what other threads may know of a run, and who looks |
//! | `stand_still.rs` | what it says when nothing can ever happen again |
//! | `current.rs` | which LoopBot runs on this thread |
//! | `builder.rs`, `pick_next.rs` | a LoopBot with another clock, a recorder, limits, another order |
//!
//! # What it promises
//!
//! - A task is in the run queue at most once. A wake during its own poll is kept. A wake after its end does nothing.
//! - Wakers are `Send + Sync`. They may be used on any thread, and may outlive the loop.
//! - Tasks that are ready are polled in the order in which they were woken. A task that wakes itself goes to
//!   the back. Timers, sockets and other threads are looked at after 256 turns at most, and where turns are long, after about
//!   a millisecond; on a virtual clock, timers before every round. Tasks that other threads woke between two looks come in the order of their places.
//! - A task that always finds something to do gives way after 128 answers of LoopBot's own futures.
//! - If nothing can happen any more, LoopBot says so, and who waits for what: see [`StandStill`].
//! - Timers fire in the order of their deadlines, equal ones in the order in which they were set, and never early.
//! - A panic ends its own task only. Whoever awaits the [`JoinHandle`] gets it as a [`JoinError`].
//! - When the main future is done, tasks that are left over are dropped in the order in which they were spawned.
//!
//! # A future of your own that waits
//!
//! [`leaf`] says what it has to do, [`Sleep`] is how it has a deadline, and [`parking`] is how it waits for something
//! outside that no waker in this process will tell of. `loopbot-io` and the crate `loopbot` are built on these three,
//! and on nothing that is not public here.
// ANCHOR_END: tour

// ANCHOR: door
mod address;
mod alarms;
mod blocks;
mod builder;
mod clock;
mod current;
mod executor;
mod inbox;
mod join_error;
mod join_handle;
pub mod leaf;
pub mod observe;
mod pace;
mod park;
pub mod parking;
mod pick_next;
mod record;
mod run_queue;
mod shelf;
mod sleep;
mod stand_still;
mod status;
mod task;
mod timer_queue;
mod waker;
mod yield_now;

use std::panic::Location;
use std::time::Duration;

pub use builder::{Builder, LoopBot, ReadyTask};
pub use clock::Clock;
pub use join_error::JoinError;
pub use join_handle::JoinHandle;
pub use sleep::{Sleep, sleep, sleep_until};
pub use stand_still::{StandStill, Wait, Waiting};
pub use yield_now::{YieldNow, yield_now};

/// Runs a future to its end on this thread, together with all the tasks it spawns, and returns its output.
///
/// This is a LoopBot with the real clock and no recorder; [`LoopBot::builder`] makes others. When `main`
/// is done, tasks that are not done are dropped, in the order in which they were spawned.
///
/// ```
/// assert_eq!(loopbot::run(async { 6 * 7 }), 42);
/// ```
///
/// # Panics
///
/// If a LoopBot runs on this thread already; and with `main`'s own panic, if it panics.
#[track_caller]
pub fn run<F: Future>(main: F) -> F::Output {
    LoopBot::builder().build().run(main)
}

/// Makes a future a task of its own, which runs beside the one that spawned it.
///
/// The task is polled for the first time after the current task has given way, not inside this call. It
/// never leaves this thread, so it need not be `Send`. In the record it is called "task 3" if it is the third that was spawned.
///
/// Dropping the [`JoinHandle`] detaches the task: it runs on. A panic in it goes to whoever awaits the
/// handle; if nobody does, it has been printed by the panic hook as usual, the record shows a task that
/// ended panicked, and the other tasks go on.
///
/// ```
/// use std::{cell::Cell, rc::Rc};
///
/// loopbot::run(async {
///     let tips = Rc::new(Cell::new(0)); // no lock, no atomic: all tasks live on one thread
///     let waiter = loopbot::spawn({
///         let tips = tips.clone();
///         async move { tips.set(tips.get() + 5) }
///     });
///     assert_eq!(tips.get(), 0); // spawned, not yet run
///     waiter.await.unwrap();
///     assert_eq!(tips.get(), 5);
/// });
/// ```
///
/// # Panics
///
/// If no LoopBot runs on this thread.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_here("spawn", None, future)
}

/// The same as [`spawn`], with a name. The record shows it, and so does the message when LoopBot stands still.
///
/// ```
/// loopbot::run(async {
///     let error = loopbot::spawn_named("the pastry cook", async { panic!("the soufflé fell") })
///         .await
///         .unwrap_err();
///     assert_eq!(error.to_string(), "the pastry cook panicked: the soufflé fell");
/// });
/// ```
///
/// # Panics
///
/// If no LoopBot runs on this thread.
#[track_caller]
pub fn spawn_named<F>(name: &str, future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_here("spawn_named", Some(name), future)
}

#[track_caller]
#[inline]
fn spawn_here<F>(function: &str, name: Option<&str>, future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let at = Location::caller();
    current::with(function, |executor| executor.spawn(name, at, future))
}

/// The time since this LoopBot began its run, on its own clock.
///
/// ```
/// use std::time::Duration;
/// use loopbot::{Clock, LoopBot};
///
/// let evening = LoopBot::builder().clock(Clock::virtual_time(flight::VirtualTime::new())).build();
/// evening.run(async {
///     loopbot::sleep(Duration::from_secs(3600)).await; // an hour that takes no time
///     assert_eq!(loopbot::now(), Duration::from_secs(3600));
/// });
/// ```
///
/// # Panics
///
/// If no LoopBot runs on this thread.
#[track_caller]
pub fn now() -> Duration {
    Duration::from_nanos(current::with("now", |executor| executor.now()))
}

/// Lets the running task write on LoopBot's own lane of the record: marks of the story, counters.
///
/// ```
/// use flight::{Header, Recorder, VirtualTime};
/// use loopbot::{Clock, LoopBot};
///
/// let time = VirtualTime::new();
/// let recorder = Recorder::new(Header::virtual_time("monday", &time));
/// let robot = LoopBot::builder().clock(Clock::virtual_time(time)).recorder(recorder.clone()).build();
/// robot.run(async {
///     loopbot::with_lane(|lane| lane.mark("place", "table 2", 0));
/// });
/// let recording = recorder.recording();
/// let places: Vec<&str> = recording.marks("place").map(|(_, place, _)| place).collect();
/// assert_eq!(places, ["table 2"]);
/// ```
///
/// # Panics
///
/// If no LoopBot runs on this thread.
#[track_caller]
pub fn with_lane<R>(write: impl FnOnce(&flight::Lane) -> R) -> R {
    let executor = current::expect("with_lane");
    write(executor.lane())
}
// ANCHOR_END: door
