//! must fail with: deadlock: WineBot and WaitBot wait for each other
//!
//! First the rack from which the bottles come, then the rack to which they go. Whoever carries the
//! other way asks in the other order.

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
        if from == to {
            return tell(0);
        }
        let moved = {
            let mut source = self.racks[from].lock().unwrap();
            let mut target = self.racks[to].lock().unwrap();
            let moved = n.min(*source);
            *source -= moved;
            *target += moved;
            moved
        };
        tell(moved);
    }

    /// How many bottles stand on these two racks together, at one moment. If they are the same
    /// rack, its bottles count once.
    pub fn count(&self, one: usize, other: usize) -> u32 {
        if one == other {
            return *self.racks[one].lock().unwrap();
        }
        let one = self.racks[one].lock().unwrap();
        let other = self.racks[other].lock().unwrap();
        *one + *other
    }
}
