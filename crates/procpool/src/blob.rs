//! Large values: bytes in shared memory, which change hands without being copied.
//!
//! A message through a socket is copied into the kernel and out again. For 64 MiB that is 40 ms. A [`Blob`]
//! is written once, into memory that the other process maps as well; what goes through the socket is a
//! descriptor, whatever the size.
//!
//! # Why `&[u8]` is sound, though another process has the memory too
//!
//! A `&[u8]` promises that the bytes do not change while it is borrowed. Three things keep that promise:
//!
//! 1. The memory is sealed before anybody else gets it (`F_SEAL_FUTURE_WRITE`): nobody can map it for
//!    writing any more, write to it, or punch holes in it, whatever rights they have. The one writable
//!    mapping is the maker's, made before. It also cannot shrink (`F_SEAL_SHRINK`), so it cannot vanish
//!    below a reader. The receiver looks at the seals and the size before it maps, and refuses otherwise.
//! 2. The maker gives its writable mapping up: [`Blob::build`] lends it out as `&mut [u8]` once, before
//!    there is a `Blob`. There is no way back to it while the blob, or any clone of it, lives here.
//! 3. Fresh pages cost five times as much as used ones, so the mapping is used again for a later blob. But
//!    not before the kernel has confirmed that nobody else has the memory open or mapped, in any process.
//!    That is not a count that the two sides keep, and could get wrong. A worker that was killed, or that
//!    hides a blob in a `static`, is accounted for.
//!
//! What no seal can stop is a maker whose `unsafe` code has gone wild and writes through the old mapping.
//! That process had undefined behaviour already; now its reader has it too. A file mapped by two programs
//! has this weakness in a far wider form.
#![allow(unsafe_code)]

mod rest;
mod travelling;

use std::fmt;
use std::io;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use rest::{lay_to_rest, take_or_make};
pub(crate) use travelling::{Gifts, reading, writing};

use crate::os::{Attachment, SharedMemory};

/// From so many bytes on a blob lies in shared memory. Below, copying is quicker than what the kernel has to
/// do for a mapping.
pub const SHARED_FROM: usize = 256 * 1024;

/// Bytes that are handed to another process without being copied.
///
/// It is a value like any other: put it into a job's argument or result, anywhere. Inside a pool it travels
/// as a descriptor. Serialised with something else (JSON, say) it is plain bytes. Cloning is cheap, and the
/// clones share the memory.
///
/// Below 256 KiB a blob is an ordinary vector, and is copied; so it may be used for everything that *can* be
/// large.
///
/// ```
/// let picture = procpool::Blob::build(1 << 20, |bytes| bytes.fill(7));
/// assert_eq!(picture.len(), 1 << 20);
/// assert!(picture.iter().all(|byte| *byte == 7));
/// ```
#[derive(Clone)]
pub struct Blob(Bytes);

#[derive(Clone)]
enum Bytes {
    Inline(Arc<Vec<u8>>),
    Shared(Arc<Shared>),
}

/// Bytes in shared memory. Never written to.
struct Shared {
    /// `None` only while it is dropped.
    memory: Option<SharedMemory>,
    len: usize,
    /// Made here, so it can be used again here.
    ours: bool,
    /// What is sent.
    given: OnceLock<Attachment>,
}

impl Blob {
    /// A blob of `len` bytes, which `fill` writes in place: straight into the shared memory.
    ///
    /// What `fill` finds there is not specified: zeros, or bytes of an earlier blob of this process. It has
    /// to write all of it.
    ///
    /// If the system refuses shared memory (out of descriptors; not Linux), the blob is an ordinary vector
    /// of that size. Everything works, and it is copied when it travels.
    pub fn build(len: usize, fill: impl FnOnce(&mut [u8])) -> Blob {
        if len >= SHARED_FROM
            && let Ok(memory) = take_or_make(len)
        {
            return Blob::fill_shared(memory, len, fill);
        }
        let mut bytes = vec![0; len];
        fill(&mut bytes);
        Blob(Bytes::Inline(Arc::new(bytes)))
    }

    fn fill_shared(memory: SharedMemory, len: usize, fill: impl FnOnce(&mut [u8])) -> Blob {
        // Made before `fill` is called: if that panics, the memory is kept for the next one.
        let shared = Shared {
            memory: Some(memory),
            len,
            ours: true,
            given: OnceLock::new(),
        };
        // Most blobs are sent. What is opened now need not be opened when somebody waits for it, and by then
        // `fill` has driven everything else out of the caches. If it fails, it is tried again.
        let _ = shared.attachment();
        if let Some(memory) = &shared.memory {
            debug_assert!(len <= memory.len());
            // SAFETY: the mapping is at least `len` bytes long (take_or_make), readable and writable, and
            // every byte is initialised: the kernel gives zeros. Nobody else reads or writes it: in this
            // process it has just been made, or come out of REST, where each is in one piece and is taken
            // out whole; and no other process has it, see `take_or_make`. The slice ends with this block,
            // before there is a Blob.
            fill(unsafe { std::slice::from_raw_parts_mut(memory.as_mut_ptr(), len) });
        }
        Blob(Bytes::Shared(Arc::new(shared)))
    }

    /// True if the bytes lie in shared memory, so that handing them over costs the same whatever their
    /// number.
    pub fn is_shared(&self) -> bool {
        matches!(self.0, Bytes::Shared(_))
    }
}

impl From<Vec<u8>> for Blob {
    /// Keeps a short vector as it is. A long one is copied into shared memory, once:
    /// [`Blob::build`] saves that.
    fn from(bytes: Vec<u8>) -> Blob {
        if bytes.len() < SHARED_FROM {
            return Blob(Bytes::Inline(Arc::new(bytes)));
        }
        match take_or_make(bytes.len()) {
            Ok(memory) => {
                let len = bytes.len();
                Blob::fill_shared(memory, len, |shared| shared.copy_from_slice(&bytes))
            }
            Err(_) => Blob(Bytes::Inline(Arc::new(bytes))),
        }
    }
}

impl From<&[u8]> for Blob {
    fn from(bytes: &[u8]) -> Blob {
        Blob::build(bytes.len(), |place| place.copy_from_slice(bytes))
    }
}

impl Deref for Blob {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Inline(bytes) => bytes,
            Bytes::Shared(shared) => shared.bytes(),
        }
    }
}

impl AsRef<[u8]> for Blob {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Default for Blob {
    fn default() -> Blob {
        Blob::from(Vec::new())
    }
}

impl PartialEq for Blob {
    fn eq(&self, other: &Blob) -> bool {
        **self == **other
    }
}

impl Eq for Blob {}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.is_shared() { "shared" } else { "inline" };
        write!(f, "Blob({} bytes, {place})", self.len())
    }
}

impl Shared {
    fn bytes(&self) -> &[u8] {
        let Some(memory) = &self.memory else {
            return &[];
        };
        // SAFETY: the mapping lives as long as `self`, is readable, and at least `len` bytes long: for ours
        // see `take_or_make`, for others `SharedMemory::receive` has checked, and the seal keeps it so. It
        // does not change while `self` lives: see the head of this file.
        unsafe { std::slice::from_raw_parts(memory.as_ptr(), self.len) }
    }

    fn attachment(&self) -> io::Result<Attachment> {
        if let Some(given) = self.given.get() {
            return Ok(given.clone());
        }
        let Some(memory) = &self.memory else {
            return Err(io::Error::other("a blob that is being dropped"));
        };
        let new = Attachment::new(memory.to_give()?);
        Ok(self.given.get_or_init(|| new).clone())
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // First what was opened to be given away: it counts among those who have the memory.
        self.given.take();
        if let Some(memory) = self.memory.take()
            && self.ours
        {
            lay_to_rest(memory);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
