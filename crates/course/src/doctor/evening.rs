//! The evening of seed 42 on virtual time. It comes out the same on every machine, or the room will not see the same things.
//!
//! What is compared is a digest over everything that was recorded: who did what, in which order and when. Where in the source
//! it stands is left out, so that a comment in a crate does not change the evening.

use serde_json::Value;
use sha2::{Digest, Sha256};

use flight::Recording;
use restaurant::Shift;
use threadbots::Coordination;

use super::finding::Finding;
use super::visit::Visit;

const WHAT: &str = "seed 42";
const SEED: u64 = 42;

/// What [`digest`] gives. It changes when the restaurant, its robots, LoopBot, the checker's order of steps or the generator
/// of random numbers change: then the test below says what it is now, and the book's recordings have to be made again, too.
const EXPECTED: &str = "f888cdb215258e7997c96c682ee4311ee4478966a54fb4b82c33885b94e82e08";

/// The evening here against the one in this file.
pub fn evening(visit: &Visit) -> Finding {
    visit.doing("a Friday with ThreadBots, and one with LoopBot");
    judge(&digest(), EXPECTED)
}

fn judge(here: &str, expected: &str) -> Finding {
    let short = |digest: &str| digest.get(..16).unwrap_or(digest).to_owned();
    if here == expected {
        return Finding::ok(
            WHAT,
            format!(
                "The evening of seed 42 comes out as on every machine: {}.",
                short(here)
            ),
        );
    }
    Finding::mend(
        WHAT,
        format!(
            "The evening of seed 42 comes out as {}, and everywhere else as {}: figures and stories will not be those of the others in the room.",
            short(here),
            short(expected)
        ),
        "git status crates Cargo.lock    (somebody has changed one of these, on purpose or not; an unpacked archive: unpack it again)\nif nothing is changed, this is a bug of the course: report it, with what `rustc -vV` says",
    )
}

/// A digest of the same Friday, served by ThreadBots and served by LoopBot.
pub fn digest() -> String {
    let shift = Shift::friday(SEED);
    let threadbots = threadbots::Opening::new(Coordination::Careless).rehearse(&shift);
    let loopbot = monday::Opening::new().rehearse(&shift);
    let mut hasher = Sha256::new();
    for recording in [threadbots.recording, loopbot.recording] {
        hasher.update(told(&recording));
    }
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// What was recorded, as text: the same for the same events, however JSON is written.
fn told(recording: &Recording) -> String {
    let json: Value =
        serde_json::from_str(&recording.to_json()).expect("a recording is JSON of our own");
    let mut told = String::new();
    for part in ["program", "facts", "kinds", "strings", "tasks", "events"] {
        told.push_str(&format!("{part} {}\n", json[part]));
    }
    for actor in &recording.actors {
        told.push_str(&format!("{} {:?}\n", actor.name, actor.kind));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;

    #[test]
    fn the_digest_in_this_file_is_the_evenings() {
        assert_eq!(
            digest(),
            EXPECTED,
            "the evening of seed 42 has changed: if that was meant, put the new digest into EXPECTED, and run `cargo course record`"
        );
    }

    #[test]
    fn the_digest_is_the_same_twice_and_another_with_another_seed() {
        let told = |seed| {
            told(
                &monday::Opening::new()
                    .rehearse(&Shift::friday(seed))
                    .recording,
            )
        };
        assert_eq!(told(42), told(42));
        assert_ne!(told(42), told(43));
    }

    #[test]
    fn another_evening_is_a_finding_that_says_what_to_look_at() {
        let finding = judge("0123456789abcdef0123", "fedcba98765432100123");
        assert_eq!(finding.state, State::Mend);
        assert!(
            finding.found.contains("0123456789abcdef")
                && finding.found.contains("fedcba9876543210"),
            "{finding:?}"
        );
        assert!(finding.mend.unwrap().contains("Cargo.lock"));
    }
}
