//! How workers come: when one is started, and what a start that fails means for the next one.

use super::{Action, Core, Payload, Phase, State, Time, Why, Worker};

/// How long a worker may take to say its first word.
pub(super) const SILENCE: u64 = 10_000_000_000;
/// How many starts in a row may fail. Those do not count in which the worker was killed by somebody else; but how long
/// even that may go on does.
const MAX_FAILURES: u32 = 3;
pub(super) const GIVE_UP: u64 = 10_000_000_000;
/// How long to wait after the first failed start; four times as long after each further one. After a kill never longer
/// than that: it may be over at any time.
pub(super) const BACKOFF: u64 = 5_000_000;
const MAX_BACKOFF: u64 = 320_000_000;

impl<P: Payload> Core<P> {
    /// Starts workers where there is a place, until no more are queued than those that are starting will take.
    /// After a failure, one at a time.
    pub(super) fn start_some(&mut self, now: Time) {
        while self.wants_start() && now >= self.not_before {
            let absent = |worker: &Worker| worker.state == State::Absent;
            let Some(place) = self.workers.iter().position(absent) else {
                break;
            };
            self.start(now, place);
        }
    }

    pub(super) fn wants_start(&self) -> bool {
        self.queued > self.starting && (self.failures == 0 || self.starting == 0)
    }

    pub(super) fn start(&mut self, now: Time, place: usize) {
        let worker = &mut self.workers[place];
        worker.state = State::Starting;
        worker.first = 1;
        worker.given = 0;
        worker.answered = false;
        worker.outgrown = false;
        worker.long = false;
        worker.deadline = Some(now + SILENCE);
        self.alarm = true;
        self.starting += 1;
        self.counts.started += 1;
        self.actions.push_back(Action::Start(place));
    }

    /// It is the right program, and runs its initializer if there is one.
    pub(crate) fn said_hello(&mut self, place: usize) {
        let worker = &mut self.workers[place];
        if worker.state == State::Starting {
            worker.state = State::Preparing;
            worker.deadline = None;
        }
    }

    /// It takes jobs from now on.
    pub(crate) fn ready(&mut self, now: Time, place: usize) {
        let worker = &mut self.workers[place];
        if !matches!(worker.state, State::Starting | State::Preparing) {
            return; // it was told to end meanwhile
        }
        worker.state = State::Ready;
        worker.deadline = None;
        self.starting -= 1;
        (self.failures, self.own_failures, self.failing_since) = (0, 0, None);
        self.rest(now, place);
        self.pump(now);
    }

    pub(super) fn start_failed(&mut self, now: Time, why: &str, from_outside: bool) {
        self.failures += 1;
        self.own_failures += u32::from(!from_outside);
        let wait = BACKOFF << (2 * (self.failures - 1)).min(16);
        self.not_before = match from_outside {
            true => now + wait.min(MAX_BACKOFF),
            false => now + wait,
        };
        let since = *self.failing_since.get_or_insert(now);
        let lasts = self.own_failures >= MAX_FAILURES || now.saturating_sub(since) >= GIVE_UP;
        let nobody = |worker: &Worker| {
            matches!(
                worker.state,
                State::Absent | State::Starting | State::Preparing
            )
        };
        if lasts && self.workers.iter().all(nobody) {
            let times = self.failures;
            self.break_down(format!(
                "{times} starts of a worker failed in a row; the last: {why}"
            ));
        }
    }

    /// No more workers can be started, and why. What workers have in hand is done.
    pub(crate) fn break_down(&mut self, why: String) {
        self.phase = Phase::Broken(why.clone());
        self.fail_queued(&Why::Broken(&why));
    }
}
