//! A look at a program from outside, while it runs: for who waits for it, and wonders whether it will
//! ever come back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::ending::End;
use crate::floor::Floor;
use crate::story::Story;

/// Looks at whatever run is going on. For another thread than the one that runs it.
#[derive(Clone, Default)]
pub struct Onlooker {
    /// Counts steps.
    pub(crate) heartbeat: Arc<AtomicU64>,
    floor: Arc<Mutex<Weak<Floor>>>,
}

impl Onlooker {
    pub(crate) fn looks_at(&self, floor: &Arc<Floor>) {
        *self.floor() = Arc::downgrade(floor);
    }

    /// Two numbers, of which one changes as long as robots take steps. None: there is no run.
    pub fn pulse(&self) -> Option<(u64, u64)> {
        let floor = self.floor().upgrade()?;
        Some((floor.run, self.heartbeat.load(Ordering::Relaxed)))
    }

    /// The robot whose turn it is has been gone for so many seconds: tells the story so far, if the
    /// run is still going on. Nobody can take a step until `tell` comes back, and it need not.
    pub fn interrupts(&self, seconds: usize, tell: impl FnOnce(Story)) {
        let Some(floor) = self.floor().upgrade() else { return };
        let mut state = floor.state();
        if state.is_running() {
            // Somebody may have caught the panic that was to send it home, as an executor does.
            let end = state.end.take();
            let end = end.unwrap_or_else(|| End::endless_loop(&mut state, seconds));
            tell(Story::tell(&state.rules.check, &state, &end, false));
        }
    }

    fn floor(&self) -> MutexGuard<'_, Weak<Floor>> {
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
