//! A stream of bytes: what TCP and Unix connections have in common.

use std::fmt;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

use super::io::Io;
use crate::reactor::{AsSource, Direction, Mode};

/// A connection of one of the kinds that [`TcpStream`](super::TcpStream) and `UnixStream` name.
///
/// It is read and written through [`AsyncRead`] and [`AsyncWrite`], which `&Stream` has as well: one task can
/// read while another writes. Dropping it closes the connection.
///
/// Reading and writing are cancel safe as far as one call goes: a `read` that is dropped while it waits has
/// taken nothing, and a `write` has sent nothing. Those that call them again and again (`read_exact`,
/// `write_all`) lose count when they are dropped.
pub struct Stream<T: Duplex>(pub(super) Io<T>);

/// What can be a [`Stream`]: std's TCP and Unix streams.
pub trait Duplex: sealed::Duplex {}

impl<T: sealed::Duplex> Duplex for T {}

pub(super) mod sealed {
    use super::*;

    pub trait Duplex: AsSource + fmt::Debug + Sized {
        /// Whether a read may bring less than it could although there is more.
        const READS_STOP_EARLY: bool;

        fn reading(&self) -> impl Read + '_;
        fn writing(&self) -> impl Write + '_;
        fn shutdown(&self, how: Shutdown) -> io::Result<()>;
        fn set_nonblocking(&self) -> io::Result<()>;
    }
}

impl<T: Duplex> Stream<T> {
    /// Makes std's stream one of the LoopBot that runs on this thread.
    ///
    /// # Panics
    ///
    /// If none does.
    #[track_caller]
    pub fn from_std(stream: T) -> io::Result<Stream<T>> {
        stream.set_nonblocking()?;
        Ok(Stream(Io::new(stream, Mode::Edge, "net::from_std")?))
    }

    /// Takes it out of this LoopBot, for another, or for another thread. It still does not block.
    pub fn into_std(self) -> T {
        self.0.into_inner()
    }

    /// Closes one direction, or both. After `Shutdown::Write` the other side reads the end of the stream.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.get_ref().shutdown(how)
    }

    /// Waits until there is something to read, or the end of the stream, or an error. Cancel safe.
    ///
    /// Reading waits by itself; this is for those who want to wait without a buffer at hand.
    #[track_caller]
    pub fn readable(&self) -> impl Future<Output = io::Result<()>> {
        let at = Location::caller();
        self.0.ready(Direction::Read, "something to read", at)
    }

    /// Waits until something can be written, or writing would fail at once. Cancel safe.
    #[track_caller]
    pub fn writable(&self) -> impl Future<Output = io::Result<()>> {
        let at = Location::caller();
        self.0.ready(Direction::Write, "room to write", at)
    }

    /// Reads what is there, without waiting.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](ErrorKind::WouldBlock) if nothing is there.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.get_ref().reading().read(buffer)
    }

    /// Writes as much as there is room for, without waiting.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](ErrorKind::WouldBlock) if there is none.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.get_ref().writing().write(bytes)
    }

    /// Two halves that two tasks can own: one reads, the other writes. When the one that writes is dropped, the
    /// other side reads the end of the stream; when both are, the connection is closed.
    ///
    /// Within one task nothing has to be split: `&stream` can be read and written.
    pub fn into_split(self) -> (ReadHalf<T>, WriteHalf<T>) {
        let stream = Rc::new(self);
        (ReadHalf(stream.clone()), WriteHalf(stream))
    }

    /// The same as [`into_split`](Stream::into_split), so that it is this and not the `split` of
    /// `futures::AsyncReadExt`, which takes a lock for every read and every write.
    pub fn split(self) -> (ReadHalf<T>, WriteHalf<T>) {
        self.into_split()
    }
}

/// The half of a [`Stream`] that reads, to be owned by a task.
#[derive(Debug)]
pub struct ReadHalf<T: Duplex>(Rc<Stream<T>>);

/// The half of a [`Stream`] that writes, to be owned by a task.
#[derive(Debug)]
pub struct WriteHalf<T: Duplex>(Rc<Stream<T>>);

/// The end of writing, unless the connection is gone already.
impl<T: Duplex> Drop for WriteHalf<T> {
    fn drop(&mut self) {
        let _ = self.0.shutdown(Shutdown::Write);
    }
}

/// Reading and writing go through the `Io` inside. The trait is the same for a stream, a reference to one, and a half of one.
macro_rules! reads {
    ($($Type:ty, |$this:ident| $io:expr;)*) => {$(
        impl<T: Duplex> AsyncRead for $Type {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                let $this = &*self;
                $io.poll_read(cx, buffer)
            }

            fn poll_read_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffers: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                let $this = &*self;
                $io.poll_read_vectored(cx, buffers)
            }
        }
    )*};
}

macro_rules! writes {
    ($($Type:ty, |$this:ident| $io:expr;)*) => {$(
        impl<T: Duplex> AsyncWrite for $Type {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                let $this = &*self;
                $io.poll_write(cx, bytes)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffers: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                let $this = &*self;
                $io.poll_write_vectored(cx, buffers)
            }

            /// Nothing is held back: what was written is the system's.
            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            /// Closes the direction of writing: the other side reads the end of the stream.
            fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                let $this = &*self;
                match $io.get_ref().shutdown(Shutdown::Write) {
                    // The other side was faster.
                    Err(error) if error.kind() == ErrorKind::NotConnected => Poll::Ready(Ok(())),
                    closed => Poll::Ready(closed),
                }
            }
        }
    )*};
}

reads! {
    Stream<T>, |this| this.0;
    &Stream<T>, |this| this.0;
    ReadHalf<T>, |this| this.0.0;
}
writes! {
    Stream<T>, |this| this.0;
    &Stream<T>, |this| this.0;
    WriteHalf<T>, |this| this.0.0;
}

/// How many slices std gives the system at a time. The others have to come with the next call.
const MOST_SLICES: usize = 1024;

/// A read that brings less than this has brought all there was.
const fn asked_of<T: Duplex>(wanted: usize) -> usize {
    if T::READS_STOP_EARLY { 0 } else { wanted }
}

impl<T: Duplex> Io<T> {
    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_move(cx, Direction::Read, asked_of::<T>(buffer.len()), |inner| {
            inner.reading().read(buffer)
        })
    }

    fn poll_read_vectored(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let most = buffers.len().min(MOST_SLICES);
        let buffers = &mut buffers[..most];
        let wanted = buffers.iter().map(|buffer| buffer.len()).sum();
        self.poll_move(cx, Direction::Read, asked_of::<T>(wanted), |inner| {
            inner.reading().read_vectored(buffers)
        })
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_move(cx, Direction::Write, bytes.len(), |inner| {
            inner.writing().write(bytes)
        })
    }

    fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let buffers = &buffers[..buffers.len().min(MOST_SLICES)];
        let wanted = buffers.iter().map(|buffer| buffer.len()).sum();
        self.poll_move(cx, Direction::Write, wanted, |inner| {
            inner.writing().write_vectored(buffers)
        })
    }
}

impl<T: Duplex> fmt::Debug for Stream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.get_ref().fmt(f)
    }
}
