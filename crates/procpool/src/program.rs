//! Which build of another program the workers run: the one that was there when the pool was built.
//!
//! Pool and workers have to be of one build. What is compared when a worker starts, names and sizes, cannot see that two
//! fields of a type have changed places. A worker that is this program once more is started from the very file that this
//! program was, so there is nothing to see. But another program can be replaced on disk while the pool runs, by an
//! upgrade, and the next worker would be of the new build. So its file is remembered, and no other one is started.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Another program, as it was at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Other {
    pub(crate) path: PathBuf,
    file: Identity,
}

/// What a file that was replaced, or written anew, has not all the same. Its bytes are not looked at: that would be to
/// read it all at each start.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    device_and_inode: Option<(u64, u64)>,
    len: u64,
    modified: Option<SystemTime>,
}

impl Identity {
    fn of(path: &Path) -> io::Result<Identity> {
        let file = std::fs::metadata(path)?;
        if !file.is_file() {
            return Err(io::Error::other("that is no file"));
        }
        #[cfg(unix)]
        let device_and_inode = {
            use std::os::unix::fs::MetadataExt;
            Some((file.dev(), file.ino()))
        };
        #[cfg(not(unix))]
        let device_and_inode = None;
        Ok(Identity {
            device_and_inode,
            len: file.len(),
            modified: file.modified().ok(),
        })
    }
}

impl Other {
    /// The program that is there now.
    ///
    /// # Errors
    ///
    /// There is none, or no file.
    pub(crate) fn now(path: PathBuf) -> io::Result<Other> {
        let file = Identity::of(&path)?;
        Ok(Other { path, file })
    }

    /// Whether it still is that one. If nobody can tell, whoever starts it will say why.
    ///
    /// # Errors
    ///
    /// It was replaced.
    pub(crate) fn is_as_it_was(&self) -> io::Result<()> {
        match Identity::of(&self.path) {
            Ok(file) if file != self.file => Err(io::Error::other(format!(
                "the program {} is not the file that it was when this pool was built: a worker of another build could \
                 take its arguments for something else. Build a new pool to go on with the new one",
                self.path.display()
            ))),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}
