//! What one can see from outside.

use super::{Core, Phase, State, Wish};
use crate::slab::Key;

impl<P> Core<P> {
    pub(crate) fn job(&self, key: Key) -> Option<&P> {
        Some(&self.jobs.get(key)?.payload)
    }

    pub(crate) fn state(&self, place: usize) -> State {
        self.workers[place].state
    }

    /// How many jobs the worker has.
    pub(crate) fn load(&self, place: usize) -> usize {
        self.workers[place].jobs.len()
    }

    /// Whether this worker was asked to stop what it is at.
    #[cfg(test)]
    pub(crate) fn is_asked(&self, place: usize) -> bool {
        self.workers[place].asked.is_some()
    }

    /// The number of the job that this worker is at, or gets next. All before it are over.
    pub(crate) fn turn(&self, place: usize) -> u64 {
        self.workers[place].first
    }

    /// The job that this worker is at.
    pub(crate) fn at(&self, place: usize) -> Option<Key> {
        self.workers[place].jobs.front().copied()
    }

    pub(crate) fn queued(&self) -> usize {
        self.queued
    }

    /// The worker that has the job; `None` if it is queued.
    pub(crate) fn with(&self, key: Key) -> Option<usize> {
        self.jobs.get(key)?.with.map(usize::from)
    }

    /// Whether the job lies behind another one, from where it may be taken back.
    pub(crate) fn is_behind(&self, key: Key) -> bool {
        let place = self.with(key);
        place.is_some_and(|place| self.workers[place].jobs.front() != Some(&key))
    }

    /// Whether the job is with a worker that has no other one, and nobody waits for a worker: then one can wait for it
    /// there.
    pub(crate) fn alone_with(&self, key: Key) -> Option<usize> {
        let place = self.with(key)?;
        (self.workers[place].jobs.len() == 1 && self.queued == 0).then_some(place)
    }

    pub(crate) fn wish(&self, key: Key) -> Option<Wish> {
        Some(self.jobs.get(key)?.wish)
    }

    pub(crate) fn places(&self) -> usize {
        self.workers.len()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.phase != Phase::Open || self.queued < self.limits.queue || !self.idle.is_empty()
    }
}
