//! The chapters of the book, and the speaker notes with their minutes: `book/src/en/notes/chNN.md`.
//!
//! The form of a notes page is described in the book, under "For instructors". Whoever breaks it is told the file and the line.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use crate::trouble::Trouble;

/// A chapter that the book's table of contents names, and that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chapter {
    /// Its number.
    pub number: u32,
    /// Its title, without the number.
    pub title: String,
    /// Its page, relative to `book/src/en`, without `.md`: what an `exercise.toml` calls it.
    pub page: String,
}

/// What the notes of a chapter say about time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notes {
    /// The minutes that its first lines name: the sum of its sections'.
    pub minutes: u32,
    /// The sections that take time, in order.
    pub sections: Vec<Section>,
}

/// A section of a chapter, as its notes have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its heading, without minutes and id.
    pub title: String,
    /// The heading's id, on the chapter's page, too.
    pub id: String,
    /// How long it takes.
    pub minutes: u32,
}

/// What is not as it should be, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The file, below the course's folder.
    pub file: String,
    /// The line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// What, and what to do.
    pub text: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.text),
            line => write!(f, "{}:{line}: {}", self.file, self.text),
        }
    }
}

/// The chapters that are written, in the book's order.
///
/// # Errors
///
/// One sentence, when the table of contents cannot be read.
pub fn chapters(root: &Path) -> anyhow::Result<Vec<Chapter>> {
    let file = root.join("book/src/SUMMARY.md");
    let text = fs::read_to_string(&file).map_err(|error| {
        Trouble::environment(format!("{} cannot be read: {error}.", file.display()))
    })?;
    Ok(text.lines().filter_map(chapter).collect())
}

/// `- [3. One table, two parties](en/ch03-one-table-two-parties.md)`
fn chapter(line: &str) -> Option<Chapter> {
    let (name, link) = line.trim().strip_prefix("- [")?.split_once("](")?;
    let (number, title) = name.split_once(". ")?;
    Some(Chapter {
        number: number.parse().ok()?,
        title: title.to_owned(),
        page: link.strip_prefix("en/")?.strip_suffix(".md)")?.to_owned(),
    })
}

/// Where a chapter's notes are, below the course's folder.
pub fn file_of(chapter: &Chapter) -> String {
    format!("book/src/en/notes/ch{:02}.md", chapter.number)
}

/// The notes of a chapter; `None` when there are none yet.
///
/// # Errors
///
/// Everything that is not as it should be.
pub fn read(root: &Path, chapter: &Chapter) -> Result<Option<Notes>, Vec<Complaint>> {
    let file = file_of(chapter);
    let about = |file: &str, text: String| {
        vec![Complaint {
            file: file.to_owned(),
            line: 0,
            text,
        }]
    };
    let text = match fs::read_to_string(root.join(&file)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(about(&file, format!("cannot be read: {error}"))),
    };
    let page = format!("book/src/en/{}.md", chapter.page);
    let ids = fs::read_to_string(root.join(&page))
        .map(|text| ids(&text))
        .map_err(|error| about(&page, format!("cannot be read: {error}")))?;
    parse(&file, &text, chapter, &ids).map(Some)
}

/// The ids of a page's headings.
pub fn ids(page: &str) -> Vec<String> {
    headings(page)
        .filter_map(|(_, heading)| Some(split_id(heading)?.1.to_owned()))
        .collect()
}

/// Reads a notes page. `ids` are those of the chapter's own page.
///
/// # Errors
///
/// Everything that is not as it should be.
pub fn parse(
    file: &str,
    text: &str,
    chapter: &Chapter,
    ids: &[String],
) -> Result<Notes, Vec<Complaint>> {
    let mut complaints = Vec::new();
    let mut complain = |line: usize, text: String| {
        complaints.push(Complaint {
            file: file.to_owned(),
            line,
            text,
        });
    };

    let top = format!("# Notes for {}. {} {{#top}}", chapter.number, chapter.title);
    if text.lines().next().map(str::trim_end) != Some(&top) {
        complain(1, format!("the first line should be `{top}`"));
    }
    if !text.lines().any(|line| line.starts_with("Goal: ")) {
        complain(
            0,
            "no line says `Goal: ...`, what they can do afterwards".to_owned(),
        );
    }

    // **Minutes: 24**
    let mut minutes = None;
    for (n, line) in text.lines().enumerate() {
        let Some(rest) = line.trim_end().strip_prefix("**Minutes:") else {
            continue;
        };
        let number = rest
            .strip_suffix("**")
            .and_then(|rest| rest.trim().parse().ok());
        match (number, &minutes) {
            (_, Some((before, _))) => {
                complain(n + 1, format!("the minutes stand in line {before} already"));
            }
            (Some(number), None) => minutes = Some((n + 1, number)),
            (None, None) => {
                complain(
                    n + 1,
                    "the minutes should read `**Minutes: 24**`".to_owned(),
                );
                minutes = Some((n + 1, 0));
            }
        }
    }

    let (mut sections, mut furthest) = (Vec::new(), 0);
    let mut seen = BTreeMap::new();
    for (line, heading) in headings(text) {
        let Some(heading) = heading.strip_prefix("## ") else {
            continue;
        };
        let Some((heading, id)) = split_id(heading) else {
            complain(
                line,
                "the heading has no id, such as `{#the-picture}`".to_owned(),
            );
            continue;
        };
        if let Some(before) = seen.insert(id, line) {
            complain(line, format!("the id {id} stands in line {before} already"));
        }
        match split_minutes(heading) {
            Ok((title, Some(minutes))) => {
                match ids.iter().position(|known| known == id) {
                    None => complain(
                        line,
                        format!(
                            "no heading of {}.md has the id {id}, so the notes cannot follow it",
                            chapter.page
                        ),
                    ),
                    Some(place) if place < furthest => complain(
                        line,
                        format!("the section {id} comes earlier in {}.md", chapter.page),
                    ),
                    Some(place) => furthest = place,
                }
                sections.push(Section {
                    title: title.to_owned(),
                    id: id.to_owned(),
                    minutes,
                });
            }
            Ok((_, None)) => {}
            Err(()) => complain(line, "the minutes of a heading should read `(4 min)`, a whole number from 1 on, before its id".to_owned()),
        }
    }
    if !seen.contains_key("short") {
        complain(
            0,
            "there is no section `## If time is short {#short}`".to_owned(),
        );
    }

    let sum: u32 = sections.iter().map(|section| section.minutes).sum();
    match minutes {
        None => complain(
            0,
            format!("no line says `**Minutes: {sum}**`, the sum of its sections"),
        ),
        Some((line, said)) if said != sum && said != 0 => complain(
            line,
            format!("it says {said} minutes, and its sections add up to {sum}"),
        ),
        Some(_) => {}
    }
    if complaints.is_empty() {
        Ok(Notes {
            minutes: sum,
            sections,
        })
    } else {
        complaints.sort_by_key(|complaint| complaint.line);
        Err(complaints)
    }
}

/// The headings of a page, with their lines, from 1. What is in a block of code is none.
fn headings(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence = None;
    text.lines().enumerate().filter_map(move |(n, line)| {
        let start = line.trim_start();
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| start.starts_with(mark));
        match (mark, fence) {
            (Some(mark), None) => fence = Some(mark),
            (Some(mark), Some(open)) if mark == open => fence = None,
            (None, None) if line.starts_with('#') => return Some((n + 1, line.trim_end())),
            _ => {}
        }
        None
    })
}

/// `The picture (4 min) {#the-picture}` is `The picture (4 min)` and `the-picture`.
fn split_id(heading: &str) -> Option<(&str, &str)> {
    let (heading, id) = heading.strip_suffix('}')?.rsplit_once("{#")?;
    let id = id.split(' ').next()?;
    (!id.is_empty()).then_some((heading.trim_end(), id))
}

/// `The picture (4 min)` is `The picture` and 4; a heading without minutes is itself.
fn split_minutes(heading: &str) -> Result<(&str, Option<u32>), ()> {
    if let Some((title, minutes)) = heading
        .strip_suffix(" min)")
        .and_then(|rest| rest.rsplit_once(" ("))
        && let Ok(minutes @ 1..=999) = minutes.parse()
    {
        return Ok((title, Some(minutes)));
    }
    let last = heading.rsplit_once('(').map_or("", |(_, last)| last);
    match last.contains("min") && last.ends_with(')') {
        true => Err(()),
        false => Ok((heading, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn third() -> Chapter {
        Chapter {
            number: 3,
            title: "One table, two parties".into(),
            page: "ch03-one-table-two-parties".into(),
        }
    }

    const PAGE: &str = "# 3. One table, two parties {#top}\n\n## The picture {#the-picture}\n\n```markdown\n## Not {#a-heading}\n```\n\n## Look, then act {#look-then-act}\n";

    const NOTES: &str = "# Notes for 3. One table, two parties {#top}\n\n**Minutes: 9**\n\nGoal: they see it.\n\n## The picture (4 min) {#the-picture}\n\n- Say it.\n\n## Look (and act) (5 min) {#look-then-act}\n\n## The exercise {#exercise}\n\n## If time is short {#short}\n";

    fn parsed(notes: &str) -> Result<Notes, Vec<String>> {
        parse("ch03.md", notes, &third(), &ids(PAGE))
            .map_err(|all| all.iter().map(Complaint::to_string).collect())
    }

    #[track_caller]
    fn complains(change: (&str, &str), expected: &str) {
        let notes = NOTES.replacen(change.0, change.1, 1);
        assert_ne!(notes, NOTES, "nothing was changed");
        assert_eq!(parsed(&notes), Err(vec![expected.to_owned()]));
    }

    #[test]
    fn a_page_of_notes_is_read() {
        let notes = parsed(NOTES).unwrap();
        assert_eq!(notes.minutes, 9);
        let sections: Vec<_> = notes
            .sections
            .iter()
            .map(|s| (s.title.as_str(), s.id.as_str(), s.minutes))
            .collect();
        assert_eq!(
            sections,
            [
                ("The picture", "the-picture", 4),
                ("Look (and act)", "look-then-act", 5)
            ]
        );
        assert_eq!(parsed(&NOTES.replace('\n', "\r\n")), Ok(notes));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        complains(
            ("Minutes: 9", "Minutes: 10"),
            "ch03.md:3: it says 10 minutes, and its sections add up to 9",
        );
        complains(
            ("Minutes: 9", "Minutes: nine"),
            "ch03.md:3: the minutes should read `**Minutes: 24**`",
        );
        complains(
            ("**Minutes: 9**\n", ""),
            "ch03.md: no line says `**Minutes: 9**`, the sum of its sections",
        );
        complains(
            ("- Say it.", "**Minutes: 9**"),
            "ch03.md:9: the minutes stand in line 3 already",
        );
        complains(
            ("{#the-picture}", "{#a-heading}"),
            "ch03.md:7: no heading of ch03-one-table-two-parties.md has the id a-heading, so the notes cannot follow it",
        );
        complains(
            ("{#exercise}", "{#the-picture}"),
            "ch03.md:13: the id the-picture stands in line 7 already",
        );
        complains(
            ("exercise {#exercise}", "exercise"),
            "ch03.md:13: the heading has no id, such as `{#the-picture}`",
        );
        complains(
            ("exercise {#", "exercise (4 mins) {#"),
            "ch03.md:13: the minutes of a heading should read `(4 min)`, a whole number from 1 on, before its id",
        );
        complains(
            ("exercise {#", "exercise (0 min) {#"),
            "ch03.md:13: the minutes of a heading should read `(4 min)`, a whole number from 1 on, before its id",
        );
        complains(
            ("Notes for 3.", "Notes on 3."),
            "ch03.md:1: the first line should be `# Notes for 3. One table, two parties {#top}`",
        );
        complains(
            ("{#short}", "{#late}"),
            "ch03.md: there is no section `## If time is short {#short}`",
        );
        complains(
            ("Goal: ", "Goals: "),
            "ch03.md: no line says `Goal: ...`, what they can do afterwards",
        );
    }

    #[test]
    fn the_sections_stand_in_the_order_of_the_page() {
        let (picture, look) = (
            "The picture (4 min) {#the-picture}",
            "Look (and act) (5 min) {#look-then-act}",
        );
        let swapped = NOTES
            .replace(picture, "X")
            .replace(look, picture)
            .replace('X', look);
        assert_eq!(
            parsed(&swapped),
            Err(vec![
                "ch03.md:11: the section the-picture comes earlier in ch03-one-table-two-parties.md".to_owned()
            ])
        );
    }

    #[test]
    fn only_chapters_that_are_written_count() {
        let lines = [
            "- [3. One table, two parties](en/ch03-one-table-two-parties.md)",
            "- [24. Five myths, measured]()",
            "- [What it costs](en/what-it-costs.md)",
            "- [D. For instructors](en/notes/for-instructors.md)",
            "  - [Notes for 3](en/notes/ch03.md)",
        ];
        let all: Vec<_> = lines.iter().filter_map(|line| chapter(line)).collect();
        assert_eq!(all, [third()]);
    }
}
