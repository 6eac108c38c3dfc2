//! WaitBot: carries what is ready, takes orders, clears tables. There can be several.

use std::time::Duration;

use restaurant::{Table, story};

use crate::coordination::Coordination;
use crate::house::House;
use crate::robot::Robot;
use crate::spot::Spot;

/// How often it looks around when there is nothing to do.
const ROUND: Duration = Duration::from_secs(20);

pub(crate) fn run(bot: &Robot, house: &House, coordination: Coordination) {
    story::place(&bot.lane, "bar");
    while !house.has_alarm() {
        let busy = carry(bot, house)
            || at_some_table(house, Table::wants_to_order, |spot| {
                coordination.take_order(bot, house, spot)
            })
            || at_some_table(house, Table::wants_clearing, |spot| {
                coordination.clear(bot, spot)
            });
        if !busy {
            if house.is_closed.get() && house.spots.iter().all(Spot::is_done_for_tonight) {
                break;
            }
            bot.wait("work", ROUND);
        }
    }
}

/// Carries what stands on the pass to its table. False if nothing does.
fn carry(bot: &Robot, house: &House) -> bool {
    let Some(slip) = house.pass.try_take() else {
        return false;
    };
    bot.goes_to(slip.course.made_in());
    bot.walk_to(house.spot(slip.table));
    house.spot(slip.table).serve(bot, &slip);
    true
}

/// Tries to do something at the first table that seems to want it and lets us. False if there is none.
fn at_some_table(
    house: &House,
    seems_to_want_it: fn(&Table) -> bool,
    act: impl Fn(&Spot) -> bool,
) -> bool {
    house
        .spots
        .iter()
        .any(|spot| spot.glance(seems_to_want_it) && act(spot))
}
