//! A worker is long at its first job, and others lie behind it: they are taken back, and done elsewhere.

use super::{Core, Payload, State, Time, Worker};

/// How long a job may take before no more is sent behind it, and what was is taken back.
pub(super) const LONG: u64 = 5_000_000;

impl<P: Payload> Core<P> {
    /// A worker is long at its first job, and others lie behind it: when they are to be taken back.
    pub(super) fn take_back_at(worker: &Worker) -> Option<Time> {
        let others = worker.state == State::Ready && worker.jobs.len() > 1 && !worker.long;
        others.then(|| worker.turned.saturating_add(LONG))
    }

    /// What was taken back from a worker: all after this number. `None`: it has not begun its first job either, so ask
    /// again later.
    pub(crate) fn taken_back(&mut self, now: Time, place: usize, begun: Option<u64>) {
        let worker = &mut self.workers[place];
        worker.turned = now;
        let Some(begun) = begun else { return };
        worker.long = true;
        let keeps = (begun + 1).saturating_sub(worker.first).max(1);
        let keeps = worker
            .jobs
            .len()
            .min(usize::try_from(keeps).unwrap_or(usize::MAX));
        let back = worker.jobs.split_off(keeps);
        for &key in back.iter().rev() {
            let job = self.jobs.get_mut(key).expect("a worker had it");
            job.with = None;
            self.workers[place].given -= u64::from(job.wish.items - job.done);
            self.counts.taken_back += 1;
            self.give_back(key);
        }
        self.pump(now);
    }
}
