//! The doors close, and LoopBot has a plate in its hands: a timeout that drops what it times, and one that does not.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use flight::{Header, Recorder, Recording, VirtualTime};
use loopbot::{Clock, LoopBot, TaskGroup, task_group, timeout};
use restaurant::Pace;
use restaurant::story::{self, TableState};

use crate::robot::Robot;

/// How long the doors are open in this scene.
const OPEN: Duration = Duration::from_secs(140);

/// The oven rings for these tables at these seconds of the evening. LoopBot walks 20 seconds to the kitchen and 20 to
/// the table; so it has the last plate in its hands when the doors close.
const OVEN: [(u64, u32); 3] = [(10, 1), (60, 2), (110, 3)];

const PARTIES: [&str; 3] = ["Chen", "Okafor", "Mbeki"];

/// A recording: the timeout drops whatever LoopBot is doing.
pub fn record_dropped() -> Recording {
    play("last orders, dropped", async |house| dropped(house).await)
}

/// A recording: the timeout ends the taking of orders, and what has begun is finished.
pub fn record_finished() -> Recording {
    play("last orders, finished", async |house| finished(house).await)
}

// ANCHOR: dropped
/// Serves until the doors close.
async fn dropped(house: &Rc<House>) {
    let evening = async {
        loop {
            let table = house.oven_rings().await;
            bring(house.clone(), table).await;
        }
    };
    let _time_is_up = timeout(OPEN, evening).await;
}

/// Fetches a plate, and brings it to its table.
async fn bring(house: Rc<House>, table: u32) {
    drop(house.bot.goes_to("kitchen").await);
    let plate = house.takes_the_plate(table);
    let _body = house.bot.goes_to(&format!("table {table}")).await;
    house.serves(plate);
}
// ANCHOR_END: dropped

// ANCHOR: finished
/// Takes orders until the doors close, and goes home when the last plate is on its table.
async fn finished(house: &Rc<House>) {
    let evening = task_group(async |group: &TaskGroup<Infallible>| {
        let orders = async {
            loop {
                let table = house.oven_rings().await;
                group.spawn_named(&format!("plate {table}"), brought(house.clone(), table));
            }
        };
        let _time_is_up = timeout(OPEN, orders).await; // this drops a wait for the oven, and nothing else
        Ok(())
    });
    evening.await.expect("no plate fails"); // ends when its last task has ended
}
// ANCHOR_END: finished

/// [`bring`], as a task of a group wants it.
async fn brought(house: Rc<House>, table: u32) -> Result<(), Infallible> {
    bring(house, table).await;
    Ok(())
}

/// What there is.
struct House {
    bot: Robot,
    oven: RefCell<VecDeque<(u64, u32)>>,
    lost: Cell<u32>,
}

// ANCHOR: plate
/// A plate in LoopBot's hands. It is nowhere else: with this value the plate is gone.
struct Plate {
    table: u32,
    is_served: bool,
    house: Rc<House>,
}

impl Drop for Plate {
    fn drop(&mut self) {
        if !self.is_served {
            self.house.loses_the_plate(self.table);
        }
    }
}
// ANCHOR_END: plate

impl House {
    /// Waits until the next dish is done, and returns its table. Cancel safe: a dish is taken from the list when the wait is over.
    async fn oven_rings(&self) -> u32 {
        let next = self.oven.borrow().front().copied();
        let Some((second, table)) = next else {
            return std::future::pending().await; // nothing in the oven any more
        };
        loopbot::sleep_until(Duration::from_secs(second)).await;
        self.oven.borrow_mut().pop_front();
        self.bot
            .tells(format!("hears the oven ring for table {table}"));
        table
    }

    fn takes_the_plate(self: &Rc<Self>, table: u32) -> Plate {
        self.bot.tells(format!("takes the plate for table {table}"));
        Plate {
            table,
            is_served: false,
            house: self.clone(),
        }
    }

    fn serves(&self, mut plate: Plate) {
        plate.is_served = true;
        self.bot
            .tells(format!("puts the plate on table {}", plate.table));
        self.bot
            .shows(|lane| story::table(lane, plate.table, TableState::Eating));
    }

    fn loses_the_plate(&self, table: u32) {
        self.lost.set(self.lost.get() + 1);
        let text = format!("a plate is lost on the way: table {table}");
        self.bot
            .shows(|lane| lane.mark(story::INCIDENT, &text, table.into()));
    }
}

fn play(name: &str, serve: impl AsyncFnOnce(&Rc<House>)) -> Recording {
    let time = VirtualTime::new();
    let header = Header::virtual_time(name, &time).fact("tables", PARTIES.len());
    let recorder = Recorder::new(header);
    let loopbot = LoopBot::builder()
        .clock(Clock::virtual_time(time))
        .recorder(recorder.clone())
        .build();
    loopbot.run(async {
        let house = Rc::new(House {
            bot: Robot::new(Pace::LIFE),
            oven: RefCell::new(OVEN.into()),
            lost: Cell::new(0),
        });
        house.bot.shows(|lane| story::place(lane, "desk"));
        for (table, party) in (1..).zip(PARTIES) {
            house
                .bot
                .shows(|lane| story::party(lane, table, Some(party)));
            house
                .bot
                .shows(|lane| story::table(lane, table, TableState::Ordered));
        }
        serve(&house).await;
        house.bot.shows(|lane| story::place(lane, "door"));
        let late = loopbot::now().as_secs().saturating_sub(OPEN.as_secs());
        house.bot.tells(match late {
            0 => "locks the doors".to_owned(),
            late => format!("locks the doors, {late} seconds after closing time"),
        });
    });
    recorder.recording()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(recording: &Recording) -> Vec<(u64, String)> {
        let steps = recording.marks(story::STEP);
        steps
            .map(|(entry, text, _)| (entry.t / 1_000_000_000, text.to_owned()))
            .collect()
    }

    #[test]
    fn what_is_dropped_loses_the_plate_that_it_carries() {
        let recording = record_dropped();
        let lost: Vec<_> = recording.marks(story::INCIDENT).collect();
        assert_eq!(lost.len(), 1);
        assert_eq!(
            (lost[0].0.t / 1_000_000_000, lost[0].1),
            (140, "a plate is lost on the way: table 3")
        );
        assert_eq!(
            told(&recording).last().unwrap(),
            &(140, "locks the doors".to_owned())
        );
    }

    #[test]
    fn what_is_finished_loses_nothing() {
        let recording = record_finished();
        assert_eq!(recording.marks(story::INCIDENT).count(), 0);
        let served = told(&recording)
            .iter()
            .filter(|(_, step)| step.starts_with("puts the plate"))
            .count();
        assert_eq!(served, OVEN.len());
        assert_eq!(told(&recording).last().unwrap().0, 150);
    }
}
