//! A TCP connection.

use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::panic::Location;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use loopbot_core::sleep;
use socket2::{Domain, Protocol, Socket, Type};

use super::address::{ToAddresses, addresses};
use super::io::Io;
use super::stream::{Stream, sealed};
use crate::reactor::{Direction, Mode};

/// A TCP connection: a [`Stream`], with what only TCP has.
///
/// ```
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use loopbot::net::{TcpListener, TcpStream};
///
/// loopbot::run(async {
///     let kitchen = TcpListener::bind("127.0.0.1:0").await?;
///     let address = kitchen.local_addr()?;
///     let cook = loopbot::spawn(async move {
///         let (mut order, _) = kitchen.accept().await?;
///         order.write_all(b"risotto").await // dropped here: the connection is closed
///     });
///     let mut dish = String::new();
///     TcpStream::connect(address).await?.read_to_string(&mut dish).await?;
///     assert_eq!(dish, "risotto");
///     cook.await.unwrap()
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub type TcpStream = Stream<std::net::TcpStream>;

impl TcpStream {
    /// Connects to an address, or, if it is a name, to the first of its addresses where somebody answers.
    ///
    /// How long the system tries is its own affair, and may be minutes: see [`connect_timeout`](TcpStream::connect_timeout).
    /// Cancel safe: a connection that is half made is closed.
    ///
    /// # Errors
    ///
    /// The last address's, if none could be reached; and those of [`lookup`](super::lookup()).
    ///
    /// # Panics
    ///
    /// If no LoopBot runs on this thread.
    #[track_caller]
    pub fn connect<A: ToAddresses>(to: A) -> impl Future<Output = io::Result<TcpStream>> + use<A> {
        let at = Location::caller();
        let said = to.said();
        async move {
            let mut refused = None;
            for address in addresses(said).await? {
                match TcpStream::connect_one(address, at).await {
                    Ok(stream) => return Ok(stream),
                    Err(error) => refused = Some(error),
                }
            }
            Err(refused.expect("there is at least one address"))
        }
    }

    /// The same, for no longer than `limit`, all addresses together.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](io::ErrorKind::TimedOut), or as [`connect`](TcpStream::connect).
    ///
    /// # Panics
    ///
    /// If no LoopBot runs on this thread.
    #[track_caller]
    pub fn connect_timeout<A: ToAddresses>(
        to: A,
        limit: Duration,
    ) -> impl Future<Output = io::Result<TcpStream>> + use<A> {
        let connect = TcpStream::connect(to);
        async move {
            let (mut connect, mut over) = (pin!(connect), pin!(sleep(limit)));
            poll_fn(|cx| {
                if let Poll::Ready(connected) = connect.as_mut().poll(cx) {
                    return Poll::Ready(connected);
                }
                over.as_mut().poll(cx).map(|()| {
                    let sentence = format!("nobody answered the connection within {limit:?}");
                    Err(io::Error::new(io::ErrorKind::TimedOut, sentence))
                })
            })
            .await
        }
    }

    async fn connect_one(
        address: SocketAddr,
        at: &'static Location<'static>,
    ) -> io::Result<TcpStream> {
        let domain = Domain::for_address(address);
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        match socket.connect(&address.into()) {
            Err(error) if !is_under_way(&error) => return Err(error),
            _ => {}
        }
        let stream = std::net::TcpStream::from(socket);
        let io = Io::at(stream, Mode::Edge, "net::TcpStream::connect", at)?;
        // The handshake is over when the socket can be written to, whether somebody answered or not.
        io.ready(Direction::Write, "a connection to be made", at)
            .await?;
        match io.get_ref().take_error()? {
            Some(error) => Err(error),
            None => Ok(Stream(io)),
        }
    }

    /// The address of the other side.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().peer_addr()
    }

    /// The address of this side.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }

    /// Whether small writes are sent at once (`true`), or wait a moment for more.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.0.get_ref().set_nodelay(nodelay)
    }

    /// Whether small writes are sent at once.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.0.get_ref().nodelay()
    }

    /// The next bytes, without taking them. Returns 0 at the end of the stream. Cancel safe.
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let peek = |inner: &std::net::TcpStream| inner.peek(buffer);
        self.0.io(Direction::Read, "something to read", peek).await
    }
}

/// Whether a connect that does not block has begun.
fn is_under_way(error: &io::Error) -> bool {
    #[cfg(unix)]
    let in_progress = super::unix::is_in_progress(error);
    #[cfg(not(unix))]
    let in_progress = false;
    in_progress || error.kind() == io::ErrorKind::WouldBlock
}

impl sealed::Duplex for std::net::TcpStream {
    const READS_STOP_EARLY: bool = false;

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
