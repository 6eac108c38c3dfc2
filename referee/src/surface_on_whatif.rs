//! Runs a program over all of whatif's surface under whatif: all its outcomes, and the verdict on it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::Duration;

use whatif::sync::atomic::{AtomicU8, Ordering::SeqCst};
use whatif::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError};
use whatif::sync::{
    Arc, Barrier, Condvar, Mutex, MutexGuard, Once, OnceLock, RwLock, RwLockReadGuard,
    RwLockWriteGuard, mpsc,
};
use whatif::thread::{self, JoinHandle, Thread};
use whatif::{Checker, Reduction, Report, never};

use crate::surface::{Do, Kind, Outcome, Surface, TWO};

/// What a run leaves behind, outside of all that the check controls.
struct Page {
    /// Unless all have finished.
    kind: Kind,
    alive: usize,
    notes: Vec<Vec<u8>>,
    /// The threads that have begun, for whoever unparks them.
    threads: Vec<Option<Thread>>,
}

struct World {
    program: Arc<Surface>,
    page: Arc<StdMutex<Page>>,
    /// Somebody unparks somebody.
    waits_for_all: bool,
    locks: [Mutex<u8>; TWO],
    bells: [Condvar; TWO],
    shelf: RwLock<u8>,
    atomics: [AtomicU8; TWO],
    barrier: Barrier,
    once: Once,
    cell: OnceLock<u8>,
}

#[derive(Clone)]
enum Sender {
    Bounded(SyncSender<u8>),
    Unbounded(mpsc::Sender<u8>),
}

/// One thread, and what it holds; dropped in this order.
struct Robot<'a> {
    number: usize,
    world: &'a Arc<World>,
    locks: Vec<(usize, MutexGuard<'a, u8>)>,
    reads: Vec<RwLockReadGuard<'a, u8>>,
    writes: Option<RwLockWriteGuard<'a, u8>>,
    sender: Option<Sender>,
    receiver: Option<Receiver<u8>>,
    /// The locks that it holds or has forgotten, and what it is doing that is done once.
    mine: Vec<&'static str>,
    children: Vec<(usize, JoinHandle<()>)>,
}

const LOCKS: [&str; TWO] = ["lock 0", "lock 1"];

fn run(program: &Arc<Surface>, page: &Arc<StdMutex<Page>>) {
    let world = Arc::new(World {
        program: Arc::clone(program),
        page: Arc::clone(page),
        waits_for_all: program.has(|it| matches!(it, Do::Unpark(_))),
        locks: std::array::from_fn(|_| Mutex::new(0)),
        bells: std::array::from_fn(|_| Condvar::new()),
        shelf: RwLock::new(0),
        atomics: std::array::from_fn(|_| AtomicU8::new(0)),
        barrier: Barrier::new(2),
        once: Once::new(),
        cell: OnceLock::new(),
    });
    let (sender, receiver) = match program.places {
        Some(places) => {
            let (sender, receiver) = mpsc::sync_channel(places);
            (Sender::Bounded(sender), receiver)
        }
        None => {
            let (sender, receiver) = mpsc::channel();
            (Sender::Unbounded(sender), receiver)
        }
    };
    live(0, &world, Some(sender), Some(receiver));
}

fn live(number: usize, world: &Arc<World>, sender: Option<Sender>, receiver: Option<Receiver<u8>>) {
    let program = Arc::clone(&world.program);
    world.page(|page| {
        page.threads[number] = Some(thread::current());
        page.alive += 1;
    });
    let mut robot = Robot {
        number,
        world,
        locks: Vec::new(),
        reads: Vec::new(),
        writes: None,
        sender,
        receiver,
        mine: Vec::new(),
        children: Vec::new(),
    };
    if number > 0 && world.waits_for_all {
        thread::yield_now(); // Until it goes on from here, the others have begun.
    }
    robot.all(&program.threads[number]);
    drop(robot);
    world.page(|page| page.alive -= 1);
}

impl World {
    fn page<R>(&self, write: impl FnOnce(&mut Page) -> R) -> R {
        write(&mut self.page.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<'a> Robot<'a> {
    fn all(&mut self, all: &[Do]) {
        all.iter().for_each(|it| self.one(it));
    }

    fn notes(&self, what: u8) {
        self.world.page(|page| page.notes[self.number].push(what));
    }

    /// Whoever asks for what it holds never comes back.
    fn asks_for(&self, what: &'static str) {
        if self.mine.contains(&what) {
            self.world.page(|page| page.kind = Kind::LockedTwice);
        }
    }

    fn at(&self, lock: usize) -> Option<usize> {
        self.locks.iter().position(|(it, _)| *it == lock)
    }

    fn has(&mut self, lock: usize, guard: MutexGuard<'a, u8>) {
        self.locks.push((lock, guard));
        self.mine.push(LOCKS[lock]);
    }

    fn lets_go(&mut self, what: &'static str) {
        if let Some(at) = self.mine.iter().position(|it| *it == what) {
            self.mine.remove(at);
        }
    }

    fn one(&mut self, it: &Do) {
        let world: &'a World = self.world;
        let long = Duration::from_secs(1);
        match it {
            Do::Lock(lock) => {
                self.asks_for(LOCKS[*lock]);
                self.has(*lock, world.locks[*lock].lock().unwrap());
            }
            Do::TryLock(lock) => match world.locks[*lock].try_lock() {
                Ok(guard) => {
                    self.notes(1);
                    self.has(*lock, guard);
                }
                Err(_) => self.notes(0),
            },
            Do::Unlock(lock) => {
                if let Some(at) = self.at(*lock) {
                    self.lets_go(LOCKS[*lock]);
                    drop(self.locks.remove(at));
                }
            }
            Do::Forget(lock) => {
                if let Some(at) = self.at(*lock) {
                    std::mem::forget(self.locks.remove(at));
                }
            }
            Do::Get(lock) => {
                if let Some(at) = self.at(*lock) {
                    self.notes(*self.locks[at].1);
                }
            }
            Do::Put(lock, number) => {
                if let Some(at) = self.at(*lock) {
                    *self.locks[at].1 = *number;
                }
            }
            Do::Wait(bell) | Do::WaitFor(bell, _) | Do::Doze(bell) => {
                if let Some(at) = self.at(*bell) {
                    let (_, guard) = self.locks.remove(at);
                    let bells = &world.bells[*bell];
                    let guard = match it {
                        Do::Wait(_) => bells.wait(guard).unwrap(),
                        Do::WaitFor(_, number) => {
                            bells.wait_while(guard, |it| it != number).unwrap()
                        }
                        _ => {
                            let (guard, result) = bells.wait_timeout(guard, long).unwrap();
                            self.notes(u8::from(result.timed_out()));
                            guard
                        }
                    };
                    self.locks.insert(at, (*bell, guard));
                }
            }
            Do::RingOne(bell) => world.bells[*bell].notify_one(),
            Do::RingAll(bell) => world.bells[*bell].notify_all(),
            Do::Read => {
                self.asks_for("shelf to write");
                self.reads.push(world.shelf.read().unwrap());
                self.mine.push("shelf");
            }
            Do::Write => {
                self.asks_for("shelf");
                self.asks_for("shelf to write");
                self.writes(world.shelf.write().unwrap());
            }
            Do::TryRead => match world.shelf.try_read() {
                Ok(guard) => {
                    self.notes(1);
                    self.reads.push(guard);
                    self.mine.push("shelf");
                }
                Err(_) => self.notes(0),
            },
            Do::TryWrite => match world.shelf.try_write() {
                Ok(guard) => {
                    self.notes(1);
                    self.writes(guard);
                }
                Err(_) => self.notes(0),
            },
            Do::GiveBack => match self.writes.take() {
                Some(guard) => {
                    self.lets_go("shelf to write");
                    drop(guard);
                }
                None => {
                    self.lets_go("shelf");
                    drop(self.reads.pop());
                }
            },
            Do::Look => {
                let reads = self.reads.first().map(|guard| **guard);
                if let Some(number) = self.writes.as_ref().map(|guard| **guard).or(reads) {
                    self.notes(number);
                }
            }
            Do::Load(atomic) => self.notes(world.atomics[*atomic].load(SeqCst)),
            Do::Store(atomic, number) => world.atomics[*atomic].store(*number, SeqCst),
            Do::Add(atomic, number) => {
                self.notes(world.atomics[*atomic].fetch_add(*number, SeqCst));
            }
            Do::Exchange(atomic, old, new) => {
                match world.atomics[*atomic].compare_exchange_weak(*old, *new, SeqCst, SeqCst) {
                    Ok(found) => self.notes(100 + found),
                    Err(found) => self.notes(found),
                }
            }
            Do::Update(atomic, number) => {
                let adds = |it| (it != *number).then_some(it + number);
                match world.atomics[*atomic].fetch_update(SeqCst, SeqCst, adds) {
                    Ok(before) => self.notes(before),
                    Err(there) => self.notes(50 + there),
                }
            }
            Do::Send(number) => match &self.sender {
                Some(Sender::Bounded(it)) => self.notes(u8::from(it.send(*number).is_ok())),
                Some(Sender::Unbounded(it)) => self.notes(u8::from(it.send(*number).is_ok())),
                None => {}
            },
            Do::TrySend(number) => match &self.sender {
                Some(Sender::Bounded(it)) => self.notes(match it.try_send(*number) {
                    Ok(()) => 1,
                    Err(TrySendError::Full(_)) => 0,
                    Err(TrySendError::Disconnected(_)) => 2,
                }),
                Some(Sender::Unbounded(it)) => self.notes(u8::from(it.send(*number).is_ok())),
                None => {}
            },
            Do::Receive => {
                if let Some(it) = &self.receiver {
                    self.notes(it.recv().unwrap_or(99));
                }
            }
            Do::TryReceive => {
                if let Some(it) = &self.receiver {
                    self.notes(it.try_recv().unwrap_or_else(|error| match error {
                        TryRecvError::Empty => 98,
                        TryRecvError::Disconnected => 99,
                    }));
                }
            }
            Do::ReceiveAWhile => {
                if let Some(it) = &self.receiver {
                    self.notes(it.recv_timeout(long).unwrap_or_else(|error| match error {
                        RecvTimeoutError::Timeout => 97,
                        RecvTimeoutError::Disconnected => 99,
                    }));
                }
            }
            Do::DropSender => drop(self.sender.take()),
            Do::DropReceiver => drop(self.receiver.take()),
            Do::Meet => {
                let leads = world.barrier.wait().is_leader();
                self.notes(if leads { 8 } else { 7 });
            }
            Do::Once(body) => {
                self.asks_for("once");
                world.once.call_once(|| {
                    self.mine.push("once");
                    self.all(body);
                    self.lets_go("once");
                });
            }
            Do::IsDone => self.notes(u8::from(world.once.is_completed())),
            Do::UntilDone => world.once.wait(),
            Do::Init(number, body) => {
                self.asks_for("cell");
                let value = *world.cell.get_or_init(|| {
                    self.mine.push("cell");
                    self.all(body);
                    self.lets_go("cell");
                    *number
                });
                self.notes(value);
            }
            Do::Set(number) => {
                self.asks_for("cell");
                self.notes(u8::from(world.cell.set(*number).is_ok()));
            }
            Do::Peek => self.notes(world.cell.get().copied().unwrap_or(90)),
            Do::Park => thread::park(),
            Do::ParkAWhile => thread::park_timeout(long),
            Do::Unpark(other) => {
                let other = world.page(|page| page.threads[*other].clone());
                other.expect("it has begun").unpark();
            }
            Do::Spawn(child) => {
                let handle = thread::spawn(self.child(*child));
                self.children.push((*child, handle));
            }
            Do::Join(child) => {
                if let Some(at) = self.children.iter().position(|(it, _)| it == child) {
                    self.children.remove(at).1.join().unwrap();
                }
            }
            Do::HasFinished(child) => {
                if let Some((_, handle)) = self.children.iter().find(|(it, _)| it == child) {
                    self.notes(u8::from(handle.is_finished()));
                }
            }
            Do::Scope(children) => thread::scope(|scope| {
                for child in children {
                    scope.spawn(self.child(*child));
                }
            }),
            Do::If(number, body) => {
                let last = world.page(|page| page.notes[self.number].last().copied());
                if last == Some(*number) {
                    self.all(body);
                }
            }
            Do::Yield => thread::yield_now(),
            Do::Nap => thread::sleep(long),
            Do::Never(atomic, number) => {
                let broken = world.atomics[*atomic].load(SeqCst) == *number;
                if broken {
                    world.page(|page| page.kind = Kind::RuleBroken);
                }
                never("this number", broken);
            }
            Do::Panic => {
                world.page(|page| page.kind = Kind::BrokeDown);
                panic!("as the program says");
            }
        }
    }

    fn writes(&mut self, mut guard: RwLockWriteGuard<'a, u8>) {
        *guard += 1;
        self.writes = Some(guard);
        self.mine.push("shelf to write");
    }

    /// What this thread is going to do, with what it gets from its parent.
    fn child(&mut self, child: usize) -> impl FnOnce() + Send + 'static {
        let world = Arc::clone(self.world);
        let wanted = world.program.senders[child];
        let sender = self.sender.as_ref().filter(|_| wanted).cloned();
        let receiver = if world.program.receiver == child {
            self.receiver.take()
        } else {
            None
        };
        move || live(child, &world, sender, receiver)
    }
}

fn blank(program: &Surface) -> Page {
    Page {
        kind: Kind::Stuck,
        alive: 0,
        notes: vec![Vec::new(); program.threads.len()],
        threads: vec![None; program.threads.len()],
    }
}

/// What whatif says of the program, or of one schedule of it.
pub fn check<R>(
    program: &Surface,
    checker: Checker,
    check: impl FnOnce(Checker, Box<dyn Fn() + Send + Sync>) -> R,
) -> R {
    let program = Arc::new(program.clone());
    let once = move || run(&program, &Arc::new(StdMutex::new(blank(&program))));
    check(checker, Box::new(once))
}

/// The verdict on the program.
pub fn verdict(program: &Surface, checker: Checker) -> Report {
    check(program, checker.shares_nothing(), |checker, once| {
        checker.explore(once)
    })
}

/// All outcomes of the program, and how many schedules that took. None: more than `most`.
pub fn explore(
    program: &Surface,
    reduction: Reduction,
    most: usize,
) -> Option<(BTreeSet<Outcome>, usize)> {
    let page = Arc::new(StdMutex::new(blank(program)));
    let once = {
        let (program, page) = (Arc::new(program.clone()), Arc::clone(&page));
        move || {
            *page.lock().unwrap_or_else(PoisonError::into_inner) = blank(&program);
            run(&program, &page);
        }
    };
    let outcomes = RefCell::new(BTreeSet::new());
    let after = |counts| {
        if counts {
            let page = page.lock().unwrap_or_else(PoisonError::into_inner);
            let kind = if page.alive == 0 {
                Kind::AllWell
            } else {
                page.kind
            };
            outcomes
                .borrow_mut()
                .insert(Outcome::new(kind, page.notes.clone()));
        }
    };
    let checker = Checker::new("a random program")
        .max_runs(most)
        .sound_sleep();
    let (_, runs) = checker.every_end(reduction, after, once).ok()?;
    Some((outcomes.into_inner(), runs))
}
