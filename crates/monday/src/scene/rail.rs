//! Three jobs on the rail. One rings for itself again and again, one waits for the bar, and one has little to do. They are
//! served in the order in which they were rung for.

use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::{cell::RefCell, future::poll_fn};

use flight::rules::Limits;
use flight::{Header, Recorder, Recording, VirtualTime};
use loopbot::{Clock, LoopBot, sleep, spawn_named, with_lane, yield_now};
use restaurant::story::{self, TableState};

const MINUTE: Duration = Duration::from_secs(60);

/// An evening of twelve minutes.
pub fn record() -> Recording {
    let time = VirtualTime::new();
    // Here a poll is a minute's work, and the rules are to know that this is not long.
    let limits = Limits {
        long_poll: Duration::from_secs(60),
        late_timer: Duration::from_secs(5 * 60),
        ready_delay: Duration::from_secs(5 * 60),
        ..Limits::default()
    };
    let header = Header::virtual_time("three jobs on the rail", &time)
        .fact("tables", 3)
        .limits(&limits);
    let recorder = Recorder::new(header);
    let loopbot = LoopBot::builder()
        .clock(Clock::virtual_time(time.clone()))
        .recorder(recorder.clone());
    loopbot.build().run(evening(Rc::new(House::new(time))));
    recorder.recording()
}

/// What the three jobs share.
struct House {
    time: VirtualTime,
    /// The bell of table 1's job.
    table_1: RefCell<Option<Waker>>,
}

// ANCHOR: evening
async fn evening(house: Rc<House>) {
    house.seat(["Chen", "Weber", "Okafor"]);
    let jobs = [
        spawn_named("table 1", talks(house.clone())),
        spawn_named("table 2", orders(house.clone())),
        spawn_named("table 3", pays(house.clone())),
    ];
    for job in jobs {
        job.await.expect("no job panics");
    }
}

async fn talks(house: Rc<House>) {
    house.leave_bell_of_table_1().await;
    for part in ["the train", "the hotel", "the museum", "the weather"] {
        house.works(1, &format!("hears about {part} at table 1"));
        yield_now().await; // rings for itself: there is more to hear
    }
    house.works(1, "says goodbye to table 1");
}

async fn orders(house: Rc<House>) {
    house.works(2, "takes the order of table 2");
    sleep(3 * MINUTE).await;
    house.works(2, "pours the wine at table 2");
    sleep(4 * MINUTE).await;
    house.works(2, "serves table 2");
}

async fn pays(house: Rc<House>) {
    house.works(3, "takes payment at table 3");
    house.rings_for_table_1("hears at table 3 that table 1 wants something");
    house.rings_for_table_1("hears at table 3 that table 1 waves");
}
// ANCHOR_END: evening

impl House {
    fn new(time: VirtualTime) -> House {
        let table_1 = RefCell::default();
        House { time, table_1 }
    }

    fn seat(&self, parties: [&str; 3]) {
        with_lane(|lane| {
            for (table, party) in (1..).zip(parties) {
                story::party(lane, table, Some(party));
                story::table(lane, table, TableState::Seated);
            }
        });
    }

    /// Works for a minute, without an `await`. On a virtual clock computing takes no time, so here it is said how much.
    #[track_caller]
    fn works(&self, table: u32, what: &str) {
        with_lane(|lane| story::place(lane, &format!("table {table}")));
        tells(what);
        self.time.advance(MINUTE);
    }

    async fn leave_bell_of_table_1(&self) {
        let leave = |cx: &mut Context<'_>| {
            self.table_1.replace(Some(cx.waker().clone()));
            Poll::Ready(())
        };
        poll_fn(leave).await;
    }

    #[track_caller]
    fn rings_for_table_1(&self, why: &str) {
        tells(why);
        let waker = self.table_1.borrow().clone();
        waker.expect("table 1 was polled first").wake();
    }
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
    fn first_come_first_served_and_two_rings_more_are_nothing() {
        let recording = record();
        let mut served = Vec::new();
        let mut rung_by_others = 0;
        for entry in &recording.events {
            match entry.event {
                Event::PollBegin { task, .. } => served.push(recording.task(task).to_owned()),
                Event::Wake { task, source } if recording.task(task) == "table 1" => {
                    rung_by_others += u32::from(source != flight::Source::OwnPoll);
                }
                _ => {}
            }
        }
        served.retain(|name| name != "main");
        let tables = [1, 2, 3, 1, 1, 1, 2, 1, 2].map(|table| format!("table {table}"));
        assert_eq!(served, tables);
        assert_eq!(rung_by_others, 0);
    }
}
