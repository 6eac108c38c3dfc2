//! The core in a world of dice: workers start, fail, answer, hang and die as a seed says, jobs are submitted and cancelled,
//! and in the end the pool is shut down in one of three ways. After every step the promises are checked.

use std::collections::{HashMap, HashSet};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::queue::WINDOW;
use super::taking_back::LONG;
use super::*;

/// A job as the world knows it. It checks by itself that each of its items is settled once, in order.
pub(super) struct Paper {
    pub(super) id: u64,
    pub(super) items: u32,
    pub(super) settled: u32,
}

thread_local! {
    /// Items that were lost with their worker, and those that were lost without ever being begun.
    pub(super) static LOST: std::cell::RefCell<Vec<(u64, u32, &'static str)>> = const { std::cell::RefCell::new(Vec::new()) };
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
