//! Orders travel on paper slips, and come back as plates and glasses with the slip still on them.

use std::fmt;
use std::time::Duration;

use crate::shift::Party;

/// Where a slip goes, and what comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// Plates, from the kitchen.
    Food,
    /// Glasses, from the bar.
    Drinks,
}

impl Course {
    /// Where it is made and fetched.
    pub fn made_in(self) -> &'static str {
        match self {
            Course::Food => "kitchen",
            Course::Drinks => "bar",
        }
    }
}

/// An order of one table, for the kitchen or for the bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// The table that it is for.
    pub table: u32,
    /// The name of the party that ordered.
    pub party: String,
    /// Food or drinks.
    pub course: Course,
    /// How long it takes until all of it is ready: the oven holds all the dishes of a party at once,
    /// glasses are filled one after the other.
    pub takes: Duration,
}

impl Slip {
    pub(crate) fn pair(table: u32, party: &Party) -> [Slip; 2] {
        let slip = |course, takes| Slip {
            table,
            party: party.name.clone(),
            course,
            takes,
        };
        let oven = party
            .dishes
            .iter()
            .map(|dish| dish.cooks_for())
            .max()
            .unwrap_or_default();
        let bar = party.drinks.iter().map(|drink| drink.pours_for()).sum();
        [slip(Course::Food, oven), slip(Course::Drinks, bar)]
    }
}

impl fmt::Display for Slip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.course {
            Course::Food => "plates",
            Course::Drinks => "glasses",
        };
        write!(f, "the {} party's {what}", self.party)
    }
}
