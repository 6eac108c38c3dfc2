//! The same evening, served by one robot. LoopBot does every job, and turns to another whenever it would
//! have to wait.
//!
//! ```
//! use monday::Opening;
//! use restaurant::Shift;
//!
//! let evening = Opening::new().rehearse(&Shift::monday(42));
//! assert_eq!(evening.report.served, 8);
//! assert!(evening.report.incidents.is_empty());
//! ```
//!
//! No `Mutex` of std's stands here, and no atomic. Tasks of one loop change hands at an `await` and nowhere
//! else, so whatever stands between two awaits happens in one piece. What has to hold across an `await`, such
//! as the robot's one body, is a `Mutex` of LoopBot's.
//!
//! | file | idea |
//! |---|---|
//! | `party.rs` | a party's evening, from the door to the clean table: one task, written top to bottom |
//! | `robot.rs` | the one robot: it has one body, and tells what it does |
//! | `house.rs` | what all tasks share |
//! | `spot.rs` | a table where it stands |
//! | `opening.rs` | an evening from start to end |

mod house;
mod opening;
mod party;
mod robot;
pub mod scene;
mod spot;

pub use opening::Opening;
