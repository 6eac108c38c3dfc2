//! What has happened so far in a run, line by line. Put into words only if somebody wants to read
//! it.

use crate::floor::{Place, State};
use crate::pending::ThingId;

/// The lines of one run.
#[derive(Default)]
pub(crate) struct Tale {
    pub lines: Vec<Told>,
    /// Lines forgotten at the front, in a run too long to remember.
    pub forgotten: usize,
}

/// One line.
pub(crate) struct Told {
    pub robot: usize,
    pub what: What,
    pub at: Place,
    pub marked: bool,
}

/// What a line says.
pub(crate) enum What {
    /// A line of the story: what `step` and `say` were given.
    Said(String),
    /// Why a robot stands still, at the end.
    Stuck(String),
    /// A turn out of order.
    Turned {
        to: String,
        first: String,
    },
    /// The rest is what locks, bells and cells see. A story needs it only where it is the plot.
    Took(ThingId),
    MissedTry(ThingId),
    FellAsleep(ThingId),
    WokeUnasked(ThingId),
    Rang {
        bell: ThingId,
        woke: Option<usize>,
    },
    RangAll {
        bell: ThingId,
        woke: usize,
    },
    Read(ThingId),
    Wrote(ThingId),
}

/// A simulation may take thousands of steps, and nobody reads further back than the last few.
const REMEMBERED: usize = 4096;

impl Tale {
    pub(crate) fn tell(&mut self, robot: usize, what: What, at: Place) {
        if self.lines.len() == REMEMBERED {
            self.lines.drain(..REMEMBERED / 2);
            self.forgotten += REMEMBERED / 2;
        }
        self.lines.push(Told { robot, what, at, marked: false });
    }
}

impl What {
    /// Is it a line of the story itself?
    pub(crate) fn is_story(&self) -> bool {
        matches!(self, What::Said(_) | What::Stuck(_) | What::Turned { .. })
    }

    /// The lock, bell or cell in question.
    pub(crate) fn thing(&self) -> Option<ThingId> {
        match self {
            What::Said(_) | What::Stuck(_) | What::Turned { .. } => None,
            What::Took(thing)
            | What::MissedTry(thing)
            | What::FellAsleep(thing)
            | What::WokeUnasked(thing) => Some(*thing),
            What::Rang { bell, .. } | What::RangAll { bell, .. } => Some(*bell),
            What::Read(thing) | What::Wrote(thing) => Some(*thing),
        }
    }

    /// The line in words, without the robot that it is about.
    pub(crate) fn words(&self, state: &State) -> String {
        match self {
            What::Said(text) | What::Stuck(text) => text.clone(),
            What::Turned { to, first } => format!("turns to {to}, although {first} came first"),
            What::Took(lock) => format!("takes {}", state.name_of(*lock)),
            What::MissedTry(lock) => format!("cannot have {} at once", state.name_of(*lock)),
            What::FellAsleep(bell) => format!("goes to sleep at {}", state.name_of(*bell)),
            What::WokeUnasked(bell) => {
                format!("wakes up at {}, although nobody rang", state.name_of(*bell))
            }
            What::Rang { bell, woke: Some(robot) } => {
                format!("rings {} and wakes {}", state.name_of(*bell), state.robots[*robot].name)
            }
            What::Rang { bell, woke: None } | What::RangAll { bell, woke: 0 } => {
                format!("rings {}, but nobody sleeps there", state.name_of(*bell))
            }
            What::RangAll { bell, .. } => {
                format!("rings {} and wakes everybody there", state.name_of(*bell))
            }
            What::Read(cell) => format!("reads {}", state.name_of(*cell)),
            What::Wrote(cell) => format!("writes {}", state.name_of(*cell)),
        }
    }
}
