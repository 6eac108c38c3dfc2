//! `course bundle`: one archive for a room without Internet.

use std::path::Path;
use std::path::PathBuf;

use clap::Args;

use crate::trouble::Trouble;

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct BundleArgs {
    /// Write it here [default: loopbot-course.tar.gz in the current folder]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Runs it.
pub fn command(_root: &Path, _args: &BundleArgs) -> anyhow::Result<u8> {
    Err(Trouble::environment("This is not written yet."))
}
