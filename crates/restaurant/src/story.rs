//! How robots write their story into the record, so that a player can show it: marks of a few fixed categories.
//!
//! | category | text | value |
//! |---|---|---|
//! | [`STEP`] | what the robot does, in the story's words | source line: index of a location + 1, or 0 |
//! | [`PLACE`] | where the robot stands now: `desk`, `door`, `kitchen`, `bar`, `table 3` | 0 |
//! | [`TABLE`] | the table's new state, see [`TableState`] | table number |
//! | [`PARTY`] | the name of the party that sits down; empty when it leaves | table number |
//! | [`INCIDENT`] | what went wrong | table number, or 0 |
//! | [`BEAT`] | narration, a caption | 0 |
//!
//! The counter [`WAITING`] says how many parties stand at the door.

use std::panic::Location;

use flight::Lane;

use crate::incident::Incident;

/// Category: a robot does something.
pub const STEP: &str = "step";
/// Category: a robot stands somewhere else.
pub const PLACE: &str = "place";
/// Category: a table is in another state.
pub const TABLE: &str = "table";
/// Category: a party sits down or leaves.
pub const PARTY: &str = "party";
/// Category: something went wrong.
pub const INCIDENT: &str = "incident";
/// Category: narration.
pub const BEAT: &str = "beat";
/// Counter: how many parties stand at the door.
pub const WAITING: &str = "parties waiting";

/// What an onlooker sees of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableState {
    /// Laid, nobody there.
    Free,
    /// Promised to a party that is on its way.
    Claimed,
    /// A party sits there and wants to order.
    Seated,
    /// It has ordered.
    Ordered,
    /// It eats.
    Eating,
    /// It has gone; the dishes are still there.
    Left,
    /// A robot is clearing.
    Clearing,
}

impl TableState {
    /// As the record spells it.
    pub fn name(self) -> &'static str {
        match self {
            TableState::Free => "free",
            TableState::Claimed => "claimed",
            TableState::Seated => "seated",
            TableState::Ordered => "ordered",
            TableState::Eating => "eating",
            TableState::Left => "left",
            TableState::Clearing => "clearing",
        }
    }
}

/// Tells a step, with the line of code that takes it.
pub fn step(lane: &Lane, text: &str, line: &'static Location<'static>) {
    if lane.is_on() {
        let line = lane.recorder().loc(line);
        lane.mark(STEP, text, line.index() as u64 + 1);
    }
}

/// Tells that the robot of this lane stands at `place` now.
pub fn place(lane: &Lane, place: &str) {
    lane.mark(PLACE, place, 0);
}

/// Tells what a table looks like from now on.
pub fn table(lane: &Lane, number: u32, state: TableState) {
    lane.mark(TABLE, state.name(), number.into());
}

/// Tells that a party sits at a table, or with `None` that it has gone.
pub fn party(lane: &Lane, number: u32, name: Option<&str>) {
    lane.mark(PARTY, name.unwrap_or(""), number.into());
}

/// Tells what went wrong.
pub fn incident(lane: &Lane, incident: Incident) {
    if lane.is_on() {
        lane.mark(INCIDENT, &incident.to_string(), incident.table().into());
    }
}
