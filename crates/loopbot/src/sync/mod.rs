//! Waiting for one another: primitives for tasks that share one thread.
//!
//! | here | in asyncio | what it is for |
//! |---|---|---|
//! | [`Mutex`] | `asyncio.Lock` | one at a time, also across an `await` |
//! | [`RwLock`] | (none) | many readers, or one writer |
//! | [`Semaphore`] | `asyncio.Semaphore` | so many at a time |
//! | [`Event`] | `asyncio.Event` | "it has happened", for everybody |
//! | [`Condition`] | `asyncio.Condition` | waiting until what a `Mutex` guards has changed |
//! | [`Barrier`] | `asyncio.Barrier` | nobody goes on before all are here |
//! | [`channel`] | `asyncio.Queue` | values from many tasks to one |
//! | [`oneshot`] | `asyncio.Future` | one value, once |
//! | [`watch`] | (none) | the latest value, and word when it changes |
//!
//! They are not `Send`, and hold no atomic and no lock of the operating system: between two awaits nobody else
//! runs, so a flag in a `Cell` is enough. They need no LoopBot either. Any executor that polls on one thread will
//! do, and so does a hand-written `poll`.
//!
//! # What they have in common
//!
//! - **Fair.** Who came first is served first. Nobody who comes later slips in between.
//! - **Cancel safe**, unless one says otherwise: a future may be dropped at any time. What it was given and had not
//!   collected goes to the next in line. Its own place in the line is lost.
//! - **A wake is no promise.** When somebody is woken, what it waited for is set aside for it. Until it is polled, it
//!   holds up those behind it. So poll, or drop, what you have begun to wait for.
//! - **Foreign wakers** may do anything when they are cloned, called or dropped, even use the same primitive.
//!
//! # The files
//!
//! Read `wait_list.rs` first: the line that all of them stand in. `semaphore.rs` is next: `Mutex`, `RwLock` and
//! `channel` are a semaphore and little else. Then `notify.rs`, of which `Event`, `Condition`, `Barrier` and
//! `watch` are made. `oneshot` stands alone.

mod barrier;
pub mod channel;
mod condition;
mod event;
mod mutex;
mod notify;
pub mod oneshot;
mod rwlock;
mod semaphore;
pub(crate) mod wait_list;
pub mod watch;

use std::error::Error;
use std::fmt;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condition::Condition;
pub use event::Event;
pub use mutex::{Mutex, MutexGuard};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::{Acquire, OwnedPermit, Permit, Semaphore};

/// What was waited for can never come. It says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed(&'static str);

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Closed {}
