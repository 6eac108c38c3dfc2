//! HTTP on LoopBot. hyper knows the protocol, and asks whoever runs it for a stream, a timer and an executor.
//!
//! ```
//! use std::convert::Infallible;
//! use std::time::Duration;
//!
//! use http_body_util::{BodyExt, Full};
//! use hyper::body::{Bytes, Incoming};
//! use hyper::service::service_fn;
//! use hyper::{Request, Response, client, server};
//! use loopbot::hyper_rt::{HyperStream, HyperTimer};
//! use loopbot::net::{TcpListener, TcpStream};
//!
//! async fn cook(order: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
//!     Ok(Response::new(format!("one {}", &order.uri().path()[1..]).into()))
//! }
//!
//! loopbot::run(async {
//!     let kitchen = TcpListener::bind("127.0.0.1:0").await?;
//!     let address = kitchen.local_addr()?;
//!     loopbot::spawn(async move {
//!         let (guest, _) = kitchen.accept().await.unwrap();
//!         let mut http = server::conn::http1::Builder::new();
//!         http.timer(HyperTimer::new()).header_read_timeout(Duration::from_secs(10));
//!         http.serve_connection(HyperStream::new(guest), service_fn(cook)).await
//!     });
//!
//!     let stream = HyperStream::new(TcpStream::connect(address).await?);
//!     let (mut waiter, connection) = client::conn::http1::handshake(stream).await?;
//!     loopbot::spawn(connection); // it moves the bytes
//!     let order = Request::get("/risotto").header("host", "kitchen").body(String::new())?;
//!     let dish = waiter.send_request(order).await?.into_body().collect().await?.to_bytes();
//!     assert_eq!(dish, "one risotto");
//!     Ok(())
//! })
//! # .map_err(|error: Box<dyn std::error::Error>| error)
//! # .unwrap()
//! ```

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures_io::{AsyncRead, AsyncWrite};
use hyper::rt::{Executor, Read, ReadBufCursor, Sleep, Timer, Write};

/// A stream as hyper wants it: any [`AsyncRead`] and [`AsyncWrite`], such as a [`TcpStream`](crate::net::TcpStream).
///
/// Head and body of a message are written together with one vectored write, if the stream can do that. LoopBot's can.
#[derive(Debug)]
pub struct HyperStream<T>(T);

impl<T> HyperStream<T> {
    /// Wraps a stream.
    pub fn new(stream: T) -> HyperStream<T> {
        HyperStream(stream)
    }

    /// The stream, to ask it something.
    pub fn get_ref(&self) -> &T {
        &self.0
    }

    /// The stream alone, for what comes after HTTP.
    ///
    /// `poll_without_shutdown` and `into_parts` of hyper's connection give it back when a protocol is switched.
    /// (`with_upgrades` does not: it wants a stream that can go to another thread.)
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// How much is read at once.
const PIECE: usize = 64 * 1024;

thread_local! {
    /// Where bytes lie between the stream and hyper. hyper's own buffer is not initialised, and to let a stream
    /// fill it would take `unsafe`; to copy what was read costs little beside the system call that read it.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl<T: AsyncRead + Unpin> Read for HyperStream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut room: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // Taken, not borrowed: the stream may have another one like this inside.
        let mut buffer = BUFFER.take();
        buffer.resize(PIECE, 0);
        let wanted = room.remaining().min(PIECE);
        let read = Pin::new(&mut self.0).poll_read(cx, &mut buffer[..wanted]);
        if let Poll::Ready(Ok(n)) = read {
            room.put_slice(&buffer[..n]);
        }
        BUFFER.set(buffer);
        ready!(read)?;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> Write for HyperStream<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, pieces)
    }
}

/// Spawns hyper's tasks on the LoopBot that runs. Only HTTP/2 has any.
///
/// ```
/// use hyper::rt::Executor;
///
/// loopbot::run(async {
///     let (dish, table) = loopbot::sync::oneshot::channel();
///     loopbot::hyper_rt::HyperExecutor.execute(async { dish.send("risotto").unwrap() });
///     assert_eq!(table.await.unwrap(), "risotto");
/// });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HyperExecutor;

impl<F> Executor<F> for HyperExecutor
where
    F: Future + 'static,
    F::Output: 'static,
{
    /// # Panics
    ///
    /// If no LoopBot runs on this thread.
    fn execute(&self, future: F) {
        loopbot_core::spawn(future);
    }
}

/// hyper's timeouts, on the clock of the LoopBot it was made on. On a virtual clock they are virtual, too.
#[derive(Clone, Copy, Debug)]
pub struct HyperTimer {
    /// hyper reckons in `Instant`s, LoopBot in time since the run began. This is the `Instant` of that.
    began: Instant,
}

impl HyperTimer {
    /// The timer of the LoopBot that runs.
    ///
    /// # Panics
    ///
    /// If no LoopBot runs on this thread.
    #[track_caller]
    #[allow(clippy::new_without_default, reason = "it may panic")]
    pub fn new() -> HyperTimer {
        let now = Instant::now();
        let elapsed = loopbot_core::now();
        // A virtual clock may be further on than this computer's has ever been.
        let began = now.checked_sub(elapsed).unwrap_or(now);
        HyperTimer { began }
    }
}

impl Timer for HyperTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(HyperSleep(loopbot_core::sleep(duration)))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let deadline = deadline.saturating_duration_since(self.began);
        Box::pin(HyperSleep(loopbot_core::sleep_until(deadline)))
    }

    fn now(&self) -> Instant {
        self.began + loopbot_core::now()
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn Sleep>>, deadline: Instant) {
        match sleep.as_mut().downcast_mut_pin::<HyperSleep>() {
            Some(sleep) => {
                let deadline = deadline.saturating_duration_since(self.began);
                sleep.get_mut().0.reset(deadline);
            }
            None => *sleep = self.sleep_until(deadline),
        }
    }
}

/// hyper may move its sleeps to other threads, so they must be `Send` and `Sync`. LoopBot's are: they hold no pointer.
struct HyperSleep(loopbot_core::Sleep);

impl Sleep for HyperSleep {}

impl Future for HyperSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}
