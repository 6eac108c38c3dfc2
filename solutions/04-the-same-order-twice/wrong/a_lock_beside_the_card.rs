//! must fail with: Acquire on the load would order them
//!
//! A lock for the claim, beside the card. The robots that give back, send and take do not know of
//! it.

use whatif::sync::atomic::{AtomicU32, Ordering};
use whatif::sync::{Mutex, Unguarded};

/// The card says: nobody has the order, and the guests wait.
pub const NOBODY: u32 = 0;
/// The card says: the slip is written. The first ChefBot that takes it has the order.
pub const ON_THE_PASS: u32 = 100;
/// So many coins fit into a tip jar.
pub const FULL: u32 = 10;

/// The order of table 2.
pub struct Order {
    /// The number of the robot that has the order; or `NOBODY`, or `ON_THE_PASS`.
    pub card: AtomicU32,
    /// What the guests want. It has no lock: only the robot that has the order may touch it.
    pub slip: Unguarded<Option<String>>,
    /// Whoever holds this lock is alone with the card.
    pub alone: Mutex<()>,
}

impl Order {
    /// The order of guests who wait for somebody to take it.
    pub fn wanted() -> Order {
        let card = AtomicU32::new(NOBODY).called("the card");
        let slip = Unguarded::new(None).called("the slip");
        let alone = Mutex::new(()).called("the lock");
        Order { card, slip, alone }
    }

    /// WaitBot `me`: takes the order if nobody has it. If not: `Err`, with what the card says.
    pub fn claim(&self, me: u32) -> Result<(), u32> {
        let _alone = self.alone.lock().unwrap();
        let card = self.card.load(Ordering::Relaxed); // the lock takes care of the rest
        if card != NOBODY {
            return Err(card);
        }
        self.card.store(me, Ordering::Relaxed);
        Ok(())
    }

    /// WaitBot `me`: gives the order back, if it has it. Returns whether it had it.
    pub fn give_back(&self, me: u32) -> bool {
        let card = &self.card;
        let given_back = card.compare_exchange(me, NOBODY, Ordering::Release, Ordering::Relaxed);
        given_back.is_ok()
    }

    /// The WaitBot that has the order: writes `dish` on the slip, and puts the slip on the pass.
    pub fn send(&self, dish: &str) {
        self.slip.write(|slip| *slip = Some(dish.to_owned()));
        self.card.store(ON_THE_PASS, Ordering::Release); // and whoever acquires it, sees the slip
    }

    /// ChefBot `me`: takes the order if it is on the pass. Returns what is on the slip.
    pub fn take(&self, me: u32) -> Option<String> {
        let card = &self.card;
        let taken = card.compare_exchange(ON_THE_PASS, me, Ordering::Acquire, Ordering::Relaxed);
        taken.ok()?;
        self.slip.take()
    }
}

/// Where all robots put their tips.
pub struct TipJar {
    /// How many coins are in it: never more than `FULL`.
    pub coins: AtomicU32,
}

impl TipJar {
    /// A jar with so many coins in it.
    pub fn new(coins: u32) -> TipJar {
        let coins = AtomicU32::new(coins).called("the tip jar");
        TipJar { coins }
    }

    /// Counts the coins, when everybody else has gone home.
    pub fn count(&self) -> u32 {
        self.coins.load(Ordering::Relaxed)
    }

    /// Puts `coins` in, if all of them fit; if not, none. Returns whether it did.
    pub fn put(&self, coins: u32) -> bool {
        let relaxed = Ordering::Relaxed; // the count is all that the robots tell each other here
        let with_them = |now: u32| now.checked_add(coins).filter(|sum| *sum <= FULL);
        let put = self.coins.fetch_update(relaxed, relaxed, with_them);
        put.is_ok()
    }
}
