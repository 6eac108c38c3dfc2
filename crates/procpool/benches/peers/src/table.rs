//! A table of text: padded for the terminal, as Markdown for the book. The first line is its head.

pub struct Table(pub Vec<Vec<String>>);

impl Table {
    /// Columns padded to their widths: the first two to the left, the others to the right.
    pub fn as_text(&self) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for line in &self.0 {
            let cells = line.iter().zip(&widths).enumerate();
            let padded: Vec<String> = cells
                .map(|(column, (cell, width))| {
                    let space = " ".repeat(width - cell.chars().count());
                    if column < 2 {
                        cell.to_string() + &space
                    } else {
                        space + cell
                    }
                })
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
                text += &format!("|---|---|{}\n", "--:|".repeat(line.len() - 2));
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

/// Three figures, or all before the point.
pub fn written(value: f64) -> String {
    match value.abs() {
        0.0..0.1 if value != 0.0 => format!("{value:.3}"),
        0.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
