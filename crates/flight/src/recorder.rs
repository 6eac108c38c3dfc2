//! The recorder, the lanes on which threads record, and the tables of names that events refer to.

use std::collections::HashMap;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::clock::Clock;
use crate::event::{Event, Loc, Task, Text};
use crate::follow::Follower;
use crate::recording::{Actor, Header, Recording, Source};
use crate::ring::{Ring, Stamped};

/// What takes part in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// An OS thread.
    Thread,
    /// An event loop.
    Loop,
    /// A worker of a thread pool.
    Pool,
    /// A worker process.
    Process,
}

/// Records one run of a program. Cheap to clone; clones record the same run.
#[derive(Clone)]
pub struct Recorder {
    shared: Option<Arc<Shared>>,
}

pub(crate) struct Shared {
    pub(crate) header: Header,
    clock: Clock,
    /// The next event's number. Zero is nobody's, so that it can mean "no event".
    pub(crate) next: AtomicU64,
    pub(crate) tables: Mutex<Tables>,
    pub(crate) rings: Mutex<Vec<Arc<Mutex<Ring>>>>,
}

/// The names that events refer to by number.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) strings: Vec<String>,
    string_index: HashMap<String, u32>,
    pub(crate) actors: Vec<Actor>,
    pub(crate) tasks: Vec<String>,
    pub(crate) locs: Vec<String>,
    loc_index: HashMap<&'static Location<'static>, u32>,
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
            .map_or(Text(0), |shared| shared.text(string))
    }

    /// Puts a place in the source into the table, once, and gives its number.
    pub fn loc(&self, location: &'static Location<'static>) -> Loc {
        let Some(shared) = &self.shared else {
            return Loc(0);
        };
        let Tables {
            locs, loc_index, ..
        } = &mut *lock(&shared.tables);
        Loc(*loc_index.entry(location).or_insert_with(|| {
            locs.push(format!("{}:{}", portable(location.file()), location.line()));
            index_of_last(locs.len())
        }))
    }

    /// Gives a new task a row in the table of tasks.
    pub fn task(&self, name: &str) -> Task {
        let Some(shared) = &self.shared else {
            return Task(0);
        };
        let tasks = &mut lock(&shared.tables).tasks;
        tasks.push(name.to_owned());
        Task(index_of_last(tasks.len()))
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
            lock(&shared.tables).actors.push(Actor {
                name: name.to_owned(),
                kind,
            });
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
        Recording::collect(self.shared.as_deref())
    }

    /// Follows the run while it happens, from its first event on.
    pub fn follow(&self) -> Follower {
        Follower::new(self.shared.clone())
    }
}

impl Shared {
    fn text(&self, string: &str) -> Text {
        let Tables {
            strings,
            string_index,
            ..
        } = &mut *lock(&self.tables);
        if let Some(&index) = string_index.get(string) {
            return Text(index);
        }
        strings.push(string.to_owned());
        let index = index_of_last(strings.len());
        string_index.insert(string.to_owned(), index);
        Text(index)
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

    /// Records a [`Event::Mark`], interning both strings.
    pub fn mark(&self, category: &str, text: &str, value: u64) {
        if let Some(open) = &self.open {
            let (category, text) = (open.shared.text(category), open.shared.text(text));
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
            let name = open.shared.text(name);
            open.record(Event::Counter { name, value });
        }
    }

    /// Puts a string into the recorder's table: [`Recorder::text`].
    pub fn text(&self, string: &str) -> Text {
        self.open
            .as_ref()
            .map_or(Text(0), |open| open.shared.text(string))
    }

    /// The recorder that this lane belongs to.
    pub fn recorder(&self) -> Recorder {
        Recorder {
            shared: self.open.as_ref().map(|open| Arc::clone(&open.shared)),
        }
    }
}

impl Open {
    fn record(&self, event: Event) -> u64 {
        let t = self.shared.clock.now();
        // The lock is this thread's own but for the moments when somebody collects the recording. The
        // number is drawn inside it: whoever holds all the rings knows that every number drawn is in one.
        let mut ring = lock(&self.ring);
        let n = self.shared.next.fetch_add(1, Ordering::SeqCst);
        ring.push(Stamped { n, t, event });
        n
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.record(Event::ActorStop);
    }
}

/// A recorder goes on after a robot panicked: what it wrote down before is what we want to read.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn index_of_last(len: usize) -> u32 {
    u32::try_from(len - 1).expect("a recording holds fewer than four thousand million names")
}

/// A source path as a recording may show it: the same on every system, and nothing of the machine in it.
fn portable(path: &str) -> String {
    let path = path.replace('\\', "/");
    let is_absolute = path.starts_with('/') || path.get(1..3) == Some(":/");
    match path.rsplit_once('/') {
        Some((_, file)) if is_absolute => file.to_owned(),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::portable;

    #[test]
    fn a_source_path_shows_nothing_of_the_machine() {
        assert_eq!(portable("crates/x/src/lib.rs"), "crates/x/src/lib.rs");
        assert_eq!(portable(r"crates\x\src\lib.rs"), "crates/x/src/lib.rs");
        assert_eq!(portable("/home/ada/x/src/lib.rs"), "lib.rs");
        assert_eq!(portable(r"C:\ada\x\src\lib.rs"), "lib.rs");
    }
}
