//! ChefBot puts plates on the pass, and WaitBot takes them. WaitBot puts dishes on the rack, and ChefBot takes them.
//! There is room for one on the pass and for one on the rack, and there is no lock anywhere.

use whatif::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::{Scene, Stage, all_go_home};
use crate::coordination::Coordination;
use crate::robot::Robot;

/// Two robots wait for room, and each would have to make it for the other.
pub const TWO_PASSES: Scene = Scene {
    name: "two-passes",
    title: "two passes",
    play,
};

/// Where a robot puts things down, and where it takes things from.
struct Place {
    puts: SyncSender<&'static str>,
    takes: Receiver<&'static str>,
    /// What it puts down.
    load: &'static str,
}

fn play(coordination: Coordination, stage: &Stage) {
    let (pass, plates) = sync_channel(1);
    let (rack, dishes) = sync_channel(1);
    let (plates, dishes) = (plates.called("the pass"), dishes.called("the rack"));
    let chefbot = Place {
        puts: pass,
        takes: dishes,
        load: "a plate",
    };
    let waitbot = Place {
        puts: rack,
        takes: plates,
        load: "a dish",
    };
    let chefbot = stage.spawn("ChefBot", move |bot, _| match coordination {
        Coordination::Careless | Coordination::Coordinated => careless::work(bot, &chefbot),
        Coordination::Napping => napping::work(bot, &chefbot),
    });
    let waitbot = stage.spawn("WaitBot", move |bot, _| match coordination {
        Coordination::Careless => careless::work(bot, &waitbot),
        Coordination::Napping => napping::work(bot, &waitbot),
        Coordination::Coordinated => coordinated::work(bot, &waitbot),
    });
    all_go_home([chefbot, waitbot]);
}

impl Place {
    #[track_caller]
    fn put(&self, bot: &Robot) {
        bot.tells(format!("comes with {}", self.load));
        let sent = bot.parked("room", 0, || self.puts.send(self.load));
        sent.expect("the other robot stays until the end");
        bot.tells(format!("puts down {}", self.load));
    }

    #[track_caller]
    fn take(&self, bot: &Robot) {
        let load = bot.parked("something to take", 0, || self.takes.recv());
        let load = load.expect("the other robot stays until the end");
        bot.tells(format!("takes {load}"));
    }
}

// ANCHOR: careless
mod careless {
    use super::*;

    pub(super) fn work(bot: &Robot, place: &Place) {
        place.put(bot);
        place.put(bot); // waits for room
        place.take(bot);
        place.take(bot);
    }
}
// ANCHOR_END: careless

// ANCHOR: napping
mod napping {
    use super::*;

    pub(super) fn work(bot: &Robot, place: &Place) {
        place.put(bot);
        bot.nap(); // in the hope that there is room by then
        place.put(bot);
        place.take(bot);
        place.take(bot);
    }
}
// ANCHOR_END: napping

// ANCHOR: coordinated
/// One of the two takes first. ChefBot is careless as before.
mod coordinated {
    use super::*;

    pub(super) fn work(bot: &Robot, place: &Place) {
        place.take(bot);
        place.take(bot);
        place.put(bot);
        place.put(bot);
    }
}
// ANCHOR_END: coordinated
