//! What every robot can do: walk, wait, and tell what it does.

use std::panic::Location;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use flight::{Event, Lane, VirtualTime};
use restaurant::work::WALK;
use restaurant::{Ledger, Pace, story};
use whatif::thread;

use crate::spot::Spot;

/// How long a robot naps that hopes naps will help.
const NAP: Duration = Duration::from_secs(2);

pub(crate) struct Robot {
    pub(crate) lane: Lane,
    pub(crate) time: Time,
    /// Everyone's. A plain std lock: keeping the books is not part of the program whose schedules we look at.
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) stops_at_incidents: bool,
}

/// The clock on the restaurant's wall.
#[derive(Clone)]
pub(crate) enum Time {
    Real { opened: Instant, pace: Pace },
    Virtual(VirtualTime),
}

impl Robot {
    /// Restaurant time since opening.
    pub(crate) fn now(&self) -> Duration {
        self.time.now()
    }

    /// Tells a step: to the record, and to whoever searches schedules.
    #[track_caller]
    pub(crate) fn tells(&self, step: String) {
        story::step(&self.lane, &step, Location::caller());
        whatif::say(step);
    }

    pub(crate) fn goes_to(&self, place: &str) {
        story::place(&self.lane, place);
        self.wait("the way", WALK);
    }

    pub(crate) fn walk_to(&self, spot: &Spot) {
        self.goes_to(&spot.name());
    }

    /// Small delays in a robot's program are said to help.
    pub(crate) fn nap(&self) {
        self.wait("a nap", NAP);
    }

    /// Waits for something that takes this long, in restaurant time.
    pub(crate) fn wait(&self, why: &str, restaurant_time: Duration) {
        let real = match self.time {
            Time::Real { pace, .. } => pace.real(restaurant_time),
            Time::Virtual(_) => restaurant_time,
        };
        let until = self.lane.recorder().now() + real.as_nanos() as u64;
        self.parked(why, until, || thread::sleep(real));
    }

    /// Does something that may have to wait for another robot.
    pub(crate) fn parked<R>(&self, why: &str, until: u64, wait: impl FnOnce() -> R) -> R {
        let why = self.lane.text(why);
        self.lane.record(Event::ParkBegin { why, until });
        let result = wait();
        self.lane.record(Event::ParkEnd);
        result
    }
}

impl Time {
    fn now(&self) -> Duration {
        match self {
            Time::Real { opened, pace } => pace.restaurant(opened.elapsed()),
            Time::Virtual(time) => Duration::from_nanos(time.now()),
        }
    }
}
