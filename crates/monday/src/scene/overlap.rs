//! What overlaps, and what does not. Three tables have the same three dishes, and wait for them in three ways. And a loaf of
//! bread burns while LoopBot has nothing to do.

use std::panic::Location;
use std::pin::pin;
use std::time::Duration;

use flight::{Header, Recorder, Recording, VirtualTime};
use futures::future::{Either, select};
use loopbot::{Clock, LoopBot, now, sleep, spawn_named, with_lane};
use restaurant::story::{self, INCIDENT, TableState};

const DISH: Duration = Duration::from_millis(300);
const BREAD: Duration = minutes(8);

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// Three dishes for each of three tables: awaited one after the other, joined, and spawned.
pub fn record_three_dishes() -> Recording {
    record("three dishes, three ways to wait", 3, three_tables())
}

/// Somebody talks, and in the oven is a loaf that nobody asks about.
pub fn record_unpolled() -> Recording {
    record("the bread that nobody polls", 1, talk_and_bread())
}

fn record(name: &str, tables: u32, evening: impl Future) -> Recording {
    let time = VirtualTime::new();
    let recorder = Recorder::new(Header::virtual_time(name, &time).fact("tables", tables));
    let loopbot = LoopBot::builder()
        .clock(Clock::virtual_time(time))
        .recorder(recorder.clone());
    loopbot.build().run(evening);
    recorder.recording()
}

async fn three_tables() {
    for (table, party) in [(1, "Chen"), (2, "Weber"), (3, "Okafor")] {
        seat(table, party);
    }
    with_lane(|lane| story::place(lane, "kitchen"));
    let tables = [
        spawn_named("table 1", one_after_the_other(1)),
        spawn_named("table 2", joined(2)),
        spawn_named("table 3", spawned(3)),
    ];
    for table in tables {
        table.await.expect("no table panics");
    }
}

// ANCHOR: three_ways
async fn one_after_the_other(table: u32) {
    dish(table, "soup").await;
    dish(table, "fish").await;
    dish(table, "cake").await;
    has_everything(table);
}

async fn joined(table: u32) {
    futures::join!(
        dish(table, "soup"),
        dish(table, "fish"),
        dish(table, "cake")
    );
    has_everything(table);
}

async fn spawned(table: u32) {
    let dishes = ["soup", "fish", "cake"].map(|name| spawn_named(name, dish(table, name)));
    for dish in dishes {
        dish.await.expect("no dish panics");
    }
    has_everything(table);
}

async fn dish(table: u32, name: &str) {
    tells(&format!("starts the {name} for table {table}"));
    sleep(DISH).await;
    tells(&format!("has the {name} for table {table}"));
}
// ANCHOR_END: three_ways

fn has_everything(table: u32) {
    let time = now().as_millis();
    tells(&format!(
        "has everything for table {table}, after {time} ms"
    ));
    with_lane(|lane| story::table(lane, table, TableState::Eating));
}

// ANCHOR: unpolled
async fn talk_and_bread() {
    let mut bread = pin!(bake());
    match select(bread.as_mut(), pin!(guest())).await {
        Either::Left(_) => {} // the bread was first
        Either::Right(_) => {
            talk().await;
            bread.await;
        }
    }
}
// ANCHOR_END: unpolled

// ANCHOR: bake
async fn bake() {
    tells("puts the bread into the oven, for 8 minutes");
    sleep(BREAD).await;
    tells("takes the bread out of the oven");
    let late = now().saturating_sub(BREAD);
    if !late.is_zero() {
        burns(late);
    }
}
// ANCHOR_END: bake

/// The same, with the bread as a task of its own.
#[cfg(test)]
// ANCHOR: mended
async fn talk_and_bread_spawned() {
    let bread = spawn_named("the bread", bake());
    guest().await;
    talk().await;
    bread.await.expect("the bread does not panic");
}
// ANCHOR_END: mended

async fn guest() {
    sleep(minutes(2)).await;
    seat(1, "Silva");
}

async fn talk() {
    with_lane(|lane| story::place(lane, "table 1"));
    tells("asks Mrs. Silva what she would like");
    sleep(minutes(15)).await;
    tells("has her order: bread and butter");
    with_lane(|lane| {
        story::table(lane, 1, TableState::Ordered);
        story::place(lane, "kitchen");
    });
}

fn burns(late: Duration) {
    let minutes = late.as_secs() / 60;
    let what = format!("the bread is black: it was done {minutes} minutes ago");
    with_lane(|lane| lane.mark(INCIDENT, &what, 0));
}

fn seat(table: u32, party: &str) {
    with_lane(|lane| {
        story::party(lane, table, Some(party));
        story::table(lane, table, TableState::Seated);
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

    fn marks(recording: &Recording, category: &str) -> Vec<String> {
        let marks = recording.marks(category);
        marks.map(|(_, text, _)| text.to_owned()).collect()
    }

    fn polls(recording: &Recording, name: &str) -> usize {
        let is_it = |task: flight::Task| recording.task(task) == name;
        let begins = |entry: &&flight::Entry| matches!(entry.event, Event::PollBegin { task, .. } if is_it(task));
        recording.events.iter().filter(begins).count()
    }

    #[test]
    fn the_sum_and_twice_the_longest() {
        let recording = record_three_dishes();
        let ready: Vec<String> = marks(&recording, story::STEP)
            .into_iter()
            .filter(|step| step.starts_with("has everything"))
            .collect();
        let expected = [(2, 300), (3, 300), (1, 900)]
            .map(|(table, ms)| format!("has everything for table {table}, after {ms} ms"));
        assert_eq!(ready, expected);
        // Three bells, rung in the same moment, are one poll for the three that were joined.
        assert_eq!(polls(&recording, "table 1"), 4);
        assert_eq!(polls(&recording, "table 2"), 2);
    }

    #[test]
    fn the_bread_burns_only_where_nobody_polls_it() {
        let recording = record_unpolled();
        let burnt = ["the bread is black: it was done 9 minutes ago"];
        assert_eq!(marks(&recording, INCIDENT), burnt);
        let spawned = record("the bread, spawned", 1, talk_and_bread_spawned());
        assert!(marks(&spawned, INCIDENT).is_empty());
    }
}
