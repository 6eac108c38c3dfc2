//! The bounded memory of one lane: the newest events stay, the oldest make room, and the count of those that went is kept.

use std::collections::VecDeque;

use crate::event::Event;

/// An event as a lane remembers it.
#[derive(Clone, Copy)]
pub(crate) struct Stamped {
    pub(crate) n: u64,
    pub(crate) t: u64,
    pub(crate) event: Event,
}

pub(crate) struct Ring {
    events: VecDeque<Stamped>,
    capacity: usize,
    lost: Option<Lost>,
}

/// What the ring had to let go so far: how many, and the first and the last of them.
#[derive(Clone, Copy)]
pub(crate) struct Lost {
    pub(crate) count: u64,
    pub(crate) from: u64,
    pub(crate) last: Stamped,
}

impl Ring {
    pub(crate) fn new(capacity: usize) -> Ring {
        assert!(
            capacity > 0,
            "a lane must be able to remember at least one event"
        );
        Ring {
            events: VecDeque::new(),
            capacity,
            lost: None,
        }
    }

    pub(crate) fn push(&mut self, event: Stamped) {
        if self.events.len() == self.capacity
            && let Some(oldest) = self.events.pop_front()
        {
            let (count, from) = self
                .lost
                .map_or((0, oldest.n), |lost| (lost.count, lost.from));
            self.lost = Some(Lost {
                count: count + 1,
                from,
                last: oldest,
            });
        }
        self.events.push_back(event);
    }

    pub(crate) fn lost(&self) -> Option<Lost> {
        self.lost
    }

    /// What is still there from the `index`th event of this lane on.
    pub(crate) fn since(&self, index: u64) -> impl Iterator<Item = Stamped> {
        let gone = self.lost.map_or(0, |lost| lost.count);
        let skip = usize::try_from(index.saturating_sub(gone)).unwrap_or(usize::MAX);
        self.events.iter().skip(skip).copied()
    }
}
