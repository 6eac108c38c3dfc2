//! Exercise 21: more hands.
//!
//! Every Saturday the whole menu is tasted. Nobody waits for anything in that hour: it is all work, so more
//! hands make it shorter. Up to a point. Test: cargo test -p exercise-21

use whatif::thread;

/// A dish, by its place on the menu: 0, 1, 2 and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dish(pub usize);

/// The kitchen on a Saturday. All hands share it.
pub trait Kitchen: Sync {
    /// Tastes a dish. This is work: it keeps the thread busy that does it. Returns the marks.
    fn taste(&self, dish: &Dish) -> u32;
    /// Adds marks to the sum on the blackboard. One hand can write at a time, and writing takes as long as tasting.
    fn write(&self, marks: u64);
}

/// Tastes everything on the menu, and returns the dish with the most marks; of several, the first one on the menu.
/// None if the menu is empty. Afterwards all marks are in the sum on the blackboard.
///
/// `hands` may work at the same time. One of them is yours: the thread that calls this does a share as well. The shares
/// are equal, or nearly. If there are not `least` dishes for each hand, fewer hands work: to hire somebody for less takes
/// longer than to do it oneself.
///
/// If tasting a dish panics, so does this, with the same payload.
pub fn taste_all(
    kitchen: &impl Kitchen,
    menu: &[Dish],
    hands: usize,
    least: usize,
) -> Option<Dish> {
    thread::scope(|_scope| {
        let _ = (kitchen, hands, least);
        todo!(
            "share out {} dishes. First hint: cargo course hint 21",
            menu.len()
        )
    })
}
