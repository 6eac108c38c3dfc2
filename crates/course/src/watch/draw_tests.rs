//! What stands where, at the sizes that matter.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::*;
use crate::check::Verdict;
use crate::watch::app::Event;
use crate::watch::app::tests::{FAILING, app, at, finish, press_all, print};

fn drawn(app: &mut App, columns: u16, rows: u16) -> Buffer {
    at(app, 1, Event::Resized(columns, rows));
    with(app, columns, rows, true)
}

fn with(app: &App, columns: u16, rows: u16, colours: bool) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| draw(frame, app, colours)).unwrap();
    terminal.backend().buffer().clone()
}

fn lines(buffer: &Buffer) -> Vec<String> {
    let columns = usize::from(buffer.area.width);
    let cells: Vec<&str> = buffer.content.iter().map(|cell| cell.symbol()).collect();
    let rows = cells.chunks(columns.max(1));
    rows.map(|row| row.concat().trim_end().to_owned()).collect()
}

fn failing() -> App {
    let mut app = app();
    print(&mut app, 1, FAILING);
    finish(&mut app, 1, Verdict::Fails);
    app
}

#[test]
fn the_frame_says_where_the_learner_is_how_it_stands_and_which_keys_there_are() {
    for (columns, rows) in [(80, 24), (120, 40), (60, 15), (40, 10)] {
        let lines = lines(&drawn(&mut failing(), columns, rows));
        assert!(
            lines[0].starts_with("02 Broken plates  12 min"),
            "{lines:#?}"
        );
        assert!(lines[0].ends_with(" 1 of 5"), "{lines:#?}");
        assert_eq!(lines[1], "✗ Not yet: 1 of 2 tests fail.");
        assert!(lines[2].starts_with("────"), "{lines:#?}");
        assert_eq!(lines[3], "✗ two");
        let last = usize::from(rows) - 1;
        assert!(lines[last - 1].starts_with("Follows exercises/02-broken-plates"));
        assert!(
            lines[last].starts_with("q quit  ? keys  h hint"),
            "{lines:#?}"
        );
    }
}

#[test]
fn every_key_fits_at_80_columns() {
    let mut app = failing();
    let buffer = drawn(&mut app, 80, 24);
    for (key, what) in app.keys() {
        let text = format!("{key} {what}");
        assert!(lines(&buffer)[23].contains(&text), "{text} is missing");
    }
}

#[test]
fn a_running_step_is_on_the_screen_in_every_view() {
    for keys in ["", "h", "l", "?", "x"] {
        let mut app = app();
        print(&mut app, 1, "   Compiling whatif v0.1.0 (/course)");
        press_all(&mut app, keys);
        at(&mut app, 4, Event::Tick);
        let lines = lines(&with(&app, 80, 24, true));
        assert!(
            lines[1].contains("Building whatif ... 4 s"),
            "{keys}: {lines:#?}"
        );
    }
}

#[test]
fn a_small_window_gets_a_sentence() {
    for view in ["", "h", "l", "?", "x"] {
        let mut app = failing();
        press_all(&mut app, view);
        let lines = lines(&drawn(&mut app, 20, 5));
        let text = lines.join(" ");
        assert!(
            text.starts_with("Too small: 40x10 is needed. q quits."),
            "{text}"
        );
    }
}

#[test]
fn no_size_is_a_panic() {
    for view in ["", "h", "l", "l/x", "?", "x", "G"] {
        let mut app = failing();
        press_all(&mut app, view);
        for columns in [1, 2, 7, 39, 40, 41, 60, 80, 100, 101, 300] {
            for rows in [1, 2, 3, 5, 9, 10, 11, 24, 60] {
                drawn(&mut app, columns, rows);
            }
        }
        // The window has changed already, and nobody has heard of it yet.
        for (columns, rows) in [(40, 10), (1, 1), (200, 60)] {
            with(&app, columns, rows, true);
        }
    }
}

#[test]
fn the_list_shows_every_state_and_keeps_the_chosen_in_sight() {
    let mut app = failing();
    press_all(&mut app, "l");
    let buffer = drawn(&mut app, 80, 24);
    let lines = lines(&buffer);
    assert!(lines[3].starts_with("  ✓ 01 First shift"), "{lines:#?}");
    assert!(lines[3].ends_with("11 min  passed"), "{lines:#?}");
    assert!(lines[4].starts_with("▸ ✗ 02 Broken plates"), "{lines:#?}");
    assert!(lines[7].contains("17 The soufflé"), "{lines:#?}");
    assert!(lines[7].ends_with("27 min"), "{lines:#?}");
    let reversed = |row: u16| buffer[(5, row)].modifier.contains(Modifier::REVERSED);
    assert!(reversed(4) && !reversed(3) && !reversed(5));
    // Five exercises, four rows.
    press_all(&mut app, "G");
    let buffer = drawn(&mut app, 40, 10);
    let lines = super::tests::lines(&buffer);
    assert!(lines[6].contains("17 The soufflé"), "{lines:#?}");
    assert!(lines[7].contains(" 2-5 of 5"), "{lines:#?}");
}

#[test]
fn a_search_stands_above_the_keys() {
    let mut app = app();
    press_all(&mut app, "l/souff");
    let found = lines(&drawn(&mut app, 80, 24));
    assert!(found[3].contains("17 The soufflé"), "{found:#?}");
    assert_eq!(found[4], "");
    assert_eq!(found[22], "/souff▏");
    press_all(&mut app, "x");
    let found = lines(&drawn(&mut app, 80, 24));
    assert!(found[3].contains("Nothing is called that"), "{found:#?}");
}

#[test]
fn the_solution_is_beside_the_code_where_there_is_room() {
    let mut app = app();
    print(&mut app, 1, &FAILING.replace("FAILED", "ok"));
    finish(&mut app, 1, Verdict::Passes);
    let wide = lines(&drawn(&mut app, 120, 40));
    let row = wide.iter().find(|row| row.contains("lock()")).unwrap();
    assert!(row.starts_with("fn seat() { sit() }"), "{row}");
    let narrow = lines(&drawn(&mut app, 80, 24));
    assert!(
        narrow.contains(&"- fn seat() { sit() }".to_owned()),
        "{narrow:#?}"
    );
    assert!(narrow.contains(&"+ fn seat() { lock(); sit() }".to_owned()));
}

#[test]
fn a_long_page_says_where_one_is() {
    let mut app = app();
    let story: String = (0..50).map(|n| format!("line {n}\n")).collect();
    print(&mut app, 1, &FAILING.replace("it can go wrong\n", &story));
    finish(&mut app, 1, Verdict::Fails);
    let buffer = drawn(&mut app, 80, 24);
    let rule = &lines(&buffer)[21];
    assert!(rule.contains(" 1-18 of ") && rule.ends_with('↓'), "{rule}");
    press_all(&mut app, "G");
    let buffer = drawn(&mut app, 80, 24);
    assert!(!lines(&buffer)[21].contains('↓'));
    let short = lines(&drawn(&mut failing(), 80, 40));
    assert!(!short[37].contains(" of "), "{short:#?}");
}

#[test]
fn without_colours_nothing_has_one_and_weight_tells() {
    for view in ["", "h", "l", "?", "x"] {
        let mut app = failing();
        press_all(&mut app, view);
        at(&mut app, 1, Event::Resized(80, 24));
        let plain = with(&app, 80, 24, false);
        for cell in &plain.content {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
        }
        let coloured = with(&app, 80, 24, true);
        assert!(coloured.content.iter().any(|cell| cell.fg != Color::Reset));
        assert_eq!(lines(&plain), lines(&coloured));
    }
    let buffer = with(&failing(), 80, 24, false);
    assert!(buffer[(0, 1)].modifier.contains(Modifier::BOLD));
}

#[test]
fn a_long_note_gets_the_rows_it_needs_and_no_more_than_half() {
    let mut app = failing();
    let path = ".progress/backups/02-broken-plates/2026-11-21-100000.rs";
    at(
        &mut app,
        1,
        Event::Note(format!("Put back. Kept as {path}")),
    );
    let shown = lines(&drawn(&mut app, 60, 15));
    assert!(shown[11].starts_with("────"), "{shown:#?}");
    assert_eq!(shown[12], "Put back. Kept as");
    assert_eq!(shown[13], path);
    assert!(shown[14].starts_with("q quit"), "{shown:#?}");
    at(&mut app, 1, Event::Note("桌".repeat(1000)));
    let shown = lines(&drawn(&mut app, 40, 10));
    assert!(shown[0].ends_with("1 of 5"), "{shown:#?}");
    assert!(shown[3].starts_with("────"), "{shown:#?}");
}
