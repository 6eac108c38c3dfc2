//! From many rings to one order.

use std::sync::atomic::Ordering;

use crate::event::Event;
use crate::recording::{Entry, Header, Recording};
use crate::ring::Stamped;
use crate::shared::{Shared, lock};

/// Everything so far.
pub(crate) fn recording(shared: Option<&Shared>) -> Recording {
    let Some(shared) = shared else {
        return Recording::empty(Header::monotonic("recorder is off"));
    };
    let (mut events, dropped) = take(shared, &mut Cursor::default());
    settle(&mut events, 0);
    let tables = lock(&shared.tables);
    let mut recording = Recording {
        strings: tables.strings.clone(),
        actors: tables.actors.clone(),
        tasks: tables.tasks.clone(),
        locs: tables.locs.clone(),
        dropped,
        events,
        ..Recording::empty(shared.header.clone())
    };
    recording.complete = recording.everyone_left();
    recording
}

/// How far a reader has come.
#[derive(Default)]
pub(crate) struct Cursor {
    /// The smallest number not yet handed out.
    next: u64,
    /// For each lane, how many of its events were handed out or reported as lost.
    lanes: Vec<u64>,
}

/// Takes what was recorded since the reader was here last: the entries, in order, and how many were lost.
pub(crate) fn take(shared: &Shared, cursor: &mut Cursor) -> (Vec<Entry>, u64) {
    // Numbers are drawn inside a ring's lock, and lanes are opened inside the lock of the list. While we
    // hold all of them nobody draws a number, so what we hand out now comes before all that comes later.
    let rings = lock(&shared.rings);
    let rings: Vec<_> = rings.iter().map(|ring| lock(ring)).collect();
    cursor.lanes.resize(rings.len(), 0);
    let mut entries = Vec::new();
    let mut dropped = 0;
    for (actor, (ring, seen)) in rings.iter().zip(&mut cursor.lanes).enumerate() {
        let entry = |Stamped { n, t, event }| Entry { n, t, actor, event };
        if let Some(lost) = ring.lost()
            && lost.count > *seen
        {
            let missing = lost.count - *seen;
            let gap = Event::Gap {
                lost: missing,
                from: lost.from.max(cursor.next),
                to: lost.last.n,
            };
            // The gap stands where the last lost event stood, under that event's number.
            entries.push(entry(Stamped {
                event: gap,
                ..lost.last
            }));
            dropped += missing;
            *seen = lost.count;
        }
        let before = entries.len();
        entries.extend(ring.since(*seen).map(entry));
        *seen += (entries.len() - before) as u64;
    }
    cursor.next = shared.next.load(Ordering::SeqCst);
    entries.sort_unstable_by_key(|entry| entry.n);
    (entries, dropped)
}

/// Raises times that run backwards; returns the latest.
pub(crate) fn settle(entries: &mut [Entry], mut latest: u64) -> u64 {
    for entry in entries {
        latest = entry.t.max(latest);
        entry.t = latest;
    }
    latest
}
