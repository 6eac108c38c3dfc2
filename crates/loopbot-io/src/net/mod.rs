//! Sockets: a task that waits for the network does not hold LoopBot up.
//!
//! Every socket belongs to the LoopBot on which it was made: only that one hears when it is ready. What the
//! system has to offer and is not here, is reached through `socket2::SockRef::from(&socket)`.
//!
//! | file | idea |
//! |---|---|
//! | `reactor.rs` | who waits for which descriptor |
//! | `poller/` | asking the system which descriptors are ready |
//! | `net/io.rs` | try first, wait only if that would block |
//! | `net/accept.rs` | the next connection, and what to do when there is no descriptor left for it |
//! | `net/stream.rs` | bytes in both directions |
//! | `net/tcp_stream.rs`, `net/tcp_listener.rs`, `net/udp.rs`, `net/unix.rs` | the kinds of sockets |
//! | `net/source.rs` | any other descriptor |
//! | `net/address.rs`, `net/lookup.rs` | from a name to an address |
//!
//! # When a wait is dropped
//!
//! To drop a future that waits for a socket is safe: nothing is lost. Its waker stays with the socket until that has its next
//! event, or is closed. So the task may be polled once more than needed, and a waker of another executor's (of
//! `FuturesUnordered`, for instance) lives as long. It is not taken out at once, because a waker does not say which of a
//! task's futures left it, and another one may wait for the same.
//!
//! # On a virtual clock
//!
//! The network is real, so its time is real. While a task waits for a socket, a virtual clock goes as fast as
//! a real one; as soon as nobody does, it jumps again.

mod accept;
mod address;
mod descriptor;
mod io;
mod lookup;
mod source;
mod stream;
mod tcp_listener;
mod tcp_stream;
mod udp;
#[cfg(unix)]
mod unix;

pub use address::ToAddresses;
pub use lookup::lookup;
pub use source::Source;
pub use stream::{Duplex, ReadHalf, Stream, WriteHalf};
pub use tcp_listener::{Incoming, TcpListener};
pub use tcp_stream::TcpStream;
pub use udp::UdpSocket;
#[cfg(unix)]
pub use unix::{UnixDatagram, UnixListener, UnixStream};
