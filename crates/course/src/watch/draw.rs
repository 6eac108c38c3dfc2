//! What [`App`] knows, on a screen.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line as Text, Span};
use ratatui::widgets::Paragraph;

use crate::progress::State;

use super::app::{App, List, SMALLEST, View};
use super::text::{Ink, Line, width};

/// What the signs of a running step are, in turn.
const TURNING: [&str; 4] = ["◐", "◓", "◑", "◒"];
/// Columns of the bar that shows the progress.
const BAR: usize = 12;

/// Draws all of it. Without colours, everything is still said by words, signs and weight.
pub fn draw(frame: &mut Frame, app: &App, colours: bool) {
    let area = frame.area();
    let pen = Pen { colours };
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        pen.too_small(frame, app, area);
        return;
    }
    let row = |n: u16| Rect::new(area.x, area.y + n, area.width, 1);
    pen.put(frame, row(0), &title(app, usize::from(area.width)));
    pen.put(frame, row(1), &headline(app));
    pen.rule(frame, row(2), "");
    let page = Rect::new(area.x, area.y + 3, area.width, app.page_rows() as u16).intersection(area);
    let place = match app.view() {
        View::List(list) => {
            let rows = list_rows(app, list, usize::from(area.width));
            let first = list_top(list.chosen, rows.len(), app.page_rows());
            let end = (first + app.page_rows()).min(rows.len());
            for (n, (is_chosen, line)) in rows[first..end].iter().enumerate() {
                let place = Rect::new(page.x, page.y + n as u16, page.width, 1);
                pen.put(frame, place, line);
                if *is_chosen {
                    frame
                        .buffer_mut()
                        .set_style(place, Style::new().add_modifier(Modifier::REVERSED));
                }
            }
            place_of(first..end, rows.len())
        }
        _ => {
            let (rows, first, all) = app.rows();
            for (n, line) in rows.iter().enumerate() {
                let place = Rect::new(page.x, page.y + n as u16, page.width, 1);
                pen.put(frame, place, line);
            }
            place_of(first..first + rows.len(), all)
        }
    };
    // A note that needs more than a row gets it, over the end of the page.
    let columns = usize::from(area.width);
    let mut foot = match app.is_telling() {
        true => app.footline().wrapped(columns),
        false => vec![app.footline().cut(columns)],
    };
    foot.truncate(usize::from(area.height / 2));
    let first = area.height - 1 - foot.len() as u16;
    pen.rule(frame, row(first - 1), &place);
    for (n, line) in (first..).zip(&foot) {
        pen.put(frame, row(n), &line.fitted(columns));
        if app.is_asking() {
            let turned = Style::new().add_modifier(Modifier::REVERSED);
            frame.buffer_mut().set_style(row(n), turned);
        }
    }
    pen.put(frame, row(area.height - 1), &keys(app, columns));
}

/// The exercise, its minutes, and how far the learner has come.
fn title(app: &App, columns: usize) -> Line {
    let exercise = app.exercise();
    let (passed, all) = (app.passed(), app.exercises().len());
    // The first pass shows.
    let filled = (passed * BAR / all.max(1)).max(passed.min(1));
    let numbers = format!(" {passed} of {all}");
    let minutes = format!("  {} min", exercise.minutes);
    let name = Line::new(
        Ink::Strong,
        format!("{} {}", exercise.number, exercise.title),
    );
    // The title gives way first, then the bar.
    let bar = if columns >= 60 { BAR } else { 0 };
    let room = columns.saturating_sub(bar + width(&numbers) + width(&minutes) + 2);
    let mut line = name.cut(room).and(Ink::Plain, minutes);
    let gap = columns.saturating_sub(line.width() + bar + width(&numbers));
    line = line.and(Ink::Plain, " ".repeat(gap));
    if bar > 0 {
        line = line
            .and(Ink::Good, "█".repeat(filled))
            .and(Ink::Faint, "░".repeat(BAR - filled));
    }
    line.and(Ink::Plain, numbers)
}

fn headline(app: &App) -> Line {
    let Some((_, _, time)) = app.step() else {
        return app.headline();
    };
    let turn = (time.as_millis() / 250) as usize % TURNING.len();
    let mut line = Line::new(Ink::Warn, format!("{} ", TURNING[turn]));
    line.pieces.extend(app.headline().pieces);
    line
}

fn place_of(shown: Range<usize>, all: usize) -> String {
    if shown.len() >= all {
        return String::new();
    }
    let more = if shown.end < all { " ↓" } else { "" };
    format!(" {}-{} of {all}{more}", shown.start + 1, shown.end)
}

/// The first row to show, so that the chosen one is in the middle where that is possible.
fn list_top(chosen: usize, all: usize, rows: usize) -> usize {
    chosen
        .saturating_sub(rows / 2)
        .min(all.saturating_sub(rows))
}

fn list_rows(app: &App, list: &List, columns: usize) -> Vec<(bool, Line)> {
    let found = app.found(&list.search);
    if found.is_empty() {
        let nothing = Line::new(Ink::Warn, "  Nothing is called that.");
        return vec![(false, nothing)];
    }
    let rows = found.iter().enumerate().map(|(row, &n)| {
        let exercise = &app.exercises()[n];
        let (mark, ink, state) = match app.standings()[n].state {
            State::Passed => ("✓", Ink::Good, "passed"),
            State::Failing => ("✗", Ink::Bad, "not yet"),
            State::Begun => ("·", Ink::Warn, "begun"),
            State::Untouched => (" ", Ink::Faint, ""),
        };
        let here = if n == app.current() { "▸" } else { " " };
        let right = format!("{:>3} min  {state:<7}", exercise.minutes);
        let room = columns.saturating_sub(width(&right) + 8);
        let mut line = Line::new(Ink::Key, here)
            .and(ink, format!(" {mark} "))
            .and(Ink::Strong, format!("{} ", exercise.number));
        line.pieces
            .extend(Line::new(Ink::Plain, &exercise.title).fitted(room).pieces);
        (
            row == list.chosen,
            line.and(Ink::Faint, " ").and(ink, right),
        )
    });
    rows.collect()
}

/// As many keys as fit.
fn keys(app: &App, columns: usize) -> Line {
    let mut line = Line::blank();
    for (key, what) in app.keys() {
        let gap = if line.pieces.is_empty() { "" } else { "  " };
        if line.width() + gap.len() + width(key) + 1 + width(what) > columns {
            break;
        }
        line = line
            .and(Ink::Plain, gap)
            .and(Ink::Key, *key)
            .and(Ink::Plain, format!(" {what}"));
    }
    line
}

/// Whether to use colours is asked once, and answered in one place.
#[derive(Clone, Copy)]
struct Pen {
    colours: bool,
}

impl Pen {
    fn style(self, ink: Ink) -> Style {
        let (colour, modifier) = match ink {
            Ink::Plain => (None, Modifier::empty()),
            Ink::Strong => (None, Modifier::BOLD),
            Ink::Faint => (None, Modifier::DIM),
            Ink::Good => (Some(Color::Green), Modifier::empty()),
            Ink::Bad => (Some(Color::Red), Modifier::empty()),
            Ink::Warn => (Some(Color::Yellow), Modifier::empty()),
            Ink::Key => (Some(Color::Cyan), Modifier::empty()),
        };
        match (colour, self.colours) {
            (Some(colour), true) => Style::new().fg(colour).add_modifier(modifier),
            // What has a colour has a weight without it.
            (Some(_), false) => Style::new().add_modifier(Modifier::BOLD),
            (None, _) => Style::new().add_modifier(modifier),
        }
    }

    fn text(self, line: &Line) -> Text<'_> {
        let spans = line.pieces.iter();
        Text::from_iter(spans.map(|(ink, text)| Span::styled(text.as_str(), self.style(*ink))))
    }

    fn put(self, frame: &mut Frame, area: Rect, line: &Line) {
        frame.render_widget(self.text(line), area);
    }

    /// A line across the screen, with something to say at its right end.
    fn rule(self, frame: &mut Frame, area: Rect, says: &str) {
        let columns = usize::from(area.width).saturating_sub(width(says));
        let line = Line::new(Ink::Faint, "─".repeat(columns)).and(Ink::Faint, says);
        self.put(frame, area, &line);
    }

    fn too_small(self, frame: &mut Frame, app: &App, area: Rect) {
        let (columns, rows) = SMALLEST;
        let mut lines = vec![Line::new(
            Ink::Plain,
            format!("Too small: {columns}x{rows} is needed. q quits."),
        )];
        lines.push(app.headline());
        let width = usize::from(area.width);
        let rows: Vec<Line> = lines
            .iter()
            .flat_map(|line| line.wrapped(width))
            .take(usize::from(area.height))
            .collect();
        let text: Vec<Text> = rows.iter().map(|line| self.text(line)).collect();
        frame.render_widget(Paragraph::new(text), area);
    }
}

#[cfg(test)]
#[path = "draw_tests.rs"]
mod tests;
