//! One table, two parties: GreetBot brings a party to a table that WaitBot is about to clear.
//!
//! Both look first. That is the trouble: between looking and acting a robot walks, and while it walks
//! the world goes on.

use restaurant::{Party, Table};

use crate::coordination::Coordination;
use crate::robot::Robot;
use crate::spot::Spot;

impl Coordination {
    /// GreetBot seats a party, if the table is free. Returns whether it did.
    pub(crate) fn seat(self, bot: &Robot, spot: &Spot, party: &Party) -> bool {
        match self {
            Coordination::Careless => careless::seat(bot, spot, party),
            Coordination::Napping => napping::seat(bot, spot, party),
            Coordination::Coordinated => coordinated::seat(bot, spot, party),
        }
    }

    /// WaitBot clears the table, if nobody sits there. Returns whether it did.
    pub(crate) fn clear(self, bot: &Robot, spot: &Spot) -> bool {
        match self {
            Coordination::Careless => careless::clear(bot, spot),
            Coordination::Napping => napping::clear(bot, spot),
            Coordination::Coordinated => coordinated::clear(bot, spot),
        }
    }
}

// ANCHOR: careless
mod careless {
    use super::*;

    pub(super) fn seat(bot: &Robot, spot: &Spot, party: &Party) -> bool {
        if !spot.look(bot, Table::is_free) {
            return false;
        }
        bot.walk_to(spot); // the world goes on
        spot.seat(bot, party);
        true
    }

    pub(super) fn clear(bot: &Robot, spot: &Spot) -> bool {
        if !spot.look(bot, Table::is_free) {
            return false;
        }
        bot.walk_to(spot); // the world goes on
        spot.clear(bot);
        true
    }
}
// ANCHOR_END: careless

// ANCHOR: napping
mod napping {
    use super::*;

    pub(super) fn seat(bot: &Robot, spot: &Spot, party: &Party) -> bool {
        if !spot.look(bot, Table::is_free) {
            return false;
        }
        bot.nap(); // in the hope that whoever else is on the way gets there first
        careless::seat(bot, spot, party)
    }

    pub(super) fn clear(bot: &Robot, spot: &Spot) -> bool {
        if !spot.look(bot, Table::is_free) {
            return false;
        }
        bot.nap();
        careless::clear(bot, spot)
    }
}
// ANCHOR_END: napping

// ANCHOR: coordinated
mod coordinated {
    use super::*;

    pub(super) fn seat(bot: &Robot, spot: &Spot, party: &Party) -> bool {
        let Some(claim) = spot.claim(bot, Table::is_free) else {
            return false;
        };
        bot.walk_to(spot); // the world goes on, and sees the card on the table
        spot.seat(bot, party);
        drop(claim);
        true
    }

    pub(super) fn clear(bot: &Robot, spot: &Spot) -> bool {
        let Some(claim) = spot.claim(bot, Table::is_free) else {
            return false;
        };
        bot.walk_to(spot); // the world goes on, and sees the card on the table
        spot.clear(bot);
        drop(claim);
        true
    }
}
// ANCHOR_END: coordinated
