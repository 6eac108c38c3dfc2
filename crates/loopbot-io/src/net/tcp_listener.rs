//! Waiting for others to connect.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use socket2::{Domain, Protocol, Socket, Type};

use super::TcpStream;
use super::accept::accept;
use super::address::{ToAddresses, addresses};
use super::io::Io;
use crate::reactor::Mode;

/// How many connections the system keeps for us until we accept them. It cuts this down to its own limit.
const BACKLOG: i32 = 4096;

/// A TCP socket that others connect to.
///
/// ```
/// use loopbot::net::{TcpListener, TcpStream};
///
/// loopbot::run(async {
///     let door = TcpListener::bind("127.0.0.1:0").await?; // 0: any port that is free
///     let address = door.local_addr()?;
///     let guest = loopbot::spawn(async move { TcpStream::connect(address).await?.local_addr() });
///     let (_party, from) = door.accept().await?;
///     assert_eq!(from, guest.await.unwrap()?);
///     Ok(())
/// })
/// # .and_then(|()| Ok::<(), std::io::Error>(()))
/// # .unwrap()
/// ```
pub struct TcpListener(pub(super) Io<std::net::TcpListener>);

impl TcpListener {
    /// Listens at an address, the first of those meant that is to be had.
    ///
    /// # Errors
    ///
    /// The last address's, if none could be had; and those of [`lookup`](super::lookup()).
    ///
    /// # Panics
    ///
    /// If no LoopBot runs on this thread.
    #[track_caller]
    pub fn bind<A: ToAddresses>(to: A) -> impl Future<Output = io::Result<TcpListener>> + use<A> {
        let at = Location::caller();
        let said = to.said();
        async move {
            let mut refused = None;
            for address in addresses(said).await? {
                match listen(address) {
                    Ok(listener) => {
                        let name = "net::TcpListener::bind";
                        return Ok(TcpListener(Io::at(listener, Mode::Edge, name, at)?));
                    }
                    Err(error) => refused = Some(error),
                }
            }
            Err(refused.expect("there is at least one address"))
        }
    }

    /// Makes std's listener one of the LoopBot that runs on this thread.
    ///
    /// # Panics
    ///
    /// If none does.
    #[track_caller]
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<TcpListener> {
        listener.set_nonblocking(true)?;
        let name = "net::TcpListener::from_std";
        Ok(TcpListener(Io::new(listener, Mode::Edge, name)?))
    }

    /// Takes it out of this LoopBot. It still does not block.
    pub fn into_std(self) -> std::net::TcpListener {
        self.0.into_inner()
    }

    /// The address it listens at, with the port the system chose if that was left to it.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }

    /// The next connection, and where it comes from. Several tasks may wait for one; each connection goes to one of them.
    ///
    /// When the process has no descriptor left for it, the connection stays with the system, and this tries
    /// again after a while, longer each time, up to a second: nobody is turned away, and nothing spins.
    ///
    /// A crowd at the door does not stop the work inside: a task that accepts and accepts gives way when it has used up the
    /// [budget](loopbot_core::Builder::budget) of its turn, after 128 connections unless you say otherwise.
    ///
    /// Cancel safe: it takes a connection only to give it to you.
    ///
    /// # Errors
    ///
    /// Only what the listener cannot recover from.
    #[track_caller]
    pub fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> {
        accept(&self.0, Location::caller(), |inner| inner.accept())
    }

    /// Every connection, one after the other, without end: a [`Stream`].
    #[track_caller]
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming {
            listener: self,
            next: Box::pin(self.accept()),
        }
    }
}

/// The stream of [`TcpListener::incoming`].
#[must_use = "a stream does nothing until it is polled"]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
    next: Pin<Box<dyn Future<Output = Accepted> + 'a>>,
}

type Accepted = io::Result<(TcpStream, SocketAddr)>;

impl Stream for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let accepted = ready!(self.next.as_mut().poll(cx));
        self.next = Box::pin(self.listener.accept());
        Poll::Ready(Some(accepted.map(|(stream, _)| stream)))
    }
}

fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // On Unix: a port whose last owner has ended may be used again at once. On Windows the option means something else.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.get_ref().fmt(f)
    }
}

impl fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("listener", &self.listener)
            .finish_non_exhaustive()
    }
}
