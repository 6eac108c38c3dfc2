//! Where a worker's answers lie until the socket has them: memory that survives the worker.
//!
//! A worker collects the answers to many small items and sends them together. If it dies in between, by no fault of
//! those items, their answers must not go with it. So it writes them into memory that the pool has as well. What the
//! socket has not got, the pool finds here.
//!
//! Nobody waits for anybody: the worker writes as long as it lives, and the pool reads when it is dead.
#![allow(unsafe_code)]

use std::io;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::core::Ticket;
use crate::frame::{Head, Kind};
use crate::os::{Attachment, Descriptor, Receiver, SharedMemory};

const BYTES: usize = 64 * 1024;
/// The state has a cache line of its own before the bytes.
const FIRST: usize = 64;
const ROOM: usize = BYTES - FIRST;

/// One frame of answers that is growing, in memory that two processes see.
pub(crate) struct Tray {
    memory: SharedMemory,
}

/// How far the frame is: its size, and how many items are in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Progress {
    size: usize,
    count: u32,
}

impl Tray {
    /// A new one. For the pool.
    pub(crate) fn new() -> io::Result<Tray> {
        let memory = SharedMemory::new("procpool-tray", BYTES, Receiver::Writes)?;
        Ok(Tray { memory })
    }

    /// What to send to the worker, once.
    pub(crate) fn to_give(&self) -> io::Result<Attachment> {
        Ok(Attachment::new(self.memory.to_give()?))
    }

    /// The one that the pool has sent. For the worker.
    pub(crate) fn receive(descriptor: Descriptor) -> io::Result<Tray> {
        let memory = SharedMemory::receive(descriptor, BYTES, Receiver::Writes)?;
        Ok(Tray { memory })
    }

    fn state(&self) -> &AtomicU64 {
        // SAFETY: the memory is mapped as long as `self` lives, page-aligned, and larger than this; these 8 bytes are
        // used by nobody but through this function.
        unsafe { &*self.memory.as_ptr().cast::<AtomicU64>() }
    }

    fn progress(&self) -> Progress {
        let state = self.state().load(Ordering::Acquire);
        Progress {
            size: (state >> 32) as usize,
            count: state as u32,
        }
    }

    // The worker's half.

    /// Adds an item: `write` gets the room there is and says how much of it it used. `false` if it was not enough, and
    /// nothing is added then. The first item's ticket is the frame's.
    ///
    /// The worker has one thread that calls this, and `write` does not call it again.
    pub(crate) fn add(
        &mut self,
        ticket: Ticket,
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> bool {
        let Progress { size, count } = self.progress();
        let begin = size.max(Head::SIZE);
        if begin >= ROOM {
            return false;
        }
        // SAFETY: the bytes from `begin` to ROOM lie inside the mapping, behind the state. In this process nobody else
        // has them, since `self` is borrowed mutably; the pool looks at them only when this process is no more.
        let room = unsafe {
            let first = self.memory.as_mut_ptr().add(FIRST + begin);
            std::slice::from_raw_parts_mut(first, ROOM - begin)
        };
        let Some(used) = write(room) else {
            return false;
        };
        if count == 0 {
            self.write_head(Head {
                ticket,
                ..Head::of(Kind::Answer)
            });
        }
        self.set(begin + used, count + 1);
        true
    }

    /// The frame with all its items, ready to be sent; `None` if there are none.
    pub(crate) fn frame(&mut self, took: u32) -> Option<&[u8]> {
        let Progress { size, count } = self.progress();
        if count == 0 {
            return None;
        }
        let ticket = self.head()?.ticket;
        self.write_head(Head {
            len: (size - Head::SIZE) as u32,
            ticket,
            count,
            took,
            ..Head::of(Kind::Answer)
        });
        // SAFETY: `size` is at most ROOM; for the rest see `add`.
        Some(unsafe { std::slice::from_raw_parts(self.memory.as_ptr().add(FIRST), size) })
    }

    /// It has been sent.
    pub(crate) fn clear(&mut self) {
        self.set(0, 0);
    }

    fn set(&mut self, size: usize, count: u32) {
        let state = (size as u64) << 32 | u64::from(count);
        self.state().store(state, Ordering::Release);
    }

    fn write_head(&mut self, head: Head) {
        let bytes = head.to_bytes();
        // SAFETY: the head has its place behind the state, and ROOM is larger; for the rest see `add`.
        unsafe {
            let first = self.memory.as_mut_ptr().add(FIRST);
            ptr::copy_nonoverlapping(bytes.as_ptr(), first, Head::SIZE);
        }
    }

    fn head(&self) -> Option<Head> {
        let mut bytes = [0; Head::SIZE];
        // SAFETY: as in `write_head`; both call this only when the other process does not write.
        unsafe {
            let first = self.memory.as_ptr().add(FIRST);
            ptr::copy_nonoverlapping(first, bytes.as_mut_ptr(), Head::SIZE);
        }
        Head::from_bytes(&bytes)
    }

    // The pool's half.

    /// What a worker that is dead had written and perhaps not sent: head and items. It believes nothing in here beyond
    /// its being bytes.
    pub(crate) fn left_behind(&self) -> Option<(Head, Vec<u8>)> {
        let Progress { size, count } = self.progress();
        if count == 0 || !(Head::SIZE..=ROOM).contains(&size) {
            return None;
        }
        let head = Head {
            len: (size - Head::SIZE) as u32,
            count,
            ..self.head()?
        };
        let mut bytes = vec![0; size - Head::SIZE];
        // SAFETY: `size` was checked just now. The writer is dead, so nobody changes these bytes; should a grandchild
        // have kept the mapping and write there, the copy holds some bytes or other, which are taken for no more.
        unsafe {
            let first = self.memory.as_ptr().add(FIRST + Head::SIZE);
            ptr::copy_nonoverlapping(first, bytes.as_mut_ptr(), bytes.len());
        }
        Some((head, bytes))
    }
}
