//! The way out: answers are collected, and sent when the job is over or no more find room.

use std::cell::RefCell;
use std::io;
use std::time::Instant;

use serde::Serialize;

use super::strange;
use crate::blob;
use crate::core::Ticket;
use crate::frame::{Head, Kind, Tag};
use crate::os::{Attachment, Socket};
use crate::tray::Tray;

thread_local! {
    /// The way out for answers. On the thread that does the jobs, nowhere else.
    pub(super) static OUT: RefCell<Option<Out>> = const { RefCell::new(None) };
}

/// The way out: answers are collected in the tray, and sent when the job is over or the tray is full.
pub(super) struct Out {
    pub(super) socket: Socket,
    pub(super) tray: Tray,
    /// Since when time counts for the next frame.
    pub(super) since: Instant,
}

/// Why an answer is not on its way.
pub(super) enum Unsent {
    Encode(String),
    Io(io::Error),
}

impl From<io::Error> for Unsent {
    fn from(error: io::Error) -> Unsent {
        Unsent::Io(error)
    }
}

impl Out {
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let took = self.took();
        if let Some(frame) = self.tray.frame(took) {
            self.socket.send(frame, &[])?;
            self.tray.clear();
        }
        Ok(())
    }

    /// Nanoseconds since the last time.
    fn took(&mut self) -> u32 {
        let before = std::mem::replace(&mut self.since, Instant::now());
        let took = self.since.duration_since(before).as_nanos();
        u32::try_from(took).unwrap_or(u32::MAX)
    }

    fn send(&mut self, head: Head, body: &[u8], with: &[Attachment]) -> io::Result<()> {
        self.flush()?;
        let len = u32::try_from(body.len()).map_err(|_| strange("an answer of 4 GiB or more"))?;
        let mut frame = Vec::with_capacity(Head::SIZE + body.len());
        let head = Head {
            len,
            gifts: with.len() as u8,
            took: self.took(),
            ..head
        };
        frame.extend_from_slice(&head.to_bytes());
        frame.extend_from_slice(body);
        let with: Vec<&Attachment> = with.iter().collect();
        self.socket.send(&frame, &with)
    }
}

pub(super) fn with_out(act: impl FnOnce(&mut Out) -> io::Result<()>) -> io::Result<()> {
    OUT.with_borrow_mut(|out| out.as_mut().map_or(Ok(()), act))
}

pub(super) fn say(kind: Kind, number: u64, body: &[u8]) -> io::Result<()> {
    let head = Head {
        ticket: Ticket(number),
        ..Head::of(kind)
    };
    with_out(|out| out.send(head, body, &[]))
}

pub(super) fn stopped(ticket: Ticket) -> io::Result<()> {
    let head = Head {
        ticket,
        count: 1,
        ..Head::of(Kind::Stopped)
    };
    with_out(|out| out.send(head, &[], &[]))
}

/// Puts an answer into the tray, or sends it by itself if it is too large or brings descriptors along.
///
/// The value is serialised while nothing of ours is borrowed but the tray; it may panic, and is not in the tray then.
pub(super) fn answer<T: Serialize>(ticket: Ticket, tag: Tag, value: &T) -> Result<(), Unsent> {
    OUT.with_borrow_mut(|out| {
        let Some(out) = out else { return Ok(()) };
        let mut gone_wrong = None;
        let mut put = |room: &mut [u8]| {
            let (first, rest) = room.split_first_mut()?;
            *first = tag as u8;
            let (written, gifts) =
                blob::writing(|| postcard::to_slice(value, rest).map(|used| used.len()));
            match written {
                Ok(used) if gifts.is_none() => Some(1 + used),
                Ok(_) | Err(postcard::Error::SerializeBufferFull) => None,
                Err(error) => {
                    gone_wrong = Some(Unsent::Encode(format!("the result: {error}")));
                    None
                }
            }
        };
        if out.tray.add(ticket, &mut put) {
            return Ok(());
        }
        if let Some(wrong) = gone_wrong {
            return Err(wrong);
        }
        let (bytes, gifts) = blob::writing(|| postcard::to_extend(value, vec![tag as u8]));
        let bytes = bytes.map_err(|error| Unsent::Encode(format!("the result: {error}")))?;
        let gifts = gifts.as_deref().map_or(&[][..], Vec::as_slice);
        if gifts.len() > MOST_GIFTS {
            return Err(Unsent::Encode(format!(
                "the result has more than {MOST_GIFTS} blobs"
            )));
        }
        if u32::try_from(bytes.len()).is_err() {
            return Err(Unsent::Encode("the result has 4 GiB or more".to_owned()));
        }
        let head = Head {
            ticket,
            count: 1,
            ..Head::of(Kind::Answer)
        };
        Ok(out.send(head, &bytes, gifts)?)
    })
}

/// How many blobs a message can bring along.
pub(crate) const MOST_GIFTS: usize = 253;

/// The same for what can always be serialised.
pub(super) fn answer_or_io<T: Serialize>(ticket: Ticket, tag: Tag, value: &T) -> io::Result<()> {
    match answer(ticket, tag, value) {
        Ok(()) => Ok(()),
        Err(Unsent::Io(error)) => Err(error),
        Err(Unsent::Encode(why)) => Err(strange(why)),
    }
}
