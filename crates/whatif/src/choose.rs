//! A decision that is not between robots: one robot has several ways to go on.
//!
//! An event loop is one thread, so there is nobody to preempt. It still decides something each time
//! it comes round: of the tasks that are ready, whose turn is it? Usually the order in which they
//! came decides, and that order hangs on which answer from outside was the faster one.

use std::panic::Location;

use whatif_engine::me;

/// Which of `ways` comes next? By itself the first one: 0.
///
/// Inside of a check every other one is tried, too, as another schedule. To leave the order in
/// which they came costs 1, as a preemption does. The story tells it: "turns to the Okafor call,
/// although the Chen call came first".
///
/// It is no step: no other robot can come before it. Inside of [`simulate`](crate::simulate) the
/// seed decides. Outside of a check the answer is 0.
///
/// ```
/// use whatif::{Checker, Outcome, choose, never, say};
///
/// let report = Checker::new("two calls").explore(|| {
///     let mut calls = vec!["the Chen call", "the Okafor call"];
///     let mut answered = Vec::new();
///     while !calls.is_empty() {
///         let call = calls.remove(choose(&calls));
///         say(format!("answers {call}"));
///         answered.push(call);
///     }
///     never("the Chens called first", answered[0] != "the Chen call");
/// });
/// let Outcome::Failed(story) = report.outcome else { panic!("{report}") };
/// assert_eq!(story.lines[0].text, "turns to the Okafor call, although the Chen call came first");
/// ```
///
/// # Panics
///
/// If `ways` is empty.
#[track_caller]
pub fn choose(ways: &[impl AsRef<str>]) -> usize {
    assert!(!ways.is_empty(), "nobody can choose between no ways at all");
    let at = Location::caller();
    me().map_or(0, |me| me.chooses(ways, at))
}
