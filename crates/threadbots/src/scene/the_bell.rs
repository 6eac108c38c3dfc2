//! ChefBot finds no slip on the rail, and goes to sleep until the bell rings. WaitBot hangs up a slip, and rings.
//! If it rings a moment too early, nobody hears it, and nobody rings again.

use std::sync::Arc;
use std::time::Duration;

use whatif::sync::{Condvar, Mutex};

use super::{Scene, Stage, all_go_home};
use crate::coordination::Coordination;
use crate::robot::Robot;

/// The bell rings before the one who waits for it sleeps.
pub const THE_BELL: Scene = Scene {
    name: "the-bell",
    title: "the bell",
    play,
};

/// A second less than WaitBot's way to the kitchen. For real that is a few microseconds, and either may come first.
const OVEN: Duration = Duration::from_secs(19);

// ANCHOR: rail
struct Rail {
    slips: Mutex<u32>,
    bell: Condvar,
}

fn put(bot: &Robot, rail: &Rail) {
    *rail.slips.lock().unwrap() += 1;
    bot.tells("hangs a slip on the rail, and rings".to_owned());
    rail.bell.notify_one(); // wakes whoever sleeps there now, and is forgotten
}
// ANCHOR_END: rail

fn play(coordination: Coordination, stage: &Stage) {
    let rail = Arc::new(Rail {
        slips: Mutex::new(0).called("the rail"),
        bell: Condvar::new().called("the bell"),
    });
    let takes = stage.spawn("ChefBot", {
        let rail = rail.clone();
        move |bot, _| {
            bot.wait("the oven", OVEN);
            match coordination {
                Coordination::Careless => careless::take(bot, &rail),
                Coordination::Napping => napping::take(bot, &rail),
                Coordination::Coordinated => coordinated::take(bot, &rail),
            }
        }
    });
    let puts = stage.spawn("WaitBot", move |bot, _| {
        bot.goes_to("kitchen");
        put(bot, &rail);
    });
    all_go_home([takes, puts]);
}

/// Looks whether there is a slip, and tells so.
#[track_caller]
fn is_empty(bot: &Robot, slips: u32) -> bool {
    let what = if slips == 0 { "no slip" } else { "a slip" };
    bot.tells(format!("sees {what} on the rail"));
    slips == 0
}

// ANCHOR: careless
mod careless {
    use super::*;

    pub(super) fn take(bot: &Robot, rail: &Rail) {
        while is_empty(bot, *rail.slips.lock().unwrap()) {
            // nobody has the lock here
            let slips = rail.slips.lock().unwrap();
            bot.tells("sits down by the bell".to_owned());
            drop(bot.parked("the bell", 0, || rail.bell.wait(slips).unwrap()));
        }
        *rail.slips.lock().unwrap() -= 1;
        bot.tells("takes the slip".to_owned());
    }
}
// ANCHOR_END: careless

// ANCHOR: napping
mod napping {
    use super::*;

    pub(super) fn take(bot: &Robot, rail: &Rail) {
        if is_empty(bot, *rail.slips.lock().unwrap()) {
            bot.nap(); // in the hope that the slip comes meanwhile
        }
        careless::take(bot, rail);
    }
}
// ANCHOR_END: napping

// ANCHOR: coordinated
mod coordinated {
    use super::*;

    pub(super) fn take(bot: &Robot, rail: &Rail) {
        let mut slips = rail.slips.lock().unwrap();
        while is_empty(bot, *slips) {
            bot.tells("sits down by the bell".to_owned());
            slips = bot.parked("the bell", 0, || rail.bell.wait(slips).unwrap());
        }
        *slips -= 1;
        bot.tells("takes the slip".to_owned());
    }
}
// ANCHOR_END: coordinated
