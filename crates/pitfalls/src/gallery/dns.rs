//! Asking for an address. The usual way to ask, `to_socket_addrs`, waits for a name server on the network.
//!
//! How long the system's resolver takes cannot be arranged here, and in a classroom there may be no network to ask. So
//! there is a stand-in: one datagram out, one back, and whoever has asked waits. What is done about it is what
//! `loopbot::net::lookup` and `tokio::net::lookup_host` do about the system's: they have a thread ask.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use super::world::slow_resolver;
use super::{Acts, Entry};

pub(super) const ENTRY: Entry = Entry {
    name: "dns",
    title: "asking for an address",
    happens: "`to_socket_addrs`, and everything that takes a host's name in std, waits for a name server. A literal address hides it in every test.",
    instead: "Use the runtime's lookup: `loopbot::net::lookup`, `tokio::net::lookup_host`. Both have a thread ask.",
    never_ends: false,
    broken: Acts {
        loopbot: || Box::pin(broken()),
        tokio: || Box::pin(broken()),
    },
    mended: Acts {
        loopbot: || Box::pin(on_loopbot()),
        tokio: || Box::pin(on_tokio()),
    },
};

const HOST: &str = "market.example";

/// A resolver, smaller than the system's, and no faster.
fn look_up(resolver: SocketAddr, host: &str) -> io::Result<IpAddr> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.send_to(host.as_bytes(), resolver)?;
    let mut answer = [0; 64];
    let length = socket.recv(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer[..length]);
    answer.parse().map_err(io::Error::other)
}

// ANCHOR: broken
async fn broken() -> io::Result<()> {
    let market = look_up(slow_resolver()?, HOST)?;
    assert!(market.is_ipv4());
    Ok(())
}
// ANCHOR_END: broken

// ANCHOR: mended
async fn on_loopbot() -> io::Result<()> {
    let resolver = slow_resolver()?;
    let asked = offload::spawn_blocking(move || look_up(resolver, HOST));
    let market = asked.await.map_err(io::Error::other)??;
    assert!(market.is_ipv4());
    Ok(())
}
// ANCHOR_END: mended

async fn on_tokio() -> io::Result<()> {
    let resolver = slow_resolver()?;
    let asked = tokio::task::spawn_blocking(move || look_up(resolver, HOST));
    let market = asked.await??;
    assert!(market.is_ipv4());
    Ok(())
}
