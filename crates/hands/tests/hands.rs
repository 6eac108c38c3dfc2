//! However the work is shared out, it comes to the same.

use hands::{Counters, alone, count, in_portions, in_shares, with_rayon};

/// There are 168 prime numbers below a thousand.
#[test]
fn all_ways_find_the_same() {
    for end in [0, 1, 2, 3, 10, 1000] {
        let there_are = [0, 0, 0, 1, 4, 168][[0, 1, 2, 3, 10, 1000]
            .iter()
            .position(|it| *it == end)
            .unwrap()];
        assert_eq!(alone(0..end), there_are, "alone, below {end}");
        assert_eq!(with_rayon(0..end), there_are, "rayon, below {end}");
        for hands in [0, 1, 2, 3, 7, 12] {
            assert_eq!(
                in_shares(0..end, hands),
                there_are,
                "{hands} shares, below {end}"
            );
            for portion in [0, 1, 3, 100, 5000] {
                assert_eq!(
                    in_portions(0..end, hands, portion),
                    there_are,
                    "portions of {portion}, {hands} hands, below {end}"
                );
            }
        }
    }
}

#[test]
fn a_range_need_not_begin_at_the_beginning() {
    assert_eq!(in_shares(100..1000, 3), 168 - 25);
    assert_eq!(in_portions(100..1000, 3, 7), 168 - 25);
    assert_eq!(with_rayon(100..1000), 168 - 25);
    #[expect(clippy::reversed_empty_ranges, reason = "that is the point")]
    let backwards = 10..3;
    assert_eq!(
        in_shares(backwards.clone(), 3) + in_portions(backwards, 3, 7),
        0
    );
}

#[test]
fn no_counter_loses_an_addition() {
    for counters in [
        Counters::Shared,
        Counters::Neighbours,
        Counters::Apart,
        Counters::Own,
    ] {
        for hands in [0, 1, 4] {
            assert_eq!(
                count(counters, hands, 1000),
                hands.max(1) as u64 * 1000,
                "{counters:?}, {hands} hands"
            );
        }
    }
}
