//! How a process ended.

/// What the operating system says of a process that is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It left by itself, with this exit code.
    Code(i32),
    /// A signal ended it: 9 for a kill, 11 for a segmentation fault, 6 for an abort.
    Signal(i32),
    /// Somebody else in this process asked for its status first (a `SIGCHLD` handler that waits for every
    /// child, or a `SIGCHLD` that is ignored). It is gone; how, nobody can say any more.
    Unknown,
}

impl Exit {
    /// One number for the record: the exit code, or 256 and the signal.
    pub(crate) fn for_the_record(self) -> u64 {
        match self {
            Exit::Code(code) => u64::from(code as u8),
            Exit::Signal(signal) => 256 + u64::from(signal.unsigned_abs()),
            Exit::Unknown => 255,
        }
    }

    /// Was this the signal that the system's out-of-memory killer sends? A person may have sent it as well:
    /// see [`OomCounter`](super::OomCounter).
    pub(crate) fn is_kill(self) -> bool {
        self == Exit::Signal(9)
    }
}
