//! One run in virtual time: the same seed gives the same evening, on every machine.

use std::cell::Cell;

use flight::VirtualTime;
use whatif_engine::{Program, Story, Time};

use crate::backstage::Backstage;

/// Steps without any time passing, after which nobody is getting anywhere.
const MAX_STEPS: u64 = 100_000;

/// Runs `f`, and the robots that it spawns, once, in virtual time.
///
/// [`sleep`](crate::thread::sleep) takes exactly as long as it says on `time`, and everything else
/// takes no time at all. When nobody can move, time jumps to the end of the first nap. At each step
/// `seed` decides which of the robots that could move does. So the run depends on the program and
/// the seed alone.
///
/// # Errors
///
/// The story, if the run cannot go on: a deadlock, a lost wake-up, a robot that panics, a broken
/// rule.
///
/// # Panics
///
/// If called from inside of a check or a simulation.
///
/// ```
/// use std::time::Duration;
/// use whatif::thread;
///
/// let time = flight::VirtualTime::new();
/// let bake = || thread::sleep(Duration::from_secs(1200));
/// whatif::simulate(42, &time, move || {
///     let oven = thread::spawn(bake);
///     bake();
///     oven.join().unwrap();
/// })
/// .unwrap();
/// assert_eq!(time.now(), 1_200_000_000_000); // 20 minutes, both at once
/// ```
#[expect(clippy::result_large_err, reason = "returned once in an evening, and convenient to read")]
pub fn simulate(
    seed: u64,
    time: &VirtualTime,
    f: impl FnOnce() + Send + 'static,
) -> Result<(), Story> {
    let name = format!("the evening of seed {seed}");
    let f = Cell::new(Some(f)); // There is one run, so it is taken out once.
    let evening = || f.take().into_iter().for_each(|f| f());
    let mut program = Program::new(&name, &evening);
    program.rules.time = Time::Flows(time.clone());
    program.rules.wake_unasked = false;
    program.rules.things_from_outside = true;
    program.rules.max_steps = MAX_STEPS;
    let _backstage = Backstage::of(&mut program);
    program.at_random(seed).told.map_or(Ok(()), Err)
}
