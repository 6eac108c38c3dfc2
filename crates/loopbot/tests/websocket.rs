//! async-tungstenite on LoopBot: WebSocket server and client on one loop, over loopback.
#![cfg(feature = "net")]

mod common;

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use async_tungstenite::tungstenite::protocol::CloseFrame;
use async_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use async_tungstenite::tungstenite::{Bytes, Error, Message};
use async_tungstenite::{WebSocketStream, accept_async, client_async};
use common::with_an_end;
use futures::future::{join, join_all};
use futures::{AsyncWriteExt, StreamExt};
use loopbot::net::{TcpListener, TcpStream};

type Socket = WebSocketStream<TcpStream>;

/// Runs a test on a LoopBot of its own, with an end.
fn on_loopbot<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    with_an_end(|| loopbot::run(test()));
}

/// Both ends of a connection, after the handshake.
async fn pair() -> (Socket, Socket) {
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = door.local_addr().unwrap();
    let serves = async {
        let (stream, _) = door.accept().await.unwrap();
        accept_async(stream).await.unwrap()
    };
    join(serves, connect(address)).await
}

async fn connect(address: SocketAddr) -> Socket {
    let stream = TcpStream::connect(address).await.unwrap();
    let (socket, _) = client_async(format!("ws://{address}/"), stream)
        .await
        .unwrap();
    socket
}

/// Says back whatever is said, until the other side leaves.
async fn echo(mut socket: Socket) {
    while let Some(message) = socket.next().await {
        let message = message.unwrap();
        if message.is_text() || message.is_binary() {
            socket.send(message).await.unwrap();
        }
    }
}

async fn hear(socket: &mut Socket) -> Message {
    socket.next().await.expect("another message").unwrap()
}

fn goodbye() -> CloseFrame {
    CloseFrame {
        code: CloseCode::Away,
        reason: "we are closing".into(),
    }
}

#[test]
fn what_is_said_is_echoed() {
    on_loopbot(|| async {
        let (ours, mut theirs) = pair().await;
        let echoes = loopbot::spawn(echo(ours));
        let big: Bytes = (0..4u32 << 20).map(|n| (n % 251) as u8).collect();
        for message in [
            Message::text("risotto"),
            Message::text("crème brûlée"),
            Message::text(""),
            Message::binary(vec![0, 255, 13, 10]),
            Message::Binary(big),
        ] {
            theirs.send(message.clone()).await.unwrap();
            assert!(
                hear(&mut theirs).await == message,
                "something else came back"
            );
        }
        theirs.close(None).await.unwrap();
        assert!(matches!(hear(&mut theirs).await, Message::Close(None)));
        assert!(theirs.next().await.is_none());
        echoes.await.unwrap();
    });
}

#[test]
fn a_ping_is_answered_while_the_other_side_waits_for_something_else() {
    on_loopbot(|| async {
        let (ours, mut theirs) = pair().await;
        let echoes = loopbot::spawn(echo(ours)); // it never hears of pings
        for n in 0..10 {
            let ping = Bytes::from(vec![n]);
            theirs.send(Message::Ping(ping.clone())).await.unwrap();
            assert_eq!(hear(&mut theirs).await, Message::Pong(ping));
        }
        theirs.close(None).await.unwrap();
        while theirs.next().await.is_some() {}
        echoes.await.unwrap();
    });
}

#[test]
fn both_sides_hear_goodbye_with_its_reason_and_then_the_end() {
    on_loopbot(|| async {
        let (mut ours, mut theirs) = pair().await;
        let server = async move {
            ours.close(Some(goodbye())).await.unwrap();
            assert_eq!(hear(&mut ours).await, Message::Close(Some(goodbye())));
            assert!(ours.next().await.is_none());
            // Now the server drops the connection, for which the client waits: so it is in the protocol.
        };
        let client = async move {
            assert_eq!(hear(&mut theirs).await, Message::Close(Some(goodbye())));
            assert!(theirs.next().await.is_none());
            let error = theirs.send(Message::text("wait!")).await.unwrap_err();
            assert!(
                matches!(error, Error::AlreadyClosed | Error::ConnectionClosed),
                "{error}"
            );
        };
        join(server, client).await;
    });
}

#[test]
fn goodbyes_may_cross() {
    on_loopbot(|| async {
        let (mut ours, mut theirs) = pair().await;
        ours.close(None).await.unwrap();
        theirs.close(None).await.unwrap();
        let server = async move { while ours.next().await.is_some() {} };
        let client = async move { while theirs.next().await.is_some() {} };
        join(server, client).await;
    });
}

#[test]
fn who_hangs_up_without_goodbye_is_an_error_to_the_other_side() {
    on_loopbot(|| async {
        let (mut ours, theirs) = pair().await;
        drop(theirs);
        let error = ours.next().await.expect("an error").unwrap_err();
        assert!(
            matches!(error, Error::Protocol(_) | Error::Io(_)),
            "{error}"
        );
        assert!(ours.next().await.is_none());
    });
}

#[test]
fn one_task_listens_while_another_speaks() {
    on_loopbot(|| async {
        let (ours, theirs) = pair().await;
        let echoes = loopbot::spawn(echo(ours));
        let (mut speaks, mut listens) = theirs.split();
        // More than fits into the system's buffers: if listening waited for speaking, nobody could go on.
        const COUNT: usize = 2_000;
        let dish = |n: usize| Message::binary(vec![n as u8; 16 * 1024]);
        let speaker = loopbot::spawn(async move {
            for n in 0..COUNT {
                speaks.send(dish(n)).await.unwrap();
            }
            speaks.close(None).await.unwrap();
        });
        for n in 0..COUNT {
            assert!(
                listens.next().await.unwrap().unwrap() == dish(n),
                "message {n}"
            );
        }
        assert!(matches!(
            listens.next().await,
            Some(Ok(Message::Close(None)))
        ));
        assert!(listens.next().await.is_none());
        speaker.await.unwrap();
        echoes.await.unwrap();
    });
}

#[test]
fn a_guest_who_speaks_something_else_is_turned_away() {
    on_loopbot(|| async {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut guest = TcpStream::connect(door.local_addr().unwrap())
            .await
            .unwrap();
        guest
            .write_all(b"GET / HTTP/1.1\r\nHost: k\r\n\r\n")
            .await
            .unwrap();
        let (stream, _) = door.accept().await.unwrap();
        let error = accept_async(stream).await.unwrap_err();
        assert!(
            matches!(error, Error::Protocol(_) | Error::Http(_)),
            "{error}"
        );
    });
}

#[test]
fn fifty_guests_talk_at_once() {
    on_loopbot(|| async {
        const GUESTS: usize = 50;
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = door.local_addr().unwrap();
        let gone = Rc::new(Cell::new(0));
        let host = loopbot::spawn({
            let gone = gone.clone();
            async move {
                let mut visits = Vec::new();
                for _ in 0..GUESTS {
                    let (stream, _) = door.accept().await.unwrap();
                    let gone = gone.clone();
                    visits.push(loopbot::spawn(async move {
                        echo(accept_async(stream).await.unwrap()).await;
                        gone.set(gone.get() + 1);
                    }));
                }
                for visit in visits {
                    visit.await.unwrap();
                }
            }
        });
        join_all((0..GUESTS).map(|guest| async move {
            let mut socket = connect(address).await;
            for n in 0..40 {
                let said = Message::text(format!("guest {guest} says {n}"));
                socket.send(said.clone()).await.unwrap();
                assert_eq!(hear(&mut socket).await, said);
            }
            socket.close(None).await.unwrap();
            while socket.next().await.is_some() {}
        }))
        .await;
        host.await.unwrap();
        assert_eq!(gone.get(), GUESTS);
    });
}
