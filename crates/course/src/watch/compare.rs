//! The learner's code and the solution, side by side where there is room, else one above the other.

use std::path::Path;
use std::time::Duration;

use similar::{DiffOp, TextDiff};

use crate::commands::solution;
use crate::exercises::Exercise;
use crate::starter;

use super::app::Texts;
use super::text::{Ink, Line, clean};

/// Columns from which the two stand side by side.
pub const SIDE_BY_SIDE: usize = 100;
/// Lines around a difference that are shown although they are alike.
const AROUND: usize = 3;

/// How long to look for the shortest difference between two files of any size. Then a longer one will do.
const LOOK: Duration = Duration::from_millis(500);

/// The learner's code and the solution.
///
/// # Errors
///
/// One sentence that names the file, when one of them cannot be read.
pub fn texts(root: &Path, exercise: &Exercise) -> anyhow::Result<Texts> {
    Ok(Texts {
        mine: starter::edited(exercise)?,
        solution: solution::text(root, exercise)?,
    })
}

/// What differs, as lines for a page of this width.
pub fn compare(mine: &str, solution: &str, columns: usize) -> Vec<Line> {
    let lines = |text: &str| -> Vec<String> { text.lines().map(clean).collect() };
    let (mine, solution) = (lines(mine), lines(solution));
    if mine == solution {
        return vec![Line::new(
            Ink::Good,
            "Your code is the solution, line by line.",
        )];
    }
    let (left, right): (Vec<&str>, Vec<&str>) = (
        mine.iter().map(String::as_str).collect(),
        solution.iter().map(String::as_str).collect(),
    );
    let diff = TextDiff::configure()
        .timeout(LOOK)
        .diff_slices(&left, &right);
    let mut page = match columns >= SIDE_BY_SIDE {
        true => vec![beside(
            columns,
            Some((Ink::Strong, "Your code")),
            ' ',
            Some((Ink::Strong, "The solution")),
        )],
        false => vec![Line::new(Ink::Bad, "- your code").and(Ink::Good, "   + the solution")],
    };
    let mut shown = 0;
    for group in diff.grouped_ops(AROUND) {
        let from = group.first().map_or(shown, |op| op.old_range().start);
        page.push(left_out(from - shown));
        for op in &group {
            if columns >= SIDE_BY_SIDE {
                rows_beside(&mut page, op, &left, &right, columns);
            } else {
                rows_below(&mut page, op, &left, &right);
            }
            shown = op.old_range().end;
        }
    }
    page.push(left_out(left.len() - shown));
    page
}

fn left_out(lines: usize) -> Line {
    match lines {
        0 => Line::blank(),
        1 => Line::new(Ink::Faint, "⋯ 1 line alike"),
        n => Line::new(Ink::Faint, format!("⋯ {n} lines alike")),
    }
}

fn rows_below(page: &mut Vec<Line>, op: &DiffOp, left: &[&str], right: &[&str]) {
    if let DiffOp::Equal { .. } = op {
        page.extend(
            left[op.old_range()]
                .iter()
                .map(|line| Line::new(Ink::Plain, format!("  {line}"))),
        );
        return;
    }
    let signed = |ink: Ink, sign: char, line: &str| Line::new(ink, format!("{sign} {line}"));
    page.extend(
        left[op.old_range()]
            .iter()
            .map(|line| signed(Ink::Bad, '-', line)),
    );
    page.extend(
        right[op.new_range()]
            .iter()
            .map(|line| signed(Ink::Good, '+', line)),
    );
}

fn rows_beside(page: &mut Vec<Line>, op: &DiffOp, left: &[&str], right: &[&str], columns: usize) {
    let (left, right) = (&left[op.old_range()], &right[op.new_range()]);
    let is_equal = matches!(op, DiffOp::Equal { .. });
    let (mine, solution) = match is_equal {
        true => (Ink::Plain, Ink::Plain),
        false => (Ink::Bad, Ink::Good),
    };
    for n in 0..left.len().max(right.len()) {
        let (l, r) = (left.get(n), right.get(n));
        // Read without colours, too.
        let sign = match (is_equal, l, r) {
            (true, ..) => ' ',
            (false, Some(_), Some(_)) => '|',
            (false, Some(_), None) => '<',
            (false, None, _) => '>',
        };
        page.push(beside(
            columns,
            l.map(|line| (mine, *line)),
            sign,
            r.map(|line| (solution, *line)),
        ));
    }
}

fn beside(
    columns: usize,
    left: Option<(Ink, &str)>,
    sign: char,
    right: Option<(Ink, &str)>,
) -> Line {
    let half = (columns - 3) / 2;
    let side = |side: Option<(Ink, &str)>| {
        side.map_or(Line::blank(), |(ink, text)| Line::new(ink, text))
            .fitted(half)
    };
    let mut line = side(left).and(Ink::Faint, format!(" {sign} "));
    line.pieces.extend(side(right).pieces);
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINE: &str = "use a;\n\nfn seat() {\n    todo!()\n}\n\n1\n2\n3\n4\n5\n6\n7\n8\n";
    const SOLUTION: &str =
        "use a;\n\nfn seat() {\n    lock();\n    sit()\n}\n\n1\n2\n3\n4\n5\n6\n7\n8\n";

    fn text(columns: usize) -> Vec<String> {
        compare(MINE, SOLUTION, columns)
            .iter()
            .map(|line| line.text().trim_end().to_owned())
            .collect()
    }

    #[test]
    fn a_narrow_page_has_one_above_the_other() {
        let page = text(80);
        assert!(page.contains(&"-     todo!()".to_owned()), "{page:#?}");
        assert!(page.contains(&"+     lock();".to_owned()), "{page:#?}");
        assert!(page.contains(&"  fn seat() {".to_owned()), "{page:#?}");
        assert_eq!(page.last().unwrap(), "⋯ 7 lines alike");
    }

    #[test]
    fn a_wide_page_has_them_side_by_side() {
        let page = text(120);
        let row = page.iter().find(|row| row.contains("todo!()")).unwrap();
        assert!(row.contains("|     lock();"), "{row}");
        let row = page.iter().find(|row| row.contains("sit()")).unwrap();
        assert!(row.trim_start().starts_with(">     sit()"), "{row}");
        for line in compare(MINE, SOLUTION, 120) {
            assert!(line.width() <= 120);
        }
    }

    #[test]
    fn line_endings_are_no_difference() {
        let page = compare("a\r\nb\r\n", "a\nb\n", 80);
        assert!(page[0].text().contains("is the solution"));
    }

    #[test]
    fn an_empty_file_and_long_lines_are_compared_too() {
        for columns in [40, 99, 100, 101, 200] {
            let page = compare("", &"x".repeat(5000), columns);
            assert!(page.iter().any(|line| line.text().contains("xxxx")));
        }
    }
}
