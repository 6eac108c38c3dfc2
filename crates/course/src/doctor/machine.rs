//! Cores and memory.

use super::finding::Finding;
use super::platform::{self, MORE_MEMORY};
use super::visit::Visit;

/// The largest crate of the course takes about a gibibyte to build and link, and a browser stands beside it.
const MEMORY_NEEDED: u64 = 4 << 30;

/// How many cores there are.
pub fn cores(_visit: &Visit) -> Finding {
    judge_cores(std::thread::available_parallelism().map_or(1, usize::from))
}

fn judge_cores(cores: usize) -> Finding {
    match cores {
        1 => Finding::note(
            "cores",
            "One core: robots take turns on it, so careless ones collide less often, and building takes longer.",
            "nothing needs mending; the schedule checker finds each race on one core too",
        ),
        n => Finding::ok("cores", format!("{n} cores.")),
    }
}

/// How much memory there is.
pub fn memory(visit: &Visit) -> Finding {
    judge_memory(platform::memory(visit))
}

fn judge_memory(memory: Option<u64>) -> Finding {
    let what = "memory";
    match memory {
        // What is built in is not quite what is left of it.
        Some(bytes) if bytes >= MEMORY_NEEDED / 16 * 15 => {
            Finding::ok(what, format!("{}.", gibibytes(bytes)))
        }
        Some(bytes) => Finding::note(
            what,
            format!(
                "{}, and building is comfortable with {}.",
                gibibytes(bytes),
                gibibytes(MEMORY_NEEDED)
            ),
            MORE_MEMORY,
        ),
        None => Finding::note(
            what,
            "How much there is cannot be found out here.",
            format!("see that it is {}", gibibytes(MEMORY_NEEDED)),
        ),
    }
}

/// A size as people say it.
pub(super) fn gibibytes(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;
    use std::path::Path;

    #[test]
    fn one_core_will_do() {
        assert_eq!(judge_cores(1).state, State::Note);
        assert_eq!(judge_cores(2).state, State::Ok);
    }

    #[test]
    fn little_memory_is_a_note_with_a_way_to_build_all_the_same() {
        let finding = judge_memory(Some(2 << 30));
        assert_eq!(finding.state, State::Note);
        assert!(finding.mend.unwrap().contains("CARGO_BUILD_JOBS"));
        assert_eq!(judge_memory(Some(4_100_000_000)).state, State::Ok);
        assert_eq!(judge_memory(None).state, State::Note);
    }

    #[test]
    fn this_machine_has_some() {
        let visit = Visit::new(Path::new("."));
        assert!(platform::memory(&visit).is_some_and(|bytes| bytes > 64 << 20));
    }
}
