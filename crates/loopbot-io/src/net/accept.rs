//! Taking the next connection, and what to do when there is no descriptor left for it.

use std::io::{self, ErrorKind};
use std::panic::Location;
use std::time::Duration;

use loopbot_core::sleep;

use super::io::Io;
use super::stream::{Duplex, Stream};
use crate::reactor::{AsSource, Direction, Mode};

const SHORTEST_PAUSE: Duration = Duration::from_millis(4);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The next connection of a listener, as a stream of the LoopBot that the listener is on.
pub(super) async fn accept<L: AsSource, T: Duplex, A>(
    listener: &Io<L>,
    at: &'static Location<'static>,
    mut accept: impl FnMut(&L) -> io::Result<(T, A)>,
) -> io::Result<(Stream<T>, A)> {
    let mut pause = SHORTEST_PAUSE;
    loop {
        let accepted = listener
            .io(Direction::Read, "a connection", &mut accept)
            .await;
        let error = match accepted.and_then(|(stream, from)| Ok((welcome(stream, at)?, from))) {
            Err(error) => error,
            accepted => return accepted,
        };
        if is_scarcity(&error) {
            // The connection waits with the system, and we wait for whoever closes something.
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        } else if !is_about_one_connection(&error) {
            return Err(error);
        }
    }
}

fn welcome<T: Duplex>(stream: T, at: &'static Location<'static>) -> io::Result<Stream<T>> {
    stream.set_nonblocking()?;
    Ok(Stream(Io::at(stream, Mode::Edge, "net::accept", at)?))
}

/// Whether a connection broke before it was accepted, which is no reason not to accept the next.
fn is_about_one_connection(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | ConnectionRefused
    )
}

/// Whether the system or the process has run out of descriptors, or of memory for them.
fn is_scarcity(error: &io::Error) -> bool {
    #[cfg(unix)]
    let scarce = {
        use rustix::io::Errno;
        [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM].map(Errno::raw_os_error)
    };
    #[cfg(not(unix))]
    let scarce = [10_024, 10_055]; // WSAEMFILE, WSAENOBUFS
    error
        .raw_os_error()
        .is_some_and(|code| scarce.contains(&code))
}
