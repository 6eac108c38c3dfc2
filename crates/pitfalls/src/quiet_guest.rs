//! A soufflé falls, and it is not the one who talks most.
//!
//! Nobody can know in advance which step will be long. Mr. Silva is known for his stories, so he is listened to in parts, and lets go of
//! LoopBot after each. Mrs. Okafor is quiet, and has one question. It is her poll that covers the moment in which the soufflé is
//! done; and by that the record finds her, whoever was suspected.

use std::panic::Location;
use std::time::Duration;

use flight::rules::Limits;
use flight::{Header, Recorder, Recording, VirtualTime};
use loopbot::{Clock, LoopBot, now, sleep_until, spawn_named, with_lane, yield_now};
use restaurant::story::{self, INCIDENT, TableState};

/// When the soufflé is put into the oven, and how long it bakes.
pub const OVEN: (Duration, Duration) = (minutes(20), minutes(13));
/// How long it stands when it is done, before it falls.
pub const STANDS: Duration = minutes(4);
/// When Mr. Silva begins, and how long one part of his story takes.
pub const SILVA: (Duration, Duration) = (minutes(22), minutes(2));
/// When Mrs. Okafor asks, and how long it takes to answer.
pub const OKAFOR: (Duration, Duration) = (minutes(30), minutes(9));

const STORY: [&str; 8] = [
    "the airport",
    "the hotel",
    "the pool",
    "the breakfast",
    "the beach",
    "the crab",
    "the doctor",
    "the flight home",
];

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// The evening. The recording is the same, byte for byte, on every machine.
pub fn record() -> Recording {
    let time = VirtualTime::new();
    let limits = Limits {
        long_poll: SILVA.1,
        late_timer: STANDS,
        ready_delay: STANDS,
        red_factor: 1,
        ..Limits::default()
    };
    let header = Header::virtual_time("a quiet guest", &time)
        .fact("tables", 3)
        .limits(&limits);
    let recorder = Recorder::new(header);
    let loopbot = LoopBot::builder()
        .clock(Clock::virtual_time(time.clone()))
        .recorder(recorder.clone());
    loopbot.build().run(evening(time));
    recorder.recording()
}

async fn evening(time: VirtualTime) {
    for (table, party) in [(1, "Silva"), (2, "Chen"), (3, "Okafor")] {
        with_lane(|lane| {
            story::party(lane, table, Some(party));
            story::table(lane, table, TableState::Seated);
        });
    }
    let tasks = [
        spawn_named("the Chens' soufflé", souffle()),
        spawn_named("Mr. Silva", listen_in_parts(time.clone())),
        spawn_named("Mrs. Okafor", answer(time)),
    ];
    for task in tasks {
        task.await.expect("nobody panics");
    }
}

async fn souffle() {
    sleep_until(OVEN.0).await;
    goes_to("kitchen");
    tells("puts the Chens' soufflé into the oven, for 13 minutes");
    let due = now() + OVEN.1;
    sleep_until(due).await;

    goes_to("kitchen");
    tells("takes the soufflé out of the oven");
    let late = now() - due;
    if late > STANDS {
        let minutes = late.as_secs() / 60;
        let what = format!("the Chens' soufflé falls: it was done {minutes} minutes ago");
        with_lane(|lane| lane.mark(INCIDENT, &what, 2));
    }
}

// ANCHOR: two_guests
async fn listen_in_parts(time: VirtualTime) {
    sleep_until(SILVA.0).await;
    for part in STORY {
        goes_to("table 1");
        tells(&format!("hears from Mr. Silva about {part}"));
        time.advance(SILVA.1);
        yield_now().await;
    }
}

async fn answer(time: VirtualTime) {
    sleep_until(OKAFOR.0).await;
    goes_to("table 3");
    tells("is asked by Mrs. Okafor what is in the soup, and looks it up");
    time.advance(OKAFOR.1);
    tells("tells Mrs. Okafor that there is celery in it");
}
// ANCHOR_END: two_guests

fn goes_to(place: &str) {
    with_lane(|lane| story::place(lane, place));
}

#[track_caller]
fn tells(step: &str) {
    let line = Location::caller();
    with_lane(|lane| story::step(lane, step, line));
}

#[cfg(test)]
mod tests {
    use super::*;
    use flight::rules::{self, Hit, Rule};

    #[test]
    fn the_rules_name_the_one_who_asked_one_question() {
        let recording = record();
        let hits = rules::look(&recording, &Limits::of(&recording));
        let told: Vec<(Rule, &str)> = hits
            .iter()
            .map(|Hit { rule, subject, .. }| (*rule, &**subject))
            .collect();
        let right = [
            (Rule::LongPoll, "Mrs. Okafor"),
            (Rule::ReadyDelay, "Mr. Silva"),
            (Rule::LateTimer, "the Chens' soufflé"),
        ];
        assert_eq!(told, right);
        for hit in &hits[1..] {
            let held = "LoopBot was in a poll of Mrs. Okafor";
            assert!(hit.says.contains(held), "{}", hit.says);
        }
        assert_eq!(recording.marks(INCIDENT).count(), 1);
    }

    #[test]
    fn the_last_one_before_it_and_the_one_who_talks_most_is_somebody_else() {
        let recording = record();
        let steps: Vec<&str> = recording.marks(story::STEP).map(|it| it.1).collect();
        let taken_out = steps.iter().position(|step| step.starts_with("takes"));
        let before = steps[taken_out.unwrap() - 1];
        assert_eq!(before, "hears from Mr. Silva about the crab");
        assert!(SILVA.1 * STORY.len() as u32 > OKAFOR.1);
    }
}
