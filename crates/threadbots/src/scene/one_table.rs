//! GreetBot with a party, WaitBot with a cloth, and between them a table that the party before has
//! left. It looks free to both.
//!
//! What they do there is in `one_table.rs` of the whole restaurant: an evening needs it too.

use std::sync::Arc;

use restaurant::Shift;
use restaurant::story::{self, TableState};

use super::{Scene, Stage, all_go_home};
use crate::coordination::Coordination;
use crate::spot::Spot;

/// A party is brought to a table that is about to be cleared.
pub const ONE_TABLE: Scene = Scene {
    name: "one-table",
    title: "one table",
    play,
};

fn play(coordination: Coordination, stage: &Stage) {
    let friday = Shift::friday(42);
    let chen = friday.parties.into_iter().find(|it| it.name == "Chen");
    let chen = chen.expect("the Chens come on Fridays");
    let spot = Arc::new(Spot::with_dishes(2));

    let seats = stage.spawn("GreetBot", {
        let spot = spot.clone();
        move |bot, _| {
            story::table(&bot.lane, 2, TableState::Left);
            coordination.seat(bot, &spot, &chen);
        }
    });
    let clears = stage.spawn("WaitBot", move |bot, _| {
        coordination.clear(bot, &spot);
    });
    all_go_home([seats, clears]);
}
