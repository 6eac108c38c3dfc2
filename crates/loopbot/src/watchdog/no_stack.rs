//! The same as `stack.rs` where there is none: on other systems and processors, and without the feature `stack`.

use super::stuck::Frame;

pub(super) struct Target;

impl Target {
    pub(super) fn this_thread() -> Target {
        Target
    }

    pub(super) fn stack(&self, _: impl Fn() -> bool) -> Result<Vec<Frame>, &'static str> {
        Err(match cfg!(feature = "stack") {
            true => "that is known on Linux only",
            false => "loopbot was built without its feature `stack`",
        })
    }
}
