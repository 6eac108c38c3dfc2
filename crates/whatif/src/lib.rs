//! What if the other robot had moved first?
//!
//! A program with threads can go wrong in one order of steps and right in all the others, and the
//! one that goes wrong may come up once in a million evenings. This crate runs a small program in
//! *every* order. If one of them goes wrong, it tells the shortest one as a story; if none does,
//! that is a proof.
//!
//! ```should_panic
//! use whatif::sync::{Arc, Shared};
//! use whatif::{check, never, say, thread};
//!
//! check("one table", || {
//!     let guests = Arc::new(Shared::new(0));
//!     let seat = |robot: &str| {
//!         let guests = Arc::clone(&guests);
//!         let seat_two = move || {
//!             if guests.get() == 0 { // first check ...
//!                 say("sees that the table is free");
//!                 guests.write(|n| *n += 2); // ... then act, and between the two somebody else may come
//!                 say("seats a party of two");
//!             }
//!             never("two parties sit at one table", guests.get() > 2);
//!         };
//!         thread::Builder::new().name(robot.into()).spawn(seat_two).unwrap()
//!     };
//!     let robots = [seat("GreetBot-1"), seat("GreetBot-2")];
//!     robots.into_iter().for_each(|robot| robot.join().unwrap());
//! });
//! ```
//!
//! That check fails, always, and always with the same story:
//!
//! ```text
//! one table: it can go wrong, and this is the shortest way I found
//! (6 schedules tried; it takes 1 preemption)
//!
//! >> step 1  GreetBot-1  sees that the table is free  [src/main.rs:11]
//!    step 2  GreetBot-2  sees that the table is free  [src/main.rs:11]
//! >> step 3  GreetBot-2  seats a party of two         [src/main.rs:13]
//! >> step 4  GreetBot-1  seats a party of two         [src/main.rs:13]
//!
//!    rule broken: two parties sit at one table
//!
//!    To play it again:  WHATIF_REPLAY=1c cargo test -p my-restaurant one_table
//! ```
//!
//! # How it works
//!
//! Robots are real threads, but one moves at a time ([`thread`], [`sync`]: shaped like those of
//! std, and outside of a check they *are* std). A robot stops before each step that others could
//! notice. There somebody is picked to move next, and the picks decide the run.
//!
//! Two passes go through the picks, side by side. The search tries those with the fewest preemptions
//! first, so what it finds is told as simply as can be. The proof goes through all of them, except
//! for those that nobody can tell from one that has been tried: if it comes to its end, nothing can
//! go wrong. If neither comes to an end, the report says what has been covered, and that it is no
//! proof.
//!
//! A robot alone can have a choice, too: an event loop picks one of the tasks that are ready.
//! [`choose()`] makes that a pick like any other.
//!
//! The engine is a crate of its own, `whatif-engine`: one run and whose turn it is in it, the search,
//! the proof, the clocks of happens-before, and the story. It knows nothing that looks like std; its
//! `lib.rs` has a table of its files. Here is what stands in front of it, in the order in which to
//! read it:
//!
//! | file | idea |
//! |---|---|
//! | `check.rs` | the front door |
//! | `replay.rs`, `simulate.rs` | one run: by its id, by dice in virtual time |
//! | `thread.rs`, `sync/`, `channel.rs` | what looks like std |
//! | `narrate.rs` | what robots say of themselves |
//! | `choose.rs` | a decision that is not between robots: the run queue of an event loop |
//! | `tree.rs`, `record.rs` | for who wants to see more: all schedules as a tree, a story as a file |
//! | `backstage.rs`, `one_core.rs`, `crew.rs` | where they run: one core, and threads that stay |
//! | `watchdog.rs` | robots that never come back |
//!
//! # What it does not see
//!
//! Steps are those of this crate. Plain `std::sync`, statics and clocks go unnoticed until they
//! make a run differ from its schedule, or a robot stay away for two seconds. (A `thread_local` is
//! like a static here, and its value is not dropped when its robot goes home: robots get the same
//! threads again in the next run, and in the next check on the same thread. A verdict is tried once
//! more on new threads. If it does not hold there, that is told.) A proof takes two steps that share nothing of this crate for exchangeable, so
//! what robots do to each other by other means may not be tried in every order. [`step`]s are tried
//! in every order among each other.
//!
//! Of what std allows, this is not tried:
//!
//! * *Weak memory.* There is one order of steps for all robots, and a load reads the last store,
//!   whatever its `Ordering`. On a real machine two robots may each store to one atomic, look at the
//!   other one, and both read an old value; here one of them reads the new one. What an `Ordering`
//!   *hands over* is checked, by happens-before, for what is in an [`Unguarded`](sync::Unguarded).
//! * *More than one sleeper that wakes unasked*, at a `Condvar` or from `park`, in one run; and a
//!   `compare_exchange_weak` that fails for nothing.
//! * *The count of an `Arc`.* It is std's own: dropping a clone is no step, who drops the last one
//!   is not tried both ways, and what one drop hands over to the next is not seen.
//! * *Poison.* A robot that panics ends the run, and the others are unwound where they stand.
//! * *Statics.* No `new` is `const`, because what a static remembers of one schedule would be there
//!   in the next. That is the one thing that compiles with std and not with this crate.
//!
//! And this is taken for granted, though std's documentation does not promise all of it: a channel
//! that is closed hands over what those did who closed it, and a free place what the receiver did
//! that made it free. Time does not pass in a check: a timed wait may end at any moment at which
//! what it waits for has not come.

mod backstage;
mod channel;
mod check;
mod choose;
mod crew;
mod narrate;
mod one_core;
mod record;
mod replay;
mod simulate;
pub mod sync;
pub mod thread;
mod tree;
mod watchdog;

pub use check::{Checker, Outcome, Report, check};
pub use choose::choose;
pub use narrate::{never, say, say_at, step};
pub use simulate::simulate;
pub use tree::{Move, Node, Tree};
pub use watchdog::DID_NOT_END;
#[doc(hidden)]
pub use whatif_engine::Reduction;
pub use whatif_engine::{Ending, Line, Story};
