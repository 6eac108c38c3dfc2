//! `course check NN`: runs an exercise's tests and says how they ended.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use clap::Args;

use crate::check::{self, CheckOptions, Verdict};
use crate::cli::print;
use crate::{exercises, interrupt};

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The exercise's number, such as 03
    #[arg(value_name = "NN")]
    pub exercise: String,
    /// How long the tests may take, in seconds, without the build
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub time_limit: u64,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs it.
pub fn command(root: &Path, args: &CheckArgs) -> anyhow::Result<u8> {
    let all = exercises::load(root)?;
    let exercise = exercises::find(&all, &args.exercise)?;
    let interrupt = interrupt::listen()?;
    let options = CheckOptions {
        tests: Duration::from_secs(args.time_limit),
        ..CheckOptions::default()
    };
    let mut told = false;
    let checked = check::check(root, exercise, &options, interrupt.stop(), &mut |line| {
        told |= line.trim_start().starts_with("To play it again:");
        // A closed pipe is noticed at the end, when the sentence is printed.
        let _ = writeln!(std::io::stdout(), "{line}");
    });
    print(&format!("\n{}\n", checked.sentence))?;
    if checked.verdict == Verdict::Passes {
        print(&format!("{}\n", exercise.after.trim()))?;
    } else if told {
        print(&format!(
            "`cargo course story {}` shows it in the browser, step by step.\n",
            exercise.number
        ))?;
    }
    Ok(checked.verdict.status())
}
