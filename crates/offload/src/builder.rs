//! A pool that is not the usual one.

use std::thread;
use std::time::Duration;

use flight::Recorder;

use crate::pool::Pool;
use crate::shared::Shared;

/// Says what a [`Pool`] shall be like. Made by [`Pool::builder`].
///
/// ```
/// use std::time::Duration;
///
/// // Whatever asks the old printer has a pool of its own: when the printer is slow, nobody else has to wait.
/// let printer = offload::Pool::builder().name("printer").max_threads(1).queue(20).build();
/// assert_eq!(printer.spawn_blocking(|| "printed").wait().unwrap(), "printed");
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    pub(crate) name: String,
    pub(crate) max_threads: usize,
    pub(crate) queue: usize,
    pub(crate) idle: Duration,
    pub(crate) spin: Duration,
    pub(crate) stack_size: Option<usize>,
    pub(crate) recorder: Recorder,
}

/// How many threads a pool of the usual kind may have: jobs that wait for a disk leave a core to others, so there are
/// more than cores; but not many more, since nothing gets faster by it.
const MORE_THAN_CORES: usize = 4;
const MOST_THREADS: usize = 32;

/// Longer than anybody waits, and short enough to be added to any time.
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

impl Builder {
    pub(crate) fn new() -> Builder {
        Builder {
            name: "offload".to_owned(),
            max_threads: MOST_THREADS.min(cores() + MORE_THAN_CORES),
            queue: 1024,
            idle: Duration::from_secs(10),
            spin: Duration::from_micros(20),
            stack_size: None,
            recorder: Recorder::off(),
        }
    }

    /// The name of the pool. Its threads are called after it: "offload-1", "offload-2".
    pub fn name(mut self, name: &str) -> Builder {
        self.name = name.replace('\0', ""); // A thread's name cannot hold one.
        self
    }

    /// How many threads there may be; at least 1. Without this, four more than there are cores, and 32 at most. They are
    /// started when there is work for them.
    pub fn max_threads(mut self, threads: usize) -> Builder {
        self.max_threads = threads.max(1);
        self
    }

    /// How many jobs may wait for a thread. Without this, 1024. With 0, a job has a place only if a thread can begin it.
    ///
    /// So a pool with two threads and a queue of three takes in five jobs, and has room for the next when one of them is over.
    pub fn queue(mut self, jobs: usize) -> Builder {
        self.queue = jobs;
        self
    }

    /// How long a thread stays that has nothing to do. Without this, 10 seconds.
    pub fn idle(mut self, idle: Duration) -> Builder {
        self.idle = idle.min(A_YEAR);
        self
    }

    /// How long a thread that has nothing to do looks out for more work before it goes to sleep. The next job then need
    /// not wake it, which makes the way there and back half as long. Without this, 20 microseconds; zero means never.
    ///
    /// One thread at a time does so, and only if the pool leaves a core free for it and another one for the caller. It does so less
    /// and less often while nothing comes of it.
    pub fn spin(mut self, spin: Duration) -> Builder {
        self.spin = spin.min(A_YEAR);
        self
    }

    /// The size of the threads' stacks, in bytes. Without this, the standard library's.
    pub fn stack_size(mut self, bytes: usize) -> Builder {
        self.stack_size = Some(bytes);
        self
    }

    /// Where the pool writes down which job was handed over, begun and ended when, and how long its queue was.
    pub fn recorder(mut self, recorder: Recorder) -> Builder {
        self.recorder = recorder;
        self
    }

    /// The pool. No thread is started yet.
    pub fn build(self) -> Pool {
        Pool::new(Shared::new(self))
    }
}

pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
