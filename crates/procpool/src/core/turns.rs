//! What a worker is at: one job after the other, item by item, and the time that counts for each.

use std::time::Duration;

use super::{Action, Core, Expected, Payload, State, Ticket, Time, Why, nanos};

impl<P: Payload> Core<P> {
    /// What this worker answers next.
    pub(crate) fn expected(&mut self, place: usize) -> Option<Expected<'_, P>> {
        let worker = &self.workers[place];
        let key = *worker.jobs.front()?;
        let job = self.jobs.get_mut(key)?;
        Some(Expected {
            key,
            ticket: Ticket::new(worker.first, job.done),
            left: job.wish.items - job.done,
            payload: &mut job.payload,
        })
    }

    /// The next items of its first job are answered, and took it so long. What they are is in the payload already.
    pub(crate) fn answered(&mut self, now: Time, place: usize, items: u32, took: u64) {
        let worker = &mut self.workers[place];
        let Some(&key) = worker.jobs.front() else {
            return;
        };
        worker.answered = true;
        worker.long = false;
        let job = self.jobs.get_mut(key).expect("a worker has it");
        let function = job.wish.function;
        let known = self.cost.get(usize::from(function));
        let cost = known.copied().unwrap_or(u64::MAX);
        let items = items.min(job.wish.items - job.done);
        job.done += items;
        job.lost = 0;
        worker.load = worker
            .load
            .saturating_sub(cost.saturating_mul(u64::from(items)));
        let over = job.done == job.wish.items;
        if over {
            worker.jobs.pop_front();
            worker.first += 1;
            if worker.jobs.is_empty() {
                worker.load = 0;
            }
            self.resolve(key);
        }
        self.measured(function, took / u64::from(items.max(1)));
        if self.workers[place].jobs.is_empty() {
            self.workers[place].asked = None;
            self.rest(now, place);
        } else {
            self.watch(now, place);
        }
        if over {
            self.pump(now);
        }
    }

    /// The next item of its first job stopped, because it was asked to.
    pub(crate) fn stopped(&mut self, now: Time, place: usize) {
        let worker = &self.workers[place];
        let why = why_asked(worker.asked.and_then(|(_, limit)| limit));
        let key = worker.jobs.front().copied();
        if let Some(job) = key.and_then(|key| self.jobs.get_mut(key)) {
            job.payload.lose(job.done..job.done + 1, &why);
            self.answered(now, place, 1, 0);
        }
    }

    /// A worker has nothing to do.
    pub(super) fn rest(&mut self, now: Time, place: usize) {
        let limits = self.limits;
        let worker = &mut self.workers[place];
        worker.deadline = None;
        if worker.state == State::Ready {
            if worker.given >= limits.max_jobs || worker.outgrown {
                self.retire(now, place);
            } else {
                worker.deadline = limits.idle.map(|idle| now.saturating_add(idle));
                self.alarm |= worker.deadline.is_some();
                self.idle.push(place);
            }
        }
    }

    /// A worker has grown more than it may. It does what it has, and is replaced.
    pub(crate) fn outgrew(&mut self, now: Time, place: usize) {
        let worker = &mut self.workers[place];
        if worker.state != State::Ready || worker.outgrown {
            return;
        }
        worker.outgrown = true;
        if worker.jobs.is_empty() {
            self.idle.retain(|&idle| idle != place);
            self.retire(now, place);
        }
    }

    /// A worker turns to its first job: from here its time counts.
    pub(super) fn watch(&mut self, now: Time, place: usize) {
        let worker = &mut self.workers[place];
        worker.turned = now;
        let Some(job) = worker.jobs.front().and_then(|&key| self.jobs.get(key)) else {
            return;
        };
        let at = Ticket::new(worker.first, job.done);
        if worker.asked.is_some_and(|(asked, _)| asked >= at) {
            return; // what comes is the answer to an item before the one that was asked to stop
        }
        worker.at = at;
        worker.asked = None;
        worker.deadline = job.wish.limit.map(|limit| now.saturating_add(nanos(limit)));
        self.alarm |= worker.deadline.is_some();
        if job.cancelled {
            self.ask(now, place, None);
        }
    }

    /// Asks the item in `at` to stop; because of its limit, if there is one here.
    pub(super) fn ask(&mut self, now: Time, place: usize, limit: Option<Duration>) {
        let worker = &mut self.workers[place];
        worker.asked = Some((worker.at, limit));
        worker.deadline = Some(now.saturating_add(self.limits.grace));
        self.alarm = true;
        let ticket = worker.at;
        self.actions.push_back(Action::Ask {
            worker: place,
            ticket,
        });
    }
}

/// Why an item has no value that was asked to stop: its limit, if it was that.
pub(super) fn why_asked(limit: Option<Duration>) -> Why<'static> {
    limit.map_or(Why::Cancelled, Why::TimedOut)
}
