//! `course catch-up CHECKPOINT`: a reference state beside a learner's work, never over it.

use std::path::Path;

use clap::Args;

use crate::trouble::Trouble;

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct CatchUpArgs {
    /// The last exercise that the class has done, such as 05
    #[arg(value_name = "CHECKPOINT")]
    pub checkpoint: String,
}

/// Runs it.
pub fn command(_root: &Path, _args: &CatchUpArgs) -> anyhow::Result<u8> {
    Err(Trouble::environment("This is not written yet."))
}
