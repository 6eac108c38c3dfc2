//! Saturday: the whole menu is tasted. This is work, and no robot waits for anything, unless it waits for another one.
//!
//! Nothing breaks here, so this is no [`Scene`](super::Scene). It is looked at on the clock, and every robot has a core
//! of its own.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use flight::{Header, Recorder, Recording, VirtualTime};
use whatif::sync::Mutex;
use whatif::thread;

use super::{Stage, all_go_home};
use crate::robot::Robot;

const ROBOTS: [&str; 3] = ["ChefBot", "WineBot", "WaitBot"];
/// Dishes in each robot's share.
const SHARE: u32 = 4;
const TASTING: Duration = Duration::from_secs(60);
const WRITING: Duration = Duration::from_secs(60);

/// How the robots go about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tasting {
    /// The next one is hired when the one before has finished.
    OneAfterTheOther,
    /// All are hired, and then waited for. Each keeps count by itself.
    AtTheSameTime,
    /// The same, but each mark goes to the one blackboard at once.
    OneBlackboard,
}

/// The tasting, in virtual time.
///
/// # Panics
/// If the robots get stuck; the message is the story of how.
pub fn record(tasting: Tasting) -> Recording {
    let time = VirtualTime::new();
    let recorder = Recorder::new(Header::virtual_time("saturday", &time).fact("tables", 2));
    let stage = Stage::new(&recorder, &time);
    whatif::simulate(10, &time, move || taste_all(&stage, tasting))
        .unwrap_or_else(|story| panic!("{story}"));
    recorder.recording()
}

fn taste_all(stage: &Stage, tasting: Tasting) {
    let board = Arc::new(Mutex::new(0).called("the blackboard"));
    // ANCHOR: hire
    let hire = |robot: usize| {
        let (dishes, board) = (share(robot), Arc::clone(&board));
        stage.spawn(ROBOTS[robot], move |bot, _| match tasting {
            Tasting::OneBlackboard => taste_and_write(bot, dishes, &board),
            _ => taste_then_write(bot, dishes, &board),
        })
    };
    match tasting {
        Tasting::OneAfterTheOther => {
            for robot in 0..ROBOTS.len() {
                all_go_home([hire(robot)]); // hired, and waited for
            }
        }
        _ => all_go_home([hire(0), hire(1), hire(2)]),
    }
    // ANCHOR_END: hire
}

/// The robot's dishes.
fn share(robot: usize) -> Range<u32> {
    let first = robot as u32 * SHARE + 1;
    first..first + SHARE
}

// ANCHOR: tasting
fn taste_then_write(bot: &Robot, dishes: Range<u32>, blackboard: &Mutex<u32>) {
    let marks = dishes.map(|dish| taste(bot, dish)).sum();
    write(bot, marks, blackboard);
}

fn taste_and_write(bot: &Robot, dishes: Range<u32>, blackboard: &Mutex<u32>) {
    for dish in dishes {
        let marks = taste(bot, dish);
        write(bot, marks, blackboard);
    }
}
// ANCHOR_END: tasting

/// This is work: the robot waits for nobody meanwhile.
fn taste(bot: &Robot, dish: u32) -> u32 {
    bot.tells(format!("tastes dish {dish}"));
    thread::sleep(TASTING);
    dish % 5
}

/// One robot at a time, and writing takes as long as tasting.
fn write(bot: &Robot, marks: u32, blackboard: &Mutex<u32>) {
    let mut sum = bot.parked("the blackboard", 0, || blackboard.lock().unwrap());
    bot.tells(format!("writes {marks} on the blackboard"));
    thread::sleep(WRITING);
    *sum += marks;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(tasting: Tasting) -> u64 {
        let recording = record(tasting);
        recording.events.last().map_or(0, |last| last.t) / 60_000_000_000
    }

    #[test]
    fn it_takes_as_long_as_the_longest_line_of_things_that_wait_for_each_other() {
        // Three shares of four dishes, and writing, in a row.
        assert_eq!(minutes(Tasting::OneAfterTheOther), 15);
        // One share, and then all want to write at once.
        assert_eq!(minutes(Tasting::AtTheSameTime), 7);
        // Twelve times writing, and two minutes in which nobody has anything to write yet.
        assert_eq!(minutes(Tasting::OneBlackboard), 14);
    }
}
