//! An evening from start to end.

use std::mem;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use flight::{ActorKind, Header, Recorder, VirtualTime};
use restaurant::{Evening, Ledger, Meter, Pace, Report, Shift, Timesheet};
use whatif::thread;

use crate::coordination::Coordination;
use crate::house::{Alarm, House};
use crate::robot::{Robot, Time};
use crate::{chefbot, greetbot, waitbot, winebot};

/// How the restaurant opens tonight: who works, and how they keep out of each other's way.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    coordination: Coordination,
    waiters: usize,
    pace: Pace,
}

impl Opening {
    /// Four robots, and a minute in 12 ms.
    pub fn new(coordination: Coordination) -> Opening {
        Opening {
            coordination,
            waiters: 1,
            pace: Pace::minute_in(Duration::from_millis(12)),
        }
    }

    /// How many WaitBots there are.
    ///
    /// # Panics
    /// If there is none: nobody would ever eat.
    pub fn waiters(self, waiters: usize) -> Opening {
        assert!(
            waiters > 0,
            "somebody has to carry the plates: at least one WaitBot"
        );
        Opening { waiters, ..self }
    }

    /// How fast the evening goes by, when it is served for real.
    pub fn pace(self, pace: Pace) -> Opening {
        Opening { pace, ..self }
    }

    /// The header of a recording of such an evening.
    pub fn header(self, shift: &Shift, header: Header) -> Header {
        header
            .fact("coordination", self.coordination)
            .fact("seed", shift.seed)
            .fact("tables", shift.tables)
            .fact("waiters", self.waiters)
    }

    /// Serves the evening with real threads in real time, and measures every robot by its CPU clock.
    ///
    /// # Panics
    /// With a robot's own panic, if one panics. The others are sent home first.
    pub fn serve(self, shift: &Shift, recorder: &Recorder) -> Report {
        let time = Time::Real {
            opened: Instant::now(),
            pace: self.pace,
        };
        self.run(shift, recorder, time)
    }

    /// Serves the evening with the same threads in virtual time: it takes as long as its steps take to
    /// compute, and the recording is the same, byte for byte, on every machine.
    ///
    /// # Panics
    /// If the robots get stuck; the message is the story of how.
    pub fn rehearse(self, shift: &Shift) -> Evening {
        let time = VirtualTime::new();
        let header = Header::virtual_time(&format!("threadbots {}", self.coordination), &time);
        let recorder = Recorder::new(self.header(shift, header));
        let report = Arc::new(Mutex::new(None));
        let evening = {
            let (report, recorder, shift, time) = (
                report.clone(),
                recorder.clone(),
                shift.clone(),
                time.clone(),
            );
            move || *report.lock().unwrap() = Some(self.run(&shift, &recorder, Time::Virtual(time)))
        };
        if let Err(story) = whatif::simulate(shift.seed, &time, evening) {
            panic!("{story}");
        }
        let report = report
            .lock()
            .unwrap()
            .take()
            .expect("the evening ended, so there is a report");
        Evening::new(report, recorder.recording())
    }

    fn run(self, shift: &Shift, recorder: &Recorder, time: Time) -> Report {
        let house = Arc::new(House::new(shift));
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let coordination = self.coordination;
        let crew = Crew {
            recorder,
            time: &time,
            house: &house,
            ledger: &ledger,
        };

        // ANCHOR: crew
        let robots = {
            let shift = shift.clone();
            let mut robots = vec![crew.hire("GreetBot", move |bot, house| {
                greetbot::run(bot, house, &shift, coordination)
            })];
            for number in 1..=self.waiters {
                let name = format!("WaitBot-{number}");
                robots.push(crew.hire(&name, move |bot, house| {
                    waitbot::run(bot, house, coordination)
                }));
            }
            robots.push(crew.hire("ChefBot", chefbot::run));
            robots.push(crew.hire("WineBot", winebot::run));
            robots
        };
        let timesheets = robots
            .into_iter()
            .map(|robot| robot.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect();
        let Ledger { served, incidents } = mem::take(&mut *ledger.lock().unwrap());
        // ANCHOR_END: crew
        let length = match &time {
            Time::Real { opened, pace } => pace.restaurant(opened.elapsed()),
            Time::Virtual(time) => Duration::from_nanos(time.now()),
        };
        Report {
            served,
            incidents,
            timesheets,
            length,
        }
    }
}

/// What a robot needs on its first day.
struct Crew<'a> {
    recorder: &'a Recorder,
    time: &'a Time,
    house: &'a Arc<House>,
    ledger: &'a Arc<Mutex<Ledger>>,
}

impl Crew<'_> {
    // ANCHOR: hire
    /// A robot is a thread.
    fn hire(
        &self,
        name: &str,
        job: impl FnOnce(&Robot, &House) + Send + 'static,
    ) -> thread::JoinHandle<Timesheet> {
        let bot = Robot {
            lane: self.recorder.actor(name, ActorKind::Thread),
            time: self.time.clone(),
            ledger: self.ledger.clone(),
            stops_at_incidents: false,
        };
        let (name, house) = (name.to_owned(), self.house.clone());
        let robot = thread::Builder::new().name(name.clone());
        let day = move || {
            let meter = Meter::start();
            let _alarm = Alarm(&house);
            job(&bot, &house);
            meter.stop(&name)
        };
        robot
            .spawn(day)
            .expect("the system has room for another thread")
    }
    // ANCHOR_END: hire
}
