//! x
mod breakdown;
mod choice;
mod clock;
mod crew;
mod ending;
mod explore;
mod floor;
mod independence;
mod marks;
mod moment;
mod one_core;
mod pending;
mod place;
mod program;
mod prove;
mod reach;
mod run;
mod schedule;
mod scheduler;
mod start;
mod story;
mod tale;
mod thing;
mod watchdog;

// How to make a thing that a check can see.
pub use clock::Clock;
pub use ending::End;
pub use floor::{
    Me, Place, Robot, State, anybody_runs, is_robot, is_sent_home, me, within_one_step,
};
pub use pending::{Op, ThingId, Wait};
pub use tale::{IN_LINE, NONE, UNHEARD, Value, Words};
pub use thing::{Tag, Thing, Visit};

// How to run a program in every order of steps.
pub use ending::{Ending, Void};
pub use explore::{Found, Search};
pub use floor::{Rules, Time};
pub use moment::Moment;
pub use program::Program;
pub use prove::{Proof, Reduction, Way, every_way};
pub use run::Ran;
pub use schedule::{IN_TURN, Schedule, Turn};
pub use scheduler::Dice;

// What is found, in words; and what else is true of a process in which checks run.
pub use crew::builder;
pub use one_core::before as cores_before;
pub use place::short as short_place;
pub use story::{Line, Story, count};
pub use watchdog::DID_NOT_END;
