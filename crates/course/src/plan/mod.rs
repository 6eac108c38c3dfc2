//! `course plan --length 90|180|360`: a schedule from the minutes of chapters and exercises.
//!
//! [`notes`] reads how long chapters take, [`workshop`] what an instructor has decided about what goes in first, and [`schedule`]
//! puts the two together.

pub mod notes;
pub mod schedule;
pub mod workshop;

use std::path::Path;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::print;
use crate::exercises;
use crate::trouble::{Trouble, status};

use schedule::{Asked, Known, Schedule, What};
use workshop::Workshop;

/// The lengths that are planned: below, no chapter fits; above, it is more than a day.
const LENGTHS: std::ops::RangeInclusive<u32> = 30..=480;

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// The workshop's length in minutes, breaks included: 90, 180, 360, or any from 30 to 480
    #[arg(long, value_name = "MINUTES")]
    pub length: String,
    /// The first chapter [default: the first of the book]
    #[arg(long, value_name = "CH")]
    pub from: Option<String>,
    /// The last chapter [default: the last that is written]
    #[arg(long, value_name = "CH")]
    pub to: Option<String>,
    /// When it begins, such as 09:00; then the plan has times of day
    #[arg(long, value_name = "HH:MM")]
    pub start: Option<String>,
    /// How long lunch is, in minutes; 0 for none [default: as book/workshop.toml says]
    #[arg(long, value_name = "MINUTES")]
    pub lunch: Option<String>,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs it.
pub fn command(root: &Path, args: &PlanArgs) -> anyhow::Result<u8> {
    let length = minutes("length", &args.length, LENGTHS)?;
    let lunch = match &args.lunch {
        Some(lunch) => Some(minutes("lunch", lunch, 0..=180)?),
        None => None,
    };
    let start = args.start.as_deref().map(time_of_day).transpose()?;
    let book = book(root)?;
    let workshop = workshop::read(root)?;
    if let Some(first) = schedule::contradictions(&workshop, &book).first() {
        return Err(Trouble::environment(format!(
            "{}: {first}.",
            workshop::FILE
        )));
    }
    let chapters = chapters(&book, args.from.as_deref(), args.to.as_deref())?;
    let asked = Asked {
        length,
        chapters,
        lunch,
    };
    let plan = schedule::schedule(&workshop, &book, asked);
    let is_chapter = |item: &schedule::Item| matches!(item.what, What::Chapter { .. });
    if !plan.items.iter().any(is_chapter) {
        let first = plan.left_out.iter().find(|one| !one.follows);
        let why = first.map_or(String::new(), |one| {
            format!(" ({}. {}: {})", one.number, one.title, one.why)
        });
        return Err(Trouble::input(format!(
            "No chapter fits into {length} minutes{why}."
        )));
    }
    print(&if args.json {
        let json = in_json(&plan, &workshop, length, start);
        format!("{}\n", serde_json::to_string_pretty(&json)?)
    } else {
        text(&plan, &workshop, length, start)
    })?;
    Ok(status::DONE)
}

/// The chapters that are written, with their minutes and their exercises.
///
/// # Errors
///
/// Everything that is not as it should be in the notes, a line each.
pub fn book(root: &Path) -> anyhow::Result<Vec<Known>> {
    let all = exercises::load(root)?;
    let (mut book, mut complaints) = (Vec::new(), Vec::new());
    for chapter in notes::chapters(root)? {
        match notes::read(root, &chapter) {
            Ok(notes) => book.push(Known {
                exercises: all
                    .iter()
                    .filter(|exercise| exercise.chapter == chapter.page)
                    .cloned()
                    .collect(),
                notes,
                chapter,
            }),
            Err(more) => complaints.extend(more.iter().map(ToString::to_string)),
        }
    }
    match complaints.as_slice() {
        [] => Ok(book),
        _ => Err(Trouble::environment(complaints.join("\n"))),
    }
}

fn minutes(what: &str, text: &str, range: std::ops::RangeInclusive<u32>) -> anyhow::Result<u32> {
    let number = text.trim().trim_end_matches("min").trim_end().parse();
    number
        .ok()
        .filter(|minutes| range.contains(minutes))
        .ok_or_else(|| {
            Trouble::input(format!(
                "The {what} must be a whole number of minutes from {} to {}, and {text:?} is not.",
                range.start(),
                range.end()
            ))
        })
}

/// Minutes after midnight.
fn time_of_day(text: &str) -> anyhow::Result<u32> {
    let parse = || {
        let (hours, minutes) = text.trim().split_once([':', '.'])?;
        let is_number = |part: &str, digits| {
            (1..=digits).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        if !is_number(hours, 2) || !is_number(minutes, 2) || minutes.len() != 2 {
            return None;
        }
        let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
    };
    parse().ok_or_else(|| {
        Trouble::input(format!(
            "The start must be a time of day, such as 09:00, and {text:?} is not."
        ))
    })
}

/// The chapters that are asked for.
fn chapters(book: &[Known], from: Option<&str>, to: Option<&str>) -> anyhow::Result<(u32, u32)> {
    let numbers = || book.iter().map(|one| one.chapter.number);
    let (Some(first), Some(last)) = (numbers().min(), numbers().max()) else {
        return Err(Trouble::environment(
            "The book has no chapter yet, so there is nothing to plan.",
        ));
    };
    let one = |asked: Option<&str>, usual: u32| match asked {
        None => Ok(usual),
        Some(text) => {
            let number = text.trim().trim_start_matches("ch").parse().ok();
            number
                .filter(|number| numbers().any(|n| n == *number))
                .ok_or_else(|| {
                    Trouble::input(format!(
                        "There is no chapter {text}; there are those from {first} to {last}."
                    ))
                })
        }
    };
    let (from, to) = (one(from, first)?, one(to, last)?);
    if from > to {
        return Err(Trouble::input(format!(
            "Chapter {from} comes after chapter {to}: exchange --from and --to."
        )));
    }
    Ok((from, to))
}

/// `9:05` after the beginning, or the time of day.
fn clock(minutes: u32, start: Option<u32>) -> String {
    match start {
        Some(start) => {
            let time = (start + minutes) % (24 * 60);
            format!("{:02}:{:02}", time / 60, time % 60)
        }
        None => format!("{}:{:02}", minutes / 60, minutes % 60),
    }
}

/// The rule of the breaks, in words.
fn rule(workshop: &Workshop) -> String {
    let breaks = &workshop.breaks;
    format!(
        "Breaks of {} minutes lie between two items, never inside one: nobody sits longer than {} minutes without one, and there are as few as that needs.",
        breaks.minutes, breaks.longest
    )
}

fn heading(what: &What) -> String {
    match what {
        What::Welcome => "Welcome: who is here, and does `cargo course doctor` say yes?".to_owned(),
        What::Chapter {
            number,
            title,
            short,
            ..
        } => format!(
            "{number}. {title}{}",
            if *short { ", in short" } else { "" }
        ),
        What::Exercise { number, title } => format!("Exercise {number}: {title}"),
        What::Break => "Break".to_owned(),
        What::Lunch => "Lunch".to_owned(),
        What::Free => "Free, for questions and for what took longer".to_owned(),
    }
}

fn text(plan: &Schedule, workshop: &Workshop, length: u32, start: Option<u32>) -> String {
    let mut text = format!("A workshop of {length} minutes.\n\n");
    for item in &plan.items {
        text.push_str(&format!(
            "{:>5}  {:>3} min  {}\n",
            clock(item.from, start),
            item.minutes,
            heading(&item.what)
        ));
        if let What::Chapter {
            sections,
            short: true,
            ..
        } = &item.what
        {
            let told: Vec<_> = sections
                .iter()
                .map(|section| format!("{} ({})", section.title, section.minutes))
                .collect();
            text.push_str(&format!("{:16}{}\n", "", told.join(", ")));
        }
    }
    text.push_str(&format!("{:>5}           End\n", clock(length, start)));
    let left_out: Vec<_> = plan.left_out.iter().filter(|one| !one.follows).collect();
    if !left_out.is_empty() {
        let kept = (length * workshop.free).div_ceil(100);
        text.push_str(&format!(
            "\nLeft out, and with a chapter its exercises ({kept} of the free minutes stay free):\n"
        ));
    }
    for one in left_out {
        let minutes = one
            .minutes
            .map_or("?".to_owned(), |minutes| format!("{minutes} min"));
        let name = match one.kind {
            "exercise" => format!("Exercise {}: {}", one.number, one.title),
            _ => format!("{}. {}", one.number, one.title),
        };
        text.push_str(&format!("       {minutes:>7}  {name}: {}.\n", one.why));
    }
    let not_asked = plan
        .left_out
        .iter()
        .any(|one| one.follows && one.kind == "chapter");
    if not_asked {
        text.push_str("\nThe other chapters are outside --from and --to.\n");
    }
    text.push_str(&format!(
        "\n{} What goes in first is decided in {}; the minutes stand in the notes of each chapter and in each exercise.toml.\n",
        rule(workshop),
        workshop::FILE
    ));
    text
}

fn in_json(plan: &Schedule, workshop: &Workshop, length: u32, start: Option<u32>) -> Value {
    let items: Vec<Value> = plan
        .items
        .iter()
        .map(|item| {
            let mut value = json!({
                "kind": match item.what {
                    What::Welcome => "welcome",
                    What::Chapter { .. } => "chapter",
                    What::Exercise { .. } => "exercise",
                    What::Break => "break",
                    What::Lunch => "lunch",
                    What::Free => "free",
                },
                "from": item.from,
                "minutes": item.minutes,
                "starts": start.map(|_| clock(item.from, start)),
                "title": heading(&item.what),
                "number": null,
                "short": null,
                "sections": null,
            });
            match &item.what {
                What::Chapter {
                    number,
                    title,
                    sections,
                    short,
                } => {
                    let sections: Vec<Value> = sections
                        .iter()
                        .map(|s| json!({ "id": s.id, "title": s.title, "minutes": s.minutes }))
                        .collect();
                    value["number"] = json!(number);
                    value["title"] = json!(title);
                    value["short"] = json!(short);
                    value["sections"] = json!(sections);
                }
                What::Exercise { number, title } => {
                    value["number"] = json!(number);
                    value["title"] = json!(title);
                }
                _ => {}
            }
            value
        })
        .collect();
    let left_out: Vec<Value> = plan
        .left_out
        .iter()
        .map(|one| {
            json!({
                "kind": one.kind,
                "number": one.number,
                "title": one.title,
                "minutes": one.minutes,
                "why": one.why,
            })
        })
        .collect();
    json!({
        "length": length,
        "starts": start.map(|_| clock(0, start)),
        "ends": start.map(|_| clock(length, start)),
        "items": items,
        "left_out": left_out,
        "rule": rule(workshop),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_read_and_refused() {
        for (text, minutes) in [("09:00", 540), ("9:00", 540), (" 13.30 ", 810), ("0:00", 0)] {
            assert_eq!(time_of_day(text).unwrap(), minutes);
        }
        for text in [
            "",
            "9",
            "24:00",
            "09:60",
            "9:5",
            "-1:00",
            "+9:00",
            "09:00:00",
            "ab:cd",
            "9:\u{663}0",
        ] {
            let error = time_of_day(text).unwrap_err();
            assert!(error.to_string().contains("such as 09:00"), "{error}");
        }
        assert_eq!(clock(90, Some(23 * 60)), "00:30");
        assert_eq!(clock(90, None), "1:30");
    }

    #[test]
    fn lengths_are_read_and_refused() {
        for text in ["90", " 90 ", "90min", "90 min"] {
            assert_eq!(minutes("length", text, LENGTHS).unwrap(), 90);
        }
        for text in [
            "",
            "29",
            "481",
            "-90",
            "1.5",
            "ninety",
            "1:30",
            "99999999999",
        ] {
            let error = minutes("length", text, LENGTHS).unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "The length must be a whole number of minutes from 30 to 480, and {text:?} is not."
                )
            );
        }
    }
}
