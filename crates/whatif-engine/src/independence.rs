//! Which steps can change places without anybody noticing?
//!
//! Two steps of different robots are *independent* if, wherever both could be taken, it makes no
//! difference which one comes first: each can still be taken after the other, does the same, and
//! the floor looks the same in the end. Schedules that differ only in the order of independent
//! steps cannot be told apart, so a [proof](crate::prove) runs one of them. One pair too few costs
//! time. One too many, and the proof misses a schedule that may go wrong.
//!
//! Two steps are independent here if they touch no thing in common, or only look at it. Why is that
//! enough? All that a step touches is in its announcement; what the robot does after it, on its way
//! to the next stop, nobody who is ready can notice:
//!
//! * *A lock given back* matters to those who want it, and they were not ready. For those who only
//!   try, giving it back becomes a step of its own.
//! * *Going home* matters to whoever joins, who was not ready either, and whose next moments, until
//!   it stops, belong to the same step: they are told from nothing else by the same argument.
//! * *A robot spawned* is new: nobody has put off its steps. If somebody else spawns first it gets
//!   another number, and a number is a name.
//! * *A value without synchronisation* that both touch is a data race in either order.
//! * *An end of the run* is found in one of the two orders at the latest; so is a standstill, the
//!   only thing that keeps a sleeper from waking up unasked.
//!
//! What the floor does not know of (a static, a clock, a lock of plain std, `Arc::strong_count`, a
//! `Cell` that changes in what only looks) is not looked at either.

use crate::pending::Op;

/// A step that somebody could take now.
#[derive(Clone, Copy)]
pub(crate) struct Announced {
    pub robot: usize,
    /// The robot wakes up although nobody rang.
    pub unasked: bool,
    pub op: Op,
}

impl Announced {
    /// Can the two change places?
    pub(crate) fn is_independent_of(&self, other: &Announced) -> bool {
        // The order of the steps of a story is what its reader sees; and scenery made of plain Rust
        // hangs on them.
        let both_tell = matches!((self.op, other.op), (Op::Step, Op::Step));
        // Only one robot may wake up unasked in a run, so the second one could not.
        let both_unasked = self.unasked && other.unasked;
        let theirs = other.op.footprint();
        let clash = self.op.footprint().into_iter().flatten().any(|(mine, changes)| {
            theirs.iter().flatten().any(|(thing, also)| mine == *thing && (changes || *also))
        });
        self.robot != other.robot && !both_tell && !both_unasked && !clash
    }
}
