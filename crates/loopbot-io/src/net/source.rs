//! Any other descriptor: whatever the system can watch.

use std::fmt;
use std::io;
use std::panic::Location;

use super::io::Io;
use crate::reactor::{AsSource, Direction, Mode};

/// A descriptor of the user's own that a task can wait for: a pipe, a terminal, a device, a socket of another kind.
///
/// It must not block (`O_NONBLOCK`), and must be of a kind that the system can watch: on Linux not a regular
/// file, on Windows only sockets.
///
/// Each [`readable`](Source::readable) asks the system about now, so `get_ref` may be used in any way, and by anybody.
///
/// ```
/// # #[cfg(unix)] {
/// use std::io::{Read, Write, pipe};
/// use loopbot::net::Source;
///
/// loopbot::run(async {
///     let (bell, mut rope) = pipe()?;
///     let bell = Source::new(std::os::fd::OwnedFd::from(bell))?; // we only wait, so it may block
///     loopbot::spawn(async move { rope.write_all(b"!") });
///     bell.readable().await?;
///     std::io::PipeReader::from(bell.into_inner()).read_exact(&mut [0])
/// })
/// # .unwrap() }
/// ```
pub struct Source<T: AsSource>(pub(super) Io<T>);

impl<T: AsSource> Source<T> {
    /// Has a descriptor watched by the LoopBot of this thread.
    ///
    /// # Errors
    ///
    /// What the system says, if it cannot watch it.
    ///
    /// # Panics
    ///
    /// If no LoopBot runs on this thread.
    #[track_caller]
    pub fn new(inner: T) -> io::Result<Source<T>> {
        Ok(Source(Io::new(inner, Mode::OnDemand, "net::Source::new")?))
    }

    /// Waits until it can be read from, or is at its end, or failed. Cancel safe.
    #[track_caller]
    pub fn readable(&self) -> impl Future<Output = io::Result<()>> {
        let at = Location::caller();
        self.0
            .ready(Direction::Read, "a descriptor to be readable", at)
    }

    /// Waits until it can be written to, or that would fail at once. Cancel safe.
    #[track_caller]
    pub fn writable(&self) -> impl Future<Output = io::Result<()>> {
        let at = Location::caller();
        self.0
            .ready(Direction::Write, "a descriptor to be writable", at)
    }

    /// Reads, in whatever way: calls `read`, and when that [would block](io::ErrorKind::WouldBlock), waits and
    /// calls it again. Cancel safe.
    pub async fn read_with<R>(&self, read: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        let what = "a descriptor to be readable";
        self.0.io(Direction::Read, what, read).await
    }

    /// Writes, in whatever way: calls `write`, and when that [would block](io::ErrorKind::WouldBlock), waits and
    /// calls it again. Cancel safe.
    pub async fn write_with<R>(&self, write: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        let what = "a descriptor to be writable";
        self.0.io(Direction::Write, what, write).await
    }

    /// The descriptor. Do not close it.
    pub fn get_ref(&self) -> &T {
        self.0.get_ref()
    }

    /// The descriptor, which is no longer watched.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: AsSource + fmt::Debug> fmt::Debug for Source<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(self.get_ref()).finish()
    }
}
