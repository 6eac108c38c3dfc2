//! Reading a socket with std. `read` returns when the other side has said something.

use std::io::{self, Read};

use super::world::slow_server;
use super::{Acts, Entry};

pub(super) const ENTRY: Entry = Entry {
    name: "socket-read",
    title: "reading a socket of std",
    happens: "`std::net::TcpStream::read` returns when the other side has said something. Until then the thread waits for this one connection, and all others wait for the thread.",
    instead: "Use the runtime's sockets: `loopbot::net::TcpStream`, `tokio::net::TcpStream`. For a library that insists on std's, `spawn_blocking`.",
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

// ANCHOR: broken
async fn broken() -> io::Result<()> {
    let mut stream = std::net::TcpStream::connect(slow_server()?)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    assert_eq!(answer, "rare");
    Ok(())
}
// ANCHOR_END: broken

// ANCHOR: mended
async fn on_loopbot() -> io::Result<()> {
    let stream = loopbot::net::TcpStream::connect(slow_server()?).await?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 64]);
    loop {
        match stream.try_read(&mut buffer) {
            Ok(0) => break,
            Ok(bytes) => answer.extend_from_slice(&buffer[..bytes]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.readable().await?,
            Err(error) => return Err(error),
        }
    }
    assert_eq!(answer, b"rare");
    Ok(())
}
// ANCHOR_END: mended

async fn on_tokio() -> io::Result<()> {
    let mut stream = tokio::net::TcpStream::connect(slow_server()?).await?;
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await?;
    assert_eq!(answer, "rare");
    Ok(())
}
