//! `std`, with locks and threads that a check can see.
//!
//! An exercise that has this line in its `Cargo.toml`
//!
//! ```toml
//! [dependencies]
//! std = { package = "whatif-std", path = "../../crates/whatif-std" }
//! ```
//!
//! says `use std::sync::Mutex` in its source, like any program, and means `whatif::sync::Mutex`. Cargo hands this crate to
//! the compiler under the name `std`, and the compiler takes it for that: in paths, in the prelude, in macros and derives.
//! Everything else is std's own, so nothing else changes. Without the line the same file is compiled with the real std.
//!
//! It is a convenience for exercises, and no more than that. What a learner may notice:
//!
//! - The compiler calls things by their true names: `whatif_std::sync::MutexGuard<'_, u32>`.
//! - `Mutex::new`, `AtomicBool::new` and their like are not `const`, so they cannot be in a `static`. A `static` would
//!   carry what happened in one schedule into the next one. `LazyLock`, `OnceLock` and `Once` are std's own, because they
//!   are made for a `static`: whoever puts a lock into one of them is told at run time that it was there before the run
//!   began.
//! - Inside of a check no lock is ever poisoned: a robot that panics ends the run, and its story is told.
//! - rustc refuses `let _ = mutex.lock()` for std's lock, and does not know this one.
//! - What `whatif` has no version of is std's, and a check cannot see it.
//!
//! Nothing here promises that `std` can be renamed for ever. It works with today's compilers, clippy, rustdoc and
//! rust-analyzer, and the tests of this crate and of the exercise that uses it notice if a compiler does not agree.

pub use ::std::*;

/// As `std::sync`, with what is `whatif`'s in place of std's.
pub mod sync {
    pub use ::std::sync::*;
    pub use whatif::sync::{
        Barrier, BarrierWaitResult, Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard,
        RwLockWriteGuard, WaitTimeoutResult, mpsc,
    };

    /// As `std::sync::atomic`, with what is `whatif`'s in place of std's.
    pub mod atomic {
        pub use ::std::sync::atomic::*;
        pub use whatif::sync::atomic::{
            AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8,
            AtomicU16, AtomicU32, AtomicU64, AtomicUsize, fence,
        };
    }
}

/// As `std::thread`, with what is `whatif`'s in place of std's.
pub mod thread {
    pub use ::std::thread::*;
    pub use whatif::thread::{
        Builder, JoinHandle, Scope, ScopedJoinHandle, Thread, available_parallelism, current, park,
        park_timeout, scope, sleep, spawn, yield_now,
    };
}
