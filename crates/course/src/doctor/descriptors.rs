//! How many files and sockets a program may have open: some chapters open thousands.

use super::finding::Finding;
use super::platform::{self, Descriptors};
use super::visit::Visit;

/// Ten thousand guests, with both ends of each connection in one program, and room for the rest.
const NEEDED: u64 = 2 * 10_000 + 480;
/// With fewer than this, cargo and the linker may fail.
const FEWEST: u64 = 256;

/// The limit.
pub fn descriptors(_visit: &Visit) -> Finding {
    judge(platform::descriptors())
}

fn judge(limits: Option<Descriptors>) -> Finding {
    let what = "open files";
    let Some(limits) = limits else {
        return Finding::ok(what, "No limit here that anybody meets.");
    };
    let how = platform::raise_descriptors(NEEDED, limits);
    if limits.now >= NEEDED {
        return Finding::ok(
            what,
            format!(
                "{} at a time; thousands of guests at once want up to {NEEDED}.",
                limits.now
            ),
        );
    }
    let found = format!(
        "{} at a time. Thousands of guests at once (chapter 12 has a doorbell for them) want up to {NEEDED}",
        limits.now
    );
    if limits.now < FEWEST {
        return Finding::mend(
            what,
            format!("{found}, and even building needs {FEWEST}."),
            how,
        );
    }
    if limits.most >= NEEDED {
        return Finding::note(
            what,
            format!("{found}; a program may raise it by itself, and theirs do."),
            how,
        );
    }
    Finding::note(
        what,
        format!(
            "{found}, and no more than {} can be had; all else works.",
            limits.most
        ),
        how,
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
    fn enough_is_enough() {
        assert_eq!(judge(limits(NEEDED, NEEDED)).state, State::Ok);
        assert_eq!(judge(None).state, State::Ok);
    }

    #[cfg(unix)]
    #[test]
    fn a_usual_limit_can_be_raised_and_the_command_says_how_far() {
        let finding = judge(limits(1024, 524_288));
        assert_eq!(finding.state, State::Note);
        assert!(finding.found.contains("1024 at a time"), "{finding:?}");
        assert_eq!(finding.mend.as_deref(), Some("ulimit -n 20480"));
    }

    #[cfg(unix)]
    #[test]
    fn a_hard_limit_needs_somebody_who_may_raise_it() {
        let finding = judge(limits(1024, 4096));
        assert_eq!(finding.state, State::Note);
        assert!(finding.mend.unwrap().contains("sudo"));
    }

    #[test]
    fn with_next_to_none_nothing_can_be_built() {
        assert_eq!(judge(limits(64, 64)).state, State::Mend);
        assert_eq!(judge(limits(64, 524_288)).state, State::Mend);
        // As macOS has it.
        assert_eq!(judge(limits(256, u64::MAX)).state, State::Note);
    }
}
