//! Text for a terminal: what anybody may print, made harmless, and fitted to a width.

use std::ops::Range;

use ratatui::style::Style;
use ratatui::text::Span;

/// What a piece of text means. How that looks is for [`draw`](super::draw) to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ink {
    /// As it is.
    #[default]
    Plain,
    /// What matters most.
    Strong,
    /// What matters least.
    Faint,
    /// Right.
    Good,
    /// Wrong.
    Bad,
    /// To be looked at.
    Warn,
    /// A key to press, a place to go.
    Key,
}

/// A line of inked pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The pieces, from left to right.
    pub pieces: Vec<(Ink, String)>,
    /// The column below which it goes on where it needs more rows. `None`: where it begins.
    pub hang: Option<usize>,
}

impl Line {
    /// An empty line.
    pub fn blank() -> Line {
        Line::default()
    }

    /// A line in one ink.
    pub fn new(ink: Ink, text: impl Into<String>) -> Line {
        Line::default().and(ink, text)
    }

    /// The same with a piece more.
    #[must_use]
    pub fn and(mut self, ink: Ink, text: impl Into<String>) -> Line {
        self.pieces.push((ink, text.into()));
        self
    }

    /// The same, and its further rows begin at this column.
    #[must_use]
    pub fn hanging(mut self, column: usize) -> Line {
        self.hang = Some(column);
        self
    }

    /// What it says.
    pub fn text(&self) -> String {
        self.pieces.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// How many columns it takes.
    pub fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| width(text)).sum()
    }

    /// Cut at the width, with a mark where something is missing; filled with spaces up to it.
    pub fn fitted(&self, columns: usize) -> Line {
        let mut line = self.cut(columns);
        let missing = columns.saturating_sub(line.width());
        line.pieces.push((Ink::Plain, " ".repeat(missing)));
        line
    }

    /// Cut at the width, with a mark where something is missing.
    pub fn cut(&self, columns: usize) -> Line {
        if self.width() <= columns {
            return self.clone();
        }
        if columns == 0 {
            return Line::blank();
        }
        let mut line = Line::blank();
        let mut room = columns - 1;
        for (ink, text) in &self.pieces {
            let mut end = 0;
            for (range, columns) in clusters(text) {
                if columns > room {
                    room = 0;
                    break;
                }
                room -= columns;
                end = range.end;
            }
            line.pieces.push((*ink, text[..end].to_owned()));
            if end < text.len() {
                break;
            }
        }
        line.and(Ink::Faint, "…")
    }

    /// In as many rows as it needs, broken between words where that is possible. What goes on is indented like the beginning, or
    /// as far as it hangs.
    pub fn wrapped(&self, columns: usize) -> Vec<Line> {
        if columns == 0 || self.width() <= columns {
            return vec![self.clone()];
        }
        let text = self.text();
        let clusters = clusters(&text);
        let leading = text.len() - text.trim_start().len();
        let indent = match columns {
            0..8 => 0,
            _ => self
                .hang
                .unwrap_or_else(|| width(&text[..leading]))
                .min(columns / 2),
        };
        let mut rows = Vec::new();
        let (mut start, mut used, mut at) = (0, 0, 0);
        // Where the row could end, and where the next would begin.
        let mut gap: Option<(usize, usize)> = None;
        while at < clusters.len() {
            let (range, wide) = &clusters[at];
            if used + wide > columns && range.start > start {
                let is_space = &text[range.clone()] == " ";
                let (end, next) = match gap {
                    _ if is_space => (range.start, range.end),
                    Some(gap) => gap,
                    None => (range.start, range.start),
                };
                rows.push(self.slice(start..end, if rows.is_empty() { 0 } else { indent }));
                start = next;
                used = indent;
                gap = None;
                at = clusters.partition_point(|(range, _)| range.start < start);
                continue;
            }
            if &text[range.clone()] == " " && range.start >= leading && range.start > start {
                gap = Some((range.start, range.end));
            }
            used += wide;
            at += 1;
        }
        if start < text.len() || rows.is_empty() {
            rows.push(self.slice(start..text.len(), if rows.is_empty() { 0 } else { indent }));
        }
        rows
    }

    fn slice(&self, range: Range<usize>, indent: usize) -> Line {
        let mut line = Line::blank();
        if indent > 0 {
            line.pieces.push((Ink::Plain, " ".repeat(indent)));
        }
        let mut from = 0;
        for (ink, text) in &self.pieces {
            let to = from + text.len();
            let (a, b) = (range.start.max(from), range.end.min(to));
            if a < b {
                line.pieces
                    .push((*ink, text[a - from..b - from].to_owned()));
            }
            from = to;
        }
        line
    }
}

/// How many columns a text takes.
pub fn width(text: &str) -> usize {
    if is_simple(text) {
        text.len()
    } else {
        Span::raw(text).width()
    }
}

/// No byte of such a text is a control character, and each is a column.
fn is_simple(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// The places of what is drawn together, and the columns that each takes.
fn clusters(text: &str) -> Vec<(Range<usize>, usize)> {
    if is_simple(text) {
        return (0..text.len()).map(|n| (n..n + 1, 1)).collect();
    }
    let span = Span::raw(text);
    span.styled_graphemes(Style::new())
        .map(|cluster| {
            let start = cluster.symbol.as_ptr() as usize - text.as_ptr() as usize;
            (
                start..start + cluster.symbol.len(),
                Span::raw(cluster.symbol).width(),
            )
        })
        .collect()
}

/// Characters of a line that are looked at. A program may print a gigabyte without a line break; nobody reads it.
const LONGEST: usize = 2000;

/// A line as a terminal may show it: no escape sequences, no control characters, tabs as spaces, and an end.
pub fn clean(line: &str) -> String {
    let mut clean = String::with_capacity(line.len().min(LONGEST));
    let mut columns = 0;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if columns == LONGEST {
            clean.push('…');
            break;
        }
        match c {
            '\u{1b}' => match chars.next() {
                // Colours, cursor movements: parameters, then one letter.
                Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
                // Titles, links: up to a bell or an escaped backslash.
                Some(']' | 'P' | '_' | '^' | 'X') => {
                    while let Some(c) = chars.next() {
                        if c == '\u{7}' {
                            break;
                        }
                        if c == '\u{1b}' {
                            chars.next_if_eq(&'\\');
                            break;
                        }
                    }
                }
                _ => {}
            },
            '\t' => {
                let spaces = 4 - columns % 4;
                clean.extend(std::iter::repeat_n(' ', spaces));
                columns += spaces;
            }
            c if c.is_control() => {}
            // They turn the reading direction of everything after them.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c => {
                clean.push(c);
                columns += 1;
            }
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, columns: usize) -> Vec<String> {
        let rows = Line::new(Ink::Plain, text).wrapped(columns);
        rows.iter().map(Line::text).collect()
    }

    #[test]
    fn lines_break_between_words_and_keep_their_indent() {
        assert_eq!(
            wrapped("a party comes, and WaitBot wants to clear", 16),
            ["a party comes,", "and WaitBot", "wants to clear"]
        );
        assert_eq!(wrapped("  one two three", 9), ["  one two", "  three"]);
        assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("abcd efgh", 4), ["abcd", "efgh"]);
        assert_eq!(wrapped("", 4), [""]);
        assert_eq!(wrapped("abc", 0), ["abc"]);
    }

    #[test]
    fn every_row_fits_whatever_the_text() {
        let texts = [
            "soufflé, 桌子 and 👨‍👩‍👧 at table 2, over and over again",
            "                                     far to the right",
            "桌桌桌桌桌桌桌桌",
            "a\u{301}e\u{301}o\u{301}a\u{301}e\u{301}o\u{301}",
            &"x ".repeat(300),
            &" ".repeat(300),
        ];
        for text in texts {
            for columns in 2..40 {
                let rows = Line::new(Ink::Plain, text).wrapped(columns);
                for row in &rows {
                    assert!(row.width() <= columns, "{columns}: {:?}", row.text());
                }
                let kept = |text: &str| text.split_whitespace().collect::<String>();
                let all: String = rows.iter().map(Line::text).collect();
                assert_eq!(kept(&all), kept(text), "{columns}");
            }
        }
    }

    #[test]
    fn inks_stay_with_their_words() {
        let line = Line::new(Ink::Bad, "wrong ").and(Ink::Good, "right");
        let rows = line.wrapped(6);
        assert_eq!(rows[0].pieces, [(Ink::Bad, "wrong".to_owned())]);
        assert_eq!(rows[1].pieces, [(Ink::Good, "right".to_owned())]);
    }

    #[test]
    fn a_cut_line_says_that_something_is_missing() {
        let line = Line::new(Ink::Plain, "table 2").and(Ink::Bad, " is 桌子");
        assert_eq!(line.cut(40), line);
        assert_eq!(line.cut(5).text(), "tabl…");
        assert_eq!(line.cut(1).text(), "…");
        assert_eq!(line.cut(0).text(), "");
        // A wide character that would stick out by half is left out whole.
        assert_eq!(line.cut(14).text(), "table 2 is 桌…");
        assert_eq!(line.cut(13).text(), "table 2 is …");
        for columns in 0..20 {
            assert_eq!(line.fitted(columns).width(), columns);
        }
    }

    #[test]
    fn what_a_program_prints_cannot_move_the_cursor() {
        assert_eq!(clean("\u{1b}[31merror\u{1b}[0m: \u{1b}[2Jno"), "error: no");
        assert_eq!(clean("\u{1b}]0;title\u{7}text"), "text");
        assert_eq!(
            clean("\u{1b}]8;;file:x\u{1b}\\link\u{1b}]8;;\u{1b}\\"),
            "link"
        );
        assert_eq!(clean("a\rb\u{8}c\u{0}"), "abc");
        assert_eq!(clean("a\tb"), "a   b");
        assert_eq!(clean("\u{1b}"), "");
        assert_eq!(clean("\u{1b}[31"), "");
        assert_eq!(clean("soufflé 桌"), "soufflé 桌");
    }

    #[test]
    fn a_line_without_an_end_gets_one() {
        let long = clean(&"x".repeat(1 << 20));
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert!(long.ends_with('…'));
    }
}
