//! Exercise 06: two keys.
//!
//! Every rack has a lock with one key. WineBot carries bottles up from the cellar, WaitBot carries
//! others down again, and one evening both stand there for ever, each with the key that the other
//! one needs. Write `move_bottles` and `count`. Test: cargo test -p exercise-06

use std::sync::Mutex;

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

    /// Moves `n` bottles from rack `from` to rack `to`, or as many as there are. From a rack to
    /// itself, nothing moves. Whoever counts meanwhile sees a bottle on one rack or on the other.
    ///
    /// At the end, calls `tell` with how many have moved. What `tell` does is not up to you: it may
    /// look at the racks itself, or wait for another robot that needs them.
    pub fn move_bottles(&self, from: usize, to: usize, n: u32, tell: impl FnOnce(u32)) {
        _ = tell;
        todo!("move {n} bottles from rack {from} to rack {to}. First hint: cargo course hint 06")
    }

    /// How many bottles stand on these two racks together, at one moment. If they are the same
    /// rack, its bottles count once.
    pub fn count(&self, one: usize, other: usize) -> u32 {
        todo!("count racks {one} and {other}. First hint: cargo course hint 06")
    }
}
