//! The pools.

pub mod floor;
pub mod ours;
pub mod procspawn;
