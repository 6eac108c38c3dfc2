//! A menu: many pieces of work of one size, each too long for an event loop and worth a thread.

use crate::tasting::alone;

/// So many numbers are looked at for a dish.
const NUMBERS: u64 = 72_000;
/// From here on: where the numbers are this large, one dish takes as long as the next.
const FIRST: u64 = 3_000_000;

/// Tastes a dish of the menu, by its place on it, and returns its marks: how many prime numbers there are in a range that
/// is this dish's own. An ordinary function of plain data, so a thread can do it, and another process as well.
// ANCHOR: taste
pub fn taste(dish: u64) -> u64 {
    let first = FIRST.saturating_add(dish.saturating_mul(NUMBERS));
    alone(first..first.saturating_add(NUMBERS))
}
// ANCHOR_END: taste

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dish_has_marks_of_its_own() {
        // One number in fifteen is a prime there: 1 / ln(3,000,000).
        for dish in 0..3 {
            assert!((4_700..4_950).contains(&taste(dish)), "{}", taste(dish));
        }
        let two_dishes = alone(FIRST..FIRST + 2 * NUMBERS);
        assert_eq!(taste(0) + taste(1), two_dishes);
    }
}
