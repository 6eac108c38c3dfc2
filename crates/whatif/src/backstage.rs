//! What all runs of one check have in common, and the program does not see.

use std::cell::Cell;
use std::sync::Arc;

use whatif_engine::Program;

use crate::crew::Crew;
use crate::one_core::{Cores, OneCore};
use crate::watchdog::Watchdog;

/// As long as it is there, the program is watched, and stays on one core.
pub(crate) struct Backstage {
    _watchdog: Watchdog,
    core: OneCore,
    pub crew: Arc<Crew>,
}

/// So many threads are kept for the next check. An evening in virtual time may have hired hundreds.
const KEPT: usize = 8;

thread_local! {
    /// The crew of the last check on this thread, and where it stays. It ends with this thread.
    static OFF_DUTY: Cell<Option<(Option<Cores>, Arc<Crew>)>> = const { Cell::new(None) };
}

impl Backstage {
    pub(crate) fn of(program: &mut Program) -> Backstage {
        // Before the robots' core is chosen: the watchdog may use any.
        let _watchdog = Watchdog::start(program.onlooker.clone());
        let core = OneCore::keep();
        let last = OFF_DUTY.try_with(Cell::take).ok().flatten();
        let fits = last.filter(|(cores, _)| *cores == core.now);
        let crew: Arc<Crew> = fits.map_or_else(Arc::default, |(_, crew)| crew);
        program.rules.crew = Arc::clone(&crew) as _;
        Backstage { _watchdog, core, crew }
    }
}

impl Drop for Backstage {
    fn drop(&mut self) {
        self.crew.keep(KEPT);
        let off_duty = Some((self.core.now, Arc::clone(&self.crew)));
        let _ = OFF_DUTY.try_with(|it| it.set(off_duty));
    }
}
