//! Everything here that touches a socket or a timer. The rest of the server is futures that any executor can run.
//!
//! This one runs on LoopBot: the book is served by what it teaches.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::Poll;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_channel::oneshot;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use loopbot::hyper_rt::{HyperStream, HyperTimer};
use loopbot::net::TcpListener;

/// How long a connection may take to send its request's head.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// How long to leave the door closed after an accept failed. (For want of descriptors it does not: there LoopBot waits.)
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Dropping it ends the server: the door closes and every connection is dropped.
pub struct End(#[allow(dead_code, reason = "held for its drop")] oneshot::Sender<Infallible>);

/// Serves HTTP/1.1 on `listener` on one thread of its own, until the returned [`End`] is dropped.
pub fn serve<F, B>(
    listener: std::net::TcpListener,
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
) -> io::Result<(End, JoinHandle<()>)>
where
    F: Future<Output = Response<B>> + 'static,
    B: Body + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    let (end, mut ended) = oneshot::channel::<Infallible>();
    let (tell, opened) = mpsc::channel();
    let thread = thread::Builder::new()
        .name("server".into())
        .spawn(move || {
            loopbot::run(async {
                let door = match TcpListener::from_std(listener) {
                    Ok(door) => door,
                    Err(error) => {
                        let _ = tell.send(Err(error));
                        return;
                    }
                };
                let _ = tell.send(Ok(()));
                let mut welcome = pin!(welcome(door, answer));
                // The tasks of the connections end with the run.
                poll_fn(|cx| match Pin::new(&mut ended).poll(cx) {
                    Poll::Ready(_) => Poll::Ready(()),
                    Poll::Pending => welcome.as_mut().poll(cx),
                })
                .await;
            });
        })?;
    opened
        .recv()
        .unwrap_or_else(|_| Err(io::Error::other("the server's thread has ended")))?;
    Ok((End(end), thread))
}

/// Lets in whoever comes, for ever.
async fn welcome<F, B>(door: TcpListener, answer: impl Fn(Request<Incoming>) -> F + Clone + 'static)
where
    F: Future<Output = Response<B>> + 'static,
    B: Body + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    let timer = HyperTimer::new();
    loop {
        let Ok((stream, _)) = door.accept().await else {
            loopbot::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let answered = answer(request);
            async move { Ok::<_, Infallible>(answered.await) }
        });
        let connection = http1::Builder::new()
            .timer(timer)
            .header_read_timeout(HEAD_LIMIT)
            .serve_connection(HyperStream::new(stream), service);
        // An error here is a reader who went away.
        loopbot::spawn(async { drop(connection.await) });
    }
}
