//! An evening from start to end.

use std::rc::Rc;
use std::time::Duration;

use flight::{Header, Recorder, VirtualTime};
use loopbot::{Clock, LoopBot};
use restaurant::{Evening, Ledger, Meter, Pace, Report, Shift};

use crate::house::House;
use crate::party;

/// How the restaurant opens tonight: one robot, at this pace.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    pace: Pace,
}

impl Opening {
    /// One robot, and a minute in 12 ms.
    #[expect(
        clippy::new_without_default,
        reason = "an evening without a pace is nobody's default"
    )]
    pub fn new() -> Opening {
        Opening {
            pace: Pace::minute_in(Duration::from_millis(12)),
        }
    }

    /// How fast the evening goes by, when it is served for real.
    pub fn pace(self, pace: Pace) -> Opening {
        Opening { pace }
    }

    /// The header of a recording of such an evening.
    pub fn header(self, shift: &Shift, header: Header) -> Header {
        header.fact("seed", shift.seed).fact("tables", shift.tables)
    }

    /// Serves the evening in real time, and measures the robot by its CPU clock.
    pub fn serve(self, shift: &Shift, recorder: &Recorder) -> Report {
        run(shift, recorder, Clock::real(), self.pace)
    }

    /// Serves the evening in virtual time: it takes as long as its steps take to compute, and the recording
    /// is the same, byte for byte, on every machine.
    pub fn rehearse(self, shift: &Shift) -> Evening {
        let time = VirtualTime::new();
        let recorder = Recorder::new(self.header(shift, Header::virtual_time("loopbot", &time)));
        let report = run(shift, &recorder, Clock::virtual_time(time), Pace::LIFE);
        Evening::new(report, recorder.recording())
    }
}

fn run(shift: &Shift, recorder: &Recorder, clock: Clock, pace: Pace) -> Report {
    let meter = Meter::start();
    let loopbot = LoopBot::builder()
        .clock(clock)
        .recorder(recorder.clone())
        .build();
    let (ledger, length) = loopbot.run(evening(shift, pace));
    let Ledger { served, incidents } = ledger;
    let timesheets = vec![meter.stop("LoopBot")];
    Report {
        served,
        incidents,
        timesheets,
        length,
    }
}

// ANCHOR: evening
async fn evening(shift: &Shift, pace: Pace) -> (Ledger, Duration) {
    let house = Rc::new(House::new(shift, pace));
    let mut parties = Vec::new();
    for party in &shift.parties {
        let name = format!("the {} party", party.name);
        parties.push(loopbot::spawn_named(
            &name,
            party::serve(house.clone(), party.clone()),
        ));
    }
    for party in parties {
        party.await.expect("no party panics");
    }
    (house.bot.ledger.take(), house.bot.now())
}
// ANCHOR_END: evening
