//! `course plan --length 90|180|360`: a schedule from the minutes of chapters and exercises.

use std::path::Path;

use clap::Args;

use crate::trouble::Trouble;

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// The workshop's length in minutes, breaks included
    #[arg(long, value_name = "MINUTES")]
    pub length: u32,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs it.
pub fn command(_root: &Path, _args: &PlanArgs) -> anyhow::Result<u8> {
    Err(Trouble::environment("This is not written yet."))
}
