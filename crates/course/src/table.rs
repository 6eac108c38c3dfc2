//! A table of measurements, for a terminal and for the book.

use std::fmt::Write as _;

/// A table. Its first column is words, the others are numbers.
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(title: String, head: &[&str]) -> Table {
        Table {
            title,
            head: head.iter().map(|&it| it.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn text(&self) -> String {
        let lines = || [&self.head].into_iter().chain(&self.rows);
        let width = |column: usize| lines().map(|line| line[column].chars().count()).max();
        let widths: Vec<usize> = (0..self.head.len())
            .map(|column| width(column).unwrap_or(0))
            .collect();
        let mut text = format!("\n{}\n\n", self.title);
        for line in lines() {
            let mut row = String::new();
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                let _ = match column {
                    0 => write!(row, "{cell:<width$}"),
                    _ => write!(row, "   {cell:>width$}"),
                };
            }
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text
    }

    pub(crate) fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut text = line(&self.head);
        let _ = writeln!(text, "|---|{}", "--:|".repeat(self.head.len() - 1));
        for row in &self.rows {
            match row.split_first() {
                // A heading within the table.
                Some((title, rest)) if rest.iter().all(String::is_empty) => {
                    let mut row = row.clone();
                    row[0] = format!("**{title}**");
                    text.push_str(&line(&row));
                }
                _ => text.push_str(&line(row)),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_reads_the_same_in_a_terminal_and_in_the_book() {
        let mut table = Table::new("How long".to_owned(), &["way", "ms"]);
        table
            .rows
            .push(vec!["by hand".to_owned(), "2.5".to_owned()]);
        assert_eq!(table.text(), "\nHow long\n\nway        ms\nby hand   2.5\n");
        assert_eq!(
            table.markdown(),
            "| way | ms |\n|---|--:|\n| by hand | 2.5 |\n"
        );
        table.rows.push(vec!["Others".to_owned(), String::new()]);
        assert!(table.markdown().ends_with("| **Others** |  |\n"));
        assert!(table.text().ends_with("\nOthers\n"));
    }
}
