//! What `watch` knows, what changes it, and what it then wants done: events in, commands out.
//!
//! Nothing in here draws, reads a file, starts a thread or looks at a clock: an event brings the time with it. So every key
//! and every verdict can be tried without a terminal.

use std::time::Duration;

use crate::check::{Checked, Verdict};
use crate::commands::list;
use crate::exercises::Exercise;
use crate::progress::{self, Standing, State};

use super::compare::compare;
use super::telling::{self, Telling};
use super::text::{Ink, Line, clean};

/// The smallest window in which all of it fits.
pub const SMALLEST: (u16, u16) = (40, 10);
/// Rows above and below the page.
pub const FRAME_ROWS: u16 = 6;
/// Lines of a run that are kept, from its beginning.
const KEPT: usize = 20_000;
/// A run that takes longer shows what it prints. Before that, what is on the screen stays, so that nothing flickers.
const SOON: Duration = Duration::from_millis(1500);

/// A key, as far as it means anything here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A letter or a sign.
    Char(char),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Erase the last letter.
    Backspace,
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-L.
    Redraw,
    /// Ctrl-Z.
    Suspend,
}

/// What happens.
#[derive(Debug)]
pub enum Event {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted, which is no series of keys.
    Pasted(String),
    /// The window has this many columns and rows.
    Resized(u16, u16),
    /// Files of the exercise were saved.
    Saved {
        /// Which one, by its place in the list.
        exercise: usize,
    },
    /// A run has printed a line.
    Printed {
        /// Which run.
        run: u64,
        /// The line.
        line: String,
    },
    /// A run has ended.
    Checked {
        /// Which run.
        run: u64,
        /// How.
        outcome: Box<Outcome>,
    },
    /// The solution that was asked for.
    Compared {
        /// Of which exercise.
        exercise: usize,
        /// The two texts, or why there are none.
        texts: Result<Texts, String>,
    },
    /// A reset is done.
    Reset {
        /// Of which exercise.
        exercise: usize,
        /// Where the copy is; `None` when there was nothing to copy; or why nothing was changed.
        copy: Result<Option<String>, String>,
        /// Everybody's standing afterwards.
        standings: Vec<Standing>,
    },
    /// Something to tell the learner.
    Note(String),
    /// Time has passed.
    Tick,
    /// The program is asked to end.
    Interrupted,
}

/// What a run has found out.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The verdict.
    pub checked: Checked,
    /// Everybody's standing afterwards.
    pub standings: Vec<Standing>,
    /// Whether the verdict could be written down.
    pub remembered: bool,
    /// Whether the file differs from the starter.
    pub edited: bool,
    /// After a pass: the learner's code and the solution.
    pub texts: Option<Texts>,
}

/// The two sides of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts {
    /// The learner's code.
    pub mine: String,
    /// The solution.
    pub solution: String,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Follow the files of this exercise, and of no other.
    Follow(usize),
    /// Run this exercise's tests; what was run before is stopped.
    Check {
        /// Which exercise.
        exercise: usize,
        /// The run's number.
        run: u64,
    },
    /// Stop what runs.
    Stop,
    /// Remember that this many hints have been shown.
    RememberHints {
        /// Of which exercise.
        exercise: usize,
        /// How many.
        shown: usize,
    },
    /// Fetch the learner's code and the solution.
    Compare(usize),
    /// Put the starter back, after a copy of the work.
    Reset(usize),
    /// Open the exercise's file.
    Edit {
        /// Which exercise.
        exercise: usize,
        /// At this line, if one is better than the others.
        line: Option<u32>,
    },
    /// Draw everything again.
    Redraw,
    /// Give the terminal to the shell until it calls us back.
    Suspend,
    /// End.
    Quit,
}

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// How the last run ended, or what this one prints.
    Verdict,
    /// The hints, up to the level reached.
    Hints,
    /// The solution beside the learner's code.
    Solution,
    /// All exercises.
    List(List),
    /// What every key does.
    Keys,
}

/// The list of exercises.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// What is looked for.
    pub search: String,
    /// Whether letters go into the search.
    pub typing: bool,
    /// The chosen row among those that are found.
    pub chosen: usize,
}

/// A question that waits for `y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether to put the exercise back to its beginning.
    Reset,
    /// Whether to show the solution before a pass.
    Solution,
}

/// A run under way.
#[derive(Clone, Debug)]
struct Run {
    number: u64,
    began: Duration,
    phase: String,
    phase_began: Duration,
    lines: Vec<String>,
}

/// A run that has ended.
#[derive(Clone, Debug)]
struct Finished {
    outcome: Outcome,
    telling: Telling,
}

/// The state of it all.
pub struct App {
    exercises: Vec<Exercise>,
    standings: Vec<Standing>,
    current: usize,
    view: View,
    question: Option<Question>,
    note: Option<String>,
    run: Option<Run>,
    runs: u64,
    finished: Option<Finished>,
    solution: Option<Result<Texts, String>>,
    size: (u16, u16),
    rows: Vec<Line>,
    top: usize,
    time_limit: Duration,
    now: Duration,
    has_keys: bool,
}

impl App {
    /// The beginning, at the exercise with this place in the list. There must be one.
    pub fn new(
        exercises: Vec<Exercise>,
        standings: Vec<Standing>,
        current: usize,
        time_limit: Duration,
    ) -> App {
        assert!(current < exercises.len() && exercises.len() == standings.len());
        App {
            exercises,
            standings,
            current,
            view: View::Verdict,
            question: None,
            note: None,
            run: None,
            runs: 0,
            finished: None,
            solution: None,
            size: (80, 24),
            rows: Vec::new(),
            top: 0,
            time_limit,
            now: Duration::ZERO,
            has_keys: true,
        }
    }

    /// The same where no key can be pressed: then no page speaks of one.
    #[must_use]
    pub fn without_keys(mut self) -> App {
        self.has_keys = false;
        self
    }

    /// What is to be done first.
    pub fn begin(&mut self) -> Vec<Command> {
        let commands = vec![Command::Follow(self.current), self.check()];
        self.lay_out();
        commands
    }

    /// Takes an event, which happened at `now` (time since the program began).
    pub fn on(&mut self, event: Event, now: Duration) -> Vec<Command> {
        self.now = now;
        let needs_laying_out = self.changes_the_page(&event);
        let commands = match event {
            Event::Key(key) => self.key(key),
            Event::Pasted(text) => self.pasted(&text),
            Event::Resized(columns, rows) => {
                self.size = (columns, rows);
                Vec::new()
            }
            Event::Saved { exercise } if exercise == self.current => {
                // A note stays until a key is pressed: a reset is a save, too, and the note says where the copy is.
                if let View::Hints | View::Keys = self.view {
                    self.show(View::Verdict);
                }
                vec![self.check()]
            }
            Event::Saved { .. } => Vec::new(),
            Event::Printed { run, line } => {
                self.printed(run, &line);
                Vec::new()
            }
            Event::Checked { run, outcome } => self.checked(run, *outcome),
            Event::Compared { exercise, texts } => {
                if exercise == self.current {
                    self.solution = Some(texts);
                    self.show(View::Solution);
                }
                Vec::new()
            }
            Event::Reset {
                exercise,
                copy,
                standings,
            } => self.was_reset(exercise, copy, standings),
            Event::Note(text) => {
                self.note = Some(clean(&text));
                Vec::new()
            }
            Event::Tick => Vec::new(),
            Event::Interrupted => vec![Command::Quit],
        };
        if needs_laying_out {
            self.lay_out();
        } else {
            self.top = self.top.min(self.last_top());
        }
        commands
    }

    /// A page may be long, and lines may come by the thousand: neither is a reason to be slow.
    fn changes_the_page(&self, event: &Event) -> bool {
        match event {
            // What they come to is laid out before it is drawn.
            Event::Printed { .. } => false,
            Event::Tick => self.is_live(),
            Event::Key(Key::Char(c)) => !"jkgGb ".contains(*c),
            Event::Key(key) => matches!(key, Key::Enter | Key::Esc | Key::Backspace),
            _ => true,
        }
    }

    fn key(&mut self, key: Key) -> Vec<Command> {
        match key {
            Key::Interrupt => return vec![Command::Quit],
            Key::Redraw => return vec![Command::Redraw],
            Key::Suspend => return vec![Command::Suspend],
            _ => {}
        }
        self.note = None;
        if let Some(question) = self.question.take() {
            return match key {
                Key::Char('y' | 'Y') => self.confirmed(question),
                _ => Vec::new(),
            };
        }
        if let View::List(list) = &self.view {
            let list = list.clone();
            return self.key_in_list(list, key);
        }
        match key {
            Key::Char('q') if self.view == View::Verdict => return vec![Command::Quit],
            Key::Char('q') => self.show(View::Verdict),
            Key::Esc if self.view != View::Verdict => self.show(View::Verdict),
            Key::Esc if self.run.is_some() => return vec![Command::Stop],
            Key::Char('h') => return self.hint(),
            Key::Char('r') => {
                self.show(View::Verdict);
                return vec![self.check()];
            }
            Key::Char('n') => return self.go_on(),
            Key::Char('l') => {
                let chosen = self.current;
                self.show(View::List(List {
                    chosen,
                    ..List::default()
                }));
            }
            Key::Char('s') if self.view == View::Solution => self.show(View::Verdict),
            Key::Char('s') => {
                if self.standings[self.current].state == State::Passed {
                    return vec![Command::Compare(self.current)];
                }
                self.question = Some(Question::Solution);
            }
            Key::Char('x') => self.question = Some(Question::Reset),
            Key::Char('e') => {
                let line = self.finished.as_ref().and_then(|last| last.telling.place);
                return vec![Command::Edit {
                    exercise: self.current,
                    line,
                }];
            }
            Key::Char('?') => self.show(match self.view {
                View::Keys => View::Verdict,
                _ => View::Keys,
            }),
            Key::Up | Key::Char('k') => self.scroll(-1),
            Key::Down | Key::Char('j') => self.scroll(1),
            Key::PageUp | Key::Char('b') => self.scroll(-self.page_step()),
            Key::PageDown | Key::Char(' ') => self.scroll(self.page_step()),
            Key::Home | Key::Char('g') => self.top = 0,
            Key::End | Key::Char('G') => self.top = usize::MAX,
            _ => {}
        }
        Vec::new()
    }

    fn key_in_list(&mut self, mut list: List, key: Key) -> Vec<Command> {
        let found = self.found(&list.search);
        let last = found.len().saturating_sub(1);
        let step = self.page_step().unsigned_abs();
        match key {
            Key::Enter => {
                let Some(&exercise) = found.get(list.chosen) else {
                    return Vec::new();
                };
                return self.go_to(exercise);
            }
            Key::Esc if list.search.is_empty() && !list.typing => {
                self.show(View::Verdict);
                return Vec::new();
            }
            // The search is given up; the chosen exercise stays chosen.
            Key::Esc => {
                list.chosen = found.get(list.chosen).copied().unwrap_or(self.current);
                list.typing = false;
                list.search.clear();
            }
            Key::Char(c) if list.typing => {
                list.search.push(c);
                list.chosen = 0;
            }
            Key::Backspace if list.typing => {
                list.search.pop();
                list.chosen = 0;
            }
            Key::Char('/') => list.typing = true,
            Key::Char('q' | 'l') => {
                self.show(View::Verdict);
                return Vec::new();
            }
            Key::Up | Key::Char('k') => list.chosen = list.chosen.saturating_sub(1),
            Key::Down | Key::Char('j') => list.chosen = (list.chosen + 1).min(last),
            Key::PageUp => list.chosen = list.chosen.saturating_sub(step),
            Key::PageDown => list.chosen = (list.chosen + step).min(last),
            Key::Home | Key::Char('g') => list.chosen = 0,
            Key::End | Key::Char('G') => list.chosen = last,
            _ => {}
        }
        self.view = View::List(list);
        Vec::new()
    }

    fn pasted(&mut self, text: &str) -> Vec<Command> {
        if let View::List(list) = &mut self.view
            && list.typing
        {
            list.search.extend(text.lines().next().map(clean));
            list.chosen = 0;
        }
        Vec::new()
    }

    fn confirmed(&mut self, question: Question) -> Vec<Command> {
        vec![match question {
            Question::Reset => Command::Reset(self.current),
            Question::Solution => Command::Compare(self.current),
        }]
    }

    fn hint(&mut self) -> Vec<Command> {
        let all = self.exercise().hints.len();
        let standing = &mut self.standings[self.current];
        let before = standing.hints.min(all);
        // The first press shows what has been reached; the next ones go further.
        let level = match self.view {
            View::Hints => before + 1,
            _ => before.max(1),
        }
        .min(all);
        standing.hints = level;
        self.show(View::Hints);
        if level == before {
            return Vec::new();
        }
        vec![Command::RememberHints {
            exercise: self.current,
            shown: level,
        }]
    }

    /// The exercise after this one that has not passed; after the last one, the search goes on at the first.
    fn next_open(&self) -> Option<usize> {
        progress::next_from(&self.standings, self.current + 1).filter(|&n| n != self.current)
    }

    /// Goes to the next exercise that has not passed.
    pub fn go_on(&mut self) -> Vec<Command> {
        match self.next_open() {
            Some(next) => self.go_to(next),
            None if self.standings[self.current].state == State::Passed => {
                self.note = Some("Every exercise passes: that was the whole course.".into());
                Vec::new()
            }
            None => {
                self.note = Some("This one is the last that does not pass yet.".into());
                Vec::new()
            }
        }
    }

    fn go_to(&mut self, exercise: usize) -> Vec<Command> {
        self.show(View::Verdict);
        if exercise == self.current {
            return Vec::new();
        }
        self.current = exercise;
        self.finished = None;
        self.solution = None;
        vec![Command::Follow(exercise), self.check()]
    }

    /// Begins a run. Whoever carries the command out stops the one before.
    fn check(&mut self) -> Command {
        self.runs += 1;
        self.run = Some(Run {
            number: self.runs,
            began: self.now,
            phase: "Beginning".into(),
            phase_began: self.now,
            lines: Vec::new(),
        });
        Command::Check {
            exercise: self.current,
            run: self.runs,
        }
    }

    fn printed(&mut self, number: u64, line: &str) {
        let now = self.now;
        let Some(run) = self.run.as_mut().filter(|run| run.number == number) else {
            return;
        };
        let line = clean(line);
        // What the tests print is theirs.
        if run.phase != "Testing"
            && let Some(phase) = telling::phase(&line)
        {
            run.phase = phase;
            run.phase_began = now;
        }
        match run.lines.len() {
            n if n < KEPT => run.lines.push(line),
            KEPT => run.lines.push("... (the rest is not shown)".into()),
            _ => {}
        }
    }

    fn checked(&mut self, number: u64, outcome: Outcome) -> Vec<Command> {
        self.take(outcome.standings.clone());
        // The verdict of a run that another has replaced is old news.
        let Some(run) = self.run.take_if(|run| run.number == number) else {
            return Vec::new();
        };
        if !outcome.remembered {
            self.note =
                Some("This folder cannot be written, so the verdict is not remembered.".into());
        }
        if outcome.checked.verdict == Verdict::Passes {
            self.standings[self.current].state = State::Passed;
        }
        let telling = telling::tell(outcome.checked.verdict, &run.lines);
        if outcome.checked.verdict == Verdict::Passes && !matches!(self.view, View::List(_)) {
            self.view = View::Verdict;
        }
        if self.view == View::Verdict {
            self.top = 0;
        }
        if let Some(texts) = &outcome.texts {
            self.solution = Some(Ok(texts.clone()));
        }
        self.finished = Some(Finished { outcome, telling });
        Vec::new()
    }

    fn was_reset(
        &mut self,
        exercise: usize,
        copy: Result<Option<String>, String>,
        standings: Vec<Standing>,
    ) -> Vec<Command> {
        self.take(standings);
        let (note, changed) = match copy {
            Ok(Some(copy)) => (format!("Put back. Your work is kept as {copy}"), true),
            Ok(None) => ("The file is as it was at the beginning.".into(), false),
            Err(why) => (why, false),
        };
        self.note = Some(clean(&note));
        if !changed || exercise != self.current {
            return Vec::new();
        }
        self.finished = None;
        self.solution = None;
        self.show(View::Verdict);
        vec![self.check()]
    }

    /// Takes what the file says, and keeps what could not be written there.
    fn take(&mut self, standings: Vec<Standing>) {
        for (known, mut read) in self.standings.iter_mut().zip(standings) {
            read.hints = read.hints.max(known.hints);
            if known.state == State::Passed {
                read.state = State::Passed;
            }
            *known = read;
        }
    }

    fn show(&mut self, view: View) {
        self.view = view;
        self.top = 0;
    }

    fn scroll(&mut self, rows: isize) {
        self.top = self.top.min(self.last_top()).saturating_add_signed(rows);
    }

    fn page_step(&self) -> isize {
        // A line of the page before stays in sight.
        (self.page_rows() as isize - 1).max(1)
    }

    /// The last row that can be the first on the screen.
    fn last_top(&self) -> usize {
        self.rows.len().saturating_sub(self.page_rows())
    }

    /// Brings the rows up to date with what a run has printed. To be called before drawing.
    pub fn lay_out_live(&mut self) {
        if self.is_live() {
            self.lay_out();
        }
    }

    fn lay_out(&mut self) {
        let columns = usize::from(self.size.0);
        self.rows = self
            .page(columns)
            .iter()
            .flat_map(|line| line.wrapped(columns))
            .collect();
        if self.is_live() {
            self.top = self.last_top();
        }
        self.top = self.top.min(self.last_top());
    }

    /// Whether the page follows what a run prints.
    fn is_live(&self) -> bool {
        self.view == View::Verdict
            && self.run.as_ref().is_some_and(|run| {
                self.finished.is_none() || self.now.saturating_sub(run.began) >= SOON
            })
    }

    /// The page's lines, before they are wrapped.
    fn page(&self, columns: usize) -> Vec<Line> {
        match &self.view {
            View::Verdict => match (&self.run, &self.finished) {
                (Some(run), _) if self.is_live() => {
                    // Nobody can read more of it than a screen while it runs.
                    let from = run.lines.len().saturating_sub(self.page_rows());
                    run.lines[from..]
                        .iter()
                        .map(|line| Line::new(Ink::Faint, line))
                        .collect()
                }
                (_, Some(last)) => self.verdict_page(last, columns),
                _ => Vec::new(),
            },
            View::Hints => self.hints_page(),
            View::Solution => self.solution_page(columns),
            View::List(_) => Vec::new(),
            View::Keys => keys_page(),
        }
    }

    fn verdict_page(&self, last: &Finished, columns: usize) -> Vec<Line> {
        let checked = &last.outcome.checked;
        let mut page = Vec::new();
        match checked.verdict {
            Verdict::Passes => {
                page.extend(prose(&self.exercise().after));
                page.push(Line::blank());
                page.push(self.what_next());
                page.push(Line::blank());
                if let Some(texts) = &last.outcome.texts {
                    page.push(Line::new(Ink::Strong, "The solution beside your code"));
                    page.push(Line::blank());
                    page.extend(compare(&texts.mine, &texts.solution, columns));
                    page.push(Line::blank());
                }
                page.push(Line::new(Ink::Strong, "What was tested"));
                page.push(Line::blank());
                page.extend(last.telling.page.iter().cloned());
                return page;
            }
            Verdict::Fails if !last.outcome.edited => {
                let line = Line::new(
                    Ink::Plain,
                    "This is the starter: what says `todo!()` is yours to write, in ",
                )
                .and(Ink::Key, self.file_name());
                let line = match self.has_keys {
                    true => line.and(Ink::Plain, ". Press ").and(Ink::Key, "e").and(
                        Ink::Plain,
                        " to open it; whenever you save it, the tests run.",
                    ),
                    false => line.and(Ink::Plain, ". Whenever you save it, the tests run."),
                };
                page.push(line);
            }
            // The numbers stand above, and the stories below.
            Verdict::Fails => {}
            Verdict::DoesNotCompile if self.has_keys => page.push(
                Line::new(Ink::Plain, "In the compiler's words; ")
                    .and(Ink::Key, "e")
                    .and(Ink::Plain, " opens the first error."),
            ),
            Verdict::DoesNotCompile => {
                page.push(Line::new(Ink::Plain, "In the compiler's words:"));
            }
            // Elsewhere the sentence comes last; here it is the first.
            _ => page.push(Line::new(
                Ink::Plain,
                clean(&checked.sentence).replace(" above.", " below."),
            )),
        }
        if !page.is_empty() && !last.telling.page.is_empty() {
            page.push(Line::blank());
        }
        page.extend(last.telling.page.iter().cloned());
        if matches!(checked.verdict, Verdict::Fails | Verdict::NeverEnds) {
            page.push(Line::blank());
            page.push(self.where_help_is());
        }
        page
    }

    fn where_help_is(&self) -> Line {
        let told = self.finished.as_ref().is_some_and(|last| {
            let is_replay = |line: &Line| line.text().trim_start().starts_with("To play it again:");
            last.telling.page.iter().any(is_replay)
        });
        let hint = match self.has_keys {
            true => "h".to_owned(),
            false => format!("cargo course hint {}", self.exercise().number),
        };
        let line = Line::new(Ink::Plain, "Stuck? ")
            .and(Ink::Key, hint)
            .and(Ink::Plain, " gives a hint.");
        match told {
            true => line
                .and(Ink::Plain, " In another terminal, ")
                .and(
                    Ink::Key,
                    format!("cargo course story {}", self.exercise().number),
                )
                .and(Ink::Plain, " plays the story in the browser, step by step."),
            false => line,
        }
    }

    fn what_next(&self) -> Line {
        match self.next_open() {
            Some(next) => {
                let Exercise {
                    number,
                    title,
                    minutes,
                    ..
                } = &self.exercises[next];
                let line = Line::new(Ink::Strong, "Next: ")
                    .and(Ink::Plain, format!("{number} {title}, {minutes} min."));
                match self.has_keys {
                    true => line
                        .and(Ink::Plain, " Press ")
                        .and(Ink::Key, "n")
                        .and(Ink::Plain, "."),
                    false => line,
                }
            }
            None => Line::new(
                Ink::Strong,
                "Every exercise passes: that was the whole course.",
            ),
        }
    }

    fn hints_page(&self) -> Vec<Line> {
        let exercise = self.exercise();
        let all = exercise.hints.len();
        let level = self.standings[self.current].hints.min(all);
        if all == 0 {
            return vec![Line::new(Ink::Plain, "This exercise has no hints.")];
        }
        let mut page = Vec::new();
        for (n, hint) in exercise.hints.iter().enumerate().take(level) {
            page.push(Line::new(Ink::Strong, format!("Hint {} of {all}", n + 1)));
            page.extend(prose(hint));
            page.push(Line::blank());
        }
        page.push(match level < all {
            true => Line::new(Ink::Plain, "Still stuck: ")
                .and(Ink::Key, "h")
                .and(Ink::Plain, " once more."),
            false => Line::new(
                Ink::Plain,
                "That was the last hint. The chapter tells the whole story: ",
            )
            .and(Ink::Key, self.chapter_file())
            .and(Ink::Plain, "."),
        });
        page
    }

    fn solution_page(&self, columns: usize) -> Vec<Line> {
        match &self.solution {
            None => Vec::new(),
            Some(Err(why)) => vec![Line::new(Ink::Bad, clean(why))],
            Some(Ok(texts)) => compare(&texts.mine, &texts.solution, columns),
        }
    }

    /// The exercise at hand.
    pub fn exercise(&self) -> &Exercise {
        &self.exercises[self.current]
    }

    /// Where the exercise at hand stands in the list.
    pub fn current(&self) -> usize {
        self.current
    }

    /// All of them.
    pub fn exercises(&self) -> &[Exercise] {
        &self.exercises
    }

    /// How far the learner is with each.
    pub fn standings(&self) -> &[Standing] {
        &self.standings
    }

    /// How many have passed.
    pub fn passed(&self) -> usize {
        let passed = |standing: &&Standing| standing.state == State::Passed;
        self.standings.iter().filter(passed).count()
    }

    /// What the page shows.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Whether a run is under way, so that seconds should go on.
    pub fn is_running(&self) -> bool {
        self.run.is_some()
    }

    /// The run's number, its step, and for how long that has gone on.
    pub fn step(&self) -> Option<(u64, &str, Duration)> {
        self.run.as_ref().map(|run| {
            let time = self.now.saturating_sub(run.phase_began);
            (run.number, run.phase.as_str(), time)
        })
    }

    /// The verdict of the last run, if none is under way.
    pub fn verdict(&self) -> Option<&Checked> {
        match self.run {
            Some(_) => None,
            None => self.finished.as_ref().map(|last| &last.outcome.checked),
        }
    }

    /// One line that says how it stands: what is being done, or how the last run ended.
    pub fn headline(&self) -> Line {
        if let Some((_, phase, time)) = self.step() {
            let mut line = Line::new(Ink::Strong, format!("{phase} ..."))
                .and(Ink::Plain, format!(" {} s", time.as_secs()));
            if phase == "Testing" && time >= SOON {
                let limit = self.time_limit.as_secs();
                line = line.and(Ink::Faint, format!(" (it is stopped at {limit} s)"));
            }
            return line;
        }
        let Some(last) = &self.finished else {
            return Line::blank();
        };
        let (failed, tests) = last.telling.tests;
        match last.outcome.checked.verdict {
            Verdict::Passes => {
                Line::new(Ink::Good, format!("✓ It passes: {}.", count(tests, "test")))
            }
            Verdict::Fails if !last.outcome.edited => {
                Line::new(Ink::Warn, "· Not begun yet: this is the starter.")
            }
            Verdict::Fails if tests > 1 => Line::new(
                Ink::Bad,
                format!("✗ Not yet: {failed} of {tests} tests fail."),
            ),
            Verdict::Fails => Line::new(Ink::Bad, "✗ Not yet: the test fails."),
            Verdict::DoesNotCompile => Line::new(
                Ink::Bad,
                match last.telling.place {
                    Some(place) => format!(
                        "✗ It does not compile: {}, the first in line {place}.",
                        count(last.telling.errors, "error")
                    ),
                    None => "✗ It does not compile.".into(),
                },
            ),
            Verdict::NeverEnds => Line::new(Ink::Bad, "✗ It does not end."),
            Verdict::PrintsTooMuch => Line::new(Ink::Bad, "✗ It prints without an end."),
            Verdict::Dies => Line::new(Ink::Bad, "✗ It crashes."),
            Verdict::Stopped => Line::new(Ink::Warn, "· Stopped. `r` runs it again."),
            Verdict::NotRun => Line::new(Ink::Bad, "✗ It could not be run."),
        }
    }

    /// The last line but one: a question, a note, or what is waited for.
    pub fn footline(&self) -> Line {
        if let Some(question) = self.question {
            return Line::new(
                Ink::Strong,
                match question {
                    Question::Reset => "Put it back to its beginning? A copy is kept.",
                    Question::Solution => "It has not passed yet. Show the solution?",
                },
            )
            .and(Ink::Plain, " ")
            .and(Ink::Key, "y")
            .and(Ink::Plain, "/")
            .and(Ink::Key, "n");
        }
        if let Some(note) = &self.note {
            return Line::new(Ink::Warn, note);
        }
        if let View::List(list) = &self.view {
            return match list.typing || !list.search.is_empty() {
                true => Line::new(Ink::Key, "/")
                    .and(Ink::Plain, &list.search)
                    .and(Ink::Strong, if list.typing { "▏" } else { "" }),
                false => Line::blank(),
            };
        }
        Line::new(Ink::Faint, format!("Follows {}", self.file_name()))
    }

    /// Whether the last line but one has to be read to its end.
    pub fn is_telling(&self) -> bool {
        self.question.is_some() || self.note.is_some()
    }

    /// Whether a question waits for its answer.
    pub fn is_asking(&self) -> bool {
        self.question.is_some()
    }

    /// The keys that are of use now, the most useful first.
    pub fn keys(&self) -> &'static [(&'static str, &'static str)] {
        if self.question.is_some() {
            return &[("y", "yes"), ("n", "no")];
        }
        match &self.view {
            View::List(list) if list.typing => {
                &[("Enter", "go there"), ("Esc", "give up the search")]
            }
            View::List(_) => &[
                ("q", "back"),
                ("Enter", "go there"),
                ("/", "search"),
                ("↑↓", "choose"),
            ],
            View::Verdict => &[
                ("q", "quit"),
                ("?", "keys"),
                ("h", "hint"),
                ("e", "edit"),
                ("n", "next"),
                ("l", "list"),
                ("s", "solution"),
                ("r", "run"),
                ("x", "reset"),
            ],
            View::Hints => &[
                ("q", "back"),
                ("?", "keys"),
                ("h", "next hint"),
                ("e", "edit"),
                ("l", "list"),
            ],
            View::Solution | View::Keys => &[
                ("q", "back"),
                ("↑↓", "scroll"),
                ("e", "edit"),
                ("l", "list"),
            ],
        }
    }

    /// How many rows the page has.
    pub fn page_rows(&self) -> usize {
        usize::from(self.size.1.saturating_sub(FRAME_ROWS)).max(1)
    }

    /// The rows on the screen, the place of the first among all, and how many there are.
    pub fn rows(&self) -> (&[Line], usize, usize) {
        let end = (self.top + self.page_rows()).min(self.rows.len());
        (
            &self.rows[self.top.min(end)..end],
            self.top,
            self.rows.len(),
        )
    }

    /// The whole page, however long it is.
    pub fn whole_page(&self, columns: usize) -> Vec<Line> {
        self.page(columns)
    }

    /// The window's columns and rows.
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// The places of the exercises in which every word of the search occurs.
    pub fn found(&self, search: &str) -> Vec<usize> {
        let all = self.exercises.iter().enumerate();
        all.filter(|(_, exercise)| list::matches(exercise, search))
            .map(|(n, _)| n)
            .collect()
    }

    fn file_name(&self) -> String {
        let exercise = self.exercise();
        format!("exercises/{}-{}/src/lib.rs", exercise.number, exercise.slug)
    }

    fn chapter_file(&self) -> String {
        format!("book/src/en/{}.md", self.exercise().chapter)
    }
}

fn keys_page() -> Vec<Line> {
    let keys = [
        ("h", "a hint; again: the next one, of three"),
        ("e", "open the file in your editor, at the first error"),
        ("r", "run the tests now (saving the file does it, too)"),
        ("Esc", "stop what runs; leave this page"),
        ("n", "the next exercise that has not passed"),
        ("l", "all exercises; / searches, Enter goes there"),
        ("s", "the solution beside your code"),
        (
            "x",
            "put the file back to its beginning; a copy of yours is kept",
        ),
        (
            "↑ ↓",
            "scroll; so do j and k, PageUp and PageDown, Home and End",
        ),
        ("Ctrl-L", "draw the screen again"),
        ("q", "quit; on another page: back"),
        ("Ctrl-C", "quit"),
        (
            "Ctrl-Z",
            "back to the shell for a while; fg comes back here",
        ),
    ];
    keys.iter()
        .filter(|(key, _)| cfg!(unix) || *key != "Ctrl-Z")
        .map(|(key, what)| {
            Line::new(Ink::Key, format!("{key:>7}")).and(Ink::Plain, format!("  {what}"))
        })
        .collect()
}

/// Paragraphs: single line breaks are the author's, not the reader's.
fn prose(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for paragraph in text.trim().split("\n\n") {
        if !lines.is_empty() {
            lines.push(Line::blank());
        }
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        lines.push(Line::new(Ink::Plain, words.join(" ")));
    }
    lines
}

fn count(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

#[cfg(test)]
#[path = "app_tests.rs"]
pub(in crate::watch) mod tests;
