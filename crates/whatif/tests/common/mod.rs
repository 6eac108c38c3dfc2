//! What several of the tests need.
#![allow(dead_code, reason = "each test file uses some of it")]

use whatif::sync::{Arc, Mutex, Shared};
use whatif::{Outcome, Report, Story, never, say, step, thread};

pub fn robot(name: &str, f: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::Builder::new().name(name.into()).spawn(f).unwrap()
}

/// Starts two robots, and waits for both.
pub fn both(a: (&str, impl FnOnce() + Send + 'static), b: (&str, impl FnOnce() + Send + 'static)) {
    let (a, b) = (robot(a.0, a.1), robot(b.0, b.1));
    a.join().unwrap();
    b.join().unwrap();
}

pub fn story(report: Report) -> Story {
    match report.outcome {
        Outcome::Failed(story) => story,
        _ => panic!("this should have failed: {report}"),
    }
}

pub fn proved(report: &Report) -> usize {
    match report.outcome {
        Outcome::Proved { runs } => runs,
        _ => panic!("this should have been proved: {report}"),
    }
}

/// The story on paper, without the line numbers of the test file.
pub fn paper(story: &Story) -> String {
    let mut text = String::new();
    for line in story.to_string().lines() {
        match line.rfind(".rs:") {
            Some(at) => {
                let rest = &line[at + 4..];
                let digits = rest.chars().take_while(char::is_ascii_digit).count();
                text += &format!("{}.rs:N{}", &line[..at], &rest[digits..]);
            }
            None => text += line,
        }
        text += "\n";
    }
    text
}

pub const CLASH: &str = "a party sits at a table that is being cleared";

#[derive(Default)]
pub struct Table {
    pub seated: Shared<bool>,
    pub clearing: Shared<bool>,
}

impl Table {
    pub fn is_free(&self) -> bool {
        let free = !self.seated.get() && !self.clearing.get();
        say(if free { "sees table 2 free" } else { "sees that table 2 is taken" });
        free
    }

    pub fn seat(&self) {
        step("seats the Chen party at table 2");
        self.seated.set(true);
        never(CLASH, self.clearing.get());
    }

    pub fn clear(&self) {
        step("starts clearing table 2");
        self.clearing.set(true);
        never(CLASH, self.seated.get());
        self.clearing.set(false);
    }
}

/// Check, then act.
pub fn careless() {
    let table = Arc::new(Table::default());
    let other = Arc::clone(&table);
    both(
        ("GreetBot", move || {
            if table.is_free() {
                table.seat();
            }
        }),
        ("WaitBot-1", move || {
            if other.is_free() {
                other.clear();
            }
        }),
    );
}

/// Check and act under one lock.
pub fn careful() {
    let table = Arc::new(Mutex::new(Table::default()));
    let other = Arc::clone(&table);
    both(
        ("GreetBot", move || {
            let table = table.lock().unwrap();
            if table.is_free() {
                table.seat();
            }
        }),
        ("WaitBot-1", move || {
            let table = other.lock().unwrap();
            if table.is_free() {
                table.clear();
            }
        }),
    );
}

/// Explores `f` to the end, and collects every value that it returned in some order of steps.
pub fn outcomes<T: Ord + Send + 'static>(
    f: impl Fn() -> T + Send + Sync + 'static,
) -> std::collections::BTreeSet<T> {
    let (found, report) = explored(whatif::Checker::new("the test").shares_nothing(), f);
    proved(&report);
    found
}

/// The same, with a checker of its own and whatever it comes to.
pub fn explored<T: Ord + Send + 'static>(
    checker: whatif::Checker,
    f: impl Fn() -> T + Send + Sync + 'static,
) -> (std::collections::BTreeSet<T>, Report) {
    let found = std::sync::Arc::new(std::sync::Mutex::new(std::collections::BTreeSet::new()));
    let noted = std::sync::Arc::clone(&found);
    let report = checker.explore(move || {
        let outcome = f();
        noted.lock().unwrap().insert(outcome);
    });
    let found = std::mem::take(&mut *found.lock().unwrap());
    (found, report)
}

/// The texts of a story's lines.
pub fn texts(story: &Story) -> Vec<&str> {
    story.lines.iter().map(|line| line.text.as_str()).collect()
}
