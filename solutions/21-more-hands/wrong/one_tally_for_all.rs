//! must fail with: Who waits for whom?
//!
//! One tally for all hands, in a lock that each holds while it tastes.

use std::panic::resume_unwind;
use std::sync::PoisonError;

use whatif::sync::Mutex;
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
    if menu.is_empty() {
        return None;
    }
    let hands = hands.min(menu.len() / least.max(1)).max(1);
    let begin = |hand| menu.len() * hand / hands;
    let mut shares = (0..hands).map(|hand| &menu[begin(hand)..begin(hand + 1)]);
    let mine = shares.next()?;
    let tally = Mutex::new((0, None));
    let taste = |share: &[Dish]| {
        for dish in share {
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            let marks = kitchen.taste(dish);
            tally.0 += u64::from(marks);
            let better =
                |(most, first): (u32, Dish)| marks > most || marks == most && dish.0 < first.0;
            if tally.1.is_none_or(better) {
                tally.1 = Some((marks, *dish));
            }
        }
    };
    thread::scope(|scope| {
        let taste = &taste;
        let hired: Vec<_> = shares
            .map(|share| scope.spawn(move || taste(share)))
            .collect();
        taste(mine);
        for hand in hired {
            hand.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
    let (sum, best) = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    kitchen.write(sum);
    best.map(|(_, dish)| dish)
}
