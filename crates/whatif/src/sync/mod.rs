//! Locks, bells, channels and atomics shaped like those of `std::sync`. Outside of a check they are
//! those of `std::sync`.
//!
//! Each one has `called`, which gives it a name for stories. Two things are not in std: [`Shared`],
//! a cell in which every access is whole, and [`Unguarded`], a cell that shows whether something
//! else orders its accesses.
//!
//! What orders them, in a check as in std: spawning a robot and joining it; giving back a
//! [`Mutex`] and taking it next; giving back an [`RwLock`] after writing and taking it, and giving
//! it back after reading and taking it to write; a message and its receipt ([`mpsc`]); coming to a
//! [`Barrier`] and leaving it; what is done once and finding it done ([`Once`]); `unpark` and the
//! `park` that it ends; and an [`atomic`] that is stored with `Release` and loaded with `Acquire`,
//! also through changes in between, and by fences. A [`Condvar`] orders by its lock alone.

pub mod atomic;
mod barrier;
mod condvar;
mod guard;
pub mod mpsc;
mod mutex;
mod once;
mod rwlock;
mod shared;
mod unguarded;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use once::{LazyLock, Once, OnceLock};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use shared::Shared;
pub use std::sync::{Arc, LockResult, PoisonError, TryLockError, TryLockResult, Weak};
pub use unguarded::Unguarded;
