//! `watch` in lines, where there is no terminal to draw on: the same state, printed as it changes.

use std::sync::mpsc::Receiver;
use std::time::Instant;

use crate::check::Verdict;
use crate::cli::print;
use crate::trouble::status;

use super::app::{App, Command, Event};
use super::{Message, Shop, broken};

/// Columns of a page in which nothing is broken: whatever reads the lines does that.
const COLUMNS: usize = 90;

/// Follows the files and prints verdicts until it is interrupted. With `goes_on`, a pass leads to the next exercise.
pub(crate) fn run(
    mut app: App,
    mut shop: Shop,
    messages: &Receiver<Message>,
    goes_on: bool,
) -> anyhow::Result<u8> {
    let began = Instant::now();
    let mut printer = Printer::default();
    if let Some(note) = shop.note.take() {
        print(&format!("{note}\n"))?;
    }
    let mut commands = app.begin();
    print(&beginning(&app))?;
    loop {
        let mut queue = std::mem::take(&mut commands);
        while !queue.is_empty() {
            for command in std::mem::take(&mut queue) {
                if command == Command::Quit {
                    return Ok(status::DONE);
                }
                if let Some(event) = shop.carry_out(&command) {
                    if let Event::Note(note) = &event {
                        print(&format!("{note}\n"))?;
                    }
                    queue.extend(app.on(event, began.elapsed()));
                }
            }
        }
        let Ok(message) = messages.recv() else {
            return Err(broken());
        };
        match message {
            Message::App(event) => commands = app.on(event, began.elapsed()),
            Message::Broken => return Err(broken()),
            Message::Terminal(_) | Message::NoTerminal(_) => {}
        }
        print(&printer.news(&app))?;
        if goes_on
            && app
                .verdict()
                .is_some_and(|checked| checked.verdict == Verdict::Passes)
        {
            commands.extend(app.go_on());
            if !commands.is_empty() {
                print(&beginning(&app))?;
            }
        }
    }
}

fn beginning(app: &App) -> String {
    let exercise = app.exercise();
    format!(
        "\nExercise {}, {} ({} min); {} of {} pass.\n{}. Ctrl-C ends this.\n",
        exercise.number,
        exercise.title,
        exercise.minutes,
        app.passed(),
        app.exercises().len(),
        app.footline().text()
    )
}

/// Remembers what has been printed.
#[derive(Default)]
struct Printer {
    step: Option<(u64, String)>,
}

impl Printer {
    /// What there is to print since the last time.
    fn news(&mut self, app: &App) -> String {
        if let Some((run, phase, _)) = app.step() {
            let step = Some((run, phase.to_owned()));
            if self.step == step {
                return String::new();
            }
            self.step = step;
            return format!("{phase} ...\n");
        }
        if self.step.take().is_none() {
            return String::new();
        }
        let mut text = String::new();
        for line in app.whole_page(COLUMNS) {
            text.push_str(line.text().trim_end());
            text.push('\n');
        }
        format!("\n{text}\n{}\n", app.headline().text())
    }
}
