//! What a recorder, its lanes and its readers share: one clock, one counter, the names, and a ring for each lane.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::recording::Header;
use crate::ring::Ring;
use crate::tables::Tables;

pub(crate) struct Shared {
    pub(crate) header: Header,
    pub(crate) clock: Clock,
    /// The next event's number. Zero is nobody's, so that it can mean "no event".
    pub(crate) next: AtomicU64,
    pub(crate) tables: Mutex<Tables>,
    /// By actor.
    pub(crate) rings: Mutex<Vec<Arc<Mutex<Ring>>>>,
}

/// A recorder goes on after a robot panicked: what it wrote down before is what we want to read.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
