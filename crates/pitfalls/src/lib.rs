//! Ways to hold a loop up.
//!
//! LoopBot works only while every single step is short. A guest who talks and talks, a call that waits for a file, a
//! computation: for as long as one of them lasts, nothing else happens, and a timer that comes due is late.
//!
//! ```
//! use pitfalls::souffle::Guest;
//! use restaurant::story::INCIDENT;
//!
//! let falls = pitfalls::souffle::record(Guest::Holds);
//! let what: Vec<&str> = falls.marks(INCIDENT).map(|(_, what, _)| what).collect();
//! assert_eq!(what, ["the Chens' soufflé falls: it was done 7 minutes ago"]);
//! ```
//!
//! | file | idea |
//! |---|---|
//! | `souffle.rs` | one guest talks, and a soufflé falls: on a virtual clock, the same every time |
//! | `quiet_guest.rs` | another soufflé falls, and it is not the one who talks most: on a virtual clock, too |
//! | `runtimes.rs` | the same for real, on LoopBot and on Tokio, and who is late when |
//! | `back_of_house.rs` | wine from a cellar that blocks: who goes down, who waits for a place, and who cannot be called back |
//! | [`gallery`] | every way to block that people fall into, broken and mended |

pub mod back_of_house;
pub mod gallery;
pub mod quiet_guest;
pub mod runtimes;
pub mod souffle;
