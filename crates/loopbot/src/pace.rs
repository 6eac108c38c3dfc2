// ANCHOR: whole
//! How often LoopBot looks at the world while there is enough to do.
//!
//! A look costs something: reading the clock, asking the system about sockets. A turn of most tasks costs less. So
//! there are many turns between two looks. But a task may compute for a millisecond in each of its turns, and 256 of those
//! would be a quarter of a second in which no timer fires. So LoopBot begins with few turns, takes the time, and goes up
//! to as many as fit into a millisecond.

use std::cell::Cell;

use crate::executor::Executor;

/// After it was idle, it does not know what kind of turns are coming.
const AT_FIRST: usize = 8;

/// Nanoseconds. No more than this shall pass between two looks, if turns are that short.
const A_MOMENT: u64 = 1_000_000;

pub(crate) struct Pace {
    turns: Cell<usize>,
    /// When it looked last, if it was not idle since then.
    looked: Cell<Option<u64>>,
    /// How many looks ago it was idle: of the first one nobody knows when its turns began.
    is_fresh: Cell<bool>,
}

impl Pace {
    pub(crate) fn new() -> Pace {
        Pace {
            turns: Cell::new(AT_FIRST),
            looked: Cell::new(None),
            is_fresh: Cell::new(true),
        }
    }

    /// It was idle. A loop that is idle time and again pays for this with nothing but a few stores.
    pub(crate) fn begin_anew(&self) {
        self.turns.set(AT_FIRST);
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
        if pace.is_fresh.replace(false) {
            return AT_FIRST.min(most);
        }
        let now = self.now();
        if let Some(looked) = pace.looked.replace(Some(now)) {
            pace.turns.set(next(pace.turns.get(), now - looked));
        }
        pace.turns.set(pace.turns.get().clamp(1, most));
        pace.turns.get()
    }
}

/// So many turns took so long. How many shall be next?
fn next(turns: usize, took: u64) -> usize {
    if took < A_MOMENT / 4 {
        return turns * 4;
    }
    let fit = turns as u64 * A_MOMENT / took;
    usize::try_from(fit).unwrap_or(usize::MAX)
}
// ANCHOR_END: whole

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_turns_become_many_and_long_ones_few() {
        assert_eq!(next(8, 0), 32);
        assert_eq!(next(8, 200_000), 32);
        assert_eq!(next(8, 500_000), 16);
        assert_eq!(next(8, 1_000_000), 8);
        assert_eq!(next(8, 8_000_000), 1);
        assert_eq!(next(1, 50_000_000), 0, "which is taken for 1");
    }
}
