//! ChefBot puts a plate on the pass, and turns it until it looks right. WaitBot sees a plate there.
//!
//! All three styles have the same lock, and every look and every deed is whole. What a lock cannot do is
//! wait for something.

use std::sync::Arc;
use std::time::Duration;

use restaurant::story;
use whatif::sync::{Condvar, Mutex};

use super::{Scene, Stage, all_go_home};
use crate::coordination::Coordination;
use crate::robot::Robot;

/// A plate is taken before it has been let go.
pub const BROKEN_PLATE: Scene = Scene {
    name: "broken-plate",
    title: "the plate",
    play,
};

/// As long as a walk across the room: now and then, that is too long.
const TURNING: Duration = Duration::from_secs(20);

// ANCHOR: pass
#[derive(Clone, Copy, PartialEq)]
enum Plate {
    NotThere,
    InChefBotsHand,
    LetGo,
}

struct Pass {
    plate: Mutex<Plate>,
    bell: Condvar,
}
// ANCHOR_END: pass

fn play(coordination: Coordination, stage: &Stage) {
    let pass = Arc::new(Pass {
        plate: Mutex::new(Plate::NotThere).called("the lock on the pass"),
        bell: Condvar::new().called("the bell"),
    });
    let serves = stage.spawn("ChefBot", {
        let pass = pass.clone();
        move |bot, _| match coordination {
            Coordination::Careless | Coordination::Napping => careless::serve(bot, &pass),
            Coordination::Coordinated => coordinated::serve(bot, &pass),
        }
    });
    let fetches = stage.spawn("WaitBot", move |bot, stage| {
        story::place(&bot.lane, "table 2");
        match coordination {
            Coordination::Careless => careless::fetch(bot, stage, &pass),
            Coordination::Napping => napping::fetch(bot, stage, &pass),
            Coordination::Coordinated => coordinated::fetch(bot, stage, &pass),
        }
    });
    all_go_home([serves, fetches]);
}

impl Pass {
    /// Looks whether a plate is there, and tells so.
    #[track_caller]
    fn shows_a_plate(&self, bot: &Robot) -> bool {
        let is_there = *self.plate.lock().unwrap() != Plate::NotThere;
        let what = if is_there { "a plate" } else { "no plate" };
        bot.tells(format!("sees {what} on the pass"));
        is_there
    }
}

/// Takes the plate, whoever holds it.
#[track_caller]
fn take(bot: &Robot, stage: &Stage, plate: &mut Plate) {
    bot.tells("takes the plate".to_owned());
    let held = *plate == Plate::InChefBotsHand;
    stage.never("a plate is taken before ChefBot has let go", held);
    *plate = Plate::NotThere;
}

// ANCHOR: careless
mod careless {
    use super::*;

    pub(super) fn serve(bot: &Robot, pass: &Pass) {
        *pass.plate.lock().unwrap() = Plate::InChefBotsHand;
        bot.tells("puts a plate on the pass, and turns it".to_owned());
        bot.wait("the right angle", TURNING);
        *pass.plate.lock().unwrap() = Plate::LetGo;
        bot.tells("lets go of the plate".to_owned());
    }

    pub(super) fn fetch(bot: &Robot, stage: &Stage, pass: &Pass) {
        if pass.shows_a_plate(bot) {
            bot.goes_to("kitchen"); // by then, ChefBot will have let go
            take(bot, stage, &mut pass.plate.lock().unwrap());
        }
    }
}
// ANCHOR_END: careless

// ANCHOR: napping
mod napping {
    use super::*;

    pub(super) fn fetch(bot: &Robot, stage: &Stage, pass: &Pass) {
        if pass.shows_a_plate(bot) {
            bot.nap(); // to be on the safe side
            careless::fetch(bot, stage, pass);
        }
    }
}
// ANCHOR_END: napping

// ANCHOR: coordinated
mod coordinated {
    use super::*;

    pub(super) fn serve(bot: &Robot, pass: &Pass) {
        careless::serve(bot, pass);
        pass.bell.notify_one();
    }

    pub(super) fn fetch(bot: &Robot, stage: &Stage, pass: &Pass) {
        bot.goes_to("kitchen");
        let mut plate = pass.plate.lock().unwrap();
        while *plate != Plate::LetGo {
            bot.tells("cannot take a plate yet, and sleeps at the bell".to_owned());
            plate = bot.parked("the bell", 0, || pass.bell.wait(plate).unwrap());
        }
        take(bot, stage, &mut plate);
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
            let Outcome::Failed(story) = BROKEN_PLATE.check(coordination).outcome else {
                panic!("{coordination} robots break it");
            };
            assert_eq!(story.rule, "a plate is taken before ChefBot has let go");
        }
    }

    #[test]
    fn a_coordinated_evening_ends_well() {
        // More than any machine needs; nobody waits that long unless something is wrong here.
        let minute = Duration::from_secs(60);
        assert_eq!(
            BROKEN_PLATE.evening(Coordination::Coordinated, minute),
            None
        );
    }
}
