//! `course new-exercise SLUG`: the skeleton that CONTRIBUTING.md describes.

use std::path::Path;

use clap::Args;

use crate::trouble::Trouble;

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct NewExerciseArgs {
    /// What it is called in paths, such as the-second-bell
    #[arg(value_name = "SLUG")]
    pub slug: String,
}

/// Runs it.
pub fn command(_root: &Path, _args: &NewExerciseArgs) -> anyhow::Result<u8> {
    Err(Trouble::environment("This is not written yet."))
}
