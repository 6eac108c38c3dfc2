//! `course look`: what the rules say about a recording.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use flight::rules::{self, Hit, Limits, Rule, Severity};
use flight::{ClockKind, Recording};

use crate::trouble::{Trouble, status};
use crate::{cli, record};

/// How many hits of one rule are told, unless all are asked for.
const MOST: usize = 5;

/// How wide a line of the terminal may get.
const WIDTH: usize = 100;

/// What `course look` can be told.
#[derive(Args)]
pub struct LookArgs {
    /// The recording, as `shift --record` writes one
    file: PathBuf,
    /// Print the hits as a JSON list, one hit a line
    #[arg(long)]
    json: bool,
    /// Tell all hits, and not only the first five of each rule
    #[arg(long)]
    all: bool,
    /// Ask only this rule (again for another one)
    #[arg(long = "rule", value_name = "NAME")]
    rules: Vec<String>,
    /// How long a poll may take [default: what the recording says, else 1 ms; ten times this and more is red]
    #[arg(long, value_name = "MS")]
    long_poll: Option<String>,
    /// How late a timer may fire [default: what the recording says, else 5 ms; ten times this and more is red]
    #[arg(long, value_name = "MS")]
    late_timer: Option<String>,
    /// How long a task may be ready before its turn [default: what the recording says, else 5 ms; ten times this and more is red]
    #[arg(long, value_name = "MS")]
    ready_delay: Option<String>,
}

/// Looks, and says what there is. The status is [`status::FAILS`] if something is red.
///
/// # Errors
///
/// A file that cannot be read, a limit that is no number, a rule that there is not: one sentence each.
pub fn command(args: &LookArgs) -> anyhow::Result<u8> {
    let asked = asked(&args.rules)?;
    limits(args, Limits::default())?; // What was typed wrong is refused before anything is read.
    let recording = record::read(&args.file)?;
    let limits = limits(args, Limits::of(&recording))?;
    let mut hits = rules::look(&recording, &limits);
    hits.retain(|hit| asked.contains(&hit.rule));
    let text = match args.json {
        true => as_json(&hits),
        false => tell(&recording, &hits, if args.all { usize::MAX } else { MOST }),
    };
    cli::answer(&text)?;
    let is_red = hits.iter().any(|hit| hit.severity == Severity::Red);
    Ok(if is_red { status::FAILS } else { status::DONE })
}

/// What is asked for, else what the recording brings with it.
fn limits(args: &LookArgs, mut limits: Limits) -> anyhow::Result<Limits> {
    for (name, asked, limit) in [
        ("--long-poll", &args.long_poll, &mut limits.long_poll),
        ("--late-timer", &args.late_timer, &mut limits.late_timer),
        ("--ready-delay", &args.ready_delay, &mut limits.ready_delay),
    ] {
        if let Some(text) = asked {
            *limit = milliseconds(name, text)?;
        }
    }
    Ok(limits)
}

fn milliseconds(name: &str, text: &str) -> anyhow::Result<Duration> {
    let number: Option<f64> = text.trim().parse().ok();
    number
        .and_then(|ms| Duration::try_from_secs_f64(ms / 1e3).ok())
        .ok_or_else(|| {
            Trouble::input(format!(
                "{name} is a number of milliseconds, such as 1 or 0.5, and {text:?} is not."
            ))
        })
}

/// All rules, unless some are named.
fn asked(names: &[String]) -> anyhow::Result<Vec<Rule>> {
    if names.is_empty() {
        return Ok(Rule::ALL.to_vec());
    }
    let named = |name: &String| {
        Rule::named(&name.replace('-', "_")).ok_or_else(|| {
            let all: Vec<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
            Trouble::input(format!(
                "There is no rule {name:?}; there are {}.",
                all.join(", ")
            ))
        })
    };
    names.iter().map(named).collect()
}

fn as_json(hits: &[Hit]) -> String {
    let rows: Vec<String> = hits.iter().map(Hit::to_json).collect();
    match rows.is_empty() {
        true => "[]\n".to_owned(),
        false => format!("[\n{}\n]\n", rows.join(",\n")),
    }
}

fn tell(recording: &Recording, hits: &[Hit], most: usize) -> String {
    let clock = match recording.header.clock {
        ClockKind::Virtual => "of virtual time",
        ClockKind::Monotonic => "on a real clock",
    };
    let mut text = format!(
        "{}, {} events in {} {clock}: {}\n",
        recording.header.program,
        recording.events.len(),
        seconds(recording.duration()),
        summary(hits),
    );
    if recording.dropped > 0 {
        let _ = writeln!(
            text,
            "{} events are missing. Rules about what did not happen keep silent.",
            recording.dropped
        );
    }
    let mut told: BTreeMap<Rule, usize> = BTreeMap::new();
    for hit in hits {
        let so_far = told.entry(hit.rule).or_default();
        *so_far += 1;
        if *so_far > most {
            continue;
        }
        let (mark, numbers) = (hit.severity.name().to_uppercase(), numbers(&hit.evidence));
        let _ = writeln!(
            text,
            "\n{mark:4} {}, at {}, events {numbers}",
            hit.rule,
            seconds(hit.at)
        );
        text.push_str(&wrapped(&sentence(&hit.says), "     "));
    }
    if told.is_empty() {
        return text;
    }
    text.push_str("\nWhat this means:\n");
    for (rule, count) in &told {
        if *count > most {
            let more = count - most;
            let _ = writeln!(text, "\n{rule} ({more} more of these: --all tells them)");
        } else {
            let _ = writeln!(text, "\n{rule}");
        }
        text.push_str(&wrapped(rule.explain(), "     "));
    }
    text
}

fn summary(hits: &[Hit]) -> String {
    let red = hits.iter().filter(|hit| hit.severity == Severity::Red);
    let red = red.count();
    match (red, hits.len() - red) {
        (0, 0) => "the rules find nothing.".to_owned(),
        (red, 0) => format!("{red} red."),
        (0, 1) => "1 note.".to_owned(),
        (0, notes) => format!("{notes} notes."),
        (red, 1) => format!("{red} red, 1 note."),
        (red, notes) => format!("{red} red, {notes} notes."),
    }
}

/// A sentence of the rules may begin with a name in small letters.
fn sentence(says: &str) -> String {
    let mut letters = says.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn seconds(ns: u64) -> String {
    format!("{:.3} s", Duration::from_nanos(ns).as_secs_f64())
}

/// "41, 42", and no more than six of them.
fn numbers(evidence: &[u64]) -> String {
    let shown: Vec<String> = evidence.iter().take(6).map(u64::to_string).collect();
    let more = if evidence.len() > 6 { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// Lines of at most [`WIDTH`], each with `indent` before it.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let length = indent.len() + line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && length > WIDTH {
            let _ = writeln!(lines, "{indent}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(lines, "{indent}{line}");
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trouble::status_of;
    use flight::{ActorKind, Event, Header, Recorder, VirtualTime};

    fn args(file: PathBuf) -> LookArgs {
        LookArgs {
            file,
            json: false,
            all: false,
            rules: Vec::new(),
            long_poll: None,
            late_timer: None,
            ready_delay: None,
        }
    }

    /// So many guests, each of whom keeps LoopBot for so many milliseconds.
    fn talks(guests: u64, ms: u64) -> Recording {
        let time = VirtualTime::new();
        let recorder = Recorder::new(Header::virtual_time("dinner", &time));
        let robot = recorder.actor("LoopBot", ActorKind::Loop);
        for guest in 1..=guests {
            let task = recorder.task(&format!("guest {guest}"));
            let cause = robot.record(Event::TaskSpawn { task, by: None });
            robot.record(Event::PollBegin {
                task,
                poll: 1,
                cause,
            });
            time.advance(Duration::from_millis(ms));
            robot.record(Event::PollEnd { task, ready: true });
        }
        drop(robot);
        recorder.recording()
    }

    #[test]
    fn the_status_says_whether_something_is_red() {
        let folder = tempfile::tempdir().unwrap();
        for (ms, limit, expected) in [
            (1, None, status::DONE),
            (5, None, status::DONE), // a note
            (50, None, status::FAILS),
            (50, Some("40"), status::DONE),
            (50, Some("0.5"), status::FAILS),
        ] {
            let file = folder.path().join("dinner.json");
            std::fs::write(&file, talks(1, ms).to_json()).unwrap();
            let args = LookArgs {
                long_poll: limit.map(str::to_owned),
                ..args(file)
            };
            assert_eq!(command(&args).unwrap(), expected, "{ms} ms, {limit:?}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_refused_in_a_sentence() {
        let file = PathBuf::from("no-such-file.json");
        let refused = |args: LookArgs| {
            let error = command(&args).unwrap_err();
            assert_eq!(status_of(&error), status::INPUT);
            error.to_string()
        };
        assert!(refused(args(file.clone())).contains("cannot be read"));
        for text in ["", "soon", "-1", "NaN", "inf"] {
            let said = refused(LookArgs {
                late_timer: Some(text.to_owned()),
                ..args(file.clone())
            });
            assert!(said.starts_with("--late-timer is a number of"), "{said}");
        }
        let said = refused(LookArgs {
            rules: vec!["long-pole".to_owned()],
            ..args(file)
        });
        assert!(said.contains("there are long_poll, late_timer"), "{said}");
    }

    #[test]
    fn a_rule_that_hits_often_is_told_a_few_times() {
        let recording = talks(12, 20);
        let hits = rules::look(&recording, &Limits::default());
        let said = tell(&recording, &hits, 5);
        assert!(
            said.starts_with("dinner, 38 events in 0.240 s of virtual time: 12 red.\n"),
            "{said}"
        );
        assert_eq!(said.matches("RED  long_poll").count(), 5);
        assert!(
            said.contains("Guest 1 kept LoopBot to itself for 20 ms"),
            "{said}"
        );
        assert!(said.contains("long_poll (7 more of these: --all tells them)"));
        assert_eq!(
            tell(&recording, &hits, usize::MAX).matches("RED  ").count(),
            12
        );
        assert!(
            said.lines().all(|line| line.chars().count() <= WIDTH),
            "{said}"
        );
        let json: serde_json::Value = serde_json::from_str(&as_json(&hits)).unwrap();
        assert_eq!(json.as_array().unwrap().len(), 12);
        assert_eq!(as_json(&[]), "[]\n");
    }
}
