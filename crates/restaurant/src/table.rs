//! What a table goes through in an evening.
//!
//! A table is the physical thing: it does not stop anybody. A robot that does something at the wrong
//! moment gets away with it, and an [`Incident`] comes back. Keeping robots from doing that is the
//! robots' business, and the subject of this course.

use std::time::Duration;

use crate::incident::Incident;
use crate::shift::Party;
use crate::slip::{Course, Slip};

/// One table of the restaurant.
#[derive(Clone, Debug)]
pub struct Table {
    number: u32,
    guests: Option<Guests>,
    has_dishes: bool,
    being_cleared: bool,
}

#[derive(Clone, Debug)]
struct Guests {
    party: Party,
    mood: Mood,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Mood {
    WantToOrder,
    WaitFor { food: bool, drinks: bool },
    Eat { until: Duration },
}

impl Table {
    /// A table that is laid, with nobody at it.
    pub fn new(number: u32) -> Table {
        Table {
            number,
            guests: None,
            has_dishes: false,
            being_cleared: false,
        }
    }

    /// Its number, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Whether nobody sits here and nobody is clearing.
    ///
    /// Dishes of the party before do not keep anyone from sitting down: they are hungry.
    pub fn is_free(&self) -> bool {
        self.guests.is_none() && !self.being_cleared
    }

    /// Whether a party sits here that nobody has taken an order from.
    pub fn wants_to_order(&self) -> bool {
        self.guests
            .as_ref()
            .is_some_and(|guests| guests.mood == Mood::WantToOrder)
    }

    /// Whether the party has finished eating at `now` and wants to pay.
    pub fn wants_to_pay(&self, now: Duration) -> bool {
        self.guests
            .as_ref()
            .is_some_and(|guests| matches!(guests.mood, Mood::Eat { until } if until <= now))
    }

    /// Whether a party has left dishes behind, and nobody sits here or is clearing already.
    pub fn wants_clearing(&self) -> bool {
        self.has_dishes && self.is_free()
    }

    /// The party that sits here.
    pub fn party(&self) -> Option<&Party> {
        self.guests.as_ref().map(|guests| &guests.party)
    }

    /// A party sits down.
    ///
    /// # Panics
    /// If another party sits here: there is one robot at the door, and it can count to one.
    pub fn seat(&mut self, party: Party) -> Option<Incident> {
        assert!(
            self.guests.is_none(),
            "two parties sit at table {}",
            self.number
        );
        self.guests = Some(Guests {
            party,
            mood: Mood::WantToOrder,
        });
        self.being_cleared
            .then_some(Incident::SeatedWhileCleared { table: self.number })
    }

    /// A robot starts to sweep dishes from the table.
    pub fn start_clearing(&mut self) -> Option<Incident> {
        self.being_cleared = true;
        self.guests
            .is_some()
            .then_some(Incident::SeatedWhileCleared { table: self.number })
    }

    /// The table is clean.
    pub fn finish_clearing(&mut self) {
        self.being_cleared = false;
        self.has_dishes = false;
    }

    /// A robot writes down what the party wants: a slip for the kitchen and one for the bar. They dictate
    /// it to everyone who asks; a second time is an incident.
    ///
    /// `None` if there is nobody to ask any more.
    pub fn take_order(&mut self) -> Option<([Slip; 2], Option<Incident>)> {
        let table = self.number;
        let guests = self.guests.as_mut()?;
        let incident =
            (guests.mood != Mood::WantToOrder).then_some(Incident::OrderTakenTwice { table });
        if incident.is_none() {
            guests.mood = Mood::WaitFor {
                food: true,
                drinks: true,
            };
        }
        Some((Slip::pair(table, &guests.party), incident))
    }

    /// Something is put on the table. With the last thing they ordered, the party begins to eat.
    ///
    /// Returns false if nobody here waits for it: it was cooked for nothing.
    pub fn serve(&mut self, slip: &Slip, now: Duration) -> bool {
        let Some(guests) = self
            .guests
            .as_mut()
            .filter(|guests| guests.party.name == slip.party)
        else {
            return false;
        };
        let Mood::WaitFor { food, drinks } = &mut guests.mood else {
            return false;
        };
        let wanted = match slip.course {
            Course::Food => food,
            Course::Drinks => drinks,
        };
        let was_wanted = std::mem::take(wanted);
        if guests.mood
            == (Mood::WaitFor {
                food: false,
                drinks: false,
            })
        {
            guests.mood = Mood::Eat {
                until: now + guests.party.eats,
            };
        }
        was_wanted
    }

    /// Whether the party here eats.
    pub fn eats(&self) -> bool {
        self.guests
            .as_ref()
            .is_some_and(|guests| matches!(guests.mood, Mood::Eat { .. }))
    }

    /// The party pays and goes. The dishes stay.
    pub fn leave(&mut self) -> Option<Party> {
        let guests = self.guests.take()?;
        self.leave_dishes();
        Some(guests.party)
    }

    /// Dishes stand on the table, whoever left them.
    pub fn leave_dishes(&mut self) {
        self.has_dishes = true;
    }
}
