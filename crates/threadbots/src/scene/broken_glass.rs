//! WineBot pours two glasses, and two WaitBots want one each. They have a lock and a bell, and still two hands
//! close on one glass.
//!
//! The hole is a single word: `if`, where it has to be `while`.

use std::sync::Arc;

use restaurant::{Drink, story};
use whatif::sync::{Condvar, Mutex};

use super::{Scene, Stage, all_go_home};
use crate::coordination::Coordination;
use crate::robot::Robot;

/// A glass is reached for that somebody else has taken.
pub const BROKEN_GLASS: Scene = Scene {
    name: "broken-glass",
    title: "the glass",
    play,
};

// ANCHOR: bar
struct Bar {
    glasses: Mutex<u32>,
    bell: Condvar,
}

fn pour(bot: &Robot, bar: &Bar) {
    bot.wait("the tap", Drink::Water.pours_for());
    *bar.glasses.lock().unwrap() += 1;
    bot.tells("puts a glass on the bar, and rings".to_owned());
    bar.bell.notify_one(); // one glass, one ring, one robot
}
// ANCHOR_END: bar

fn play(coordination: Coordination, stage: &Stage) {
    let bar = Arc::new(Bar {
        glasses: Mutex::new(0).called("the lock on the bar"),
        bell: Condvar::new().called("the bell"),
    });
    let fetches = |name: &str, comes_from: &'static str| {
        let bar = bar.clone();
        stage.spawn(name, move |bot, stage| {
            story::place(&bot.lane, comes_from);
            if comes_from != "bar" {
                bot.goes_to("bar");
            }
            match coordination {
                Coordination::Careless => careless::fetch(bot, stage, &bar),
                Coordination::Napping => napping::fetch(bot, stage, &bar),
                Coordination::Coordinated => coordinated::fetch(bot, stage, &bar),
            }
        })
    };
    let waitbots = [fetches("WaitBot-1", "bar"), fetches("WaitBot-2", "table 2")];
    let winebot = stage.spawn("WineBot", move |bot, _| {
        pour(bot, &bar);
        pour(bot, &bar);
    });
    all_go_home(waitbots);
    all_go_home([winebot]);
}

/// Takes a glass from the bar, if it is still there.
#[track_caller]
fn take(bot: &Robot, stage: &Stage, glasses: &mut u32) {
    bot.tells("reaches for a glass".to_owned());
    stage.never("two hands close on one glass", *glasses == 0);
    *glasses = glasses.saturating_sub(1);
}

// ANCHOR: careless
mod careless {
    use super::*;

    pub(super) fn fetch(bot: &Robot, stage: &Stage, bar: &Bar) {
        let mut glasses = bar.glasses.lock().unwrap();
        if *glasses == 0 {
            bot.tells("sees no glass, and sleeps at the bell".to_owned());
            glasses = bot.parked("the bell", 0, || bar.bell.wait(glasses).unwrap());
        }
        take(bot, stage, &mut glasses); // it has rung, so there is one
    }
}
// ANCHOR_END: careless

// ANCHOR: napping
mod napping {
    use super::*;

    pub(super) fn fetch(bot: &Robot, stage: &Stage, bar: &Bar) {
        bot.nap(); // in the hope that whoever else is thirsty gets there first
        careless::fetch(bot, stage, bar);
    }
}
// ANCHOR_END: napping

// ANCHOR: coordinated
mod coordinated {
    use super::*;

    pub(super) fn fetch(bot: &Robot, stage: &Stage, bar: &Bar) {
        let mut glasses = bar.glasses.lock().unwrap();
        while *glasses == 0 {
            bot.tells("sees no glass, and sleeps at the bell".to_owned());
            glasses = bot.parked("the bell", 0, || bar.bell.wait(glasses).unwrap());
        }
        take(bot, stage, &mut glasses);
    }
}
// ANCHOR_END: coordinated

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use whatif::Outcome;

    use super::*;

    #[test]
    fn a_nap_breaks_the_same_rule() {
        for coordination in [Coordination::Careless, Coordination::Napping] {
            let Outcome::Failed(story) = BROKEN_GLASS.check(coordination).outcome else {
                panic!("{coordination} robots break it");
            };
            assert_eq!(story.rule, "two hands close on one glass");
        }
    }

    #[test]
    fn a_coordinated_evening_ends_well() {
        // More than any machine needs; nobody waits that long unless something is wrong here.
        let minute = Duration::from_secs(60);
        assert_eq!(
            BROKEN_GLASS.evening(Coordination::Coordinated, minute),
            None
        );
    }
}
