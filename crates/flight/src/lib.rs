//! The flight recorder: it writes down what every robot did, and when, so that nobody has to guess afterwards.
//!
//! A [`Recorder`] belongs to one run of a program. Each thread (or event loop) that takes part opens a
//! [`Lane`] and records [`Event`]s on it. A lane is a bounded ring: when it is full the oldest events
//! go, and the [`Recording`] says how many went (an [`Event::Gap`]); nothing is ever lost in silence.
//! Every event gets a number `n` from one counter, so events of all lanes stand in one total order.
//!
//! ```
//! use flight::{ActorKind, Event, Header, Recorder};
//!
//! let recorder = Recorder::new(Header::monotonic("breakfast"));
//! let chef = recorder.actor("ChefBot", ActorKind::Thread);
//! chef.mark("step", "cracks an egg", 0);
//! drop(chef); // the robot goes home: ActorStop
//!
//! let recording = recorder.recording();
//! let kinds: Vec<_> = recording.events.iter().map(|entry| entry.event.kind()).collect();
//! assert_eq!(kinds, ["actor_start", "mark", "actor_stop"]);
//! ```
//!
//! A recorder that is [off](Recorder::off) costs one branch an event. One that is on costs well under
//! 100 ns (`cargo bench -p flight` prints both).
//!
//! The clock is either the computer's own or a [`VirtualTime`] that a simulation moves by hand. A recording
//! on virtual time holds nothing of the machine it was made on: the same run gives the same bytes everywhere.
//!
//! With the feature `json`, a recording can be written to a file, read back with every damage named, and
//! exported as a Chrome trace that Perfetto opens.
//!
//! | file | idea |
//! |---|---|
//! | `clock.rs` | what time it is, for real or by agreement |
//! | `event.rs` | what can happen |
//! | `ring.rs` | the bounded memory of one lane |
//! | `tables.rs` | the names that events refer to |
//! | `recorder.rs`, `shared.rs` | recorder and lanes, and what they share |
//! | `recording.rs` | a run, written down |
//! | `collect.rs` | from many rings to one order |
//! | `follow.rs` | a run piece by piece, while it happens |
//! | [`rules`] | what usually goes wrong, looked for in a recording |
//! | `json.rs`, `chrome.rs` | files (feature `json`) |

mod clock;
mod collect;
mod event;
mod follow;
mod recorder;
mod recording;
mod ring;
mod shared;
mod tables;

pub mod rules;

#[cfg(feature = "json")]
mod chrome;
#[cfg(feature = "json")]
mod json;

pub use clock::VirtualTime;
pub use event::{End, Event, Loc, Source, Task, Text};
pub use follow::{Chunk, Follower};
#[cfg(feature = "json")]
pub use json::ReadError;
pub use recorder::{Lane, Recorder};
pub use recording::{Actor, ActorKind, ClockKind, Entry, Header, Recording};
