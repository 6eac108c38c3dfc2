//! One table, two parties, one robot: a race without threads.
//!
//! ```
//! use monday::scene::seat::{CLAIMED, TWICE};
//! use whatif::Outcome;
//!
//! assert!(matches!(TWICE.check().outcome, Outcome::Failed(_)));
//! assert!(matches!(CLAIMED.check().outcome, Outcome::Proved { .. }));
//! ```

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use flight::{Header, Recorder, Recording, VirtualTime};
use loopbot::{Clock, LoopBot, sleep_until, spawn_named};
use restaurant::Pace;
use restaurant::story::{self, TableState};
use restaurant::work::WALK;
use whatif::{Checker, Outcome, Report, thread};

use crate::robot::Robot;

/// Two parties want the last free table.
#[derive(Clone, Copy, Debug)]
pub struct Seat {
    /// LoopBot puts a card on the table before it walks there.
    claims: bool,
    /// When the second party comes.
    second_comes: Duration,
}

/// Both parties come at once.
pub const TWICE: Seat = Seat {
    claims: false,
    second_comes: Duration::ZERO,
};

/// The second party comes at the very moment when LoopBot stands at the table with the first. So it depends on
/// LoopBot's run queue what happens first.
pub const BY_ORDER: Seat = Seat {
    claims: false,
    second_comes: WALK,
};

/// Both parties come at once, and LoopBot claims the table before it walks.
pub const CLAIMED: Seat = Seat {
    claims: true,
    second_comes: Duration::ZERO,
};

/// As [`BY_ORDER`], with a claim.
pub const CLAIMED_BY_ORDER: Seat = Seat {
    claims: true,
    second_comes: WALK,
};

const RULE: &str = "one table is given to two parties";

impl Seat {
    /// What the checker finds when it tries every order that LoopBot's run queue can have.
    pub fn check(self) -> Report {
        Checker::new("one table, one robot").explore(move || self.rehearse(None))
    }

    /// A recording: of the simplest order in which it goes wrong; or, if there is none, of the usual one.
    pub fn record(self) -> Recording {
        let time = VirtualTime::new();
        let header = Header::virtual_time("one table, one robot", &time)
            .fact("tables", 1)
            .fact(
                "coordination",
                if self.claims { "a claim" } else { "no claim" },
            );
        match self.check().outcome {
            Outcome::Failed(failed) => {
                let recorder = Recorder::new(header.fact("schedule", &failed.id));
                let record = Some((recorder.clone(), time));
                let scene = move || self.rehearse(record.clone());
                let _again = Checker::new("one table, one robot").replay(&failed.id, scene);
                recorder.recording()
            }
            _ => {
                let recorder = Recorder::new(header.fact("schedule", "none breaks it"));
                self.play(&recorder, time);
                recorder.recording()
            }
        }
    }

    /// Plays it inside of a check, on a robot called LoopBot.
    fn rehearse(self, record: Option<(Recorder, VirtualTime)>) {
        let (recorder, time) = record.unwrap_or((Recorder::off(), VirtualTime::new()));
        let play = move || whatif::never(RULE, self.play(&recorder, time));
        let robot = thread::Builder::new().name("LoopBot".to_owned());
        let robot = robot.spawn(play).expect("the system has room for a thread");
        robot.join().expect("a robot of a check does not panic");
    }

    /// Plays it. Returns whether the rule was broken.
    fn play(self, recorder: &Recorder, time: VirtualTime) -> bool {
        // ANCHOR: pick_next
        let loopbot = LoopBot::builder()
            .clock(Clock::virtual_time(time))
            .recorder(recorder.clone())
            .pick_next(|ready| {
                let names: Vec<&str> = ready.iter().map(|task| &*task.name).collect();
                whatif::choose(&names)
            })
            .build();
        // ANCHOR_END: pick_next
        loopbot.run(async move {
            let house = Rc::new(House::new());
            house.bot.shows(|lane| story::place(lane, "desk"));
            house
                .bot
                .shows(|lane| story::table(lane, 1, TableState::Free));
            let comes = [("Chen", Duration::ZERO), ("Okafor", self.second_comes)];
            let parties = comes.map(|(party, comes)| {
                let house = house.clone();
                spawn_named(&format!("the {party} party"), async move {
                    sleep_until(comes).await;
                    let seated = match self.claims {
                        false => seat(&house, party).await,
                        true => claim_and_seat(&house, party).await,
                    };
                    if !seated {
                        house.tells(format!("sends the {party} party to the bar"));
                    }
                })
            });
            for party in parties {
                party.await.expect("no party panics");
            }
            house.went_wrong.get()
        })
    }
}

// ANCHOR: seat
/// Brings a party to the table, if it is free. Returns whether it did.
async fn seat(house: &House, party: &str) -> bool {
    if !house.table_is_free(party) {
        return false;
    }
    let _body = house.bot.goes_to("table 1").await; // LoopBot turns to other parties
    house.seats(party);
    true
}
// ANCHOR_END: seat

// ANCHOR: claim_and_seat
/// The same, with a card on the table.
async fn claim_and_seat(house: &House, party: &str) -> bool {
    let Some(claim) = house.claim(party) else {
        return false;
    };
    let _body = house.bot.goes_to("table 1").await; // LoopBot turns to other parties
    house.seats(party);
    drop(claim);
    true
}
// ANCHOR_END: claim_and_seat

/// What the two tasks share.
struct House {
    bot: Robot,
    /// Who was given the table.
    guest: RefCell<Option<String>>,
    /// The card.
    is_claimed: Cell<bool>,
    went_wrong: Cell<bool>,
}

impl House {
    fn new() -> House {
        House {
            bot: Robot::new(Pace::LIFE),
            guest: RefCell::default(),
            is_claimed: Cell::default(),
            went_wrong: Cell::default(),
        }
    }

    #[track_caller]
    fn table_is_free(&self, party: &str) -> bool {
        let free = !self.is_claimed.get() && self.guest.borrow().is_none();
        let how = if free { "free" } else { "taken" };
        self.tells(format!("sees table 1 {how}, for the {party} party"));
        free
    }

    // ANCHOR: claim
    /// Looks, and puts the card on the table. There is no `await` in here, so no
    /// other task can come between the two.
    #[track_caller]
    fn claim(&self, party: &str) -> Option<Claim<'_>> {
        if !self.table_is_free(party) {
            return None;
        }
        self.is_claimed.set(true);
        self.bot
            .shows(|lane| story::table(lane, 1, TableState::Claimed));
        Some(Claim(self))
    }
    // ANCHOR_END: claim

    #[track_caller]
    fn seats(&self, party: &str) {
        self.tells(format!("seats the {party} party at table 1"));
        self.bot.shows(|lane| story::party(lane, 1, Some(party)));
        self.bot
            .shows(|lane| story::table(lane, 1, TableState::Seated));
        let other = self.guest.replace(Some(party.to_owned()));
        if other.is_some() {
            self.went_wrong.set(true);
            self.bot
                .shows(|lane| lane.mark(story::INCIDENT, &format!("{RULE}: table 1"), 1));
        }
    }

    /// Tells a step, to the record and to the checker.
    #[track_caller]
    fn tells(&self, step: String) {
        whatif::say(&*step);
        self.bot.tells(step);
    }
}

/// The card on the table.
struct Claim<'a>(&'a House);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.0.is_claimed.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story(report: Report) -> whatif::Story {
        match report.outcome {
            Outcome::Failed(story) => story,
            _ => panic!("{report}"),
        }
    }

    #[test]
    fn without_a_claim_the_table_is_given_away_twice_in_the_usual_order() {
        let story = story(TWICE.check());
        assert_eq!(
            (story.rule.as_str(), story.id.as_str()),
            (RULE, "by-itself")
        );
    }

    #[test]
    fn or_only_out_of_order() {
        let story = story(BY_ORDER.check());
        assert_eq!((story.rule.as_str(), story.out_of_turn), (RULE, Some(1)));
    }

    #[test]
    fn with_a_claim_in_no_order_at_all() {
        for scene in [CLAIMED, CLAIMED_BY_ORDER] {
            let report = scene.check();
            assert!(
                matches!(report.outcome, Outcome::Proved { runs } if runs > 1),
                "{report}"
            );
        }
    }

    #[test]
    fn the_recording_shows_what_the_checker_has_found() {
        for (scene, incidents) in [(TWICE, 1), (BY_ORDER, 1), (CLAIMED, 0)] {
            let recording = scene.record();
            assert_eq!(
                recording.marks(story::INCIDENT).count(),
                incidents,
                "{scene:?}"
            );
            assert!(recording.complete);
        }
    }
}
