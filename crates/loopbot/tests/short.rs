//! A read or a write that brings less than it could is mostly the sign that nothing is left. Where it is not, nobody may
//! be left waiting for an event that does not come.
#![cfg(all(unix, feature = "net"))]

mod common;

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream as StdStream;
use std::time::Duration;

use common::with_an_end;
use futures::{AsyncReadExt, AsyncWriteExt, join};
use loopbot::net::{TcpListener, TcpStream, UnixStream};
use loopbot::timeout;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

/// More slices than the system takes at a time.
const SLICES: usize = 3000;

async fn pair() -> (TcpStream, TcpStream) {
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connects = TcpStream::connect(door.local_addr().unwrap());
    let (accepted, connected) = join!(door.accept(), connects);
    (accepted.unwrap().0, connected.unwrap())
}

/// Runs what must not wait, and fails if it does.
fn without_waiting<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    with_an_end(|| {
        loopbot::run(async {
            let patience = Duration::from_secs(20);
            let done = timeout(patience, test()).await;
            done.expect("it waits for an event that does not come");
        });
    });
}

#[test]
fn more_slices_than_the_system_takes_are_written_one_write_after_the_other() {
    without_waiting(|| async {
        let (mut one, _other) = pair().await;
        // The first event, which says that it can be written to, must have come.
        one.write_all(b"!").await.unwrap();
        one.writable().await.unwrap();
        let slices = vec![IoSlice::new(b"a"); SLICES];
        let mut written = 0;
        while written < SLICES {
            written += one.write_vectored(&slices[written..]).await.unwrap();
        }
    });
}

#[test]
fn more_slices_than_the_system_takes_are_read_one_read_after_the_other() {
    without_waiting(|| async {
        let (mut one, mut other) = pair().await;
        one.write_all(&[b'a'; SLICES]).await.unwrap();
        other.readable().await.unwrap();
        let mut bytes = [0; SLICES];
        let mut read = 0;
        while read < SLICES {
            let rest = bytes[read..].chunks_mut(1);
            let mut slices: Vec<_> = rest.map(IoSliceMut::new).collect();
            read += other.read_vectored(&mut slices).await.unwrap();
        }
    });
}

#[test]
fn a_read_that_stops_at_a_descriptor_is_not_the_last() {
    without_waiting(|| async {
        // The system does not glue together what was sent with a descriptor and what was sent after it.
        let (sends, receives) = StdStream::pair().unwrap();
        let mut receives = UnixStream::from_std(receives).unwrap();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut with_it = SendAncillaryBuffer::new(&mut space);
        let descriptors = [sends.as_fd()];
        assert!(with_it.push(SendAncillaryMessage::ScmRights(&descriptors)));
        let none = &mut SendAncillaryBuffer::default();
        for (bytes, with_it) in [(b"one", &mut with_it), (b"two", none)] {
            sendmsg(&sends, &[IoSlice::new(bytes)], with_it, SendFlags::empty()).unwrap();
        }
        receives.readable().await.unwrap();
        let mut all = [0; 64];
        let mut read = 0;
        while read < 6 {
            read += receives.read(&mut all[read..]).await.unwrap();
        }
        assert_eq!(&all[..6], b"onetwo");
    });
}
