//! What a scene is played on: robots, a clock, and rules that must hold.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use flight::{ActorKind, Recorder, VirtualTime};
use restaurant::{Ledger, Pace, story};
use whatif::thread;

use crate::robot::{Robot, Time};

/// How long a minute of the restaurant takes when a scene is played for real: long enough that what
/// robots do in a moment is short against what they wait for.
const MINUTE: Duration = Duration::from_millis(1);

/// One stage for all robots of a scene. A clone is the same stage.
#[derive(Clone)]
pub(crate) struct Stage {
    recorder: Recorder,
    time: Time,
    /// For real: nobody plays the scene again, and a broken rule is noted and no panic.
    for_real: bool,
    noted: Arc<Mutex<Option<String>>>,
    ledger: Arc<Mutex<Ledger>>,
}

impl Stage {
    /// For runs whose schedule is decided: a check, a replay, a simulation.
    pub(super) fn new(recorder: &Recorder, time: &VirtualTime) -> Stage {
        Stage {
            recorder: recorder.clone(),
            time: Time::Virtual(time.clone()),
            for_real: false,
            noted: Arc::default(),
            ledger: Arc::default(),
        }
    }

    /// For an evening with threads of the operating system.
    pub(super) fn for_real() -> Stage {
        let time = Time::Real {
            opened: Instant::now(),
            pace: Pace::minute_in(MINUTE),
        };
        Stage {
            time,
            for_real: true,
            ..Stage::new(&Recorder::off(), &VirtualTime::new())
        }
    }

    /// A robot that stands where its job begins. It is to be used on one thread.
    pub(crate) fn robot(&self, name: &str) -> Robot {
        let robot = Robot {
            lane: self.recorder.actor(name, ActorKind::Thread),
            time: self.time.clone(),
            ledger: self.ledger.clone(),
            stops_at_incidents: !self.for_real,
        };
        let home = match name.split('-').next() {
            Some("GreetBot") => "desk",
            Some("WineBot") => "bar",
            _ => "kitchen",
        };
        story::place(&robot.lane, home);
        robot
    }

    /// Hires a [robot](Stage::robot): a thread with this name, which does `job`.
    pub(crate) fn spawn(
        &self,
        name: &str,
        job: impl FnOnce(&Robot, &Stage) + Send + 'static,
    ) -> thread::JoinHandle<()> {
        let (robot, stage) = (self.robot(name), self.clone());
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || job(&robot, &stage))
            .expect("the system has room for a thread")
    }

    /// Says what must never be. If `broken`, this ends the run, and the story names `rule`. On an evening
    /// for real it is noted, and the robots go on.
    #[track_caller]
    pub(crate) fn never(&self, rule: &str, broken: bool) {
        if broken && self.for_real {
            let mut noted = self.noted.lock().unwrap();
            noted.get_or_insert_with(|| rule.to_owned());
        } else {
            whatif::never(rule, broken);
        }
    }

    /// The first rule that was broken on an evening for real.
    pub(super) fn broken_rule(&self) -> Option<String> {
        let incident = self.ledger.lock().unwrap().incidents.first().copied();
        let noted = self.noted.lock().unwrap().clone();
        noted.or(incident.map(|incident| incident.rule().to_owned()))
    }
}

/// Waits for the robots of a scene.
pub(crate) fn all_go_home<const N: usize>(robots: [thread::JoinHandle<()>; N]) {
    for robot in robots {
        robot.join().expect("a robot broke down");
    }
}
