// ANCHOR: whole
//! The run queue: who is ready, first come, first served.
//!
//! Only the loop's own thread touches it, so there is no lock. Whoever rings on another thread leaves a note
//! in the inbox, and the loop carries it over.

use std::collections::VecDeque;

// ANCHOR: run_queue
/// The places on the shelf of those who want to be polled, each at most once.
#[derive(Default)]
pub(crate) struct RunQueue(VecDeque<u32>);

impl RunQueue {
    #[inline]
    pub(crate) fn push(&mut self, slot: u32) {
        self.0.push_back(slot);
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<u32> {
        self.0.pop_front()
    }

    /// Takes somebody out of turn, as a checker of schedules may wish.
    pub(crate) fn take(&mut self, index: usize) -> Option<u32> {
        self.0.remove(index)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().copied()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
// ANCHOR_END: run_queue
// ANCHOR_END: whole
