//! The course program: what `cargo run` starts.
//!
//! It is ordinary application code on well-kept libraries; the material to read is in the other crates. What each module
//! is for:
//!
//! - [`serve`] builds the book, serves it on this machine, and runs evenings and checks for its pages.
//! - [`check`] runs an exercise's tests contained, and says in one sentence how they ended.
//! - [`shift`] and [`record`] run the restaurant in the terminal and make the book's recordings.
//! - [`crowd`] serves the same evenings with more and more robots.
//! - [`souffle`] measures how late a soufflé is while guests talk, and [`gallery`] what else holds a loop up.
//! - [`hands`] measures what more threads do for work that computes, and [`ladder`] where such work is best done.
//! - [`look`] asks the rules about a recording.
//! - [`collisions`] counts what goes wrong when, and proves what does not.
//! - [`story`] makes a page of the runs in which an exercise goes wrong.
//! - [`watch`] is the place from which a learner works; [`commands`] are what they ask for by name.
//! - [`starter`] knows the beginning of each exercise, and [`progress`] how far the learner has come.
//! - [`doctor`] looks at the machine; [`upgrade_check`] at what has changed upstream.
//! - [`verify`] and [`new_exercise`] are for authors; [`plan`] and [`catch_up`] for whoever teaches.
//! - [`members`] is the workspace's list of packages.
//! - [`contained`] and [`interrupt`] are the two places that know about processes and signals.

/// Says something on standard error. Where nobody reads that, it is not said: `eprintln!` would panic.
macro_rules! remark {
    ($($words:tt)*) => {{
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("{}\n", format_args!($($words)*)),
        );
    }};
}

pub mod book;
pub mod catch_up;
pub mod check;
pub mod cli;
pub mod collisions;
pub mod commands;
pub mod crowd;
pub mod doctor;
pub mod exercises;
pub mod gallery;
pub mod hands;
pub mod hiring;
pub mod interrupt;
pub mod ladder;
pub mod look;
pub mod members;
pub mod new_exercise;
pub mod plan;
pub mod progress;
pub mod record;
pub mod serve;
pub mod shift;
pub mod souffle;
pub mod starter;
pub mod story;
mod table;
pub mod trouble;
pub mod upgrade_check;
pub mod verify;
pub mod watch;
pub mod workspace;

pub use contained;

/// What a worker process of this program can be asked for: one list, which all of its pools have.
pub fn kitchen() -> procpool::Jobs {
    record::another_kitchen::jobs(ladder::kitchen())
}
