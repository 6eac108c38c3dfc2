// ANCHOR: bits
//! The inbox: how other threads ring, and how they end the loop's sleep.
//!
//! To ring is to set one bit: the task's place on the shelf. Over the bits lie words that say which words
//! below them are not zero, in four levels, so that the loop finds three bits among a million without
//! looking at the million. Whoever sets the first bit of a word sets the bit of that word one level up.
//! Whoever finds others there may leave: they are on their way up. So a second ring costs one instruction.
//!
//! Nothing is allocated to ring, no lock is taken, and there is no limit to how often one may ring.

use std::sync::OnceLock;

#[cfg(loom)]
use loom::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    sync::{Mutex as BellLock, MutexGuard as BellGuard},
    thread::Thread,
};
#[cfg(not(loom))]
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    sync::{Mutex as BellLock, MutexGuard as BellGuard},
    thread::Thread,
};

use crate::parking::Unpark;

/// How many bits of a word are used. Under loom, which tries out every order, there are few.
const WIDTH: usize = if cfg!(loom) { 2 } else { 64 };
/// How many tasks' bits are in one tree.
const TASKS_OF_A_TREE: usize = WIDTH * WIDTH * WIDTH;
const TREES: usize = if cfg!(loom) { 2 } else { 62 };
/// How many places a shelf may have: 16 million.
pub(crate) const PLACES: usize = TREES * TASKS_OF_A_TREE;
/// The bit of the topmost word that says that the loop sleeps.
const ASLEEP: u64 = 1 << 63;

pub(crate) struct Inbox {
    /// Which trees have rings in them, and whether the loop is asleep. In one word, so that whoever brings
    /// the first ring knows in the same instant whether there is a sleep to end.
    top: AtomicU64,
    /// A tree is planted when the shelf grows into it, and stays.
    trees: [OnceLock<Box<Tree>>; TREES],
    bell: BellLock<Bell>,
    /// Whether a waker was copied on another thread.
    shared: AtomicBool,
}

/// The rings for 262,144 tasks, and two levels of words above them.
struct Tree {
    root: AtomicU64,
    branches: [AtomicU64; WIDTH],
    leaves: [AtomicU64; WIDTH * WIDTH],
}

/// What ends the loop's sleep.
pub(crate) enum Bell {
    Nobody,
    /// It is parked. (Under loom no loop runs, and only the tests below park.)
    #[cfg_attr(loom, allow(dead_code))]
    Thread(Thread),
    /// It waits where it was told to.
    Parking(std::sync::Arc<dyn Unpark>),
}
// ANCHOR_END: bits

// ANCHOR: room
impl Inbox {
    pub(crate) fn new() -> Inbox {
        Inbox {
            top: AtomicU64::new(0),
            trees: [const { OnceLock::new() }; TREES],
            bell: BellLock::new(Bell::Nobody),
            shared: AtomicBool::new(false),
        }
    }

    /// Makes room for the rings of the task in this place. Called by the loop, before anybody can ring for it.
    pub(crate) fn make_room(&self, slot: usize) {
        self.trees[slot / TASKS_OF_A_TREE].get_or_init(|| {
            Box::new(Tree {
                root: AtomicU64::new(0),
                branches: std::array::from_fn(|_| AtomicU64::new(0)),
                leaves: std::array::from_fn(|_| AtomicU64::new(0)),
            })
        });
    }
    // ANCHOR_END: room

    // ANCHOR: ring
    /// Rings for a task, from any thread.
    pub(crate) fn ring(&self, slot: usize) {
        let (number, bit) = (slot / TASKS_OF_A_TREE, slot % TASKS_OF_A_TREE);
        let Some(tree) = self.trees.get(number).and_then(OnceLock::get) else {
            return; // No task was ever there.
        };
        if is_first(&tree.leaves[bit / WIDTH], bit % WIDTH)
            && is_first(&tree.branches[bit / WIDTH / WIDTH], bit / WIDTH % WIDTH)
            && is_first(&tree.root, bit / WIDTH / WIDTH)
            && self.top.fetch_or(1 << number, Ordering::AcqRel) == ASLEEP
        {
            match &*self.bell() {
                Bell::Nobody => {}
                Bell::Thread(thread) => thread.unpark(),
                Bell::Parking(place) => place.unpark(),
            }
        }
    }
    // ANCHOR_END: ring

    // ANCHOR: take
    /// Takes all rings out, in the order of their places on the shelf.
    pub(crate) fn take(&self, mut rung: impl FnMut(usize)) {
        // From the top down: a ring that comes meanwhile to a word that was taken already finds it empty,
        // and goes all the way up again.
        for number in take_bits(&self.top) {
            let Some(tree) = self.trees.get(number).and_then(OnceLock::get) else {
                continue;
            };
            for branch in take_bits(&tree.root) {
                for leaf in take_bits(&tree.branches[branch]) {
                    let leaf = branch * WIDTH + leaf;
                    for bit in take_bits(&tree.leaves[leaf]) {
                        rung(number * TASKS_OF_A_TREE + leaf * WIDTH + bit);
                    }
                }
            }
        }
    }

    /// Whether anybody rang: one plain read.
    pub(crate) fn is_empty(&self) -> bool {
        self.top.load(Ordering::Relaxed) == 0
    }
    // ANCHOR_END: take

    // ANCHOR: falls_asleep
    /// The loop is about to sleep: from now on a ring ends the sleep. `false` if somebody rang already.
    pub(crate) fn falls_asleep(&self) -> bool {
        let order = (Ordering::AcqRel, Ordering::Relaxed);
        self.top
            .compare_exchange(0, ASLEEP, order.0, order.1)
            .is_ok()
    }
    // ANCHOR_END: falls_asleep

    // ANCHOR: bell
    pub(crate) fn is_awake(&self) {
        self.top.fetch_and(!ASLEEP, Ordering::AcqRel);
    }

    pub(crate) fn set_bell(&self, bell: Bell) {
        *self.bell() = bell;
    }

    /// Forgets what was meant for whoever had this inbox before.
    pub(crate) fn clear(&self) {
        self.take(|_| {});
        self.set_shared(false);
    }

    pub(crate) fn set_shared(&self, shared: bool) {
        self.shared.store(shared, Ordering::Relaxed);
    }

    /// Whether a waker may be in hands that the loop knows nothing of, because it was copied on another thread.
    pub(crate) fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed)
    }

    fn bell(&self) -> BellGuard<'_, Bell> {
        self.bell
            .lock()
            .expect("nobody panics while holding the bell")
    }
}

/// Sets a bit, and says whether it is the only one. It is written even if it is set already: this write is
/// what makes all that the ringing thread wrote before visible to the loop, which will read the word later.
fn is_first(word: &AtomicU64, bit: usize) -> bool {
    word.fetch_or(1 << bit, Ordering::AcqRel) == 0
}

/// Takes the bits out of a word, and gives their numbers, lowest first.
fn take_bits(word: &AtomicU64) -> impl Iterator<Item = usize> {
    let mut bits = word.swap(0, Ordering::AcqRel);
    std::iter::from_fn(move || {
        let lowest = bits.trailing_zeros() as usize;
        bits &= bits.wrapping_sub(1);
        (lowest < 64).then_some(lowest)
    })
}
// ANCHOR_END: bell

// ANCHOR: loom
/// `RUSTFLAGS="--cfg loom" cargo test -p loopbot-core --lib --release inbox` tries out
/// every order in which these threads can go on, and every value that their reads may see.
#[cfg(all(test, loom))]
mod tests {
    use loom::sync::Arc;
    use loom::thread;

    use super::*;

    /// Waits until these places were rung for, and sees what was written before each ring.
    fn wait_for(inbox: &Inbox, written: &[Arc<AtomicBool>], mut missing: Vec<usize>) {
        inbox.set_bell(Bell::Thread(thread::current()));
        loop {
            inbox.take(|slot| {
                if let Some(index) = missing.iter().position(|missing| *missing == slot) {
                    missing.swap_remove(index);
                }
            });
            if missing.is_empty() {
                break;
            }
            if inbox.falls_asleep() {
                thread::park();
                inbox.is_awake();
            }
        }
        for written in written {
            assert!(
                written.load(Ordering::Relaxed),
                "what was written before a ring is seen after it"
            );
        }
    }

    /// One thread for each list of places to ring for.
    fn model(rings: &'static [&'static [usize]]) {
        loom::model(move || {
            let inbox = Arc::new(Inbox::new());
            let mut missing: Vec<usize> = rings.concat();
            missing.sort();
            missing.dedup();
            missing.iter().for_each(|slot| inbox.make_room(*slot));
            let written: Vec<_> = rings
                .iter()
                .map(|_| Arc::new(AtomicBool::new(false)))
                .collect();
            let ringers: Vec<_> = rings
                .iter()
                .zip(&written)
                .map(|(slots, written)| {
                    let (inbox, written) = (inbox.clone(), written.clone());
                    thread::spawn(move || {
                        written.store(true, Ordering::Relaxed);
                        slots.iter().for_each(|slot| inbox.ring(*slot));
                    })
                })
                .collect();
            wait_for(
                &inbox,
                if rings.len() == 1 { &written } else { &[] },
                missing,
            );
            ringers
                .into_iter()
                .for_each(|ringer| ringer.join().unwrap());
            inbox.take(|_| {});
            assert!(inbox.is_empty());
        });
    }

    #[test]
    fn one_ring_ends_the_sleep_and_brings_what_was_written() {
        model(&[&[0]]);
    }

    #[test]
    fn two_rings_for_the_same_task() {
        model(&[&[0], &[0]]);
    }

    #[test]
    fn two_rings_in_one_word() {
        model(&[&[0], &[1]]);
    }

    #[test]
    fn two_rings_in_one_tree() {
        model(&[&[0], &[7]]);
    }

    #[test]
    fn two_rings_in_two_trees() {
        model(&[&[0], &[8]]);
    }

    #[test]
    fn one_thread_rings_twice() {
        model(&[&[0, 2]]);
    }
}
// ANCHOR_END: loom
