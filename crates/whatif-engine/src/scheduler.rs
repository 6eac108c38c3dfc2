//! Who picks: a schedule to follow, a way through all of them, one step each in turn, or dice.

use crate::ending::End;
use crate::floor::Robot;
use crate::prove::Path;
use crate::schedule::Schedule;

/// One way to go on from a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The robot that goes on.
    pub robot: usize,
    /// It wakes up although nobody rang, or unparked it.
    pub unasked: bool,
    /// Which of the ways to go on, where a robot has several: see
    /// [`Me::chooses`](crate::Me::chooses).
    pub way: usize,
    /// 1 for a preemption: a robot that could have gone on is made to wait, or a turn out of
    /// order. 0 for everything else.
    pub price: usize,
}

impl Choice {
    pub(crate) fn of(robot: usize, price: usize) -> Choice {
        Choice { robot, unasked: false, way: 0, price }
    }
}

/// A moment with more than one way to go on. The first choice is what happens by itself.
pub(crate) struct Decision<'a> {
    pub choices: &'a [Choice],
    /// All robots, where it is decided whose turn it is. There, a single choice is asked for, too.
    pub robots: Option<&'a [Robot]>,
    /// The robot that moved last.
    pub moving: usize,
    /// Tells whether the run has come here in the same steps as another run.
    pub fingerprint: u64,
}

/// Makes the decisions of one run.
pub(crate) enum Scheduler {
    Follow(Follow),
    Path(Path),
    InTurn,
    Dice(Dice),
}

impl Scheduler {
    /// The index of the choice taken; or, if the decision is not the one that was expected, the end
    /// of the run.
    pub(crate) fn pick(&mut self, decision: &Decision) -> Result<usize, End> {
        match self {
            Scheduler::Path(path) => path.pick(decision),
            _ if decision.choices.len() == 1 => Ok(0), // No choice, no decision: nobody counts it.
            Scheduler::Follow(follow) => follow.pick(decision),
            Scheduler::InTurn => Ok(next_in_turn(decision)),
            Scheduler::Dice(dice) => Ok(dice.roll(decision.choices.len())),
        }
    }

    /// Has the run come to every place that it was sent to? If not: why that is its end.
    pub(crate) fn left_over(&self) -> Option<End> {
        match self {
            Scheduler::Follow(follow) if follow.taken < follow.schedule.turns.len() => {
                Some(follow.misfit())
            }
            Scheduler::Path(path) if !path.is_complete() => Some(End::different_steps()),
            _ => None,
        }
    }
}

/// Follows a schedule, then lets things happen by themselves, and notes every decision on the way.
pub(crate) struct Follow {
    pub schedule: Schedule,
    /// All decisions of the run so far.
    pub log: Vec<Made>,
    /// How the run must have come to the last turn of the schedule; None in a replay, where the
    /// code may have changed.
    pub expected: Option<u64>,
    /// How many turns of the schedule have been taken.
    taken: usize,
}

/// A decision that has been made.
pub(crate) struct Made {
    pub choices: Vec<Choice>,
    pub fingerprint: u64,
}

impl Follow {
    pub(crate) fn new(schedule: Schedule, expected: Option<u64>) -> Follow {
        Follow { schedule, log: Vec::new(), expected, taken: 0 }
    }

    fn pick(&mut self, decision: &Decision) -> Result<usize, End> {
        let at = self.log.len();
        self.log
            .push(Made { choices: decision.choices.to_vec(), fingerprint: decision.fingerprint });
        let Some(turn) = self.schedule.turns.get(self.taken).filter(|turn| turn.at == at) else {
            return Ok(0);
        };
        self.taken += 1;
        let last = self.taken == self.schedule.turns.len();
        let same = self.expected.is_none_or(|expected| !last || expected == decision.fingerprint);
        let picked = decision.choices.iter().position(|choice| same && turn.is(choice));
        picked.ok_or_else(|| self.misfit())
    }

    fn misfit(&self) -> End {
        if self.expected.is_some() { End::different_steps() } else { End::does_not_fit() }
    }
}

/// Everybody one step in turn, by number. Perfectly fair: a program that does not end like this is
/// going in circles.
fn next_in_turn(decision: &Decision) -> usize {
    let rank = |choice: &Choice| {
        // Robots after the one that moved last come first, then the others, then waking up unasked.
        // Of the ways of one robot the first one is taken: a queue is as fair as it gets.
        (choice.unasked, choice.way, choice.robot <= decision.moving, choice.robot)
    };
    (0..decision.choices.len()).min_by_key(|i| rank(&decision.choices[*i])).unwrap_or(0)
}

/// A small random number generator (SplitMix64): the same seed gives the same rolls on every
/// machine.
pub struct Dice(
    /// The seed, and then whatever has become of it.
    pub u64,
);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // Multiply and shift, instead of a remainder: a fair share for each side, to within 1 in
        // 2^60.
        ((u128::from(self.draw()) * sides as u128) >> 64) as usize
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
