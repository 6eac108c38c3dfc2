//! One guest talks, LoopBot listens, and in the oven a soufflé is done.
//!
//! What a soufflé suffers is lateness: the time from the moment at which its timer was due to the moment at which
//! LoopBot fires it. No one else can tell. While LoopBot is held, the soufflé's task is not even ready, since nobody
//! has woken it; so a count of tasks that are ready, or the time from a wake to the poll, shows nothing at all.

use std::panic::Location;
use std::time::Duration;

use flight::rules::Limits;
use flight::{Header, Recorder, Recording, VirtualTime};
use loopbot::{Clock, LoopBot, now, sleep, sleep_until, spawn_named, with_lane, yield_now};
use restaurant::story::{self, INCIDENT, TableState};

/// How long a soufflé bakes.
pub const BAKING: Duration = minutes(13);
/// How long it stands when it is done, before it falls.
pub const STANDS: Duration = minutes(4);
/// When Mr. Silva calls LoopBot to his table.
pub const CALLS: Duration = minutes(4);

/// What Mr. Silva has to tell. He needs two minutes for each of it.
const STORY: [&str; 8] = [
    "the ship",
    "the cabin",
    "the captain",
    "the buffet",
    "the weather",
    "the whale",
    "the other whale",
    "the way home",
];
const PART: Duration = minutes(2);

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// How the guest is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guest {
    /// He holds LoopBot by the arm, from the first word to the last.
    Holds,
    /// In parts. After each, LoopBot looks whether anybody else wants something. So a timer fires late by less than a
    /// part; and then it may be Mr. Silva's turn once more, since he was ready first.
    InParts,
    /// Somewhere else: he writes it down himself, and LoopBot comes back when he has done so.
    Elsewhere,
}

/// The evening of one soufflé and one guest. The recording is the same, byte for byte, on every machine.
pub fn record(guest: Guest) -> Recording {
    let time = VirtualTime::new();
    let (name, how) = match guest {
        Guest::Holds => ("the soufflé falls", "holds LoopBot"),
        Guest::InParts => ("the soufflé stands", "is listened to in parts"),
        Guest::Elsewhere => ("the soufflé stands", "writes it down"),
    };
    let header = Header::virtual_time(name, &time)
        .fact("tables", 2)
        .fact("guest", how)
        .limits(&limits());
    let recorder = Recorder::new(header);
    let loopbot = LoopBot::builder()
        .clock(Clock::virtual_time(time.clone()))
        .recorder(recorder.clone());
    loopbot.build().run(evening(guest, time));
    recorder.recording()
}

/// What is long in this kitchen: to hold LoopBot for more than a part of a story, and a timer so late that a soufflé falls.
fn limits() -> Limits {
    Limits {
        long_poll: PART,
        late_timer: STANDS,
        ready_delay: STANDS,
        red_factor: 1,
        ..Limits::default()
    }
}

async fn evening(guest: Guest, time: VirtualTime) {
    seat(1, "Silva", TableState::Eating);
    seat(2, "Chen", TableState::Ordered);
    let souffle = spawn_named("the Chens' soufflé", souffle());
    let silva = spawn_named("Mr. Silva", async move {
        sleep_until(CALLS).await;
        match guest {
            Guest::Holds => listen(&time).await,
            Guest::InParts => listen_in_parts(&time).await,
            Guest::Elsewhere => have_it_written_down().await,
        }
    });
    silva.await.expect("Mr. Silva does not panic");
    souffle.await.expect("the soufflé does not panic");
}

// ANCHOR: souffle
async fn souffle() {
    goes_to("kitchen");
    tells("puts the Chens' soufflé into the oven, for 13 minutes");
    let due = now() + BAKING;
    sleep_until(due).await;

    let late = now() - due;
    goes_to("kitchen");
    tells("takes the soufflé out of the oven");
    if late > STANDS {
        falls(late);
    } else {
        serves();
    }
}
// ANCHOR_END: souffle

// ANCHOR: holds
/// Everything that Mr. Silva has to tell, in one go.
async fn listen(time: &VirtualTime) {
    for part in STORY {
        hears_about(part, time);
    }
    says_goodbye();
}
// ANCHOR_END: holds

// ANCHOR: in_parts
/// The same, and after each part LoopBot looks whether somebody else wants something.
async fn listen_in_parts(time: &VirtualTime) {
    for part in STORY {
        hears_about(part, time);
        yield_now().await;
    }
    says_goodbye();
}
// ANCHOR_END: in_parts

// ANCHOR: elsewhere
/// The same story takes the same time, but not LoopBot's.
async fn have_it_written_down() {
    goes_to("table 1");
    tells("gives Mr. Silva the guest book, and turns away");
    sleep(PART * STORY.len() as u32).await;
    says_goodbye();
}
// ANCHOR_END: elsewhere

// ANCHOR: hears_about
/// Stands there and listens, for two minutes. There is no `await` in here.
///
/// On a virtual clock computing takes no time, and while a task runs nobody else can move the clock, since LoopBot
/// does so only when nobody is ready. So whoever holds LoopBot says how long it takes. On a real clock this line
/// would be the guest: `thread::sleep(PART)`, or anything else that keeps the thread.
#[track_caller]
fn hears_about(part: &str, time: &VirtualTime) {
    goes_to("table 1");
    tells(&format!("hears from Mr. Silva about {part}"));
    time.advance(PART);
}
// ANCHOR_END: hears_about

fn says_goodbye() {
    goes_to("table 1");
    tells("says goodbye to Mr. Silva");
    with_lane(|lane| {
        story::party(lane, 1, None);
        story::table(lane, 1, TableState::Left);
    });
}

fn serves() {
    goes_to("table 2");
    tells("serves the Chens their soufflé");
    with_lane(|lane| story::table(lane, 2, TableState::Eating));
}

fn falls(late: Duration) {
    let minutes = late.as_secs() / 60;
    let what = format!("the Chens' soufflé falls: it was done {minutes} minutes ago");
    with_lane(|lane| lane.mark(INCIDENT, &what, 2));
}

fn seat(table: u32, party: &str, state: TableState) {
    with_lane(|lane| {
        story::party(lane, table, Some(party));
        story::table(lane, table, state);
    });
}

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
    use flight::{Entry, Event};

    /// Of the soufflé's timer: when it was due, when it fired, and how late the record says that was.
    fn timer(recording: &Recording) -> (Duration, Duration, Duration) {
        let is_it = |task| recording.task(task) == "the Chens' soufflé";
        let find = |pick: &dyn Fn(&Entry) -> Option<u64>| {
            Duration::from_nanos(recording.events.iter().find_map(pick).unwrap())
        };
        let due = find(&|entry| match entry.event {
            Event::TimerArm { task, due, .. } if is_it(task) => Some(due),
            _ => None,
        });
        let fired = find(&|entry| match entry.event {
            Event::TimerFire { task, .. } if is_it(task) => Some(entry.t),
            _ => None,
        });
        let late = find(&|entry| match entry.event {
            Event::TimerFire { task, late, .. } if is_it(task) => Some(late),
            _ => None,
        });
        (due, fired, late)
    }

    fn incidents(recording: &Recording) -> usize {
        recording.marks(INCIDENT).count()
    }

    #[test]
    fn whoever_is_held_fires_the_timer_when_he_is_let_go() {
        let recording = record(Guest::Holds);
        let let_go = CALLS + PART * STORY.len() as u32;
        assert_eq!(timer(&recording), (BAKING, let_go, let_go - BAKING));
        assert_eq!(incidents(&recording), 1);
    }

    #[test]
    fn in_parts_it_is_late_by_less_than_a_part_and_then_waits_for_its_turn() {
        let recording = record(Guest::InParts);
        let (due, fired, late) = timer(&recording);
        assert_eq!((due, fired, late), (BAKING, minutes(14), minutes(1)));
        let taken_out = recording
            .marks(story::STEP)
            .find(|(_, step, _)| step.starts_with("takes the soufflé"));
        let taken_out = Duration::from_nanos(taken_out.unwrap().0.t);
        assert_eq!(taken_out, minutes(16));
        assert!(taken_out - due < 2 * PART && 2 * PART <= STANDS);
        assert_eq!(incidents(&recording), 0);
    }

    #[test]
    fn elsewhere_it_is_not_late_at_all() {
        let recording = record(Guest::Elsewhere);
        assert_eq!(timer(&recording), (BAKING, BAKING, Duration::ZERO));
        assert_eq!(incidents(&recording), 0);
    }

    #[test]
    fn nobody_sees_it_in_the_time_from_wake_to_poll() {
        let recording = record(Guest::Holds);
        let mut woken = std::collections::HashMap::new();
        for entry in &recording.events {
            match entry.event {
                Event::Wake { .. } | Event::TaskSpawn { .. } => {
                    woken.insert(entry.n, entry.t);
                }
                Event::PollBegin { task, cause, .. } => {
                    assert_eq!(entry.t, woken[&cause], "{}", recording.task(task));
                }
                _ => {}
            }
        }
    }

    #[test]
    fn the_same_bytes_every_time() {
        for guest in [Guest::Holds, Guest::InParts, Guest::Elsewhere] {
            let (one, two) = (record(guest), record(guest));
            assert_eq!(one.events, two.events);
            assert!(one.complete && one.dropped == 0);
        }
    }
}
