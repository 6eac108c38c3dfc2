//! must fail with: and nobody is left to send one
//!
//! The pass of std, which closes itself when its last sender has been dropped. One is never dropped: it
//! is in the pass, and everybody has the pass.

use whatif::sync::Mutex;
use whatif::sync::mpsc::{Receiver, SyncSender, sync_channel};
use whatif::thread::JoinHandle;

/// A plate, and the party that waits for it.
#[derive(Debug, PartialEq)]
pub struct Plate(pub &'static str);

/// What ChefBots and WaitBots share: the pass of std, which has room and waits by itself.
pub struct Pass {
    puts: SyncSender<Plate>,
    takes: Mutex<Receiver<Plate>>,
}

// ANCHOR: a_kept_sender
impl Pass {
    pub fn put(&self, plate: Plate) -> Result<(), Plate> {
        self.puts.send(plate).map_err(|error| error.0)
    }

    pub fn take(&self) -> Option<Plate> {
        self.takes.lock().unwrap().recv().ok()
    }

    pub fn close(&self) {
        // The channel closes by itself, when all ChefBots have gone home.
    }
}
// ANCHOR_END: a_kept_sender

impl Pass {
    /// A pass that is open, and empty.
    pub fn new(room: usize) -> Pass {
        let (puts, takes) = sync_channel(room);
        let takes = Mutex::new(takes.called("the pass")).called("the end of the pass");
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
