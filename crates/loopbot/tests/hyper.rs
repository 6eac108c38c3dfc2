//! hyper on LoopBot: server and client on one loop, over loopback.
#![cfg(feature = "hyper")]

mod common;

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::error::Error;
use std::future::{pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use common::{virtual_robot, with_an_end};
use futures::future::join_all;
use futures::{AsyncReadExt, AsyncWriteExt};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::rt::{Executor, Timer};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use loopbot::JoinHandle;
use loopbot::hyper_rt::{HyperExecutor, HyperStream, HyperTimer};
use loopbot::net::{TcpListener, TcpStream};
use loopbot::sync::{Event, oneshot};

/// Runs a test on a LoopBot of its own, with an end.
fn on_loopbot<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    with_an_end(|| loopbot::run(test()));
}

/// A server on a loop of the test, and what happened to it.
struct Kitchen {
    address: SocketAddr,
    connections: Rc<Cell<usize>>,
    /// The tasks of the connections, in the order in which they were accepted.
    tasks: Rc<RefCell<Vec<JoinHandle<hyper::Result<()>>>>>,
}

impl Kitchen {
    /// Answers every request with what `cook` makes of it.
    async fn open<F, B>(cook: impl Fn(Request<Incoming>) -> F + Clone + 'static) -> Kitchen
    where
        F: Future<Output = Response<B>> + 'static,
        B: Body + 'static,
        B::Error: std::error::Error + Send + Sync,
    {
        Kitchen::open_with(http1::Builder::new(), cook).await
    }

    async fn open_with<F, B>(
        http: http1::Builder,
        cook: impl Fn(Request<Incoming>) -> F + Clone + 'static,
    ) -> Kitchen
    where
        F: Future<Output = Response<B>> + 'static,
        B: Body + 'static,
        B::Error: std::error::Error + Send + Sync,
    {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let kitchen = Kitchen {
            address: door.local_addr().unwrap(),
            connections: Rc::default(),
            tasks: Rc::default(),
        };
        let (connections, tasks) = (kitchen.connections.clone(), kitchen.tasks.clone());
        loopbot::spawn(async move {
            loop {
                let (stream, _) = door.accept().await.unwrap();
                connections.set(connections.get() + 1);
                let cook = cook.clone();
                let service = service_fn(move |order| {
                    let dish = cook(order);
                    async move { Ok::<_, Infallible>(dish.await) }
                });
                let connection = http.serve_connection(HyperStream::new(stream), service);
                tasks.borrow_mut().push(loopbot::spawn(connection));
            }
        });
        kitchen
    }

    async fn connect<B>(&self) -> SendRequest<B>
    where
        B: Body + 'static,
        B::Data: Send,
        B::Error: std::error::Error + Send + Sync,
    {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (line, connection) = handshake(HyperStream::new(stream)).await.unwrap();
        loopbot::spawn(connection);
        line
    }

    /// How the server's side of the last connection ended.
    async fn end_of_last(&self) -> hyper::Result<()> {
        let task = self.tasks.borrow_mut().pop().expect("a connection");
        task.await.expect("a task that was not cancelled")
    }
}

fn order(path: &str) -> Request<Full<Bytes>> {
    order_with(path, Bytes::new())
}

fn order_with(path: &str, body: Bytes) -> Request<Full<Bytes>> {
    let order = Request::post(path).header("host", "kitchen");
    order.body(Full::new(body)).unwrap()
}

fn dish(what: impl Into<Bytes>) -> Response<Full<Bytes>> {
    Response::new(Full::new(what.into()))
}

async fn eat(response: Response<Incoming>) -> Bytes {
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body().collect().await.unwrap().to_bytes()
}

/// Bytes in which nothing repeats soon.
fn bytes(length: usize) -> Bytes {
    (0..length as u64)
        .map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8)
        .collect()
}

/// Says that it was dropped.
struct Dropped(Rc<Event>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.set();
    }
}

#[test]
fn a_connection_is_kept_for_many_requests() {
    on_loopbot(|| async {
        let kitchen =
            Kitchen::open(|order| async move { dish(order.uri().path().to_owned()) }).await;
        let mut line = kitchen.connect().await;
        for n in 0..100 {
            let path = format!("/dish/{n}");
            let response = line.send_request(order(&path)).await.unwrap();
            assert_eq!(eat(response).await, path);
            line.ready().await.unwrap();
        }
        assert_eq!(kitchen.connections.get(), 1);
        drop(line);
        kitchen.end_of_last().await.unwrap();
    });
}

#[test]
fn a_big_body_goes_both_ways_at_once() {
    on_loopbot(|| async {
        // What comes in goes out while it comes in, piece by piece.
        let kitchen = Kitchen::open(|order| async { Response::new(order.into_body()) }).await;
        let mut line = kitchen.connect().await;
        for length in [0, 1, 64 * 1024 - 1, 64 * 1024 + 1, 16 << 20] {
            let sent = bytes(length);
            let response = line.send_request(order_with("/", sent.clone())).await;
            let got = eat(response.unwrap()).await;
            assert!(
                got == sent,
                "{} bytes of {length} came, or others",
                got.len()
            );
            line.ready().await.unwrap();
        }
        assert_eq!(kitchen.connections.get(), 1);
    });
}

#[test]
fn a_body_that_is_made_piece_by_piece_arrives_piece_by_piece() {
    /// Its next piece is made when the test asks for it.
    struct Courses(loopbot::sync::channel::Receiver<&'static str>);

    impl Body for Courses {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let course = self.0.poll_recv(cx);
            course.map(|course| course.map(|course| Ok(Frame::data(Bytes::from(course)))))
        }
    }

    on_loopbot(|| async {
        let (serve, courses) = loopbot::sync::channel::bounded(1);
        let courses = Rc::new(Cell::new(Some(Courses(courses))));
        let kitchen = Kitchen::open(move |_| {
            let courses = courses.take().expect("one order");
            async { Response::new(courses) }
        })
        .await;
        let mut line = kitchen.connect().await;
        let mut dinner = line.send_request(order("/")).await.unwrap().into_body();
        for course in ["soup", "fish", "tart"] {
            serve.send(course).await.unwrap();
            let frame = dinner.frame().await.expect("another course").unwrap();
            assert_eq!(frame.into_data().unwrap(), course);
        }
        drop(serve);
        assert!(dinner.frame().await.is_none());
    });
}

#[test]
fn a_hundred_connections_at_once() {
    on_loopbot(|| async {
        let kitchen =
            Kitchen::open(|order| async move { dish(order.uri().path().to_owned()) }).await;
        // Nobody orders before all are there.
        let mut lines = Vec::new();
        for _ in 0..100 {
            lines.push(kitchen.connect().await);
        }
        join_all(
            lines
                .into_iter()
                .enumerate()
                .map(|(guest, mut line)| async move {
                    for n in 0..20 {
                        let path = format!("/guest/{guest}/dish/{n}");
                        let response = line.send_request(order(&path)).await.unwrap();
                        assert_eq!(eat(response).await, path);
                        line.ready().await.unwrap();
                    }
                }),
        )
        .await;
        assert_eq!(kitchen.connections.get(), 100);
    });
}

#[test]
fn when_the_server_is_dropped_a_request_on_its_way_fails() {
    on_loopbot(|| async {
        let (begun, dropped) = (Rc::new(Event::new()), Rc::new(Event::new()));
        let kitchen = Kitchen::open({
            let (begun, dropped) = (begun.clone(), dropped.clone());
            move |_| {
                let (begun, dropped) = (begun.clone(), Dropped(dropped.clone()));
                async move {
                    let _dropped = dropped;
                    begun.set();
                    pending::<Response<Full<Bytes>>>().await
                }
            }
        })
        .await;
        let mut line = kitchen.connect().await;
        let asks = loopbot::spawn(async move { line.send_request(order("/")).await });
        begun.wait().await;
        kitchen.tasks.borrow()[0].abort();
        let error = asks.await.unwrap().unwrap_err();
        assert!(error.is_incomplete_message(), "{error}");
        assert!(
            dropped.is_set(),
            "what cooked it was dropped with the connection"
        );
    });
}

#[test]
fn when_the_server_is_dropped_half_a_body_is_an_error() {
    on_loopbot(|| async {
        // It promises more than it has, and then nothing comes for ever.
        let kitchen = Kitchen::open(|_| async { Response::new(HalfADish::default()) }).await;
        let mut line = kitchen.connect().await;
        let mut body = line.send_request(order("/")).await.unwrap().into_body();
        let half = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(half, "half a");
        kitchen.tasks.borrow()[0].abort();
        let error = body.frame().await.expect("more").unwrap_err();
        let source = error.source().and_then(|source| source.downcast_ref());
        let kind = source.map(|source: &io::Error| source.kind());
        assert_eq!(kind, Some(io::ErrorKind::UnexpectedEof), "{error:?}");
    });
}

#[derive(Default)]
struct HalfADish {
    served: bool,
}

impl Body for HalfADish {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match std::mem::replace(&mut self.served, true) {
            false => Poll::Ready(Some(Ok(Frame::data(Bytes::from("half a"))))),
            true => Poll::Pending, // The connection is aborted before anybody would have to wake it.
        }
    }
}

#[test]
fn a_client_that_hangs_up_takes_its_request_with_it() {
    on_loopbot(|| async {
        let (begun, dropped) = (Rc::new(Event::new()), Rc::new(Event::new()));
        let kitchen = Kitchen::open({
            let (begun, dropped) = (begun.clone(), dropped.clone());
            move |order: Request<Incoming>| {
                let (begun, dropped) = (begun.clone(), dropped.clone());
                async move {
                    if order.uri().path() == "/stew" {
                        let _dropped = Dropped(dropped);
                        begun.set();
                        pending::<()>().await;
                    }
                    dish("quick")
                }
            }
        })
        .await;
        let mut hasty = TcpStream::connect(kitchen.address).await.unwrap();
        hasty
            .write_all(b"GET /stew HTTP/1.1\r\nHost: kitchen\r\n\r\n")
            .await
            .unwrap();
        begun.wait().await;
        drop(hasty);
        dropped.wait().await;
        assert!(kitchen.end_of_last().await.is_err());
        // And the next guest is served.
        let mut line = kitchen.connect().await;
        assert_eq!(
            eat(line.send_request(order("/")).await.unwrap()).await,
            "quick"
        );
    });
}

#[test]
fn a_client_that_hangs_up_during_a_big_answer_ends_its_connection_only() {
    on_loopbot(|| async {
        let big = bytes(8 << 20);
        let kitchen = Kitchen::open(move |_| {
            let big = big.clone();
            async { dish(big) }
        })
        .await;
        let mut hasty = TcpStream::connect(kitchen.address).await.unwrap();
        hasty
            .write_all(b"GET / HTTP/1.1\r\nHost: kitchen\r\n\r\n")
            .await
            .unwrap();
        hasty.read_exact(&mut [0; 1000]).await.unwrap();
        drop(hasty);
        assert!(kitchen.end_of_last().await.is_err());
        let mut line = kitchen.connect().await;
        let answer = eat(line.send_request(order("/")).await.unwrap()).await;
        assert_eq!(answer.len(), 8 << 20);
    });
}

#[test]
fn a_client_that_says_nothing_is_shown_out() {
    on_loopbot(|| async {
        let mut http = http1::Builder::new();
        http.timer(HyperTimer::new())
            .header_read_timeout(Duration::from_millis(20));
        let kitchen = Kitchen::open_with(http, |_| async { dish("never") }).await;
        let mut silent = TcpStream::connect(kitchen.address).await.unwrap();
        silent.write_all(b"GET / HT").await.unwrap();
        let mut last_words = Vec::new();
        // On a slow machine it is shown out before it was heard: that is a reset.
        if let Err(error) = silent.read_to_end(&mut last_words).await {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        }
        let error = kitchen.end_of_last().await.unwrap_err();
        assert!(error.is_timeout(), "{error}");
    });
}

#[test]
fn a_request_that_is_no_http_is_answered_with_400() {
    on_loopbot(|| async {
        let kitchen = Kitchen::open(|_| async { dish("never") }).await;
        let mut rude = TcpStream::connect(kitchen.address).await.unwrap();
        rude.write_all(b"\x16\x03\x01 give me everything\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        rude.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    });
}

#[test]
fn after_http_the_stream_is_whole_again() {
    on_loopbot(|| async {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = door.local_addr().unwrap();
        let sings = loopbot::spawn(async move {
            let (stream, _) = door.accept().await.unwrap();
            let switches = service_fn(|_| {
                let mut switching = dish("");
                *switching.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                let headers = switching.headers_mut();
                headers.insert("connection", "upgrade".parse().unwrap());
                headers.insert("upgrade", "song".parse().unwrap());
                std::future::ready(Ok::<_, Infallible>(switching))
            });
            let stream = HyperStream::new(stream);
            let mut connection = http1::Builder::new().serve_connection(stream, switches);
            poll_fn(|cx| connection.poll_without_shutdown(cx))
                .await
                .unwrap();
            let parts = connection.into_parts();
            let mut song = parts.read_buf.to_vec(); // what hyper has read already and is not HTTP
            let mut stream = parts.io.into_inner();
            stream.read_to_end(&mut song).await.unwrap();
            stream.write_all(&song).await.unwrap();
        });
        let mut guest = TcpStream::connect(address).await.unwrap();
        guest
            .write_all(
                b"GET / HTTP/1.1\r\nHost: k\r\nConnection: upgrade\r\nUpgrade: song\r\n\r\nla ",
            )
            .await
            .unwrap();
        guest.write_all(b"la la").await.unwrap();
        guest.close().await.unwrap();
        let mut answer = String::new();
        guest.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        assert!(answer.ends_with("\r\n\r\nla la la"), "{answer}");
        sings.await.unwrap();
    });
}

#[test]
fn the_executor_spawns_on_the_loop_that_runs() {
    let robot = virtual_robot();
    robot.run(async {
        let (sent, received) = oneshot::channel(); // `!Send`: it is the same thread
        HyperExecutor.execute(async move {
            loopbot::sleep(Duration::from_secs(1)).await;
            sent.send("risotto").unwrap();
        });
        assert_eq!(received.await.unwrap(), "risotto");
    });
}

#[test]
fn the_timer_is_on_the_loops_clock() {
    let hour = Duration::from_secs(3600);
    virtual_robot().run(async move {
        loopbot::sleep(hour).await;
        let timer = HyperTimer::new();
        let opening = timer.now();
        timer.sleep(hour).await;
        assert_eq!(loopbot::now(), 2 * hour);
        assert_eq!(timer.now(), opening + hour);
        timer.sleep_until(opening + 3 * hour).await;
        assert_eq!(loopbot::now(), 4 * hour);
        timer.sleep_until(opening).await; // that is past
        assert_eq!(loopbot::now(), 4 * hour);
    });
}

#[test]
fn a_timer_that_is_reset_goes_on_until_then() {
    let minute = Duration::from_secs(60);
    virtual_robot().run(async move {
        let timer = HyperTimer::new();
        let begun = timer.now();
        let mut sleep = timer.sleep(minute);
        let now = poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx))).await;
        assert!(now.is_pending());
        timer.reset(&mut sleep, begun + 2 * minute);
        sleep.await;
        assert_eq!(loopbot::now(), 2 * minute);
        // A sleep of another timer is replaced.
        let mut foreign: Pin<Box<dyn hyper::rt::Sleep>> = Box::pin(Foreign);
        timer.reset(&mut foreign, begun + 3 * minute);
        foreign.await;
        assert_eq!(loopbot::now(), 3 * minute);
    });
}

struct Foreign;

impl hyper::rt::Sleep for Foreign {}

impl Future for Foreign {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut std::task::Context<'_>) -> Poll<()> {
        panic!("it was replaced before anybody polled it")
    }
}

#[test]
fn on_a_real_clock_the_timer_reckons_in_real_instants() {
    loopbot::run(async {
        let timer = HyperTimer::new();
        let before = Instant::now();
        assert!(timer.now() <= Instant::now(), "it does not run ahead");
        timer.sleep_until(before).await; // past, so over at once
    });
}
