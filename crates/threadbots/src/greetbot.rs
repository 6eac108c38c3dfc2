//! GreetBot: stands at the desk, seats parties, takes payment.

use std::collections::VecDeque;
use std::time::Duration;

use restaurant::story;
use restaurant::work::CARD;
use restaurant::{Party, Shift, Table};

use crate::coordination::Coordination;
use crate::house::House;
use crate::robot::Robot;

/// How often it looks up from the desk.
const ROUND: Duration = Duration::from_secs(30);

pub(crate) fn run(bot: &Robot, house: &House, shift: &Shift, coordination: Coordination) {
    let mut coming: VecDeque<Party> = shift.parties.iter().cloned().collect();
    let mut at_the_door: VecDeque<Party> = VecDeque::new();
    let mut gone = 0;
    story::place(&bot.lane, "desk");

    while gone < shift.parties.len() && !house.has_alarm() {
        let waiting = at_the_door.len();
        while coming
            .front()
            .is_some_and(|party| party.arrives <= bot.now())
        {
            at_the_door.extend(coming.pop_front());
        }
        if at_the_door.len() != waiting {
            bot.lane.counter(story::WAITING, at_the_door.len() as u64);
        }

        if let Some(spot) = house
            .spots
            .iter()
            .find(|spot| spot.glance(|table| table.wants_to_pay(bot.now())))
        {
            bot.wait("the card machine", CARD);
            spot.settle(bot);
            gone += 1;
            continue;
        }
        let free = house.spots.iter().find(|spot| spot.glance(Table::is_free));
        if let (Some(spot), Some(party)) = (free, at_the_door.front()) {
            if coordination.seat(bot, spot, party) {
                at_the_door.pop_front();
                bot.lane.counter(story::WAITING, at_the_door.len() as u64);
            }
            bot.goes_to("desk");
            continue;
        }
        bot.wait("guests", ROUND);
    }

    house.is_closed.set(true);
    house.kitchen.close();
    house.bar.close();
}
