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
mod onlooker;
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

// How to make a thing that a check can see.
pub use clock::Clock;
pub use crew::builder;
pub use ending::End;
pub use floor::{
    Me, Place, Robot, State, anybody_runs, is_robot, is_sent_home, me, within_one_step,
};
pub use pending::{Op, ThingId, Wait};
pub use tale::{IN_LINE, NONE, UNHEARD, Value, Words};
pub use thing::{Tag, Thing, Visit};

// How to run a program in every order of steps.
pub use ending::{Ending, GOES_ROUND, Void};
pub use explore::{Found, Search};
pub use floor::{Rules, Time, Watch};
pub use onlooker::Onlooker;
pub use program::Program;
pub use prove::{Proof, Reduction, Way, every_way};
pub use run::Ran;
pub use schedule::{IN_TURN, Schedule, Turn};
pub use scheduler::{Choice, Dice};

// What is found, in words.
pub use place::short;
pub use story::{Line, Story, count};
