// ANCHOR: whole
//! The doorbell of LoopBot: sockets, names, signals and HTTP, for tasks that must not hold the loop up while they wait.
//!
//! Programs use it through the crate `loopbot`, as `loopbot::net`, `loopbot::signal` and `loopbot::hyper_rt`. It is the second
//! evening's reading. Of the loop it knows what [`loopbot_core`] shows to everybody: how to say that a task waits, and where the
//! loop can be told to park.
//!
//! # The second evening
//!
//! Read the files in this order. Each holds one idea.
//!
//! | file | idea |
//! |---|---|
//! | `reactor.rs` | who waits for which descriptor |
//! | `poller/` | asking the system which descriptors are ready |
//! | `net/` | try first, wait only if that would block; and the kinds of sockets: its `mod.rs` has the list |
//! | `signal.rs` | being told to stop |
//! | `hyper_rt.rs` | HTTP, by hyper, with the feature `hyper` |

#[cfg(feature = "hyper")]
pub mod hyper_rt;
pub mod net;
mod poller;
mod reactor;
pub mod signal;
// ANCHOR_END: whole
