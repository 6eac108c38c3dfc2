//! `course gallery`: every way to hold a loop up, run on this machine, and what was seen of it.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use flight::rules::{self, Hit, Limits};
use pitfalls::gallery::{self, Ended, Entry, GIVE_UP, HOLD, PERIOD, Run, STANDS, Version};

use crate::cli;
use crate::trouble::{Trouble, status};

/// What can be asked of the gallery.
#[derive(Args)]
pub struct GalleryArgs {
    /// One entry, such as thread-sleep; without it, all
    name: Option<String>,
    /// On which runtime
    #[arg(long, value_enum, default_value_t = Runtimes::All)]
    runtime: Runtimes,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Runtimes {
    Loopbot,
    Tokio,
    All,
}

/// Runs the entries, and prints what came of each.
///
/// # Errors
///
/// A name that is no entry's: one sentence with all that are.
pub fn command(args: &GalleryArgs) -> anyhow::Result<u8> {
    let all;
    let entries = match &args.name {
        None => gallery::ALL,
        Some(name) => {
            let Some(entry) = gallery::find(name) else {
                let names: Vec<&str> = gallery::ALL.iter().map(|entry| entry.name).collect();
                let why = format!(
                    "There is no {name:?} in the gallery. There are: {}.",
                    names.join(", ")
                );
                return Err(Trouble::input(why).into());
            };
            all = [entry];
            return show(&all, args.runtime);
        }
    };
    let entries: Vec<&Entry> = entries.iter().collect();
    show(&entries, args.runtime)
}

fn show(entries: &[&Entry], runtimes: Runtimes) -> anyhow::Result<u8> {
    cli::print(&format!(
        "Next to each of these stands a soufflé with a timer of {} ms, which falls if that is more than {} ms late.\nWhat the guest waits for takes {} ms.\n",
        PERIOD.as_millis(),
        STANDS.as_millis(),
        HOLD.as_millis(),
    ))?;
    for entry in entries {
        cli::print(&format!(
            "\n{} ({})\n{}\n{}\n\n",
            entry.title,
            entry.name,
            wrapped("  ", entry.happens),
            wrapped("  Instead: ", entry.instead),
        ))?;
        for version in Version::BOTH {
            if runtimes != Runtimes::Tokio {
                let run = entry.on_loopbot(version);
                cli::print(&line("LoopBot", version, &run))?;
                cli::print(&seen(&run))?;
            }
            if runtimes != Runtimes::Loopbot {
                cli::print(&line("Tokio", version, &entry.on_tokio(version)))?;
            }
        }
    }
    Ok(status::DONE)
}

/// How late the soufflé's timer was.
fn line(runtime: &str, version: Version, run: &Run) -> String {
    let version = version.name();
    let late = match run.late {
        Some(late) => format!("{:.1} ms late", late.as_secs_f64() * 1e3),
        None => "never heard".to_owned(),
    };
    let falls = if run.falls() { "falls" } else { "stands" };
    let how = match &run.ended {
        Ended::Done => String::new(),
        Ended::Failed(why) => {
            return format!("  {version} on {runtime}: could not be run: {why}\n");
        }
        Ended::LeftBehind => format!(
            "; it would never have ended, and was left behind after {} ms",
            GIVE_UP.as_millis()
        ),
    };
    format!("  {version} on {runtime:8} {late:>14}, the soufflé {falls}{how}\n")
}

/// What the rules find in the record, and what the watchdog said meanwhile.
fn seen(run: &Run) -> String {
    let mut text = String::new();
    let hits = match &run.recording {
        Some(recording) => rules::look(recording, &Limits::default()),
        None => Vec::new(),
    };
    for hit in &hits {
        let _ = writeln!(text, "{}", wrapped("    ", &told(hit)));
    }
    for message in &run.watchdog {
        text.push_str("    the watchdog:\n");
        for line in message.lines() {
            let _ = writeln!(text, "      {line}");
        }
    }
    text
}

fn told(hit: &Hit) -> String {
    format!("{}: {}", hit.rule.name(), hit.says)
}

/// Broken into lines. All but the first begin with as many blanks as the first with its label.
fn wrapped(label: &str, text: &str) -> String {
    const WIDTH: usize = 110;
    let (mut lines, indent) = (label.to_owned(), label.chars().count());
    let mut column = indent;
    for (n, word) in text.split_whitespace().enumerate() {
        let length = word.chars().count();
        if n > 0 && column + 1 + length > WIDTH {
            lines.push('\n');
            lines.push_str(&" ".repeat(indent));
            column = indent;
        } else if n > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_under_their_label() {
        let text = wrapped("  Instead: ", &"word ".repeat(40));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.chars().count() <= 110));
        assert!(lines[1].starts_with("           word"));
    }

    #[test]
    fn who_is_not_there_is_told_who_is() {
        let args = GalleryArgs {
            name: Some("sleep".to_owned()),
            runtime: Runtimes::All,
        };
        let why = command(&args).unwrap_err().to_string();
        assert!(
            why.contains("\"sleep\"") && why.contains("thread-sleep"),
            "{why}"
        );
    }
}
