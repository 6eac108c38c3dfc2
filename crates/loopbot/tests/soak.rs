//! The soak, in small. The large one is an example: `cargo run --release -p loopbot --example soak`.
#![cfg(feature = "net")]

#[path = "../examples/soak.rs"]
mod soak;

use soak::{Length, soak};

#[test]
fn every_byte_of_every_connection_is_accounted_for() {
    for seed in 1..=2 {
        let books = soak(100, Length::Visits(3), seed);
        assert_eq!(books.orderly + books.broken, 300);
        assert!(books.orderly > 0 && books.broken > 0, "{books:?}");
    }
}
