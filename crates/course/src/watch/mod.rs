//! `course watch`: the place from which a learner works.

use std::path::Path;

use clap::Args;

use crate::trouble::Trouble;

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct WatchArgs {
    /// Begin with this exercise, such as 03 [default: the first that has not passed]
    #[arg(value_name = "NN")]
    pub exercise: Option<String>,
}

/// Runs it.
pub fn command(_root: &Path, _args: &WatchArgs) -> anyhow::Result<u8> {
    Err(Trouble::environment("This is not written yet."))
}
