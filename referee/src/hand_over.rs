//! Small programs that hand a thing over through atomics, as data: is the thing ever touched by two threads with nothing
//! to order them?

use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

use crate::dice::Dice;

/// One thing that a thread does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// Reads the thing.
    Look,
    /// Writes the thing.
    Change,
    /// Stores into an atomic.
    Store(usize, u8, Ordering),
    /// Adds to an atomic, in one step that reads and writes.
    Add(usize, u8, Ordering),
    /// A fence.
    Fence(Ordering),
    /// Loads an atomic; if it holds this number, does the rest.
    If(usize, u8, Ordering, Vec<Move>),
}

/// What each thread does.
pub type HandOver = Vec<Vec<Move>>;

/// Which hand-overs to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A thread looks for a sign that another one has set. What it sees then, it has from that one.
    Signs,
    /// A thread may also go on because it does not see a sign. Then it matters that it may miss one that has been set
    /// long ago, which nothing but a weak memory does.
    Absence,
}

/// The hand-over that the dice write: two or three threads, one thing, two atomics.
pub fn random(style: Style, dice: &mut Dice) -> HandOver {
    let threads = 2 + usize::from(dice.roll(3) == 0);
    (0..threads)
        .map(|thread| some(style, thread, threads, dice, 0))
        .collect()
}

/// Does a thread load an atomic and change the same one later on? There loom overlooks executions: see the test of the
/// same name.
pub fn changes_what_it_has_loaded(hand_over: &HandOver) -> bool {
    fn walk(moves: &[Move], loaded: &mut [bool; 2]) -> bool {
        moves.iter().any(|it| match it {
            Move::Store(atomic, ..) | Move::Add(atomic, ..) => loaded[*atomic],
            Move::If(atomic, _, _, rest) => {
                loaded[*atomic] = true;
                walk(rest, loaded)
            }
            _ => false,
        })
    }
    hand_over.iter().any(|moves| walk(moves, &mut [false; 2]))
}

fn some(style: Style, thread: usize, threads: usize, dice: &mut Dice, depth: usize) -> Vec<Move> {
    let most = if threads == 2 && depth == 0 { 3 } else { 2 };
    let moves = 1 + dice.roll(most);
    (0..moves)
        .map(|_| one(style, thread, threads, dice, depth))
        .collect()
}

fn one(style: Style, thread: usize, threads: usize, dice: &mut Dice, depth: usize) -> Move {
    let atomic = dice.roll(2);
    match dice.roll(8) {
        0 | 1 => Move::Change,
        2 => Move::Look,
        // Each thread has numbers of its own, so that whoever sees one knows from whom it is.
        3 => Move::Store(
            atomic,
            1 + thread as u8,
            *dice.pick(&[Relaxed, Release, Release, SeqCst]),
        ),
        4 => Move::Add(atomic, 10, *dice.pick(&[Relaxed, Release, Acquire, AcqRel])),
        5 if dice.roll(2) == 0 => Move::Fence(*dice.pick(&[Acquire, Release, AcqRel])),
        _ if depth < 2 => {
            let other = (thread + 1 + dice.roll(threads - 1)) % threads;
            let added = if dice.roll(4) == 0 { 10 } else { 0 };
            let number = match style {
                Style::Absence if dice.roll(2) == 0 => 0,
                _ => 1 + other as u8 + added,
            };
            let ordering = *dice.pick(&[Relaxed, Acquire, Acquire, SeqCst]);
            Move::If(
                atomic,
                number,
                ordering,
                some(style, thread, threads, dice, depth + 1),
            )
        }
        _ => Move::Look,
    }
}

/// Makes `fn run(hand_over)`, with the atomics and threads of `$checker`. `Thing` must be in scope: the thing that is
/// handed over, with `new`, `look` and `change`.
#[macro_export]
macro_rules! hand_over {
    ($checker:ident) => {
        use $checker::sync::Arc;
        use $checker::sync::atomic::{AtomicU8, fence};
        use $checker::thread;
        use $crate::hand_over::{HandOver, Move};

        struct World {
            thing: Thing,
            atomics: [AtomicU8; 2],
        }

        /// Runs it once.
        pub fn run(hand_over: &HandOver) {
            let world = Arc::new(World {
                thing: Thing::new(),
                atomics: [AtomicU8::new(0), AtomicU8::new(0)],
            });
            let mut threads = Vec::new();
            for moves in hand_over.iter().cloned() {
                let world = Arc::clone(&world);
                threads.push(thread::spawn(move || all(&world, &moves)));
            }
            for thread in threads {
                thread.join().unwrap();
            }
        }

        fn all(world: &World, moves: &[Move]) {
            for it in moves {
                match it {
                    Move::Look => world.thing.look(),
                    Move::Change => world.thing.change(),
                    Move::Store(atomic, number, ordering) => {
                        world.atomics[*atomic].store(*number, *ordering);
                    }
                    Move::Add(atomic, number, ordering) => {
                        world.atomics[*atomic].fetch_add(*number, *ordering);
                    }
                    Move::Fence(ordering) => fence(*ordering),
                    Move::If(atomic, number, ordering, rest) => {
                        if world.atomics[*atomic].load(*ordering) == *number {
                            all(world, rest);
                        }
                    }
                }
            }
        }
    };
}
