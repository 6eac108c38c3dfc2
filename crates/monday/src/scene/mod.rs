//! Small scenes on one LoopBot, each about one idea of the book, each made to be recorded.

pub mod bell;
pub mod clock;
pub mod doorbell;
pub mod last_orders;
pub mod overlap;
pub mod rail;
pub mod seat;
