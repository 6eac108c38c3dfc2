//! must fail with: called twice for one seat, and paid twice
//!
//! The claim has a name on it, and whoever has that name may pass. So one party that calls twice passes twice.

use std::cell::RefCell;

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
    /// A card with the name of whoever is about to buy it.
    pub holder: RefCell<Option<String>>,
}

impl Seat {
    /// A seat that nobody has.
    #[expect(clippy::new_without_default)]
    pub fn new() -> Seat {
        let guest = RefCell::new(None);
        Seat {
            guest,
            holder: RefCell::new(None),
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
        if self
            .holder
            .borrow()
            .as_deref()
            .is_some_and(|who| who != party)
            || !self.is_free(party)
        {
            return false;
        }
        self.holder.replace(Some(party.into()));
        let paid = bank.charge(party).await;
        if paid && self.guest.borrow().is_none() {
            self.sell(party);
        }
        self.holder.replace(None);
        paid
    }
}
