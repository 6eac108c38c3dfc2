//! A small program with threads, as data: written by dice, and run by any checker.

use crate::dice::Dice;

/// One thing that a thread does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Locks a Mutex, and does this while it holds it.
    Lock(usize, Vec<Op>),
    /// The same with `try_lock`; notes whether it got it.
    TryLock(usize, Vec<Op>),
    /// Under a lock: notes what is in it.
    Get(usize),
    /// Under a lock: puts a number in.
    Put(usize, u8),
    /// Under a lock: sleeps at the bell of this lock as long as the number in it is not this one.
    WaitFor(usize, u8),
    /// Rings the bell of this lock, for one or for all.
    Ring {
        /// The lock.
        bell: usize,
        /// `notify_all`.
        all: bool,
    },
    /// Read-locks the RwLock, notes what is in it, and does this meanwhile.
    Look(Vec<Op>),
    /// Write-locks the RwLock and adds one.
    Change(Vec<Op>),
    /// Notes the value of an atomic.
    Load(usize),
    /// Stores into an atomic.
    Store(usize, u8),
    /// `fetch_add`; notes the old value.
    Add(usize, u8),
    /// `compare_exchange`; notes whether it worked, and the value found.
    Exchange(usize, u8, u8),
    /// Sends into the channel; notes whether anybody can still receive.
    Send(u8),
    /// Receives from the channel, or learns that nobody can send any more. Only the first thread does this.
    Receive,
    /// The same with `try_recv`.
    TryReceive,
    /// Waits at the barrier; notes whether it leads.
    Meet,
    /// Gives up its turn.
    Yield,
}

/// A program: what each thread does, and the channel between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// What each thread does.
    pub threads: Vec<Vec<Op>>,
    /// The places of the channel; None: as many as one likes.
    pub places: Option<usize>,
}

/// How a run ended, as far as the program itself can tell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outcome {
    /// Nobody could move any more.
    pub stuck: bool,
    /// What each thread has noted.
    pub notes: Vec<Vec<u8>>,
    /// What is in the locks, the RwLock and the atomics at the end. Empty when they are stuck.
    pub rest: Vec<u8>,
}

/// How many locks there are (each has a bell), and how many atomics.
pub const LOCKS: usize = 2;
/// See [`LOCKS`].
pub const ATOMICS: usize = 2;

/// What the dice may choose from.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Mutexes, nested or not, and atomics.
    Locks,
    /// The same, and `try_lock`.
    Tries,
    /// A bell to sleep at.
    Bells,
    /// A channel.
    Channel,
    /// A RwLock, a barrier, a Mutex.
    Rest,
}

impl Program {
    /// The program that the dice write.
    pub fn random(kind: Kind, dice: &mut Dice) -> Program {
        let threads = 2 + usize::from(dice.roll(4) == 0);
        let mut writer = Writer {
            kind,
            dice,
            budget: 0,
        };
        let threads = (0..threads)
            .map(|thread| writer.thread(thread, threads))
            .collect();
        let places = *dice.pick(&[None, Some(1), Some(1), Some(0)]);
        Program { threads, places }
    }
}

struct Writer<'a> {
    kind: Kind,
    dice: &'a mut Dice,
    budget: usize,
}

impl Writer<'_> {
    fn thread(&mut self, thread: usize, threads: usize) -> Vec<Op> {
        // Three threads have very many more schedules than two.
        self.budget = if threads == 2 {
            2 + self.dice.roll(3)
        } else {
            1 + self.dice.roll(2)
        };
        let mut ops = Vec::new();
        while self.budget > 0 {
            ops.push(self.op(thread, &mut Vec::new()));
        }
        ops
    }

    fn op(&mut self, thread: usize, held: &mut Vec<usize>) -> Op {
        self.budget = self.budget.saturating_sub(1);
        let number = 1 + self.dice.roll(2) as u8;
        let atomic = self.dice.roll(ATOMICS);
        match (self.kind, self.dice.roll(6)) {
            (Kind::Bells, 0..=2) => self.at_the_bell(),
            (Kind::Bells, 3) => Op::Ring {
                bell: 0,
                all: self.dice.roll(2) == 0,
            },
            (Kind::Channel, 0..=2) if thread == 0 && held.is_empty() => Op::Receive,
            (Kind::Channel, 3) if thread == 0 => Op::TryReceive,
            (Kind::Channel, 0..=3) if thread > 0 => Op::Send(number),
            (Kind::Rest, 0 | 1) if held.is_empty() => Op::Look(self.at_the_shelf(thread, held)),
            (Kind::Rest, 2) if held.is_empty() => Op::Change(self.at_the_shelf(thread, held)),
            (Kind::Rest, 3) if held.is_empty() && self.dice.roll(2) == 0 => Op::Meet,
            (Kind::Tries, 0 | 1) => self.locked(thread, held, Op::TryLock),
            (_, 0..=3) => self.locked(thread, held, Op::Lock),
            (_, 4) => Op::Store(atomic, number),
            _ => match self.dice.roll(5) {
                0 => Op::Add(atomic, number),
                1 => Op::Exchange(atomic, 0, number),
                2 => Op::Yield,
                _ => Op::Load(atomic),
            },
        }
    }

    fn locked(&mut self, thread: usize, held: &mut Vec<usize>, op: fn(usize, Vec<Op>) -> Op) -> Op {
        let lock = self.dice.roll(LOCKS);
        if held.contains(&lock) {
            return if self.dice.roll(2) == 0 {
                Op::Get(lock)
            } else {
                Op::Put(lock, 1)
            };
        }
        held.push(lock);
        let mut body = self.body(thread, held);
        held.pop();
        body.push(if self.dice.roll(2) == 0 {
            Op::Get(lock)
        } else {
            Op::Put(lock, 1 + thread as u8)
        });
        op(lock, body)
    }

    /// std says nothing good of a thread that locks a RwLock twice, so nobody does here.
    fn at_the_shelf(&mut self, thread: usize, held: &mut Vec<usize>) -> Vec<Op> {
        held.push(LOCKS);
        let body = self.body(thread, held);
        held.pop();
        body
    }

    /// What is done while something is held: often nothing, so that programs stay small.
    fn body(&mut self, thread: usize, held: &mut Vec<usize>) -> Vec<Op> {
        if self.budget > 0 && self.dice.roll(2) == 0 {
            vec![self.op(thread, held)]
        } else {
            Vec::new()
        }
    }

    fn at_the_bell(&mut self) -> Op {
        let number = 1 + self.dice.roll(2) as u8;
        let inside = match self.dice.roll(4) {
            0 | 1 => vec![Op::WaitFor(0, number), Op::Get(0)],
            2 => vec![
                Op::Put(0, number),
                Op::Ring {
                    bell: 0,
                    all: self.dice.roll(2) == 0,
                },
            ],
            _ => vec![Op::Put(0, number)],
        };
        Op::Lock(0, inside)
    }
}
