//! A table where it stands. Every robot can see it and reach it, and nothing about it stops two of them
//! from doing so at once. Each look and each act is one step.

use std::sync::PoisonError;

use restaurant::story::{self, TableState};
use restaurant::work::CLEARING;
use restaurant::{Incident, Party, Slip, Table};
use whatif::sync::{Mutex, Shared};

use crate::robot::Robot;

pub(crate) struct Spot {
    number: u32,
    table: Shared<Table>,
    /// The card that says "somebody takes care of this table". Only coordinated robots use it.
    card_is_up: Mutex<bool>,
}

impl Spot {
    pub(crate) fn new(number: u32) -> Spot {
        Spot {
            number,
            table: Shared::new(Table::new(number)).called(format!("table {number}")),
            card_is_up: Mutex::new(false).called(format!("the lock of table {number}")),
        }
    }

    /// A table that the party before has left.
    pub(crate) fn with_dishes(number: u32) -> Spot {
        let spot = Spot::new(number);
        spot.table.write(Table::leave_dishes);
        spot
    }

    /// A table at which a party sits that wants to order.
    pub(crate) fn with_party(number: u32, party: Party) -> Spot {
        let spot = Spot::new(number);
        spot.table.write(|table| table.seat(party));
        spot
    }

    pub(crate) fn name(&self) -> String {
        format!("table {}", self.number)
    }

    /// A glance across the room, to see whether going there is worth a thought.
    pub(crate) fn glance<R>(&self, at: impl FnOnce(&Table) -> R) -> R {
        self.table.read(at)
    }

    /// Looks whether the table is as it should be, and tells so.
    #[track_caller]
    pub(crate) fn look(&self, bot: &Robot, is_ready: fn(&Table) -> bool) -> bool {
        let (ready, party) = self
            .table
            .read(|table| (is_ready(table), table.party().is_some()));
        if ready && party {
            bot.tells(format!("sees table {} waiting for somebody", self.number));
        } else if ready {
            bot.tells(format!("sees table {} free", self.number));
        } else {
            bot.tells(format!("sees that table {} is taken care of", self.number));
        }
        ready
    }

    // ANCHOR: claim
    /// Looks and claims in one critical section: nobody can come between the two.
    pub(crate) fn claim(&self, bot: &Robot, is_ready: fn(&Table) -> bool) -> Option<Claim<'_>> {
        let mut card_is_up = self.card_is_up.lock().unwrap();
        if *card_is_up {
            bot.tells(format!("sees the card on table {}", self.number));
            return None;
        }
        if !self.look(bot, is_ready) {
            return None;
        }
        *card_is_up = true;
        Some(Claim { spot: self })
    } // the lock ends here, and the card stays up until the claim is dropped
    // ANCHOR_END: claim

    pub(crate) fn seat(&self, bot: &Robot, party: &Party) {
        let name = &party.name;
        let incident = self.table.write(|table| table.seat(party.clone()));
        bot.tells(format!("seats the {name} party at table {}", self.number));
        story::party(&bot.lane, self.number, Some(name));
        story::table(&bot.lane, self.number, TableState::Seated);
        bot.notices(incident);
    }

    pub(crate) fn clear(&self, bot: &Robot) {
        let incident = self.table.write(Table::start_clearing);
        bot.tells(format!("starts clearing table {}", self.number));
        story::table(&bot.lane, self.number, TableState::Clearing);
        bot.notices(incident);
        bot.wait("the dishes", CLEARING);
        let party = self.table.write(|table| {
            table.finish_clearing();
            table.party().is_some()
        });
        bot.tells(format!("has cleared table {}", self.number));
        story::table(
            &bot.lane,
            self.number,
            if party {
                TableState::Seated
            } else {
                TableState::Free
            },
        );
    }

    /// Stands at the table for as long as the party there dithers.
    pub(crate) fn wait_for_a_decision(&self, bot: &Robot) {
        if let Some(dithers) = self
            .table
            .read(|table| table.party().map(|party| party.dithers))
        {
            bot.wait("the guests", dithers);
        }
    }

    pub(crate) fn take_order(&self, bot: &Robot) -> Option<[Slip; 2]> {
        let Some((slips, incident)) = self.table.write(Table::take_order) else {
            bot.tells(format!("finds nobody at table {} any more", self.number));
            return None;
        };
        bot.tells(format!(
            "takes the order of the {} party at table {}",
            slips[0].party, self.number
        ));
        if incident.is_none() {
            story::table(&bot.lane, self.number, TableState::Ordered);
        }
        bot.notices(incident);
        Some(slips)
    }

    pub(crate) fn serve(&self, bot: &Robot, slip: &Slip) {
        let now = bot.now();
        let (wanted, eats) = self
            .table
            .write(|table| (table.serve(slip, now), table.eats()));
        if wanted {
            bot.tells(format!("serves {slip} at table {}", self.number));
        } else {
            bot.tells(format!(
                "brings {slip} to table {}, where nobody wants them",
                self.number
            ));
        }
        if wanted && eats {
            story::table(&bot.lane, self.number, TableState::Eating);
        }
    }

    /// The party pays and goes. Only GreetBot takes money, so this needs no claim.
    pub(crate) fn settle(&self, bot: &Robot) {
        if let Some(party) = self.table.write(Table::leave) {
            bot.tells(format!("says goodbye to the {} party", party.name));
            story::party(&bot.lane, self.number, None);
            story::table(&bot.lane, self.number, TableState::Left);
            bot.ledger.lock().unwrap().served += 1;
        }
    }

    /// Whether nobody sits here, nothing stands here, and nobody is at work here.
    pub(crate) fn is_done_for_tonight(&self) -> bool {
        self.table
            .read(|table| table.is_free() && !table.wants_clearing())
    }
}

/// As long as this lives, the card on the table is up.
pub(crate) struct Claim<'a> {
    spot: &'a Spot,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        // Also when a robot broke down while it held the lock: a card that stays up would block the table for ever.
        *self
            .spot
            .card_is_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = false;
    }
}

impl Robot {
    /// What went wrong is written down. In a [`scene`](crate::scene) it also ends the run.
    fn notices(&self, incident: Option<Incident>) {
        if let Some(incident) = incident {
            story::incident(&self.lane, incident);
            self.ledger.lock().unwrap().incidents.push(incident);
            whatif::never(incident.rule(), self.stops_at_incidents);
        }
    }
}
