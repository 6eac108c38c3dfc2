//! The one robot. It can wait for many things at once, but it has one body: it is in one place at a time.

use std::cell::RefCell;
use std::panic::Location;
use std::time::Duration;

use flight::Lane;
use loopbot::sync::{Mutex, MutexGuard};
use loopbot::{sleep, sleep_until, with_lane};
use restaurant::work::WALK;
use restaurant::{Incident, Ledger, Pace, story};

pub(crate) struct Robot {
    body: Mutex<()>,
    pace: Pace,
    pub(crate) ledger: RefCell<Ledger>,
}

impl Robot {
    pub(crate) fn new(pace: Pace) -> Robot {
        Robot {
            body: Mutex::new(()),
            pace,
            ledger: RefCell::default(),
        }
    }

    /// Restaurant time since opening.
    pub(crate) fn now(&self) -> Duration {
        self.pace.restaurant(loopbot::now())
    }

    /// Waits until a time of the evening.
    pub(crate) async fn wait_until(&self, restaurant_time: Duration) {
        sleep_until(self.pace.real(restaurant_time)).await;
    }

    /// Waits for something that takes this long, in restaurant time. Meanwhile the robot does something else.
    pub(crate) async fn wait(&self, restaurant_time: Duration) {
        sleep(self.pace.real(restaurant_time)).await;
    }

    /// Goes somewhere, as soon as the body is free. It stays there until the guard is dropped.
    pub(crate) async fn goes_to(&self, place: &str) -> MutexGuard<'_, ()> {
        let body = self.body.lock().await;
        with_lane(|lane| story::place(lane, place));
        self.wait(WALK).await;
        body
    }

    /// Tells a step, with the line that takes it.
    #[track_caller]
    pub(crate) fn tells(&self, step: String) {
        let line = Location::caller();
        with_lane(|lane| story::step(lane, &step, line));
    }

    /// Writes something else into the record.
    pub(crate) fn shows(&self, write: impl FnOnce(&Lane)) {
        with_lane(write);
    }

    /// What went wrong is written down.
    pub(crate) fn notices(&self, incident: Option<Incident>) {
        if let Some(incident) = incident {
            self.shows(|lane| story::incident(lane, incident));
            self.ledger.borrow_mut().incidents.push(incident);
        }
    }
}
