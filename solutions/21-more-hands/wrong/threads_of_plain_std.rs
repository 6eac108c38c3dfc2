//! must fail with: use whatif::sync::Mutex and whatif::thread
//!
//! Threads of plain std: nobody can rehearse a Saturday with those.

use std::panic::resume_unwind;
use std::thread;

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
    let verdicts: Vec<Verdict> = thread::scope(|scope| {
        let hired: Vec<_> = shares
            .map(|share| scope.spawn(|| taste(kitchen, share)))
            .collect();
        let mine = taste(kitchen, mine);
        let others = hired
            .into_iter()
            .map(|hand| hand.join().unwrap_or_else(|panic| resume_unwind(panic)));
        [mine].into_iter().chain(others).collect()
    });
    kitchen.write(verdicts.iter().map(|verdict| verdict.sum).sum());
    let best = verdicts.into_iter().map(|verdict| verdict.best);
    best.reduce(better).map(|(_, dish)| dish)
}

/// What one hand has to say. It keeps count in its own memory, which nobody else has to wait for.
struct Verdict {
    sum: u64,
    best: (u32, Dish),
}

/// One hand's work, from its first dish to its last. There is at least one.
fn taste(kitchen: &impl Kitchen, share: &[Dish]) -> Verdict {
    let marked = share.iter().map(|dish| (kitchen.taste(dish), *dish));
    let first = Verdict {
        sum: 0,
        best: (0, share[0]),
    };
    marked.fold(first, |so_far, (marks, dish)| Verdict {
        sum: so_far.sum + u64::from(marks),
        best: better(so_far.best, (marks, dish)),
    })
}

/// The better one of two; the first if they are equal.
fn better(one: (u32, Dish), two: (u32, Dish)) -> (u32, Dish) {
    if two.0 > one.0 { two } else { one }
}
