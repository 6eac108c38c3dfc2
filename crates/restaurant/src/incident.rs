//! What can go wrong.

use std::fmt;

/// Something that must not happen in a restaurant, and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Incident {
    /// People sit at a table, and a robot's arms sweep over it.
    SeatedWhileCleared {
        /// The table.
        table: u32,
    },
    /// Two robots took the same order, and the kitchen cooks it twice.
    OrderTakenTwice {
        /// The table.
        table: u32,
    },
}

impl Incident {
    /// The kind of incident, without the table.
    pub fn rule(self) -> &'static str {
        match self {
            Incident::SeatedWhileCleared { .. } => "a party sits at a table that is being cleared",
            Incident::OrderTakenTwice { .. } => "an order is taken twice",
        }
    }

    /// The table where it happened.
    pub fn table(self) -> u32 {
        match self {
            Incident::SeatedWhileCleared { table } | Incident::OrderTakenTwice { table } => table,
        }
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: table {}", self.rule(), self.table())
    }
}
