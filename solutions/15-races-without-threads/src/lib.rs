//! Exercise 15, races without threads: a solution.
//!
//! The claim: between the look and the card on the seat there is no `await`, so no other call can come
//! between them. The card stays while the bank is asked, and goes whichever way that ends. (With a
//! local `Semaphore` of one permit, held over the whole of `book`, it is right as well; then a second
//! caller waits on the line. That version is in `tests/with_a_lock.rs`.)

use std::cell::{Cell, RefCell};

use whatif::{never, say};

/// The bank is far away: an answer takes its time, and LoopBot takes other calls meanwhile.
pub trait Bank {
    /// Takes the price of a seat from the party's card. False: the card is no good, and nothing was
    /// taken. There is no way to give money back.
    fn charge(&self, party: &str) -> impl Future<Output = bool>;
}

/// The last seat at the chef's table.
pub struct Seat {
    /// Who has it. One thread, so a `RefCell` will do.
    pub guest: RefCell<Option<String>>,
    /// A card that says: somebody is about to buy this seat.
    pub claimed: Cell<bool>,
}

impl Seat {
    /// A seat that nobody has.
    #[expect(clippy::new_without_default)]
    pub fn new() -> Seat {
        let guest = RefCell::new(None);
        Seat {
            guest,
            claimed: Cell::new(false),
        }
    }

    /// Has nobody bought the seat?
    #[track_caller]
    pub fn is_free(&self, party: &str) -> bool {
        let free = self.guest.borrow().is_none();
        let how = if free { "free" } else { "taken" };
        say(format!("sees the seat {how}, for the {party} party"));
        free
    }

    /// Writes down whose seat it is.
    #[track_caller]
    pub fn sell(&self, party: &str) {
        say(format!("sells the seat to the {party} party"));
        let other = self.guest.replace(Some(party.into()));
        never("one seat is sold twice", other.is_some());
    }

    /// One call: the party gets the seat if it is free and the card is good. Returns whether it does.
    pub async fn book(&self, party: &str, bank: &impl Bank) -> bool {
        // No await from here ...
        if self.claimed.get() || !self.is_free(party) {
            return false;
        }
        let claim = Claim::put_up(&self.claimed);
        // ... to here: of two calls, the second one finds the card.
        let paid = bank.charge(party).await;
        if paid {
            self.sell(party);
        }
        drop(claim);
        paid
    }
}

/// The card. It is taken away when this is dropped: at the end of `book`, on an early return, and when
/// the caller hangs up and the future is dropped in the middle.
struct Claim<'a>(&'a Cell<bool>);

impl Claim<'_> {
    fn put_up(card: &Cell<bool>) -> Claim<'_> {
        card.set(true);
        Claim(card)
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
