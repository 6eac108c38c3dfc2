//! A place where robots wait for each other, until enough of them have come.

use std::fmt;
use std::panic::Location;
use std::sync;

use crate::pending::Op;
use crate::tale::NONE;
use crate::thing::Tag;

/// A barrier, like [`std::sync::Barrier`]. Outside of a check it is one. Inside, coming to it is a
/// step; the one who comes last lets them all go on.
pub struct Barrier {
    tag: Tag,
    inner: sync::Barrier,
    of: usize,
}

impl Barrier {
    /// A barrier at which `n` robots wait for each other.
    #[track_caller]
    pub fn new(n: usize) -> Barrier {
        Barrier { tag: Tag::new("Barrier"), inner: sync::Barrier::new(n), of: n }
    }

    /// Gives it a name for stories.
    pub fn called(self, name: impl Into<String>) -> Barrier {
        self.tag.call(name);
        self
    }

    /// Waits until as many robots have come as the barrier is for. What they all did before is
    /// known to all of them afterwards.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let Some(v) = self.tag.visit(Location::caller()) else {
            return BarrierWaitResult(self.inner.wait().is_leader());
        };
        let round = v.step(v.changes("come to #"), |state| {
            state.hears(&v, true);
            state.leaves_word(&v, true);
            let thing = &mut state.things[v.thing];
            let (round, last) = (thing.round, thing.sleepers.len() + 1 >= self.of);
            if last {
                thing.sleepers.clear();
                thing.round += 1;
            } else {
                thing.sleepers.push(v.me.id);
            }
            let words = if last { "is the last to come to #" } else { "comes to #" };
            state.tell(&v, words, NONE);
            (!last).then_some(round)
        });
        if let Some(round) = round {
            let op = Op::Leave { thing: v.thing, round, of: self.of };
            v.step(op, |state| state.hears(&v, false));
        }
        BarrierWaitResult(round.is_none())
    }
}

/// Was this robot the one who came last? See [`std::sync::BarrierWaitResult`].
#[derive(Debug)]
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// True for one robot each time the barrier opens. Inside of a check that is the one who came
    /// last.
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
