//! A proof leaves out schedules that nobody can tell from one that is run. Held against all of
//! them: the same small random programs, with and without, must come to the same results and ends.

mod common;

use std::collections::BTreeSet;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use whatif::sync::atomic::{AtomicU32, Ordering};
use whatif::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use whatif::sync::{Arc, Barrier, Condvar, Mutex, OnceLock, RwLock, Shared, Unguarded};
use whatif::{Checker, Ending, Reduction, choose, step, thread};

/// One step of a program. Each robot has a number of its own, in which it keeps what it sees.
#[derive(Clone, Debug)]
enum Do {
    Read(usize),
    Write(usize, u32),
    Load(usize),
    Add(usize, u32),
    Exchange(usize, u32),
    /// Holds the lock while it does this.
    Locked(usize, Vec<Do>),
    /// The same, if the lock is free.
    IfFree(usize, Vec<Do>),
    /// Sleeps at the bell, if the lock 0 is held; but not for ever if it has been rung before.
    Sleep,
    RingOne,
    RingAll,
    Step,
    Yield,
    Choose,
    Send(u32),
    TryReceive,
    /// Another robot does this, and is waited for.
    Spawn(Vec<Do>),
    /// Sleeps at the bell as `Sleep` does, but not for ever.
    Doze,
    Shared(Vec<Do>),
    IfShared(Vec<Do>),
    Alone(Vec<Do>),
    IfAlone(Vec<Do>),
    Park,
    ParkAWhile,
    /// Unparks the robot of this number.
    Unpark(usize),
    /// Sends where there is place for one.
    Squeeze(u32),
    TrySqueeze(u32),
    Receive,
    ReceiveAWhile,
    Meet,
    Once(Vec<Do>),
    /// Looks at, or changes, what nothing orders.
    Peek,
    Poke,
    Acquire,
    Release,
    Relaxed,
}

type Program = Vec<Vec<Do>>;

struct World {
    cells: [Shared<u32>; 2],
    atomics: [AtomicU32; 2],
    locks: [Mutex<u32>; 2],
    bell: Condvar,
    sender: Mutex<Sender<u32>>,
    receiver: Mutex<Receiver<u32>>,
    shelf: RwLock<u32>,
    robots: StdMutex<Vec<thread::Thread>>,
    narrow: SyncSender<u32>,
    end: Mutex<Receiver<u32>>,
    barrier: Barrier,
    once: OnceLock<u32>,
    plate: Unguarded<u32>,
}

fn see(own: &mut u32, what: u32) {
    *own = own.wrapping_mul(31).wrapping_add(what + 1);
}

fn act(world: &Arc<World>, own: &mut u32, steps: &[Do]) {
    for it in steps {
        match it {
            Do::Read(cell) => see(own, world.cells[*cell].get()),
            Do::Write(cell, n) => world.cells[*cell].set(*own % 7 + n),
            Do::Load(cell) => see(own, world.atomics[*cell].load(Ordering::SeqCst)),
            Do::Add(cell, n) => see(own, world.atomics[*cell].fetch_add(*n, Ordering::SeqCst)),
            Do::Exchange(cell, n) => {
                let (now, order) = (*own % 3, Ordering::SeqCst);
                let result = world.atomics[*cell].compare_exchange(now, *n, order, order);
                see(own, result.unwrap_or_else(|there| there + 10));
            }
            Do::Locked(lock, inner) => {
                let mut guard = world.locks[*lock].lock().unwrap();
                see(own, *guard);
                *guard += 1;
                match inner[..] {
                    [Do::Sleep] => {
                        guard = world.bell.wait(guard).unwrap();
                        see(own, *guard);
                    }
                    [Do::Doze] => {
                        let (back, out) = world.bell.wait_timeout(guard, A_WHILE).unwrap();
                        guard = back;
                        see(own, *guard + u32::from(out.timed_out()) * 9);
                    }
                    _ => act(world, own, inner),
                }
                drop(guard);
            }
            Do::IfFree(lock, inner) => match world.locks[*lock].try_lock() {
                Ok(mut guard) => {
                    see(own, *guard);
                    *guard += 1;
                    act(world, own, inner);
                }
                Err(_) => see(own, 77),
            },
            Do::Sleep | Do::Doze => unreachable!("only with a lock"),
            Do::Shared(inner) => {
                let shelf = world.shelf.read().unwrap();
                see(own, *shelf);
                act(world, own, inner);
            }
            Do::IfShared(inner) => match world.shelf.try_read() {
                Ok(shelf) => {
                    see(own, *shelf);
                    act(world, own, inner);
                }
                Err(_) => see(own, 78),
            },
            Do::Alone(inner) => {
                let mut shelf = world.shelf.write().unwrap();
                *shelf = *shelf * 2 + *own % 5;
                act(world, own, inner);
            }
            Do::IfAlone(inner) => match world.shelf.try_write() {
                Ok(mut shelf) => {
                    *shelf += 1;
                    act(world, own, inner);
                }
                Err(_) => see(own, 79),
            },
            Do::Park => thread::park(),
            Do::ParkAWhile => thread::park_timeout(A_WHILE),
            Do::Unpark(robot) => {
                let robot = world.robots.lock().unwrap()[*robot].clone();
                robot.unpark();
            }
            Do::Squeeze(n) => see(own, u32::from(world.narrow.send(*n).is_ok())),
            Do::TrySqueeze(n) => see(own, u32::from(world.narrow.try_send(*n).is_ok())),
            Do::Receive => see(own, world.end.lock().unwrap().recv().unwrap_or(55)),
            Do::ReceiveAWhile => {
                see(own, world.end.lock().unwrap().recv_timeout(A_WHILE).unwrap_or(56));
            }
            Do::Meet => see(own, u32::from(world.barrier.wait().is_leader())),
            Do::Once(inner) => {
                let mut theirs = *own;
                see(
                    own,
                    *world.once.get_or_init(|| {
                        act(world, &mut theirs, inner);
                        theirs
                    }),
                );
            }
            Do::Peek => see(own, world.plate.get()),
            Do::Poke => world.plate.set(*own),
            Do::Acquire => see(own, world.atomics[0].load(Ordering::Acquire)),
            Do::Release => world.atomics[0].store(*own % 4, Ordering::Release),
            Do::Relaxed => see(own, world.atomics[0].fetch_add(1, Ordering::Relaxed)),
            Do::RingOne => world.bell.notify_one(),
            Do::RingAll => world.bell.notify_all(),
            Do::Step => step("steps"),
            Do::Yield => thread::yield_now(),
            Do::Choose => see(own, choose(&["a", "b"]) as u32),
            Do::Send(n) => {
                let sender = world.sender.lock().unwrap().clone();
                sender.send(*n + *own % 3).unwrap();
            }
            Do::TryReceive => {
                let received = world.receiver.lock().unwrap().try_recv();
                see(own, received.unwrap_or(99));
            }
            Do::Spawn(inner) => {
                let (world, inner, mut theirs) = (Arc::clone(world), inner.clone(), *own);
                let robot = thread::spawn(move || {
                    act(&world, &mut theirs, &inner);
                    theirs
                });
                see(own, robot.join().unwrap());
            }
        }
    }
}

/// The number of all robots, then everything in the world.
type Outcome = Vec<u32>;

/// All outcomes, all kinds of ends, and the number of schedules; None if there are too many.
fn run(
    program: &Program,
    reduction: Reduction,
    unasked: bool,
) -> Option<(BTreeSet<Outcome>, Vec<Ending>, usize)> {
    let (last, results) = (Arc::new(StdMutex::new(None)), StdMutex::new(BTreeSet::new()));
    let (program, found) = (program.clone(), Arc::clone(&last));
    let drains = format!("{program:?}").contains("TryReceive");
    // A run that ends early comes to no outcome; one that has been seen elsewhere does not count.
    let after = |counts: bool| {
        let outcome = last.lock().unwrap().take();
        results.lock().unwrap().extend(outcome.filter(|_| counts));
    };
    let checker = Checker::new("a random program").max_runs(800);
    let checker = if unasked { checker } else { checker.sound_sleep() };
    let ends = checker.every_end(reduction, after, move || {
        let (sender, receiver) = channel();
        let (narrow, end) = sync_channel(1);
        let world = Arc::new(World {
            cells: [Shared::new(0), Shared::new(0)],
            atomics: [AtomicU32::new(0), AtomicU32::new(0)],
            locks: [Mutex::new(0), Mutex::new(0)],
            bell: Condvar::new(),
            sender: Mutex::new(sender),
            receiver: Mutex::new(receiver),
            shelf: RwLock::new(1),
            robots: StdMutex::default(),
            narrow,
            end: Mutex::new(end),
            barrier: Barrier::new(2),
            once: OnceLock::new(),
            plate: Unguarded::new(7),
        });
        let start = |steps: &Vec<Do>| {
            let (world, steps) = (Arc::clone(&world), steps.clone());
            thread::spawn(move || {
                let mut own = 1;
                world.robots.lock().unwrap().push(thread::current()); // in order: before any stop
                act(&world, &mut own, &steps);
                own
            })
        };
        let robots: Vec<_> = program.iter().map(start).collect();
        let mut outcome: Outcome = robots.into_iter().map(|it| it.join().unwrap()).collect();
        outcome.extend(world.cells.iter().map(Shared::get));
        outcome.extend(world.atomics.iter().map(|it| it.load(Ordering::SeqCst)));
        outcome.extend(world.locks.iter().map(|it| *it.lock().unwrap()));
        outcome.push(*world.shelf.read().unwrap());
        // Only where somebody tries anyway: from then on giving a lock back is a step, and schedules
        // in which it is none would not be compared at all.
        if drains {
            outcome.extend(world.receiver.lock().unwrap().try_iter());
        }
        *found.lock().unwrap() = Some(outcome);
    });
    let (mut ends, runs) = ends.ok()?;
    ends.sort_by_key(|it| format!("{it:?}"));
    let results = std::mem::take(&mut *results.lock().unwrap());
    Some((results, ends, runs))
}

const A_WHILE: Duration = Duration::from_millis(1);

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) % n
    }

    fn one(&mut self, kind: Kind, depth: u32) -> Do {
        let (cell, n) = (self.below(2) as usize, self.below(3) as u32 + 1);
        let access = |random: &mut Random| match random.below(2) {
            0 => Do::Read(cell),
            _ => Do::Write(cell, n),
        };
        match (kind, self.below(5)) {
            (_, 0) => access(self),
            (Kind::Cells, 1) => Do::Step,
            (Kind::Cells, 2) => Do::Yield,
            (Kind::Cells, 3) if depth == 0 => Do::Spawn(self.some(kind, 2, 1)),
            (Kind::Cells, _) => access(self),
            (Kind::Atomics, 1) => Do::Load(cell),
            (Kind::Atomics, 2) => Do::Exchange(cell, n),
            (Kind::Atomics, _) => Do::Add(cell, n),
            (Kind::Locks | Kind::Tries, 1) if depth == 0 => Do::Choose,
            (Kind::Tries, 2 | 3) if depth < 2 => Do::IfFree(cell, self.some(kind, 1, depth + 1)),
            (Kind::Locks | Kind::Tries, _) if depth < 2 => {
                Do::Locked(if depth == 0 { cell } else { 1 - cell }, self.some(kind, 1, depth + 1))
            }
            (Kind::Bells, 1) => Do::RingOne,
            (Kind::Bells, 2) => Do::RingAll,
            (Kind::Bells, 3) if depth == 0 => Do::Locked(0, vec![Do::Sleep]),
            (Kind::Bells, _) if depth == 0 => Do::Locked(0, self.some(kind, 1, 1)),
            (Kind::Naps, 1) => Do::RingOne,
            (Kind::Naps, 2 | 3) if depth == 0 => Do::Locked(0, vec![Do::Doze]),
            (Kind::Naps, _) if depth == 0 => Do::Locked(0, self.some(kind, 1, 1)),
            (Kind::Shelves, 1) if depth < 2 => Do::Alone(self.some(kind, 1, depth + 2)),
            (Kind::Shelves, _) if depth < 2 => Do::Shared(self.some(kind, 1, depth + 2)),
            (Kind::TryShelves, 1) if depth < 2 => Do::Alone(self.some(kind, 1, depth + 2)),
            (Kind::TryShelves, 2) if depth < 2 => Do::IfAlone(self.some(kind, 1, depth + 2)),
            (Kind::TryShelves, _) if depth < 2 => Do::IfShared(self.some(kind, 1, depth + 2)),
            (Kind::Parks, 1) => Do::Park,
            (Kind::Parks, 2) => Do::ParkAWhile,
            (Kind::Parks, _) => Do::Unpark(cell),
            (Kind::Narrow, 1) => Do::Squeeze(n),
            (Kind::Narrow, 2) => Do::TrySqueeze(n),
            (Kind::Narrow, 3) => Do::Receive,
            (Kind::Narrow, _) => Do::ReceiveAWhile,
            (Kind::Meetings, 1 | 2) => Do::Meet,
            (Kind::Meetings, _) if depth == 0 => Do::Once(self.some(Kind::Cells, 1, 1)),
            (Kind::Races, 1) => Do::Acquire,
            (Kind::Races, 2) => Do::Release,
            (Kind::Races, 3) if depth == 0 => Do::Locked(0, self.some(kind, 1, 2)),
            (Kind::Races, _) => [Do::Peek, Do::Poke, Do::Relaxed][n as usize - 1].clone(),
            (Kind::Messages, 1) => Do::TryReceive,
            (Kind::Messages, _) if depth == 0 => Do::Send(n),
            _ => access(self),
        }
    }

    fn some(&mut self, kind: Kind, most: u64, depth: u32) -> Vec<Do> {
        (0..=self.below(most)).map(|_| self.one(kind, depth)).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Cells,
    Atomics,
    Locks,
    Tries,
    Bells,
    Messages,
    Naps,
    Shelves,
    TryShelves,
    Parks,
    Narrow,
    Meetings,
    Races,
}

use Kind::*;
const KINDS: [Kind; 13] = [
    Cells, Atomics, Locks, Tries, Bells, Messages, Naps, Shelves, TryShelves, Parks, Narrow,
    Meetings, Races,
];

fn programs(seed: u64, of_each: usize) -> impl Iterator<Item = (Kind, Program)> {
    let mut random = Random(seed);
    (0..of_each).flat_map(move |i| {
        KINDS.map(|kind| {
            let (robots, most) = if i % 3 == 0 { (3, 1) } else { (2, 2) };
            let mut program: Program = (0..robots).map(|_| random.some(kind, most, 0)).collect();
            // One waits, another one does something about it: by chance that is rare.
            let pair = match kind {
                Bells => Some((Do::Locked(0, vec![Do::Sleep]), Do::RingOne)),
                Naps => Some((Do::Locked(0, vec![Do::Doze]), Do::RingAll)),
                Parks => Some((Do::Park, Do::Unpark(0))),
                Narrow => Some((Do::Receive, Do::Squeeze(5))),
                Shelves => Some((Do::Shared(vec![]), Do::Alone(vec![]))),
                TryShelves => Some((Do::IfShared(vec![]), Do::Alone(vec![]))),
                _ => None,
            };
            if let Some((waits, acts)) = pair {
                program[0].insert(0, waits);
                let at = random.below(program[1].len() as u64 + 1) as usize;
                program[1].insert(at, acts);
            }
            (kind, program)
        })
    })
}

/// Compares with everything, and says how many programs there were and how many schedules were run
/// without and with the reduction. The error is the first program that differs.
fn compare(reduction: Reduction, of_each: usize) -> Result<[usize; 3], String> {
    let sum = [const { AtomicUsize::new(0) }; 3];
    for ((kind, program), unasked) in
        programs(20, of_each).flat_map(|it| [false, true].map(|unasked| (it.clone(), unasked)))
    {
        if unasked && !matches!(kind, Bells | Naps | Parks) {
            continue; // nobody sleeps
        }
        let Some((all, mut ends, runs)) = run(&program, Reduction::None, unasked) else { continue };
        let Some((some, mut some_ends, some_runs)) = run(&program, reduction, unasked) else {
            return Err(format!("{kind:?} {program:?}: more runs than without"));
        };
        // Where a standstill is possible, somebody who could have woken up unasked may not be seen
        // to do so: the standstill is found before. The same goes for a data race, which ends the
        // run before anything else can come of it. A proof ends there anyway.
        let stops = (unasked || kind == Races) && ends != [Ending::AllWell];
        if stops {
            ends.retain(|it| *it != Ending::AllWell);
            some_ends.retain(|it| *it != Ending::AllWell);
        }
        let same = if stops { some.is_subset(&all) } else { some == all };
        if !same || some_ends != ends {
            return Err(format!(
                "{kind:?} {program:?}: {ends:?}, not {some_ends:?}; {all:?}, not {some:?}"
            ));
        }
        for (sum, n) in sum.iter().zip([1, runs, some_runs]) {
            sum.fetch_add(n, SeqCst);
        }
    }
    Ok(sum.map(AtomicUsize::into_inner))
}

/// Of each kind so many programs are compared; `WHATIF_PROGRAMS` asks for more.
fn how_many() -> usize {
    let wanted = std::env::var("WHATIF_PROGRAMS").ok().and_then(|n| n.parse().ok());
    wanted.unwrap_or(12)
}

#[test]
fn a_proof_comes_to_every_outcome_that_there_is() {
    let [programs, all, some] =
        compare(Reduction::SleepSets, how_many()).unwrap_or_else(|it| panic!("{it}"));
    println!("{programs} programs: {all} schedules, {some} of them in the proofs");
    assert!(programs > 9 * how_many(), "{programs}");
    assert!(some * 3 < all, "{some} of {all}");
}

#[test]
fn a_wrong_reduction_would_be_noticed() {
    let error = compare(Reduction::Wrong, 12).unwrap_err();
    assert!(error.contains("not"), "{error}");
}
