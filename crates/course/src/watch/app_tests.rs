//! Every key, verdict and transition, without a terminal.

use std::path::PathBuf;

use super::*;

pub(in crate::watch) fn exercise(number: u32, slug: &str, title: &str) -> Exercise {
    Exercise {
        number: format!("{number:02}"),
        slug: slug.into(),
        title: title.into(),
        chapter: format!("ch{number:02}-{slug}"),
        minutes: 10 + number,
        hints: vec![
            "Look here.".into(),
            "Think of that.".into(),
            "Nearly it.".into(),
        ],
        misconceptions: Vec::new(),
        after: "You have seen\nwhy.\n\nRead on in the chapter.".into(),
        folder: PathBuf::from(format!("/course/exercises/{number:02}-{slug}")),
    }
}

fn standing(state: State) -> Standing {
    Standing {
        state,
        hints: 0,
        last: None,
        passed_on: None,
    }
}

/// Five exercises, of which the first has passed; the learner is at the second.
pub(in crate::watch) fn app() -> App {
    let exercises = vec![
        exercise(1, "first-shift", "First shift"),
        exercise(2, "broken-plates", "Broken plates"),
        exercise(3, "one-table-two-parties", "One table, two parties"),
        exercise(8, "a-future-by-hand", "A future by hand"),
        exercise(17, "the-souffle", "The soufflé"),
    ];
    let mut standings = vec![standing(State::Untouched); 5];
    standings[0].state = State::Passed;
    let mut app = App::new(exercises, standings, 1, Duration::from_secs(60));
    assert_eq!(
        app.begin(),
        [
            Command::Follow(1),
            Command::Check {
                exercise: 1,
                run: 1
            }
        ]
    );
    app
}

/// What happens, second by second.
pub(in crate::watch) fn at(app: &mut App, second: u64, event: Event) -> Vec<Command> {
    app.on(event, Duration::from_secs(second))
}

fn press(app: &mut App, key: Key) -> Vec<Command> {
    let now = app.now;
    app.on(Event::Key(key), now)
}

pub(in crate::watch) fn press_all(app: &mut App, keys: &str) -> Vec<Command> {
    keys.chars()
        .flat_map(|key| press(app, Key::Char(key)))
        .collect()
}

pub(in crate::watch) fn print(app: &mut App, run: u64, text: &str) {
    for line in text.lines() {
        let line = line.to_owned();
        app.on(Event::Printed { run, line }, app.now);
    }
}

pub(in crate::watch) fn finish(app: &mut App, run: u64, verdict: Verdict) -> Vec<Command> {
    let mut standings = app.standings.clone();
    standings[app.current].state = match verdict {
        Verdict::Passes => State::Passed,
        _ => State::Failing,
    };
    let outcome = Outcome {
        checked: Checked {
            verdict,
            sentence: format!("The sentence for {}.", verdict.name()),
        },
        standings,
        remembered: true,
        edited: true,
        texts: (verdict == Verdict::Passes).then(|| Texts {
            mine: "fn seat() { sit() }\n".into(),
            solution: "fn seat() { lock(); sit() }\n".into(),
        }),
    };
    let outcome = Box::new(outcome);
    app.on(Event::Checked { run, outcome }, app.now)
}

pub(in crate::watch) const FAILING: &str = "Building exercise-02 ...
Testing ...
running 2 tests
test one ... ok
test two ... 
it can go wrong

>> step 1  WaitBot   takes the plate [src/lib.rs:31]

   To play it again:  WHATIF_REPLAY=0c cargo test -p exercise-02 two

FAILED
";

fn page(app: &App) -> Vec<String> {
    let (rows, _, _) = app.rows();
    rows.iter().map(Line::text).collect()
}

fn says(app: &App, text: &str) -> bool {
    app.rows.iter().any(|row| row.text().contains(text))
}

#[test]
fn what_a_slow_step_does_is_said_with_its_seconds() {
    let mut app = app();
    assert_eq!(app.headline().text(), "Beginning ... 0 s");
    print(
        &mut app,
        1,
        "Building exercise-02 ...\n   Compiling flight v0.1.0 (/course)",
    );
    at(&mut app, 3, Event::Tick);
    assert_eq!(app.headline().text(), "Building flight ... 3 s");
    print(&mut app, 1, "   Compiling whatif v0.1.0 (/course)");
    assert_eq!(app.headline().text(), "Building whatif ... 0 s");
    assert!(says(&app, "Compiling flight"), "{:?}", page(&app));
    print(&mut app, 1, "Testing ...");
    at(&mut app, 8, Event::Tick);
    assert_eq!(
        app.headline().text(),
        "Testing ... 5 s (it is stopped at 60 s)"
    );
    // What a test prints is no phase of ours.
    print(&mut app, 1, "   Compiling plates");
    assert!(app.headline().text().starts_with("Testing ... 5 s"));
}

#[test]
fn a_failing_story_is_shown_from_its_beginning() {
    let mut app = app();
    print(&mut app, 1, FAILING);
    assert_eq!(finish(&mut app, 1, Verdict::Fails), []);
    assert!(!app.is_running());
    assert_eq!(app.headline().text(), "✗ Not yet: 1 of 2 tests fail.");
    assert_eq!(page(&app)[0], "✗ two");
    assert!(says(&app, "h gives a hint"));
    assert!(says(&app, "cargo course story 02"));
    assert_eq!(app.standings()[1].state, State::Failing);
}

#[test]
fn each_verdict_has_its_words() {
    let cases = [
        (Verdict::Passes, "✓ It passes: 2 tests."),
        (Verdict::Fails, "✗ Not yet: 1 of 2 tests fail."),
        (Verdict::DoesNotCompile, "✗ It does not compile."),
        (Verdict::NeverEnds, "✗ It does not end."),
        (Verdict::PrintsTooMuch, "✗ It prints without an end."),
        (Verdict::Dies, "✗ It crashes."),
        (Verdict::Stopped, "· Stopped. `r` runs it again."),
        (Verdict::NotRun, "✗ It could not be run."),
    ];
    for (verdict, words) in cases {
        let mut app = app();
        match verdict {
            Verdict::DoesNotCompile => {}
            Verdict::Passes => print(&mut app, 1, &FAILING.replace("FAILED", "ok")),
            _ => print(&mut app, 1, FAILING),
        }
        finish(&mut app, 1, verdict);
        assert_eq!(app.headline().text(), words);
        let sentence = format!("The sentence for {}.", verdict.name());
        let has_own_words = matches!(
            verdict,
            Verdict::Passes | Verdict::Fails | Verdict::DoesNotCompile
        );
        assert_eq!(says(&app, &sentence), !has_own_words, "{verdict:?}");
    }
}

#[test]
fn an_untouched_starter_is_no_failure() {
    let mut app = app();
    print(&mut app, 1, FAILING);
    let outcome = Outcome {
        checked: Checked {
            verdict: Verdict::Fails,
            sentence: String::new(),
        },
        standings: app.standings.clone(),
        remembered: true,
        edited: false,
        texts: None,
    };
    let outcome = Box::new(outcome);
    at(&mut app, 1, Event::Checked { run: 1, outcome });
    assert_eq!(
        app.headline().text(),
        "· Not begun yet: this is the starter."
    );
    assert!(says(&app, "exercises/02-broken-plates/src/lib.rs"));
}

#[test]
fn a_compile_error_names_its_place_and_the_editor_opens_there() {
    let mut app = app();
    let errors = "Building exercise-02 ...
error[E0425]: cannot find value `plate`
  --> exercises/02-broken-plates/src/lib.rs:60:9
error[E0425]: cannot find value `glass`
  --> exercises/02-broken-plates/src/lib.rs:70:9
error: could not compile `exercise-02` (lib) due to 2 previous errors";
    print(&mut app, 1, errors);
    finish(&mut app, 1, Verdict::DoesNotCompile);
    assert_eq!(
        app.headline().text(),
        "✗ It does not compile: 2 errors, the first in line 60."
    );
    assert_eq!(
        press_all(&mut app, "e"),
        [Command::Edit {
            exercise: 1,
            line: Some(60)
        }]
    );
}

#[test]
fn a_pass_says_what_to_read_what_comes_next_and_how_the_solution_does_it() {
    let mut app = app();
    press_all(&mut app, "h");
    print(&mut app, 1, &FAILING.replace("FAILED", "ok"));
    finish(&mut app, 1, Verdict::Passes);
    assert_eq!(app.view(), &View::Verdict);
    let page = page(&app);
    assert_eq!(page[0], "You have seen why.");
    assert_eq!(page[2], "Read on in the chapter.");
    assert_eq!(page[4], "Next: 03 One table, two parties, 13 min. Press n.");
    assert!(says(&app, "- fn seat() { sit() }"), "{page:#?}");
    assert!(says(&app, "+ fn seat() { lock(); sit() }"), "{page:#?}");
    assert_eq!(app.passed(), 2);
}

#[test]
fn next_goes_to_what_has_not_passed_and_comes_round() {
    let mut app = app();
    let go = |exercise, run| vec![Command::Follow(exercise), Command::Check { exercise, run }];
    app.standings[2].state = State::Passed;
    assert_eq!(press_all(&mut app, "n"), go(3, 2));
    assert_eq!(app.exercise().slug, "a-future-by-hand");
    assert_eq!(press_all(&mut app, "n"), go(4, 3));
    assert_eq!(press_all(&mut app, "n"), go(1, 4));
    for standing in &mut app.standings {
        standing.state = State::Passed;
    }
    app.standings[1].state = State::Failing;
    assert_eq!(press_all(&mut app, "n"), []);
    assert!(app.footline().text().contains("last that does not pass"));
    app.standings[1].state = State::Passed;
    assert_eq!(press_all(&mut app, "n"), []);
    assert!(app.footline().text().contains("whole course"));
}

#[test]
fn hints_come_one_by_one_and_are_remembered() {
    let mut app = app();
    let remember = |shown| vec![Command::RememberHints { exercise: 1, shown }];
    assert_eq!(press_all(&mut app, "h"), remember(1));
    assert_eq!(page(&app)[..2], ["Hint 1 of 3", "Look here."]);
    assert!(!says(&app, "Think of that."));
    assert_eq!(press_all(&mut app, "h"), remember(2));
    // Away and back: the level stays.
    assert_eq!(press_all(&mut app, "qh"), []);
    assert!(says(&app, "Think of that.") && !says(&app, "Nearly it."));
    assert_eq!(press_all(&mut app, "h"), remember(3));
    assert!(says(&app, "Nearly it."));
    assert!(says(&app, "book/src/en/ch02-broken-plates.md"));
    assert_eq!(press_all(&mut app, "hhh"), []);
    assert!(says(&app, "That was the last hint."));
}

#[test]
fn hints_that_were_shown_elsewhere_count() {
    let mut app = app();
    app.standings[1].hints = 2;
    assert_eq!(press_all(&mut app, "h"), []);
    assert!(says(&app, "Think of that."));
    app.exercises[1].hints.clear();
    press_all(&mut app, "qh");
    assert!(says(&app, "no hints"));
}

#[test]
fn a_save_stops_the_run_and_begins_another() {
    let mut app = app();
    print(&mut app, 1, "Testing ...\nold line");
    assert_eq!(
        at(&mut app, 1, Event::Saved { exercise: 1 }),
        [Command::Check {
            exercise: 1,
            run: 2
        }]
    );
    // What the old run still says is not heard.
    print(&mut app, 1, "another old line");
    finish(&mut app, 1, Verdict::Stopped);
    assert!(app.is_running());
    print(&mut app, 2, FAILING);
    finish(&mut app, 2, Verdict::Fails);
    assert!(!says(&app, "old line"));
    assert_eq!(app.headline().text(), "✗ Not yet: 1 of 2 tests fail.");
    // Files of an exercise that was left mean nothing.
    assert_eq!(at(&mut app, 2, Event::Saved { exercise: 0 }), []);
    assert!(!app.is_running());
}

#[test]
fn a_short_run_leaves_the_page_as_it_is_and_a_long_one_shows_its_lines() {
    let mut app = app();
    print(&mut app, 1, FAILING);
    finish(&mut app, 1, Verdict::Fails);
    at(&mut app, 10, Event::Saved { exercise: 1 });
    print(&mut app, 2, "Testing ...\nat work");
    at(&mut app, 11, Event::Tick);
    assert_eq!(page(&app)[0], "✗ two");
    at(&mut app, 12, Event::Tick);
    assert_eq!(page(&app), ["Testing ...", "at work"]);
    print(&mut app, 2, "still at work");
    app.lay_out_live();
    assert_eq!(page(&app).last().unwrap(), "still at work");
    finish(&mut app, 2, Verdict::NeverEnds);
    assert_eq!(app.top, 0);
}

#[test]
fn a_save_leaves_hints_but_neither_the_list_nor_the_solution() {
    for (keys, stays) in [("h", false), ("?", false), ("l", true)] {
        let mut app = app();
        press_all(&mut app, keys);
        let before = app.view.clone();
        at(&mut app, 1, Event::Saved { exercise: 1 });
        assert_eq!(app.view == before, stays, "{keys}");
    }
    let mut app = app();
    app.view = View::Solution;
    at(&mut app, 1, Event::Saved { exercise: 1 });
    assert_eq!(app.view, View::Solution);
    // A pass in the list's back is no reason to close it.
    press_all(&mut app, "ql");
    finish(&mut app, 2, Verdict::Passes);
    assert!(matches!(app.view, View::List(_)));
}

#[test]
fn escape_stops_a_run_and_then_the_verdict_says_so() {
    let mut app = app();
    assert_eq!(press(&mut app, Key::Esc), [Command::Stop]);
    finish(&mut app, 1, Verdict::Stopped);
    assert!(app.headline().text().contains("Stopped"));
    assert_eq!(press(&mut app, Key::Esc), []);
    assert_eq!(
        press_all(&mut app, "r"),
        [Command::Check {
            exercise: 1,
            run: 2
        }]
    );
}

#[test]
fn the_solution_is_asked_for_before_a_pass_and_only_then() {
    let mut app = app();
    assert_eq!(press_all(&mut app, "s"), []);
    assert!(app.footline().text().contains("not passed yet"));
    assert_eq!(press_all(&mut app, "n"), [], "n is no here, not next");
    assert_eq!(press_all(&mut app, "sy"), [Command::Compare(1)]);
    let texts = Ok(Texts {
        mine: "a\n".into(),
        solution: "b\n".into(),
    });
    at(&mut app, 1, Event::Compared { exercise: 1, texts });
    assert_eq!(app.view, View::Solution);
    assert!(says(&app, "- a") && says(&app, "+ b"));
    press_all(&mut app, "s");
    assert_eq!(app.view, View::Verdict);
    app.standings[1].state = State::Passed;
    assert_eq!(press_all(&mut app, "s"), [Command::Compare(1)]);
    let texts = Err("solutions/… cannot be read.".into());
    at(&mut app, 1, Event::Compared { exercise: 1, texts });
    assert!(says(&app, "cannot be read"));
}

#[test]
fn a_reset_is_asked_for_and_says_where_the_copy_is() {
    for (answer, commands) in [
        (Key::Char('y'), vec![Command::Reset(1)]),
        (Key::Char('n'), vec![]),
        (Key::Esc, vec![]),
        (Key::Enter, vec![]),
    ] {
        let mut app = app();
        press_all(&mut app, "x");
        assert!(app.is_asking());
        assert_eq!(press(&mut app, answer), commands, "{answer:?}");
        assert!(!app.is_asking());
    }
    let mut app = app();
    finish(&mut app, 1, Verdict::Fails);
    let reset = |app: &mut App, copy| {
        let standings = app.standings.clone();
        let exercise = 1;
        at(
            app,
            1,
            Event::Reset {
                exercise,
                copy,
                standings,
            },
        )
    };
    let copy = ".progress/backups/02-broken-plates/2026-11-21-100000.rs".to_owned();
    assert_eq!(
        reset(&mut app, Ok(Some(copy))),
        [Command::Check {
            exercise: 1,
            run: 2
        }]
    );
    assert!(app.footline().text().contains("2026-11-21-100000.rs"));
    assert_eq!(reset(&mut app, Ok(None)), []);
    assert!(app.footline().text().contains("as it was at the beginning"));
    assert_eq!(reset(&mut app, Err("No copy could be made.".into())), []);
    assert_eq!(app.footline().text(), "No copy could be made.");
}

#[test]
fn the_note_on_the_copy_outlives_the_save_that_the_reset_is() {
    let mut app = app();
    let standings = app.standings.clone();
    let copy = Ok(Some("the-copy.rs".to_owned()));
    at(
        &mut app,
        1,
        Event::Reset {
            exercise: 1,
            copy,
            standings,
        },
    );
    at(&mut app, 1, Event::Saved { exercise: 1 });
    finish(&mut app, 3, Verdict::Fails);
    assert!(app.footline().text().contains("the-copy.rs"));
    press_all(&mut app, "j");
    assert!(app.footline().text().starts_with("Follows "));
}

#[test]
fn the_list_is_searched_and_leads_to_an_exercise() {
    let mut app = app();
    press_all(&mut app, "l");
    assert_eq!(app.found(""), [0, 1, 2, 3, 4]);
    press(&mut app, Key::Char('/'));
    // Letters that are keys elsewhere are letters here.
    press_all(&mut app, "tableq");
    press(&mut app, Key::Backspace);
    assert_eq!(app.footline().text(), "/table▏");
    let View::List(list) = &app.view else {
        panic!("{:?}", app.view)
    };
    assert_eq!(app.found(&list.search), [2]);
    assert_eq!(
        press(&mut app, Key::Enter),
        [
            Command::Follow(2),
            Command::Check {
                exercise: 2,
                run: 2
            }
        ]
    );
    assert_eq!((app.current(), &app.view), (2, &View::Verdict));
}

#[test]
fn a_search_looks_at_every_word_in_title_slug_chapter_and_number() {
    let app = app();
    for (search, found) in [
        ("SOUFFLÉ", vec![4]),
        ("ch03", vec![2]),
        ("08", vec![3]),
        ("two table", vec![2]),
        ("broken future", vec![]),
        ("  ", vec![0, 1, 2, 3, 4]),
    ] {
        assert_eq!(app.found(search), found, "{search}");
    }
}

#[test]
fn in_the_list_the_choice_moves_and_keeps_within_bounds() {
    let mut app = app();
    press_all(&mut app, "l");
    let chosen = |app: &App| match &app.view {
        View::List(list) => list.chosen,
        view => panic!("{view:?}"),
    };
    assert_eq!(chosen(&app), 1, "it begins where the learner is");
    for (key, expected) in [
        (Key::Down, 2),
        (Key::Char('j'), 3),
        (Key::End, 4),
        (Key::Down, 4),
        (Key::Up, 3),
        (Key::Char('k'), 2),
        (Key::Home, 0),
        (Key::Up, 0),
        (Key::PageDown, 4),
        (Key::PageUp, 0),
    ] {
        press(&mut app, key);
        assert_eq!(chosen(&app), expected, "{key:?}");
    }
    // Nothing found, nothing chosen.
    press_all(&mut app, "/nothing at all");
    assert_eq!(press(&mut app, Key::Enter), []);
    press(&mut app, Key::Down);
    assert_eq!(chosen(&app), 0);
    // Escape gives the search up first, and closes the list then.
    press(&mut app, Key::Esc);
    assert_eq!(chosen(&app), 1);
    press(&mut app, Key::Esc);
    assert_eq!(app.view, View::Verdict);
    // The one at hand again is no new run.
    press_all(&mut app, "l");
    assert_eq!(press(&mut app, Key::Enter), []);
}

#[test]
fn pasted_text_searches_and_does_nothing_else() {
    let mut app = app();
    assert_eq!(at(&mut app, 0, Event::Pasted("qqq".into())), []);
    assert_eq!(app.view, View::Verdict);
    press_all(&mut app, "l/");
    at(&mut app, 0, Event::Pasted("future\nby hand".into()));
    assert_eq!(app.footline().text(), "/future▏");
}

#[test]
fn quitting_is_one_key_from_the_verdict_and_ctrl_c_from_anywhere() {
    for keys in ["", "h", "l", "l/", "?", "x", "s"] {
        let mut app = app();
        press_all(&mut app, keys);
        assert_eq!(press(&mut app, Key::Suspend), [Command::Suspend], "{keys}");
        assert_eq!(press(&mut app, Key::Interrupt), [Command::Quit], "{keys}");
        assert_eq!(at(&mut app, 0, Event::Interrupted), [Command::Quit]);
    }
    let mut app = app();
    press_all(&mut app, "h");
    assert_eq!(press_all(&mut app, "qlq?q"), []);
    assert_eq!(app.view, View::Verdict);
    assert_eq!(press_all(&mut app, "q"), [Command::Quit]);
}

#[test]
fn a_long_page_scrolls_by_lines_and_pages_and_stays_within_itself() {
    let mut app = app();
    let story: String = (0..100).map(|n| format!("line {n}\n")).collect();
    let output = FAILING.replace("it can go wrong\n", &story);
    print(&mut app, 1, &output);
    finish(&mut app, 1, Verdict::Fails);
    let rows = app.page_rows();
    assert_eq!(rows, 18);
    let last = app.rows.len() - rows;
    for (key, top) in [
        (Key::Down, 1),
        (Key::Char('j'), 2),
        (Key::Up, 1),
        (Key::Char('k'), 0),
        (Key::Up, 0),
        (Key::PageDown, 17),
        (Key::Char(' '), 34),
        (Key::PageUp, 17),
        (Key::End, last),
        (Key::Down, last),
        (Key::PageDown, last),
        (Key::Home, 0),
        (Key::Char('G'), last),
        (Key::Char('g'), 0),
    ] {
        press(&mut app, key);
        assert_eq!(app.top, top, "{key:?}");
    }
    press(&mut app, Key::End);
    // A taller window shows more of the end, and a wider one needs fewer rows.
    at(&mut app, 1, Event::Resized(200, 100));
    assert!(app.top <= app.rows.len() - app.page_rows());
    at(&mut app, 1, Event::Resized(1, 1));
    at(&mut app, 1, Event::Resized(0, 0));
    at(&mut app, 1, Event::Resized(80, 24));
    assert_eq!(app.page_rows(), 18);
}

#[test]
fn output_without_an_end_is_kept_within_bounds() {
    let mut app = app();
    print(&mut app, 1, "Testing ...");
    for _ in 0..KEPT + 100 {
        let line = "x".repeat(10);
        app.on(Event::Printed { run: 1, line }, app.now);
    }
    assert_eq!(app.run.as_ref().unwrap().lines.len(), KEPT + 1);
    finish(&mut app, 1, Verdict::PrintsTooMuch);
    assert!(says(&app, "the rest is not shown"));
}

#[test]
fn colours_of_a_learners_prints_do_not_reach_the_screen() {
    let mut app = app();
    print(
        &mut app,
        1,
        "Testing ...\n\u{1b}[31mred\u{1b}[0m \u{1b}[2Jalert\u{7}",
    );
    finish(&mut app, 1, Verdict::Dies);
    assert!(says(&app, "red alert"));
    assert!(!app.rows.iter().any(|row| row.text().contains('\u{1b}')));
}

#[test]
fn a_verdict_that_could_not_be_written_down_counts_until_the_end() {
    let mut app = app();
    let outcome = Outcome {
        checked: Checked {
            verdict: Verdict::Passes,
            sentence: String::new(),
        },
        standings: app.standings.clone(),
        remembered: false,
        edited: true,
        texts: None,
    };
    let outcome = Box::new(outcome);
    at(&mut app, 1, Event::Checked { run: 1, outcome });
    assert!(app.footline().text().contains("not remembered"));
    assert_eq!(app.passed(), 2);
    press_all(&mut app, "r");
    finish(&mut app, 2, Verdict::Fails);
    assert_eq!(app.passed(), 2, "a pass stays a pass");
}

#[test]
fn only_what_changes_the_page_lays_it_out_again() {
    let mut app = app();
    print(&mut app, 1, FAILING);
    finish(&mut app, 1, Verdict::Fails);
    for key in [Key::Down, Key::PageDown, Key::Char('j'), Key::Char('G')] {
        assert!(!app.changes_the_page(&Event::Key(key)), "{key:?}");
    }
    for key in [Key::Char('h'), Key::Char('?'), Key::Esc, Key::Enter] {
        assert!(app.changes_the_page(&Event::Key(key)), "{key:?}");
    }
    assert!(!app.changes_the_page(&Event::Tick));
}

#[test]
fn where_there_are_no_keys_no_page_speaks_of_one() {
    for (verdict, text) in [
        (Verdict::Fails, "cargo course hint 02"),
        (Verdict::DoesNotCompile, "In the compiler's words:"),
        (Verdict::Passes, "Next: 03 One table, two parties, 13 min."),
    ] {
        let mut app = app().without_keys();
        print(&mut app, 1, FAILING);
        finish(&mut app, 1, verdict);
        assert!(says(&app, text), "{verdict:?}");
        for key in ["Press", "h gives", "e opens"] {
            assert!(!says(&app, key), "{verdict:?}: {key}");
        }
    }
}
