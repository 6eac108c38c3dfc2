//! Unix sockets: between processes of one machine, with a path for an address.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{self as std_unix, SocketAddr};
use std::panic::Location;
use std::path::Path;

use socket2::{Domain, SockAddr, Socket, Type};

use super::accept::accept;
use super::io::Io;
use super::stream::{Stream, sealed};
use crate::reactor::{Direction, Mode};

/// A connection between two processes of one machine: a [`Stream`], with what only Unix sockets have.
pub type UnixStream = Stream<std_unix::UnixStream>;

impl UnixStream {
    /// Connects to a listener's path. Cancel safe.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) on Linux if as many wait there as the listener allows.
    ///
    /// # Panics
    ///
    /// If no LoopBot runs on this thread.
    #[track_caller]
    pub fn connect(path: impl AsRef<Path>) -> impl Future<Output = io::Result<UnixStream>> {
        let at = Location::caller();
        let address = SockAddr::unix(path);
        async move {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.set_nonblocking(true)?;
            let under_way = match socket.connect(&address?) {
                Err(error) if is_in_progress(&error) => true,
                connected => connected.map(|()| false)?,
            };
            let stream = std_unix::UnixStream::from(std::os::fd::OwnedFd::from(socket));
            let io = Io::at(stream, Mode::Edge, "net::UnixStream::connect", at)?;
            if under_way {
                io.ready(Direction::Write, "a connection to be made", at)
                    .await?;
                if let Some(error) = io.get_ref().take_error()? {
                    return Err(error);
                }
            }
            Ok(Stream(io))
        }
    }

    /// Two that are connected to each other.
    ///
    /// # Panics
    ///
    /// If no LoopBot runs on this thread.
    #[track_caller]
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (one, other) = std_unix::UnixStream::pair()?;
        Ok((UnixStream::from_std(one)?, UnixStream::from_std(other)?))
    }

    /// The address of the other side.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().peer_addr()
    }

    /// The address of this side.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }
}

pub(super) fn is_in_progress(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
}

impl sealed::Duplex for std_unix::UnixStream {
    /// Before and after bytes that came with a descriptor.
    const READS_STOP_EARLY: bool = true;

    fn reading(&self) -> impl Read + '_ {
        self
    }

    fn writing(&self) -> impl Write + '_ {
        self
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.shutdown(how)
    }

    fn set_nonblocking(&self) -> io::Result<()> {
        self.set_nonblocking(true)
    }
}

/// A Unix socket that others connect to.
pub struct UnixListener(pub(super) Io<std_unix::UnixListener>);

impl UnixListener {
    /// Listens at a path, which must not exist yet, and stays there until somebody removes it.
    ///
    /// # Panics
    ///
    /// If no LoopBot runs on this thread.
    #[track_caller]
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixListener> {
        UnixListener::from_std(std_unix::UnixListener::bind(path)?)
    }

    /// Makes std's listener one of the LoopBot that runs on this thread.
    ///
    /// # Panics
    ///
    /// If none does.
    #[track_caller]
    pub fn from_std(listener: std_unix::UnixListener) -> io::Result<UnixListener> {
        listener.set_nonblocking(true)?;
        let name = "net::UnixListener::bind";
        Ok(UnixListener(Io::new(listener, Mode::Edge, name)?))
    }

    /// The next connection. Cancel safe.
    ///
    /// When the process has no descriptor left, it waits for one, as [`TcpListener::accept`](super::TcpListener::accept) does.
    #[track_caller]
    pub fn accept(&self) -> impl Future<Output = io::Result<(UnixStream, SocketAddr)>> {
        let at = Location::caller();
        accept(&self.0, at, |inner| inner.accept())
    }

    /// The address it listens at.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }
}

/// A Unix socket for datagrams. They are not lost: who sends waits for whoever reads.
///
/// All that wait here are cancel safe.
pub struct UnixDatagram(pub(super) Io<std_unix::UnixDatagram>);

const ARRIVES: &str = "a datagram";
const LEAVES: &str = "room to send a datagram";

impl UnixDatagram {
    /// A socket with a path, which must not exist yet.
    ///
    /// # Panics
    ///
    /// If no LoopBot runs on this thread.
    #[track_caller]
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixDatagram> {
        UnixDatagram::from_std(std_unix::UnixDatagram::bind(path)?)
    }

    /// A socket without a path: nobody can answer it.
    ///
    /// # Panics
    ///
    /// If no LoopBot runs on this thread.
    #[track_caller]
    pub fn unbound() -> io::Result<UnixDatagram> {
        UnixDatagram::from_std(std_unix::UnixDatagram::unbound()?)
    }

    /// Two that are connected to each other.
    ///
    /// # Panics
    ///
    /// If no LoopBot runs on this thread.
    #[track_caller]
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (one, other) = std_unix::UnixDatagram::pair()?;
        Ok((UnixDatagram::from_std(one)?, UnixDatagram::from_std(other)?))
    }

    /// Makes std's socket one of the LoopBot that runs on this thread.
    ///
    /// # Panics
    ///
    /// If none does.
    #[track_caller]
    pub fn from_std(socket: std_unix::UnixDatagram) -> io::Result<UnixDatagram> {
        socket.set_nonblocking(true)?;
        let name = "net::UnixDatagram::bind";
        Ok(UnixDatagram(Io::new(socket, Mode::Edge, name)?))
    }

    /// From now on, [`send`](UnixDatagram::send) sends to this path.
    pub fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.0.get_ref().connect(path)
    }

    /// Sends a datagram to a path.
    pub async fn send_to(&self, bytes: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        let send = |inner: &std_unix::UnixDatagram| inner.send_to(bytes, path.as_ref());
        self.0.io(Direction::Write, LEAVES, send).await
    }

    /// Sends a datagram to where this is connected.
    pub async fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        let send = |inner: &std_unix::UnixDatagram| inner.send(bytes);
        self.0.io(Direction::Write, LEAVES, send).await
    }

    /// The next datagram, and where it comes from. What does not fit into the buffer is lost.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let receive = |inner: &std_unix::UnixDatagram| inner.recv_from(buffer);
        self.0.io(Direction::Read, ARRIVES, receive).await
    }

    /// The next datagram. What does not fit into the buffer is lost.
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let receive = |inner: &std_unix::UnixDatagram| inner.recv(buffer);
        self.0.io(Direction::Read, ARRIVES, receive).await
    }

    /// The address of this side.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }
}

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.get_ref().fmt(f)
    }
}

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.get_ref().fmt(f)
    }
}
