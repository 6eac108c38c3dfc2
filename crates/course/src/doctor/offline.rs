//! `course doctor --offline`: everything is built with the network off.
//!
//! Two builds. The first is everything there is: every crate, exercise and solution, with tests, examples and benchmarks, where
//! plain `cargo` builds. The second is each exercise by itself, where `cargo course check` and `watch` build; cargo chooses
//! features anew for it. So what is built here has not to be built again in the room.

use std::time::Instant;

use serde_json::Value;

use crate::check;
use crate::contained::Stream;
use crate::exercises;
use crate::starter;

use super::ask;
use super::finding::Finding;
use super::platform::{self, Cut};
use super::visit::Visit;

/// Everything.
pub fn everything(visit: &Visit) -> Finding {
    let what = "offline";
    if let Some(finding) = first_of_all(visit, what) {
        return finding;
    }
    let begun = begun(visit);
    let mut arguments = vec!["--workspace".to_owned(), "--all-targets".to_owned()];
    for package in &begun {
        arguments.extend(["--exclude".to_owned(), package.clone()]);
    }
    let left_out = match begun.as_slice() {
        [] => String::new(),
        some => format!(" Left out, for they are your work: {}.", some.join(", ")),
    };
    build(visit, what, "", &arguments, &left_out)
}

/// The exercises by themselves.
pub fn exercises(visit: &Visit) -> Finding {
    let what = "exercises";
    if let Some(finding) = first_of_all(visit, what) {
        return finding;
    }
    let target = check::target_dir(&visit.root);
    let begun = begun(visit);
    let all = match exercises::load(&visit.root) {
        Ok(all) => all,
        Err(error) => {
            return Finding::mend(
                what,
                format!("{error:#}"),
                "git status    (or unpack the course again)",
            );
        }
    };
    let started = Instant::now();
    let mut built = 0;
    for exercise in &all {
        let package = exercise.package();
        let label = format!("{package} of {}, ", all.len());
        if begun.contains(&package) {
            continue;
        }
        let arguments = [
            "--package".to_owned(),
            package,
            "--target-dir".to_owned(),
            target.to_string_lossy().into_owned(),
        ];
        let finding = build(visit, what, &label, &arguments, "");
        if finding.mend.is_some() {
            return finding;
        }
        built += 1;
    }
    Finding::ok(
        what,
        format!(
            "{built} exercises were built one by one, as `cargo course check` builds them, with the network off, in {} s.",
            started.elapsed().as_secs()
        ),
    )
}

fn first_of_all(visit: &Visit, what: &'static str) -> Option<Finding> {
    const FIRST: [&str; 7] = [
        "rustc", "cargo", "linker", "crates", "disk", "temp", "offline",
    ];
    Some(Finding::waits(what, visit.first_broken(&FIRST)?))
}

/// The packages of exercises that somebody has worked on: whether those build says nothing about the machine.
fn begun(visit: &Visit) -> Vec<String> {
    exercises::load(&visit.root)
        .unwrap_or_default()
        .iter()
        .filter(|exercise| starter::is_edited(&visit.root, exercise))
        .map(|exercise| exercise.package())
        .collect()
}

fn build(
    visit: &Visit,
    what: &'static str,
    label: &str,
    arguments: &[String],
    left_out: &str,
) -> Finding {
    let (mut command, cut) = match platform::without_network(visit, &visit.tools.cargo) {
        Cut::Alone(mut command) => {
            // A wrapper that talks to a server of its own would not find it in there.
            command.env("RUSTC_WRAPPER", "");
            (
                command,
                "in a network of its own with nobody in it".to_owned(),
            )
        }
        Cut::Asked(why) => {
            let mut command = visit.cargo();
            // Nobody listens on the port for discarding.
            for name in ["http_proxy", "https_proxy", "all_proxy", "CARGO_HTTP_PROXY"] {
                command.env(name, "http://127.0.0.1:9");
            }
            (
                command,
                format!("by telling cargo, and by a proxy that is not there; {why}"),
            )
        }
    };
    command
        .args([
            "test",
            "--no-run",
            "--offline",
            "--locked",
            "--message-format=json",
        ])
        .args(arguments)
        .env("CARGO_NET_OFFLINE", "true")
        .current_dir(&visit.root);
    let started = Instant::now();
    let mut units = 0;
    let mut fresh = 0;
    let mut errors = Vec::new();
    let answer = ask::ask_and_hear(visit, command, &mut |stream, line| match stream {
        Stream::Err => visit.doing(format!("{label}{units} built: {}", line.trim())),
        Stream::Out => {
            let Ok(message) = serde_json::from_str::<Value>(line) else {
                return;
            };
            if message["reason"] == "compiler-artifact" {
                units += 1;
                fresh += usize::from(message["fresh"] == true);
            }
            if message["message"]["level"] == "error" {
                let text = message["message"]["message"].as_str().unwrap_or_default();
                let package = message["target"]["name"].as_str().unwrap_or_default();
                errors.push(format!("{package}: {text}"));
            }
        }
    });
    let took = started.elapsed().as_secs();
    match answer {
        Ok(_) => Finding::ok(
            what,
            format!(
                "Everything builds with the network off, {cut}: {units} libraries and programs in {took} s ({fresh} of them were there already).{left_out}"
            ),
        ),
        Err(silence) => {
            let why = errors.first().cloned().unwrap_or(silence.why);
            Finding::mend(
                what,
                format!("Not everything builds with the network off: {why}."),
                format!(
                    "cargo fetch --locked    (while there is a network), then: cargo test --no-run --offline --locked {}",
                    arguments.join(" ")
                ),
            )
        }
    }
}
