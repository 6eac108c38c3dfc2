//! What is on the screen while it is looked: findings on standard output, and what is being done right now on standard error.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::cli;

use super::finding::Finding;
use super::rounds::Look;

/// A look that takes longer than this is mentioned where nothing can be rewritten.
const PATIENCE: Duration = Duration::from_secs(2);
/// And after that so often.
const AGAIN: Duration = Duration::from_secs(15);
/// A line that is rewritten more often than this cannot be read.
const FLICKER: Duration = Duration::from_millis(50);

/// Where it is told.
pub struct Screen {
    /// Findings are printed as they are made; else they are kept for the end.
    findings: bool,
    /// What is being done is told on standard error.
    progress: bool,
    /// That is a terminal, and its last line can be rewritten.
    rewrites: bool,
    now: Option<Now>,
    /// How wide the rewritten line is.
    width: usize,
}

/// What is being done.
struct Now {
    what: &'static str,
    doing: &'static str,
    detail: String,
    since: Instant,
    said: Instant,
}

impl Screen {
    /// For somebody who reads; or, with `json`, for a program, which gets nothing but the answer.
    pub fn new(json: bool) -> Screen {
        Screen {
            findings: !json,
            progress: true,
            rewrites: std::io::stderr().is_terminal()
                && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
            now: None,
            width: 0,
        }
    }

    /// Says nothing.
    #[cfg(test)]
    pub fn silent() -> Screen {
        Screen {
            findings: false,
            progress: false,
            rewrites: false,
            now: None,
            width: 0,
        }
    }

    /// A look begins.
    pub fn begins(&mut self, look: &Look) {
        self.begins_with(look.what, look.doing);
    }

    /// Something begins that is no look.
    pub fn begins_with(&mut self, what: &'static str, doing: &'static str) {
        let now = Instant::now();
        self.now = Some(Now {
            what,
            doing,
            detail: String::new(),
            since: now,
            said: now,
        });
        self.rewrite();
    }

    /// What it is at.
    pub fn detail(&mut self, detail: String) {
        if let Some(now) = &mut self.now {
            now.detail = detail;
        }
    }

    /// It goes on.
    pub fn still(&mut self) {
        let Some(now) = &mut self.now else {
            return;
        };
        if self.rewrites {
            if now.said.elapsed() >= FLICKER {
                now.said = Instant::now();
                self.rewrite();
            }
            return;
        }
        let first = now.said == now.since;
        if !self.progress || now.said.elapsed() < if first { PATIENCE } else { AGAIN } {
            return;
        }
        now.said = Instant::now();
        let line = line(now);
        // Whoever closed standard error wants to know nothing of this.
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    /// A look has ended.
    pub fn found(&mut self, finding: &Finding) -> anyhow::Result<()> {
        self.clear();
        if self.findings {
            let columns = if std::io::stdout().is_terminal() {
                columns()
            } else {
                usize::MAX
            };
            cli::answer(&finding.text(columns))?;
        }
        Ok(())
    }

    /// Wipes what is being done.
    pub fn clear(&mut self) {
        self.now = None;
        if self.width > 0 {
            let _ = write!(std::io::stderr(), "\r{:1$}\r", "", self.width);
            self.width = 0;
        }
    }

    fn rewrite(&mut self) {
        let (true, true, Some(now)) = (self.progress, self.rewrites, &self.now) else {
            return;
        };
        let line: String = line(now).chars().take(columns() - 1).collect();
        let width = line.chars().count();
        let mut err = std::io::stderr().lock();
        let _ = write!(err, "\r{line}{:1$}", "", self.width.saturating_sub(width));
        let _ = err.flush();
        self.width = width;
    }
}

/// How wide the terminal is.
fn columns() -> usize {
    let size = ratatui::crossterm::terminal::size();
    size.map_or(80, |(columns, _)| usize::from(columns.max(20)))
}

fn line(now: &Now) -> String {
    let mut line = format!("{:>4}  {:11}  {}", "...", now.what, now.doing);
    let seconds = now.since.elapsed().as_secs();
    if seconds > 0 {
        line.push_str(&format!(", {seconds} s"));
    }
    if !now.detail.is_empty() {
        line.push_str(&format!(": {}", now.detail));
    }
    line
}
