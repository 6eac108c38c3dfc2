//! What is due, and when.

use super::{Action, Core, Payload, State, Ticket, Time, Worker, nanos};

impl<P: Payload> Core<P> {
    /// Does what is due. `begun` tells what a worker has begun last.
    pub(crate) fn tick(&mut self, now: Time, begun: impl Fn(usize) -> Ticket) {
        for place in 0..self.workers.len() {
            let worker = &mut self.workers[place];
            if Self::take_back_at(worker).is_some_and(|at| at <= now) {
                self.actions.push_back(Action::TakeBack(place));
            }
            if worker.deadline.is_none_or(|deadline| deadline > now) {
                continue;
            }
            worker.deadline = None;
            match worker.state {
                State::Absent => {}
                State::Starting | State::Preparing | State::Ending => self.doom(place),
                State::Ready => match worker.jobs.front() {
                    None => {
                        self.idle.retain(|&idle| idle != place);
                        self.retire(now, place);
                    }
                    Some(_) if worker.asked.is_some() => self.doom(place),
                    Some(&key) => {
                        let limit = self.jobs.get(key).and_then(|job| job.wish.limit);
                        let begun = begun(place);
                        if begun > worker.at && begun.number() == worker.first {
                            // A batch that gets on: its present item has a limit of its own.
                            worker.at = begun;
                            worker.deadline = limit.map(|limit| now.saturating_add(nanos(limit)));
                        } else {
                            self.ask(now, place, limit);
                        }
                    }
                },
            }
        }
        self.pump(now);
    }

    /// When [`tick`](Core::tick) has something to do, if nothing happens before.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        let workers = self.workers.iter();
        let workers = workers.flat_map(|worker| [worker.deadline, Self::take_back_at(worker)]);
        let workers = workers.flatten();
        let absent = |worker: &Worker| worker.state == State::Absent;
        let start = self.wants_start() && self.workers.iter().any(absent);
        workers.chain(start.then_some(self.not_before)).min()
    }
}
