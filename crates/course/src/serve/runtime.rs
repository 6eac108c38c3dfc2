//! Everything here that touches a socket or a timer. The rest of the server is futures that any executor can run.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::TcpListener;
use std::pin::Pin;
use std::task::Poll;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::oneshot;

/// How long a connection may take to send its request's head.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// How long to leave the door closed after an accept failed, usually for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Dropping it ends the server: the door closes and every connection is dropped.
pub struct End(#[allow(dead_code, reason = "held for its drop")] oneshot::Sender<Infallible>);

/// Serves HTTP/1.1 on `listener` on one thread of its own, until the returned [`End`] is dropped.
pub fn serve<F, B>(
    listener: TcpListener,
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
) -> std::io::Result<(End, JoinHandle<()>)>
where
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: std::error::Error + Send + Sync,
{
    listener.set_nonblocking(true)?;
    let executor = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let (end, mut ended) = oneshot::channel();
    let thread = thread::Builder::new()
        .name("server".into())
        .spawn(move || {
            executor.block_on(async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                    return;
                };
                loop {
                    let next = poll_fn(|cx| match Pin::new(&mut ended).poll(cx) {
                        Poll::Ready(_) => Poll::Ready(None),
                        Poll::Pending => listener.poll_accept(cx).map(Some),
                    });
                    let Some(accepted) = next.await else { break };
                    let Ok((socket, _)) = accepted else {
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    };
                    let answer = answer.clone();
                    let service = service_fn(move |request| {
                        let answered = answer(request);
                        async move { Ok::<_, Infallible>(answered.await) }
                    });
                    let connection = http1::Builder::new()
                        .timer(TokioTimer::new())
                        .header_read_timeout(HEAD_LIMIT)
                        .serve_connection(TokioIo::new(socket), service);
                    // An error here is a reader who went away.
                    tokio::spawn(async { drop(connection.await) });
                }
            });
        })?;
    Ok((End(end), thread))
}
