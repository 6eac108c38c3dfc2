//! Two ovens, two tables. Whoever waits for the first oven leaves a bell there. Whoever waits for the second one does
//! not, and nothing in the language says that it must.

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use flight::{Header, Recorder, Recording, VirtualTime};
use loopbot::{Clock, LoopBot, sleep, sleep_until, spawn_named, with_lane};
use restaurant::story::{self, BEAT, INCIDENT, TableState};
use restaurant::work::WALK;

const BAKING: Duration = Duration::from_secs(6 * 60);
/// When the party at table 2 has had enough.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// Plates go into two ovens, and both ovens do their work.
pub fn record() -> Recording {
    let time = VirtualTime::new();
    let header = Header::virtual_time("two ovens, one bell", &time).fact("tables", 2);
    let recorder = Recorder::new(header);
    let loopbot = LoopBot::builder()
        .clock(Clock::virtual_time(time))
        .recorder(recorder.clone());
    loopbot.build().run(evening());
    recorder.recording()
}

async fn evening() {
    let (first, second) = (Rc::new(Oven::default()), Rc::new(Oven::default()));
    seat(1, "Chen");
    seat(2, "Weber");
    goes_to("kitchen").await;
    tells("puts the Chens' plates into oven 1 and the Webers' into oven 2");
    spawn_named("oven 1", bake(1, first.clone()));
    spawn_named("oven 2", bake(2, second.clone()));
    spawn_named("the Chens' plates", async move {
        tells("leaves a bell at oven 1, and turns away");
        WithABell(&first).await;
        serve(1).await;
    });
    spawn_named("the Webers' plates", async move {
        tells("looks into oven 2, and turns away");
        WithoutABell(&second).await;
        serve(2).await;
    });

    sleep_until(PATIENCE).await;
    with_lane(|lane| {
        lane.mark(
            INCIDENT,
            "the Webers go home hungry: their plates are done, and nobody rang",
            2,
        );
        story::party(lane, 2, None);
        story::table(lane, 2, TableState::Left);
    });
}

// ANCHOR: oven
/// What is in the oven is done some time, and somebody may wait for it.
#[derive(Default)]
struct Oven {
    is_done: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Oven {
    fn done(&self) {
        self.is_done.set(true);
        // Out of the cell first, and then the ring: whoever hears it may come here at once.
        let waker = self.waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
// ANCHOR_END: oven

// ANCHOR: with_a_bell
struct WithABell<'a>(&'a Oven);

impl Future for WithABell<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.is_done.get() {
            return Poll::Ready(());
        }
        self.0.waker.replace(Some(cx.waker().clone()));
        Poll::Pending
    }
}
// ANCHOR_END: with_a_bell

// ANCHOR: without_a_bell
struct WithoutABell<'a>(&'a Oven);

impl Future for WithoutABell<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        if self.0.is_done.get() {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}
// ANCHOR_END: without_a_bell

/// The oven's own clock.
async fn bake(number: u32, oven: Rc<Oven>) {
    sleep(BAKING).await;
    let rings = if oven.waker.borrow().is_some() {
        "it rings the bell that was left there"
    } else {
        "no bell was left there"
    };
    with_lane(|lane| lane.mark(BEAT, &format!("Oven {number} is done: {rings}."), 0));
    oven.done();
}

fn seat(table: u32, party: &str) {
    with_lane(|lane| {
        story::party(lane, table, Some(party));
        story::table(lane, table, TableState::Ordered);
    });
}

async fn goes_to(place: &str) {
    with_lane(|lane| story::place(lane, place));
    sleep(WALK).await;
}

async fn serve(table: u32) {
    tells(&format!("takes the plates out of oven {table}"));
    goes_to(&format!("table {table}")).await;
    tells(&format!("serves table {table}"));
    with_lane(|lane| story::table(lane, table, TableState::Eating));
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
    fn who_leaves_no_bell_is_polled_once() {
        let recording = record();
        let polls = |name: &str| {
            let is_it = |task: flight::Task| recording.task(task) == name;
            let begins = |entry: &&flight::Entry| matches!(entry.event, Event::PollBegin { task, .. } if is_it(task));
            recording.events.iter().filter(begins).count()
        };
        // When they go in, when the oven rings, and at the end of the walk.
        assert_eq!(polls("the Chens' plates"), 3);
        assert_eq!(polls("the Webers' plates"), 1);
    }

    #[test]
    fn without_an_end_of_patience_loopbot_stands_still() {
        let loopbot = LoopBot::builder().clock(Clock::virtual_time(VirtualTime::new()));
        let oven = Rc::new(Oven::default());
        let plates = async {
            spawn_named("oven 2", bake(2, oven.clone()));
            WithoutABell(&oven).await;
        };
        let stands = loopbot.build().try_run(plates).unwrap_err();
        assert!(stands.to_string().contains("main"), "{stands}");
    }
}
