//! `course list`: the exercises, and how far the learner has come.

use std::path::Path;

use clap::Args;

use crate::cli::print;
use crate::exercises;
use crate::trouble::status;

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs it.
pub fn command(root: &Path, _args: &ListArgs) -> anyhow::Result<u8> {
    let all = exercises::load(root)?;
    let width = all
        .iter()
        .map(|exercise| exercise.title.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for exercise in &all {
        text.push_str(&format!(
            "{}  {:width$}  {:>3} min  {}\n",
            exercise.number, exercise.title, exercise.minutes, exercise.chapter
        ));
    }
    text.push_str(match all.is_empty() {
        true => "There is no exercise in this folder yet.\n",
        false => "\n`cargo course check NN` runs one, `cargo course hint NN` helps.\n",
    });
    print(&text)?;
    Ok(status::DONE)
}
