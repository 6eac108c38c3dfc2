//! The speaker notes add up, the workshop's file speaks of the book that is there, and a plan of any length fits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use course::plan::schedule::{Asked, Known, Schedule, What, contradictions, schedule};
use course::plan::workshop::{self, ChapterKey, Workshop};
use course::plan::{book, notes};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn every_chapter_has_notes_and_their_minutes_add_up() {
    let chapters = notes::chapters(&root()).unwrap();
    assert!(
        chapters.len() >= 23,
        "only {} chapters are written",
        chapters.len()
    );
    let mut complaints = Vec::new();
    for chapter in &chapters {
        match notes::read(&root(), chapter) {
            Ok(Some(notes)) => assert!(notes.minutes > 0),
            Ok(None) => complaints.push(format!("{} is not there", notes::file_of(chapter))),
            Err(more) => complaints.extend(more.iter().map(ToString::to_string)),
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn every_exercise_belongs_to_a_chapter() {
    let book = book(&root()).unwrap();
    for exercise in course::exercises::load(&root()).unwrap() {
        let number = &exercise.number;
        let known = book.iter().any(|one| one.chapter.page == exercise.chapter);
        assert!(
            known,
            "exercise {number} names the chapter {}, which is not in the book",
            exercise.chapter
        );
    }
}

#[test]
fn the_workshop_speaks_of_the_book_that_is_there() {
    let found = contradictions(&workshop::read(&root()).unwrap(), &book(&root()).unwrap());
    assert!(
        found.is_empty(),
        "{}:\n{}",
        workshop::FILE,
        found.join("\n")
    );
}

/// The proof of a plan, from the book alone: that it fits, that nothing is cut, and that everybody gets their breaks.
fn prove(plan: &Schedule, workshop: &Workshop, book: &[Known], asked: Asked) {
    let of = |number: u32| {
        book.iter()
            .find(|one| one.chapter.number == number)
            .unwrap()
    };
    // One item after the other, from the first minute to the last.
    let mut now = 0;
    for item in &plan.items {
        assert_eq!(item.from, now, "{asked:?}: {:?}", item.what);
        assert!(item.minutes > 0, "{asked:?}: {:?}", item.what);
        now += item.minutes;
    }
    assert_eq!(now, asked.length, "{asked:?}");

    let mut last_chapter = 0;
    let (mut chapters, mut exercises) = (Vec::new(), Vec::new());
    for item in &plan.items {
        match &item.what {
            What::Chapter {
                number,
                sections,
                short,
                ..
            } => {
                assert!(
                    *number > last_chapter,
                    "{asked:?}: chapter {number} twice, or out of order"
                );
                assert!((asked.chapters.0..=asked.chapters.1).contains(number));
                last_chapter = *number;
                // Whole, or made of what the workshop's file lists: never cut anywhere else.
                let notes = of(*number).notes.as_ref().unwrap();
                let sum: u32 = sections.iter().map(|section| section.minutes).sum();
                assert_eq!(item.minutes, sum);
                if *short {
                    let told: Vec<_> = sections.iter().map(|section| &section.id).collect();
                    let listed = &workshop.short[&ChapterKey(*number)];
                    assert_eq!(told.len(), listed.len());
                    assert!(told.iter().all(|id| listed.contains(id)));
                } else {
                    assert_eq!(item.minutes, notes.minutes);
                }
                for need in workshop
                    .needs
                    .get(&ChapterKey(*number))
                    .into_iter()
                    .flatten()
                {
                    assert!(
                        *need < asked.chapters.0 || chapters.contains(need),
                        "{asked:?}: {number} without {need}"
                    );
                }
                chapters.push(*number);
            }
            What::Exercise { number, .. } => {
                let mine = of(last_chapter)
                    .exercises
                    .iter()
                    .find(|e| e.number == *number);
                let mine = mine.unwrap_or_else(|| {
                    panic!("{asked:?}: exercise {number} after chapter {last_chapter}")
                });
                assert_eq!(item.minutes, mine.minutes);
                exercises.push(number.clone());
            }
            What::Break => assert_eq!(item.minutes, workshop.breaks.minutes),
            What::Lunch => assert_eq!(item.minutes, asked.lunch.unwrap_or(workshop.breaks.lunch)),
            What::Welcome => assert_eq!(item.from, 0),
            What::Free => {
                assert_eq!(item.from + item.minutes, asked.length);
                assert!(
                    item.minutes * 100 >= asked.length * workshop.free,
                    "{asked:?}: too little is free"
                );
            }
        }
    }
    assert!(!chapters.is_empty(), "{asked:?}: nothing fits");

    // Nobody sits too long, and no break is at an end or beside another.
    let rests = |what: &What| matches!(what, What::Break | What::Lunch);
    let mut since = 0;
    for (n, item) in plan.items.iter().enumerate() {
        if rests(&item.what) {
            assert!(since > 0, "{asked:?}: a break too many");
            let next = &plan.items[n + 1].what;
            assert!(
                !rests(next) && *next != What::Free,
                "{asked:?}: a break before {next:?}"
            );
            since = 0;
        } else if item.what != What::Free {
            since += item.minutes;
            assert!(
                since <= workshop.breaks.longest,
                "{asked:?}: {since} minutes without a break"
            );
        }
    }
    let lunches = plan
        .items
        .iter()
        .filter(|item| item.what == What::Lunch)
        .count();
    let has_lunch = asked
        .lunch
        .map_or(asked.length >= workshop.breaks.lunch_from, |minutes| {
            minutes > 0
        });
    assert!(lunches <= usize::from(has_lunch));
    if asked.length >= workshop.breaks.lunch_from && asked.lunch.is_none() && chapters.len() > 4 {
        assert_eq!(lunches, 1, "{asked:?}");
    }

    // Each chapter and each exercise is in, or left out with a reason; never both, never neither.
    let mut places = BTreeMap::<(&str, String), u32>::new();
    for number in chapters {
        *places.entry(("chapter", number.to_string())).or_default() += 1;
    }
    for number in exercises {
        *places.entry(("exercise", number)).or_default() += 1;
    }
    for one in &plan.left_out {
        assert!(!one.why.is_empty());
        *places.entry((one.kind, one.number.clone())).or_default() += 1;
    }
    let all = book
        .iter()
        .map(|one| 1 + one.exercises.len())
        .sum::<usize>();
    assert_eq!(places.len(), all, "{asked:?}");
    assert!(
        places.values().all(|times| *times == 1),
        "{asked:?}: {places:?}"
    );
}

#[test]
fn a_plan_of_any_length_fits_and_cuts_nothing() {
    let (workshop, book) = (workshop::read(&root()).unwrap(), book(&root()).unwrap());
    let last = book.last().unwrap().chapter.number;
    for length in 30..=480 {
        let asked = Asked {
            length,
            chapters: (1, last),
            lunch: None,
        };
        let plan = schedule(&workshop, &book, asked);
        prove(&plan, &workshop, &book, asked);
    }
}

#[test]
fn so_does_a_plan_of_any_part_of_the_book() {
    let (workshop, book) = (workshop::read(&root()).unwrap(), book(&root()).unwrap());
    let numbers: Vec<u32> = book.iter().map(|one| one.chapter.number).collect();
    for (n, &from) in numbers.iter().enumerate() {
        for &to in &numbers[n..] {
            for (length, lunch) in [
                (60, None),
                (90, Some(30)),
                (180, None),
                (300, Some(0)),
                (480, None),
            ] {
                let asked = Asked {
                    length,
                    chapters: (from, to),
                    lunch,
                };
                let plan = schedule(&workshop, &book, asked);
                prove(&plan, &workshop, &book, asked);
            }
        }
    }
}

#[test]
fn no_plan_is_emptier_than_its_chapters_make_it() {
    let (workshop, book) = (workshop::read(&root()).unwrap(), book(&root()).unwrap());
    let last = book.last().unwrap().chapter.number;
    let longest = book
        .iter()
        .filter_map(|one| one.notes.as_ref())
        .map(|notes| notes.minutes)
        .max()
        .unwrap();
    for length in 60..=480 {
        let asked = Asked {
            length,
            chapters: (1, last),
            lunch: None,
        };
        let plan = schedule(&workshop, &book, asked);
        let free = plan
            .items
            .iter()
            .filter(|item| item.what == What::Free)
            .map(|item| item.minutes)
            .sum::<u32>();
        let kept = (length * workshop.free).div_ceil(100);
        // No chapter would go into what is left.
        assert!(free < kept + longest, "{length}: {free} minutes are left");
    }
}

#[test]
fn ninety_minutes_hold_the_spine_of_the_story() {
    let (workshop, book) = (workshop::read(&root()).unwrap(), book(&root()).unwrap());
    let asked = Asked {
        length: 90,
        chapters: (1, book.last().unwrap().chapter.number),
        lunch: None,
    };
    let plan = schedule(&workshop, &book, asked);
    let chapters: Vec<u32> = plan
        .items
        .iter()
        .filter_map(|item| match item.what {
            What::Chapter { number, .. } => Some(number),
            _ => None,
        })
        .collect();
    // Collisions and the checker, one robot, wakers, blocking, offload.
    assert_eq!(chapters, [3, 8, 9, 17, 20]);
    assert!(
        plan.items
            .iter()
            .any(|item| matches!(&item.what, What::Exercise { number, .. } if number == "03"))
    );
}

fn plan(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_course"))
        .arg("plan")
        .args(args)
        .arg("--root")
        .arg(root())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn a_plan_has_times_of_day_and_says_what_is_left_out() {
    let output = plan(&["--length", "90", "--start", "09:00"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for words in [
        "09:00    5 min  Welcome",
        "10:30           End",
        "Left out",
        "book/workshop.toml",
        "Breaks of 10 minutes",
    ] {
        assert!(said.contains(words), "{words:?} is not in:\n{said}");
    }
    let output = plan(&["--length", "90", "--json", "--start", "23:30"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&json["starts"], &json["ends"]),
        (&"23:30".into(), &"01:00".into())
    );
    assert_eq!(json["items"][0]["kind"], "welcome");
}

#[test]
fn what_cannot_be_planned_gets_a_sentence() {
    for (args, words) in [
        (&["--length", "20"][..], "from 30 to 480, and \"20\" is not"),
        (&["--length", "all day"], "and \"all day\" is not"),
        (
            &["--length", "90", "--start", "25:00"],
            "a time of day, such as 09:00",
        ),
        (
            &["--length", "90", "--from", "99"],
            "There is no chapter 99",
        ),
        (
            &["--length", "90", "--from", "9", "--to", "8"],
            "exchange --from and --to",
        ),
        (&["--length", "90", "--lunch", "999"], "The lunch must be"),
    ] {
        let output = plan(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(
            said.contains(words) && said.trim_end().lines().count() == 1,
            "{args:?}: {said}"
        );
    }
}
