//! `course solution NN`: the solution, for whoever has passed, or insists.

use std::path::Path;

use clap::Args;

use crate::trouble::Trouble;

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct SolutionArgs {
    /// The exercise's number, such as 03
    #[arg(value_name = "NN")]
    pub exercise: String,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs it.
pub fn command(_root: &Path, _args: &SolutionArgs) -> anyhow::Result<u8> {
    Err(Trouble::environment("This is not written yet."))
}
