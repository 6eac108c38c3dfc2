//! Sockets on a virtual clock: the network is real, so while somebody waits for it, time is real as well.
#![cfg(feature = "net")]

mod common;

use std::io::Write;
use std::thread;
use std::time::Duration;

use common::{virtual_robot, with_an_end};
use futures::{AsyncReadExt, AsyncWriteExt};
use loopbot::net::{TcpListener, TcpStream, lookup};

const HOUR: Duration = Duration::from_secs(3600);

async fn pair() -> (TcpStream, TcpStream) {
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connects = TcpStream::connect(door.local_addr().unwrap());
    let (accepted, connected) = futures::join!(door.accept(), connects);
    (accepted.unwrap().0, connected.unwrap())
}

#[test]
fn what_comes_over_the_network_is_waited_for() {
    with_an_end(|| {
        virtual_robot().run(async {
            let (mut one, mut other) = pair().await;
            // Without a socket, this hour would be over before anything came over the network.
            let due = loopbot::now() + HOUR;
            let alarm = loopbot::spawn(loopbot::sleep(HOUR));
            let echo = loopbot::spawn(async move {
                let mut buffer = [0; 8];
                let n = other.read(&mut buffer).await.unwrap();
                other.write_all(&buffer[..n]).await.unwrap();
            });
            one.write_all(b"ciao").await.unwrap();
            let mut answer = [0; 4];
            one.read_exact(&mut answer).await.unwrap();
            echo.await.unwrap();
            assert!(!alarm.is_finished() && loopbot::now() < due);
            // Nobody waits for the network any more.
            alarm.await.unwrap();
            assert_eq!(loopbot::now(), due);
        });
    });
}

#[test]
fn another_program_has_all_the_time_it_needs() {
    with_an_end(|| {
        virtual_robot().run(async {
            let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = door.local_addr().unwrap();
            let guest = thread::spawn(move || {
                thread::sleep(Duration::from_millis(30));
                let mut stream = std::net::TcpStream::connect(address).unwrap();
                thread::sleep(Duration::from_millis(30));
                stream.write_all(b"sorry").unwrap();
            });
            let _alarm = loopbot::spawn(loopbot::sleep(HOUR));
            let (mut stream, _) = door.accept().await.unwrap();
            let mut said = String::new();
            stream.read_to_string(&mut said).await.unwrap();
            assert_eq!(said, "sorry");
            assert!(loopbot::now() < HOUR);
            guest.join().unwrap();
        });
    });
}

#[test]
fn a_timeout_comes_all_the_same_and_to_the_nanosecond() {
    with_an_end(|| {
        virtual_robot().run(async {
            let (mut one, other) = pair().await;
            let begun = loopbot::now();
            let limit = Duration::from_millis(20);
            let read = loopbot::timeout(limit, one.read(&mut [0; 8])).await;
            assert!(read.is_err());
            assert_eq!(loopbot::now(), begun + limit);
            drop((one, other));
            // The sockets are gone, and time jumps again.
            loopbot::sleep(HOUR).await;
            assert_eq!(loopbot::now(), begun + limit + HOUR);
        });
    });
}

#[test]
fn a_lookup_is_waited_for() {
    with_an_end(|| {
        virtual_robot().run(async {
            let _alarm = loopbot::spawn(loopbot::sleep(HOUR));
            assert!(!lookup("localhost", 1).await.unwrap().is_empty());
            assert!(loopbot::now() < HOUR);
        });
    });
}
