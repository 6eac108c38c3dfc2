//! A kitchen on one clock. Three dishes have a timer each, a fourth is cancelled, and the evening lasts four hours that
//! nobody waits for.

use std::panic::Location;
use std::time::Duration;

use flight::{Header, Recorder, Recording, VirtualTime};
use loopbot::{Clock, LoopBot, sleep, sleep_until, spawn_named, with_lane};
use restaurant::story::{self, TableState};

const CLOSING: Duration = minutes(4 * 60);

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// Four hours on the clock.
pub fn record() -> Recording {
    let time = VirtualTime::new();
    let header = Header::virtual_time("a kitchen on one clock", &time).fact("tables", 1);
    let recorder = Recorder::new(header);
    let loopbot = LoopBot::builder()
        .clock(Clock::virtual_time(time))
        .recorder(recorder.clone());
    loopbot.build().run(evening());
    recorder.recording()
}

// ANCHOR: evening
async fn evening() {
    seat("Chen");
    with_lane(|lane| story::place(lane, "kitchen"));
    spawn_named("the roast", cook("the roast", 40));
    spawn_named("the bread", cook("the bread", 8));
    let soup = spawn_named("the Chens' soup", cook("the Chens' soup", 30));

    sleep(minutes(15)).await;
    spawn_named("the tart", cook("the tart", 25));

    sleep(minutes(5)).await;
    say_goodbye();
    soup.abort();

    sleep_until(CLOSING).await;
    tells("puts out the light");
}

async fn cook(dish: &str, takes: u64) {
    tells(&format!("puts {dish} on, for {takes} minutes"));
    sleep(minutes(takes)).await;
    tells(&format!("takes {dish} off"));
}
// ANCHOR_END: evening

fn seat(party: &str) {
    with_lane(|lane| {
        story::party(lane, 1, Some(party));
        story::table(lane, 1, TableState::Ordered);
    });
}

fn say_goodbye() {
    tells("hears that the Chens have to leave, and takes their soup off");
    with_lane(|lane| {
        story::party(lane, 1, None);
        story::table(lane, 1, TableState::Free);
    });
}

#[track_caller]
fn tells(step: &str) {
    let line = Location::caller();
    with_lane(|lane| story::step(lane, step, line));
}

#[cfg(test)]
mod tests {
    use super::*;
    use flight::Event;

    /// By task and minute.
    fn fired(recording: &Recording) -> Vec<(String, u64)> {
        let minute = |t: u64| t / 60_000_000_000;
        let fired = recording
            .events
            .iter()
            .filter_map(|entry| match entry.event {
                Event::TimerFire { task, late, .. } => {
                    assert_eq!(late, 0);
                    Some((recording.task(task).to_owned(), minute(entry.t)))
                }
                _ => None,
            });
        fired.collect()
    }

    #[test]
    fn equal_deadlines_in_the_order_in_which_they_were_set_and_nothing_for_the_soup() {
        let expected = [
            ("the bread", 8),
            ("main", 15),
            ("main", 20),
            ("the roast", 40),
            ("the tart", 40),
            ("main", 240),
        ];
        let expected = expected.map(|(who, minute)| (who.to_owned(), minute));
        assert_eq!(fired(&record()), expected);
    }
}
