//! Waiting for several things at once.

use std::io;
use std::time::Duration;

use rustix::event::Timespec;
pub(crate) use rustix::event::{PollFd, PollFlags};

use super::Attachment;

/// Waits until one of them is ready, or for so long. It may also end early, for no reason: what counts is what the
/// descriptors say.
pub(crate) fn poll(what: &mut [PollFd<'_>], limit: Option<Duration>) {
    let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
    let _ = rustix::event::poll(what, limit.as_ref());
}

/// What a pipe holds now. Zero bytes are its end.
///
/// # Errors
///
/// `WouldBlock` if there is nothing, for a pipe that does not wait.
pub(crate) fn read(pipe: &Attachment, into: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::io::read(pipe, into)?)
}
