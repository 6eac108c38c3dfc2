//! What is queued, and who gets it.

use super::taking_back::LONG;
use super::{Action, Core, Job, Payload, Phase, State, Time, Why, Wish, Worker};
use crate::slab::Key;

/// How much work, in nanoseconds, may lie at a worker besides what it is doing. Enough that it never waits for the
/// pool's answer to its answer; little enough that nobody waits long behind it.
pub(super) const BACKLOG: u64 = 200_000;
/// How many jobs may be with one worker, however small they are.
pub(super) const WINDOW: usize = 64;

impl<P: Payload> Core<P> {
    /// Takes a job, or gives it back if the queue is full. In a pool that is closed it is answered at once.
    pub(crate) fn submit(&mut self, now: Time, wish: Wish, payload: P) -> Result<Key, P> {
        if self.phase == Phase::Open && self.queued >= self.limits.queue && self.idle.is_empty() {
            return Err(payload);
        }
        self.counts.submitted += 1;
        let key = self.jobs.insert(Job {
            payload,
            wish,
            done: 0,
            lost: 0,
            with: None,
            cancelled: false,
        });
        match &self.phase {
            Phase::Open => {
                self.queue.push_back(key);
                self.queued += 1;
                self.pump(now);
            }
            Phase::Draining | Phase::Closed => self.fail(key, &Why::ShutDown),
            Phase::Broken(why) => {
                let why = why.clone();
                self.fail(key, &Why::Broken(&why));
            }
        }
        Ok(key)
    }

    /// Hands out what is queued, as long as somebody can take it.
    pub(super) fn pump(&mut self, now: Time) {
        match &self.phase {
            Phase::Closed => self.fail_queued(&Why::ShutDown),
            Phase::Broken(why) => {
                let why = why.clone();
                self.fail_queued(&Why::Broken(&why));
            }
            Phase::Open | Phase::Draining => {}
        }
        while let Some(&key) = self.queue.front() {
            let Some(job) = self.jobs.get(key) else {
                self.queue.pop_front(); // it was cancelled
                continue;
            };
            let work = self
                .cost(job.wish.function)
                .saturating_mul(u64::from(job.wish.items - job.done));
            let worker = match self.idle.pop() {
                Some(idle) => idle,
                None => {
                    self.start_some(now);
                    match self.short_queue(now, work) {
                        Some(worker) => worker,
                        None => break,
                    }
                }
            };
            self.queue.pop_front();
            self.queued -= 1;
            self.send(now, worker, key, work);
        }
        if self.phase != Phase::Open && self.queued == 0 {
            for worker in std::mem::take(&mut self.idle) {
                self.retire(now, worker);
            }
            for worker in 0..self.workers.len() {
                if matches!(
                    self.workers[worker].state,
                    State::Starting | State::Preparing
                ) {
                    self.starting -= 1;
                    self.retire(now, worker);
                }
            }
        }
    }

    fn send(&mut self, now: Time, place: usize, key: Key, work: u64) {
        let worker = &mut self.workers[place];
        let job = self.jobs.get_mut(key).expect("it was in the queue");
        let number = worker.first + worker.jobs.len() as u64;
        job.with = u16::try_from(place).ok();
        worker.jobs.push_back(key);
        worker.load = worker.load.saturating_add(work);
        worker.given += u64::from(job.wish.items - job.done);
        let from = job.done;
        match worker.jobs.len() {
            1 => self.watch(now, place),
            2 => self.alarm = true, // should the first one turn out long
            _ => {}
        }
        self.actions.push_back(Action::Send {
            worker: place,
            job: key,
            number,
            from,
        });
    }

    /// A worker that has something to do, but so little that this can lie there as well.
    fn short_queue(&self, now: Time, work: u64) -> Option<usize> {
        let takes = |worker: &Worker| {
            worker.state == State::Ready
                && !worker.long
                && now < worker.turned.saturating_add(LONG)
                && worker.load.saturating_add(work) <= BACKLOG
                && worker.jobs.len() < WINDOW
                && worker.given < self.limits.max_jobs
                && !worker.outgrown
        };
        let workers = self.workers.iter().enumerate();
        let takers = workers.filter(|(_, worker)| takes(worker));
        Some(takers.min_by_key(|(_, worker)| worker.load)?.0)
    }

    pub(super) fn cost(&self, function: u16) -> u64 {
        self.cost
            .get(usize::from(function))
            .copied()
            .unwrap_or(u64::MAX)
    }

    /// A function is believed to be slow at once, and to be fast by and by.
    pub(super) fn measured(&mut self, function: u16, took: u64) {
        if let Some(cost) = self.cost.get_mut(usize::from(function)) {
            *cost = match *cost {
                old if old == u64::MAX || took > old => took,
                old => old - (old - took) / 8,
            };
        }
    }

    pub(super) fn give_back(&mut self, key: Key) {
        self.queue.push_front(key);
        self.queued += 1;
        let job = self.jobs.get(key).expect("just given back");
        if job.cancelled {
            self.queued -= 1;
            self.fail(key, &Why::Cancelled);
        }
    }

    pub(super) fn fail_queued(&mut self, why: &Why<'_>) {
        self.queued = 0;
        for key in std::mem::take(&mut self.queue) {
            self.fail(key, why);
        }
    }
}
