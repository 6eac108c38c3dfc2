//! A worker that grows and grows: it looks at its own memory between jobs, and says when it had better be replaced.

use std::time::{Duration, Instant};

use crate::os;
use crate::page::Page;

/// How often it looks, at most: it costs some ten microseconds.
const PAUSE: Duration = Duration::from_secs(1);

/// What a worker weighed after its first job, and when it looked last.
pub(crate) struct Growth {
    most: Option<u64>,
    first: Option<u64>,
    looked: Option<Instant>,
}

impl Growth {
    /// For a worker that may grow by so much; nothing: by any amount.
    pub(crate) fn new(most: Option<u64>) -> Growth {
        Growth {
            most,
            first: None,
            looked: None,
        }
    }

    /// A job is over: looks, if it is time to, and writes down what it finds.
    pub(crate) fn look(&mut self, page: &Page) {
        if self.looked.is_some_and(|looked| looked.elapsed() < PAUSE) {
            return;
        }
        self.looked = Some(Instant::now());
        let Some(memory) = os::memory() else { return };
        let first = *self.first.get_or_insert(memory.own);
        let grown = memory.own.saturating_sub(first);
        page.weighs(memory.peak, self.most.is_some_and(|most| grown > most));
    }
}
