//! The way in: frames, as they come.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use super::out::with_out;
use super::strange;
use crate::frame::{Found, Head, Inbox};
use crate::os::{Descriptor, Socket};

/// A frame that has come, with all that belongs to it.
pub(super) struct Message<'a> {
    pub(super) head: Head,
    pub(super) body: &'a [u8],
    pub(super) gifts: Vec<Descriptor>,
}

/// Where frames come from.
pub(super) struct Source {
    pub(super) socket: Socket,
    pub(super) inbox: Inbox,
    /// The size of the frame that was given out last.
    pub(super) out: usize,
    pub(super) gifts: VecDeque<Descriptor>,
    /// How long to look for more before going to sleep.
    pub(super) spin: Duration,
}

impl Source {
    /// The next frame; `None` when the pool has hung up.
    pub(super) fn next(&mut self) -> io::Result<Option<Message<'_>>> {
        self.inbox.took(std::mem::take(&mut self.out));
        while let Found::Part(_) = self.inbox.front() {
            let read = self.receive()?;
            if read == 0 {
                return Ok(None);
            }
            self.inbox.filled(read);
            with_out(|out| {
                out.since = Instant::now();
                Ok(())
            })?;
        }
        let Found::Frame(head, body, size) = self.inbox.front() else {
            return Err(strange("what came is no frame"));
        };
        self.out = size;
        let gifts = usize::from(head.gifts).min(self.gifts.len());
        let gifts = self.gifts.drain(..gifts).collect();
        Ok(Some(Message { head, body, gifts }))
    }

    /// Waits for bytes: a moment without sleeping, if that is wanted, then asleep.
    fn receive(&mut self) -> io::Result<usize> {
        let (room, begun) = (self.inbox.room(), Instant::now());
        while begun.elapsed() < self.spin {
            match self.socket.try_receive(room, &mut self.gifts) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
        self.socket.receive(room, &mut self.gifts)
    }
}
