//! The search misses no order of steps: it is held against a model that knows nothing of it.
//!
//! The model below runs the same small random programs as a table of states, with no threads and no
//! search order, and collects every result that any order of steps can have. The search must come
//! to exactly the same results.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex as StdMutex};

use whatif::sync::{Condvar, Mutex, Shared};
use whatif::{Checker, Ending, Outcome, thread};

/// One step of a program. Each robot has one number of its own, in which it keeps what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Do {
    /// own = own * 3 + cell
    Read(usize),
    /// cell = own + constant
    Write(usize, u32),
    Lock(usize),
    Unlock(usize),
    /// If the lock is free: own += 100, cell 0 += 1, all while holding it.
    Try(usize),
    /// Sleeps at the bell; gives lock 0 back meanwhile. Only while holding it.
    Wait,
    RingOne,
    RingAll,
}

type Program = Vec<Vec<Do>>;

/// The numbers of all robots, then the cells.
type Result = Vec<u32>;

// The model ------------------------------------------------------------------------------------------------------

#[derive(Clone, PartialEq, Eq, Hash)]
struct Moment {
    at: Vec<usize>,
    own: Vec<u32>,
    cells: [u32; 2],
    held: [Option<usize>; 2],
    /// Asleep: Some(rung).
    asleep: Vec<Option<bool>>,
    may_wake_unasked: bool,
}

impl Moment {
    fn start(program: &Program) -> Moment {
        let n = program.len();
        Moment {
            at: vec![0; n],
            own: vec![1; n],
            cells: [0; 2],
            held: [None; 2],
            asleep: vec![None; n],
            may_wake_unasked: true,
        }
    }

    fn is_done(&self, program: &Program, robot: usize) -> bool {
        self.at[robot] == program[robot].len()
    }

    fn is_ready(&self, program: &Program, robot: usize) -> bool {
        match (self.asleep[robot], program[robot].get(self.at[robot])) {
            (_, None) => false,
            (Some(rung), _) => rung && self.held[0].is_none(),
            (None, Some(Do::Lock(lock))) => self.held[*lock].is_none(),
            (None, Some(_)) => true,
        }
    }

    /// All moments that can come next, with the robot that moved. Most steps have one outcome; a
    /// ring can choose.
    fn next(&self, program: &Program) -> Vec<(usize, bool, Moment)> {
        let robots = 0..program.len();
        let anybody = robots.clone().any(|robot| self.is_ready(program, robot));
        let mut next = Vec::new();
        for robot in robots {
            if self.is_ready(program, robot) {
                next.extend(
                    self.moves(program, robot).into_iter().map(|moment| (robot, false, moment)),
                );
            } else if anybody
                && self.may_wake_unasked
                && self.asleep[robot] == Some(false)
                && self.held[0].is_none()
            {
                let mut moment = self.clone();
                moment.may_wake_unasked = false;
                moment.wake(robot);
                next.push((robot, true, moment));
            }
        }
        next
    }

    fn wake(&mut self, robot: usize) {
        self.asleep[robot] = None;
        self.held[0] = Some(robot);
        self.at[robot] += 1;
    }

    fn moves(&self, program: &Program, robot: usize) -> Vec<Moment> {
        let mut moment = self.clone();
        if self.asleep[robot].is_some() {
            moment.wake(robot);
            return vec![moment];
        }
        let step = program[robot][self.at[robot]];
        if step != Do::Wait {
            moment.at[robot] += 1;
        }
        match step {
            Do::Read(cell) => moment.own[robot] = moment.own[robot] * 3 + moment.cells[cell],
            Do::Write(cell, plus) => moment.cells[cell] = moment.own[robot] + plus,
            Do::Lock(lock) => moment.held[lock] = Some(robot),
            Do::Unlock(lock) => moment.held[lock] = None,
            Do::Try(lock) => {
                if moment.held[lock].is_none() {
                    moment.own[robot] += 100;
                    moment.cells[0] += 1;
                }
            }
            Do::Wait => {
                moment.asleep[robot] = Some(false);
                moment.held[0] = None;
            }
            Do::RingAll => moment.asleep.iter_mut().flatten().for_each(|rung| *rung = true),
            Do::RingOne => {
                let sleepers: Vec<usize> =
                    (0..program.len()).filter(|other| self.asleep[*other] == Some(false)).collect();
                if !sleepers.is_empty() {
                    let ring = |sleeper: &usize| {
                        let mut moment = moment.clone();
                        moment.asleep[*sleeper] = Some(true);
                        moment
                    };
                    return sleepers.iter().map(ring).collect();
                }
            }
        }
        vec![moment]
    }
}

/// All results, and whether some order leads to a standstill.
fn by_model(program: &Program) -> (BTreeSet<Result>, bool) {
    let (mut results, mut stuck) = (BTreeSet::new(), false);
    let mut seen = HashMap::new();
    let mut open = vec![Moment::start(program)];
    while let Some(moment) = open.pop() {
        if seen.insert(moment.clone(), ()).is_some() {
            continue;
        }
        let next = moment.next(program);
        if next.is_empty() {
            if (0..program.len()).all(|robot| moment.is_done(program, robot)) {
                results.insert([moment.own.clone(), moment.cells.to_vec()].concat());
            } else {
                stuck = true;
            }
        }
        open.extend(next.into_iter().map(|(_, _, moment)| moment));
    }
    (results, stuck)
}

/// The fewest preemptions with which some order leads to a standstill. (Dijkstra, by buckets.)
///
/// Giving a lock back, and what follows until the next step that others could notice, belongs to
/// the step before it.
fn fewest_preemptions(program: &Program) -> Option<usize> {
    let settle = |mut moment: Moment, robot: usize| {
        while let Some(Do::Unlock(lock)) = program[robot].get(moment.at[robot]) {
            moment.held[*lock] = None;
            moment.at[robot] += 1;
        }
        moment
    };
    let mut seen: HashMap<(Moment, Option<usize>), usize> = HashMap::new();
    let mut buckets: Vec<Vec<(Moment, Option<usize>)>> = vec![vec![(Moment::start(program), None)]];
    let mut price = 0;
    while price < buckets.len() {
        while let Some((moment, last)) = buckets[price].pop() {
            if seen.get(&(moment.clone(), last)).is_some_and(|seen| *seen <= price) {
                continue;
            }
            seen.insert((moment.clone(), last), price);
            let next = moment.next(program);
            if next.is_empty() && !(0..program.len()).all(|robot| moment.is_done(program, robot)) {
                return Some(price);
            }
            for (robot, unasked, moment_after) in next {
                // The step at which a robot falls asleep is followed by a stop at which it is not
                // ready.
                let interrupts =
                    last.is_some_and(|last| last != robot && moment.is_ready(program, last));
                let price = price + usize::from(interrupts || unasked);
                if buckets.len() <= price {
                    buckets.resize(price + 1, Vec::new());
                }
                buckets[price].push((settle(moment_after, robot), Some(robot)));
            }
        }
        price += 1;
    }
    None
}

// The same programs, for real ------------------------------------------------------------------------------------

struct World {
    cells: [Shared<u32>; 2],
    locks: [Mutex<()>; 2],
    bell: Condvar,
}

fn act(world: &World, steps: &[Do]) -> u32 {
    let mut own = 1;
    let mut held = [None, None];
    for step in steps {
        match *step {
            Do::Read(cell) => own = own * 3 + world.cells[cell].get(),
            Do::Write(cell, plus) => world.cells[cell].set(own + plus),
            Do::Lock(lock) => held[lock] = Some(world.locks[lock].lock().unwrap()),
            Do::Unlock(lock) => held[lock] = None,
            Do::Try(lock) => {
                if let Ok(guard) = world.locks[lock].try_lock() {
                    own += 100;
                    held[lock] = Some(guard);
                    world.cells[0].write(|cell| *cell += 1);
                    held[lock] = None;
                }
            }
            Do::Wait => held[0] = Some(world.bell.wait(held[0].take().unwrap()).unwrap()),
            Do::RingOne => world.bell.notify_one(),
            Do::RingAll => world.bell.notify_all(),
        }
    }
    own
}

fn by_search(program: &Program) -> (BTreeSet<Result>, Outcome) {
    let results = Arc::new(StdMutex::new(BTreeSet::new()));
    let (program, found) = (program.clone(), Arc::clone(&results));
    let report =
        Checker::new("a random program").shares_nothing().max_runs(100_000).explore(move || {
            let world = World {
                cells: [Shared::new(0), Shared::new(0)],
                locks: [Mutex::new(()), Mutex::new(())],
                bell: Condvar::new(),
            };
            let own: Vec<u32> = thread::scope(|scope| {
                let robots: Vec<_> =
                    program.iter().map(|steps| scope.spawn(|| act(&world, steps))).collect();
                robots.into_iter().map(|robot| robot.join().unwrap()).collect()
            });
            let cells = world.cells.map(Shared::into_inner);
            found.lock().unwrap().insert([own, cells.to_vec()].concat());
        });
    (Arc::try_unwrap(results).unwrap_or_default().into_inner().unwrap_or_default(), report.outcome)
}

// Random programs ------------------------------------------------------------------------------------------------

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn access(&mut self) -> Do {
        let cell = self.below(2) as usize;
        if self.below(2) == 0 { Do::Read(cell) } else { Do::Write(cell, self.below(9) as u32) }
    }

    fn bare(&mut self, steps: u64) -> Vec<Do> {
        (0..steps).map(|_| self.access()).collect()
    }

    /// Takes one or two locks, around and between accesses; always gives back what it has taken.
    fn locking(&mut self, steps: u64) -> Vec<Do> {
        let (outer, inner) = if self.below(2) == 0 { (0, 1) } else { (1, 0) };
        let nested = self.below(4) != 0;
        let mut list = vec![Do::Lock(outer)];
        if nested {
            list.push(Do::Lock(inner));
        }
        list.extend(self.bare(steps));
        if nested {
            list.push(Do::Unlock(inner));
        }
        list.push(Do::Unlock(outer));
        list.push(self.access());
        list
    }

    fn trying(&mut self) -> Vec<Do> {
        vec![self.access(), Do::Try(self.below(2) as usize)]
    }

    fn ringing(&mut self) -> Vec<Do> {
        let ring = if self.below(2) == 0 { Do::RingOne } else { Do::RingAll };
        match self.below(3) {
            0 => vec![Do::Lock(0), Do::Wait, self.access(), Do::Unlock(0)],
            1 => vec![self.access(), ring],
            _ => vec![Do::Lock(0), self.access(), ring, Do::Unlock(0)],
        }
    }
}

/// Where the model sees a standstill, the search must find one; elsewhere it must prove that there
/// is none, and come to the same results.
fn compare(program: &Program) -> Option<usize> {
    let (expected, stuck) = by_model(program);
    let (found, outcome) = by_search(program);
    match outcome {
        Outcome::Proved { .. } => {
            assert!(!stuck, "{program:?}: the model sees a standstill, the search does not");
            assert_eq!(expected, found, "{program:?}");
            None
        }
        Outcome::Failed(story) => {
            assert!(
                matches!(story.ending, Ending::Deadlock | Ending::LostWakeUp),
                "{program:?}\n{story}"
            );
            assert!(
                stuck,
                "{program:?}: the search sees a standstill, the model does not\n{story}"
            );
            Some(story.preemptions)
        }
        other => panic!("{program:?}: {other:?}"),
    }
}

#[test]
fn reads_and_writes_come_to_every_result_that_any_order_has() {
    let mut random = Random(1);
    for _ in 0..25 {
        compare(&(0..2).map(|_| random.bare(3)).collect());
        compare(&(0..3).map(|_| random.bare(1)).collect());
    }
}

#[test]
fn locks_come_to_every_result_and_to_every_deadlock_with_the_fewest_preemptions() {
    let mut random = Random(2);
    let (mut wrong, mut right) = (0, 0);
    for _ in 0..60 {
        let program: Program = (0..2).map(|_| random.locking(1)).collect();
        match compare(&program) {
            Some(preemptions) => {
                assert_eq!(Some(preemptions), fewest_preemptions(&program), "{program:?}");
                wrong += 1;
            }
            None => right += 1,
        }
    }
    assert!(
        wrong > 5 && right > 5,
        "the random programs must be of both kinds: {wrong} wrong, {right} right"
    );
}

#[test]
fn a_try_lock_sees_the_lock_held_and_free() {
    let mut random = Random(3);
    for _ in 0..40 {
        let mut program = vec![random.trying(), random.locking(1)];
        program.sort_by_key(|_| random.below(2));
        // Deadlocks have their own test: here one lock is enough.
        program
            .iter_mut()
            .for_each(|steps| steps.retain(|step| !matches!(step, Do::Lock(1) | Do::Unlock(1))));
        compare(&program);
    }
}

#[test]
fn bells_come_to_every_result_and_to_every_lost_wake_up() {
    let mut random = Random(4);
    let (mut wrong, mut right) = (0, 0);
    for i in 0..80 {
        let robots = if i % 4 == 0 { 3 } else { 2 };
        let program: Program = (0..robots).map(|_| random.ringing()).collect();
        match compare(&program) {
            Some(preemptions) => {
                assert_eq!(Some(preemptions), fewest_preemptions(&program), "{program:?}");
                wrong += 1;
            }
            None => right += 1,
        }
    }
    assert!(
        wrong > 5 && right > 5,
        "the random programs must be of both kinds: {wrong} wrong, {right} right"
    );
}

#[test]
fn no_schedule_is_run_twice() {
    // Two robots with three steps each, and nothing to wait for: 6 over 3 orders.
    let program = vec![vec![Do::Read(0); 3], vec![Do::Write(0, 1); 3]];
    let (_, outcome) = by_search(&program);
    assert!(matches!(outcome, Outcome::Proved { runs: 20 }), "{outcome:?}");
}
