//! `course reset NN`: the starter again, and a copy of what was there.

use std::path::Path;

use clap::Args;

use crate::trouble::Trouble;

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct ResetArgs {
    /// The exercise's number, such as 03
    #[arg(value_name = "NN")]
    pub exercise: String,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs it.
pub fn command(_root: &Path, _args: &ResetArgs) -> anyhow::Result<u8> {
    Err(Trouble::environment("This is not written yet."))
}
