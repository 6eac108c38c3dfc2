// ANCHOR: tour
//! LoopBot: one robot that does every job, and turns to another whenever it would have to wait.
//!
//! This is a single-threaded executor for async Rust, small enough to be read in three evenings. It polls
//! tasks that were woken, fires timers that came due, and parks its thread when there is nothing to do.
//!
//! ```
//! use std::time::Duration;
//!
//! let total = loopbot::run(async {
//!     let soup = loopbot::spawn(async {
//!         loopbot::sleep(Duration::from_millis(20)).await; // it simmers; LoopBot does something else
//!         4
//!     });
//!     let bread = 1; // this line runs before the soup is even begun
//!     soup.await.unwrap() + bread
//! });
//! assert_eq!(total, 5);
//! ```
//!
//! # Three evenings
//!
//! LoopBot is three crates, and each is an evening's reading. The arrows point downward, and the compiler keeps them.
//!
//! | crate | what it is | its own tour |
//! |---|---|---|
//! | `loopbot` | the front door: all the names, the primitives, task groups, limits to waiting, the watchdog | below |
//! | `loopbot-io` | the doorbell: sockets, names, signals, HTTP by hyper | its `lib.rs` |
//! | `loopbot-core` | tasks, wakers, the loop, its clock and its record | its `lib.rs`, which comes first |
//!
//! The first evening is `loopbot-core`, the second `loopbot-io`. The third is this crate, in this order:
//!
//! | file | idea |
//! |---|---|
//! | `timeout.rs`, `interval.rs` | a limit to waiting; something that happens again and again |
//! | `wait_point.rs` | an await point with a name |
//! | `sync/` | how tasks wait for one another: locks, channels, events |
//! | `task_group.rs` | tasks that end together |
//! | `watchdog.rs`, `watchdog/` | noticing, from another thread, that a task holds the loop up |
//!
//! What LoopBot promises is said where it is kept: at the top of `loopbot-core`.
//!
//! # Sockets
//!
//! With the feature `net`, which is on by default, a task can wait for the network and for signals as well: see
//! `loopbot::net` and `loopbot::signal`. Without it, LoopBot is tasks, clock and primitives.
//! With the feature `hyper`, it runs hyper's HTTP servers and clients: see `loopbot::hyper_rt`.
// ANCHOR_END: tour

// ANCHOR: door
mod interval;
pub mod sync;
mod task_group;
mod timeout;
mod wait_point;
mod watchdog;

pub use interval::{Interval, MissedTick, interval, interval_at};
pub use task_group::{GroupError, GroupHandle, TaskGroup, task_group};
pub use timeout::{Elapsed, Timeout, timeout, timeout_at};
pub use wait_point::{WaitPoint, wait_point};
pub use watchdog::{Frame, LastWait, Stuck, Watchdog};

pub use loopbot_core::{
    Builder, Clock, JoinError, JoinHandle, LoopBot, ReadyTask, Sleep, StandStill, Wait, Waiting,
    YieldNow, leaf, now, observe, parking, run, sleep, sleep_until, spawn, spawn_named, with_lane,
    yield_now,
};
#[cfg(feature = "hyper")]
pub use loopbot_io::hyper_rt;
#[cfg(feature = "net")]
pub use loopbot_io::{net, signal};
// ANCHOR_END: door
