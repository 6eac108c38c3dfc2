//! What a pool can say about itself, in numbers.

use crate::state::State;

/// A pool at one moment: how much is going on, and what came of everything so far. All of it from the same moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Threads that the pool has now.
    pub threads: usize,
    /// Of these, those that have nothing to do.
    pub idle: usize,
    /// Jobs that are being done, one on each thread that is not idle.
    pub running: usize,
    /// Jobs that have a place and were not begun.
    pub queued: usize,
    /// Jobs that stand in line for a place.
    pub waiting: usize,
    /// The most threads that the pool ever had.
    pub most_threads: usize,
    /// All jobs that ever had a place or stood in line for one.
    pub submitted: u64,
    /// Jobs that returned.
    pub done: u64,
    /// Jobs that panicked.
    pub panicked: u64,
    /// Jobs that were taken out before they were begun, because nobody wanted them any more.
    pub removed: u64,
    /// Jobs that were not begun because their deadline had passed.
    pub too_late: u64,
    /// Jobs that [`try_spawn_blocking`](crate::Pool::try_spawn_blocking) gave back.
    pub turned_away: u64,
}

impl Metrics {
    /// The state keeps those of the figures that only grow in such a table; the others are looked up.
    pub(crate) fn of(state: &State) -> Metrics {
        Metrics {
            threads: state.threads,
            idle: state.threads - state.running,
            running: state.running,
            queued: state.queue.len(),
            waiting: state.line.len(),
            ..state.counts.clone()
        }
    }
}
