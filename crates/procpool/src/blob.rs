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

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::os::{Attachment, Descriptor, Receiver, SharedMemory};

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

// Recycling.

/// Memory of blobs that are gone from this process. Others may still be reading it.
static REST: Mutex<VecDeque<SharedMemory>> = Mutex::new(VecDeque::new());

/// So many are kept at most, the latest ones.
const REST_PIECES: usize = 8;
/// And so many bytes at most, all together.
const REST_BYTES: usize = 256 << 20;

/// Memory of at least `len` bytes that nobody else has.
fn take_or_make(len: usize) -> io::Result<SharedMemory> {
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

fn lay_to_rest(memory: SharedMemory) {
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

// Travelling.

thread_local! {
    /// The message that is being written on this thread.
    static WRITING: Cell<bool> = const { Cell::new(false) };
    /// Blobs were met in it.
    static HAS_BLOBS: Cell<bool> = const { Cell::new(false) };
    /// They.
    static OUTGOING: RefCell<Option<Outgoing>> = const { RefCell::new(None) };
    /// The message that is being read on this thread.
    static READING: Cell<bool> = const { Cell::new(false) };
    /// Descriptors came with it.
    static HAS_ARRIVED: Cell<bool> = const { Cell::new(false) };
    /// They.
    static INCOMING: RefCell<Option<Vec<Arrived>>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Outgoing {
    blobs: Vec<Arc<Shared>>,
}

/// A descriptor that came with a message, and the memory behind it once a blob has asked for it.
enum Arrived {
    Unopened(Descriptor),
    Open(Arc<Shared>),
    /// It was not what the message said.
    Refused,
}

/// What travels with a message. In a box because it is rare, and there may be a million messages.
#[allow(clippy::box_collection)]
pub(crate) type Gifts = Option<Box<Vec<Attachment>>>;

/// Runs `write`, which serialises one message. Blobs in it leave their descriptors here, to be sent with the
/// bytes. They stay valid as long as they are kept, so the message can be sent again, to somebody else.
///
/// # Errors
///
/// Out of descriptors.
pub(crate) fn writing<T>(write: impl FnOnce() -> T) -> (T, Gifts) {
    // Most messages have no blob, so most pay for these two switches and for nothing else.
    let inside = WRITING.replace(true);
    let _restore = Restore(inside, |before| WRITING.set(before));
    if HAS_BLOBS.replace(false) {
        if inside {
            return writing_inside(write);
        }
        OUTGOING.take(); // of a message whose writing panicked
    }
    let value = write();
    let gifts = HAS_BLOBS.replace(false).then(collect);
    (value, gifts)
}

/// The same, in the middle of another message that has blobs already (somebody's `serialize` gives a job to a pool).
#[cold]
fn writing_inside<T>(write: impl FnOnce() -> T) -> (T, Gifts) {
    let outer = OUTGOING.take();
    let value = write();
    let gifts = HAS_BLOBS.replace(true).then(collect);
    OUTGOING.set(outer);
    (value, gifts)
}

#[allow(clippy::box_collection)] // see `Gifts`
fn collect() -> Box<Vec<Attachment>> {
    let blobs = OUTGOING.take().map(|outgoing| outgoing.blobs);
    let blobs = blobs.unwrap_or_default();
    let given = blobs
        .iter()
        .filter_map(|shared| shared.given.get().cloned());
    Box::new(given.collect())
}

/// Puts something back, also after a panic: what comes after on this thread is no message.
struct Restore<T: Default, F: Fn(T)>(T, F);

impl<T: Default, F: Fn(T)> Drop for Restore<T, F> {
    #[inline]
    fn drop(&mut self) {
        (self.1)(std::mem::take(&mut self.0));
    }
}

/// Runs `read`, which deserialises one message that came with these descriptors.
pub(crate) fn reading<T>(descriptors: Vec<Descriptor>, read: impl FnOnce() -> T) -> T {
    let _reading = Restore(READING.replace(true), |before| READING.set(before));
    if descriptors.is_empty() && !HAS_ARRIVED.get() {
        return read();
    }
    let _arrived = Restore(HAS_ARRIVED.replace(true), |before| HAS_ARRIVED.set(before));
    let arrived = descriptors.into_iter().map(Arrived::Unopened).collect();
    let _restore = Restore(INCOMING.replace(Some(arrived)), |before| {
        INCOMING.set(before)
    });
    read()
}

/// How a blob looks inside a message.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Blob")]
enum Travelling<'a> {
    Inline(#[serde(borrow)] PlainBytes<'a>),
    /// The descriptor of this number among those that came with the message, and how many of its bytes.
    Shared {
        descriptor: u32,
        len: u64,
    },
}

/// serde takes a slice of bytes for a list of numbers, one by one, unless told.
struct PlainBytes<'a>(Cow<'a, [u8]>);

impl Serialize for PlainBytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for PlainBytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = PlainBytes<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(PlainBytes(Cow::Borrowed(bytes)))
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(PlainBytes(Cow::Owned(bytes.to_vec())))
            }
            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Self::Value, E> {
                Ok(PlainBytes(Cow::Owned(bytes)))
            }
            /// JSON and others have no bytes, and write a list.
            fn visit_seq<A: de::SeqAccess<'de>>(
                self,
                mut list: A,
            ) -> Result<Self::Value, A::Error> {
                let mut bytes = Vec::with_capacity(list.size_hint().unwrap_or(0).min(SHARED_FROM));
                while let Some(byte) = list.next_element()? {
                    bytes.push(byte);
                }
                Ok(PlainBytes(Cow::Owned(bytes)))
            }
        }
        deserializer.deserialize_byte_buf(Bytes)
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let plain = PlainBytes(Cow::Borrowed(self));
        if !WRITING.get() {
            return plain.serialize(serializer);
        }
        let travelling = match &self.0 {
            // Out of descriptors: then it is copied.
            Bytes::Shared(shared) if shared.attachment().is_ok() => Travelling::Shared {
                descriptor: put_outgoing(shared),
                len: shared.len as u64,
            },
            _ => Travelling::Inline(plain),
        };
        travelling.serialize(serializer)
    }
}

/// Notes that this memory goes with the message, once, however often it occurs in there.
fn put_outgoing(shared: &Arc<Shared>) -> u32 {
    HAS_BLOBS.set(true);
    OUTGOING.with_borrow_mut(|outgoing| {
        let blobs = &mut outgoing.get_or_insert_default().blobs;
        let place = blobs.iter().position(|other| Arc::ptr_eq(other, shared));
        let place = place.unwrap_or_else(|| {
            blobs.push(Arc::clone(shared));
            blobs.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    })
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Blob, D::Error> {
        if !READING.get() {
            let bytes = PlainBytes::deserialize(deserializer)?;
            return Ok(Blob::from(bytes.0.into_owned()));
        }
        match Travelling::deserialize(deserializer)? {
            Travelling::Inline(bytes) => Ok(Blob(Bytes::Inline(Arc::new(bytes.0.into_owned())))),
            Travelling::Shared { descriptor, len } => {
                take_incoming(descriptor, len).map_err(de::Error::custom)
            }
        }
    }
}

/// The memory behind descriptor number `number` of the message.
fn take_incoming(number: u32, len: u64) -> Result<Blob, String> {
    INCOMING.with_borrow_mut(|incoming| {
        let arrived = incoming.as_mut().map(Vec::as_mut_slice).unwrap_or_default();
        let several = arrived.len();
        let Some(place) = arrived.get_mut(number as usize) else {
            return Err(format!(
                "the message speaks of shared memory number {number}, and brought {several}"
            ));
        };
        if let Arrived::Unopened(_) = place
            && let Arrived::Unopened(descriptor) = std::mem::replace(place, Arrived::Refused)
        {
            let len = usize::try_from(len).map_err(|_| "a blob larger than memory".to_owned())?;
            let memory = SharedMemory::receive(descriptor, len, Receiver::Reads)
                .map_err(|error| error.to_string())?;
            *place = Arrived::Open(Arc::new(Shared {
                memory: Some(memory),
                len,
                ours: false,
                given: OnceLock::new(),
            }));
        }
        match place {
            Arrived::Open(shared) if shared.len as u64 == len => {
                Ok(Blob(Bytes::Shared(Arc::clone(shared))))
            }
            _ => Err("the message contradicts itself about a piece of shared memory".to_owned()),
        }
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
