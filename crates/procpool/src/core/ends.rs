//! How things end: a job that is cancelled, a worker that is sent away or killed, the pool.

use super::{Action, Core, Payload, Phase, State, Time, Why, Worker};
use crate::slab::Key;

impl<P: Payload> Core<P> {
    /// Takes a job out of the queue; with `running`, also from a worker that has it. Whether that will be its end.
    pub(crate) fn cancel(&mut self, now: Time, key: Key, running: bool) -> bool {
        let Some(job) = self.jobs.get_mut(key) else {
            return false;
        };
        match job.with {
            None => {
                self.queued -= 1;
                self.fail(key, &Why::Cancelled);
                if self.queue.len() > 2 * self.queued + 64 {
                    let jobs = &self.jobs;
                    self.queue.retain(|&key| jobs.get(key).is_some());
                }
                self.pump(now);
                true
            }
            Some(_) if !running => false,
            Some(place) => {
                job.cancelled = true;
                let place = usize::from(place);
                let worker = &self.workers[place];
                if worker.jobs.front() == Some(&key) && worker.asked.is_none() {
                    self.ask(now, place, None);
                }
                true
            }
        }
    }

    /// No more jobs. With `drop_queued`, those that are queued fail; those that workers have are done in either case.
    pub(crate) fn close(&mut self, now: Time, drop_queued: bool) {
        match self.phase {
            Phase::Open | Phase::Draining if drop_queued => self.phase = Phase::Closed,
            Phase::Open => self.phase = Phase::Draining,
            Phase::Draining | Phase::Closed | Phase::Broken(_) => {}
        }
        self.pump(now);
    }

    /// No more jobs, no more workers.
    pub(crate) fn kill(&mut self, now: Time) {
        self.close(now, true);
        for place in 0..self.workers.len() {
            if self.workers[place].state != State::Absent {
                self.doom(place);
            }
        }
    }

    pub(super) fn retire(&mut self, now: Time, place: usize) {
        let worker = &mut self.workers[place];
        worker.state = State::Ending;
        worker.deadline = Some(now.saturating_add(self.limits.grace));
        self.alarm = true;
        self.actions.push_back(Action::Retire(place));
    }

    /// Kills a worker. Its place is free when it has ended.
    pub(super) fn doom(&mut self, place: usize) {
        let worker = &mut self.workers[place];
        match worker.state {
            State::Absent => return,
            State::Starting | State::Preparing if self.phase != Phase::Open => self.starting -= 1,
            State::Starting | State::Preparing | State::Ready | State::Ending => {}
        }
        let worker = &mut self.workers[place];
        if self.phase != Phase::Open {
            worker.state = State::Ending;
        }
        worker.deadline = None;
        worker.load = u64::MAX; // nothing more for this one
        self.idle.retain(|&idle| idle != place);
        self.actions.push_back(Action::Kill(place));
    }

    pub(super) fn fail(&mut self, key: Key, why: &Why<'_>) {
        if let Some(job) = self.jobs.get_mut(key) {
            let items = job.done..job.wish.items;
            job.payload.lose(items, why);
            self.resolve(key);
        }
    }

    pub(super) fn resolve(&mut self, key: Key) {
        if let Some(job) = self.jobs.remove(key) {
            self.counts.answered += 1;
            self.actions.push_back(Action::Resolve(job.payload));
        }
    }

    /// Whether no job is queued or with a worker.
    pub(crate) fn is_idle(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Whether the pool is closed and nothing is left of it.
    pub(crate) fn is_over(&self) -> bool {
        let absent = |worker: &Worker| worker.state == State::Absent;
        self.phase != Phase::Open && self.jobs.is_empty() && self.workers.iter().all(absent)
    }
}
