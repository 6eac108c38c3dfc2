//! Guests at the door. LoopBot does not stand there: it looks, leaves its bell, and is called.
//!
//! The door is simulated, because a real socket is not the same twice. It is used as one: `accept` never waits and says
//! `WouldBlock` if nobody is there, and an event calls whoever left a bell. What is simulated is who makes the event. Here
//! the street is a task on the same virtual clock; behind a socket it is the operating system.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use flight::{Header, Recorder, Recording, VirtualTime};
use loopbot::{Clock, LoopBot, sleep, sleep_until, spawn_named, with_lane};
use restaurant::story::{self, BEAT, TableState, WAITING};

type Party = &'static str;

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// Half an hour, and four parties.
pub fn record() -> Recording {
    let time = VirtualTime::new();
    let header = Header::virtual_time("guests at the door", &time).fact("tables", 4);
    let recorder = Recorder::new(header);
    let loopbot = LoopBot::builder()
        .clock(Clock::virtual_time(time))
        .recorder(recorder.clone());
    loopbot.build().run(evening());
    recorder.recording()
}

async fn evening() {
    let door = Rc::new(Door::default());
    let greeting = spawn_named("the door", greet(door.clone()));
    spawn_named("the street", street(door));
    sleep_until(minutes(30)).await;
    greeting.abort();
}

// ANCHOR: greet
async fn greet(door: Rc<Door>) {
    for table in 1.. {
        let party = door.next().await;
        tells(&format!("lets the {party} party in"));
        spawn_named(&format!("the {party} party"), serve(table, party));
    }
}

async fn serve(table: u32, party: Party) {
    seat(table, party);
    sleep(minutes(10)).await; // they choose
    tells(&format!("takes the order of the {party} party"));
    with_lane(|lane| story::table(lane, table, TableState::Ordered));
}
// ANCHOR_END: greet

/// Outside. Nothing in here knows what LoopBot does.
async fn street(door: Rc<Door>) {
    sleep_until(minutes(2)).await;
    door.come(&["Chen"]);
    sleep_until(minutes(6)).await;
    door.come(&["Weber", "Okafor"]);
    sleep_until(minutes(12)).await;
    door.come(&["Silva"]);
}

/// The door, from both sides.
#[derive(Default)]
struct Door {
    outside: RefCell<VecDeque<Party>>,
    bell: RefCell<Option<Waker>>,
}

impl Door {
    /// From inside, as a non-blocking socket does it.
    fn accept(&self) -> io::Result<Party> {
        let party = self.outside.borrow_mut().pop_front();
        self.tell_how_many();
        party.ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }

    /// Waits for somebody, and lets one in.
    async fn next(&self) -> Party {
        let attempt = |cx: &mut Context<'_>| {
            with_lane(|lane| story::place(lane, "door"));
            match self.accept() {
                Ok(party) => Poll::Ready(party),
                Err(_) => {
                    tells("looks out: nobody there. Leaves its bell at the door");
                    self.bell.replace(Some(cx.waker().clone()));
                    Poll::Pending
                }
            }
        };
        poll_fn(attempt).await
    }

    /// From outside: parties come, all in the same moment, and that is one event.
    fn come(&self, parties: &[Party]) {
        self.outside.borrow_mut().extend(parties);
        self.tell_how_many();
        let who = parties.join(" party and the ");
        with_lane(|lane| lane.mark(BEAT, &format!("Outside: the {who} party. One ring."), 0));
        let bell = self.bell.take();
        if let Some(bell) = bell {
            bell.wake();
        }
    }

    fn tell_how_many(&self) {
        let waiting = self.outside.borrow().len() as u64;
        with_lane(|lane| lane.counter(WAITING, waiting));
    }
}

fn seat(table: u32, party: Party) {
    with_lane(|lane| {
        story::place(lane, &format!("table {table}"));
        story::party(lane, table, Some(party));
        story::table(lane, table, TableState::Seated);
    });
    tells(&format!("seats the {party} party at table {table}"));
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

    #[test]
    fn the_door_is_polled_once_to_begin_and_once_for_each_ring() {
        let recording = record();
        let at_the_door = |entry: &&flight::Entry| match entry.event {
            Event::PollBegin { task, .. } => recording.task(task) == "the door",
            _ => false,
        };
        // At the beginning, at three rings for four parties, and to be cancelled.
        assert!(recording.events.iter().filter(at_the_door).count() <= 5);
        let let_in = recording
            .marks(story::STEP)
            .filter(|(_, step, _)| step.starts_with("lets the"));
        assert_eq!(let_in.count(), 4);
    }
}
