//! The same order twice: with a second WaitBot, two robots can stand at one table and write.

use restaurant::Table;

use crate::coordination::Coordination;
use crate::house::House;
use crate::robot::Robot;
use crate::spot::Spot;

impl Coordination {
    /// WaitBot takes the order of this table, if it wants to order. Returns whether it did.
    pub(crate) fn take_order(self, bot: &Robot, house: &House, spot: &Spot) -> bool {
        let wants_it = || spot.look(bot, Table::wants_to_order);
        let mut claim = None;
        let goes = match self {
            Coordination::Careless => wants_it(),
            Coordination::Napping => {
                wants_it() && {
                    bot.nap();
                    wants_it()
                }
            }
            Coordination::Coordinated => {
                claim = spot.claim(bot, Table::wants_to_order);
                claim.is_some()
            }
        };
        if goes {
            write_down(bot, house, spot);
        }
        drop(claim);
        goes
    }
}

/// Walks over, stands there while the party dithers, and sends two slips on their way.
fn write_down(bot: &Robot, house: &House, spot: &Spot) {
    bot.walk_to(spot);
    spot.wait_for_a_decision(bot);
    if let Some([food, drinks]) = spot.take_order(bot) {
        house.kitchen.put(food);
        house.bar.put(drinks);
    }
}
