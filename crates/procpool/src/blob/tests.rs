//! Blobs that travel, in earnest and past every lie that can be told about them.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Mutex;
use std::time::Instant;

use rustix::fs::{MemfdFlags, SealFlags};

use super::rest::REST;
use super::travelling::Travelling;
use super::{Blob, Bytes, SHARED_FROM, reading, writing};
use crate::os::testing::{LONG, end_of, hear, hear_with, on_stage, play, tell};
use crate::os::{Attachment, Receiver, SharedMemory, Started};

/// Memory at rest is one to a process, and these tests look at it. One at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> impl Drop {
    let guard = ALONE.lock().unwrap_or_else(|poison| poison.into_inner());
    REST.lock().expect("no test panics with it").clear();
    guard
}

fn large(first: u8) -> Blob {
    Blob::build(SHARED_FROM, |bytes| {
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = (place % 251) as u8 ^ first;
        }
    })
}

/// Which piece of memory.
fn inode(blob: &Blob) -> u64 {
    match &blob.0 {
        Bytes::Shared(shared) => {
            let memory = shared.memory.as_ref().expect("it lives");
            rustix::fs::fstat(memory.as_fd())
                .expect("it is open")
                .st_ino
        }
        Bytes::Inline(_) => panic!("an inline blob"),
    }
}

/// What a pool does with a value.
fn packed<T: serde::Serialize>(value: &T) -> (Vec<u8>, Vec<Attachment>) {
    let (bytes, gifts) = writing(|| postcard::to_stdvec(value));
    let attachments = gifts.map_or(Vec::new(), |gifts| *gifts);
    (bytes.expect("it can be written"), attachments)
}

/// And at the other end, with descriptors of its own, as they come out of a socket.
fn unpacked<T: serde::de::DeserializeOwned>(
    (bytes, attachments): &(Vec<u8>, Vec<Attachment>),
) -> Result<T, postcard::Error> {
    let own = attachments
        .iter()
        .map(|one| one.try_clone().expect("another descriptor"));
    reading(own.collect(), || postcard::from_bytes(bytes))
}

#[test]
fn short_ones_are_vectors_and_long_ones_are_shared() {
    let _alone = alone();
    for len in [0, 1, SHARED_FROM - 1, SHARED_FROM, SHARED_FROM + 1, 3 << 20] {
        let bytes: Vec<u8> = (0..len).map(|place| (place % 253) as u8).collect();
        let blobs = [
            Blob::from(bytes.clone()),
            Blob::from(bytes.as_slice()),
            Blob::build(len, |place| place.copy_from_slice(&bytes)),
        ];
        for blob in blobs {
            assert_eq!(blob.is_shared(), len >= SHARED_FROM, "{len}");
            assert!(*blob == *bytes, "{len}");
            let message = packed(&(1_u8, &blob, 2_u8));
            assert_eq!(message.1.len(), usize::from(blob.is_shared()));
            assert!(message.0.len() < 32 || !blob.is_shared(), "it was copied");
            let (one, back, two): (u8, Blob, u8) = unpacked(&message).expect("it comes back");
            assert_eq!((one, two), (1, 2));
            assert_eq!(back.is_shared(), blob.is_shared());
            assert!(back == blob, "{len}");
        }
    }
}

#[test]
fn outside_of_a_message_it_is_plain_bytes() {
    let _alone = alone();
    for len in [3, SHARED_FROM] {
        let blob = Blob::from(vec![7; len]);
        let json = serde_json::to_string(&blob).expect("a list");
        assert!(json.starts_with("[7,7,7"), "{}", &json[..9]);
        assert!(serde_json::from_str::<Blob>(&json).expect("a list") == blob);
        let bytes = postcard::to_stdvec(&blob).expect("bytes");
        assert!(bytes.len() >= len);
        assert!(postcard::from_bytes::<Blob>(&bytes).expect("bytes") == blob);
    }
}

#[test]
fn clones_in_one_message_travel_once() {
    let _alone = alone();
    let (one, two) = (large(1), large(2));
    let message = packed(&vec![one.clone(), two.clone(), one.clone(), one.clone()]);
    assert_eq!(message.1.len(), 2);
    let back: Vec<Blob> = unpacked(&message).expect("it comes back");
    assert!(back == [one.clone(), two, one.clone(), one]);
    assert_eq!(back[0].as_ptr(), back[3].as_ptr(), "mapped once");
}

#[test]
fn a_message_within_a_message_is_its_own() {
    let _alone = alone();
    let (outer, inner) = (large(1), large(2));
    let (_, attachments) = writing(|| {
        let bytes = postcard::to_stdvec(&outer);
        assert_eq!(packed(&inner).1.len(), 1);
        bytes.and(postcard::to_stdvec(&inner))
    });
    assert_eq!(attachments.map(|all| all.len()), Some(2));
    // Afterwards, and after a panic too, the thread is out of it.
    let _ = std::panic::catch_unwind(|| writing(|| panic!("no message")));
    assert!(postcard::to_stdvec(&outer).expect("bytes").len() > SHARED_FROM);
}

#[test]
fn the_reader_cannot_write() {
    let _alone = alone();
    let blob = large(0);
    let (_, attachments) = packed(&blob);
    let file: OwnedFd = attachments[0].try_clone().expect("another descriptor");
    assert!(
        rustix::io::pwrite(&file, b"x", 0).is_err(),
        "opened for reading"
    );
    // Opened once more, for writing: the memory's owner may do that.
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let again = std::fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .expect("opened");
    assert!(rustix::io::pwrite(&again, b"x", 0).is_err());
    assert!(again.set_len(0).is_err(), "shrunk");
    let punch = rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
    assert!(
        rustix::fs::fallocate(&again, punch, 0, 4096).is_err(),
        "a hole"
    );
    assert!(
        memmap2::MmapOptions::new().map_raw(&again).is_err(),
        "mapped"
    );
    assert!(rustix::fs::fcntl_add_seals(&again, SealFlags::WRITE).is_err());
    assert!(blob == large(0));
}

#[test]
fn every_lie_about_a_descriptor_is_an_error() {
    let _alone = alone();
    let travelling = |descriptor, len| {
        postcard::to_stdvec(&Travelling::Shared { descriptor, len }).expect("it can be written")
    };
    let len = SHARED_FROM as u64;
    let blob = large(3);
    let honest = packed(&blob).1;
    let mut unsealed = memfd(len);
    let mut lies: Vec<(&str, Vec<u8>, Vec<Attachment>)> = vec![
        ("no descriptor", travelling(0, len), vec![]),
        ("another number", travelling(1, len), honest.clone()),
        (
            "a number beyond all",
            travelling(u32::MAX, len),
            honest.clone(),
        ),
        ("longer than it is", travelling(0, len + 1), honest.clone()),
        (
            "longer than memory",
            travelling(0, u64::MAX),
            honest.clone(),
        ),
        ("no bytes", travelling(0, 0), honest.clone()),
        ("not sealed", travelling(0, len), vec![unsealed.clone()]),
    ];
    // Against shrinking, but not against writing.
    unsealed = memfd(len);
    rustix::fs::fcntl_add_seals(&*unsealed, SealFlags::SHRINK | SealFlags::GROW).expect("sealed");
    lies.push(("still written to", travelling(0, len), vec![unsealed]));
    // Sealed when it was small already.
    let small = memfd(4096);
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE;
    rustix::fs::fcntl_add_seals(&*small, seals).expect("sealed");
    lies.push(("a small one", travelling(0, len), vec![small]));
    let page = SharedMemory::new("test", SHARED_FROM, Receiver::Writes).expect("memory");
    let page = Attachment::new(page.to_give().expect("a descriptor"));
    lies.push(("writable by both", travelling(0, len), vec![page]));
    let (pipe, _) = rustix::pipe::pipe().expect("a pipe");
    lies.push(("a pipe", travelling(0, len), vec![Attachment::new(pipe)]));
    let file = std::fs::File::open("/proc/self/exe").expect("this program");
    lies.push((
        "a file",
        travelling(0, len),
        vec![Attachment::new(file.into())],
    ));
    for (what, bytes, attachments) in lies {
        let got = unpacked::<Blob>(&(bytes, attachments));
        assert!(got.is_err(), "{what}: {got:?}");
    }
    // Shorter than it is: that is what a recycled one looks like.
    let part = unpacked::<Blob>(&(travelling(0, 100), honest.clone())).expect("a part");
    assert!(*part == blob[..100]);
    // Twice in one message, with two lengths.
    let mut twice = travelling(0, 100);
    twice.extend(travelling(0, 200));
    assert!(unpacked::<(Blob, Blob)>(&(twice, honest)).is_err());
}

fn memfd(len: u64) -> Attachment {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = rustix::fs::memfd_create("test", flags).expect("memory");
    rustix::fs::ftruncate(&file, len).expect("a size");
    Attachment::new(file)
}

#[test]
fn broken_bytes_are_errors() {
    let _alone = alone();
    let (bytes, attachments) = packed(&(large(0), vec![1_u8, 2, 3], Blob::from(vec![1, 2, 3])));
    type Value = (Blob, Vec<u8>, Blob);
    assert!(unpacked::<Value>(&(bytes.clone(), attachments.clone())).is_ok());
    for end in 0..bytes.len() {
        assert!(unpacked::<Value>(&(bytes[..end].to_vec(), attachments.clone())).is_err());
    }
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[place] ^= 1 << bit;
            // An error or a value, but no panic, and no look at memory that is not there.
            if let Ok((one, _, other)) = unpacked::<Value>(&(changed, attachments.clone())) {
                std::hint::black_box(
                    one.iter()
                        .chain(other.iter())
                        .fold(0_u8, |sum, byte| sum ^ byte),
                );
            }
        }
    }
}

#[test]
fn memory_is_used_again_when_nobody_has_it() {
    let _alone = alone();
    let blob = large(1);
    let first = inode(&blob);
    let message = packed(&blob);
    let received: Blob = unpacked(&message).expect("it comes back");
    drop(blob);
    // The message may be sent again.
    assert_ne!(inode(&large(2)), first, "a message still has it");
    drop(message);
    let other = large(3);
    assert_ne!(inode(&other), first, "a reader still has it");
    assert!(received == large(1));
    drop(received);
    drop(other);
    comes_back(first);
    for (first, blob) in (0..4).map(large).collect::<Vec<_>>().iter().enumerate() {
        assert!(*blob == large(first as u8));
    }
}

/// Sees to it that this piece of memory is used again, within [`LONG`]. Not at once: while another test starts a
/// process, that one has a share in everything that is open here, up to the moment in which it becomes another
/// program.
fn comes_back(first: u64) {
    let rest = || REST.lock().expect("no test panics with it");
    let is_free = |memory: &SharedMemory| {
        let found = rustix::fs::fstat(memory.as_fd()).expect("it is open");
        found.st_ino == first && memory.is_alone()
    };
    let begin = Instant::now();
    while !rest().iter().any(is_free) {
        assert!(begin.elapsed() < LONG, "nobody has it, and it is not free");
        std::thread::yield_now();
    }
    // All at rest are taken, so that it is among them.
    let several = rest().len();
    let taken: Vec<_> = (0..several).map(|_| large(0)).collect();
    assert!(
        taken.iter().any(|blob| inode(blob) == first),
        "it is free, and not used again"
    );
}

#[test]
fn memory_is_kept_when_filling_panics() {
    let _alone = alone();
    let mut place = 0;
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        Blob::build(SHARED_FROM, |bytes| {
            place = bytes.as_ptr() as usize;
            panic!("out of soup");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(large(0).as_ptr() as usize, place);
}

#[test]
fn not_much_is_kept() {
    let _alone = alone();
    drop((0..100).map(large).collect::<Vec<_>>());
    assert_eq!(
        REST.lock().expect("no test panics with it").len(),
        super::rest::REST_PIECES
    );
    let longer: Vec<_> = (0..4).map(|_| Blob::build(100 << 20, |_| {})).collect();
    drop(longer);
    let rest = REST.lock().expect("no test panics with it");
    assert!(rest.iter().map(SharedMemory::len).sum::<usize>() <= super::rest::REST_BYTES);
}

/// Blobs in, blobs out. Number 0 ends it, 1 gives back what came, 2 answers with a new one, 3 keeps it, 4 lets
/// go of what was kept.
#[test]
fn part_cook() {
    let Some(socket) = on_stage("blob::tests::part_cook") else {
        return;
    };
    let mut kept = Vec::new();
    while let Some((number, descriptors)) = hear_with(&socket) {
        let dish: Option<Blob> = (!descriptors.is_empty()).then(|| {
            let len = SHARED_FROM as u64;
            let bytes = postcard::to_stdvec(&Travelling::Shared { descriptor: 0, len });
            let bytes = bytes.expect("it can be written");
            reading(descriptors, || postcard::from_bytes(&bytes)).expect("a blob")
        });
        match (number, dish) {
            (1, Some(dish)) => serve(&socket, &dish),
            (2, Some(dish)) => {
                let new = Blob::build(dish.len(), |bytes| {
                    for (to, from) in bytes.iter_mut().zip(dish.iter()) {
                        *to = !from;
                    }
                });
                serve(&socket, &new);
            }
            (3, Some(dish)) => {
                kept.push(dish);
                tell(&socket, 0);
            }
            (4, None) => {
                kept.clear();
                tell(&socket, 0);
            }
            _ => return,
        }
    }
}

fn serve(socket: &crate::os::Socket, blob: &Blob) {
    let (_, attachments) = packed(blob);
    let attachments: Vec<_> = attachments.iter().collect();
    socket
        .send(&(blob.len() as u64).to_le_bytes(), &attachments)
        .expect("the other side is there");
}

fn order(cook: &Started, number: u64, blob: &Blob) {
    let (_, attachments) = packed(blob);
    let attachments: Vec<_> = attachments.iter().collect();
    cook.socket
        .send(&number.to_le_bytes(), &attachments)
        .expect("the cook is there");
}

fn served(cook: &Started) -> Blob {
    let (len, descriptors) = hear_with(&cook.socket).expect("an answer");
    let bytes = postcard::to_stdvec(&Travelling::Shared { descriptor: 0, len });
    let bytes = bytes.expect("it can be written");
    reading(descriptors, || postcard::from_bytes(&bytes)).expect("a blob")
}

#[test]
fn through_another_process_and_back() {
    let _alone = alone();
    let cook = play("blob::tests::part_cook");
    for round in 0..50 {
        let blob = large(round);
        order(&cook, 1, &blob);
        let back = served(&cook);
        assert_eq!(inode(&back), inode(&blob), "it was copied");
        assert!(back == blob);
        order(&cook, 2, &blob);
        let other = served(&cook);
        assert!(
            other
                .iter()
                .zip(blob.iter())
                .all(|(other, own)| *other == !own)
        );
    }
    assert!(
        REST.lock().expect("no test panics with it").len() <= 2,
        "the same memory each round"
    );
}

#[test]
fn a_worker_that_keeps_a_blob_keeps_it_unchanged() {
    let _alone = alone();
    for killed in [false, true] {
        REST.lock().expect("no test panics with it").clear();
        let mut cook = play("blob::tests::part_cook");
        let blob = large(1);
        let first = inode(&blob);
        order(&cook, 3, &blob);
        assert_eq!(hear(&cook.socket), Some(0));
        drop(blob);
        let second = large(2);
        assert_ne!(inode(&second), first, "the worker has it still");
        if killed {
            cook.process.kill();
            end_of(&mut cook.process);
        } else {
            tell(&cook.socket, 4);
            assert_eq!(hear(&cook.socket), Some(0));
        }
        comes_back(first);
    }
}
