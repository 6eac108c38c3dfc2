//! One robot moves at a time: runs a small program in every order of steps. What `whatif` is built
//! on.
//!
//! Here is one run, whose turn it is in it, the search, the proof, and what is told of them. Nothing
//! here looks like std. `Mutex`, `thread::spawn`, channels and atomics are in `whatif`, and so is
//! `check`, the front door that everybody uses. Come here to see how a check is done, or to make
//! something of your own that a check can see.
//!
//! # A thing of your own
//!
//! What robots share has a [`Tag`]. Whoever comes to it [visits](Tag::visit) it, and that is where a
//! check and everything else part: the [`Visit`] is there in a check only.
//!
//! A visitor takes [steps](Visit::step), and a step has two halves. First the robot announces an
//! [`Op`]: what the step touches, and when it can be taken. There it stops, and somebody is picked to
//! move. When its turn has come, it changes what the floor knows, all at once. What the floor should
//! know of a thing besides who [holds](Thing::holder) it and who [sleeps](Thing::sleepers) there, its
//! maker [keeps there](Thing::own_mut); and what robots can wait for there besides a lock, a bell or
//! each other is a [`Wait`].
//!
//! This is a drawer of spoons, and two guests who want two of them each:
//!
//! ```
//! use std::panic::Location;
//! use std::sync::Arc;
//! use whatif_engine::{Found, NONE, Program, Search, Tag, Wait, me};
//!
//! struct Drawer(Tag);
//!
//! /// What the floor knows of it.
//! #[derive(Default)]
//! struct Spoons(usize);
//!
//! static A_SPOON: Wait = Wait {
//!     has_come: |drawer, _| drawer.own::<Spoons>().is_some_and(|spoons| spoons.0 > 0),
//!     verb: Some("take a spoon from #"),
//!     changes: true,
//!     ends_a_wait: false,
//!     reason: |state, drawer| state.fill_in("waits for a spoon from #", drawer, NONE),
//!     in_vain: "waits for a spoon from #",
//!     whom: "put one back",
//!     advice: None,
//! };
//!
//! impl Drawer {
//!     #[track_caller]
//!     fn take(&self) {
//!         let v = self.0.visit(Location::caller()).expect("this drawer is for checks only");
//!         v.step(v.awaits(&A_SPOON, 0), |state| {
//!             state.at(&v).own_mut::<Spoons>().0 -= 1;
//!             state.hears(&v, true); // What it knows who put the spoon there is known now.
//!             state.tell(&v, "takes a spoon from #", NONE);
//!         });
//!     }
//!
//!     #[track_caller]
//!     fn put(&self) {
//!         let v = self.0.visit(Location::caller()).expect("this drawer is for checks only");
//!         v.step(v.changes("put a spoon into #"), |state| {
//!             state.at(&v).own_mut::<Spoons>().0 += 1;
//!             state.leaves_word(&v, true);
//!             state.tell(&v, "puts a spoon into #", NONE);
//!         });
//!     }
//! }
//!
//! let program = Program::new("soup and pudding", &|| {
//!     let drawer = Arc::new(Drawer(Tag::new("drawer")));
//!     drawer.0.call("the drawer");
//!     (0..2).for_each(|_| drawer.put());
//!     for name in ["Chen", "Okafor"] {
//!         let drawer = Arc::clone(&drawer);
//!         let eats = move || {
//!             (0..2).for_each(|_| drawer.take());
//!             (0..2).for_each(|_| drawer.put());
//!         };
//!         me().unwrap().spawn(Some(name), None, eats, drop).unwrap();
//!     }
//! });
//! let mut search = Search::new(usize::MAX, 1_000, false);
//! let found = std::iter::repeat_with(|| search.go_on(&program)).find_map(|found| found);
//! let Some(Found::Failure(story)) = found else { panic!("each may have one, and want another") };
//! let rule = "deadlock: Chen waits for a spoon from the drawer, and nobody is left to put one back";
//! assert_eq!((story.rule.as_str(), story.preemptions), (rule, 1));
//! ```
//!
//! What happens where no check runs is the maker's own business. To find that out costs one load.
//!
//! # The files
//!
//! In the order in which to read them:
//!
//! | file | idea |
//! |---|---|
//! | `floor.rs` | one robot moves at a time: stopping, handing over |
//! | `start.rs`, `crew.rs` | how a robot comes onto the floor, and gets a thread |
//! | `pending.rs` | a step that has been announced; could it be taken now? |
//! | `thing.rs`, `reach.rs` | what robots share, and what a step can reach |
//! | `choice.rs` | who could move next, and what is a preemption |
//! | `scheduler.rs`, `schedule.rs` | who picks; and the picks, written down as an id |
//! | `program.rs`, `run.rs`, `onlooker.rs` | a program, one run of it, and a look at that from outside |
//! | `explore.rs` | the search: every schedule once, fewest preemptions first |
//! | `prove.rs`, `independence.rs` | the proof: all schedules but those that make no difference |
//! | `clock.rs` | happens-before: what one robot did that another one can rely on |
//! | `tale.rs`, `ending.rs`, `story.rs`, `place.rs` | what happened, in words |
//! | `marks.rs` | the two or three steps of a story that matter |
//! | `breakdown.rs` | robots that panic |
//!
//! What leaves this crate is for two kinds of users. Who makes a thing needs [`Tag`], [`Visit`],
//! [`Op`], [`Wait`], [`State`] and [`Me`]. Who runs programs needs [`Program`], [`Search`], [`Proof`]
//! and [`Story`]. The rest are words in which these speak.

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
pub use crew::{Crew, Life};
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
