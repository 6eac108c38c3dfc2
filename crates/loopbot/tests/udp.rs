//! UDP: each datagram whole, with where it came from.
#![cfg(feature = "net")]

mod common;

use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;

use common::with_an_end;
use loopbot::net::UdpSocket;

async fn socket() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn on_loopbot<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    with_an_end(|| loopbot::run(test()));
}

#[test]
fn datagrams_stay_whole_and_say_where_they_came_from() {
    on_loopbot(|| async {
        let (kitchen, to_kitchen) = socket().await;
        let (bar, from_bar) = socket().await;
        let mut buffer = [0; 64];
        let receives = loopbot::spawn(async move {
            let mut got = Vec::new();
            for _ in 0..3 {
                let (length, from) = kitchen.recv_from(&mut buffer).await.unwrap();
                assert_eq!(from, from_bar);
                got.push(buffer[..length].to_vec());
            }
            got
        });
        loopbot::yield_now().await; // it waits
        assert_eq!(bar.send_to(b"wine", to_kitchen).await.unwrap(), 4);
        bar.send_to(b"", to_kitchen).await.unwrap();
        bar.send_to(b"water", to_kitchen.to_string()).await.unwrap();
        assert_eq!(receives.await.unwrap(), [&b"wine"[..], b"", b"water"]);
    });
}

#[test]
fn a_connected_socket_hears_one_other_only() {
    on_loopbot(|| async {
        let (one, one_address) = socket().await;
        let (other, other_address) = socket().await;
        let (stranger, _) = socket().await;
        one.connect(other_address).await.unwrap();
        other.connect(one_address).await.unwrap();
        assert_eq!(one.peer_addr().unwrap(), other_address);
        stranger.send_to(b"psst", one_address).await.unwrap();
        other.send(b"hello").await.unwrap();
        let mut buffer = [0; 64];
        assert_eq!(one.recv(&mut buffer).await.unwrap(), 5);
        assert_eq!(&buffer[..5], b"hello");
        one.readable_would_wait().await;
    });
}

trait WouldWait {
    async fn readable_would_wait(&self);
}

impl WouldWait for UdpSocket {
    async fn readable_would_wait(&self) {
        let mut readable = pin!(self.readable());
        for _ in 0..5 {
            poll_fn(|cx| {
                assert!(readable.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            loopbot::yield_now().await;
        }
    }
}

#[test]
fn peeked_at_is_not_taken() {
    on_loopbot(|| async {
        let (one, address) = socket().await;
        let (other, from) = socket().await;
        other.send_to(b"menu", address).await.unwrap();
        one.readable().await.unwrap();
        let mut buffer = [0; 8];
        assert_eq!(one.peek_from(&mut buffer).await.unwrap(), (4, from));
        assert_eq!(one.recv_from(&mut buffer).await.unwrap(), (4, from));
        one.readable_would_wait().await;
        one.writable().await.unwrap();
    });
}

/// A receive that is dropped after each number of polls takes no datagram with it.
#[test]
fn a_receive_that_is_dropped_loses_nothing() {
    on_loopbot(|| async {
        for polls in 0..4 {
            let (one, address) = socket().await;
            let (other, _) = socket().await;
            let sends = loopbot::spawn(async move {
                for n in 0..50_u8 {
                    other.send_to(&[n], address).await.unwrap();
                    loopbot::yield_now().await;
                }
            });
            for n in 0..50 {
                let mut buffer = [0; 8];
                let dropped = {
                    let mut receive = pin!(one.recv(&mut buffer));
                    let mut left = polls;
                    poll_fn(move |cx| {
                        if left == 0 {
                            return Poll::Ready(None);
                        }
                        left -= 1;
                        cx.waker().wake_by_ref();
                        receive.as_mut().poll(cx).map(Some)
                    })
                    .await
                };
                let length = match dropped {
                    Some(received) => received,
                    None => one.recv(&mut buffer).await,
                };
                assert_eq!((length.unwrap(), buffer[0]), (1, n));
            }
            sends.await.unwrap();
        }
    });
}

#[test]
fn what_does_not_fit_is_an_error_and_not_a_hang() {
    on_loopbot(|| async {
        let (one, address) = socket().await;
        let error = one.send_to(&[0; 70_000], address).await.unwrap_err();
        assert_ne!(error.kind(), ErrorKind::WouldBlock);
        let error = one.connect(&[][..]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}
