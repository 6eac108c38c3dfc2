//! A thing that robots share: a `Mutex`, a `Condvar`, a `Shared`. Who holds it, who has touched it,
//! what it is called.

use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use crate::ending::End;
use crate::floor::{self, Floor, Me, Place};
use crate::place;

/// What the floor knows about a thing.
pub(crate) struct Thing {
    pub name: String,
    /// The robot that holds it, if it is a lock.
    pub holder: Option<usize>,
    /// The robots asleep at it, in the order in which they came, if it is a `Condvar`.
    pub sleepers: Vec<usize>,
    /// The robots that have touched it.
    pub visitors: Vec<usize>,
}

impl Thing {
    pub(crate) fn new(tag: &Tag) -> Thing {
        Thing { name: tag.name(), holder: None, sleepers: Vec::new(), visitors: Vec::new() }
    }

    pub(crate) fn touched_by(&mut self, robot: usize) {
        if !self.visitors.contains(&robot) {
            self.visitors.push(robot);
        }
    }
}

/// What the thing itself carries: enough for the floor to know it again.
#[derive(Debug)]
pub(crate) struct Tag {
    kind: &'static str,
    name: Option<String>,
    made_at: Place,
    /// The run in which it was made, if it was made in one.
    home: Weak<Floor>,
    /// Its number, and the run in which that number holds: `run << 20 | number`.
    seat: AtomicU64,
}

impl Tag {
    #[track_caller]
    pub(crate) fn new(kind: &'static str) -> Tag {
        let home = floor::me().map_or_else(Weak::new, |me| Arc::downgrade(&me.floor));
        Tag { kind, name: None, made_at: Location::caller(), home, seat: AtomicU64::new(0) }
    }

    pub(crate) fn call(&mut self, name: String) {
        self.name = Some(name);
    }

    fn name(&self) -> String {
        self.name
            .clone()
            .unwrap_or_else(|| format!("the {} made at {}", self.kind, place::short(self.made_at)))
    }

    /// The robot that comes to the thing now. None means: no check here, behave like plain std.
    ///
    /// A thread that is no robot has no business with a thing of a running check: nobody can tell
    /// when it moves. Then the run ends, and so does that thread.
    pub(crate) fn visitor(&self, at: Place) -> Option<Me> {
        if let Some(me) = floor::me() {
            return Some(me);
        }
        if !std::thread::panicking()
            && !floor::is_robot()
            && let Some(floor) = self.home.upgrade()
        {
            let mut state = floor.state();
            if state.is_running() {
                state.finish(End::stranger(&self.name(), at));
                drop(state);
                floor::go_home_early();
            }
        }
        None
    }

    pub(crate) fn was_made_on(&self, floor: &Arc<Floor>) -> bool {
        self.home.as_ptr() == Arc::as_ptr(floor)
    }

    /// The thing's number in this run; `sit` gives it one when it comes for the first time.
    pub(crate) fn seat(&self, run: u64, sit: impl FnOnce() -> usize) -> usize {
        // Relaxed: only the robot whose turn it is comes here, and turns are handed over under a
        // lock.
        let seat = self.seat.load(Ordering::Relaxed);
        if seat >> 20 == run {
            return (seat & 0xF_FFFF) as usize;
        }
        let number = sit();
        assert!(number <= 0xF_FFFF, "more than a million locks and cells in one run");
        self.seat.store(run << 20 | number as u64, Ordering::Relaxed);
        number
    }
}
