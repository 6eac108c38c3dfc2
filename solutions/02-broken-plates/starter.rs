//! Exercise 02: broken plates.
//!
//! ChefBots put plates on the hatch, WaitBots take them. There is room for one plate. Write `put`
//! and `take`. Who has to wait sleeps at the bell; nobody naps. Test: cargo test -p exercise-02

use whatif::sync::{Condvar, Mutex};
use whatif::{never, say, step};

/// The hatch between the kitchen and the tables.
pub struct Hatch {
    /// Whoever holds this lock is alone with the place. What can be done there stands below.
    pub place: Mutex<Place>,
    /// Here robots sleep, and here they are woken. You may add another.
    pub bell: Condvar,
}

impl Hatch {
    /// A hatch with nothing on it.
    pub fn empty() -> Hatch {
        let place = Mutex::default().called("the hatch");
        let bell = Condvar::new().called("the bell");
        Hatch { place, bell }
    }

    /// ChefBot: puts this dish on the hatch, as soon as there is room, and lets go.
    pub fn put(&self, dish: &str) {
        todo!("put {dish} on the hatch. First hint: cargo course hint 02")
    }

    /// WaitBot: takes a plate, as soon as one is there and nobody holds it. Returns the dish.
    pub fn take(&self) -> String {
        todo!("take a plate. First hint: cargo course hint 02")
    }
}

/// The place on the hatch, with room for one plate.
#[derive(Default)]
pub struct Place {
    sight: Sight,
    dish: String,
}

/// What a robot sees there.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Sight {
    /// Nothing: there is room.
    #[default]
    Room,
    /// A plate, and ChefBot's hand is on it.
    Held,
    /// A plate that can be taken.
    LetGo,
}

impl Place {
    /// Looks what is there.
    #[track_caller]
    pub fn look(&self) -> Sight {
        say(match self.sight {
            Sight::Room => "sees an empty hatch",
            Sight::Held => "sees a plate, and a hand on it",
            Sight::LetGo => "sees a plate that nobody holds",
        });
        self.sight
    }

    /// ChefBot sets a plate down, and holds on to it.
    #[track_caller]
    pub fn set_down(&mut self, dish: &str) {
        step(format!("sets {dish} down on the hatch"));
        let full = self.sight != Sight::Room;
        never("a plate is put on top of another", full);
        (self.sight, self.dish) = (Sight::Held, dish.into());
    }

    /// ChefBot takes its hand away.
    #[track_caller]
    pub fn let_go(&mut self) {
        step("lets go of the plate");
        self.sight = Sight::LetGo;
    }

    /// WaitBot takes the plate away.
    #[track_caller]
    pub fn pick_up(&mut self) -> String {
        step("reaches for the plate");
        let (held, none) = (self.sight == Sight::Held, self.sight == Sight::Room);
        never("a plate is taken before ChefBot has let go", held);
        never("WaitBot reaches for a missing plate", none);
        self.sight = Sight::Room;
        std::mem::take(&mut self.dish)
    }
}
