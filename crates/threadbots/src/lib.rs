//! The restaurant under OS threads. Each robot is a thread: GreetBot at the door, WaitBots between the
//! tables, ChefBot in the kitchen, WineBot at the bar.
//!
//! They all serve the same [`Shift`](restaurant::Shift), with the same steps. What differs is how they
//! keep out of each other's way: [`Coordination`].
//!
//! ```
//! use restaurant::Shift;
//! use threadbots::{Coordination, Opening};
//!
//! let evening = Opening::new(Coordination::Coordinated).rehearse(&Shift::monday(42));
//! assert_eq!(evening.report.served, 8);
//! assert!(evening.report.incidents.is_empty());
//! ```
//!
//! The robots use the threads and locks of [`whatif`], which are std's own unless a check or a simulation
//! is running. So this one program is served for real ([`Opening::serve`]), rehearsed in virtual time
//! ([`Opening::rehearse`]), and searched for the schedule that breaks it ([`scene`]).
//!
//! | file | idea |
//! |---|---|
//! | `one_table.rs` | the lesson: look, then act; careless, napping, coordinated |
//! | `one_order.rs` | the same with a second WaitBot and one order |
//! | `spot.rs` | a table where it stands: everybody sees it, every act is one step |
//! | `robot.rs` | what every robot can do: walk, wait, tell |
//! | `rail.rs` | slips from robot to robot |
//! | `house.rs` | what all robots share |
//! | `greetbot.rs`, `waitbot.rs`, `chefbot.rs`, `winebot.rs` | the four jobs |
//! | `opening.rs` | an evening from start to end |
//! | `scene/` | one moment of it, small enough to try every schedule: one collision a file |

mod chefbot;
mod coordination;
mod greetbot;
mod house;
mod one_order;
mod one_table;
mod opening;
mod rail;
mod robot;
pub mod scene;
mod spot;
mod waitbot;
mod winebot;

pub use coordination::Coordination;
pub use opening::Opening;
