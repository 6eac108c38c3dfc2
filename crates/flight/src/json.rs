//! Recordings as files: JSON, one event a line, so that two of them can be compared by eye and by `git diff`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::VirtualTime;
use crate::event::{Event, FIRST_KINDS, KINDS};
use crate::follow::{Chunk, Follower};
use crate::recording::{Actor, ActorKind, ClockKind, Entry, Header, Recording};
use crate::rules::Hit;

const SCHEMA: &str = "loopbot-flight";
const VERSION: u64 = 1;

/// Why a file cannot be read as a recording.
#[derive(Debug, PartialEq, Eq)]
pub enum ReadError {
    /// It ends in the middle.
    Truncated {
        /// The line on which it breaks off.
        line: usize,
    },
    /// It is JSON, but not a recording, or not JSON at all.
    NotARecording {
        /// What was found instead.
        found: String,
    },
    /// A newer version of the program made it.
    Newer {
        /// What this version does not know.
        found: String,
    },
    /// It is a recording, but contradicts itself.
    Damaged {
        /// What is wrong, and where.
        what: String,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Truncated { line } => {
                write!(
                    f,
                    "the recording breaks off at line {line}: copy it again, or record it again"
                )
            }
            ReadError::NotARecording { found } => {
                write!(
                    f,
                    "this is not a recording ({found}): a recording is a JSON file whose \"schema\" is \"{SCHEMA}\""
                )
            }
            ReadError::Newer { found } => {
                write!(
                    f,
                    "a newer version made this recording ({found}; this program knows version {VERSION}): update the course to read it"
                )
            }
            ReadError::Damaged { what } => write!(f, "the recording is damaged: {what}"),
        }
    }
}

impl std::error::Error for ReadError {}

/// The file without its events.
#[derive(Serialize, Deserialize)]
struct Head {
    schema: String,
    version: u64,
    clock: String,
    unit: String,
    program: String,
    made_by: String,
    t0_unix_ns: u64,
    cores: u64,
    facts: BTreeMap<String, String>,
    dropped: u64,
    complete: bool,
    kinds: Vec<String>,
    strings: Vec<String>,
    actors: Vec<FileActor>,
    tasks: Vec<FileTask>,
    locs: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(flatten)]
    head: Head,
    events: Vec<[u64; 7]>,
}

#[derive(Serialize, Deserialize)]
struct FileActor {
    name: String,
    kind: String,
}

#[derive(Serialize, Deserialize)]
struct FileTask {
    name: String,
}

/// Enough of a file to say whether the rest is worth reading.
#[derive(Deserialize)]
struct Probe {
    schema: Option<String>,
    version: Option<u64>,
}

impl Recording {
    /// The recording as JSON. On virtual time, the same run gives the same text on every machine.
    pub fn to_json(&self) -> String {
        self.to_json_with(&[])
    }

    /// The same, with what the [rules](crate::rules) say about it in a list `hits`, for readers that do not know the
    /// rules. Without hits there is no such list. [`from_json`](Recording::from_json) passes over it: what a
    /// recording says about itself is found by looking.
    pub fn to_json_with(&self, hits: &[Hit]) -> String {
        let head = serde_json::to_value(self.head(self.kinds_used()))
            .expect("a recording's head is plain data");
        let mut json = String::from("{\n");
        for (name, value) in head.as_object().expect("a struct is an object") {
            json.push_str(&format!("\"{name}\":{value},\n"));
        }
        if !hits.is_empty() {
            let rows: Vec<String> = hits.iter().map(|hit| hit.to_value().to_string()).collect();
            json.push_str(&format!("\"hits\":[\n{}\n],\n", rows.join(",\n")));
        }
        json.push_str("\"events\":[\n");
        let rows: Vec<String> = self
            .events
            .iter()
            .map(|entry| format!("{:?}", row(entry)))
            .collect();
        json.push_str(&rows.join(",\n").replace(", ", ","));
        json.push_str("\n]\n}\n");
        json
    }

    /// Reads a recording, and checks that it holds together: every text, task and robot that an event names is
    /// there, and the events are in order. What the value of a mark means is the program's business.
    ///
    /// # Errors
    /// Says in one sentence what is wrong and what to do: see [`ReadError`].
    ///
    /// ```
    /// use flight::{Recording, ReadError};
    /// let error = Recording::from_json("{ \"schema\": \"loopbot-flight\", \"version\": 7 }").unwrap_err();
    /// assert!(matches!(error, ReadError::Newer { .. }));
    /// ```
    pub fn from_json(json: &str) -> Result<Recording, ReadError> {
        let probe: Probe = serde_json::from_str(json).map_err(not_a_recording)?;
        match (probe.schema.as_deref(), probe.version) {
            (Some(SCHEMA), Some(version)) if version <= VERSION => {}
            (Some(SCHEMA), Some(version)) => {
                return Err(ReadError::Newer {
                    found: format!("version {version}"),
                });
            }
            (Some(other), _) if other != SCHEMA => {
                return Err(ReadError::NotARecording {
                    found: format!("its schema is {other:?}"),
                });
            }
            _ => {
                return Err(ReadError::NotARecording {
                    found: "it names no schema and version".into(),
                });
            }
        }
        let file: File = serde_json::from_str(json).map_err(|error| damaged(error.to_string()))?;
        file.check()
    }

    /// The kinds that the file has to name, from the first one on.
    fn kinds_used(&self) -> &'static [&'static str] {
        let used = self.events.iter().map(|entry| entry.event.encode().0 + 1);
        &KINDS[..used.fold(FIRST_KINDS, usize::max)]
    }

    fn head(&self, kinds: &[&str]) -> Head {
        Head {
            schema: SCHEMA.into(),
            version: VERSION,
            clock: clock_name(self.header.clock).into(),
            unit: "ns".into(),
            program: self.header.program.clone(),
            made_by: self.header.made_by.clone(),
            t0_unix_ns: self.header.t0_unix_ns,
            cores: self.header.cores,
            facts: self.header.facts.clone(),
            dropped: self.dropped,
            complete: self.complete,
            kinds: kinds.iter().copied().map(String::from).collect(),
            strings: self.strings.clone(),
            actors: self.actors.iter().map(FileActor::from).collect(),
            tasks: self
                .tasks
                .iter()
                .map(|name| FileTask { name: name.clone() })
                .collect(),
            locs: self.locs.clone(),
        }
    }
}

impl Hit {
    fn to_value(&self) -> serde_json::Value {
        serde_json::json!({
            "rule": self.rule.name(),
            "severity": self.severity.name(),
            "subject": self.subject,
            "says": self.says,
            "explains": self.rule.explain(),
            "chapter": self.rule.chapter(),
            "limit": self.limit,
            "observed": self.observed,
            "at": self.at,
            "evidence": self.evidence,
        })
    }

    /// The hit as one line of JSON, as a recording's list of hits has it.
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }
}

impl File {
    fn check(self) -> Result<Recording, ReadError> {
        let File { head, events: rows } = self;
        if head.unit != "ns" {
            return Err(ReadError::Newer {
                found: format!("its unit of time is {:?}", head.unit),
            });
        }
        let clock = match head.clock.as_str() {
            "monotonic" => ClockKind::Monotonic,
            "virtual" => ClockKind::Virtual,
            other => {
                return Err(ReadError::Newer {
                    found: format!("its clock is {other:?}"),
                });
            }
        };
        let mut kinds = Vec::new();
        for kind in &head.kinds {
            match KINDS.iter().position(|known| known == kind) {
                Some(index) => kinds.push(index),
                None => {
                    return Err(ReadError::Newer {
                        found: format!("it has events of the kind {kind:?}"),
                    });
                }
            }
        }
        let actors = head
            .actors
            .iter()
            .map(FileActor::actor)
            .collect::<Result<Vec<_>, _>>()?;

        let mut events: Vec<Entry> = Vec::with_capacity(rows.len());
        for (index, row) in rows.into_iter().enumerate() {
            let wrong =
                |what: &str| damaged(format!("event {} of the file ({row:?}) {what}", index + 1));
            let [n, t, actor, kind, a, b, c] = row;
            let kind = usize::try_from(kind).ok().and_then(|kind| kinds.get(kind));
            let kind = *kind.ok_or_else(|| wrong("is of a kind that the file does not name"))?;
            let event = Event::decode(kind, [a, b, c])
                .ok_or_else(|| wrong("has numbers that mean nothing"))?;
            let actor = usize::try_from(actor)
                .ok()
                .filter(|&actor| actor < actors.len());
            let actor =
                actor.ok_or_else(|| wrong("belongs to a robot that the file does not name"))?;
            if event.texts().any(|text| text.index() >= head.strings.len()) {
                return Err(wrong("uses a text that the file does not hold"));
            }
            if event.tasks().any(|task| task.index() >= head.tasks.len()) {
                return Err(wrong("names a task that the file does not hold"));
            }
            if let Some(before) = events.last()
                && (before.n >= n || before.t > t)
            {
                return Err(wrong("does not come after the event before it"));
            }
            events.push(Entry { n, t, actor, event });
        }

        let header = Header {
            program: head.program,
            made_by: head.made_by,
            clock,
            t0_unix_ns: head.t0_unix_ns,
            cores: head.cores,
            facts: head.facts,
            ..Header::virtual_time("", &VirtualTime::new())
        };
        Ok(Recording {
            strings: head.strings,
            actors,
            tasks: head.tasks.into_iter().map(|task| task.name).collect(),
            locs: head.locs,
            events,
            dropped: head.dropped,
            complete: head.complete,
            ..Recording::empty(header)
        })
    }
}

/// A running program's events as lines of JSON: the first line is a recording as far as it goes, each line
/// after it adds to the tables and the events, and the last one has an `end`.
impl Follower {
    /// The first line, without its line break; empty if the recorder is off.
    pub fn first_line(&mut self) -> String {
        let chunk = self.next_chunk();
        let Some(header) = self.header() else {
            return String::new();
        };
        let recording = Recording {
            strings: chunk.strings,
            actors: chunk.actors,
            tasks: chunk.tasks,
            locs: chunk.locs,
            complete: false,
            dropped: chunk.dropped,
            ..Recording::empty(header.clone())
        };
        let mut line =
            serde_json::to_value(recording.head(&KINDS)).expect("a recording's head is plain data");
        line["live"] = true.into();
        line["events"] = rows(&chunk.events);
        line.to_string()
    }

    /// A line with what is new since the line before; `None` if nothing is.
    pub fn next_line(&mut self) -> Option<String> {
        let chunk = self.next_chunk();
        (!chunk.is_empty()).then(|| chunk.to_value().to_string())
    }

    /// The last line, to be written when the run is over. `dropped` is the whole run's count of lost events.
    pub fn last_line(&mut self, dropped: u64) -> String {
        self.last_line_with(dropped, &[])
    }

    /// The same, with what the [rules](crate::rules) say about the run.
    pub fn last_line_with(&mut self, dropped: u64, hits: &[Hit]) -> String {
        let mut line = self.next_chunk().to_value();
        if !hits.is_empty() {
            line["hits"] = hits.iter().map(Hit::to_value).collect();
        }
        line["end"] = serde_json::json!({ "dropped": dropped, "complete": true });
        line.to_string()
    }
}

impl Chunk {
    fn to_value(&self) -> serde_json::Value {
        serde_json::json!({
            "strings": self.strings,
            "actors": self.actors.iter().map(FileActor::from).collect::<Vec<_>>(),
            "tasks": self.tasks.iter().map(|name| FileTask { name: name.clone() }).collect::<Vec<_>>(),
            "locs": self.locs,
            "events": rows(&self.events),
        })
    }
}

impl From<&Actor> for FileActor {
    fn from(actor: &Actor) -> FileActor {
        let kind = match actor.kind {
            ActorKind::Thread => "thread",
            ActorKind::Loop => "loop",
            ActorKind::Pool => "pool",
            ActorKind::Process => "process",
        };
        FileActor {
            name: actor.name.clone(),
            kind: kind.into(),
        }
    }
}

impl FileActor {
    fn actor(&self) -> Result<Actor, ReadError> {
        let kind = match self.kind.as_str() {
            "thread" => ActorKind::Thread,
            "loop" => ActorKind::Loop,
            "pool" => ActorKind::Pool,
            "process" => ActorKind::Process,
            other => {
                return Err(ReadError::Newer {
                    found: format!("{} is a {other:?}", self.name),
                });
            }
        };
        Ok(Actor {
            name: self.name.clone(),
            kind,
        })
    }
}

fn rows(events: &[Entry]) -> serde_json::Value {
    events
        .iter()
        .map(|entry| serde_json::json!(row(entry)))
        .collect()
}

fn row(entry: &Entry) -> [u64; 7] {
    let (kind, [a, b, c]) = entry.event.encode();
    [entry.n, entry.t, entry.actor as u64, kind as u64, a, b, c]
}

fn clock_name(clock: ClockKind) -> &'static str {
    match clock {
        ClockKind::Monotonic => "monotonic",
        ClockKind::Virtual => "virtual",
    }
}

fn not_a_recording(error: serde_json::Error) -> ReadError {
    if error.is_eof() {
        return ReadError::Truncated { line: error.line() };
    }
    ReadError::NotARecording {
        found: error.to_string(),
    }
}

fn damaged(what: String) -> ReadError {
    ReadError::Damaged { what }
}
