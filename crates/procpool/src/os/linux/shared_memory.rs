//! Memory that two processes see.
//!
//! It is a file without a name that lies in memory (a memfd). Nothing of it can be left over: when the last
//! process that holds it is gone, however it went, so is the memory.
//!
//! A file that somebody shrinks is a trap for whoever has it mapped: the next look at the lost part is a
//! `SIGBUS`. So the file is sealed against shrinking before anybody else gets it, and whoever gets it looks
//! at the seals before mapping it. Seals cannot be taken off.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags};

/// A mapping, the whole of it in this process's address space until it is dropped. Only a pointer: what may
/// be done through it is for the owner to say.
#[derive(Debug)]
pub(crate) struct SharedMemory {
    map: MmapRaw,
    /// For memory that others only read: opened for reading.
    file: OwnedFd,
    receiver: Receiver,
}

/// What whoever receives it may do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiver {
    /// Read only, and the kernel sees to it.
    Reads,
    /// Read and write.
    Writes,
}

impl SharedMemory {
    /// New memory, `len` bytes of zero, writable here.
    ///
    /// # Errors
    ///
    /// `len` is 0; out of memory, of descriptors or of address space.
    pub(crate) fn new(name: &str, len: usize, receiver: Receiver) -> io::Result<SharedMemory> {
        if len == 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "shared memory of no bytes",
            ));
        }
        let file = memfd(name)?;
        rustix::fs::ftruncate(&file, len as u64)?;
        let map = MmapOptions::new().len(len).map_raw(&file)?;
        let seals = SealFlags::SHRINK | SealFlags::GROW;
        let file = match receiver {
            Receiver::Writes => {
                rustix::fs::fcntl_add_seals(&file, seals | SealFlags::SEAL)?;
                file
            }
            Receiver::Reads => {
                // From here on the mapping that we have is the only one that writes, for ever: there can be
                // no other. And what we give away is a file opened for reading.
                rustix::fs::fcntl_add_seals(
                    &file,
                    seals | SealFlags::FUTURE_WRITE | SealFlags::SEAL,
                )?;
                read_only(file.as_fd())?
            }
        };
        Ok(SharedMemory {
            map,
            file,
            receiver,
        })
    }

    /// Memory that somebody else made, of at least `len` bytes, of which we see the first `len`.
    ///
    /// # Errors
    ///
    /// The descriptor is not memory of ours: another kind of file, not sealed, or too small.
    pub(crate) fn receive(
        file: OwnedFd,
        len: usize,
        receiver: Receiver,
    ) -> io::Result<SharedMemory> {
        let refuse = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidData, what.to_owned()));
        let Ok(seals) = rustix::fs::fcntl_get_seals(&file) else {
            return refuse("the descriptor is not shared memory");
        };
        let needed = match receiver {
            Receiver::Reads => SealFlags::SHRINK | SealFlags::FUTURE_WRITE,
            Receiver::Writes => SealFlags::SHRINK,
        };
        if !seals.contains(needed) {
            return refuse("the shared memory is not sealed: it could change while it is read");
        }
        // Looked at after the seal: now it can only be true for good.
        let size = rustix::fs::fstat(&file)?.st_size;
        if len == 0 || u64::try_from(size).unwrap_or(0) < len as u64 {
            return refuse(&format!(
                "the message speaks of {len} bytes of shared memory, but there are {size}"
            ));
        }
        let map = match receiver {
            Receiver::Reads => MmapOptions::new().len(len).map_raw_read_only(&file)?,
            Receiver::Writes => MmapOptions::new().len(len).map_raw(&file)?,
        };
        Ok(SharedMemory {
            map,
            file,
            receiver,
        })
    }

    /// Where it lies. Page-aligned. Valid as long as `self`, wherever `self` is moved to.
    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.map.as_ptr()
    }

    /// The same, to write through: allowed only to whoever made it, or got it as [`Receiver::Writes`].
    pub(crate) fn as_mut_ptr(&self) -> *mut u8 {
        self.map.as_mut_ptr()
    }

    /// Bytes mapped.
    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    /// A descriptor to give away. For read-only memory it is a file of its own, opened for reading: see
    /// [`SharedMemory::is_alone`].
    ///
    /// # Errors
    ///
    /// Out of descriptors; no `/proc`.
    pub(crate) fn to_give(&self) -> io::Result<OwnedFd> {
        match self.receiver {
            Receiver::Reads => read_only(self.file.as_fd()),
            Receiver::Writes => self.file.try_clone(),
        }
    }

    /// True if the kernel can say for sure that nobody else has this memory: no descriptor of
    /// [`SharedMemory::to_give`] is open anywhere, on its way through a socket or in a mapping, in this
    /// process or in any other. Only for memory made here with [`Receiver::Reads`].
    ///
    /// It is asked by way of a lease. Linux gives a write lease on a file only if nobody else has it open,
    /// and counts each `open` by itself. So there is no protocol to be followed, and none to be forgotten: a
    /// worker that was killed has given everything back.
    pub(crate) fn is_alone(&self) -> bool {
        if self.receiver == Receiver::Writes {
            return false;
        }
        let file = self.file.as_raw_fd();
        // SAFETY: these calls of fcntl take a descriptor that is open and a number, and touch no memory.
        unsafe {
            // If anybody opens the file while we have the lease, we get a signal: SIGIO, which kills. Rather
            // one that is ignored. The lease goes at once, and whoever opened it is let in.
            if libc::fcntl(file, F_SETSIG, libc::SIGURG) != 0 {
                return false;
            }
            if libc::fcntl(file, libc::F_SETLEASE, libc::F_WRLCK) != 0 {
                return false;
            }
            libc::fcntl(file, libc::F_SETLEASE, libc::F_UNLCK) == 0
        }
    }
}

impl AsFd for SharedMemory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Which signal tells of a lease that is wanted by somebody else.
const F_SETSIG: libc::c_int = 10;

fn memfd(name: &str) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Nobody shall run it as a program. Kernels before 6.3 do not know the flag.
    match rustix::fs::memfd_create(name, flags | MemfdFlags::NOEXEC_SEAL) {
        Err(rustix::io::Errno::INVAL) => Ok(rustix::fs::memfd_create(name, flags)?),
        made => Ok(made?),
    }
}

/// The same file, opened once more, for reading.
fn read_only(file: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let opened = rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    opened.map_err(|error| {
        io::Error::new(
            io::Error::from(error).kind(),
            format!("shared memory needs /proc, to open a file again for reading: {error}"),
        )
    })
}
