//! Holds `whatif` to account. A checker with a bug teaches something false, so another one looks over its shoulder:
//! small random programs are run in every schedule by both, and must have the same outcomes.
//!
//! | file | idea |
//! |---|---|
//! | `program.rs` | a program as data, written by dice |
//! | `interpreter.rs`, `page.rs` | runs it with the locks of any checker, and notes what came out |
//! | `under_shuttle.rs`, `under_whatif.rs` | all outcomes, by one checker and by the other |
//! | `hand_over.rs`, `under_loom.rs` | a thing that is handed over through atomics: is there a race? |
//! | `surface.rs`, `surface_on_whatif.rs` | a program over all that whatif has in common with std; shuttle has only some of it |
//! | `by_hand.rs` | the same program with no checker at all: every order of its smallest steps |

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
