//! More hands: work that fills a core, on several cores.
//!
//! Nothing here waits for anything, so an event loop has nothing to offer: one loop uses one core. What helps is more
//! threads, up to the number of cores, if the work is large enough to be worth a thread, if everybody gets an equal
//! part of it, and if they leave each other alone while they are at it.
//!
//! ```
//! use hands::{alone, in_portions, in_shares, with_rayon};
//!
//! assert_eq!(alone(0..100), 25); // there are 25 prime numbers below 100
//! assert_eq!(in_shares(0..100, 2), 25);
//! assert_eq!(in_portions(0..100, 2, 10), 25);
//! assert_eq!(with_rayon(0..100), 25);
//! ```
//!
//! | file | idea |
//! |---|---|
//! | `tasting.rs` | the work: it computes, and nothing else |
//! | `shares.rs` | one share for each hand, cut beforehand |
//! | `portions.rs` | whoever is free takes the next portion |
//! | `stealing.rs` | rayon: whoever is free takes half of what another one still has |
//! | `menu.rs` | many pieces of work of one size |
//! | `counters.rs` | four ways to count together, of which two are slow and one looks as if it were not |
//!
//! What each of them costs is printed by `cargo course hands`; `cargo course ladder` has the menu tasted on the loop, on
//! threads and in processes.

mod counters;
mod menu;
mod portions;
mod shares;
mod stealing;
mod tasting;

pub use counters::{Counters, count};
pub use menu::taste;
pub use portions::in_portions;
pub use shares::in_shares;
pub use stealing::with_rayon;
pub use tasting::alone;
