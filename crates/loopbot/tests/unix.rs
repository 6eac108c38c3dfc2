//! Unix sockets.
#![cfg(all(unix, feature = "net"))]

mod common;

use std::io::ErrorKind;

use common::with_an_end;
use futures::{AsyncReadExt, AsyncWriteExt};
use loopbot::net::{UnixDatagram, UnixListener, UnixStream};

fn on_loopbot<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    with_an_end(|| loopbot::run(test()));
}

#[test]
fn a_listener_has_a_path() {
    on_loopbot(|| async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("door");
        let door = UnixListener::bind(&path).unwrap();
        assert_eq!(door.local_addr().unwrap().as_pathname(), Some(&*path));
        let guest = loopbot::spawn({
            let path = path.clone();
            async move {
                let mut stream = UnixStream::connect(&path).await.unwrap();
                assert_eq!(stream.peer_addr().unwrap().as_pathname(), Some(&*path));
                stream.write_all(b"a table, please").await.unwrap();
                stream.close().await.unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).await.unwrap();
                answer
            }
        });
        let (mut stream, from) = door.accept().await.unwrap();
        assert!(from.is_unnamed());
        let mut asked = String::new();
        stream.read_to_string(&mut asked).await.unwrap();
        assert_eq!(asked, "a table, please");
        stream.write_all(b"this way").await.unwrap();
        drop(stream);
        assert_eq!(guest.await.unwrap(), "this way");
        let error = UnixListener::bind(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
    });
}

#[test]
fn nobody_listens_there() {
    on_loopbot(|| async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no door");
        let error = UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        drop(UnixListener::bind(&path).unwrap());
        let error = UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let long = "x".repeat(500);
        let error = UnixStream::connect(long).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_pair_carries_more_than_its_buffers_hold() {
    on_loopbot(|| async {
        let (mut one, mut other) = UnixStream::pair().unwrap();
        let sent: Vec<u8> = (0..3_000_000_u32).map(|n| ((n * 31) >> 8) as u8).collect();
        let expected = sent.clone();
        let writes = loopbot::spawn(async move { one.write_all(&sent).await });
        let mut got = Vec::new();
        other.read_to_end(&mut got).await.unwrap();
        writes.await.unwrap().unwrap();
        assert!(got == expected);
    });
}

#[test]
fn who_sends_datagrams_waits_for_who_reads_them() {
    on_loopbot(|| async {
        let (one, other) = UnixDatagram::pair().unwrap();
        let sends = loopbot::spawn(async move {
            for n in 0..5000_u16 {
                one.send(&n.to_be_bytes()).await.unwrap();
            }
        });
        for n in 0..5000_u16 {
            let mut buffer = [0; 8];
            assert_eq!(other.recv(&mut buffer).await.unwrap(), 2);
            assert_eq!(buffer[..2], n.to_be_bytes());
        }
        sends.await.unwrap();
    });
}

#[test]
fn datagrams_between_paths() {
    on_loopbot(|| async {
        let folder = tempfile::tempdir().unwrap();
        let (kitchen, bar) = (folder.path().join("kitchen"), folder.path().join("bar"));
        let one = UnixDatagram::bind(&kitchen).unwrap();
        let other = UnixDatagram::bind(&bar).unwrap();
        other.send_to(b"ice", &kitchen).await.unwrap();
        let mut buffer = [0; 8];
        let (length, from) = one.recv_from(&mut buffer).await.unwrap();
        assert_eq!(
            (&buffer[..length], from.as_pathname()),
            (&b"ice"[..], Some(&*bar))
        );
        let unnamed = UnixDatagram::unbound().unwrap();
        unnamed.connect(&kitchen).unwrap();
        unnamed.send(b"?").await.unwrap();
        let (length, from) = one.recv_from(&mut buffer).await.unwrap();
        assert!(length == 1 && from.is_unnamed());
        assert!(unnamed.local_addr().unwrap().is_unnamed());
    });
}
