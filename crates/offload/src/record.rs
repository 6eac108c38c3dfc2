//! What is written down, if somebody wants a record.

use flight::{ActorKind, End, Event, Lane, Recorder, Text};

use crate::task::About;

/// The pool's own lane, for what happens to jobs while they are on no thread.
pub(crate) struct Record {
    recorder: Recorder,
    lane: Lane,
    pool: Text,
    queue: Text,
}

impl Record {
    pub(crate) fn new(recorder: Recorder, name: &str) -> Record {
        Record {
            lane: recorder.actor(name, ActorKind::Pool),
            pool: recorder.text(name),
            queue: recorder.text(&format!("{name}: queue")),
            recorder,
        }
    }

    /// The lane of a thread.
    pub(crate) fn worker(&self, name: &str) -> Lane {
        self.recorder.actor(name, ActorKind::Pool)
    }

    pub(crate) fn submitted(&self, job: u64, about: &About, queued: usize) {
        if !self.lane.is_on() {
            return;
        }
        let (pool, by) = (self.pool, None);
        self.lane.record(Event::JobSubmit { job, pool, by });
        self.lane.mark("job", &about.name(), job);
        self.queued(queued);
    }

    pub(crate) fn begun(&self, worker: &Lane, job: u64) {
        let pool = self.pool;
        worker.record(Event::JobStart { job, pool });
    }

    pub(crate) fn ended(&self, worker: &Lane, job: u64, panicked: bool) {
        let how = if panicked { End::Panicked } else { End::Done };
        worker.record(Event::JobEnd { job, how });
    }

    /// It was never begun.
    pub(crate) fn taken_out(&self, job: u64, queued: usize) {
        let how = End::Cancelled;
        self.lane.record(Event::JobEnd { job, how });
        self.queued(queued);
    }

    /// How many jobs have a place and were not begun.
    pub(crate) fn queued(&self, queued: usize) {
        let (name, value) = (self.queue, queued as u64);
        self.lane.record(Event::Counter { name, value });
    }
}
