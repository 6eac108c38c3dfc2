//! A table where it stands. One thread holds it, so a `RefCell` is all it needs.

use std::cell::{Cell, RefCell};

use restaurant::story::{self, TableState};
use restaurant::work::CLEARING;
use restaurant::{Party, Slip, Table};

use crate::robot::Robot;

pub(crate) struct Spot {
    pub(crate) number: u32,
    table: RefCell<Table>,
    is_claimed: Cell<bool>,
}

impl Spot {
    pub(crate) fn new(number: u32) -> Spot {
        Spot {
            number,
            table: RefCell::new(Table::new(number)),
            is_claimed: Cell::new(false),
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("table {}", self.number)
    }

    // ANCHOR: claim
    /// Looks and claims. There is no `await` between the two, so no other task can be there either.
    pub(crate) fn claim(&self, bot: &Robot) -> Option<Claim<'_>> {
        if self.is_claimed.get() || !self.table.borrow().is_free() {
            return None;
        }
        bot.tells(format!("sees table {} free", self.number));
        self.is_claimed.set(true);
        Some(Claim { spot: self })
    }
    // ANCHOR_END: claim

    pub(crate) fn seat(&self, bot: &Robot, party: Party) {
        bot.tells(format!(
            "seats the {} party at table {}",
            party.name, self.number
        ));
        bot.shows(|lane| story::party(lane, self.number, Some(&party.name)));
        bot.shows(|lane| story::table(lane, self.number, TableState::Seated));
        let incident = self.table.borrow_mut().seat(party);
        bot.notices(incident);
    }

    pub(crate) fn take_order(&self, bot: &Robot) -> [Slip; 2] {
        let order = self.table.borrow_mut().take_order();
        let (slips, incident) = order.expect("the party that this task serves sits here");
        bot.tells(format!(
            "takes the order of the {} party at table {}",
            slips[0].party, self.number
        ));
        bot.shows(|lane| story::table(lane, self.number, TableState::Ordered));
        bot.notices(incident);
        slips
    }

    pub(crate) fn serve(&self, bot: &Robot, slip: &Slip) {
        let mut table = self.table.borrow_mut();
        table.serve(slip, bot.now());
        bot.tells(format!("serves {slip} at table {}", self.number));
        if table.eats() {
            bot.shows(|lane| story::table(lane, self.number, TableState::Eating));
        }
    }

    pub(crate) fn settle(&self, bot: &Robot) {
        let Some(party) = self.table.borrow_mut().leave() else {
            return;
        };
        bot.ledger.borrow_mut().served += 1;
        bot.tells(format!("says goodbye to the {} party", party.name));
        bot.shows(|lane| story::party(lane, self.number, None));
        bot.shows(|lane| story::table(lane, self.number, TableState::Left));
    }

    /// Clears the table.
    pub(crate) async fn clear(&self, bot: &Robot) {
        let incident = self.table.borrow_mut().start_clearing();
        bot.tells(format!("starts clearing table {}", self.number));
        bot.shows(|lane| story::table(lane, self.number, TableState::Clearing));
        bot.notices(incident);
        bot.wait(CLEARING).await;
        self.table.borrow_mut().finish_clearing();
        bot.tells(format!("has cleared table {}", self.number));
        bot.shows(|lane| story::table(lane, self.number, TableState::Free));
    }
}

/// As long as this lives, the table is taken care of, and nobody else finds it free.
pub(crate) struct Claim<'a> {
    pub(crate) spot: &'a Spot,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.spot.is_claimed.set(false);
    }
}
