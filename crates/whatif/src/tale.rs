//! What has happened so far in a run, line by line. Put into words only if somebody wants to read
//! it.

use crate::floor::{Place, State};
use crate::pending::ThingId;
use crate::thing::Visit;

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
    Turned { to: String, first: String },
    /// A robot goes on although nobody woke it: without this nobody could follow what comes next.
    Woke(ThingId, Words),
    /// The rest is what locks, bells and cells see. A story needs it only where it is the plot.
    /// Taking a lock: "takes #".
    Took(ThingId, Words),
    /// Anything else that is done at a thing.
    Did(ThingId, Words, [Value; 2]),
}

/// `#` stands for the name of the thing, and each `$` for the next value.
pub(crate) type Words = &'static str;

/// What a robot saw or left at a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Number(i128),
    Robot(usize),
}

/// No values.
pub(crate) const NONE: [Value; 2] = [Value::None; 2];

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
    /// Is it told in any case?
    pub(crate) fn is_story(&self) -> bool {
        !matches!(self, What::Took(..) | What::Did(..))
    }

    /// The lock, bell or cell in question.
    pub(crate) fn thing(&self) -> Option<ThingId> {
        match self {
            What::Said(_) | What::Stuck(_) | What::Turned { .. } => None,
            What::Took(thing, _) | What::Woke(thing, _) | What::Did(thing, ..) => Some(*thing),
        }
    }

    /// The line in words, without the robot that it is about.
    pub(crate) fn words(&self, state: &State) -> String {
        match self {
            What::Said(text) | What::Stuck(text) => text.clone(),
            What::Turned { to, first } => format!("turns to {to}, although {first} came first"),
            What::Took(thing, words) | What::Woke(thing, words) => {
                state.fill_in(words, *thing, NONE)
            }
            What::Did(thing, words, values) => state.fill_in(words, *thing, *values),
        }
    }
}

impl State {
    /// Puts the name of the thing and the values where they belong.
    pub(crate) fn fill_in(&self, words: Words, thing: ThingId, values: [Value; 2]) -> String {
        let mut text = words.replace('#', &self.name_of(thing));
        for value in values {
            let value = match value {
                Value::None => break,
                Value::Bool(value) => value.to_string(),
                Value::Number(value) => value.to_string(),
                Value::Robot(robot) => self.robots[robot].name.clone(),
            };
            text = text.replacen('$', &value, 1);
        }
        text
    }

    /// Robot `v.me` does something at the thing that it visits.
    pub(crate) fn tell(&mut self, v: &Visit, words: Words, values: [Value; 2]) {
        self.tale.tell(v.me.id, What::Did(v.thing, words, values), v.at);
    }
}
