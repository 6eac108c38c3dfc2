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

/// What a story says of a step at a thing. `#` stands for the name of the thing, and each `$` for the
/// next value: "reads #: $".
pub type Words = &'static str;

/// What a robot saw or left at a thing: what a `$` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// There is no `$`.
    None,
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(i128),
    /// A robot, by its number in this run: its name is told.
    Robot(usize),
}

/// No values.
pub const NONE: [Value; 2] = [Value::None; 2];

/// What a story says of a robot that waits for those who read: it is marked in a deadlock.
pub const IN_LINE: Words = "waits in line to write #";

/// What a story says of a ring that wakes nobody: it is marked in a lost wake-up.
pub const UNHEARD: Words = "rings #, but nobody sleeps there";

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

macro_rules! numbers {
    ($($type:ty)*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Value {
                Value::Number(value as _)
            }
        }
    )*};
}

numbers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

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
    pub fn fill_in(&self, words: Words, thing: ThingId, values: [Value; 2]) -> String {
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

    /// How many lines have been told.
    pub fn told(&self) -> usize {
        self.tale.lines.len()
    }

    /// A line of the story: the robot does something at the thing that it visits. It is shown where it
    /// is the plot, or where the program says nothing of itself.
    pub fn tell(&mut self, v: &Visit, words: Words, values: [Value; 2]) {
        self.tale.tell(v.me.id, What::Did(v.thing, words, values), v.at);
    }

    /// A line of the story: the robot takes the lock that it visits, "takes #".
    pub fn tell_taken(&mut self, v: &Visit, words: Words) {
        self.tale.tell(v.me.id, What::Took(v.thing, words), v.at);
    }

    /// A line of the story: what a robot says of itself. It is shown in any case.
    pub fn says(&mut self, robot: usize, text: String, at: Place) {
        self.tale.tell(robot, What::Said(text), at);
    }
}
