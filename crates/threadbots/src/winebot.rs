//! WineBot: takes slips from the bar's rail, pours, and puts glasses on the pass.

use restaurant::story;

use crate::house::House;
use crate::robot::Robot;

pub(crate) fn run(bot: &Robot, house: &House) {
    story::place(&bot.lane, "bar");
    while let Some(slip) = bot.parked("a slip", 0, || house.bar.take()) {
        bot.tells(format!("pours {slip}"));
        bot.wait("the tap", slip.takes);
        bot.tells(format!("puts {slip} on the pass"));
        house.pass.put(slip);
    }
}
