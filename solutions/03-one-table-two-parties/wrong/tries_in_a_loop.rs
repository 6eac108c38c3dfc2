//! must fail with: A lock waits better than `try_lock` in a loop
//!
//! Never waits for the lock, but asks for it again and again. Nothing goes wrong; but the orders of
//! steps have no end, so nobody can try them all. On a real machine the robot that asks keeps a
//! processor busy.

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
        loop {
            if let Ok(mut table) = self.table.try_lock() {
                let free = table.is_free();
                if free {
                    table.seat(party);
                }
                return free;
            }
        }
    }

    /// WaitBot: clears the table if nobody sits at it. Returns whether it did.
    pub fn clear(&self) -> bool {
        loop {
            if let Ok(mut table) = self.table.try_lock() {
                let free = table.is_free();
                if free {
                    table.clear();
                }
                return free;
            }
        }
    }
}
