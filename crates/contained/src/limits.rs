use std::time::Duration;

/// What a child may use.
///
/// The default is what tests of an exercise get: a minute, 64 MiB of output, 1 GiB of memory, and nobody leaves. No test of
/// the course needs a tenth of any of that.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Wall time from start to exit, without the time that the reader takes to read.
    pub time: Duration,
    /// Bytes printed, on both streams together.
    pub output: u64,
    /// Bytes in one line; a longer one arrives in pieces of this size.
    pub line: usize,
    /// Bytes of memory, where the platform has such a limit; the crate's page says what counts. `None`: no limit.
    pub memory: Option<u64>,
    /// Whether a process that leaves the child's process group lives on, as the server of a compiler's cache does. Of what a
    /// learner wrote, nothing shall.
    pub may_leave: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            time: Duration::from_secs(60),
            output: 64 << 20,
            line: 64 << 10,
            memory: Some(1 << 30),
            may_leave: false,
        }
    }
}
