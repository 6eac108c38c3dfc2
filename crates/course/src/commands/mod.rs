//! What a learner asks for by name: one command a file.

pub mod check;
pub mod hint;
pub mod list;
pub mod reset;
pub mod solution;
