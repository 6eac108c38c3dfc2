//! How a blob goes from one process to the other: in the message stands a number, and the descriptor goes beside it.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Blob, Bytes, SHARED_FROM, Shared};
use crate::os::{Attachment, Descriptor, Receiver, SharedMemory};

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
pub(super) enum Travelling<'a> {
    Inline(#[serde(borrow)] PlainBytes<'a>),
    /// The descriptor of this number among those that came with the message, and how many of its bytes.
    Shared {
        descriptor: u32,
        len: u64,
    },
}

/// serde takes a slice of bytes for a list of numbers, one by one, unless told.
pub(super) struct PlainBytes<'a>(Cow<'a, [u8]>);

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
