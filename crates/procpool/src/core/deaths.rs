//! What becomes of the jobs that a worker had when it ended.

use std::time::Duration;

use super::starts::BACKOFF;
use super::turns::why_asked;
use super::{Core, Obituary, Payload, Phase, State, Ticket, Time, Why};
use crate::slab::Key;

impl<P: Payload> Core<P> {
    /// A process could not be started, or the one in this place ended. All that it had said is worked in already.
    ///
    /// What it had not begun goes back to the head of the queue. What it had begun is lost with it, or tried again.
    pub(crate) fn died(&mut self, now: Time, place: usize, obituary: &Obituary, why: &str) {
        let worker = &mut self.workers[place];
        let was = std::mem::replace(&mut worker.state, State::Absent);
        let jobs = std::mem::take(&mut worker.jobs);
        let first = worker.first;
        let asked = worker.asked.take();
        // A worker that ends before it ever had anything to do would do so again.
        let worked = worker.answered || !jobs.is_empty();
        worker.load = 0;
        worker.deadline = None;
        self.alarm = true; // another start may not be due at once
        self.idle.retain(|&idle| idle != place);
        for (index, &key) in jobs.iter().enumerate().rev() {
            self.orphan(key, first + index as u64, obituary, asked);
        }
        match was {
            State::Absent => return,
            State::Ending => {}
            State::Starting | State::Preparing => {
                self.starting -= 1;
                self.counts.died += 1;
                self.start_failed(now, why, obituary.from_outside);
            }
            State::Ready => {
                self.counts.died += 1;
                // Full strength again, unless workers end before they ever had a job: then only on demand.
                if worked && self.phase == Phase::Open && now >= self.not_before {
                    self.start(now, place);
                } else if !worked {
                    self.not_before = now + BACKOFF;
                }
            }
        }
        self.pump(now);
    }

    /// One of the jobs that a dead worker had.
    fn orphan(
        &mut self,
        key: Key,
        number: u64,
        obituary: &Obituary,
        asked: Option<(Ticket, Option<Duration>)>,
    ) {
        let max_attempts = self.limits.max_attempts;
        let job = self.jobs.get_mut(key).expect("a worker had it");
        job.with = None;
        let ticket = Ticket::new(number, job.done);
        if job.cancelled && ticket > obituary.begun {
            return self.fail(key, &Why::Cancelled);
        }
        // ANCHOR: orphan
        if ticket <= obituary.begun {
            job.lost += 1;
            let attempt = job.lost;
            let item = job.done..job.done + 1;
            match asked {
                Some((asked, limit)) if asked == ticket => {
                    job.payload.lose(item, &why_asked(limit));
                }
                _ if job.wish.idempotent && attempt < max_attempts => {
                    self.counts.retried += 1;
                    return self.give_back(key);
                }
                _ => job.payload.lose(
                    item,
                    &Why::Died {
                        obituary,
                        attempt,
                        poisoned: job.wish.idempotent,
                    },
                ),
            }
            job.done += 1;
            job.lost = 0;
        } else {
            self.counts.given_back += 1;
        }
        // ANCHOR_END: orphan
        if job.done == job.wish.items {
            self.resolve(key);
        } else {
            self.give_back(key);
        }
    }
}
