//! A schedule: who moves when, written as the few places where it differs from what happens by
//! itself.
//!
//! Left alone, the robot that moves keeps moving until it must wait. A schedule lists the
//! exceptions: `3c-7b` means "at the 4th decision robot c moves, at the 8th robot b; otherwise as
//! usual". That is short enough to print, and it is all that a replay needs, because nothing else
//! is left to chance.

use std::fmt;

/// One exception: at decision number `at` (from 0), `robot` is picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub at: usize,
    pub robot: usize,
    /// The robot wakes up at a `Condvar` although nobody rang.
    pub unasked: bool,
}

/// All exceptions, in order, and whether giving a lock back counts as a step in this schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schedule {
    pub turns: Vec<Turn>,
    pub unlock_is_step: bool,
}

/// The schedule in which everybody takes one step in turn. It has its own id, as it is one long
/// list of exceptions.
pub(crate) const IN_TURN: &str = "in-turn";

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
            let letter = if turn.unasked {
                letter.to_ascii_uppercase()
            } else {
                letter
            };
            write!(f, "{dash}{}{letter}", turn.at)?;
        }
        Ok(())
    }
}

impl Schedule {
    /// Reads an id back. The error says what is wrong with it.
    pub(crate) fn parse(id: &str) -> Result<Schedule, String> {
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
        Ok(Schedule {
            turns,
            unlock_is_step,
        })
    }
}

impl Turn {
    fn parse(part: &str) -> Option<Turn> {
        let letter = part.chars().last().filter(char::is_ascii_alphabetic)?;
        let at = part[..part.len() - 1].parse().ok()?;
        let robot = (letter.to_ascii_lowercase() as u8 - b'a') as usize;
        Some(Turn {
            at,
            robot,
            unasked: letter.is_ascii_uppercase(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_the_same_schedule() {
        for id in ["by-itself", "0b", "3c-7b", "u-12a-13Z", "u-by-itself"] {
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
            "3c--7b",
            "9b-3c",
            "3ü",
            "99999999999999999999999b",
        ] {
            let error = Schedule::parse(id).unwrap_err();
            assert!(
                error.starts_with(&format!("\"{id}\" is not the id of a schedule")),
                "{error}"
            );
        }
    }
}
