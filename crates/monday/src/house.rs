//! What all tasks share.

use std::cell::Cell;

use loopbot::sync::{Permit, Semaphore};
use restaurant::{Pace, Shift, story};

use crate::robot::Robot;
use crate::spot::{Claim, Spot};

/// Shared by `Rc`, and changed through `Cell` and `RefCell`: no other thread can reach any of it, and the compiler sees to that.
pub(crate) struct House {
    pub(crate) bot: Robot,
    pub(crate) spots: Vec<Spot>,
    /// The line at the door: one permit for every free table.
    free_tables: Semaphore,
    /// How many parties stand in it.
    pub(crate) door: Cell<i64>,
}

impl House {
    pub(crate) fn new(shift: &Shift, pace: Pace) -> House {
        House {
            bot: Robot::new(pace),
            spots: (1..=shift.tables).map(Spot::new).collect(),
            free_tables: Semaphore::new(shift.tables as usize),
            door: Cell::new(0),
        }
    }

    /// Waits in the line at the door, until there is a free table. It is kept free for as long as the permit lives.
    pub(crate) async fn free_table(&self) -> Permit<'_> {
        let permit = self.free_tables.acquire(1).await;
        permit.expect("nobody closes the line")
    }

    /// Whoever has a permit for a free table finds one.
    pub(crate) fn claim_a_table(&self) -> Claim<'_> {
        let claim = self.spots.iter().find_map(|spot| spot.claim(&self.bot));
        claim.expect("as many permits are given out as there are tables free")
    }

    pub(crate) fn at_the_door(&self, change: i64) {
        self.door.set(self.door.get() + change);
        self.bot
            .shows(|lane| lane.counter(story::WAITING, self.door.get() as u64));
    }

    pub(crate) fn spot(&self, table: u32) -> &Spot {
        &self.spots[table as usize - 1]
    }
}
