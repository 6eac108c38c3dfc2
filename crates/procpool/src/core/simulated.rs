//! The core in a world of dice: workers start, fail, answer, hang and die as a seed says, jobs are submitted and cancelled,
//! and in the end the pool is shut down in one of three ways. After every step the promises are checked.

use std::collections::{HashMap, HashSet};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// A job as the world knows it. It checks by itself that each of its items is settled once, in order.
struct Paper {
    id: u64,
    items: u32,
    settled: u32,
}

thread_local! {
    /// Items that were lost with their worker, and those that were lost without ever being begun.
    static LOST: std::cell::RefCell<Vec<(u64, u32, &'static str)>> = const { std::cell::RefCell::new(Vec::new()) };
    /// The attempt of which they died.
    static ATTEMPTS: std::cell::RefCell<HashMap<(u64, u32), u32>> = std::cell::RefCell::default();
}

impl Payload for Paper {
    fn lose(&mut self, items: Range<u32>, why: &Why<'_>) {
        assert_eq!(
            items.start, self.settled,
            "items are settled in order, each once"
        );
        if let Why::Died { attempt, .. } = why {
            let item = (self.id, items.start);
            ATTEMPTS.with_borrow_mut(|attempts| attempts.insert(item, *attempt));
        }
        let why = match why {
            Why::Died { .. } => "died",
            Why::TimedOut(_) => "timed out",
            Why::Cancelled => "cancelled",
            Why::ShutDown => "shut down",
            Why::Broken(_) => "broken",
        };
        LOST.with_borrow_mut(|lost| lost.extend(items.clone().map(|item| (self.id, item, why))));
        self.settled = items.end;
    }
}

/// A process in the world.
#[derive(Default)]
struct Process {
    ready: bool,
    /// What was sent to it: number, job, from, items.
    jobs: VecDeque<(u64, u64, u32, u32)>,
    begun: Ticket,
    /// It is at the item in `begun`, which is not answered.
    busy: bool,
    /// How many items it was sent, and whether it has grown too much.
    given: u64,
    outgrown: bool,
    quit: bool,
    killed: bool,
}

struct World {
    dice: ChaCha8Rng,
    core: Core<Paper>,
    now: Time,
    processes: Vec<Option<Process>>,
    idempotent: HashMap<u64, bool>,
    keys: Vec<Key>,
    begun: HashMap<(u64, u32), u32>,
    resolved: HashSet<u64>,
    cancelled: HashSet<u64>,
    /// The items that a worker was asked to stop.
    asked: HashSet<(u64, u32)>,
    next: u64,
    closed: bool,
    limits: Limits,
}

impl World {
    fn new(seed: u64) -> World {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let limits = Limits {
            workers: dice.random_range(1..5),
            queue: dice.random_range(1..40),
            max_jobs: if dice.random_bool(0.3) {
                dice.random_range(1..20)
            } else {
                u64::MAX
            },
            max_attempts: dice.random_range(1..4),
            idle: dice.random_bool(0.3).then_some(50_000),
            grace: 20_000,
        };
        World {
            core: Core::new(limits, 3),
            now: 0,
            processes: (0..limits.workers).map(|_| None).collect(),
            idempotent: HashMap::new(),
            keys: Vec::new(),
            begun: HashMap::new(),
            resolved: HashSet::new(),
            cancelled: HashSet::new(),
            asked: HashSet::new(),
            next: 0,
            closed: false,
            dice,
            limits,
        }
    }

    /// Does what the core wants.
    fn obey(&mut self) {
        while let Some(action) = self.core.actions.pop_front() {
            match action {
                Action::Start(place) => {
                    assert!(self.processes[place].is_none(), "two workers in one place");
                    self.processes[place] = Some(Process::default());
                }
                Action::Send {
                    worker,
                    job,
                    number,
                    from,
                } => {
                    let paper = self.core.job(job).expect("it is not answered yet");
                    let (id, items) = (paper.id, paper.items);
                    assert_eq!(from, paper.settled);
                    let process = self.processes[worker].as_mut().expect("sent to nobody");
                    assert!(
                        process.ready && !process.quit,
                        "sent to somebody who takes no jobs"
                    );
                    assert!(
                        process.given < self.limits.max_jobs && !process.outgrown,
                        "sent to somebody who is to be replaced"
                    );
                    assert!(!self.cancelled.contains(&id), "cancelled, and sent again");
                    process.given += u64::from(items - from);
                    process.jobs.push_back((number, id, from, items));
                    assert!(process.jobs.len() <= WINDOW);
                }
                Action::TakeBack(place) => {
                    let process = self.processes[place].as_mut().expect("taken from nobody");
                    let begun = process.begun.number();
                    let begun = (begun >= self.core.turn(place)).then_some(begun);
                    if let Some(begun) = begun {
                        let given = &mut process.given;
                        process.jobs.retain(|&(number, _, from, items)| {
                            *given -= if number > begun {
                                u64::from(items - from)
                            } else {
                                0
                            };
                            number <= begun
                        });
                    }
                    self.core.taken_back(self.now, place, begun);
                }
                Action::Ask { worker, ticket } => {
                    let process = self.processes[worker].as_ref().expect("nobody to ask");
                    let mut jobs = process.jobs.iter();
                    let job = jobs.find(|(number, ..)| *number == ticket.number());
                    let (_, id, ..) = job.expect("it has no such job");
                    self.asked.insert((*id, ticket.item()));
                }
                Action::Retire(place) => {
                    let process = self.processes[place].as_mut().expect("nobody to retire");
                    process.quit = true;
                }
                Action::Kill(place) => {
                    if let Some(process) = &mut self.processes[place] {
                        process.killed = true;
                    }
                }
                Action::Resolve(paper) => {
                    assert_eq!(paper.settled, paper.items, "resolved before all is settled");
                    assert!(self.resolved.insert(paper.id), "resolved twice");
                }
            }
        }
        assert!(self.core.queued() <= self.limits.queue + self.limits.workers * WINDOW);
    }

    fn step(&mut self) {
        self.now += self.dice.random_range(0..3_000);
        match self.dice.random_range(0..100) {
            0..30 => self.submit(),
            30..35 => self.cancel(),
            35..45 => self.tick(),
            45..46 => {
                let place = self.dice.random_range(0..self.processes.len());
                if let Some(process) = &mut self.processes[place]
                    && process.ready
                {
                    process.outgrown = true;
                    self.core.outgrew(self.now, place);
                }
            }
            _ => {
                let place = self.dice.random_range(0..self.processes.len());
                self.live(place);
            }
        }
        self.obey();
    }

    fn submit(&mut self) {
        let items = if self.dice.random_bool(0.3) {
            self.dice.random_range(1..9)
        } else {
            1
        };
        let wish = Wish {
            function: self.dice.random_range(0..3),
            items,
            idempotent: self.dice.random_bool(0.4),
            limit: self
                .dice
                .random_bool(0.2)
                .then_some(Duration::from_micros(30)),
        };
        let paper = Paper {
            id: self.next,
            items,
            settled: 0,
        };
        let has_room = self.core.has_room();
        let taken = self.core.submit(self.now, wish, paper);
        assert_eq!(taken.is_ok(), has_room, "a place is a promise");
        if let Ok(key) = taken {
            self.idempotent.insert(self.next, wish.idempotent);
            self.keys.push(key);
            self.next += 1;
        }
    }

    fn cancel(&mut self) {
        if self.keys.is_empty() {
            return;
        }
        let key = self.keys[self.dice.random_range(0..self.keys.len())];
        let id = self.core.job(key).map(|paper| paper.id);
        let running = self.dice.random_bool(0.5);
        if self.core.cancel(self.now, key, running) {
            self.cancelled
                .insert(id.expect("what is not there cannot be cancelled"));
        }
    }

    fn tick(&mut self) {
        self.now += self.dice.random_range(0..30_000);
        if self.dice.random_bool(0.1) {
            self.now += LONG;
        }
        let jobs = self.keys.iter().filter_map(|&key| self.core.jobs.get(key));
        let queued = jobs.filter(|job| job.with.is_none()).count();
        assert_eq!(self.core.queued(), queued, "those that no worker has");
        let processes = &self.processes;
        let begun = |place: usize| {
            processes[place]
                .as_ref()
                .map_or(Ticket(0), |process| process.begun)
        };
        self.core.tick(self.now, begun);
    }

    /// A process does the next thing, or dies.
    fn live(&mut self, place: usize) {
        let Some(process) = &mut self.processes[place] else {
            return;
        };
        let dies = process.killed || self.dice.random_bool(0.04);
        if dies || process.quit && process.jobs.is_empty() {
            let (begun, killed) = (process.begun, process.killed);
            self.processes[place] = None;
            let obituary = Obituary {
                pid: 1,
                how: Death::Signal(9),
                from_outside: !killed && self.dice.random_bool(0.5),
                begun,
                stderr_tail: String::new(),
            };
            return self
                .core
                .died(self.now, place, &obituary, "the dice said so");
        }
        if !process.ready {
            process.ready = true;
            self.core.said_hello(place);
            return self.core.ready(self.now, place);
        }
        let Some((number, id, from, items)) = process.jobs.front_mut() else {
            return;
        };
        if !process.busy {
            process.begun = Ticket::new(*number, *from);
            process.busy = true;
            *self.begun.entry((*id, *from)).or_default() += 1;
            return;
        }
        if self.dice.random_bool(0.02) {
            return; // takes longer
        }
        process.busy = false;
        let ticket = Ticket::new(*number, *from);
        *from += 1;
        if from == items {
            process.jobs.pop_front();
        }
        let took = self.dice.random_range(0..100_000);
        let asked = self.core.is_asked(place);
        let next = self.core.expected(place).expect("it has a job");
        assert_eq!(
            next.ticket, ticket,
            "core and worker agree on what comes next"
        );
        if asked && self.dice.random_bool(0.1) {
            self.core.stopped(self.now, place);
        } else {
            next.payload.settled += 1;
            self.core.answered(self.now, place, 1, took);
        }
    }

    /// Shuts down, one way or another, and sees to it that the end comes.
    fn end(&mut self) {
        self.closed = true;
        match self.dice.random_range(0..3) {
            0 => self.core.close(self.now, false),
            1 => self.core.close(self.now, true),
            _ => self.core.kill(self.now),
        }
        self.obey();
        for _ in 0..200_000 {
            if self.core.is_over() {
                return;
            }
            self.now += 10_000;
            self.tick();
            self.obey();
            for place in 0..self.processes.len() {
                self.live(place);
                self.obey();
            }
        }
        panic!("the pool never comes to its end");
    }

    fn check(&self) {
        for id in 0..self.next {
            assert!(self.resolved.contains(&id), "job {id} was never answered");
        }
        for (&(id, item), &times) in &self.begun {
            let idempotent = self.idempotent[&id];
            assert!(
                idempotent || times == 1,
                "job {id} was begun {times} times at item {item}"
            );
            assert!(
                times <= self.limits.max_attempts,
                "job {id} was tried too often"
            );
        }
        for (item, attempt) in ATTEMPTS.take() {
            assert_eq!(attempt, self.begun[&item], "it counts what was begun");
        }
        for (id, item, why) in LOST.take() {
            let begun = self.begun.contains_key(&(id, item));
            match why {
                "died" => assert!(begun, "job {id} was lost before it was begun"),
                "timed out" => assert!(self.asked.contains(&(id, item)), "job {id} had time"),
                "cancelled" => assert!(self.cancelled.contains(&id)),
                "shut down" => assert!(self.closed),
                _ => {}
            }
        }
    }
}

#[test]
fn every_promise_holds_in_every_world() {
    let seeds = std::env::var("SEEDS")
        .ok()
        .and_then(|seeds| seeds.parse().ok());
    for seed in 0..seeds.unwrap_or(2_000) {
        let run = move || {
            let mut world = World::new(seed);
            let steps = world.dice.random_range(10..600);
            for _ in 0..steps {
                world.step();
            }
            world.end();
            world.check();
        };
        if let Err(panic) = std::panic::catch_unwind(run) {
            eprintln!("in the world of seed {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn three_failed_starts_in_a_row_break_the_pool() {
    let mut world = World::new(1);
    world.submit();
    let mut failed = 0;
    for _ in 0..100 {
        world.obey();
        let Some(place) = world.processes.iter().position(Option::is_some) else {
            world.now += 1_000_000;
            world.tick();
            continue;
        };
        world.processes[place] = None;
        let obituary = Obituary {
            pid: 1,
            how: Death::Exit(70),
            from_outside: false,
            begun: Ticket(0),
            stderr_tail: String::new(),
        };
        world
            .core
            .died(world.now, place, &obituary, "no such program");
        failed += 1;
    }
    world.obey();
    assert_eq!(failed, 3);
    assert!(world.resolved.contains(&0));
    let lost = LOST.take();
    assert!(lost.iter().all(|&(_, _, why)| why == "broken") && !lost.is_empty());
}

/// Somebody kills every worker as it starts, as a kill storm does, or a person who tidies up.
#[test]
fn workers_that_are_killed_as_they_start_break_the_pool_only_if_that_lasts() {
    let mut core = Core::new(CALM, 1);
    give(&mut core, 0, None);
    let (mut now, mut starts) = (0, 0);
    while core.phase == Phase::Open {
        core.tick(now, |_| Ticket(0));
        for want in wants(&mut core) {
            assert_eq!(want, "start 0");
            starts += 1;
            let obituary = Obituary {
                pid: 1,
                how: Death::Signal(9),
                from_outside: true,
                begun: Ticket(0),
                stderr_tail: String::new(),
            };
            core.died(now, 0, &obituary, "killed");
        }
        now = core.next_deadline().unwrap_or(now);
    }
    assert!(now >= GIVE_UP, "after {now} ns");
    assert!((10..100).contains(&starts), "{starts} starts");
    assert_eq!(wants(&mut core), ["resolve 0"]);
    // And a good start in between begins the count anew.
    let mut core = staffed(CALM, 1);
    assert_eq!(core.failing_since, None);
    core.start_failed(7, "killed", true);
    assert_eq!(core.failing_since, Some(7));
    core.workers[0].state = State::Preparing;
    core.starting = 1;
    core.ready(8, 0);
    assert_eq!(core.failing_since, None);
}

// What the dice meet too seldom, or what takes its time, one by one.

const CALM: Limits = Limits {
    workers: 1,
    queue: 1000,
    max_jobs: u64::MAX,
    max_attempts: 3,
    idle: None,
    grace: 500,
};

/// A pool whose workers are all there and idle. Its one function is known to take so many nanoseconds.
fn staffed(limits: Limits, takes: u64) -> Core<Paper> {
    let mut core = Core::new(limits, 1);
    for _ in 0..limits.workers {
        give(&mut core, 0, None);
    }
    for place in 0..limits.workers {
        core.said_hello(place);
        core.ready(0, place);
        finish(&mut core, 0, place, takes);
    }
    core.actions.clear();
    core
}

fn give(core: &mut Core<Paper>, id: u64, limit: Option<u64>) -> Key {
    let wish = Wish {
        function: 0,
        items: 1,
        idempotent: false,
        limit: limit.map(Duration::from_nanos),
    };
    let paper = Paper {
        id,
        items: 1,
        settled: 0,
    };
    core.submit(0, wish, paper).ok().expect("there is room")
}

/// The worker answers its first job.
fn finish(core: &mut Core<Paper>, now: Time, place: usize, took: u64) {
    let next = core.expected(place).expect("it has a job");
    next.payload.settled += 1;
    core.answered(now, place, 1, took);
}

fn dies(core: &mut Core<Paper>, now: Time, place: usize, begun: u64) {
    let obituary = Obituary {
        pid: 1,
        how: Death::Signal(9),
        from_outside: false,
        begun: Ticket::new(begun, 0),
        stderr_tail: String::new(),
    };
    core.died(now, place, &obituary, "killed");
}

/// What it wants done, in words. Sent jobs by their names.
fn wants(core: &mut Core<Paper>) -> Vec<String> {
    let actions = std::mem::take(&mut core.actions);
    let word = |action: Action<Paper>| match action {
        Action::Start(place) => format!("start {place}"),
        Action::Send { worker, job, .. } => {
            format!(
                "send {} to {worker}",
                core.job(job).expect("it is there").id
            )
        }
        Action::TakeBack(place) => format!("take back from {place}"),
        Action::Ask { worker, .. } => format!("ask {worker}"),
        Action::Retire(place) => format!("retire {place}"),
        Action::Kill(place) => format!("kill {place}"),
        Action::Resolve(paper) => format!("resolve {}", paper.id),
    };
    actions.into_iter().map(word).collect()
}

#[test]
fn jobs_of_a_dead_worker_are_next_in_their_order() {
    let mut core = staffed(CALM, 1);
    for id in 10..13 {
        give(&mut core, id, None);
    }
    core.outgrew(0, 0); // so that the others wait
    give(&mut core, 13, None);
    give(&mut core, 14, None);
    core.actions.clear();
    dies(&mut core, 1, 0, 2); // it was at number 2, which is job 10
    assert_eq!(wants(&mut core), ["resolve 10", "start 0"]);
    core.ready(1, 0);
    assert_eq!(
        wants(&mut core),
        [11, 12, 13, 14].map(|id| format!("send {id} to 0"))
    );
}

#[test]
fn tiny_jobs_lie_at_a_worker_up_to_the_window_and_no_others() {
    let mut core = staffed(CALM, 0);
    for id in 0..100 {
        give(&mut core, id, None);
    }
    assert_eq!((core.load(0), core.queued()), (WINDOW, 100 - WINDOW));
    let mut core = staffed(CALM, BACKLOG / 2);
    for id in 0..100 {
        give(&mut core, id, None);
    }
    assert_eq!(core.load(0), 2, "as much work as may lie there");
    let mut core = staffed(CALM, BACKLOG + 1);
    for id in 0..100 {
        give(&mut core, id, None);
    }
    assert_eq!(core.load(0), 1, "what takes long has nothing behind it");
}

#[test]
fn what_lies_behind_a_long_job_is_taken_back_and_goes_elsewhere() {
    let begun = |_| Ticket(0);
    let mut core = staffed(CALM, 1);
    for id in 1..5 {
        give(&mut core, id, None); // as numbers 2 to 5
    }
    core.actions.clear();
    assert_eq!(core.next_deadline(), Some(LONG));
    core.tick(LONG - 1, begun);
    assert!(wants(&mut core).is_empty(), "it may still be a tiny one");
    core.tick(LONG, begun);
    assert_eq!(wants(&mut core), ["take back from 0"]);
    core.taken_back(LONG, 0, None); // it has not come to its first one
    assert_eq!((core.load(0), core.next_deadline()), (4, Some(2 * LONG)));
    core.tick(2 * LONG, begun);
    core.taken_back(2 * LONG, 0, Some(3)); // it has done the first one, and we have not heard it yet
    assert_eq!((core.load(0), core.queued()), (2, 2));
    give(&mut core, 5, None);
    assert_eq!(
        (core.load(0), core.queued()),
        (2, 3),
        "nothing more behind that"
    );
    core.actions.clear();
    finish(&mut core, 2 * LONG + 1, 0, 1);
    let sent = ["resolve 1", "send 3 to 0", "send 4 to 0", "send 5 to 0"];
    assert_eq!(wants(&mut core), sent, "it goes on, and in the same order");
}

#[test]
fn nothing_is_sent_behind_a_job_that_is_long_already() {
    let mut core = staffed(CALM, 1);
    give(&mut core, 1, None);
    core.tick(LONG, |_| Ticket(0));
    core.taken_back(LONG, 0, Some(2));
    give(&mut core, 2, None);
    assert_eq!((core.load(0), core.queued()), (1, 1));
}

#[test]
fn a_job_over_its_time_is_asked_and_then_killed() {
    let mut core = staffed(CALM, 1);
    give(&mut core, 1, Some(100));
    core.actions.clear();
    assert_eq!(core.next_deadline(), Some(100));
    let begun = |_| Ticket::new(2, 0);
    core.tick(99, begun);
    assert!(wants(&mut core).is_empty());
    core.tick(100, begun);
    assert_eq!(wants(&mut core), ["ask 0"]);
    core.tick(599, begun);
    assert!(wants(&mut core).is_empty());
    core.tick(600, begun);
    assert_eq!(wants(&mut core), ["kill 0"]);
    dies(&mut core, 601, 0, 2);
    assert_eq!(wants(&mut core), ["resolve 1", "start 0"]);
    assert_eq!(LOST.take(), [(1, 0, "timed out")]);
}

#[test]
fn each_item_of_a_batch_has_a_limit_of_its_own() {
    let mut core = staffed(CALM, 1);
    let (items, settled, idempotent) = (3, 0, false);
    let limit = Some(Duration::from_nanos(100));
    let wish = Wish {
        function: 0,
        items,
        idempotent,
        limit,
    };
    let paper = Paper {
        id: 1,
        items,
        settled,
    };
    core.submit(0, wish, paper).ok().expect("there is room");
    core.actions.clear();
    core.tick(100, |_| Ticket::new(2, 1)); // it got on, though nothing was heard of it
    assert!(wants(&mut core).is_empty());
    assert_eq!(core.next_deadline(), Some(200));
    core.tick(200, |_| Ticket::new(2, 1));
    assert_eq!(wants(&mut core), ["ask 0"]);
}

#[test]
fn a_running_job_is_asked_when_it_is_cancelled_and_one_behind_it_when_its_turn_comes() {
    let mut core = staffed(CALM, 1);
    let keys = [1, 2, 3].map(|id| give(&mut core, id, None));
    core.actions.clear();
    assert!(!core.cancel(1, keys[0], false), "it runs");
    assert!(core.cancel(1, keys[1], true));
    assert!(wants(&mut core).is_empty(), "another one has its turn");
    assert!(core.cancel(1, keys[0], true));
    assert_eq!(wants(&mut core), ["ask 0"]);
    finish(&mut core, 2, 0, 1);
    assert_eq!(wants(&mut core), ["resolve 1", "ask 0"]);
    core.stopped(3, 0);
    assert_eq!(wants(&mut core), ["resolve 2"]);
    assert_eq!(LOST.take(), [(2, 0, "cancelled")]);
    finish(&mut core, 4, 0, 1);
    assert_eq!(wants(&mut core), ["resolve 3"]);
}

#[test]
fn who_is_asked_and_dies_of_something_else_is_not_told_as_out_of_time() {
    let mut core = staffed(CALM, 1);
    give(&mut core, 1, Some(100));
    give(&mut core, 2, None);
    core.tick(100, |_| Ticket::new(2, 0));
    // It had answered the first, and was at the second; the pool had not heard of it when it asked.
    let next = core.expected(0).expect("two jobs");
    next.payload.settled += 1;
    core.answered(101, 0, 1, 1);
    dies(&mut core, 101, 0, 3);
    assert_eq!(LOST.take(), [(2, 0, "died")]);
}

#[test]
fn idle_workers_leave_and_those_who_do_not_are_killed() {
    let limits = Limits {
        idle: Some(1000),
        ..CALM
    };
    let mut core = staffed(limits, 1);
    core.tick(999, |_| Ticket(0));
    assert!(wants(&mut core).is_empty());
    core.tick(1000, |_| Ticket(0));
    assert_eq!(wants(&mut core), ["retire 0"]);
    core.tick(1500, |_| Ticket(0));
    assert_eq!(wants(&mut core), ["kill 0"]);
    dies(&mut core, 1501, 0, 1);
    assert!(wants(&mut core).is_empty(), "nobody needs it");
}

#[test]
fn who_has_grown_too_much_does_what_it_has_and_leaves() {
    let mut core = staffed(CALM, 1);
    core.outgrew(1, 0);
    assert_eq!(wants(&mut core), ["retire 0"]);
    let mut core = staffed(CALM, 1);
    give(&mut core, 1, None);
    give(&mut core, 2, None);
    core.actions.clear();
    core.outgrew(1, 0);
    give(&mut core, 3, None);
    finish(&mut core, 2, 0, 1);
    assert_eq!(wants(&mut core), ["resolve 1"]);
    finish(&mut core, 2, 0, 1);
    assert_eq!(wants(&mut core), ["resolve 2", "retire 0"]);
    dies(&mut core, 3, 0, 3);
    assert_eq!(wants(&mut core), ["start 0"]);
    core.ready(4, 0);
    finish(&mut core, 5, 0, 1);
    assert_eq!(core.state(0), State::Ready, "the new one has not grown");
    assert_eq!(core.counts.died, 0);
}

#[test]
fn a_worker_that_never_says_a_word_is_killed() {
    let mut core = Core::new(CALM, 1);
    give(&mut core, 1, None);
    assert_eq!(wants(&mut core), ["start 0"]);
    assert_eq!(core.next_deadline(), Some(SILENCE));
    core.tick(SILENCE, |_| Ticket(0));
    assert_eq!(wants(&mut core), ["kill 0"]);
}

#[test]
fn a_dead_worker_is_replaced_though_nobody_waits() {
    let mut core = staffed(CALM, 1);
    give(&mut core, 1, None);
    core.actions.clear();
    dies(&mut core, 1, 0, 2);
    assert_eq!(wants(&mut core), ["resolve 1", "start 0"]);
}

#[test]
fn killing_ends_all_at_once() {
    let mut core = staffed(CALM, BACKLOG + 1);
    give(&mut core, 1, None);
    give(&mut core, 2, None);
    core.actions.clear();
    core.kill(1);
    assert_eq!(wants(&mut core), ["resolve 2", "kill 0"]);
    assert_eq!(LOST.take(), [(2, 0, "shut down")]);
    dies(&mut core, 2, 0, 2);
    assert!(core.is_over());
}

#[test]
fn failed_starts_are_forgotten_after_a_good_one() {
    let mut core = Core::new(CALM, 1);
    give(&mut core, 1, None);
    let mut now = 0;
    for _ in 0..3 {
        for _ in 0..2 {
            dies(&mut core, now, 0, 0); // it was starting
            now = core.next_deadline().expect("another try");
            core.tick(now, |_| Ticket(0));
        }
        core.ready(now, 0);
        dies(&mut core, now, 0, 0); // the job was not begun, so it waits again
        core.tick(now + SILENCE / 2, |_| Ticket(0));
    }
    assert_eq!(core.phase, Phase::Open);
    assert_eq!(core.state(0), State::Starting);
}

#[test]
fn a_worker_that_scribbled_over_its_page_spreads_no_rumours_about_time() {
    let mut core = staffed(CALM, 1);
    give(&mut core, 1, Some(100));
    give(&mut core, 2, None);
    core.tick(100, |_| Ticket::new(2, 0));
    dies(&mut core, 101, 0, 1 << 30); // so it says that it had begun everything
    assert_eq!(LOST.take(), [(2, 0, "died"), (1, 0, "timed out")]);
}

#[test]
fn a_cancelled_job_does_not_go_back_to_the_queue() {
    let mut core = staffed(CALM, 1);
    give(&mut core, 1, None);
    let key = give(&mut core, 2, None);
    assert!(core.cancel(1, key, true));
    dies(&mut core, 2, 0, 2);
    assert_eq!(LOST.take(), [(2, 0, "cancelled"), (1, 0, "died")]);
    assert_eq!((core.queued(), core.counts.given_back), (0, 0));
}
