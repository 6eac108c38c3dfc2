//! Locks, bells and cells shaped like those of `std::sync`. Outside of a check they are those of
//! `std::sync`.

mod condvar;
mod mutex;
mod shared;

pub use condvar::Condvar;
pub use mutex::{Mutex, MutexGuard};
pub use shared::Shared;
pub use std::sync::{Arc, LockResult, PoisonError, TryLockError, TryLockResult, Weak};
