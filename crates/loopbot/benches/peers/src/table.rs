//! The figures as tables: as text for the terminal, as Markdown for the book.

use crate::contest::Cell;
use crate::contestants::{Contestant, Role};
use crate::measure::Effort;
use crate::rows::{Better, Figure, Row};

/// All rows that were measured, each with one cell per contestant.
pub struct Results<'a> {
    pub contestants: &'a [Contestant],
    pub effort: Effort,
    pub rows: Vec<(&'a Row, Vec<Cell>)>,
}

/// A table of text. The first line is its head.
pub struct Table(Vec<Vec<String>>);

impl Results<'_> {
    /// LoopBot beside Tokio and beside whoever is best, and how many times better it is.
    pub fn summary(&self) -> Table {
        let head = [
            "",
            "unit",
            "LoopBot",
            "tokio LocalSet",
            "best peer",
            "who",
            "× Tokio",
            "× best",
            "floor",
        ];
        let mut lines = vec![head.map(String::from).to_vec()];
        self.each_figure(|row, cells, number| {
            let figure = &row.figures[number];
            let of_role = |role| {
                let place = self.contestants.iter().position(|c| c.role == role)?;
                value(&cells[place], number)
            };
            let (ours, tokio) = (of_role(Role::LoopBot), of_role(Role::Tokio));
            let best = self.best(row, cells, number);
            let ratio = |theirs: Option<f64>| match (ours, theirs) {
                (Some(ours), Some(theirs)) if figure.better != Better::Neither => {
                    format!("{:.2}", times_better(figure, ours, theirs))
                }
                _ => "-".to_string(),
            };
            lines.push(vec![
                title(row, figure),
                figure.unit.to_string(),
                number_or_dash(ours),
                number_or_dash(tokio),
                number_or_dash(best.map(|(_, best)| best)),
                best.map_or("-", |(who, _)| self.contestants[who].name)
                    .to_string(),
                ratio(tokio),
                ratio(best.map(|(_, best)| best)),
                number_or_dash(of_role(Role::Floor)),
            ]);
        });
        Table(lines)
    }

    /// Everybody's figures, and the reasons for those that are missing.
    pub fn everybody(&self) -> (Table, Vec<String>) {
        let mut notes: Vec<String> = Vec::new();
        let mut head = vec![String::new(), "unit".to_string(), "repetitions".to_string()];
        head.extend(self.contestants.iter().map(|c| c.name.to_string()));
        let mut lines = vec![head];
        self.each_figure(|row, cells, number| {
            let figure = &row.figures[number];
            let mut line = vec![
                title(row, figure),
                figure.unit.to_string(),
                self.effort.of(row.repetitions).to_string(),
            ];
            for (contestant, cell) in self.contestants.iter().zip(cells) {
                let (text, why) = match cell {
                    Cell::Figures(figures) => {
                        let why = contestant.does_less_in(row.key);
                        let why = why.map(|why| format!("not judged: {why}"));
                        (written(figures[number]), why)
                    }
                    Cell::No => ("-".to_string(), None),
                    Cell::Failed(why) => ("-".to_string(), Some(why.clone())),
                };
                line.push(match why {
                    None => text,
                    Some(why) => {
                        let note = format!("{}: {why}", contestant.name);
                        let known = notes.iter().position(|known| *known == note);
                        let place = known.unwrap_or_else(|| {
                            notes.push(note);
                            notes.len() - 1
                        });
                        format!("{text} ({})", place + 1)
                    }
                });
            }
            lines.push(line);
        });
        (Table(lines), notes)
    }

    fn each_figure(&self, mut visit: impl FnMut(&Row, &[Cell], usize)) {
        for (row, cells) in &self.rows {
            for number in 0..row.figures.len() {
                visit(row, cells, number);
            }
        }
    }

    /// The best peer. One whose sleeps end early is not in the running, nor one that does less than the row is about.
    fn best(&self, row: &Row, cells: &[Cell], number: usize) -> Option<(usize, f64)> {
        let figure = &row.figures[number];
        let peers = self.contestants.iter().zip(cells).enumerate();
        peers
            .filter(|(_, (contestant, _))| matches!(contestant.role, Role::Tokio | Role::Other))
            .filter(|(_, (_, cell))| !wakes_early(row, cell))
            .filter(|(_, (contestant, _))| contestant.does_less_in(row.key).is_none())
            .filter_map(|(who, (_, cell))| Some((who, value(cell, number)?)))
            .reduce(|best, other| match figure.better {
                Better::Less if other.1 < best.1 => other,
                Better::More if other.1 > best.1 => other,
                _ => best,
            })
            .filter(|_| figure.better != Better::Neither)
    }
}

fn wakes_early(row: &Row, cell: &Cell) -> bool {
    let earliest = row
        .figures
        .iter()
        .position(|figure| figure.what == "earliest");
    earliest.is_some_and(|place| value(cell, place).is_some_and(|micros| micros < 0.0))
}

fn value(cell: &Cell, number: usize) -> Option<f64> {
    match cell {
        Cell::Figures(figures) => Some(figures[number]),
        _ => None,
    }
}

fn times_better(figure: &Figure, ours: f64, theirs: f64) -> f64 {
    match figure.better {
        Better::More => ours / theirs,
        _ => theirs / ours,
    }
}

fn title(row: &Row, figure: &Figure) -> String {
    match figure.what {
        "" => row.title.to_string(),
        what => format!("{}: {what}", row.title),
    }
}

fn number_or_dash(value: Option<f64>) -> String {
    value.map_or("-".to_string(), written)
}

/// Three figures, or all before the point.
fn written(value: f64) -> String {
    match value.abs() {
        0.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

impl Table {
    pub fn new(lines: Vec<Vec<String>>) -> Table {
        Table(lines)
    }

    /// Columns padded to their widths: the first to the left, the others to the right.
    pub fn as_text(&self) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for line in &self.0 {
            let cells = line.iter().zip(&widths).enumerate();
            let padded: Vec<String> = cells
                .map(|(column, (cell, width))| pad(cell, *width, column == 0))
                .collect();
            text += padded.join("  ").trim_end();
            text.push('\n');
        }
        text
    }

    pub fn as_markdown(&self) -> String {
        let mut text = String::new();
        for (number, line) in self.0.iter().enumerate() {
            text += &format!("| {} |\n", line.join(" | "));
            if number == 0 {
                text += &format!("|---|{}\n", "--:|".repeat(line.len() - 1));
            }
        }
        text
    }

    fn widths(&self) -> Vec<usize> {
        (0..self.0[0].len())
            .map(|column| {
                let lengths = self.0.iter().map(|line| line[column].chars().count());
                lengths.max().unwrap_or(0)
            })
            .collect()
    }
}

fn pad(cell: &str, width: usize, left: bool) -> String {
    let space = " ".repeat(width - cell.chars().count());
    if left {
        cell.to_string() + &space
    } else {
        space + cell
    }
}
