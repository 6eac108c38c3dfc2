//! must fail with: `tell` says 12 bottles, and 1000 could be moved
//!
//! Twelve bottles are a crate, and nobody carries more.

use std::sync::{Mutex, MutexGuard};

/// The house in which the robots work. They all share it.
pub struct House {
    /// Rack 0, rack 1, and so on: how many bottles stand there, and the lock around them.
    pub racks: Vec<Mutex<u32>>,
}

impl House {
    /// A house with these racks.
    pub fn new(racks: Vec<Mutex<u32>>) -> House {
        House { racks }
    }

    /// Opens two different racks, the one with the smaller number first. Returns them as asked for.
    fn open(&self, one: usize, other: usize) -> [MutexGuard<'_, u32>; 2] {
        let lower = self.racks[one.min(other)].lock().unwrap();
        let upper = self.racks[one.max(other)].lock().unwrap();
        if one < other {
            [lower, upper]
        } else {
            [upper, lower]
        }
    }

    /// Moves `n` bottles from rack `from` to rack `to`, or as many as there are. From a rack to
    /// itself, nothing moves. Whoever counts meanwhile sees a bottle on one rack or on the other.
    ///
    /// At the end, calls `tell` with how many have moved. What `tell` does is not up to you: it may
    /// look at the racks itself, or wait for another robot that needs them.
    pub fn move_bottles(&self, from: usize, to: usize, n: u32, tell: impl FnOnce(u32)) {
        if from == to {
            return tell(0);
        }
        let moved = {
            let [mut source, mut target] = self.open(from, to);
            let moved = n.min(*source).min(12);
            *source -= moved;
            *target += moved;
            moved
        }; // both guards are gone
        tell(moved);
    }

    /// How many bottles stand on these two racks together, at one moment. If they are the same
    /// rack, its bottles count once.
    pub fn count(&self, one: usize, other: usize) -> u32 {
        if one == other {
            return *self.racks[one].lock().unwrap();
        }
        let [one, other] = self.open(one, other);
        *one + *other
    }
}
