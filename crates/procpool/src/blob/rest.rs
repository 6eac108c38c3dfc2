//! Memory of blobs that are gone is used again: fresh pages cost five times as much.
//!
//! Here, where it was made, it stays mapped meanwhile. Whoever receives it maps it anew each time: reading 64 MiB once takes
//! about as long as the kernel needs to enter their 16,384 pages and to strike them out again. A mapping that stays
//! there, too, would save that. But whoever has it mapped has it, and then the kernel could no longer say that nobody does.
//! Pages entered in advance (`MAP_POPULATE`) save little of it, and cost whoever looks at a part only.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, PoisonError};

use crate::os::{Receiver, SharedMemory};

/// Memory of blobs that are gone from this process. Others may still be reading it.
pub(super) static REST: Mutex<VecDeque<SharedMemory>> = Mutex::new(VecDeque::new());

/// So many are kept at most, the latest ones.
pub(super) const REST_PIECES: usize = 8;
/// And so many bytes at most, all together.
pub(super) const REST_BYTES: usize = 256 << 20;

/// Memory of at least `len` bytes that nobody else has.
pub(super) fn take_or_make(len: usize) -> io::Result<SharedMemory> {
    let mut rest = REST.lock().unwrap_or_else(PoisonError::into_inner);
    // One that is much too large is worth more to somebody else.
    let fits = |memory: &SharedMemory| memory.len() >= len && memory.len() / 4 <= len;
    // The latest first: its bytes may still lie in the cache.
    let found = (0..rest.len()).rev().find(|&place| {
        rest.get(place)
            .is_some_and(|memory| fits(memory) && memory.is_alone())
    });
    if let Some(memory) = found.and_then(|place| rest.remove(place)) {
        return Ok(memory);
    }
    drop(rest);
    // Whole steps of a power of two, so that blobs of nearly one size can follow each other.
    let step = len.next_power_of_two() / 8;
    SharedMemory::new("procpool-blob", len.next_multiple_of(step), Receiver::Reads)
}

pub(super) fn lay_to_rest(memory: SharedMemory) {
    if memory.len() > REST_BYTES {
        return;
    }
    let mut rest = REST.lock().unwrap_or_else(PoisonError::into_inner);
    rest.push_back(memory);
    let mut gone = Vec::new();
    while rest.len() > REST_PIECES || rest.iter().map(SharedMemory::len).sum::<usize>() > REST_BYTES
    {
        gone.extend(rest.pop_front());
    }
    // Unmapped after the lock is free.
    drop(rest);
    drop(gone);
}
