//! The world that the robots work in: parties and what they want, tables, slips, and what can go wrong.
//!
//! There are no threads here and no tasks. The world is plain data, and whoever serves it, four robots or
//! one, serves the same evening: a [`Shift`] is decided completely by its seed.
//!
//! ```
//! use restaurant::Shift;
//!
//! let friday = Shift::friday(42);
//! assert_eq!(friday, Shift::friday(42));
//! assert_ne!(friday, Shift::friday(43));
//! ```
//!
//! | file | idea |
//! |---|---|
//! | `shift.rs` | an evening, from a seed |
//! | `menu.rs` | what there is to eat and drink, and how long it takes |
//! | `table.rs` | what a table goes through |
//! | `slip.rs` | paper between robots |
//! | `incident.rs` | what can go wrong |
//! | `pace.rs` | how long a minute of the restaurant takes |
//! | `work.rs` | how long things take |
//! | `timesheet.rs` | time working against time waiting |
//! | `report.rs` | what is left of an evening |
//! | `story.rs` | how robots write their story into the record |

mod incident;
mod menu;
mod pace;
mod report;
mod shift;
mod slip;
pub mod story;
mod table;
mod timesheet;
pub mod work;

pub use incident::Incident;
pub use menu::{Dish, Drink};
pub use pace::Pace;
pub use report::{Evening, Ledger, Report};
pub use shift::{Party, Shift};
pub use slip::{Course, Slip};
pub use table::Table;
pub use timesheet::{Meter, Timesheet};
