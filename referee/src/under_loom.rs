//! Does loom find a data race in a hand-over?

use std::panic::{self, AssertUnwindSafe};

use crate::hand_over::HandOver;

mod run {
    #![allow(missing_docs, reason = "see the macro")]
    use loom::cell::UnsafeCell;

    struct Thing(UnsafeCell<u8>);

    // SAFETY: loom watches each access, and ends the run before two of them meet.
    #[allow(unsafe_code, reason = "loom's cell is shaped like that of std")]
    unsafe impl Sync for Thing {}

    impl Thing {
        fn new() -> Thing {
            Thing(UnsafeCell::new(0))
        }

        fn look(&self) {
            self.0.with(|_| ());
        }

        fn change(&self) {
            self.0.with_mut(|_| ());
        }
    }

    crate::hand_over!(loom);
}

/// Runs all executions that the memory model allows, up to the first data race. None: too many of them.
///
/// # Panics
///
/// If loom complains of something else than a race.
pub fn races(hand_over: &HandOver) -> Option<bool> {
    let mut model = loom::model::Builder::new();
    model.max_permutations = Some(20_000);
    let hand_over = hand_over.clone();
    let runs = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&runs);
    let ended = panic::catch_unwind(AssertUnwindSafe(|| {
        model.check(move || {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            run::run(&hand_over);
        })
    }));
    match ended {
        Ok(()) if runs.load(std::sync::atomic::Ordering::Relaxed) >= 20_000 => None,
        Ok(()) => Some(false),
        Err(panic) => {
            let words = panic.downcast_ref::<String>().cloned();
            let words = words.or(panic
                .downcast_ref::<&str>()
                .map(|words| (*words).to_owned()));
            let words = words.unwrap_or_default();
            assert!(words.contains("ausality"), "loom says: {words}");
            Some(true)
        }
    }
}
