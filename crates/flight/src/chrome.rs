//! A recording as a Chrome trace, which Perfetto and `chrome://tracing` open.
//!
//! Process 1 holds the robots, a lane each; process 2 holds the tasks, a lane each; a worker process is a
//! process here as well. Flow arrows lead from a wake to the poll that it caused, and from where a job was
//! handed over to where a worker began it. Perfetto hangs an arrow on the slice that is open on that
//! lane at that instant, so an arrow is drawn only where it begins inside a poll or a job.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use crate::event::{Event, Text};
use crate::recording::{ActorKind, Entry, Recording};

const ROBOTS: u32 = 1;
const TASKS: u32 = 2;
/// Worker processes are numbered from here, by lane. (Their own numbers could be 1 and 2 as well.)
const PROCESSES: u32 = 100;

impl Recording {
    /// The recording in Chrome's trace format (JSON), for <https://ui.perfetto.dev>.
    pub fn to_chrome_trace(&self) -> String {
        let mut trace = Trace {
            recording: self,
            rows: Vec::new(),
            open: HashMap::new(),
            arrows: HashSet::new(),
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
    /// The jobs to which an arrow leads, by pool and number.
    arrows: HashSet<(Text, u64)>,
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
    Job(u64),
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
            let pid = process(self.recording, index);
            if actor.kind == ActorKind::Process {
                name("process_name", pid, 0, &actor.name);
            }
            name("thread_name", pid, lane(index), &actor.name);
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
                    self.flow("f", entry, "wake", "wake", cause);
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
                    self.flow("s", entry, "wake", "wake", entry.n);
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
            Event::JobSubmit { job, pool, .. } => {
                let name = recording.text(pool);
                self.instant(entry, &format!("hands job {job} to {name}"), "t");
                if self.is_busy(entry.actor) {
                    self.arrows.insert((pool, job));
                    self.flow("s", entry, "job", name, job);
                }
            }
            Event::JobStart { job, pool } => {
                let name = recording.text(pool);
                self.begin(entry, Slice::Job(job), &format!("job {job} of {name}"));
                if self.arrows.remove(&(pool, job)) {
                    self.flow("f", entry, "job", name, job);
                }
            }
            Event::JobEnd { job, .. } => self.end(entry.actor, Slice::Job(job), entry.t),
            Event::ProcessStart { pid, name } => {
                let name = recording.text(name);
                self.instant(entry, &format!("process {pid} starts: {name}"), "p");
            }
            Event::ProcessExit { pid, status } => {
                let how = match status.checked_sub(256) {
                    None => format!("exit code {status}"),
                    Some(signal) => format!("signal {signal}"),
                };
                self.instant(entry, &format!("process {pid} is gone: {how}"), "p");
            }
            Event::WakersGone { task } => {
                let name = recording.task(task);
                self.instant(entry, &format!("nobody can wake {name} any more"), "t");
            }
            Event::TimerArm { .. } | Event::Observed { .. } => {}
        }
    }

    fn begin(&mut self, entry: &Entry, slice: Slice, name: &str) {
        self.open
            .insert((entry.actor, slice), (name.to_owned(), entry.t));
    }

    fn end(&mut self, actor: usize, slice: Slice, now: u64) {
        // A slice whose beginning fell into a gap has no beginning to draw from.
        if let Some((name, began)) = self.open.remove(&(actor, slice)) {
            self.slice(process(self.recording, actor), actor, &name, began, now);
        }
    }

    /// Whether a slice is open on this lane, so that an arrow has something to hang on.
    fn is_busy(&self, actor: usize) -> bool {
        let busy = |slice| matches!(slice, Slice::Poll | Slice::Job(_));
        let mut open = self.open.keys();
        open.any(|&(of, slice)| of == actor && busy(slice))
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
        let pid = process(self.recording, entry.actor);
        let json = json!({ "ph": "i", "name": name, "pid": pid, "tid": tid, "ts": us(entry.t), "s": scope, "args": args });
        self.push(entry.t, json);
    }

    /// One end of an arrow. Both ends have the same category, name and number.
    fn flow(&mut self, phase: &str, entry: &Entry, category: &str, name: &str, id: u64) {
        let (pid, tid) = (process(self.recording, entry.actor), lane(entry.actor));
        let json = json!({ "ph": phase, "bp": "e", "cat": category, "name": name, "id": id, "pid": pid, "tid": tid, "ts": us(entry.t) });
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

/// The process of the trace in which a robot has its lane.
fn process(recording: &Recording, actor: usize) -> u32 {
    match recording.actors[actor].kind {
        ActorKind::Process => PROCESSES.saturating_add(u32::try_from(actor).unwrap_or(u32::MAX)),
        _ => ROBOTS,
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
