//! Linux.

mod poll;
mod process;
mod shared_memory;
mod socket;
mod worker;

use std::os::fd::OwnedFd;
use std::sync::Arc;

pub(crate) use poll::{PollFd, PollFlags, poll, read};
pub(crate) use process::{Launch, OomCounter, Process, Program, Started};
pub(crate) use shared_memory::{Receiver, SharedMemory};
pub(crate) use socket::{Socket, socket_pair};
pub(crate) use worker::{become_worker, leash, limit_memory, memory, second};

/// What travels beside the bytes.
pub(crate) type Descriptor = OwnedFd;

/// A descriptor that is to be sent, and may be sent again: whoever answers for a message keeps a share, and
/// the last one to let go closes it.
pub(crate) type Attachment = Arc<OwnedFd>;
