//! What all runs of one check have in common, and the program does not see.

use whatif_engine::Program;

use crate::one_core::OneCore;
use crate::watchdog::Watchdog;

/// As long as it is there, the program is watched, and stays on one core.
pub(crate) struct Backstage {
    _watchdog: Watchdog,
    _one_core: OneCore,
}

impl Backstage {
    pub(crate) fn of(program: &Program) -> Backstage {
        // Before the robots' core is chosen: the watchdog may use any.
        let watchdog = Watchdog::start(program.onlooker.clone());
        Backstage { _watchdog: watchdog, _one_core: OneCore::keep() }
    }
}
