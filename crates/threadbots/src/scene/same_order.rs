//! Two WaitBots, and one party that wants to order. A card on the table says which robot takes care of it: a number
//! that everybody reads and writes, and no lock.

use std::sync::Arc;

use restaurant::Shift;
use restaurant::story::{self, TableState};
use whatif::sync::atomic::{AtomicU32, Ordering};

use super::{Scene, Stage, all_go_home};
use crate::coordination::Coordination;
use crate::robot::Robot;
use crate::spot::Spot;

/// Two WaitBots go for the same order.
pub const SAME_ORDER: Scene = Scene {
    name: "same-order",
    title: "the same order",
    play,
};

/// What the card says while no robot takes care of the table.
const NOBODY: u32 = 0;

// ANCHOR: careless
mod careless {
    use super::*;

    pub(super) fn claim(bot: &Robot, me: u32, card: &AtomicU32) -> bool {
        let holder = card.load(Ordering::Acquire);
        bot.tells(reads(holder));
        if holder != NOBODY {
            return false;
        }
        card.store(me, Ordering::Release);
        bot.tells(format!("writes {me} on the card"));
        true
    }
}
// ANCHOR_END: careless

// ANCHOR: napping
mod napping {
    use super::*;

    pub(super) fn claim(bot: &Robot, me: u32, card: &AtomicU32) -> bool {
        if card.load(Ordering::Acquire) != NOBODY {
            return false;
        }
        bot.nap(); // whoever else wants the card has written on it by then
        careless::claim(bot, me, card)
    }
}
// ANCHOR_END: napping

// ANCHOR: coordinated
mod coordinated {
    use super::*;

    pub(super) fn claim(bot: &Robot, me: u32, card: &AtomicU32) -> bool {
        match card.compare_exchange(NOBODY, me, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_nobody) => {
                bot.tells(format!("finds 0 on the card, and makes it {me}"));
                true
            }
            Err(holder) => {
                bot.tells(reads(holder));
                false
            }
        }
    }
}
// ANCHOR_END: coordinated

fn reads(holder: u32) -> String {
    format!("reads {holder} on the card")
}

fn play(coordination: Coordination, stage: &Stage) {
    let friday = Shift::friday(42);
    let okafor = friday.parties.into_iter().find(|it| it.name == "Okafor");
    let okafor = okafor.expect("the Okafors come on Fridays");
    let table = Arc::new((
        Spot::with_party(2, okafor),
        AtomicU32::new(NOBODY).called("the card"),
    ));

    let waitbot = |me: u32| {
        let table = table.clone();
        stage.spawn(&format!("WaitBot-{me}"), move |bot, _| {
            let (spot, card) = &*table;
            if me == 1 {
                story::party(&bot.lane, 2, Some("Okafor"));
                story::table(&bot.lane, 2, TableState::Seated);
            }
            let claimed = match coordination {
                Coordination::Careless => careless::claim(bot, me, card),
                Coordination::Napping => napping::claim(bot, me, card),
                Coordination::Coordinated => coordinated::claim(bot, me, card),
            };
            if claimed {
                bot.walk_to(spot);
                spot.take_order(bot);
            }
        })
    };
    all_go_home([1, 2].map(waitbot));
}
