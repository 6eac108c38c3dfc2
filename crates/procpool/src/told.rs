//! What the record says of a worker: which jobs it came to, and how they ended.

use flight::{End, Event, Lane, Text};

use crate::slab::Key;

/// What the record says of a worker.
pub(crate) struct Told {
    pub(crate) lane: Lane,
    pool: Text,
    /// The job whose start is in the record, and whose end is not.
    pub(crate) job: Option<Key>,
}

impl Told {
    pub(crate) fn new(lane: Lane, pool: &str) -> Told {
        let pool = lane.text(pool);
        Told {
            lane,
            pool,
            job: None,
        }
    }

    /// The worker has come to this job.
    pub(crate) fn starts(&mut self, job: Key) {
        if self.lane.is_on() && self.job != Some(job) {
            self.job = Some(job);
            self.lane.record(Event::JobStart {
                job: job.number(),
                pool: self.pool,
            });
        }
    }

    /// It is over; so it had been started.
    pub(crate) fn ends(&mut self, job: Key, how: End) {
        if self.lane.is_on() {
            self.starts(job);
            self.job = None;
            self.lane.record(Event::JobEnd {
                job: job.number(),
                how,
            });
        }
    }
}
