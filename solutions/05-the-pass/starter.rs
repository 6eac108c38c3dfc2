//! Exercise 05: the pass.
//!
//! ChefBots put plates on the pass, WaitBots carry them to the tables. There is room for several,
//! and there is an end. Write `put`, `take` and `close`, and then `end_of_shift`. Who has to wait
//! sleeps at a bell; nobody naps. Test: cargo test -p exercise-05

use std::collections::VecDeque;

use whatif::sync::{Condvar, Mutex};
use whatif::thread::JoinHandle;
use whatif::{never, say};

/// A plate, and the party that waits for it.
#[derive(Debug, PartialEq)]
pub struct Plate(pub &'static str);

/// The pass, as a robot finds it that is alone with it.
pub struct Shelf {
    /// The plates, in the order in which they came.
    pub plates: VecDeque<Plate>,
    /// How many fit on it.
    pub room: usize,
    /// Nothing comes any more.
    pub is_closed: bool,
}

impl Shelf {
    /// ChefBot: puts a plate on the pass. It does not look whether there is room.
    #[track_caller]
    pub fn put_down(&mut self, plate: Plate) {
        say(format!("puts down {}'s plate", plate.0));
        self.plates.push_back(plate);
        let falls = self.plates.len() > self.room;
        never("a plate falls from a pass that is full", falls);
    }

    /// WaitBot: takes the plate that has stood there for longest, if there is one.
    #[track_caller]
    pub fn pick_up(&mut self) -> Option<Plate> {
        let plate = self.plates.pop_front()?;
        say(format!("picks up {}'s plate", plate.0));
        Some(plate)
    }
}

/// What ChefBots and WaitBots share.
pub struct Pass {
    /// Whoever holds this lock is alone with the pass.
    pub shelf: Mutex<Shelf>,
    /// A bell to sleep at. You may want another one.
    pub bell: Condvar,
}

impl Pass {
    /// Puts a plate on the pass; waits while there is no room. `Err` with the plate: it is closed.
    pub fn put(&self, plate: Plate) -> Result<(), Plate> {
        todo!("wait for room for {plate:?}. First hint: cargo course hint 05")
    }

    /// The next plate; waits while there is none. `None`: the pass is empty, and closed.
    pub fn take(&self) -> Option<Plate> {
        todo!("wait for a plate. First hint: cargo course hint 05")
    }

    /// No more plates are put on the pass. What stands there can still be taken.
    pub fn close(&self) {
        todo!("close the pass. First hint: cargo course hint 05")
    }

    /// A pass that is open, and empty.
    pub fn new(room: usize) -> Pass {
        let (plates, is_closed) = (VecDeque::new(), false);
        let shelf = Mutex::new(Shelf {
            plates,
            room,
            is_closed,
        })
        .called("the pass");
        let bell = Condvar::new().called("the bell");
        Pass { shelf, bell }
    }
}

/// All robots are at work: ChefBots `put` what they have to cook, and WaitBots `take` until there is
/// nothing to take. Waits until all have gone home, and returns all that was carried.
pub fn end_of_shift(
    pass: &Pass,
    chefbots: Vec<JoinHandle<()>>,
    waitbots: Vec<JoinHandle<Vec<Plate>>>,
) -> Vec<Plate> {
    let _ = (pass, chefbots, waitbots);
    todo!("send everybody home. First hint: cargo course hint 05")
}
