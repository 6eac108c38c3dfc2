//! What all robots share.

use restaurant::{Shift, Slip};
use whatif::sync::Shared;

use crate::rail::Rail;
use crate::spot::Spot;

pub(crate) struct House {
    pub(crate) spots: Vec<Spot>,
    /// Slips on their way to ChefBot.
    pub(crate) kitchen: Rail<Slip>,
    /// Slips on their way to WineBot.
    pub(crate) bar: Rail<Slip>,
    /// Plates and glasses that are ready, each with its slip, on their way to a table.
    pub(crate) pass: Rail<Slip>,
    /// GreetBot has said goodbye to the last party.
    pub(crate) is_closed: Shared<bool>,
}

impl House {
    pub(crate) fn new(shift: &Shift) -> House {
        House {
            spots: (1..=shift.tables).map(Spot::new).collect(),
            kitchen: Rail::new(),
            bar: Rail::new(),
            pass: Rail::new(),
            is_closed: Shared::new(false),
        }
    }

    pub(crate) fn spot(&self, table: u32) -> &Spot {
        &self.spots[table as usize - 1]
    }
}
