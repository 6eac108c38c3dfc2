//! A run piece by piece, while it happens.

use std::sync::Arc;

use crate::collect::{Cursor, settle, take};
use crate::recording::{Actor, Entry, Header};
use crate::shared::{Shared, lock};

/// Follows a run while it happens. Made by [`Recorder::follow`](crate::Recorder::follow).
///
/// ```
/// use flight::{ActorKind, Header, Recorder};
/// let recorder = Recorder::new(Header::monotonic("lunch"));
/// let mut follower = recorder.follow();
///
/// let chef = recorder.actor("ChefBot", ActorKind::Thread);
/// assert_eq!(follower.next_chunk().events.len(), 1); // it has entered
/// chef.mark("step", "heats the oven", 0);
/// drop(chef);
/// let chunk = follower.next_chunk();
/// assert_eq!(chunk.events.len(), 2);
/// assert_eq!(chunk.strings, ["step", "heats the oven"]);
/// ```
pub struct Follower {
    shared: Option<Arc<Shared>>,
    cursor: Cursor,
    seen: Seen,
    latest: u64,
}

/// How much of each table the follower has handed out.
#[derive(Default)]
struct Seen {
    strings: usize,
    actors: usize,
    tasks: usize,
    locs: usize,
}

/// What is new since the chunk before. The names go to the ends of the tables that the chunks before built up.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    /// New strings.
    pub strings: Vec<String>,
    /// New robots.
    pub actors: Vec<Actor>,
    /// New tasks.
    pub tasks: Vec<String>,
    /// New places in the source.
    pub locs: Vec<String>,
    /// New events, in order, all later than those of the chunks before.
    pub events: Vec<Entry>,
    /// How many events were lost since the chunk before, because a ring was full.
    pub dropped: u64,
}

impl Chunk {
    /// Whether nothing is new: no event, and no name either. (A name can be new some time before its first event.)
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.strings.is_empty()
            && self.actors.is_empty()
            && self.tasks.is_empty()
            && self.locs.is_empty()
    }
}

impl Follower {
    pub(crate) fn new(shared: Option<Arc<Shared>>) -> Follower {
        Follower {
            shared,
            cursor: Cursor::default(),
            seen: Seen::default(),
            latest: 0,
        }
    }

    /// About the run as a whole; `None` if the recorder is off.
    pub fn header(&self) -> Option<&Header> {
        self.shared.as_ref().map(|shared| &shared.header)
    }

    /// What happened since the last call. Never waits; an empty chunk means that nothing did.
    pub fn next_chunk(&mut self) -> Chunk {
        let Some(shared) = &self.shared else {
            return Chunk::default();
        };
        let (mut events, dropped) = take(shared, &mut self.cursor);
        self.latest = settle(&mut events, self.latest);
        // The tables are read after the events: every name that an event uses was there before the event.
        let tables = lock(&shared.tables);
        Chunk {
            strings: fresh(&tables.strings, &mut self.seen.strings),
            actors: fresh(&tables.actors, &mut self.seen.actors),
            tasks: fresh(&tables.tasks, &mut self.seen.tasks),
            locs: fresh(&tables.locs, &mut self.seen.locs),
            events,
            dropped,
        }
    }
}

fn fresh<T: Clone>(table: &[T], seen: &mut usize) -> Vec<T> {
    let new = table[*seen..].to_vec();
    *seen = table.len();
    new
}
