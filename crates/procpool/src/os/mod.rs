//! The operating system: the one place that knows which one it is.
//!
//! Five things are asked of it. The rest of the crate is arithmetic.
//!
//! * [`Launch`] starts a worker: a process of its own, in a process group of its own, with its end of a
//!   socket as standard input.
//! * [`Process`] is that worker as seen by the parent: a descriptor that turns readable when the worker
//!   dies, a kill that takes its children along, and an [`Exit`] that says how it ended.
//! * [`Socket`] carries bytes and descriptors between the two. [`Outbox`] keeps what the socket did not
//!   take yet, so that the parent never waits for a worker.
//! * [`SharedMemory`] is memory that two processes see and that nobody can shrink under the other's feet.
//! * [`become_worker`] and the functions after it are the first things that a worker does.
//!
//! All of it is Linux. Elsewhere the same names exist, and the first of them to be called says in a sentence
//! what is missing.

#[cfg_attr(target_os = "linux", path = "linux/mod.rs")]
#[cfg_attr(not(target_os = "linux"), path = "elsewhere.rs")]
mod system;

mod exit;
mod outbox;

#[cfg(all(test, target_os = "linux"))]
pub(crate) mod testing;
#[cfg(all(test, target_os = "linux"))]
mod tests;

pub(crate) use exit::Exit;
pub(crate) use outbox::{Flushed, Outbox};
pub(crate) use system::{
    Attachment, Descriptor, Launch, OomCounter, PollFd, PollFlags, Process, Program, Receiver,
    SharedMemory, Socket, Started, become_worker, leash, limit_memory, memory, poll, read, second,
    socket_pair,
};

/// How much memory a process has, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    /// That is its own, and in memory now: not what it shares, and not what is read from files.
    pub(crate) own: u64,
    /// The most that it ever had in memory at a time, of all kinds.
    pub(crate) peak: u64,
}

/// The most descriptors that wait on the receiver's side for the message that speaks of them. More than
/// that is not a message of ours, but somebody who eats the process's descriptors.
pub(crate) const MOST_WAITING: usize = 4_096;
