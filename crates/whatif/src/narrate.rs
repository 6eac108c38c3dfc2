//! What robots say of themselves: the steps that a story tells, and the rules that it must keep.

use std::panic::Location;

use whatif_engine::{End, Ending, Op, me};

/// Takes a step of the story, such as "sees table 2 free". Any other robot may come before it.
///
/// Outside of a check this does nothing.
///
/// ```
/// whatif::step("sees table 2 free"); // no check here: no effect
/// ```
#[track_caller]
pub fn step(text: impl Into<String>) {
    let at = Location::caller();
    if let Some(me) = me() {
        let text = text.into();
        me.step(at, |_| Op::Step, |state| state.says(me.id, text, at));
    }
}

/// Tells a line of the story without being a step: nobody can come before it. For what has just
/// happened anyway, such as a line about a lock that the robot has taken.
///
/// Outside of a check this does nothing.
#[track_caller]
pub fn say(text: impl Into<String>) {
    say_at(Location::caller(), text);
}

/// As [`say`], and names another line of the source. For an `async` block: what is called in there
/// cannot know who asked for the future, so the one who makes it keeps the place.
pub fn say_at(at: &'static Location<'static>, text: impl Into<String>) {
    if let Some(me) = me() {
        me.glance(|state| state.says(me.id, text.into(), at));
    }
}

/// Says what must never be: if `broken`, the run ends here, and the story names `rule`.
///
/// The rule is a sentence about the world, such as "a party sits at a table that is being cleared".
///
/// # Panics
///
/// Outside of a check, a broken rule is a panic.
#[track_caller]
pub fn never(rule: &str, broken: bool) {
    if !broken {
        return;
    }
    let Some(me) = me() else {
        assert!(std::thread::panicking(), "this must never be: {rule}");
        return; // While unwinding, one panic is enough.
    };
    me.end_run(End::new(Ending::RuleBroken, rule.to_owned()));
}
