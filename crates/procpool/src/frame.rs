//! What travels over the socket: a head of 24 bytes, then a body of postcard.
//!
//! Both ends have the same list of jobs, on the same machine, and make sure of that in the first frames. So there is no
//! version here, and no care for byte order beyond choosing one.

use crate::core::Ticket;

/// What a frame is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// To the worker: what it is to know before its first job. The body is a [`Briefing`](crate::worker::Briefing).
    Begin = 1,
    /// To the worker: run this function for `count` arguments, from the ticket's item on. The body is all arguments.
    Job = 2,
    /// To the worker: nothing more will come.
    Quit = 3,
    /// From the worker: its fingerprint, in place of a ticket.
    Hello = 4,
    /// From the worker: it takes jobs.
    Ready = 5,
    /// From the worker: the initializer failed; or, with the ticket [`FOR_GOOD`], it can never work for this pool. The
    /// body says why.
    Failed = 6,
    /// From the worker: `count` results, from the ticket's item on, each with a [`Tag`] before it.
    Answer = 7,
    /// From the worker: the ticket's item stopped because it was asked to.
    Stopped = 8,
}

/// In place of a ticket, from a worker that would fail each time.
pub(crate) const FOR_GOOD: Ticket = Ticket(1);

/// What stands before each result in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tag {
    /// A value.
    Value = 0,
    /// A [`Panic`](crate::Panic).
    Panicked = 1,
    /// A string: why the result cannot be sent.
    Encode = 2,
    /// A string: why the argument cannot be read.
    Decode = 3,
    /// Nothing: the worker never answered. Written by the pool, which keeps the error beside.
    Lost = 4,
}

impl Tag {
    pub(crate) fn from(byte: u8) -> Option<Tag> {
        let tags = [
            Tag::Value,
            Tag::Panicked,
            Tag::Encode,
            Tag::Decode,
            Tag::Lost,
        ];
        tags.into_iter().find(|&tag| tag as u8 == byte)
    }
}

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// How long the body is.
    pub(crate) len: u32,
    pub(crate) kind: Kind,
    /// How many descriptors belong to it.
    pub(crate) gifts: u8,
    pub(crate) function: u16,
    pub(crate) ticket: Ticket,
    /// How many items the job has, or the answer.
    pub(crate) count: u32,
    /// How many nanoseconds the items of an answer took together. Of a job: in which round it was sent, see
    /// [`Page::take_up`](crate::page::Page::take_up).
    pub(crate) took: u32,
}

impl Head {
    pub(crate) const SIZE: usize = 24;

    /// A head about nothing in particular, to be completed.
    pub(crate) fn of(kind: Kind) -> Head {
        Head {
            len: 0,
            kind,
            gifts: 0,
            function: 0,
            ticket: Ticket(0),
            count: 0,
            took: 0,
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; Head::SIZE] {
        let mut bytes = [0; Head::SIZE];
        bytes[0..4].copy_from_slice(&self.len.to_le_bytes());
        bytes[4] = self.kind as u8;
        bytes[5] = self.gifts;
        bytes[6..8].copy_from_slice(&self.function.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.ticket.0.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.count.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.took.to_le_bytes());
        bytes
    }

    /// `None` if that is no head.
    pub(crate) fn from_bytes(bytes: &[u8; Head::SIZE]) -> Option<Head> {
        let four = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let kinds = [
            Kind::Begin,
            Kind::Job,
            Kind::Quit,
            Kind::Hello,
            Kind::Ready,
            Kind::Failed,
            Kind::Answer,
            Kind::Stopped,
        ];
        Some(Head {
            len: four(0),
            kind: *kinds.get(usize::from(bytes[4]).checked_sub(1)?)?,
            gifts: bytes[5],
            function: u16::from_le_bytes([bytes[6], bytes[7]]),
            ticket: Ticket(u64::from(four(8)) | u64::from(four(12)) << 32),
            count: four(16),
            took: four(20),
        })
    }
}

/// What was found at the beginning of some bytes.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// A whole frame, and how many bytes it takes.
    Frame(Head, &'a [u8], usize),
    /// The beginning of one that takes so many bytes; at least.
    Part(usize),
    /// Something else.
    Nonsense,
}

/// Looks for a frame.
pub(crate) fn find(bytes: &[u8]) -> Found<'_> {
    let Some((head, rest)) = bytes.split_first_chunk::<{ Head::SIZE }>() else {
        return Found::Part(Head::SIZE);
    };
    match Head::from_bytes(head) {
        None => Found::Nonsense,
        Some(head) => match rest.get(..head.len as usize) {
            Some(body) => Found::Frame(head, body, Head::SIZE + body.len()),
            None => Found::Part(Head::SIZE + head.len as usize),
        },
    }
}

/// Bytes that came in, until they are whole frames.
#[derive(Default)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    /// Those before are done with, those from `end` on are not filled yet.
    begin: usize,
    end: usize,
}

impl Inbox {
    const ROOM: usize = 64 * 1024;

    /// Room to read into: for what is missing of the frame at the front, and more.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.begin == self.end {
            (self.begin, self.end) = (0, 0);
            if self.bytes.len() > 64 * Inbox::ROOM {
                self.bytes = Vec::new(); // a large frame was here; its memory is not kept
            }
        }
        let wanted = match find(&self.bytes[self.begin..self.end]) {
            Found::Part(size) => size.max(Inbox::ROOM),
            Found::Frame(..) | Found::Nonsense => Inbox::ROOM,
        };
        if self.begin > 0 && self.begin + wanted > self.bytes.len() {
            self.bytes.copy_within(self.begin..self.end, 0);
            (self.begin, self.end) = (0, self.end - self.begin);
        }
        if self.bytes.len() < wanted.max(self.end + 1) {
            self.bytes.resize(wanted.max(self.end + 1), 0);
        }
        &mut self.bytes[self.end..]
    }

    /// So many bytes were read into the room.
    pub(crate) fn filled(&mut self, bytes: usize) {
        self.end = (self.end + bytes).min(self.bytes.len());
    }

    /// What is at the front.
    pub(crate) fn front(&self) -> Found<'_> {
        find(&self.bytes[self.begin..self.end])
    }

    /// The frame at the front, of this size, is done with.
    pub(crate) fn took(&mut self, size: usize) {
        self.begin = (self.begin + size).min(self.end);
    }
}
