//! How many files and sockets a program may have open.

use super::finding::Finding;
use super::platform::{self, Descriptors};
use super::visit::Visit;

/// With fewer than this, cargo and the linker may fail. No chapter that is written and no exercise needs as many: their tests pass with
/// 64.
const FEWEST: u64 = 256;
/// The load test for LoopBot's sockets: both ends of 8,000 connections in one program, and some more. It is for contributors, and raises
/// the limit by itself.
const LOAD_TEST: u64 = 2 * 8_000 + 50;

/// The limit.
pub fn descriptors(_visit: &Visit) -> Finding {
    judge(platform::descriptors())
}

fn judge(limits: Option<Descriptors>) -> Finding {
    let what = "open files";
    let Some(limits) = limits else {
        return Finding::ok(what, "No limit here that anybody meets.");
    };
    if limits.now < FEWEST {
        return Finding::mend(
            what,
            format!("{} at a time, and building needs {FEWEST}.", limits.now),
            platform::raise_descriptors(FEWEST, limits),
        );
    }
    let enough = format!("{} at a time; the course needs {FEWEST}.", limits.now);
    Finding::ok(
        what,
        match limits.most < LOAD_TEST {
            // Nothing that a learner or a room has to mend.
            true => format!(
                "{enough} (LoopBot's load test, for contributors, makes fewer than its 8,000 connections: no more than {} can be had.)",
                limits.most
            ),
            false => enough,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;

    fn limits(now: u64, most: u64) -> Option<Descriptors> {
        Some(Descriptors { now, most })
    }

    #[test]
    fn a_usual_limit_is_enough_and_nothing_has_to_be_done() {
        for (now, most) in [(FEWEST, u64::MAX), (1024, 524_288), (1024, LOAD_TEST)] {
            let finding = judge(limits(now, most));
            assert_eq!((finding.state, &finding.mend), (State::Ok, &None));
            assert_eq!(
                finding.found,
                format!("{now} at a time; the course needs 256.")
            );
        }
        assert_eq!(judge(None).state, State::Ok);
    }

    #[test]
    fn what_only_the_load_test_lacks_is_no_fault() {
        let finding = judge(limits(1024, 4096));
        assert_eq!((finding.state, &finding.mend), (State::Ok, &None));
        assert!(finding.found.contains("no more than 4096"), "{finding:?}");
    }

    #[cfg(unix)]
    #[test]
    fn with_next_to_none_nothing_can_be_built_and_the_command_says_how_far() {
        let finding = judge(limits(64, 524_288));
        assert_eq!(finding.state, State::Mend);
        assert_eq!(finding.mend.as_deref(), Some("ulimit -n 256"));
        // A hard limit needs somebody who may raise it.
        let finding = judge(limits(64, 64));
        assert_eq!(finding.state, State::Mend);
        assert!(finding.mend.unwrap().contains("sudo"));
    }
}
