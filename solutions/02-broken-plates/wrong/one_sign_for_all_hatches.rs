//! must fail with: two hatches
//!
//! Remembers whether a plate can be taken in a `static`, changed under the lock. So all hatches have one sign.

use std::sync::atomic::{AtomicBool, Ordering};

use whatif::sync::{Condvar, Mutex};
use whatif::{never, say, step};

/// Whether a plate stands there that nobody holds.
static LET_GO: AtomicBool = AtomicBool::new(false);

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
        LET_GO.store(false, Ordering::Relaxed);
        let place = Mutex::default().called("the hatch");
        let bell = Condvar::new().called("the bell");
        Hatch { place, bell }
    }

    /// ChefBot: puts this dish on the hatch, as soon as there is room, and lets go.
    pub fn put(&self, dish: &str) {
        let mut place = self.place.lock().unwrap();
        while place.look() == Sight::Held || LET_GO.load(Ordering::Relaxed) {
            place = self.bell.wait(place).unwrap(); // gives the lock back, sleeps, takes it again
        }
        place.set_down(dish);
        place.let_go();
        LET_GO.store(true, Ordering::Relaxed);
        self.bell.notify_all();
    }

    /// WaitBot: takes a plate, as soon as one is there and nobody holds it. Returns the dish.
    pub fn take(&self) -> String {
        let mut place = self.place.lock().unwrap();
        while place.look() == Sight::Held || !LET_GO.load(Ordering::Relaxed) {
            place = self.bell.wait(place).unwrap();
        }
        let dish = place.pick_up();
        LET_GO.store(false, Ordering::Relaxed);
        self.bell.notify_all(); // there is room again
        dish
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
