use std::process::ExitStatus;
use std::time::Duration;

use crate::{Clues, Ended, Limits, platform};

/// The exit status of a test program that noticed by itself that it does not end, and has told the story. `whatif` uses it, and
/// the exercises that have a guard of their own.
pub const DID_NOT_END: i32 = 124;

/// What became of a test program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It came to its end, whatever it found: the exit status says that.
    Finished(ExitStatus),
    /// It noticed by itself that it does not end, and said why.
    ToldThatItDoesNotEnd,
    /// Killed at the time limit.
    NeverEnds,
    /// Killed at the output limit.
    PrintsTooMuch,
    /// It asked for more memory than it may have.
    UsesUpMemory,
    /// A stack was not deep enough.
    OverflowsItsStack,
    /// It died of something else; the words say of what.
    Dies(String),
    /// It called `exit` while a test was running.
    Leaves(ExitStatus),
    /// It was stopped from here.
    Stopped,
}

impl Fate {
    /// Reads it from the way a run ended and from what was printed.
    pub fn of(ended: &Ended, clues: &Clues) -> Fate {
        let status = match ended {
            Ended::Exited(status) => *status,
            Ended::OutOfTime => return Fate::NeverEnds,
            Ended::OutOfOutput => return Fate::PrintsTooMuch,
            Ended::Stopped => return Fate::Stopped,
        };
        if let Some(how) = platform::crash(status) {
            return match platform::has_given_up(status) {
                true if clues.overflowed => Fate::OverflowsItsStack,
                true if clues.out_of_memory => Fate::UsesUpMemory,
                _ => Fate::Dies(how),
            };
        }
        if clues.summed_up {
            Fate::Finished(status)
        } else if status.code() == Some(DID_NOT_END) {
            Fate::ToldThatItDoesNotEnd
        } else if clues.begun {
            Fate::Leaves(status)
        } else {
            // A list of the tests, a word about wrong arguments: no test was run.
            Fate::Finished(status)
        }
    }

    /// The same in one sentence about `who` ("Exercise 03"). `None` where the program has said everything itself.
    pub fn sentence(&self, who: &str, limits: &Limits) -> Option<String> {
        Some(match self {
            Fate::Finished(_) => return None,
            Fate::ToldThatItDoesNotEnd => {
                format!(
                    "{who} does not end: something in it never came back, and the story is above."
                )
            }
            Fate::NeverEnds => format!(
                "{who} did not end within {}: a loop without an end, or a thread that waits for ever.",
                seconds(limits.time)
            ),
            Fate::PrintsTooMuch => format!(
                "{who} printed more than {} and was stopped: a loop without an end, probably.",
                binary(limits.output)
            ),
            Fate::UsesUpMemory => {
                let limit = limits.memory.map(binary);
                let limit = limit.map_or(String::new(), |limit| format!(" of {limit}"));
                format!(
                    "{who} used up its memory{limit}: something grows without an end, or prints without an end where the output is kept."
                )
            }
            Fate::OverflowsItsStack => {
                format!("{who} overflowed its stack: a function that calls itself without an end.")
            }
            Fate::Dies(how) => format!("{who} {how}."),
            Fate::Leaves(status) => format!(
                "{who} ended the test program in the middle of a test ({status}): something calls `exit`."
            ),
            Fate::Stopped => format!("{who} was stopped."),
        })
    }
}

fn seconds(time: Duration) -> String {
    if time.as_secs_f32() == 1.0 {
        "1 second".into()
    } else {
        format!("{} seconds", time.as_secs_f32())
    }
}

fn binary(bytes: u64) -> String {
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    if mebibytes >= 1024.0 {
        format!("{} GiB", mebibytes / 1024.0)
    } else {
        format!("{mebibytes} MiB")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(fate: &Fate) -> Option<String> {
        fate.sentence("Exercise 03", &Limits::default())
    }

    #[test]
    fn limits_are_told_with_their_figures() {
        let told = |fate| sentence(&fate).unwrap();
        assert!(told(Fate::NeverEnds).contains("within 60 seconds"));
        assert!(told(Fate::PrintsTooMuch).contains("more than 64 MiB"));
        assert!(told(Fate::UsesUpMemory).contains("its memory of 1 GiB"));
        let limits = Limits {
            time: Duration::from_secs(1),
            memory: None,
            ..Limits::default()
        };
        let told = |fate: Fate| fate.sentence("It", &limits).unwrap();
        assert!(told(Fate::NeverEnds).contains("within 1 second:"));
        assert!(told(Fate::UsesUpMemory).contains("its memory:"));
    }

    #[test]
    fn each_is_one_sentence_on_one_line() {
        for fate in [
            Fate::ToldThatItDoesNotEnd,
            Fate::NeverEnds,
            Fate::PrintsTooMuch,
            Fate::UsesUpMemory,
            Fate::OverflowsItsStack,
            Fate::Dies("aborted (SIGABRT)".into()),
            Fate::Stopped,
        ] {
            let told = sentence(&fate).unwrap();
            assert!(
                told.starts_with("Exercise 03 ") && told.ends_with('.'),
                "{told}"
            );
            assert_eq!(
                told.matches('.').count() + told.matches('\n').count(),
                1,
                "{told}"
            );
        }
    }

    #[test]
    fn a_kill_is_no_matter_of_clues() {
        let clues = Clues {
            summed_up: true,
            out_of_memory: true,
            ..Clues::default()
        };
        assert_eq!(Fate::of(&Ended::OutOfTime, &clues), Fate::NeverEnds);
        assert_eq!(Fate::of(&Ended::OutOfOutput, &clues), Fate::PrintsTooMuch);
        assert_eq!(Fate::of(&Ended::Stopped, &clues), Fate::Stopped);
    }

    #[cfg(unix)]
    #[test]
    fn an_exit_status_is_read_together_with_the_clues() {
        use std::os::unix::process::ExitStatusExt;

        let of = |raw: i32, text: &str| {
            let mut clues = Clues::default();
            text.lines().for_each(|line| clues.hear(line));
            Fate::of(&Ended::Exited(ExitStatus::from_raw(raw)), &clues)
        };
        let exit = |code: i32| code << 8;
        let finished = |code| Fate::Finished(ExitStatus::from_raw(exit(code)));
        let leaves = |code| Fate::Leaves(ExitStatus::from_raw(exit(code)));
        let begun = "running 1 test";
        let passed = "running 1 test\ntest result: ok. 1 passed";
        assert_eq!(of(exit(0), passed), finished(0));
        assert_eq!(of(exit(101), passed), finished(101));
        // `--list`, and an argument that is none.
        assert_eq!(of(exit(0), "a: test\n\n1 test, 0 benchmarks"), finished(0));
        assert_eq!(of(exit(101), "error: Unrecognized option"), finished(101));
        for code in [0, 3, 101] {
            assert_eq!(of(exit(code), begun), leaves(code));
        }
        assert_eq!(of(exit(124), begun), Fate::ToldThatItDoesNotEnd);
        let overflow = "running 1 test\nthread 'a' has overflowed its stack";
        let memory = "running 1 test\nmemory allocation of 9 bytes failed";
        assert_eq!(of(6, overflow), Fate::OverflowsItsStack);
        assert_eq!(of(6, memory), Fate::UsesUpMemory);
        assert!(matches!(of(6, begun), Fate::Dies(how) if how.contains("aborted")));
        assert!(matches!(of(9, overflow), Fate::Dies(how) if how.contains("SIGKILL")));
        // Who prints the words and passes has not died of them.
        assert_eq!(of(exit(0), &format!("{memory}\n{passed}")), finished(0));
    }
}
