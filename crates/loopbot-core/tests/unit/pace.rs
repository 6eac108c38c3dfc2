//! How many turns there are between two looks.

use super::*;

#[test]
fn as_many_turns_as_fit_into_a_moment() {
    assert_eq!(turns_that_fit(AT_FIRST, 256), 8);
    assert_eq!(turns_that_fit(0, 256), 256);
    assert_eq!(turns_that_fit(100_000, 256), 10);
    assert_eq!(turns_that_fit(100_000, 3), 3);
    assert_eq!(turns_that_fit(4_000_000, 256), 1);
}

#[test]
fn it_learns_at_once_of_long_turns_and_slowly_of_short_ones() {
    assert_eq!(learn(AT_FIRST, 5_000_000), 5_000_000);
    assert_eq!(learn(4_000_000, 10), 1_000_000);
    assert_eq!(turns_that_fit(learn(4_000_000, 10), 256), 1);
    assert_eq!(learn(AT_FIRST, 10), AT_FIRST / 4);
}
