//! What goes into a workshop, as `book/workshop.toml` says it: whoever teaches may change it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::trouble::Trouble;

/// Where it stands, below the course's folder.
pub const FILE: &str = "book/workshop.toml";

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workshop {
    /// What goes in, from the top.
    pub order: Vec<Step>,
    /// The time to arrive in.
    pub welcome: Welcome,
    /// Of each hundred minutes, so many are kept free at the end.
    pub free: u32,
    /// When nobody has to sit.
    pub breaks: Breaks,
    /// The sections that make a chapter short.
    #[serde(default)]
    pub short: BTreeMap<ChapterKey, Vec<String>>,
    /// The chapters without which another makes no sense.
    #[serde(default)]
    pub needs: BTreeMap<ChapterKey, Vec<u32>>,
}

/// The time to arrive in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Welcome {
    /// How long it is.
    pub minutes: u32,
    /// The length of a workshop from which on there is one.
    pub from: u32,
}

/// When nobody has to sit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breaks {
    /// The longest time without a break.
    pub longest: u32,
    /// How long a break is.
    pub minutes: u32,
    /// How long lunch is.
    pub lunch: u32,
    /// The length of a workshop from which on one break is lunch.
    pub lunch_from: u32,
}

/// A chapter's number, where it is a key.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "String")]
pub struct ChapterKey(pub u32);

impl TryFrom<String> for ChapterKey {
    type Error = String;

    fn try_from(text: String) -> Result<ChapterKey, String> {
        let number = text.parse();
        number
            .map(ChapterKey)
            .map_err(|_| format!("{text:?} is no chapter's number"))
    }
}

/// One line of the order.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub enum Step {
    /// `"3"`: all of a chapter.
    Whole(u32),
    /// `"3 short"`: those of its sections that make it short.
    Short(u32),
    /// `"exercise 03"`.
    Exercise(String),
}

impl TryFrom<String> for Step {
    type Error = String;

    fn try_from(text: String) -> Result<Step, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let step = match words.as_slice() {
            ["exercise", number] => number
                .parse()
                .ok()
                .map(|number: u32| Step::Exercise(format!("{number:02}"))),
            [number, "short"] => number.parse().ok().map(Step::Short),
            [number] => number.parse().ok().map(Step::Whole),
            _ => None,
        };
        step.ok_or_else(|| {
            format!("{text:?} should read like \"3\", \"3 short\" or \"exercise 03\"")
        })
    }
}

/// Reads it.
///
/// # Errors
///
/// One sentence that names the file and the line.
pub fn read(root: &Path) -> anyhow::Result<Workshop> {
    let file = root.join(FILE);
    let text = fs::read_to_string(&file).map_err(|error| {
        Trouble::environment(format!(
            "{} cannot be read ({error}); it says what goes into a workshop.",
            file.display()
        ))
    })?;
    parse(&text).map_err(Trouble::environment)
}

/// The same for its text.
///
/// # Errors
///
/// One sentence that names the line.
pub fn parse(text: &str) -> Result<Workshop, String> {
    let workshop: Workshop = toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        format!(
            "{FILE}:{line} is not as it should be: {}.",
            error.message().trim_end_matches('.')
        )
    })?;
    let breaks = &workshop.breaks;
    if breaks.minutes == 0 || breaks.longest == 0 {
        return Err(format!(
            "{FILE}: a break, and the longest time without one, are at least a minute."
        ));
    }
    if workshop.free > 90 {
        return Err(format!(
            "{FILE}: free is {} of each hundred minutes, and the most is 90.",
            workshop.free
        ));
    }
    Ok(workshop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "order = [\"3 short\", \"exercise 3\", \"3\"]\nwelcome = { minutes = 5, from = 60 }\nfree = 5\n[breaks]\nlongest = 65\nminutes = 10\nlunch = 45\nlunch_from = 300\n[short]\n3 = [\"a\"]\n";

    #[test]
    fn it_is_read() {
        let workshop = parse(TEXT).unwrap();
        assert_eq!(
            workshop.order,
            [Step::Short(3), Step::Exercise("03".into()), Step::Whole(3)]
        );
        assert_eq!(workshop.short[&ChapterKey(3)], ["a"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (change, to, words) in [
            (
                "\"3 short\"",
                "\"3 quick\"",
                "toml:1 is not as it should be: \"3 quick\" should read like",
            ),
            (
                "free = 5",
                "fre = 5",
                "toml:3 is not as it should be: unknown field `fre`",
            ),
            ("free = 5", "free = 95", "the most is 90"),
            (
                "free = 5",
                "free = \"5\"",
                "toml:3 is not as it should be: invalid type",
            ),
            ("3 = [", "ch3 = [", "\"ch3\" is no chapter's number"),
            ("minutes = 10", "minutes = 0", "at least a minute"),
        ] {
            let said = parse(&TEXT.replacen(change, to, 1)).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }
}
