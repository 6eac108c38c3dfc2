//! Any descriptor.
#![cfg(all(unix, feature = "net"))]

mod common;

use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write, pipe};
use std::os::unix::net::UnixStream;
use std::pin::pin;

use common::with_an_end;
use futures::poll;
use loopbot::net::Source;

fn on_loopbot<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    with_an_end(|| loopbot::run(test()));
}

/// A pipe whose ends do not block.
fn open_pipe() -> (Source<PipeReader>, Source<PipeWriter>) {
    let (reads, writes) = pipe().unwrap();
    rustix::io::ioctl_fionbio(&reads, true).unwrap();
    rustix::io::ioctl_fionbio(&writes, true).unwrap();
    (Source::new(reads).unwrap(), Source::new(writes).unwrap())
}

fn read(pipe: &PipeReader) -> io::Result<usize> {
    (&mut &*pipe).read(&mut [0; 1000])
}

#[test]
fn readable_tells_the_truth_about_now() {
    on_loopbot(|| async {
        let (reads, writes) = open_pipe();
        for _ in 0..20 {
            let mut readable = pin!(reads.readable());
            for _ in 0..3 {
                assert!(poll!(readable.as_mut()).is_pending());
                loopbot::yield_now().await;
            }
            (&mut writes.get_ref()).write_all(b"bell").unwrap();
            readable.await.unwrap();
            reads.readable().await.unwrap(); // nobody has read it
            assert_eq!(read(reads.get_ref()).unwrap(), 4);
        }
        drop(writes);
        reads.readable().await.unwrap(); // the end
        assert_eq!(read(reads.get_ref()).unwrap(), 0);
    });
}

#[test]
fn who_writes_waits_for_room() {
    on_loopbot(|| async {
        let (reads, writes) = open_pipe();
        let writer = loopbot::spawn(async move {
            let mut written = 0;
            while written < 1_000_000 {
                let write = |pipe: &PipeWriter| (&mut &*pipe).write(&[7; 999]);
                written += writes.write_with(write).await.unwrap();
            }
            written
        });
        let mut got = 0;
        loop {
            match reads.read_with(read).await.unwrap() {
                0 => break,
                n => got += n,
            }
        }
        assert_eq!(writer.await.unwrap(), got);
    });
}

#[test]
fn several_tasks_wait_for_both_directions() {
    on_loopbot(|| async {
        let (one, mut other) = UnixStream::pair().unwrap();
        one.set_nonblocking(true).unwrap();
        let one = std::rc::Rc::new(Source::new(one).unwrap());
        let waits = |write: bool| {
            let one = one.clone();
            loopbot::spawn(async move {
                match write {
                    true => one.writable().await,
                    false => one.readable().await,
                }
            })
        };
        let tasks: Vec<_> = (0..6).map(|n| waits(n % 2 == 1)).collect();
        let (mut readers, mut writers) = (Vec::new(), Vec::new());
        for (n, task) in tasks.into_iter().enumerate() {
            [&mut readers, &mut writers][n % 2].push(task);
        }
        for writer in writers {
            writer.await.unwrap().unwrap();
        }
        assert!(readers.iter().all(|reader| !reader.is_finished()));
        other.write_all(b"!").unwrap();
        for reader in readers {
            reader.await.unwrap().unwrap();
        }
    });
}

#[test]
fn a_descriptor_that_is_given_back_can_be_watched_again() {
    on_loopbot(|| async {
        let (reads, writes) = open_pipe();
        let reads = Source::new(reads.into_inner()).unwrap();
        drop(writes);
        reads.readable().await.unwrap();
    });
}

#[test]
fn what_the_system_cannot_watch_is_an_error() {
    on_loopbot(|| async {
        let file = tempfile::tempfile().unwrap();
        if cfg!(target_os = "linux") {
            let error = Source::new(file).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        }
        // One of the same kind as before still gets its place.
        let (reads, _writes) = open_pipe();
        let error = Source::new(reads.get_ref()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    });
}
