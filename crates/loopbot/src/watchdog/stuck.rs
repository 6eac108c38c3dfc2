//! What the watchdog says.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// A poll that lasts too long: what [`Watchdog::on_stuck`](crate::Watchdog::on_stuck) is told. Its `Display` is the message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stuck {
    /// The name of the task that is being polled.
    pub task: String,
    /// Where it was spawned; for main, where `run` was called.
    pub spawned_at: Option<&'static Location<'static>>,
    /// Where it last waited, before this poll, if it said so: LoopBot's own futures and named wait points do.
    pub wait_point: Option<LastWait>,
    /// For how long it has been in this poll. With a recorder this is exact; without one it is the time for which the
    /// watchdog has seen it there, and may be an eighth of the limit too short.
    pub in_poll_for: Duration,
    /// The limit that it has passed.
    pub limit: Duration,
    /// The functions that hold LoopBot right now, innermost first, down to the task's own. Empty where that cannot be known.
    /// Functions that the compiler has put into others are told only if there is debug information.
    pub stack: Vec<Frame>,
    /// Why `stack` is empty, if it is.
    pub(super) no_stack: &'static str,
}

/// Where a task waited last.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastWait {
    /// The name of the [wait point](crate::wait_point()), if it was one.
    pub name: Option<String>,
    /// Where in the program.
    pub at: &'static Location<'static>,
}

/// A function on the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// Its path: `std::thread::sleep`.
    pub function: String,
    /// The file, from the folder of its crate on, if there is debug information.
    pub file: Option<String>,
    /// The line that it is in.
    pub line: Option<u32>,
}

impl Stuck {
    /// The second message, when the poll is over.
    pub(super) fn in_the_end(&self, took: Duration) -> String {
        let (task, took) = (&self.task, in_words(took));
        format!("`{task}` gives LoopBot back: that poll took {took} in the end")
    }
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (so_far, limit) = (in_words(self.in_poll_for), in_words(self.limit));
        write!(
            f,
            "LoopBot has been in one poll of `{}` for {so_far} (limit {limit}).",
            self.task
        )?;
        let in_source = |at: &Location<'_>| format!("{}:{}", without_host(at.file()), at.line());
        match (self.spawned_at.map(in_source), &self.wait_point) {
            (None, None) => {}
            (Some(at), None) => write!(f, " Spawned at {at}.")?,
            (None, Some(wait)) => write!(f, " It was last waiting {wait}.")?,
            (Some(at), Some(wait)) => {
                write!(f, " Spawned at {at}; it was last waiting {wait}.")?;
            }
        }
        if self.stack.is_empty() {
            return write!(f, " What holds it cannot be seen: {}.", self.no_stack);
        }
        let stack: Vec<String> = self.stack.iter().map(Frame::to_string).collect();
        write!(f, " Right now it is in: {}.", stack.join(" <- "))
    }
}

impl fmt::Display for LastWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line) = (without_host(self.at.file()), self.at.line());
        match &self.name {
            Some(name) => write!(f, "at `{name}` ({file}:{line})"),
            None => write!(f, "at {file}:{line}"),
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.function)?;
        if let (Some(file), Some(line), false) =
            (&self.file, self.line, is_standard(&self.function))
        {
            let name = file.rsplit('/').next().unwrap_or(file);
            write!(f, " ({name}:{line})")?;
        }
        Ok(())
    }
}

/// Whether this is the path of a function of the standard library.
pub(super) fn is_standard(path: &str) -> bool {
    matches!(crate_of(path), Some("std" | "core" | "alloc"))
}

/// The crate that a function is written in, as far as its path tells. A function of `<Type as Trait>` is written where the type is; if
/// the type is std's, or may be any, then where the trait is.
pub(super) fn crate_of(path: &str) -> Option<&str> {
    let path = path.trim_start_matches(['&', '*']);
    let words = ["mut ", "const ", "dyn "].into_iter();
    let path = words.fold(path, |path, word| path.strip_prefix(word).unwrap_or(path));
    if path.starts_with(['[', '(']) {
        return Some("core"); // a slice, or a tuple
    }
    let Some(inside) = path.strip_prefix('<') else {
        let (of, _) = path.split_once("::")?;
        return of
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_')
            .then_some(of);
    };
    // In `Vec<<A as B>::C> as D` it is the last one: before it, everything that was opened is closed.
    let is_outside = |before: &str| {
        let arrows = before.matches("->").count();
        before.matches('<').count() == before.matches('>').count() - arrows
    };
    let mut found = inside
        .match_indices(" as ")
        .map(|(at, _)| inside.split_at(at));
    let Some((of, implements)) = found.find(|(before, _)| is_outside(before)) else {
        return crate_of(inside);
    };
    crate_of(of)
        .filter(|_| !is_standard(of))
        .or_else(|| crate_of(&implements[" as ".len()..]))
}

/// `53 ms`.
fn in_words(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 0.01 => format!("{:.1} ms", seconds * 1e3),
        seconds if seconds < 10.0 => format!("{:.0} ms", seconds * 1e3),
        seconds => format!("{seconds:.1} s"),
    }
}

/// A path that leads somewhere on this computer only, from the folder of the crate on: `soup/src/main.rs`.
pub(super) fn without_host(path: &str) -> String {
    let parts: Vec<&str> = path.split(['/', '\\']).collect();
    let is_absolute = path.starts_with('/') || parts[0].ends_with(':');
    let folders = ["src", "tests", "examples", "benches"];
    let crate_at = parts.iter().rposition(|part| folders.contains(part));
    match crate_at {
        _ if !is_absolute => path.to_owned(),
        Some(at) => parts[at.saturating_sub(1)..].join("/"),
        None => parts[parts.len() - 1].to_owned(),
    }
}

#[cfg(test)]
#[path = "../../tests/unit/stuck.rs"]
mod tests;
