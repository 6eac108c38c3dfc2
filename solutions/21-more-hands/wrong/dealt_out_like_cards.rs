//! must fail with: the first of them on the menu
//!
//! Deals the dishes out like cards. That is as good as shares in one piece, but the first one found is not the first one on the menu.

use std::panic::resume_unwind;

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
/// `hands` may work at the same time. One of them is yours: the thread that calls this does a share as well. Nobody is
/// hired for a share of fewer than `least` dishes, because that takes longer than to do them oneself.
///
/// If tasting a dish panics, so does this, with the same payload.
pub fn taste_all(
    kitchen: &impl Kitchen,
    menu: &[Dish],
    hands: usize,
    least: usize,
) -> Option<Dish> {
    if menu.is_empty() {
        return None;
    }
    let hands = hands.min(menu.len() / least.max(1)).max(1);
    let work = |from: usize| {
        menu.iter()
            .skip(from)
            .step_by(hands)
            .map(|d| (kitchen.taste(d), *d))
            .collect::<Vec<_>>()
    };
    let work = &work;
    let mut all = thread::scope(|scope| {
        let hired: Vec<_> = (1..hands).map(|h| scope.spawn(move || work(h))).collect();
        let mut all = work(0);
        for h in hired {
            match h.join() {
                Ok(v) => all.extend(v),
                Err(p) => resume_unwind(p),
            }
        }
        all
    });
    all.sort_by_key(|(m, _)| std::cmp::Reverse(*m));
    kitchen.write(all.iter().map(|m| u64::from(m.0)).sum());
    all.first().map(|x| x.1)
}
