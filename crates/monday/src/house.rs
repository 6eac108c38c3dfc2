//! What all tasks share.

use std::cell::Cell;

use restaurant::{Pace, Shift, story};

use crate::line::Line;
use crate::robot::Robot;
use crate::spot::{Claim, Spot};

/// Shared by `Rc`, and changed through `Cell` and `RefCell`: no other thread can reach any of it, and the compiler sees to that.
pub(crate) struct House {
    pub(crate) bot: Robot,
    pub(crate) spots: Vec<Spot>,
    /// The line at the door: one place for every free table.
    pub(crate) free_tables: Line,
    /// How many parties stand in it.
    pub(crate) door: Cell<i64>,
}

impl House {
    pub(crate) fn new(shift: &Shift, pace: Pace) -> House {
        House {
            bot: Robot::new(pace),
            spots: (1..=shift.tables).map(Spot::new).collect(),
            free_tables: Line::new(shift.tables as usize),
            door: Cell::new(0),
        }
    }

    /// Whoever holds a place for a free table finds one.
    pub(crate) fn claim_a_table(&self) -> Claim<'_> {
        let claim = self.spots.iter().find_map(|spot| spot.claim(&self.bot));
        claim.expect("as many places are given out as there are tables free")
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
