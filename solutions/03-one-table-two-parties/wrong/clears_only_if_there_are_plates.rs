//! must fail with: WaitBot does not clear it
//!
//! No plates, nothing to do. But a table is also wiped.

use whatif::{never, step, sync::Mutex};

/// Table 2, as a robot finds it: it can look, and it can act. Each takes a moment.
pub struct Table {
    /// Who sits here.
    pub party: Option<String>,
    /// What the last party left behind.
    pub plates: u32,
}

impl Table {
    /// Does nobody sit here?
    #[track_caller]
    pub fn is_free(&self) -> bool {
        let free = self.party.is_none();
        let who = if free { "nobody" } else { "a party" };
        step(format!("sees {who} at table 2"));
        free
    }

    /// Brings a party to the table.
    #[track_caller]
    pub fn seat(&mut self, party: &str) {
        step(format!("seats the {party} party at table 2"));
        let other = self.party.replace(party.into());
        never("two parties sit at one table", other.is_some());
    }

    /// Takes the plates away and wipes the table.
    #[track_caller]
    pub fn clear(&mut self) {
        step("clears table 2");
        let sits = self.party.is_some();
        never("a party sits at a table that is being cleared", sits);
        self.plates = 0;
    }
}

/// What GreetBot and WaitBot share: the table, in a lock of its own.
pub struct Room {
    /// Whoever holds this lock is alone with the table.
    pub table: Mutex<Table>,
}

impl Room {
    /// A room that a party has left, with its plates still on the table.
    pub fn new(plates: u32) -> Room {
        let party = None;
        let table = Mutex::new(Table { party, plates }).called("table 2");
        Room { table }
    }

    /// GreetBot: seats `party` if nobody sits at the table. Returns whether it did.
    pub fn seat(&self, party: &str) -> bool {
        let mut table = self.table.lock().unwrap(); // until the end of this function
        let free = table.is_free();
        if free {
            table.seat(party);
        }
        free
    }

    /// WaitBot: clears the table if nobody sits at it. Returns whether it did.
    pub fn clear(&self) -> bool {
        let mut table = self.table.lock().unwrap();
        if table.plates == 0 {
            return false;
        }
        if table.party.is_some() {
            return false;
        }
        table.clear();
        true
    }
}
