//! Locks, bells and cells shaped like those of `std::sync`. Outside of a check they are those of
//! `std::sync`.

pub mod atomic;
mod condvar;
pub mod mpsc;
mod mutex;
mod shared;
mod unguarded;

pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use shared::Shared;
pub use std::sync::{Arc, LockResult, PoisonError, TryLockError, TryLockResult, Weak};
pub use unguarded::Unguarded;
