//! UDP: datagrams, each of which arrives whole, or not at all.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::panic::Location;

use super::address::{ToAddresses, addresses};
use super::io::Io;
use crate::reactor::{Direction, Mode};

/// A UDP socket.
///
/// All that wait here are cancel safe: a datagram is taken only to be given to you, or sent whole.
///
/// ```
/// use loopbot::net::UdpSocket;
///
/// loopbot::run(async {
///     let kitchen = UdpSocket::bind("127.0.0.1:0").await?;
///     let bar = UdpSocket::bind("127.0.0.1:0").await?;
///     bar.send_to(b"two glasses", kitchen.local_addr()?).await?;
///     let mut buffer = [0; 64];
///     let (length, from) = kitchen.recv_from(&mut buffer).await?;
///     assert_eq!((&buffer[..length], from), (&b"two glasses"[..], bar.local_addr()?));
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap()
/// ```
pub struct UdpSocket(pub(super) Io<std::net::UdpSocket>);

const ARRIVES: &str = "a datagram";
const LEAVES: &str = "room to send a datagram";

impl UdpSocket {
    /// A socket at an address, the first of those meant that is to be had. Port 0: any that is free.
    ///
    /// # Errors
    ///
    /// The last address's, if none could be had; and those of [`lookup`](super::lookup()).
    ///
    /// # Panics
    ///
    /// If no LoopBot runs on this thread.
    #[track_caller]
    pub fn bind<A: ToAddresses>(to: A) -> impl Future<Output = io::Result<UdpSocket>> + use<A> {
        let at = Location::caller();
        let said = to.said();
        async move {
            let found = addresses(said).await?;
            let socket = std::net::UdpSocket::bind(&found[..])?;
            socket.set_nonblocking(true)?;
            let name = "net::UdpSocket::bind";
            Ok(UdpSocket(Io::at(socket, Mode::Edge, name, at)?))
        }
    }

    /// Makes std's socket one of the LoopBot that runs on this thread.
    ///
    /// # Panics
    ///
    /// If none does.
    #[track_caller]
    pub fn from_std(socket: std::net::UdpSocket) -> io::Result<UdpSocket> {
        socket.set_nonblocking(true)?;
        let name = "net::UdpSocket::from_std";
        Ok(UdpSocket(Io::new(socket, Mode::Edge, name)?))
    }

    /// Takes it out of this LoopBot. It still does not block.
    pub fn into_std(self) -> std::net::UdpSocket {
        self.0.into_inner()
    }

    /// From now on: [`send`](UdpSocket::send) sends there, and only what comes from there arrives. Nothing goes over the network for it.
    pub async fn connect(&self, to: impl ToAddresses) -> io::Result<()> {
        let found = addresses(to.said()).await?;
        self.0.get_ref().connect(&found[..])
    }

    /// Sends a datagram. Returns how long it was: all of it.
    pub async fn send_to(&self, bytes: &[u8], to: impl ToAddresses) -> io::Result<usize> {
        let to = addresses(to.said()).await?[0];
        let send = |inner: &std::net::UdpSocket| inner.send_to(bytes, to);
        self.0.io(Direction::Write, LEAVES, send).await
    }

    /// Sends a datagram to where this is connected.
    pub async fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        let send = |inner: &std::net::UdpSocket| inner.send(bytes);
        self.0.io(Direction::Write, LEAVES, send).await
    }

    /// The next datagram, and where it comes from. What does not fit into the buffer is lost.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let receive = |inner: &std::net::UdpSocket| inner.recv_from(buffer);
        self.0.io(Direction::Read, ARRIVES, receive).await
    }

    /// The next datagram from where this is connected. What does not fit into the buffer is lost.
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let receive = |inner: &std::net::UdpSocket| inner.recv(buffer);
        self.0.io(Direction::Read, ARRIVES, receive).await
    }

    /// The next datagram, without taking it.
    pub async fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let peek = |inner: &std::net::UdpSocket| inner.peek_from(buffer);
        self.0.io(Direction::Read, ARRIVES, peek).await
    }

    /// Waits until there is a datagram, or an error.
    #[track_caller]
    pub fn readable(&self) -> impl Future<Output = io::Result<()>> {
        self.0.ready(Direction::Read, ARRIVES, Location::caller())
    }

    /// Waits until a datagram can be sent.
    #[track_caller]
    pub fn writable(&self) -> impl Future<Output = io::Result<()>> {
        self.0.ready(Direction::Write, LEAVES, Location::caller())
    }

    /// The address of this side.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }

    /// The address this is connected to.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().peer_addr()
    }

    /// Whether datagrams may be sent to everybody on the local network.
    pub fn set_broadcast(&self, broadcast: bool) -> io::Result<()> {
        self.0.get_ref().set_broadcast(broadcast)
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.get_ref().fmt(f)
    }
}
