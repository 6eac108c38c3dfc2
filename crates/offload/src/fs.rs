//! Files, without holding up the tasks: the example of what a pool is for.
//!
//! No system tells a loop when a file on a disk is ready to be read, as it does for sockets: a file always counts as ready, and then the
//! read takes as long as the disk does. So it is done on a thread of the [pool of the process](crate::Pool::global).
//!
//! Each function is [`std::fs`]'s, offloaded. One that has been begun goes on to its end when its future is dropped: a file may be
//! written although nobody waits for that any more.
//!
//! ```
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("menu.txt");
//! loopbot::run(async {
//!     offload::fs::write(&path, "soup\nsoufflé\n").await?;
//!     let menu = offload::fs::read_to_string(&path).await?;
//!     assert_eq!(menu.lines().count(), 2);
//!     Ok::<(), std::io::Error>(())
//! })
//! # .unwrap();
//! ```

use std::fs;
use std::io;
use std::path::Path;

/// The whole content of a file.
///
/// # Errors
///
/// As [`std::fs::read`].
pub async fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let path = path.as_ref().to_owned();
    offload(move || fs::read(path)).await
}

/// The whole content of a file, as text.
///
/// # Errors
///
/// As [`std::fs::read_to_string`].
pub async fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    let path = path.as_ref().to_owned();
    offload(move || fs::read_to_string(path)).await
}

// ANCHOR: write
/// Makes this the whole content of a file.
///
/// # Errors
///
/// As [`std::fs::write`].
pub async fn write(path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> io::Result<()> {
    // The job may outlast whoever waits for it, so it must have what it needs.
    let (path, content) = (path.as_ref().to_owned(), content.as_ref().to_owned());
    offload(move || fs::write(path, content)).await
}
// ANCHOR_END: write

/// Removes a file.
///
/// # Errors
///
/// As [`std::fs::remove_file`].
pub async fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    offload(move || fs::remove_file(path)).await
}

// ANCHOR: offload
async fn offload<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    crate::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}
// ANCHOR_END: offload
