// ANCHOR: whole
//! How often LoopBot looks at the world while there is enough to do.
//!
//! A look costs something: reading the clock, asking the system about sockets. A turn of most tasks costs less. So
//! there are many turns between two looks. But a task may compute for a millisecond in each of its turns, and 256 of those
//! would be a quarter of a second in which no timer fires. So LoopBot begins with few turns, takes the time, and goes up
//! to as many as fit into a millisecond.

use std::cell::Cell;

use crate::executor::Executor;

/// Nanoseconds. No more than this shall pass between two looks, if turns are that short.
const A_MOMENT: u64 = 1_000_000;

/// After it was idle, it does not know what kind of turns are coming. So long, it supposes: that makes eight of them.
const AT_FIRST: u64 = A_MOMENT / 8;

pub(crate) struct Pace {
    /// How long a turn takes, in nanoseconds.
    turn: Cell<u64>,
    /// When it looked last, and how many turns there could be since then. Not known for the first look after it was idle.
    looked: Cell<Option<(u64, u64)>>,
    is_fresh: Cell<bool>,
}

impl Pace {
    pub(crate) fn new() -> Pace {
        Pace {
            turn: Cell::new(AT_FIRST),
            looked: Cell::new(None),
            is_fresh: Cell::new(true),
        }
    }

    /// It was idle. A loop that is idle time and again pays for this with a few stores, and does not read the clock.
    pub(crate) fn begin_anew(&self) {
        self.turn.set(AT_FIRST);
        self.looked.set(None);
        self.is_fresh.set(true);
    }
}

impl Executor {
    /// How many turns there may be until the next look. Virtual time moves only when tasks move it: there, who
    /// becomes ready meanwhile waits until the timers were looked at.
    pub(crate) fn turns(&self) -> usize {
        let most = self.robot.limits.turns;
        if self.is_virtual {
            return most.min(self.shelf().ready.len());
        }
        let pace = &self.pace;
        if !pace.is_fresh.replace(false) {
            let now = self.now();
            if let Some((looked, turns)) = pace.looked.get() {
                pace.turn
                    .set(learn(pace.turn.get(), (now - looked) / turns));
            }
            let turns = turns_that_fit(pace.turn.get(), most);
            pace.looked.set(Some((now, turns as u64)));
            return turns;
        }
        turns_that_fit(AT_FIRST, most)
    }
}

/// What it supposed, and what it has seen. It learns at once that turns are long, and by and by that they are short: one
/// short turn between long ones, of a task whose timer has fired, says nothing of the next one.
fn learn(supposed: u64, seen: u64) -> u64 {
    seen.max(supposed / 4)
}

fn turns_that_fit(turn: u64, most: usize) -> usize {
    let fit = A_MOMENT / turn.max(1);
    usize::try_from(fit).unwrap_or(most).clamp(1, most)
}

#[cfg(test)]
#[path = "../tests/unit/pace.rs"]
mod tests;
// ANCHOR_END: whole
