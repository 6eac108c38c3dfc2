//! All robots on one core.
//!
//! One robot moves at a time, so a second core has nothing to do. It is worse than useless: the
//! robot that is handed the next move sleeps there, and waking a sleeping core takes several times
//! as long as everything else that a step needs (`cargo bench -p referee`, with and without
//! `taskset -c 0`).
//!
//! Only on Linux; elsewhere the system decides, and checks are slower, not different.

use std::marker::PhantomData;
use std::num::NonZero;
use std::sync::OnceLock;
use std::thread;

/// Cores of this process, as they were before any check took one for itself.
static CORES: OnceLock<Option<NonZero<usize>>> = OnceLock::new();

pub(crate) use system::Cores;

pub(crate) fn before() -> Option<NonZero<usize>> {
    CORES.get().copied().flatten()
}

/// Until it is dropped, this thread, and those that it starts meanwhile, stay on one core.
pub(crate) struct OneCore {
    before: Option<Cores>,
    /// Where it stays; None: anywhere.
    pub now: Option<Cores>,
    /// What has been done to this thread must be undone on it.
    _stays: PhantomData<*const ()>,
}

impl OneCore {
    pub(crate) fn keep() -> OneCore {
        CORES.get_or_init(|| thread::available_parallelism().ok());
        let before = system::allowed();
        let now = before.map(|_| system::current());
        now.iter().for_each(system::allow);
        OneCore { before, now, _stays: PhantomData }
    }
}

impl Drop for OneCore {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            system::allow(before);
        }
    }
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
mod system {
    use std::ffi::c_int;

    /// One bit a core, up to the 1,024 that glibc's `cpu_set_t` has room for.
    pub(crate) type Cores = [u64; 16];

    // What glibc and musl say in sched.h. Both return a negative number if it cannot be done.
    unsafe extern "C" {
        fn sched_getaffinity(thread: c_int, bytes: usize, cores: *mut u64) -> c_int;
        fn sched_setaffinity(thread: c_int, bytes: usize, cores: *const u64) -> c_int;
        fn sched_getcpu() -> c_int;
    }

    /// The cores on which this thread may run.
    pub(super) fn allowed() -> Option<Cores> {
        let mut cores = Cores::default();
        // SAFETY: 0 is the calling thread, and as many bytes are written at most as `cores` has.
        let answer = unsafe { sched_getaffinity(0, size_of::<Cores>(), cores.as_mut_ptr()) };
        (answer >= 0).then_some(cores)
    }

    /// The core on which this thread runs.
    pub(super) fn current() -> Cores {
        // SAFETY: it takes nothing and touches nothing of ours.
        let core = unsafe { sched_getcpu() };
        let mut cores = Cores::default();
        let core = usize::try_from(core).unwrap_or(0);
        if let Some(word) = cores.get_mut(core / 64) {
            *word = 1 << (core % 64);
        }
        cores
    }

    /// If that cannot be done, all stays as it is.
    pub(super) fn allow(cores: &Cores) {
        // SAFETY: 0 is the calling thread, and as many bytes are read as `cores` has.
        let _ = unsafe { sched_setaffinity(0, size_of::<Cores>(), cores.as_ptr()) };
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(crate) type Cores = ();

    pub(super) fn allowed() -> Option<Cores> {
        None
    }

    pub(super) fn current() -> Cores {}

    pub(super) fn allow(_: &Cores) {}
}
