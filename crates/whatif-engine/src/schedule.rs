//! A schedule: who moves when, written as the few places where it differs from what happens by
//! itself.
//!
//! Left alone, the robot that moves keeps moving until it must wait. A schedule lists the
//! exceptions: `3c-7b` means "at the 4th decision robot c moves, at the 8th robot b; otherwise as
//! usual". That is short enough to print, and it is all that a replay needs, because nothing else
//! is left to chance.
//!
//! Where a robot has several ways to go on, the id has the number of the way as well: `5b2` means
//! "at the 6th decision robot b goes way 2" (way 0 happens by itself).

use std::fmt;

use crate::scheduler::Choice;

/// One exception: at decision number `at` (from 0), `robot` is picked, or goes another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    pub(crate) at: usize,
    robot: usize,
    /// The robot wakes up at a `Condvar` although nobody rang.
    unasked: bool,
    /// Which of the ways that the robot has; 0 where it has one.
    way: usize,
}

/// All exceptions, in order, and whether giving a lock back counts as a step in this schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// The exceptions. One that is left out happens by itself.
    pub turns: Vec<Turn>,
    /// Giving a lock back counts as a step.
    pub unlock_is_step: bool,
}

/// The picks of a run, as they are made.
#[derive(Debug, Default)]
pub(crate) struct Picks {
    pub schedule: Schedule,
    /// How often there was something to choose.
    decisions: usize,
    pub preemptions: usize,
    pub out_of_turn: usize,
}

impl Picks {
    pub(crate) fn new(unlock_is_step: bool) -> Picks {
        let schedule = Schedule { unlock_is_step, ..Schedule::default() };
        Picks { schedule, ..Picks::default() }
    }

    pub(crate) fn note(&mut self, choices: &[Choice], picked: usize) {
        if choices.len() == 1 {
            return; // No choice, no decision: schedules do not count it.
        }
        let choice = &choices[picked];
        if picked > 0 {
            self.schedule.turns.push(Turn::at(self.decisions, choice));
        }
        self.decisions += 1;
        if choice.way > 0 {
            self.out_of_turn += 1;
        } else {
            self.preemptions += choice.price;
        }
    }
}

/// The schedule in which everybody takes one step in turn. It has its own id, as it is one long
/// list of exceptions.
pub const IN_TURN: &str = "in-turn";

/// The schedule without any exception.
const BY_ITSELF: &str = "by-itself";

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unlock_is_step {
            f.write_str("u-")?;
        }
        if self.turns.is_empty() {
            return f.write_str(BY_ITSELF);
        }
        for (i, turn) in self.turns.iter().enumerate() {
            let dash = if i == 0 { "" } else { "-" };
            // Robots are letters, a to z; a capital wakes up unasked. The floor admits no more than
            // 26 robots to a check.
            let letter = (b'a' + turn.robot as u8) as char;
            let letter = if turn.unasked { letter.to_ascii_uppercase() } else { letter };
            write!(f, "{dash}{}{letter}", turn.at)?;
            if turn.way > 0 {
                write!(f, "{}", turn.way)?;
            }
        }
        Ok(())
    }
}

impl Schedule {
    /// Reads an id back. The error says what is wrong with it.
    pub fn parse(id: &str) -> Result<Schedule, String> {
        let (unlock_is_step, rest) = match id.trim().strip_prefix("u-") {
            Some(rest) => (true, rest),
            None => (false, id.trim()),
        };
        let mut turns = Vec::new();
        if rest != BY_ITSELF {
            for part in rest.split('-') {
                turns.push(Turn::parse(part).ok_or_else(|| {
                    format!(
                        "\"{id}\" is not the id of a schedule: I cannot read \"{part}\". \
                         An id looks like 3c-7b; copy it from a story"
                    )
                })?);
            }
        }
        if turns.windows(2).any(|pair| pair[0].at >= pair[1].at) {
            return Err(format!(
                "\"{id}\" is not the id of a schedule: its numbers must rise, as in 3c-7b. \
                 Copy it from a story"
            ));
        }
        Ok(Schedule { turns, unlock_is_step })
    }
}

impl Turn {
    pub(crate) fn at(at: usize, choice: &Choice) -> Turn {
        Turn { at, robot: choice.robot, unasked: choice.unasked, way: choice.way }
    }

    /// Is this the choice that the turn stands for?
    pub(crate) fn is(&self, choice: &Choice) -> bool {
        (self.robot, self.unasked, self.way) == (choice.robot, choice.unasked, choice.way)
    }

    fn parse(part: &str) -> Option<Turn> {
        let (at, rest) = part.split_at(part.find(|c: char| !c.is_ascii_digit())?);
        let letter = rest.chars().next().filter(char::is_ascii_alphabetic)?;
        let way = match &rest[1..] {
            "" => 0,
            way if way.starts_with(|c: char| ('1'..='9').contains(&c)) => way.parse().ok()?,
            _ => return None,
        };
        Some(Turn {
            at: at.parse().ok()?,
            robot: (letter.to_ascii_lowercase() as u8 - b'a') as usize,
            unasked: letter.is_ascii_uppercase(),
            way,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_the_same_schedule() {
        for id in ["by-itself", "0b", "3c-7b", "u-12a-13Z", "u-by-itself", "2b1-7c-9a12"] {
            assert_eq!(Schedule::parse(id).unwrap().to_string(), id);
        }
    }

    #[test]
    fn a_malformed_id_gets_one_clear_sentence() {
        for id in [
            "",
            "-",
            "3",
            "c",
            "3c-",
            "3c7b",
            "3c0",
            "3c-1",
            "3c+1",
            "+3c",
            "3c--7b",
            "9b-3c",
            "3ü",
            "99999999999999999999999b",
        ] {
            let error = Schedule::parse(id).unwrap_err();
            assert!(error.starts_with(&format!("\"{id}\" is not the id of a schedule")), "{error}");
        }
    }
}
