//! `course gallery`: every way to hold a loop up, run on this machine, and what was seen of it.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

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
    /// Write a table of how late the soufflé's timer was here as well, as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
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
/// A name that is no entry's: one sentence with all that are. A file that cannot be written.
pub fn command(args: &GalleryArgs) -> anyhow::Result<u8> {
    let entries: Vec<&Entry> = match &args.name {
        None => gallery::ALL.iter().collect(),
        Some(name) => vec![find(name)?],
    };
    cli::print(&format!(
        "Next to each of these stands a soufflé with a timer of {} ms, which falls if that is more than {} ms late.\nWhat the guest waits for takes {} ms.\n",
        PERIOD.as_millis(),
        STANDS.as_millis(),
        HOLD.as_millis(),
    ))?;
    let mut table = heading(args.runtime);
    for entry in entries {
        cli::print(&format!(
            "\n{} ({})\n{}\n{}\n\n",
            entry.title,
            entry.name,
            wrapped("  ", entry.happens),
            wrapped("  Instead: ", entry.instead),
        ))?;
        let _ = write!(table, "| {} |", entry.title);
        for runtime in args.runtime.each() {
            for version in Version::BOTH {
                let run = match runtime {
                    Runtimes::Tokio => entry.on_tokio(version),
                    _ => entry.on_loopbot(version),
                };
                cli::print(&line(runtime.name(), version, &run))?;
                cli::print(&seen(&run))?;
                let _ = write!(table, " {} |", cell(&run));
            }
        }
        table.push('\n');
    }
    if let Some(path) = &args.markdown {
        let text = format!("<!-- ANCHOR: gallery -->\n\n{table}\n<!-- ANCHOR_END: gallery -->\n");
        fs::write(path, text).map_err(|error| {
            Trouble::input(format!(
                "{} cannot be written ({error}): name another file.",
                path.display()
            ))
        })?;
        cli::print(&format!("\nwritten: {}\n", path.display()))?;
    }
    Ok(status::DONE)
}

fn find(name: &str) -> anyhow::Result<&'static Entry> {
    gallery::find(name).ok_or_else(|| {
        let names: Vec<&str> = gallery::ALL.iter().map(|entry| entry.name).collect();
        Trouble::input(format!(
            "There is no {name:?} in the gallery. There are: {}.",
            names.join(", ")
        ))
    })
}

impl Runtimes {
    fn each(self) -> Vec<Runtimes> {
        match self {
            Runtimes::All => vec![Runtimes::Loopbot, Runtimes::Tokio],
            one => vec![one],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Runtimes::Loopbot => "LoopBot",
            Runtimes::Tokio => "Tokio",
            Runtimes::All => "both",
        }
    }
}

fn heading(runtimes: Runtimes) -> String {
    let (mut names, mut rule) = ("| |".to_owned(), "| --- |".to_owned());
    for runtime in runtimes.each() {
        for version in Version::BOTH {
            let _ = write!(names, " {}, {} |", runtime.name(), version.name());
            rule.push_str(" ---: |");
        }
    }
    format!("{names}\n{rule}\n")
}

/// How late, in the table; what fell is bold.
fn cell(run: &Run) -> String {
    let late = match (&run.ended, run.late) {
        (Ended::Failed(_), _) => return "could not be run".to_owned(),
        (_, Some(late)) => format!("{:.1} ms", late.as_secs_f64() * 1e3),
        (_, None) => "never heard".to_owned(),
    };
    if run.falls() {
        format!("**{late}**")
    } else {
        late
    }
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
        let text = wrapped("  Instead: ", &"word ".repeat(50));
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
            markdown: None,
        };
        let why = command(&args).unwrap_err().to_string();
        assert!(
            why.contains("\"sleep\"") && why.contains("thread-sleep"),
            "{why}"
        );
    }
}
