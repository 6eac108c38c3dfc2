//! From a name to an address, without holding LoopBot up.
#![cfg(feature = "net")]

mod common;

use std::net::{Ipv6Addr, SocketAddr};

use common::with_an_end;
use futures::future::join_all;
use loopbot::net::{TcpListener, TcpStream, lookup};

fn on_loopbot<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    with_an_end(|| loopbot::run(test()));
}

#[test]
fn a_literal_address_is_its_own_answer_at_once() {
    on_loopbot(|| async {
        let six = SocketAddr::from((Ipv6Addr::LOCALHOST, 80));
        for (host, address) in [
            ("127.0.0.1", "127.0.0.1:80".parse().unwrap()),
            ("::1", six),
            ("[::1]", six),
        ] {
            let mut asks = std::pin::pin!(lookup(host, 80));
            let std::task::Poll::Ready(found) = futures::poll!(asks.as_mut()) else {
                panic!("{host} needs no lookup");
            };
            assert_eq!(found.unwrap(), [address]);
        }
    });
}

#[test]
fn localhost_is_this_machine() {
    on_loopbot(|| async {
        let found = lookup("localhost", 8080).await.unwrap();
        assert!(!found.is_empty());
        for address in found {
            assert!(
                address.ip().is_loopback() && address.port() == 8080,
                "{address}"
            );
        }
    });
}

/// More questions than threads; LoopBot goes on meanwhile, and each gets its own answer.
#[test]
fn many_questions_at_once() {
    on_loopbot(|| async {
        let others = loopbot::spawn(async {
            for _ in 0..100 {
                loopbot::yield_now().await;
            }
        });
        let asks = (1..=50).map(|port| lookup("localhost", port));
        for (found, port) in join_all(asks).await.into_iter().zip(1..) {
            let found = found.unwrap();
            assert!(found.iter().all(|address| address.port() == port));
        }
        others.await.unwrap();
    });
}

#[test]
fn a_question_that_is_dropped_keeps_nobody_busy() {
    on_loopbot(|| async {
        for _ in 0..100 {
            let mut asks = std::pin::pin!(lookup("localhost", 1));
            let _ = futures::poll!(asks.as_mut());
        }
        lookup("localhost", 1).await.unwrap();
    });
}

#[test]
fn a_name_that_nobody_has() {
    on_loopbot(|| async {
        // ".invalid" is reserved for this.
        let error = lookup("no-such-restaurant.invalid", 80).await.unwrap_err();
        let said = error.to_string();
        let begins = "no address was found for the host \"no-such-restaurant.invalid\": ";
        assert!(said.starts_with(begins), "{said}");
        let error = lookup("not\0a name", 80).await.unwrap_err();
        assert!(error.to_string().contains("not\\0a name"), "{error}");
    });
}

#[test]
fn connecting_and_binding_take_names() {
    on_loopbot(|| async {
        let door = TcpListener::bind("localhost:0").await.unwrap();
        let port = door.local_addr().unwrap().port();
        for _ in 0..2 {
            let (accepted, connected) =
                futures::join!(door.accept(), TcpStream::connect(("localhost", port)));
            let from = connected.unwrap().local_addr().unwrap();
            assert_eq!(accepted.unwrap().1, from);
        }
    });
}
