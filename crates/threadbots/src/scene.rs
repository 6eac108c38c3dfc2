//! One moment of an evening, with two robots and few steps: small enough to try every schedule there is.
//!
//! ```
//! use threadbots::{Coordination, scene};
//! use whatif::{Checker, Outcome};
//!
//! let careless = Checker::new("one table").explore(|| scene::one_table(Coordination::Careless));
//! assert!(matches!(careless.outcome, Outcome::Failed(_)));
//!
//! let coordinated = Checker::new("one table").explore(|| scene::one_table(Coordination::Coordinated));
//! assert!(matches!(coordinated.outcome, Outcome::Proved { .. }));
//! ```

use std::sync::Arc;

use flight::{ActorKind, Entry, Event, Header, Recorder, Recording, VirtualTime};
use restaurant::Shift;
use restaurant::story::{self, TableState};
use whatif::{Checker, Outcome, Report, thread};

use crate::coordination::Coordination;
use crate::robot::{Robot, Time};
use crate::spot::Spot;

/// GreetBot with a party, WaitBot with a cloth, and between them a table that the party before
/// has left. It looks free to both.
///
/// To be run inside a [check](whatif::check): an incident breaks the rule and ends the run.
pub fn one_table(coordination: Coordination) {
    play(coordination, &Recorder::off(), &VirtualTime::new());
}

/// What the checker finds when it tries every schedule of [`one_table`].
pub fn check_one_table(coordination: Coordination) -> Report {
    Checker::new("one table").explore(move || one_table(coordination))
}

/// A recording of [`one_table`]: the simplest schedule on which it breaks, a second of virtual time for
/// each step; or, if there is no such schedule, a rehearsal in which every walk takes its time.
pub fn record_one_table(coordination: Coordination) -> Recording {
    let time = VirtualTime::new();
    let header = Header::virtual_time(&format!("one table, {coordination}"), &time)
        .fact("coordination", coordination)
        .fact("tables", 2);
    let scene = |recorder: &Recorder| {
        let (recorder, time) = (recorder.clone(), time.clone());
        move || play(coordination, &recorder, &time)
    };
    match check_one_table(coordination).outcome {
        Outcome::Failed(story) => {
            let recorder = Recorder::new(header.fact("schedule", &story.id));
            Checker::new("one table")
                .clock(&time)
                .replay(&story.id, scene(&recorder));
            let mut recording = recorder.recording();
            line_up_the_leaving(&mut recording);
            recording
        }
        _ => {
            let recorder =
                Recorder::new(header.fact("schedule", "none breaks it; rehearsed with seed 10"));
            whatif::simulate(10, &time, scene(&recorder)).unwrap_or_else(|story| panic!("{story}"));
            recorder.recording()
        }
    }
}

/// When a check ends a run, all its robots leave at the same moment of virtual time, in an order that the operating
/// system decides. Here they leave in the order in which they came.
fn line_up_the_leaving(recording: &mut Recording) {
    let same_moment = |a: &Entry, b: &Entry| {
        a.event == Event::ActorStop && b.event == Event::ActorStop && a.t == b.t
    };
    for leaving in recording.events.chunk_by_mut(same_moment) {
        let numbers: Vec<u64> = leaving.iter().map(|entry| entry.n).collect();
        leaving.sort_by_key(|entry| entry.actor);
        for (entry, n) in leaving.iter_mut().zip(numbers) {
            entry.n = n;
        }
    }
}

fn play(coordination: Coordination, recorder: &Recorder, time: &VirtualTime) {
    let spot = Arc::new(Spot::with_dishes(2));
    let robot = |name: &str| Robot {
        lane: recorder.actor(name, ActorKind::Thread),
        time: Time::Virtual(time.clone()),
        ledger: Arc::default(),
        stops_at_incidents: true,
    };
    let chen = Shift::friday(42)
        .parties
        .into_iter()
        .find(|party| party.name == "Chen");
    let chen = chen.expect("the Chens come on Fridays");

    let (greetbot, waitbot) = (robot("GreetBot"), robot("WaitBot"));
    story::table(&waitbot.lane, 2, TableState::Left);
    story::place(&greetbot.lane, "desk");
    story::place(&waitbot.lane, "kitchen");
    let seat = {
        let spot = spot.clone();
        move || {
            coordination.seat(&greetbot, &spot, &chen);
        }
    };
    let clear = move || {
        coordination.clear(&waitbot, &spot);
    };
    let seat = thread::Builder::new().name("GreetBot".into()).spawn(seat);
    let clear = thread::Builder::new().name("WaitBot".into()).spawn(clear);
    for robot in [seat, clear] {
        robot
            .expect("the system has room for a thread")
            .join()
            .expect("a robot broke down");
    }
}
