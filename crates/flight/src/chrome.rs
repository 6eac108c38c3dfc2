//! A recording as a Chrome trace, which Perfetto and `chrome://tracing` open.
//!
//! Process 1 holds the robots, a lane each; process 2 holds the tasks, a lane each. Flow arrows lead
//! from a wake to the poll that it caused. Perfetto hangs an arrow on the slice that is open on that
//! lane at that instant, so an arrow is drawn only where a wake happened inside a poll.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::event::{Event, Text};
use crate::recording::{Entry, Recording};

const ROBOTS: u32 = 1;
const TASKS: u32 = 2;

impl Recording {
    /// The recording in Chrome's trace format (JSON), for <https://ui.perfetto.dev>.
    pub fn to_chrome_trace(&self) -> String {
        let mut trace = Trace {
            recording: self,
            rows: Vec::new(),
            open: HashMap::new(),
        };
        trace.name_lanes();
        for entry in &self.events {
            trace.add(entry);
        }
        trace.close_what_is_open();
        // Perfetto wants the outer slice first where two begin at the same time.
        trace
            .rows
            .sort_by_key(|row| (row.begin, u64::MAX - row.length));
        let rows: Vec<Value> = trace.rows.into_iter().map(|row| row.json).collect();
        json!({ "displayTimeUnit": "ms", "traceEvents": rows }).to_string()
    }
}

struct Trace<'a> {
    recording: &'a Recording,
    rows: Vec<Row>,
    /// Slices that have begun, by lane: what they are called and when they began.
    open: HashMap<(usize, Slice), (String, u64)>,
}

struct Row {
    begin: u64,
    length: u64,
    json: Value,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Slice {
    Park,
    Poll,
    Wait(Text),
    Hold(Text),
}

impl Trace<'_> {
    fn name_lanes(&mut self) {
        let mut name = |kind: &str, pid: u32, tid: usize, name: &str| {
            let json = json!({ "ph": "M", "name": kind, "pid": pid, "tid": tid, "args": { "name": name } });
            self.rows.push(Row {
                begin: 0,
                length: u64::MAX,
                json,
            });
        };
        name("process_name", ROBOTS, 0, "robots");
        name("process_name", TASKS, 0, "tasks");
        for (index, actor) in self.recording.actors.iter().enumerate() {
            name("thread_name", ROBOTS, lane(index), &actor.name);
        }
        for (index, task) in self.recording.tasks.iter().enumerate() {
            name("thread_name", TASKS, lane(index), task);
        }
    }

    fn add(&mut self, entry: &Entry) {
        let recording = self.recording;
        match entry.event {
            Event::ParkBegin { why, .. } => self.begin(entry, Slice::Park, recording.text(why)),
            Event::ParkEnd => self.end(entry.actor, Slice::Park, entry.t),
            Event::PollBegin { task, cause, .. } => {
                self.begin(entry, Slice::Poll, recording.task(task));
                if self.wake_inside_a_poll(cause) {
                    self.flow("f", entry, cause);
                }
            }
            Event::PollEnd { task, .. } => {
                let began = self
                    .open
                    .get(&(entry.actor, Slice::Poll))
                    .map(|(_, began)| *began);
                self.end(entry.actor, Slice::Poll, entry.t);
                if let Some(began) = began {
                    self.slice(TASKS, task.index(), "running", began, entry.t);
                }
            }
            Event::Wake { task, .. } => {
                self.instant(entry, &format!("wakes {}", recording.task(task)), "t");
                if self.open.contains_key(&(entry.actor, Slice::Poll)) {
                    self.flow("s", entry, entry.n);
                }
            }
            Event::ResWait { resource } => {
                self.begin(
                    entry,
                    Slice::Wait(resource),
                    &format!("waits for {}", recording.text(resource)),
                );
            }
            Event::ResAcquire { resource } => {
                self.end(entry.actor, Slice::Wait(resource), entry.t);
                self.begin(
                    entry,
                    Slice::Hold(resource),
                    &format!("holds {}", recording.text(resource)),
                );
            }
            Event::ResRelease { resource } => self.end(entry.actor, Slice::Hold(resource), entry.t),
            Event::Mark { text, category, .. } => {
                let scope = if recording.text(category) == "incident" {
                    "g"
                } else {
                    "t"
                };
                self.instant(
                    entry,
                    &format!("{}: {}", recording.text(category), recording.text(text)),
                    scope,
                );
            }
            Event::Counter { name, value } => {
                let name = recording.text(name);
                self.push(
                    entry.t,
                    json!({ "ph": "C", "name": name, "pid": ROBOTS, "args": { "value": value } }),
                );
            }
            Event::TimerFire { task, late, .. } => {
                self.instant(
                    entry,
                    &format!("timer of {} fires", recording.task(task)),
                    "t",
                );
                let args = json!({ "µs": late as f64 / 1e3 });
                self.push(
                    entry.t,
                    json!({ "ph": "C", "name": "timer lateness", "pid": ROBOTS, "args": args }),
                );
            }
            Event::TaskSpawn { task, .. } => {
                self.instant(entry, &format!("spawns {}", recording.task(task)), "t")
            }
            Event::TaskEnd { task, how } => {
                self.instant(
                    entry,
                    &format!("{} ends: {how:?}", recording.task(task)),
                    "t",
                );
            }
            Event::Gap { lost, .. } => {
                self.instant(entry, &format!("{lost} events are missing here"), "g")
            }
            Event::ActorStart => self.instant(entry, "enters", "t"),
            Event::ActorStop => {
                self.close(|actor| actor == entry.actor, entry.t);
                self.instant(entry, "leaves", "t");
            }
            Event::TimerArm { .. } => {}
        }
    }

    fn begin(&mut self, entry: &Entry, slice: Slice, name: &str) {
        self.open
            .insert((entry.actor, slice), (name.to_owned(), entry.t));
    }

    fn end(&mut self, actor: usize, slice: Slice, now: u64) {
        // A slice whose beginning fell into a gap has no beginning to draw from.
        if let Some((name, began)) = self.open.remove(&(actor, slice)) {
            self.slice(ROBOTS, actor, &name, began, now);
        }
    }

    fn close_what_is_open(&mut self) {
        self.close(|_| true, self.recording.duration());
    }

    fn close(&mut self, whose: impl Fn(usize) -> bool, now: u64) {
        let mut open: Vec<_> = self
            .open
            .keys()
            .copied()
            .filter(|&(actor, _)| whose(actor))
            .collect();
        open.sort_by_key(|key| (key.0, self.open[key].1));
        for (actor, slice) in open {
            self.end(actor, slice, now);
        }
    }

    fn slice(&mut self, pid: u32, index: usize, name: &str, began: u64, now: u64) {
        let length = now - began;
        let json = json!({ "ph": "X", "name": name, "pid": pid, "tid": lane(index), "ts": us(began), "dur": us(length) });
        self.rows.push(Row {
            begin: began,
            length,
            json,
        });
    }

    fn instant(&mut self, entry: &Entry, name: &str, scope: &str) {
        let tid = lane(entry.actor);
        let args = json!({ "n": entry.n });
        let json = json!({ "ph": "i", "name": name, "pid": ROBOTS, "tid": tid, "ts": us(entry.t), "s": scope, "args": args });
        self.push(entry.t, json);
    }

    fn flow(&mut self, phase: &str, entry: &Entry, id: u64) {
        let tid = lane(entry.actor);
        let json = json!({ "ph": phase, "bp": "e", "cat": "wake", "name": "wake", "id": id, "pid": ROBOTS, "tid": tid, "ts": us(entry.t) });
        self.push(entry.t, json);
    }

    fn push(&mut self, t: u64, mut json: Value) {
        json["ts"] = us(t);
        self.rows.push(Row {
            begin: t,
            length: 0,
            json,
        });
    }

    fn wake_inside_a_poll(&self, n: u64) -> bool {
        let Ok(index) = self
            .recording
            .events
            .binary_search_by_key(&n, |entry| entry.n)
        else {
            return false;
        };
        let wake = &self.recording.events[index];
        if !matches!(wake.event, Event::Wake { .. }) {
            return false;
        }
        let before = self.recording.events[..index]
            .iter()
            .rev()
            .filter(|entry| entry.actor == wake.actor);
        for entry in before {
            match entry.event {
                Event::PollBegin { .. } => return true,
                Event::PollEnd { .. } => return false,
                _ => {}
            }
        }
        false
    }
}

/// Perfetto keeps lane 0 for itself.
fn lane(index: usize) -> usize {
    index + 1
}

/// The format counts in microseconds; fractions keep the nanoseconds.
fn us(ns: u64) -> Value {
    json!(ns as f64 / 1e3)
}
