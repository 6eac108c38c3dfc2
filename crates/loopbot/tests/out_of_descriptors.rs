//! When a process has no descriptor left: nobody is turned away, and everything goes on when there are some again.
#![cfg(all(target_os = "linux", feature = "net"))]

mod common;

use std::fs::File;
use std::io::ErrorKind;
use std::pin::pin;
use std::process::Command;
use std::time::Duration;

use common::with_an_end;
use futures::{AsyncReadExt, AsyncWriteExt, poll};
use loopbot::net::{TcpListener, TcpStream};

/// Runs the test of this name in a process of its own, which may open 64 descriptors.
fn with_few_descriptors(test: &str, body: impl FnOnce() + Send + 'static) {
    const ALONE: &str = "LOOPBOT_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        with_an_end(body);
        return;
    }
    let status = Command::new("sh")
        .args([
            "-c",
            "ulimit -n 64 && exec \"$0\" --exact \"$1\" --nocapture",
        ])
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .env(ALONE, "1")
        .status()
        .unwrap();
    assert!(status.success(), "see above");
}

/// Opens files until there is no descriptor left.
fn take_them_all() -> Vec<File> {
    let mut taken = Vec::new();
    loop {
        match File::open("/dev/null") {
            Ok(file) => taken.push(file),
            Err(error) => {
                assert_eq!(error.raw_os_error(), Some(24), "{error}"); // EMFILE
                return taken;
            }
        }
    }
}

#[test]
fn accept_backs_off_and_recovers() {
    with_few_descriptors("accept_backs_off_and_recovers", || {
        loopbot::run(async {
            let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = door.local_addr().unwrap();
            let mut guest = TcpStream::connect(address).await.unwrap();
            guest.write_all(b"is anybody there?").await.unwrap();
            let mut taken = take_them_all();

            let mut accepts = pin!(door.accept());
            for _ in 0..10 {
                assert!(poll!(accepts.as_mut()).is_pending());
                loopbot::sleep(Duration::from_millis(2)).await;
            }
            let error = TcpStream::connect(address).await.unwrap_err();
            assert_eq!(error.raw_os_error(), Some(24), "{error}");

            taken.pop();
            let (mut stream, _) = accepts.await.unwrap();
            let mut said = [0; 17];
            stream.read_exact(&mut said).await.unwrap();
            assert_eq!(&said, b"is anybody there?");

            // And it is an accept like any other afterwards.
            drop(taken);
            let (accepted, connected) = futures::join!(door.accept(), TcpStream::connect(address));
            connected.unwrap();
            accepted.unwrap();
        });
    });
}

#[test]
fn a_loopbot_without_a_poller_says_so() {
    with_few_descriptors("a_loopbot_without_a_poller_says_so", || {
        let taken = take_them_all();
        loopbot::run(async {
            loopbot::sleep(Duration::from_millis(1)).await; // without sockets it needs none
            let error = TcpListener::bind("127.0.0.1:0").await.unwrap_err();
            assert_eq!(error.raw_os_error(), Some(24), "{error}");
            drop(taken);
            TcpListener::bind("127.0.0.1:0").await.unwrap();
            let error = TcpStream::connect("0.0.0.0:0").await.unwrap_err();
            assert_ne!(error.kind(), ErrorKind::WouldBlock);
        });
    });
}
