//! The pool's state: who waits to be begun, who is at work. All of it is behind one lock, and no foreign code runs
//! while the lock is held.
//!
//! A pool has as many places as it has threads, and those of its queue. Jobs in places are begun in the order in which they
//! came. Beyond that there is the line: jobs that somebody is waiting for, and that have no place yet. A place that
//! becomes free goes to the first in line, so nobody comes in from the side while others wait.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Waker;
use std::thread::{JoinHandle, Thread};
use std::time::Instant;

use crate::fifo::Fifo;
use crate::metrics::Metrics;
use crate::task::{About, Work};

#[derive(Default)]
pub(crate) struct State {
    /// The number of the next job that comes in.
    next: u64,
    pub(crate) queue: Fifo<Arc<dyn Work>>,
    pub(crate) line: Fifo<Arc<dyn Work>>,
    /// How many places there are, those of the threads included.
    places: usize,
    /// One for each thread that there may be.
    pub(crate) seats: Vec<Seat>,
    pub(crate) threads: usize,
    pub(crate) running: usize,
    /// Threads that are parked. The last one is the next to be called: the first ones can go home.
    pub(crate) idle: Vec<(usize, Thread)>,
    /// Threads that were called, or started, and have not looked into the queue yet.
    pub(crate) coming: usize,
    /// Threads that have nothing to do and look out for work before they park.
    pub(crate) spinning: usize,
    /// How many times in a row a thread looked out for nothing, and how many times none shall do so any more.
    pub(crate) spun_in_vain: u32,
    pub(crate) spins_left_out: u32,
    /// No more jobs are taken in. Threads leave when there is nothing left to do.
    pub(crate) closed: bool,
    /// The deadlines of those in queue and line.
    pub(crate) deadlines: BTreeSet<(Instant, u64)>,
    /// Whether there is a thread that sees to the deadlines.
    pub(crate) timekeeper: bool,
    pub(crate) handles: Vec<JoinHandle<()>>,
    pub(crate) counts: Metrics,
}

/// Where a thread of the pool sits. It keeps its seat, and the seat's number in its name, as long as it is there.
#[derive(Clone, Default)]
pub(crate) struct Seat {
    pub(crate) taken: bool,
    /// The job that is being done.
    pub(crate) job: Option<(u64, About)>,
    /// The job of this same pool that the job which is being done waits for.
    pub(crate) waits_for: Option<u64>,
}

/// Whom to call when the lock is released, so that the work gets done.
#[must_use]
pub(crate) enum Call {
    Nobody,
    Parked(Thread),
    New { seat: usize },
}

impl State {
    pub(crate) fn new(max_threads: usize, queue: usize) -> State {
        State {
            places: queue.saturating_add(max_threads),
            seats: vec![Seat::default(); max_threads],
            ..State::default()
        }
    }

    // ANCHOR: places
    /// Takes a job in if there is a place for it, and gives its number.
    pub(crate) fn take_in(&mut self, task: &Arc<dyn Work>) -> Option<u64> {
        // As long as anybody stands in line there is none: it would be theirs.
        self.has_place().then(|| {
            let number = self.number(task);
            self.queue.push(number, task.clone());
            number
        })
    }

    /// Lets a job stand in line, and gives its number.
    pub(crate) fn stand_in_line(&mut self, task: &Arc<dyn Work>) -> u64 {
        let number = self.number(task);
        self.line.push(number, task.clone());
        number
    }
    // ANCHOR_END: places

    fn number(&mut self, task: &Arc<dyn Work>) -> u64 {
        let number = self.next;
        self.next += 1;
        self.counts.submitted += 1;
        if let Some(deadline) = task.about().deadline {
            self.deadlines.insert((deadline, number));
        }
        number
    }

    // ANCHOR: line
    fn has_place(&self) -> bool {
        self.queue.len() + self.running < self.places
    }

    /// Gives free places to those who stand in line, the first one first. Afterwards, wake whoever wanted to hear of it.
    pub(crate) fn serve_line(&mut self, tell: &mut Vec<Waker>) {
        while self.has_place()
            && let Some((number, task)) = self.line.pop()
        {
            tell.extend(task.got_place());
            self.queue.push(number, task);
        }
    }
    // ANCHOR_END: line

    // ANCHOR: begin
    /// Takes a job out before it is begun. `None` if it is not here any more.
    pub(crate) fn remove(&mut self, number: u64) -> Option<Arc<dyn Work>> {
        let removed = self.queue.remove(number);
        let removed = removed.or_else(|| self.line.remove(number))?;
        self.forget_deadline(number, &removed);
        Some(removed)
    }

    /// Begins the next job, in this seat.
    pub(crate) fn begin(&mut self, seat: usize) -> Option<(u64, Arc<dyn Work>)> {
        let (number, task) = self.queue.pop()?;
        self.forget_deadline(number, &task);
        self.running += 1;
        self.seats[seat].job = Some((number, task.about().clone()));
        Some((number, task))
    }
    // ANCHOR_END: begin

    /// The job in this seat is over. If the thread will be back in a moment, nobody else need be called meanwhile.
    pub(crate) fn end(&mut self, seat: usize, panicked: bool, comes_back: bool) {
        self.running -= 1;
        self.coming += usize::from(comes_back);
        match panicked {
            true => self.counts.panicked += 1,
            false => self.counts.done += 1,
        }
        self.seats[seat].job = None;
        self.seats[seat].waits_for = None;
    }

    /// Everything that was not begun.
    pub(crate) fn take_all(&mut self) -> Vec<Arc<dyn Work>> {
        self.deadlines.clear();
        let queue = std::iter::from_fn(|| self.queue.pop());
        let line = std::iter::from_fn(|| self.line.pop());
        queue.chain(line).map(|(_, task)| task).collect()
    }

    fn forget_deadline(&mut self, number: u64, task: &Arc<dyn Work>) {
        if let Some(deadline) = task.about().deadline {
            self.deadlines.remove(&(deadline, number));
        }
    }

    // ANCHOR: call
    /// Who is to look into the queue, if there is anything in it and nobody is on the way.
    ///
    /// One at a time: whoever comes and finds more than one job calls the next. So a hundred jobs that take no time
    /// do not wake a dozen threads, and a hundred that do take time have theirs a few microseconds later.
    pub(crate) fn call(&mut self) -> Call {
        if self.queue.len() == 0 || self.coming + self.spinning > 0 {
            return Call::Nobody;
        }
        let call = if let Some((_, thread)) = self.idle.pop() {
            Call::Parked(thread)
        } else if let Some(seat) = self.seats.iter().position(|seat| !seat.taken) {
            self.seats[seat].taken = true;
            self.threads += 1;
            self.counts.most_threads = self.counts.most_threads.max(self.threads);
            Call::New { seat }
        } else {
            return Call::Nobody;
        };
        self.coming += 1;
        call
    }
    // ANCHOR_END: call

    pub(crate) fn leave(&mut self, seat: usize) {
        self.seats[seat] = Seat::default();
        self.threads -= 1;
    }

    // ANCHOR: waits_for
    /// The job in this seat waits for another one of this pool. If all threads that the pool may have do jobs that wait for
    /// jobs which are not over, nobody can ever go on: then this gives one that was not begun, so that it can be given up.
    pub(crate) fn waits_for(&mut self, seat: usize, number: u64) -> Option<u64> {
        self.seats[seat].waits_for = Some(number);
        let mut all = self.seats.iter().map(|seat| seat.waits_for);
        let is_stuck = all.all(|number| number.is_some_and(|number| self.is_not_over(number)));
        let others = self.seats.iter().filter_map(|seat| seat.waits_for);
        let mut given_up = std::iter::once(number).chain(others);
        is_stuck.then(|| given_up.find(|number| self.is_not_begun(*number)))?
    }
    // ANCHOR_END: waits_for

    /// Nobody waits for this job any more.
    pub(crate) fn nobody_waits_for(&mut self, number: u64) {
        for seat in &mut self.seats {
            seat.waits_for.take_if(|waits_for| *waits_for == number);
        }
    }

    fn is_not_over(&self, number: u64) -> bool {
        self.is_not_begun(number) || self.is_running(number)
    }

    fn is_not_begun(&self, number: u64) -> bool {
        self.queue.contains(number) || self.line.contains(number)
    }

    /// Whether a thread is doing this job.
    pub(crate) fn is_running(&self, number: u64) -> bool {
        let numbers = self.seats.iter().filter_map(|seat| seat.job.as_ref());
        numbers.into_iter().any(|(running, _)| *running == number)
    }
}
