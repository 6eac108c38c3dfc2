//! offload and its peers, side by side: `cargo offload-peers`.
//!
//! ```text
//! cargo offload-peers                      every row, every contestant
//! cargo offload-peers --quick              a fifth of the repetitions, for a first look
//! cargo offload-peers --markdown FILE      writes the table to a file as well
//! ```
//!
//! It asserts nothing about time. Read the ratios: absolute figures change from machine to machine.

mod measure;
mod peers;

use std::process::ExitCode;
use std::{env, fs};

/// How many jobs a flood is.
pub const FLOOD: usize = 100_000;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let (mut quick, mut markdown, mut only) = (false, None, None);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => quick = true,
            "--markdown" => markdown = Some(arguments.next().ok_or("--markdown needs a file")?),
            "--peers" => only = Some(arguments.next().ok_or("--peers needs a part of a name")?),
            unknown => {
                return Err(format!(
                    "{unknown} is not known here: --quick, --peers NAME and --markdown FILE are"
                ));
            }
        }
    }
    let mut contestants = peers::all();
    contestants.retain(|contestant| {
        let is_named = |only: &String| contestant.name.contains(only.as_str());
        only.as_ref().is_none_or(is_named)
    });
    if contestants.is_empty() {
        return Err("nobody's name contains that".to_string());
    }
    let table = measure::table(&contestants, quick);
    println!("{table}");
    match markdown {
        Some(file) => fs::write(&file, table).map_err(|error| format!("{file}: {error}")),
        None => Ok(()),
    }
}
