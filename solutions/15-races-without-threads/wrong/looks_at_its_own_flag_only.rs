//! must fail with: one seat is sold twice
//!
//! A flag of its own for "somebody has it, or will". What stands in `guest` it never looks at.

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
        if self.claimed.get() {
            return false;
        }
        self.claimed.set(true);
        let paid = bank.charge(party).await;
        if paid {
            self.sell(party);
        } else {
            self.claimed.set(false);
        }
        paid
    }
}
