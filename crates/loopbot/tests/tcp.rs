//! TCP: every byte arrives, in order, whatever is done to the connection.
#![cfg(feature = "net")]

mod common;

use std::cell::Cell;
use std::future::poll_fn;
use std::io::{ErrorKind, IoSlice, IoSliceMut};
use std::net::{Shutdown, SocketAddr};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use common::with_an_end;
use futures::future::join_all;
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt, poll};
use loopbot::net::{TcpListener, TcpStream};

/// A listener on a free port of this machine's own network, and its address.
async fn door() -> (TcpListener, SocketAddr) {
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = door.local_addr().unwrap();
    (door, address)
}

/// Two streams that are connected to each other.
async fn pair() -> (TcpStream, TcpStream) {
    let (door, address) = door().await;
    let connects = loopbot::spawn(TcpStream::connect(address));
    let (one, _) = door.accept().await.unwrap();
    (one, connects.await.unwrap().unwrap())
}

/// Runs a test on a LoopBot of its own, with an end.
fn on_loopbot<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    with_an_end(|| loopbot::run(test()));
}

/// Bytes that tell where they are: byte `n` of stream `seed`.
fn byte(seed: u64, n: u64) -> u8 {
    let mixed = (seed ^ n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed >> 32) as u8
}

fn bytes(seed: u64, length: usize) -> Vec<u8> {
    (0..length as u64).map(|n| byte(seed, n)).collect()
}

#[test]
fn what_is_written_is_read() {
    on_loopbot(|| async {
        let (mut one, mut other) = pair().await;
        one.write_all(b"risotto").await.unwrap();
        let mut dish = [0; 7];
        other.read_exact(&mut dish).await.unwrap();
        assert_eq!(&dish, b"risotto");
        other.write_all(b"thanks").await.unwrap();
        drop(other);
        let mut answer = String::new();
        one.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "thanks");
    });
}

#[test]
fn addresses_are_the_other_sides() {
    on_loopbot(|| async {
        let (door, address) = door().await;
        let connects = loopbot::spawn(TcpStream::connect(address));
        let (one, from) = door.accept().await.unwrap();
        let other = connects.await.unwrap().unwrap();
        assert_eq!(other.peer_addr().unwrap(), address);
        assert_eq!(other.local_addr().unwrap(), from);
        assert_eq!(one.peer_addr().unwrap(), from);
        assert_eq!(one.local_addr().unwrap(), address);
        one.set_nodelay(true).unwrap();
        assert!(one.nodelay().unwrap());
    });
}

#[test]
fn more_than_fits_into_the_systems_buffers_is_written_while_it_is_read() {
    on_loopbot(|| async {
        let (mut one, mut other) = pair().await;
        let sent = bytes(1, 16 << 20);
        let expected = sent.clone();
        let writes = loopbot::spawn(async move {
            one.write_all(&sent).await.unwrap();
        });
        let mut got = Vec::new();
        other.read_to_end(&mut got).await.unwrap();
        writes.await.unwrap();
        assert!(got == expected, "{} bytes came, or others", got.len());
    });
}

#[test]
fn both_directions_at_once_through_references() {
    on_loopbot(|| async {
        let (one, other) = pair().await;
        let there = async {
            let sent = bytes(2, 4 << 20);
            (&one).write_all(&sent).await.unwrap();
            (&one).close().await.unwrap();
        };
        let back = async {
            let mut got = Vec::new();
            (&one).read_to_end(&mut got).await.unwrap();
            got
        };
        let echoes = async {
            let copied = futures::io::copy(&other, &mut &other).await.unwrap();
            (&other).close().await.unwrap();
            copied
        };
        let ((), got, copied) = futures::join!(there, back, echoes);
        assert_eq!(copied, 4 << 20);
        assert!(got == bytes(2, 4 << 20));
    });
}

#[test]
fn vectored_reads_and_writes_keep_the_order() {
    on_loopbot(|| async {
        let (mut one, mut other) = pair().await;
        let sent = bytes(3, 3000);
        let (a, b) = sent.split_at(1000);
        let written = one
            .write_vectored(&[IoSlice::new(a), IoSlice::new(&[]), IoSlice::new(b)])
            .await
            .unwrap();
        assert_eq!(written, 3000);
        let (mut c, mut d) = ([0; 500], [0; 2500]);
        let mut read = 0;
        while read < 3000 {
            let got = match read {
                0 => {
                    let mut parts = [IoSliceMut::new(&mut c), IoSliceMut::new(&mut d)];
                    other.read_vectored(&mut parts).await.unwrap()
                }
                _ => other.read(&mut d[read - 500..]).await.unwrap(),
            };
            read += got;
        }
        assert_eq!([&c[..], &d[..]].concat(), sent);
    });
}

#[test]
fn half_closed_is_half_open() {
    on_loopbot(|| async {
        let (mut one, mut other) = pair().await;
        one.write_all(b"the last order").await.unwrap();
        one.shutdown(Shutdown::Write).unwrap();
        let mut order = String::new();
        other.read_to_string(&mut order).await.unwrap();
        assert_eq!(order, "the last order");
        other.write_all(b"is served").await.unwrap();
        drop(other);
        let mut answer = String::new();
        one.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "is served");
    });
}

/// Data and the end of the stream that arrive together are one event. Whoever reads less than the buffer holds
/// must not take that for "nothing is left until the next event".
#[test]
fn the_end_that_arrives_together_with_the_data_is_seen() {
    on_loopbot(|| async {
        for _ in 0..100 {
            let (one, mut other) = pair().await;
            let reads = loopbot::spawn(async move {
                let mut got = Vec::new();
                let mut buffer = [0; 1024];
                loop {
                    match other.read(&mut buffer).await.unwrap() {
                        0 => return got,
                        n => got.extend_from_slice(&buffer[..n]),
                    }
                }
            });
            loopbot::yield_now().await; // it waits
            // Before LoopBot looks at the poller again.
            assert_eq!(one.try_write(b"bill").unwrap(), 4);
            drop(one);
            assert_eq!(reads.await.unwrap(), b"bill");
        }
    });
}

#[test]
fn owned_halves_close_one_after_the_other() {
    on_loopbot(|| async {
        let (one, mut other) = pair().await;
        let (mut reads, mut writes) = one.split();
        let writer = loopbot::spawn(async move {
            writes.write_all(b"all of it").await.unwrap();
        });
        let mut got = String::new();
        other.read_to_string(&mut got).await.unwrap(); // ends, because the half that writes is gone
        assert_eq!(got, "all of it");
        writer.await.unwrap();
        other.write_all(b"and back").await.unwrap();
        drop(other);
        let mut back = String::new();
        reads.read_to_string(&mut back).await.unwrap();
        assert_eq!(back, "and back");
    });
}

#[test]
fn a_reset_is_an_error_and_not_an_end() {
    on_loopbot(|| async {
        let (one, mut other) = pair().await;
        let reads = loopbot::spawn(async move { other.read(&mut [0; 8]).await });
        loopbot::yield_now().await;
        socket2::SockRef::from(&one)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        drop(one);
        let error = reads.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn writing_to_nobody_is_an_error() {
    on_loopbot(|| async {
        let (mut one, other) = pair().await;
        drop(other);
        let error = loop {
            if let Err(error) = one.write_all(&[0; 1000]).await {
                break error;
            }
        };
        let kind = error.kind();
        assert!(matches!(
            kind,
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted
        ));
    });
}

#[test]
fn nobody_listens_there() {
    on_loopbot(|| async {
        let (door, address) = door().await;
        drop(door);
        let error = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn of_several_addresses_the_first_that_answers() {
    on_loopbot(|| async {
        let (gone, nobody) = door().await;
        drop(gone);
        let (door, address) = door().await;
        let connects = TcpStream::connect([nobody, address]);
        let (accepted, connected) = futures::join!(door.accept(), connects);
        assert_eq!(connected.unwrap().peer_addr().unwrap(), address);
        accepted.unwrap();
        let error = TcpStream::connect([nobody, nobody]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let error = TcpStream::connect(Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(
            error.to_string(),
            "no address was given: there must be at least one"
        );
    });
}

/// A door whose queue is full lets nobody in and turns nobody away.
#[test]
#[cfg(target_os = "linux")]
fn connect_gives_up_when_its_time_is_over() {
    on_loopbot(|| async {
        use socket2::{Domain, Socket, Type};
        let door = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        door.bind(&any.into()).unwrap();
        door.listen(0).unwrap();
        let address = door.local_addr().unwrap().as_socket().unwrap();
        let limit = Duration::from_millis(30);
        let mut queue = Vec::new();
        let error = loop {
            match TcpStream::connect_timeout(address, limit).await {
                Ok(stream) => queue.push(stream),
                Err(error) => break error,
            }
            assert!(queue.len() < 100, "the system's queue has no end");
        };
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(
            error.to_string(),
            "nobody answered the connection within 30ms"
        );
    });
}

#[test]
fn what_is_no_address_is_said_in_a_sentence() {
    on_loopbot(|| async {
        let error = TcpStream::connect("localhost").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"localhost\" is no address: write a host and a port, such as \"localhost:8080\""
        );
        let error = TcpListener::bind("127.0.0.1:http").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn readable_is_true_and_writable_is_true() {
    on_loopbot(|| async {
        let (one, other) = pair().await;
        other.writable().await.unwrap();
        let mut readable = pin!(one.readable());
        assert!(poll!(readable.as_mut()).is_pending());
        assert_eq!(
            one.try_read(&mut [0; 8]).unwrap_err().kind(),
            ErrorKind::WouldBlock
        );
        assert_eq!(other.try_write(b"soup").unwrap(), 4);
        readable.await.unwrap();
        one.readable().await.unwrap(); // still true
        assert_eq!(one.peek(&mut [0; 8]).await.unwrap(), 4);
        assert_eq!(one.try_read(&mut [0; 8]).unwrap(), 4);
        // Not true any more, although it was a moment ago.
        let mut readable = pin!(one.readable());
        for _ in 0..10 {
            assert!(poll!(readable.as_mut()).is_pending());
            loopbot::sleep(Duration::from_millis(1)).await;
        }
        drop(other);
        readable.await.unwrap(); // the end
        assert_eq!(one.try_read(&mut [0; 8]).unwrap(), 0);
    });
}

/// Polls a future so many times, one turn after the other, and then drops it, or gives what it made before that.
async fn up_to<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        cx.waker().wake_by_ref();
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

/// A read that is dropped after each number of polls takes no byte with it.
#[test]
fn a_read_that_is_dropped_loses_nothing() {
    on_loopbot(|| async {
        for polls in 0..4 {
            let (mut one, mut other) = pair().await;
            let sent = bytes(4, 300);
            let writes = loopbot::spawn({
                let sent = sent.clone();
                async move {
                    for byte in sent {
                        one.write_all(&[byte]).await.unwrap();
                        loopbot::yield_now().await;
                    }
                }
            });
            let mut got = Vec::new();
            while got.len() < 300 {
                let mut buffer = [0; 7];
                let read = match up_to(polls, other.read(&mut buffer)).await {
                    Some(read) => read,
                    None => other.read(&mut buffer).await, // and the next one gets everything
                };
                got.extend_from_slice(&buffer[..read.unwrap()]);
            }
            writes.await.unwrap();
            assert!(got == sent, "after {polls} polls");
        }
    });
}

#[test]
fn an_accept_that_is_dropped_loses_no_connection() {
    on_loopbot(|| async {
        for polls in 0..4 {
            let (door, address) = door().await;
            let connects = TcpStream::connect(address);
            let accepts = async {
                match up_to(polls, door.accept()).await {
                    Some(accepted) => accepted,
                    None => door.accept().await,
                }
            };
            let (connected, accepted) = futures::join!(connects, accepts);
            assert_eq!(
                accepted.unwrap().1,
                connected.unwrap().local_addr().unwrap()
            );
        }
    });
}

#[test]
fn a_readable_that_is_dropped_loses_nothing() {
    on_loopbot(|| async {
        for polls in 0..4 {
            let (one, mut other) = pair().await;
            other.write_all(b"!").await.unwrap();
            let _ = up_to(polls, one.readable()).await;
            one.readable().await.unwrap();
            assert_eq!(one.try_read(&mut [0; 8]).unwrap(), 1);
        }
    });
}

#[test]
fn a_connect_that_is_dropped_is_closed() {
    on_loopbot(|| async {
        for polls in 0..3 {
            let (door, address) = door().await;
            let connected = up_to(polls, TcpStream::connect(address)).await;
            if polls == 0 {
                assert!(connected.is_none());
                continue; // nothing was begun
            }
            let (mut stream, _) = door.accept().await.unwrap();
            drop(connected);
            assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
        }
    });
}

#[test]
fn several_tasks_wait_for_the_same_connection_to_read() {
    on_loopbot(|| async {
        let (mut one, other) = pair().await;
        let other = Rc::new(other);
        let readers: Vec<_> = (0..20)
            .map(|_| {
                let other = other.clone();
                loopbot::spawn(async move { (&*other).read(&mut [0; 1]).await.unwrap() })
            })
            .collect();
        loopbot::yield_now().await;
        for _ in 0..20 {
            one.write_all(b"!").await.unwrap();
            loopbot::sleep(Duration::from_micros(200)).await;
        }
        for reader in readers {
            assert_eq!(reader.await.unwrap(), 1);
        }
    });
}

#[test]
fn several_tasks_accept_at_one_door() {
    on_loopbot(|| async {
        let (door, address) = door().await;
        let door = Rc::new(door);
        let accepted = Rc::new(Cell::new(0));
        for _ in 0..5 {
            let (door, accepted) = (door.clone(), accepted.clone());
            loopbot::spawn(async move {
                loop {
                    door.accept().await.unwrap();
                    accepted.set(accepted.get() + 1);
                    loopbot::yield_now().await;
                }
            });
        }
        let guests = (0..100).map(|_| TcpStream::connect(address));
        for guest in join_all(guests).await {
            let end = guest.unwrap().read(&mut [0; 1]).await;
            assert!(matches!(end, Ok(0)), "{end:?}");
        }
        assert_eq!(accepted.get(), 100);
    });
}

#[test]
fn incoming_is_a_stream_of_connections() {
    on_loopbot(|| async {
        let (door, address) = door().await;
        let guests = loopbot::spawn(async move {
            for n in 0..5_u8 {
                let mut guest = TcpStream::connect(address).await.unwrap();
                guest.write_all(&[n]).await.unwrap();
            }
        });
        let mut seen = Vec::new();
        let mut incoming = door.incoming().take(5);
        while let Some(stream) = incoming.next().await {
            stream.unwrap().read_to_end(&mut seen).await.unwrap();
        }
        assert_eq!(seen, [0, 1, 2, 3, 4]);
        guests.await.unwrap();
    });
}

/// One slot of the reactor is used by one socket after the other; no event goes to the next.
#[test]
fn a_new_socket_hears_nothing_of_the_one_before() {
    on_loopbot(|| async {
        let (door, address) = door().await;
        for _ in 0..300 {
            let (accepted, connected) = futures::join!(door.accept(), TcpStream::connect(address));
            let (one, mut other) = (accepted.unwrap().0, connected.unwrap());
            other.write_all(b"for the one before").await.unwrap();
            drop(one);
            let (one, other) = pair().await;
            let mut readable = pin!(one.readable());
            assert!(poll!(readable.as_mut()).is_pending());
            loopbot::yield_now().await;
            assert!(poll!(readable.as_mut()).is_pending());
            drop(other);
            readable.await.unwrap();
        }
    });
}

#[test]
fn a_stream_can_move_to_another_loopbot() {
    with_an_end(|| {
        let (one, other) = loopbot::run(async {
            let (one, other) = pair().await;
            (one.into_std(), other)
        });
        loopbot::run(async move {
            let mut one = TcpStream::from_std(one).unwrap();
            // This one was not moved, and says so instead of waiting for ever.
            let error = (&other).read(&mut [0; 8]).await.unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with("a socket was awaited outside the LoopBot"),
                "{error}"
            );
            other.try_write(b"still connected").unwrap();
            let mut got = [0; 15];
            one.read_exact(&mut got).await.unwrap();
            assert_eq!(&got, b"still connected");
        });
    });
}

#[test]
fn a_socket_needs_a_loopbot() {
    let panic = std::panic::catch_unwind(|| {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let _ = TcpListener::from_std(socket);
    });
    let panic = panic.unwrap_err();
    let said = panic.downcast_ref::<String>().expect("a sentence");
    assert!(said.contains("where no LoopBot runs"), "{said}");
}

/// Other tasks and timers have their turn while a connection is busy.
#[test]
fn a_busy_connection_starves_nobody() {
    on_loopbot(|| async {
        let (one, other) = pair().await;
        let busy = loopbot::spawn(async move {
            let mut buffer = [0; 1];
            loop {
                (&one).write_all(b"!").await.unwrap();
                (&other).read_exact(&mut buffer).await.unwrap();
            }
        });
        for _ in 0..50 {
            loopbot::sleep(Duration::from_micros(300)).await;
            loopbot::yield_now().await;
        }
        busy.abort();
        assert!(busy.await.unwrap_err().is_cancelled());
    });
}

/// Every descriptor that a LoopBot opened is closed when it has ended.
#[test]
#[cfg(target_os = "linux")]
fn no_descriptor_is_left_open() {
    // In a process of its own: other tests open and close descriptors at the same time.
    const ALONE: &str = "LOOPBOT_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let test = "no_descriptor_is_left_open";
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(ALONE, "1")
            .status()
            .unwrap();
        assert!(status.success(), "see above");
        return;
    }
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let night = || {
        loopbot::run(async {
            let (door, address) = door().await;
            let mut kept = Vec::new();
            for n in 0..200 {
                let (accepted, connected) =
                    futures::join!(door.accept(), TcpStream::connect(address));
                let (one, other) = (accepted.unwrap().0, connected.unwrap());
                match n % 4 {
                    0 => kept.push((one, other)), // left to the end of the run
                    1 => drop((one, other)),
                    2 => {
                        let (mut reads, writes) = one.into_split();
                        loopbot::spawn(async move { reads.read(&mut [0; 8]).await });
                        drop(writes);
                        loopbot::spawn(async move {
                            let _held = other;
                            std::future::pending::<()>().await
                        });
                    }
                    _ => drop((one.into_std(), other)),
                }
            }
            let _ = up_to(1, TcpStream::connect(address)).await;
        });
    };
    night();
    let before = open();
    for _ in 0..5 {
        night();
        assert_eq!(open(), before);
    }
}

/// 1,000 connections at once, each with its own bytes, slow readers and halves that close early among them.
#[test]
fn many_connections_and_every_byte_accounted_for() {
    on_loopbot(|| async {
        let (door, address) = door().await;
        loopbot::spawn(async move {
            loop {
                let (stream, _) = door.accept().await.unwrap();
                loopbot::spawn(async move {
                    futures::io::copy(&stream, &mut &stream).await?;
                    (&stream).close().await
                });
            }
        });
        let guests = (0..1000_u64).map(|seed| {
            loopbot::spawn(async move {
                let stream = TcpStream::connect(address).await.unwrap();
                let length = (seed * 7919 % 30_000) as usize;
                let sends = async {
                    for part in bytes(seed, length).chunks(1 + (seed as usize * 31) % 5000) {
                        (&stream).write_all(part).await.unwrap();
                        if seed % 3 == 0 {
                            loopbot::sleep(Duration::from_micros(seed % 700)).await;
                        }
                    }
                    stream.shutdown(Shutdown::Write).unwrap();
                };
                let receives = async {
                    let mut n = 0;
                    let mut buffer = vec![0; 1 + (seed as usize * 17) % 3000];
                    loop {
                        let got = (&stream).read(&mut buffer).await.unwrap();
                        if got == 0 {
                            return n;
                        }
                        for &b in &buffer[..got] {
                            assert_eq!(b, byte(seed, n), "byte {n} of connection {seed}");
                            n += 1;
                        }
                        if seed % 5 == 0 {
                            loopbot::sleep(Duration::from_micros(seed % 900)).await;
                        }
                    }
                };
                let ((), received) = futures::join!(sends, receives);
                assert_eq!(received, length as u64, "of connection {seed}");
            })
        });
        for guest in guests.collect::<Vec<_>>() {
            guest.await.unwrap();
        }
    });
}
