//! `course souffle`: how late a soufflé is taken out while guests talk, measured on this machine.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use pitfalls::runtimes::{BAKING, Begins, CALLS, Runtime, STANDS, TALK};

use crate::cli;
use crate::trouble::{Trouble, status};

/// What can be asked of the soufflé.
#[derive(Args)]
pub struct SouffleArgs {
    /// How many workers Tokio's multi-thread runtime gets
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    workers: u8,
    /// How many evenings each number is the median of
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    evenings: u16,
    /// Write the table here as well, as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<std::path::PathBuf>,
}

/// A line of the table.
struct Row {
    name: String,
    runtime: Runtime,
    begins: Begins,
}

/// Bakes, and prints how late each soufflé was.
///
/// # Errors
///
/// A file that cannot be written, in one sentence.
pub fn command(args: &SouffleArgs) -> anyhow::Result<u8> {
    let workers = usize::from(args.workers);
    cli::print(&format!(
        "A soufflé bakes for {} ms and stands for {} ms more. After {} ms guests begin to talk, for {} ms each.\nHow late it was taken out, by how many talk; the median of {}:\n\n",
        BAKING.as_millis(),
        STANDS.as_millis(),
        CALLS.as_millis(),
        TALK.as_millis(),
        evenings(args.evenings),
    ))?;
    let rows = rows(workers);
    let width = rows
        .iter()
        .map(|row| row.name.len())
        .max()
        .unwrap_or_default();
    let mut heading = format!("{:width$}", "guests who talk");
    for guests in 0..=workers {
        let _ = write!(heading, "{guests:>11}");
    }
    cli::print(&format!("{heading}\n"))?;

    let mut markdown = heading_of_markdown(workers);
    for row in &rows {
        cli::print(&format!("{:width$}", row.name))?;
        let _ = write!(markdown, "| {} |", row.name);
        for guests in 0..=workers {
            let late = median((0..args.evenings).map(|_| row.runtime.bake(guests, row.begins)));
            let said = cell(late);
            // As soon as it is known: the whole table takes a while.
            cli::print(&format!("{said:>11}"))?;
            let said = if late > STANDS {
                format!("**{said}**")
            } else {
                said
            };
            let _ = write!(markdown, " {said} |");
        }
        cli::print("\n")?;
        markdown.push('\n');
    }
    cli::print("\nA number with a star is a soufflé that fell.\n")?;
    if let Some(path) = &args.markdown {
        write(path, &markdown)?;
    }
    Ok(status::DONE)
}

fn rows(workers: usize) -> Vec<Row> {
    let several = Runtime::MultiThread { workers };
    let rows = [
        ("LoopBot".to_owned(), Runtime::LoopBot, Begins::ByTimer),
        (
            "Tokio, current_thread".to_owned(),
            Runtime::CurrentThread,
            Begins::ByTimer,
        ),
        (
            format!("Tokio, {workers} workers, guests woken by timers"),
            several,
            Begins::ByTimer,
        ),
        (
            format!("Tokio, {workers} workers, guests woken by a thread"),
            several,
            Begins::ByThread,
        ),
    ];
    let row = |(name, runtime, begins)| Row {
        name,
        runtime,
        begins,
    };
    rows.map(row).into()
}

fn evenings(evenings: u16) -> String {
    match evenings {
        1 => "one evening".to_owned(),
        evenings => format!("{evenings} evenings"),
    }
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn cell(late: Duration) -> String {
    let star = if late > STANDS { "*" } else { "" };
    format!("{:.1} ms{star}", late.as_secs_f64() * 1e3)
}

fn heading_of_markdown(workers: usize) -> String {
    let mut text = "| guests who talk |".to_owned();
    for guests in 0..=workers {
        let _ = write!(text, " {guests} |");
    }
    text.push_str("\n| --- |");
    text.push_str(&" ---: |".repeat(workers + 1));
    text.push('\n');
    text
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let text = format!("<!-- ANCHOR: souffle -->\n\n{text}\n<!-- ANCHOR_END: souffle -->\n");
    fs::write(path, text).map_err(|error| {
        Trouble::input(format!(
            "{} cannot be written ({error}): name another file.",
            path.display()
        ))
    })?;
    cli::print(&format!("written: {}\n", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        let times = [5, 900, 7].map(Duration::from_millis);
        assert_eq!(median(times.into_iter()), Duration::from_millis(7));
    }

    #[test]
    fn a_fallen_one_has_a_star() {
        assert_eq!(cell(STANDS), "40.0 ms");
        assert_eq!(cell(STANDS + Duration::from_millis(1)), "41.0 ms*");
    }
}
