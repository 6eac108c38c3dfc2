//! Small programs over all that whatif has in common with std, as data: written by dice, run by whatif, and played by hand
//! (`by_hand.rs`). shuttle and loom have only some of it.

use crate::dice::Dice;

/// One thing that a thread does. What it would need and does not have (a guard, a sender) it does without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Do {
    /// Locks a Mutex, and keeps the guard.
    Lock(usize),
    /// `try_lock`; notes whether it got it.
    TryLock(usize),
    /// Drops the guard.
    Unlock(usize),
    /// Forgets the guard, so that nobody will ever have the lock again.
    Forget(usize),
    /// Notes what is in the lock that it holds.
    Get(usize),
    /// Puts a number in.
    Put(usize, u8),
    /// `Condvar::wait`, once, whatever the number is.
    Wait(usize),
    /// `wait_while` the number is not this one.
    WaitFor(usize, u8),
    /// `wait_timeout`; notes whether it timed out.
    Doze(usize),
    /// `notify_one`.
    RingOne(usize),
    /// `notify_all`.
    RingAll(usize),
    /// Read-locks the RwLock, and keeps the guard.
    Read,
    /// Write-locks it, adds one, and keeps the guard.
    Write,
    /// `try_read`; notes whether it got it.
    TryRead,
    /// `try_write`; likewise.
    TryWrite,
    /// Drops the guard that it took last, of those to write or to read.
    GiveBack,
    /// Notes what is in the RwLock that it holds.
    Look,
    /// Notes the value of an atomic.
    Load(usize),
    /// Stores into an atomic.
    Store(usize, u8),
    /// `fetch_add`; notes the old value.
    Add(usize, u8),
    /// `compare_exchange`; notes whether it worked, and the value found.
    Exchange(usize, u8, u8),
    /// `fetch_update`: adds this number, unless it is there already.
    Update(usize, u8),
    /// Sends; notes whether that worked.
    Send(u8),
    /// `try_send`, where there is a bound; notes what came of it.
    TrySend(u8),
    /// Receives; notes what.
    Receive,
    /// `try_recv`; likewise.
    TryReceive,
    /// `recv_timeout`; likewise.
    ReceiveAWhile,
    /// Drops its sender.
    DropSender,
    /// Drops the receiver.
    DropReceiver,
    /// Waits at the barrier for two; notes whether it leads.
    Meet,
    /// `Once::call_once`.
    Once(Vec<Do>),
    /// `Once::is_completed`.
    IsDone,
    /// `Once::wait`.
    UntilDone,
    /// `OnceLock::get_or_init`; notes the value.
    Init(u8, Vec<Do>),
    /// `OnceLock::set`; notes whether that worked.
    Set(u8),
    /// `OnceLock::get`.
    Peek,
    /// `park`.
    Park,
    /// `park_timeout`.
    ParkAWhile,
    /// Unparks the thread of this number.
    Unpark(usize),
    /// Starts the thread of this number.
    Spawn(usize),
    /// Joins it.
    Join(usize),
    /// `is_finished`.
    HasFinished(usize),
    /// `thread::scope` with these threads.
    Scope(Vec<usize>),
    /// Does this only if its last note is this number.
    If(u8, Vec<Do>),
    /// `yield_now`.
    Yield,
    /// `sleep`.
    Nap,
    /// Loads an atomic, which must never hold this number.
    Never(usize, u8),
    /// Panics.
    Panic,
}

/// How a program can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Everybody has finished.
    AllWell,
    /// Nobody can move any more.
    Stuck,
    /// A `Never`.
    RuleBroken,
    /// A `Panic`.
    BrokeDown,
    /// A thread has asked for what it holds itself.
    LockedTwice,
}

/// How a run has ended. What came before a broken rule or a panic hangs on when others stop, so it is not compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outcome {
    /// Its end.
    pub kind: Kind,
    /// What each thread has noted.
    pub notes: Vec<Vec<u8>>,
}

impl Outcome {
    /// See [`Outcome`].
    pub fn new(kind: Kind, notes: Vec<Vec<u8>>) -> Outcome {
        let compared = matches!(kind, Kind::AllWell | Kind::Stuck);
        Outcome {
            kind,
            notes: if compared { notes } else { Vec::new() },
        }
    }
}

/// A program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surface {
    /// What each thread does. Number 0 is there from the start, and has a sender and the receiver.
    pub threads: Vec<Vec<Do>>,
    /// The thread that gets the receiver when it is started.
    pub receiver: usize,
    /// The threads that get a sender when they are started, if who starts them has one.
    pub senders: Vec<bool>,
    /// The places of the channel; None: as many as one likes.
    pub places: Option<usize>,
}

/// How many locks there are (each has a bell), and how many atomics.
pub const TWO: usize = 2;

/// What belongs together. A program has ops of two or three groups, so that they meet.
const GROUPS: usize = 10;

impl Surface {
    /// The program that the dice write.
    pub fn random(dice: &mut Dice) -> Surface {
        let palette: Vec<usize> = (0..2 + dice.roll(2)).map(|_| dice.roll(GROUPS)).collect();
        let robots = if dice.roll(3) == 0 { 3 } else { 2 };
        let mut writer = Writer {
            palette,
            robots,
            children: Vec::new(),
            budget: 0,
        };
        let mut threads = vec![Vec::new()];
        for robot in 1..=robots {
            writer.budget = if robots == 2 {
                2 + dice.roll(4)
            } else {
                1 + dice.roll(3)
            };
            threads.push(writer.thread(robot, dice));
        }
        let mut evening: Vec<Do> = (1..=robots).map(Do::Spawn).collect();
        evening.push(Do::DropSender);
        evening.extend((1..=robots).map(Do::Join));
        // Whoever comes last looks at everything; not where a child may still be about, or there are too many orders.
        if writer.children.is_empty() {
            evening.extend([
                Do::Lock(0),
                Do::Get(0),
                Do::Unlock(0),
                Do::Load(0),
                Do::Load(1),
            ]);
        }
        threads[0] = evening;
        threads.append(&mut writer.children);
        let senders = (0..threads.len())
            .map(|robot| robot > 1 && (robot <= robots || dice.roll(2) == 0))
            .collect();
        Surface {
            threads,
            receiver: 1,
            senders,
            places: *dice.pick(&[None, Some(1), Some(0), Some(0)]),
        }
    }

    /// Does any thread do such a thing?
    pub fn has(&self, what: fn(&Do) -> bool) -> bool {
        fn any(all: &[Do], what: fn(&Do) -> bool) -> bool {
            all.iter().any(|it| {
                what(it)
                    || matches!(it, Do::Once(body) | Do::Init(_, body) | Do::If(_, body) if any(body, what))
            })
        }
        self.threads.iter().any(|thread| any(thread, what))
    }
}

struct Writer {
    palette: Vec<usize>,
    robots: usize,
    children: Vec<Vec<Do>>,
    budget: usize,
}

impl Writer {
    fn thread(&mut self, robot: usize, dice: &mut Dice) -> Vec<Do> {
        let mut all = Vec::new();
        while self.budget > 0 {
            self.some(robot, 0, dice, &mut all);
        }
        all
    }

    /// Part of a thread that belongs together; little of it, and perhaps nothing.
    fn body(&mut self, robot: usize, depth: usize, dice: &mut Dice) -> Vec<Do> {
        let mut all = Vec::new();
        if self.budget > 0 && depth < 3 && dice.roll(3) > 0 {
            self.some(robot, depth + 1, dice, &mut all);
        }
        all
    }

    fn some(&mut self, robot: usize, depth: usize, dice: &mut Dice, all: &mut Vec<Do>) {
        self.budget = self.budget.saturating_sub(1);
        let number = 1 + dice.roll(2) as u8;
        let two = dice.roll(TWO);
        let group = *dice.pick(&self.palette);
        match group {
            0 => {
                all.push(if dice.roll(3) == 0 {
                    Do::TryLock(two)
                } else {
                    Do::Lock(two)
                });
                all.append(&mut self.body(robot, depth, dice));
                all.push(if dice.roll(2) == 0 {
                    Do::Get(two)
                } else {
                    Do::Put(two, number)
                });
                if dice.roll(6) > 0 {
                    all.push(Do::Unlock(two));
                }
            }
            1 => match dice.roll(6) {
                0 => all.push(Do::RingOne(0)),
                1 => all.push(Do::RingAll(0)),
                2 | 3 => {
                    all.push(Do::Lock(0));
                    all.push(match dice.roll(4) {
                        0 => Do::Wait(0),
                        1 => Do::Doze(0),
                        _ => Do::WaitFor(0, number),
                    });
                    all.append(&mut self.body(robot, depth, dice));
                    all.extend([Do::Get(0), Do::Unlock(0)]);
                }
                _ => {
                    all.extend([Do::Lock(0), Do::Put(0, number)]);
                    let ring = if dice.roll(2) == 0 {
                        Do::RingOne(0)
                    } else {
                        Do::RingAll(0)
                    };
                    if dice.roll(2) == 0 {
                        all.extend([ring, Do::Unlock(0)]);
                    } else {
                        all.extend([Do::Unlock(0), ring]);
                    }
                }
            },
            2 => {
                all.push(match dice.roll(6) {
                    0 => Do::TryRead,
                    1 => Do::TryWrite,
                    2 | 3 => Do::Read,
                    _ => Do::Write,
                });
                all.append(&mut self.body(robot, depth, dice));
                all.push(Do::Look);
                if dice.roll(8) > 0 {
                    all.push(Do::GiveBack);
                }
            }
            3 => all.push(match dice.roll(6) {
                0 => Do::Load(two),
                1 | 2 => Do::Store(two, number),
                3 => Do::Add(two, number),
                4 => Do::Exchange(two, 0, number),
                _ => Do::Update(two, number),
            }),
            4 => all.push(match (robot, dice.roll(8)) {
                (1, 0) => Do::TryReceive,
                (1, 1) => Do::ReceiveAWhile,
                (1, 2) => Do::DropReceiver,
                (1, _) => Do::Receive,
                (_, 0 | 1) => Do::TrySend(number),
                (_, 2) => Do::DropSender,
                _ => Do::Send(number),
            }),
            5 => all.push(Do::Meet),
            6 => {
                let it = match dice.roll(7) {
                    0 | 1 => Do::Once(self.body(robot, depth, dice)),
                    2 => Do::IsDone,
                    3 => Do::UntilDone,
                    4 => Do::Init(number, self.body(robot, depth, dice)),
                    5 => Do::Set(number),
                    _ => Do::Peek,
                };
                all.push(it);
            }
            7 => all.push(match dice.roll(5) {
                0 | 1 => Do::Unpark(1 + dice.roll(self.robots)),
                2 => Do::ParkAWhile,
                _ => Do::Park,
            }),
            8 if self.children.len() < 2 && depth < 2 => {
                let child = self.robots + 1 + self.children.len();
                self.children.push(Vec::new());
                let mut body = self.body(child, depth, dice);
                body.append(&mut self.body(child, depth, dice));
                self.children[child - self.robots - 1] = body;
                if dice.roll(3) == 0 {
                    all.push(Do::Scope(vec![child]));
                } else {
                    all.push(Do::Spawn(child));
                    all.append(&mut self.body(robot, depth, dice));
                    if dice.roll(3) == 0 {
                        all.push(Do::HasFinished(child));
                    }
                    if dice.roll(3) > 0 {
                        all.push(Do::Join(child));
                    }
                }
            }
            _ => {
                let it = match dice.roll(16) {
                    0 => Do::Panic,
                    1 => Do::Forget(two),
                    2..=4 => Do::Never(two, number),
                    5 | 6 => Do::Yield,
                    7 => Do::Nap,
                    8..=11 => Do::If(number, self.body(robot, depth, dice)),
                    _ => Do::Store(two, number),
                };
                all.push(it);
            }
        }
    }
}
