//! A place where robots wait for each other, until enough of them have come.

use std::fmt;
use std::panic::Location;
use std::sync;

use whatif_engine::{NONE, Tag, Wait};

/// What the floor knows of a barrier.
#[derive(Default)]
struct Rounds {
    /// How often it has opened.
    opened: usize,
    /// How many robots it wants.
    of: usize,
}

/// Waiting until it has opened once more than so often.
static THE_LAST_ONE: Wait = Wait {
    has_come: |thing, round| thing.own::<Rounds>().is_some_and(|it| it.opened > round),
    verb: None,
    changes: false,
    ends_a_wait: true,
    reason: |state, thing| {
        let here = state.thing_at(thing).sleepers.len();
        let wanted = state.thing_at(thing).own::<Rounds>().map_or(0, |it| it.of);
        let words = state.fill_in("waits at #", thing, NONE);
        format!("{words} for {} more", wanted.saturating_sub(here))
    },
    in_vain: "waits at #",
    whom: "come",
    advice: None,
};

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
            let thing = state.at(&v);
            let last = thing.sleepers.len() + 1 >= self.of;
            if last {
                thing.sleepers.clear();
            } else {
                thing.sleepers.push(v.me.id);
            }
            let rounds = thing.own_mut::<Rounds>();
            let round = rounds.opened;
            *rounds = Rounds { opened: round + usize::from(last), of: self.of };
            let words = if last { "is the last to come to #" } else { "comes to #" };
            state.tell(&v, words, NONE);
            (!last).then_some(round)
        });
        if let Some(round) = round {
            v.step(v.awaits(&THE_LAST_ONE, round), |state| state.hears(&v, false));
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
