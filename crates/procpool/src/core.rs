//! What the pool decides, without doing any of it.
//!
//! Events come in as method calls, each with the time. What is to be done about them comes out as [`Action`]s. Nothing
//! here reads a clock, a socket or a process, so a test can be the whole world around it: see the end of this file,
//! where workers die at random and every promise is checked after every step.
//!
//! A job is a batch of items; a single submit is a batch of one. A worker does its jobs in the order in which they were
//! sent, and its items in order. Which item it is at is told by a [`Ticket`], and the ticket outlives the worker.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use crate::error::Death;
use crate::slab::{Key, Slab};

/// A point in time, in nanoseconds since the pool was built.
pub(crate) type Time = u64;

/// How much work, in nanoseconds, may lie at a worker besides what it is doing. Enough that it never waits for the
/// pool's answer to its answer; little enough that nobody waits long behind it.
const BACKLOG: u64 = 200_000;
/// How many jobs may be with one worker, however small they are.
const WINDOW: usize = 64;
/// How long a job may take before no more is sent behind it, and what was is taken back.
const LONG: u64 = 5_000_000;
/// How long a worker may take to say its first word.
const SILENCE: u64 = 10_000_000_000;
/// How many starts in a row may fail. Those do not count in which the worker was killed by somebody else; but how long
/// even that may go on does.
const MAX_FAILURES: u32 = 3;
const GIVE_UP: u64 = 10_000_000_000;
/// How long to wait after the first failed start; four times as long after each further one. After a kill never longer
/// than that: it may be over at any time.
const BACKOFF: u64 = 5_000_000;
const MAX_BACKOFF: u64 = 320_000_000;

/// Which item of which job a worker has begun: its jobs are numbered from 1 as they are sent to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(pub(crate) u64);

impl Ticket {
    /// How many items a job can have.
    pub(crate) const MOST_ITEMS: usize = (1 << 20) - 1;

    pub(crate) fn new(number: u64, item: u32) -> Ticket {
        Ticket(number << 20 | u64::from(item))
    }

    pub(crate) fn number(self) -> u64 {
        self.0 >> 20
    }

    pub(crate) fn item(self) -> u32 {
        (self.0 & ((1 << 20) - 1)) as u32
    }
}

/// What the core does not look into: arguments, and who wants to know.
pub(crate) trait Payload {
    /// These items have no value, and why.
    fn lose(&mut self, items: Range<u32>, why: &Why<'_>);
}

/// Why an item has no value. What the worker itself answers, panics included, is a value to the core.
#[derive(Clone, Debug)]
pub(crate) enum Why<'a> {
    /// The worker ended while it was at this item; given up after so many attempts.
    Died {
        obituary: &'a Obituary,
        attempt: u32,
        poisoned: bool,
    },
    TimedOut(Duration),
    Cancelled,
    ShutDown,
    Broken(&'a str),
}

/// What is known of a worker that ended.
#[derive(Clone, Debug)]
pub(crate) struct Obituary {
    pub(crate) pid: u32,
    pub(crate) how: Death,
    /// It was killed, and neither by us nor, as far as can be known, by itself.
    pub(crate) from_outside: bool,
    /// What it had begun last.
    pub(crate) begun: Ticket,
    pub(crate) stderr_tail: String,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Action<P> {
    /// Start a worker in this place.
    Start(usize),
    /// Send it this job, from this item on, under this number.
    Send {
        worker: usize,
        job: Key,
        number: u64,
        from: u32,
    },
    /// Take back what the worker has and has not begun, behind its first job; and say what that leaves it.
    TakeBack(usize),
    /// Raise the flag that asks this item to stop.
    Ask { worker: usize, ticket: Ticket },
    /// Tell the worker that nothing more will come: it ends when it has done what it has.
    Retire(usize),
    /// Kill it and whatever it started.
    Kill(usize),
    /// All items of this job are answered.
    Resolve(P),
}

/// What somebody wants done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) function: u16,
    pub(crate) items: u32,
    pub(crate) idempotent: bool,
    pub(crate) limit: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) workers: usize,
    pub(crate) queue: usize,
    pub(crate) max_jobs: u64,
    pub(crate) max_attempts: u32,
    pub(crate) idle: Option<u64>,
    pub(crate) grace: u64,
}

/// A job that is accepted and not answered.
struct Job<P> {
    payload: P,
    wish: Wish,
    /// How many of its items are answered: the first ones.
    done: u32,
    /// How often the item after those was begun and lost with its worker.
    lost: u32,
    /// The worker that has it; `None` while it is queued.
    with: Option<u16>,
    /// Nobody wants it any more, but a worker has it.
    cancelled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// There is no process in this place.
    Absent,
    /// There is one, and it has not said a word.
    Starting,
    /// It has said a word, and runs its initializer.
    Preparing,
    /// It takes jobs.
    Ready,
    /// It takes no more jobs.
    Ending,
}

/// The item that a worker answers next.
pub(crate) struct Expected<'a, P> {
    pub(crate) key: Key,
    pub(crate) ticket: Ticket,
    /// How many items are left of its job, with this one.
    pub(crate) left: u32,
    pub(crate) payload: &'a mut P,
}

struct Worker {
    state: State,
    /// The jobs it has, in the order in which it does them. The first one's number is `first`.
    jobs: VecDeque<Key>,
    first: u64,
    /// How much work that is, in nanoseconds, as far as is known.
    load: u64,
    /// How many items it was given since its start, and whether it ever answered.
    given: u64,
    answered: bool,
    /// It is to be replaced when it has done what it has.
    outgrown: bool,
    /// The item whose time counts.
    at: Ticket,
    /// What it was asked to stop, and why.
    asked: Option<(Ticket, Option<Duration>)>,
    /// When something has to be done about it if nothing happens.
    deadline: Option<Time>,
    /// When it came to its first job, or was last asked what it has not begun.
    turned: Time,
    /// It is long at its first job. Nothing is sent behind that.
    long: bool,
}

/// What happens to new jobs, and to queued ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    /// No more jobs; those that are queued are done.
    Draining,
    /// No more jobs; those that are queued fail.
    Closed,
    /// Cannot start workers; why.
    Broken(String),
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) submitted: u64,
    pub(crate) answered: u64,
    pub(crate) started: u64,
    pub(crate) died: u64,
    pub(crate) given_back: u64,
    pub(crate) taken_back: u64,
    pub(crate) retried: u64,
}

pub(crate) struct Core<P> {
    limits: Limits,
    phase: Phase,
    jobs: Slab<Job<P>>,
    /// Those that wait for a worker; among them keys of jobs that were cancelled meanwhile.
    queue: VecDeque<Key>,
    queued: usize,
    workers: Vec<Worker>,
    /// The idle ones; the one that was busy last is on top, so that the others can retire.
    idle: Vec<usize>,
    starting: usize,
    /// How long an item takes, by function: nanoseconds, rather too much than too little.
    cost: Vec<u64>,
    failures: u32,
    /// How many of those were nobody else's doing; and since when no start has succeeded.
    own_failures: u32,
    failing_since: Option<Time>,
    not_before: Time,
    pub(crate) counts: Counts,
    /// A deadline has been set since this was last taken back.
    pub(crate) alarm: bool,
    pub(crate) actions: VecDeque<Action<P>>,
}

// ANCHOR: submit
impl<P: Payload> Core<P> {
    pub(crate) fn new(limits: Limits, functions: usize) -> Core<P> {
        let worker = |_| Worker {
            state: State::Absent,
            jobs: VecDeque::new(),
            first: 1,
            load: 0,
            given: 0,
            answered: false,
            outgrown: false,
            at: Ticket::default(),
            asked: None,
            deadline: None,
            turned: 0,
            long: false,
        };
        Core {
            limits,
            phase: Phase::Open,
            jobs: Slab::new(),
            queue: VecDeque::new(),
            queued: 0,
            workers: (0..limits.workers).map(worker).collect(),
            idle: Vec::new(),
            starting: 0,
            cost: vec![u64::MAX; functions],
            failures: 0,
            own_failures: 0,
            failing_since: None,
            not_before: 0,
            counts: Counts::default(),
            alarm: false,
            actions: VecDeque::new(),
        }
    }

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
    fn pump(&mut self, now: Time) {
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

    /// Starts workers where there is a place, until no more are queued than those that are starting will take.
    /// After a failure, one at a time.
    fn start_some(&mut self, now: Time) {
        while self.wants_start() && now >= self.not_before {
            let absent = |worker: &Worker| worker.state == State::Absent;
            let Some(place) = self.workers.iter().position(absent) else {
                break;
            };
            self.start(now, place);
        }
    }

    fn wants_start(&self) -> bool {
        self.queued > self.starting && (self.failures == 0 || self.starting == 0)
    }

    fn start(&mut self, now: Time, place: usize) {
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

    fn cost(&self, function: u16) -> u64 {
        self.cost
            .get(usize::from(function))
            .copied()
            .unwrap_or(u64::MAX)
    }
}
// ANCHOR_END: submit

// ANCHOR: worker
/// What workers say.
impl<P: Payload> Core<P> {
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

    /// A function is believed to be slow at once, and to be fast by and by.
    fn measured(&mut self, function: u16, took: u64) {
        if let Some(cost) = self.cost.get_mut(usize::from(function)) {
            *cost = match *cost {
                old if old == u64::MAX || took > old => took,
                old => old - (old - took) / 8,
            };
        }
    }

    /// A worker has nothing to do.
    fn rest(&mut self, now: Time, place: usize) {
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

    /// A worker is long at its first job, and others lie behind it: when they are to be taken back.
    fn take_back_at(worker: &Worker) -> Option<Time> {
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

    fn retire(&mut self, now: Time, place: usize) {
        let worker = &mut self.workers[place];
        worker.state = State::Ending;
        worker.deadline = Some(now.saturating_add(self.limits.grace));
        self.alarm = true;
        self.actions.push_back(Action::Retire(place));
    }

    /// A worker turns to its first job: from here its time counts.
    fn watch(&mut self, now: Time, place: usize) {
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
    fn ask(&mut self, now: Time, place: usize, limit: Option<Duration>) {
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
// ANCHOR_END: worker

// ANCHOR: death
/// What happens to workers.
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

    fn give_back(&mut self, key: Key) {
        self.queue.push_front(key);
        self.queued += 1;
        let job = self.jobs.get(key).expect("just given back");
        if job.cancelled {
            self.queued -= 1;
            self.fail(key, &Why::Cancelled);
        }
    }

    fn start_failed(&mut self, now: Time, why: &str, from_outside: bool) {
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

fn why_asked(limit: Option<Duration>) -> Why<'static> {
    limit.map_or(Why::Cancelled, Why::TimedOut)
}
// ANCHOR_END: death

// ANCHOR: ends
/// Cancelling, closing, and the clock.
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

    /// Kills a worker. Its place is free when it has ended.
    fn doom(&mut self, place: usize) {
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

    fn fail_queued(&mut self, why: &Why<'_>) {
        self.queued = 0;
        for key in std::mem::take(&mut self.queue) {
            self.fail(key, why);
        }
    }

    fn fail(&mut self, key: Key, why: &Why<'_>) {
        if let Some(job) = self.jobs.get_mut(key) {
            let items = job.done..job.wish.items;
            job.payload.lose(items, why);
            self.resolve(key);
        }
    }

    fn resolve(&mut self, key: Key) {
        if let Some(job) = self.jobs.remove(key) {
            self.counts.answered += 1;
            self.actions.push_back(Action::Resolve(job.payload));
        }
    }

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
// ANCHOR_END: ends

/// What one can see from outside.
impl<P> Core<P> {
    pub(crate) fn job(&self, key: Key) -> Option<&P> {
        Some(&self.jobs.get(key)?.payload)
    }

    pub(crate) fn state(&self, place: usize) -> State {
        self.workers[place].state
    }

    /// How many jobs the worker has.
    pub(crate) fn load(&self, place: usize) -> usize {
        self.workers[place].jobs.len()
    }

    /// Whether this worker was asked to stop what it is at.
    #[cfg(test)]
    pub(crate) fn is_asked(&self, place: usize) -> bool {
        self.workers[place].asked.is_some()
    }

    /// The number of the job that this worker is at, or gets next. All before it are over.
    pub(crate) fn turn(&self, place: usize) -> u64 {
        self.workers[place].first
    }

    /// The job that this worker is at.
    pub(crate) fn at(&self, place: usize) -> Option<Key> {
        self.workers[place].jobs.front().copied()
    }

    pub(crate) fn queued(&self) -> usize {
        self.queued
    }

    /// The worker that has the job; `None` if it is queued.
    pub(crate) fn with(&self, key: Key) -> Option<usize> {
        self.jobs.get(key)?.with.map(usize::from)
    }

    /// Whether the job lies behind another one, from where it may be taken back.
    pub(crate) fn is_behind(&self, key: Key) -> bool {
        let place = self.with(key);
        place.is_some_and(|place| self.workers[place].jobs.front() != Some(&key))
    }

    /// Whether the job is with a worker that has no other one, and nobody waits for a worker: then one can wait for it
    /// there.
    pub(crate) fn alone_with(&self, key: Key) -> Option<usize> {
        let place = self.with(key)?;
        (self.workers[place].jobs.len() == 1 && self.queued == 0).then_some(place)
    }

    pub(crate) fn wish(&self, key: Key) -> Option<Wish> {
        Some(self.jobs.get(key)?.wish)
    }

    pub(crate) fn places(&self) -> usize {
        self.workers.len()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.phase != Phase::Open || self.queued < self.limits.queue || !self.idle.is_empty()
    }
}

/// A duration as the core counts.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "core_simulated.rs"]
mod simulated;
