//! Holds `whatif` to account. A checker with a bug teaches something false, so another one looks over its shoulder:
//! small random programs are run in every schedule by both, and must have the same outcomes.
//!
//! | file | idea |
//! |---|---|
//! | `program.rs` | a program as data, written by dice |
//! | `interpreter.rs`, `page.rs` | runs it with the locks of any checker, and notes what came out |
//! | `under_shuttle.rs`, `under_whatif.rs` | all outcomes, by one checker and by the other |

#![allow(
    missing_docs,
    reason = "nobody but the tests beside it uses this crate"
)]

pub mod by_hand;
pub mod dice;
pub mod hand_over;
pub mod interpreter;
pub mod page;
pub mod planted;
pub mod program;
pub mod surface;
pub mod surface_on_whatif;
pub mod under_loom;
pub mod under_shuttle;
pub mod under_whatif;
