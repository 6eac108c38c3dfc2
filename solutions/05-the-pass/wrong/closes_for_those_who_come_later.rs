//! must fail with: waits for a place in the pass
//!
//! The pass of std, and `close` drops the sender. But whoever waits for room has a clone of it, and waits
//! on.

use whatif::sync::Mutex;
use whatif::sync::mpsc::{Receiver, SyncSender, sync_channel};
use whatif::thread::JoinHandle;

/// A plate, and the party that waits for it.
#[derive(Debug, PartialEq)]
pub struct Plate(pub &'static str);

/// What ChefBots and WaitBots share: the pass of std, which has room and waits by itself.
pub struct Pass {
    puts: Mutex<Option<SyncSender<Plate>>>,
    takes: Mutex<Receiver<Plate>>,
}

impl Pass {
    /// Puts a plate on the pass; waits while there is no room. `Err` with the plate: it is closed.
    pub fn put(&self, plate: Plate) -> Result<(), Plate> {
        let puts = self.puts.lock().unwrap().clone();
        match puts {
            Some(puts) => puts.send(plate).map_err(|error| error.0),
            None => Err(plate),
        }
    }

    /// The next plate; waits while there is none. `None`: the pass is empty, and closed.
    pub fn take(&self) -> Option<Plate> {
        self.takes.lock().unwrap().recv().ok()
    }

    /// No more plates are put on the pass. What stands there can still be taken.
    pub fn close(&self) {
        *self.puts.lock().unwrap() = None;
    }
}

impl Pass {
    /// A pass that is open, and empty.
    pub fn new(room: usize) -> Pass {
        let (puts, takes) = sync_channel(room);
        let takes = Mutex::new(takes.called("the pass")).called("the end of the pass");
        let puts = Mutex::new(Some(puts)).called("the sender");
        Pass { puts, takes }
    }
}

/// All robots are at work: ChefBots `put` what they have to cook, and WaitBots `take` until there is
/// nothing to take. Waits until all have gone home, and returns all that was carried.
pub fn end_of_shift(
    pass: &Pass,
    chefbots: Vec<JoinHandle<()>>,
    waitbots: Vec<JoinHandle<Vec<Plate>>>,
) -> Vec<Plate> {
    for chefbot in chefbots {
        chefbot.join().unwrap();
    }
    pass.close(); // now that nobody cooks any more, and not before
    waitbots
        .into_iter()
        .flat_map(|waitbot| waitbot.join().unwrap())
        .collect()
}
