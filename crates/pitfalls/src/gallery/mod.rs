//! The gallery: every way to hold a loop up that people fall into. Each is broken and mended, on LoopBot and on Tokio, with
//! real calls: a real pipe that is full, a real child that nobody listens to.
//!
//! In every run there is an innocent task as well, [the victim](victim), which has a timer of 5 ms and nothing to do
//! with any of it. How late that timer is, is what is measured.
//!
//! ```
//! use pitfalls::gallery::{self, Version};
//!
//! let entry = gallery::find("thread-sleep").unwrap();
//! let run = entry.on_loopbot(Version::Broken);
//! assert!(run.late.unwrap() >= gallery::HOLD - gallery::PERIOD); // held from the first word to the last
//! ```
//!
//! | file | who holds the loop |
//! |---|---|
//! | `thread_sleep.rs` | `std::thread::sleep` |
//! | `file_read.rs` | reading a file that is slow to come |
//! | `socket_read.rs` | reading a socket with std |
//! | `dns.rs` | asking for an address |
//! | `full_pipe.rs` | printing, when nobody reads |
//! | `cpu_loop.rs` | computing |
//! | `mutex_across_await.rs` | a lock that is kept while its owner waits for something else |
//! | `block_on.rs` | a second executor inside of the first |
//! | `lock_convoy.rs` | a lock that others keep for long |
//! | `channel_recv.rs` | waiting for a thread's answer, as a thread would |
//! | `never_yields.rs` | a task that awaits, and is always ready |
//! | `unread_child.rs` | waiting for a child process that waits for you |
//!
//! `world.rs` is what is slow out there, `victim.rs` is who suffers, and `run.rs` puts them together.

mod block_on;
mod channel_recv;
mod cpu_loop;
mod dns;
mod file_read;
mod full_pipe;
mod lock_convoy;
mod mutex_across_await;
mod never_yields;
mod run;
mod socket_read;
mod thread_sleep;
mod unread_child;
pub mod victim;
mod world;

use std::io;
use std::pin::Pin;

pub use run::{Ended, GIVE_UP, GUEST, Run};
pub use victim::{PERIOD, STANDS, VICTIM};
pub use world::HOLD;

/// All of them, in the order in which they are told.
pub const ALL: &[Entry] = &[
    thread_sleep::ENTRY,
    file_read::ENTRY,
    socket_read::ENTRY,
    dns::ENTRY,
    full_pipe::ENTRY,
    cpu_loop::ENTRY,
    mutex_across_await::ENTRY,
    block_on::ENTRY,
    lock_convoy::ENTRY,
    channel_recv::ENTRY,
    never_yields::ENTRY,
    unread_child::ENTRY,
];

/// The entry of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name)
}

/// One way to hold a loop up, and what to do instead.
pub struct Entry {
    /// Its name on the command line and in the names of its recordings.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What happens.
    pub happens: &'static str,
    /// What to do instead.
    pub instead: &'static str,
    /// The broken version would never end. Its run is [left behind](Ended::LeftBehind).
    pub never_ends: bool,
    broken: Acts,
    mended: Acts,
}

/// Which version of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The one that holds the loop.
    Broken,
    /// The one that does not.
    Mended,
}

impl Version {
    /// Both.
    pub const BOTH: [Version; 2] = [Version::Broken, Version::Mended];

    /// As in the names of recordings.
    pub fn name(self) -> &'static str {
        match self {
            Version::Broken => "broken",
            Version::Mended => "mended",
        }
    }
}

/// What the guest does, on each runtime. An error is the world's: there was no socket to be had.
type Act = Pin<Box<dyn Future<Output = io::Result<()>>>>;

struct Acts {
    loopbot: fn() -> Act,
    tokio: fn() -> Act,
}

impl Entry {
    fn acts(&self, version: Version) -> &Acts {
        match version {
            Version::Broken => &self.broken,
            Version::Mended => &self.mended,
        }
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Entry").field(&self.name).finish()
    }
}
