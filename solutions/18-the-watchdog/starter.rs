//! Exercise 18: the watchdog.
//!
//! A soufflé has fallen, and LoopBot kept a record. Find in it who held LoopBot. It takes three functions over the
//! record's entries, each a few lines. Test: cargo test -p exercise-18

use flight::{Entry, Task};

/// One poll: a task has its loop, from `begin` to `end`. All times are nanoseconds, as in [`Entry::t`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// Which loop: [`Entry::actor`]. Every loop has a lane of its own in the record, and all lanes are mixed in it.
    pub lane: usize,
    pub task: Task,
    pub begin: u64,
    pub end: u64,
}

/// A timer that fired too late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateTimer {
    /// Who waited for it.
    pub task: Task,
    pub due: u64,
    pub fired: u64,
    /// Who held the loop meanwhile.
    pub held_by: Option<Task>,
}

/// All polls, in the order in which they began.
///
/// A poll that is not over yet lasts until the last entry of the record. After an [`Event::Gap`](flight::Event::Gap) nobody knows how
/// the poll on this lane ended, or whose end comes next: leave out what has lost its beginning or its end.
pub fn polls(record: &[Entry]) -> Vec<Poll> {
    let _ = record;
    todo!("pair the beginnings with the ends. First hint: cargo course hint 18")
}

/// The polls that took longer than `limit`, in the order in which they began.
pub fn long_polls(record: &[Entry], limit: u64) -> Vec<Poll> {
    let _ = (record, limit);
    todo!("how long is a poll? First hint: cargo course hint 18")
}

/// The timers that fired more than `limit` after they were due, in the order in which they fired. One that never
/// fired may have been dropped, by a timeout that was not needed, say: it is not late.
///
/// `held_by` is the task of the one poll that took up most of the time between due and fired, on the same lane;
/// `None` if nobody was polled there in that time.
pub fn late_timers(record: &[Entry], limit: u64) -> Vec<LateTimer> {
    let _ = (record, limit);
    todo!("who was late, and who is to blame? First hint: cargo course hint 18")
}
