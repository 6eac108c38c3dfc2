//! A rush: ChefBot cooks twice as fast as WaitBot carries. What a bound on the pass changes, and what it does not.
//!
//! Nothing breaks here, so this is no [`Scene`](super::Scene). It is looked at on the clock.

use std::time::Duration;

use flight::{Header, Recorder, Recording, VirtualTime};
use whatif::sync::mpsc::{Receiver, channel, sync_channel};

use super::{Stage, all_go_home};
use crate::robot::Robot;

const PLATES: u32 = 12;
const COOKING: Duration = Duration::from_secs(30);
/// With the way there and the way back, WaitBot needs a minute for a plate.
const SERVING: Duration = Duration::from_secs(20);

struct Plate {
    number: u32,
    done: Duration,
}

/// The rush, in virtual time. So many plates fit on the pass; with `None`, any number.
///
/// # Panics
/// If the robots get stuck; the message is the story of how.
pub fn record(room: Option<usize>) -> Recording {
    let time = VirtualTime::new();
    let fits = room.map_or("any number".to_owned(), |room| room.to_string());
    let header = Header::virtual_time("a rush", &time)
        .fact("tables", 2)
        .fact("room on the pass", fits);
    let recorder = Recorder::new(header);
    let stage = Stage::new(&recorder, &time);
    whatif::simulate(10, &time, move || serve(&stage, room))
        .unwrap_or_else(|story| panic!("{story}"));
    recorder.recording()
}

// ANCHOR: serve
fn serve(stage: &Stage, room: Option<usize>) {
    match room {
        None => {
            let (puts, pass) = channel();
            hire(stage, pass, move |plate| puts.send(plate).is_ok());
        }
        Some(room) => {
            let (puts, pass) = sync_channel(room);
            hire(stage, pass, move |plate| puts.send(plate).is_ok());
        }
    }
}
// ANCHOR_END: serve

fn hire(stage: &Stage, pass: Receiver<Plate>, put: impl Fn(Plate) -> bool + Send + 'static) {
    let pass = pass.called("the pass");
    let waitbot = stage.spawn("WaitBot", move |bot, _| carry(bot, pass));
    let chefbot = stage.spawn("ChefBot", move |bot, _| cook(bot, put));
    all_go_home([chefbot, waitbot]);
}

// ANCHOR: robots
fn cook(bot: &Robot, put: impl Fn(Plate) -> bool) {
    for number in 1..=PLATES {
        bot.wait("the oven", COOKING);
        let done = bot.now();
        if !bot.parked("room on the pass", 0, || put(Plate { number, done })) {
            return; // the receiver is gone: nobody carries any more
        }
        let held = (bot.now() - done).as_secs();
        bot.tells(format!("puts down plate {number}, done {held} s ago"));
    }
} // ChefBot goes home, and `put` with it, and the only sender with `put`

fn carry(bot: &Robot, pass: Receiver<Plate>) {
    for Plate { number, done } in pass {
        let age = (bot.now() - done).as_secs();
        bot.tells(format!("takes plate {number}, done {age} s ago"));
        bot.goes_to("table 2");
        bot.wait("the guests", SERVING);
        bot.goes_to("kitchen");
    }
} // nothing is on the pass, and nobody is left who could put anything on it
// ANCHOR_END: robots

#[cfg(test)]
mod tests {
    use restaurant::story;

    use super::*;

    /// For each plate that WaitBot takes: when, and how long ago it was done, in seconds.
    fn taken(room: Option<usize>) -> Vec<(u64, u64)> {
        let recording = record(room);
        let taken = recording
            .events
            .iter()
            .filter_map(|entry| match entry.event {
                flight::Event::Mark { text, category, .. }
                    if recording.text(category) == story::STEP =>
                {
                    let (_, age) = recording
                        .text(text)
                        .strip_prefix("takes plate ")?
                        .split_once(", done ")?;
                    Some((
                        entry.t / 1_000_000_000,
                        age.strip_suffix(" s ago")?.parse().ok()?,
                    ))
                }
                _ => None,
            });
        taken.collect()
    }

    #[test]
    fn without_a_bound_every_plate_is_older_than_the_one_before() {
        let ages: Vec<_> = taken(None).into_iter().map(|(_, age)| age).collect();
        assert_eq!(ages, (0..12).map(|plate| 30 * plate).collect::<Vec<_>>());
    }

    #[test]
    fn a_bound_keeps_plates_young_and_makes_nobody_wait_longer() {
        let (never_full, full) = (taken(None), taken(Some(2)));
        let times = |taken: &[(u64, u64)]| taken.iter().map(|(at, _)| *at).collect::<Vec<_>>();
        assert_eq!(times(&never_full), times(&full));
        // Two on the pass, and one in ChefBot's hand.
        assert_eq!(full.iter().map(|(_, age)| *age).max(), Some(150));
    }
}
