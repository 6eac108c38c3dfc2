//! must fail with: `put` says that the pass is closed, and ChefBot still has plates
//!
//! Waits for two ChefBots, as many as there were when it was tried. The third one still cooks when the pass is closed.

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
    /// Where ChefBots sleep.
    pub room_bell: Condvar,
    /// Where WaitBots sleep.
    pub plate_bell: Condvar,
}

impl Pass {
    /// Puts a plate on the pass; waits while there is no room. `Err` with the plate: it is closed.
    pub fn put(&self, plate: Plate) -> Result<(), Plate> {
        let mut shelf = self.shelf.lock().unwrap();
        while shelf.plates.len() == shelf.room && !shelf.is_closed {
            shelf = self.room_bell.wait(shelf).unwrap();
        }
        if shelf.is_closed {
            return Err(plate);
        }
        shelf.put_down(plate);
        self.plate_bell.notify_one();
        Ok(())
    }
    /// The next plate; waits while there is none. `None`: the pass is empty, and closed.
    pub fn take(&self) -> Option<Plate> {
        let mut shelf = self.shelf.lock().unwrap();
        while shelf.plates.is_empty() && !shelf.is_closed {
            shelf = self.plate_bell.wait(shelf).unwrap();
        }
        let plate = shelf.pick_up(); // if it is closed, there may be none
        self.room_bell.notify_one();
        plate
    }
    /// No more plates are put on the pass. What stands there can still be taken.
    pub fn close(&self) {
        self.shelf.lock().unwrap().is_closed = true;
        self.room_bell.notify_all();
        self.plate_bell.notify_all();
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
        let room_bell = Condvar::new().called("the bell of the kitchen");
        let plate_bell = Condvar::new().called("the bell of the pass");
        Pass {
            shelf,
            room_bell,
            plate_bell,
        }
    }
}

/// All robots are at work: ChefBots `put` what they have to cook, and WaitBots `take` until there is
/// nothing to take. Waits until all have gone home, and returns all that was carried.
pub fn end_of_shift(
    pass: &Pass,
    chefbots: Vec<JoinHandle<()>>,
    waitbots: Vec<JoinHandle<Vec<Plate>>>,
) -> Vec<Plate> {
    for chefbot in chefbots.into_iter().take(2) {
        chefbot.join().unwrap();
    }
    pass.close(); // now that nobody cooks any more, and not before
    waitbots
        .into_iter()
        .flat_map(|waitbot| waitbot.join().unwrap())
        .collect()
}
