//! The recorder, and the lanes on which threads record.

use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::clock::Clock;
use crate::collect;
use crate::event::{Event, Loc, Task, Text};
use crate::follow::Follower;
use crate::recording::{ActorKind, Header, Recording, Source};
use crate::ring::{Ring, Stamped};
use crate::shared::{Shared, lock};

/// Records one run of a program. Cheap to clone; clones record the same run.
#[derive(Clone)]
pub struct Recorder {
    shared: Option<Arc<Shared>>,
}

impl Recorder {
    /// A recorder that records nothing. Everything done with it and its lanes costs a branch.
    pub fn off() -> Recorder {
        Recorder { shared: None }
    }

    /// A recorder for one run. Its clock starts now.
    pub fn new(header: Header) -> Recorder {
        let clock = match &header.source {
            Source::Monotonic => Clock::Monotonic(Instant::now()),
            Source::Virtual(time) => Clock::Virtual(time.clone()),
        };
        Recorder {
            shared: Some(Arc::new(Shared {
                header,
                clock,
                next: AtomicU64::new(1),
                tables: Mutex::default(),
                rings: Mutex::default(),
            })),
        }
    }

    /// Whether anything is recorded.
    pub fn is_on(&self) -> bool {
        self.shared.is_some()
    }

    /// Nanoseconds since the start, on this recorder's clock; 0 if it is off.
    pub fn now(&self) -> u64 {
        self.shared.as_ref().map_or(0, |shared| shared.clock.now())
    }

    /// Puts a string into the table, once, and gives its number.
    ///
    /// This takes a lock and may allocate. Do it beforehand where a nanosecond counts.
    pub fn text(&self, string: &str) -> Text {
        self.shared
            .as_ref()
            .map_or(Text(0), |shared| lock(&shared.tables).text(string))
    }

    /// Puts a place in the source into the table, once, and gives its number.
    pub fn loc(&self, location: &'static Location<'static>) -> Loc {
        let shared = self.shared.as_ref();
        shared.map_or(Loc(0), |shared| lock(&shared.tables).loc(location))
    }

    /// Gives a new task a row in the table of tasks.
    pub fn task(&self, name: &str) -> Task {
        let shared = self.shared.as_ref();
        shared.map_or(Task(0), |shared| lock(&shared.tables).task(name))
    }

    /// Opens a lane for a robot that enters now. Dropping the lane records that it leaves.
    pub fn actor(&self, name: &str, kind: ActorKind) -> Lane {
        let Some(shared) = &self.shared else {
            return Lane { open: None };
        };
        let ring = Arc::new(Mutex::new(Ring::new(shared.header.lane_capacity)));
        {
            // One lock around both, so that actor k is the owner of ring k.
            let mut rings = lock(&shared.rings);
            lock(&shared.tables).actor(name, kind);
            rings.push(Arc::clone(&ring));
        }
        let lane = Lane {
            open: Some(Open {
                shared: Arc::clone(shared),
                ring,
            }),
        };
        lane.record(Event::ActorStart);
        lane
    }

    /// Everything recorded so far, in one order. The run may go on.
    pub fn recording(&self) -> Recording {
        collect::recording(self.shared.as_deref())
    }

    /// Follows the run while it happens, from its first event on.
    pub fn follow(&self) -> Follower {
        Follower::new(self.shared.clone())
    }
}

/// Where one thread, or one event loop, records what it does.
pub struct Lane {
    open: Option<Open>,
}

struct Open {
    shared: Arc<Shared>,
    ring: Arc<Mutex<Ring>>,
}

impl Lane {
    /// A lane of a recorder that is off.
    pub fn off() -> Lane {
        Lane { open: None }
    }

    /// Whether anything is recorded. Ask before computing what only the record needs.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.open.is_some()
    }

    /// Records an event and gives its number; 0 if the recorder is off.
    #[inline]
    pub fn record(&self, event: Event) -> u64 {
        match &self.open {
            None => 0,
            Some(open) => open.record(event),
        }
    }

    /// The same as [`record`](Lane::record), and gives the event's time as well: for those who would else ask the clock again.
    pub fn record_at(&self, event: Event) -> (u64, u64) {
        self.open
            .as_ref()
            .map_or((0, 0), |open| open.record_at(event))
    }

    /// Records a [`Event::Mark`], interning both strings.
    pub fn mark(&self, category: &str, text: &str, value: u64) {
        if let Some(open) = &self.open {
            let (category, text) = (open.text(category), open.text(text));
            open.record(Event::Mark {
                text,
                category,
                value,
            });
        }
    }

    /// Records an [`Event::Counter`], interning its name.
    pub fn counter(&self, name: &str, value: u64) {
        if let Some(open) = &self.open {
            let name = open.text(name);
            open.record(Event::Counter { name, value });
        }
    }

    /// Puts a string into the recorder's table: [`Recorder::text`].
    pub fn text(&self, string: &str) -> Text {
        self.open.as_ref().map_or(Text(0), |open| open.text(string))
    }

    /// The recorder that this lane belongs to.
    pub fn recorder(&self) -> Recorder {
        Recorder {
            shared: self.open.as_ref().map(|open| Arc::clone(&open.shared)),
        }
    }
}

impl Open {
    fn text(&self, string: &str) -> Text {
        lock(&self.shared.tables).text(string)
    }

    fn record(&self, event: Event) -> u64 {
        self.record_at(event).0
    }

    fn record_at(&self, event: Event) -> (u64, u64) {
        let t = self.shared.clock.now();
        // The lock is this thread's own but for the moments when somebody collects the recording. The
        // number is drawn inside it: whoever holds all the rings knows that every number drawn is in one.
        let mut ring = lock(&self.ring);
        let n = self.shared.next.fetch_add(1, Ordering::SeqCst);
        ring.push(Stamped { n, t, event });
        (n, t)
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.record(Event::ActorStop);
    }
}
