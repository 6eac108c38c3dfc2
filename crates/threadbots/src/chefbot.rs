//! ChefBot: takes slips from the kitchen's rail, cooks, and puts plates on the pass.

use restaurant::story;

use crate::house::House;
use crate::robot::Robot;

// ANCHOR: run
pub(crate) fn run(bot: &Robot, house: &House) {
    story::place(&bot.lane, "kitchen");
    while let Some(slip) = bot.parked("a slip", 0, || house.kitchen.take()) {
        bot.tells(format!("cooks {slip}"));
        bot.wait("the oven", slip.takes);
        bot.tells(format!("puts {slip} on the pass"));
        house.pass.put(slip);
    }
}
// ANCHOR_END: run
