//! Two keys: the wine is in the cellar, its glasses are in the cabinet at the bar, and a bottle leaves
//! only together with its glasses. So whoever fetches wine needs both keys at once.
//!
//! WineBot goes to the cellar first and WaitBot to the cabinet first. Each is on its way to the other
//! door when it holds one key.

use std::panic::Location;
use std::sync::Arc;

use flight::Event;
use restaurant::story;
use whatif::sync::{Mutex, MutexGuard};

use super::{Scene, Stage, all_go_home};
use crate::coordination::Coordination;
use crate::robot::Robot;

/// Two robots need the same two keys, and take them in two orders.
pub const TWO_KEYS: Scene = Scene {
    name: "two-keys",
    title: "two keys",
    play,
};

fn play(coordination: Coordination, stage: &Stage) {
    let door = |number, place, key| {
        let inside = Mutex::new(10).called(key);
        Arc::new(Door {
            number,
            place,
            key,
            inside,
        })
    };
    let cellar = door(1, "kitchen", "the cellar key");
    let cabinet = door(2, "bar", "the cabinet key");
    let fetch = match coordination {
        Coordination::Careless => careless::fetch,
        Coordination::Napping => napping::fetch,
        Coordination::Coordinated => coordinated::fetch,
    };
    let winebot = stage.spawn("WineBot", {
        let (cellar, cabinet) = (cellar.clone(), cabinet.clone());
        move |bot, _| fetch(bot, &cellar, &cabinet)
    });
    let waitbot = stage.spawn("WaitBot", {
        let (cellar, cabinet) = (cellar.clone(), cabinet.clone());
        move |bot, _| fetch(bot, &cabinet, &cellar)
    });
    all_go_home([winebot, waitbot]);

    let left = [cellar, cabinet].map(|door| {
        let door = Arc::into_inner(door).expect("everybody has gone home");
        door.inside.into_inner().unwrap()
    });
    stage.never("somebody has come back without wine", left != [8, 8]);
}

// ANCHOR: careless
mod careless {
    use super::*;

    pub(super) fn fetch(bot: &Robot, here: &Door, there: &Door) {
        let mut here = here.open(bot);
        let mut there = there.open(bot); // with the first key in its hand
        here.take_one();
        there.take_one();
    }
}
// ANCHOR_END: careless

// ANCHOR: napping
mod napping {
    use super::*;

    pub(super) fn fetch(bot: &Robot, here: &Door, there: &Door) {
        loop {
            let mut first = here.open(bot);
            if let Some(mut second) = there.try_open(bot) {
                first.take_one();
                second.take_one();
                return;
            }
            drop(first); // so that nobody has to wait for this key
            bot.nap(); // in the hope that whoever has the other one is done by then
        }
    }
}
// ANCHOR_END: napping

// ANCHOR: coordinated
mod coordinated {
    use super::*;

    pub(super) fn fetch(bot: &Robot, here: &Door, there: &Door) {
        let (first, second) = if here.number < there.number {
            (here, there)
        } else {
            (there, here)
        };
        let mut first = first.open(bot); // the same one for everybody
        let mut second = second.open(bot);
        first.take_one();
        second.take_one();
    }
}
// ANCHOR_END: coordinated

// ANCHOR: door
/// A door, and what is behind it. Whoever has the lock has the key.
struct Door {
    number: u32,
    place: &'static str,
    key: &'static str,
    inside: Mutex<u32>,
}

impl Door {
    /// Goes there, waits until the key hangs on its hook, and takes it.
    #[track_caller]
    fn open<'a>(&'a self, bot: &'a Robot) -> Key<'a> {
        bot.goes_to(self.place);
        let resource = bot.lane.text(self.key);
        bot.lane.record(Event::ResWait { resource });
        bot.notes(&format!("asks for {}", self.key));
        Key::new(self, bot, self.inside.lock().unwrap())
    }

    /// Goes there, and takes the key if it hangs on its hook.
    #[track_caller]
    fn try_open<'a>(&'a self, bot: &'a Robot) -> Option<Key<'a>> {
        bot.goes_to(self.place);
        let Ok(inside) = self.inside.try_lock() else {
            bot.notes(&format!("cannot have {}", self.key));
            return None;
        };
        Some(Key::new(self, bot, inside))
    }
}
// ANCHOR_END: door

/// A key in a robot's hand. Dropping it hangs it up.
struct Key<'a> {
    door: &'a Door,
    bot: &'a Robot,
    inside: MutexGuard<'a, u32>,
}

impl<'a> Key<'a> {
    #[track_caller]
    fn new(door: &'a Door, bot: &'a Robot, inside: MutexGuard<'a, u32>) -> Key<'a> {
        let resource = bot.lane.text(door.key);
        bot.lane.record(Event::ResAcquire { resource });
        bot.notes(&format!("takes {}", door.key));
        Key { door, bot, inside }
    }

    /// A bottle from the cellar, or a set of glasses from the cabinet.
    fn take_one(&mut self) {
        *self.inside -= 1;
    }
}

impl Drop for Key<'_> {
    fn drop(&mut self) {
        let resource = self.bot.lane.text(self.door.key);
        self.bot.lane.record(Event::ResRelease { resource });
    }
}

impl Robot {
    /// For the record only: the checker sees by itself who takes which key.
    #[track_caller]
    fn notes(&self, step: &str) {
        story::step(&self.lane, step, Location::caller());
    }
}

#[cfg(test)]
mod tests {
    use whatif::{Ending, Outcome};

    use super::*;

    #[test]
    fn careless_robots_wait_in_a_ring_and_napping_ones_go_round() {
        for (coordination, wanted) in [
            (Coordination::Careless, Ending::Deadlock),
            (Coordination::Napping, Ending::NobodyGetsAnywhere),
        ] {
            let Outcome::Failed(story) = TWO_KEYS.check(coordination).outcome else {
                panic!("{coordination} robots get their wine");
            };
            assert_eq!(story.ending, wanted, "{story}");
        }
    }

    #[test]
    fn one_order_is_proved() {
        let report = TWO_KEYS.check(Coordination::Coordinated);
        assert!(matches!(report.outcome, Outcome::Proved { .. }), "{report}");
    }
}
