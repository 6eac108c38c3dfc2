//! `course upgrade-check`: which exercises have changed upstream, and how to take them.

use std::path::Path;

use clap::Args;

use crate::trouble::Trouble;

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct UpgradeCheckArgs {
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs it.
pub fn command(_root: &Path, _args: &UpgradeCheckArgs) -> anyhow::Result<u8> {
    Err(Trouble::environment("This is not written yet."))
}
