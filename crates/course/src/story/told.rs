//! What whatif writes when `WHATIF_RECORD` names a file: the runs that a test has told, one after the other.
//!
//! A line of that file is a word and what belongs to it, with tabs between; each story begins with a line of its own.
//! `whatif`'s `record.rs` documents the words. One that is not known here is passed over, so a newer whatif may say more.

/// The first line of a story, up to the version; and the version that is read here.
const FIRST: &str = "whatif story ";
const VERSION: &str = "1";

/// One run, as its story tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The name of the check.
    pub check: String,
    /// How it ended, as `whatif::Ending` spells it.
    pub ending: String,
    /// Whether nothing went wrong: a schedule was replayed that is all right now.
    pub good: bool,
    /// What went wrong, in a sentence.
    pub rule: String,
    /// What to try next, where there is something to say.
    pub advice: String,
    /// The schedule: with it the run can be played again.
    pub schedule: String,
    /// How often a robot had to wait that could have gone on, if somebody has counted.
    pub preemptions: Option<usize>,
    /// How many schedules had been tried. 0 outside of a search.
    pub schedules: usize,
    /// Who did what.
    pub lines: Vec<Line>,
}

/// One line of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whether it is a step, or where a robot stands at the end.
    pub turn: Turn,
    /// The robot.
    pub robot: String,
    /// What it does.
    pub text: String,
    /// The source line, `file:line`.
    pub place: String,
    /// The line at which it goes wrong.
    pub marked: bool,
}

/// When a line of a story happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The step of this number, from 1.
    Step(usize),
    /// From now on, without an end.
    ForEver,
}

/// Reads such a file.
///
/// # Errors
///
/// What is wrong with it, in words that can follow the file's name.
pub fn read(text: &str) -> Result<Vec<Told>, String> {
    let mut stories: Vec<Told> = Vec::new();
    for (n, line) in text.lines().enumerate() {
        if let Some(version) = line.strip_prefix(FIRST) {
            if version != VERSION {
                return Err(format!("a newer whatif wrote this (version {version})"));
            }
            stories.push(Told::default());
            continue;
        }
        let Some(told) = stories.last_mut() else {
            return Err(NO_STORY.to_owned());
        };
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |text: &str| {
            text.parse()
                .map_err(|_| format!("line {} is damaged: {line:?}", n + 1))
        };
        match fields.as_slice() {
            ["check", name] => told.check = (*name).to_owned(),
            ["ending", ending] => {
                told.good = *ending == "AllWell";
                told.ending = (*ending).to_owned();
            }
            ["rule", rule] => told.rule = (*rule).to_owned(),
            ["advice", advice] => told.advice = (*advice).to_owned(),
            ["id", id] => told.schedule = (*id).to_owned(),
            ["preemptions", count] => told.preemptions = Some(number(count)?),
            ["schedules", count] => told.schedules = number(count)?,
            ["line", step, mark, robot, text, place] => told.lines.push(Line {
                turn: match *step {
                    "-" => Turn::ForEver,
                    step => Turn::Step(number(step)?),
                },
                robot: (*robot).to_owned(),
                text: (*text).to_owned(),
                place: (*place).to_owned(),
                marked: *mark == ">>",
            }),
            _ => {}
        }
    }
    // Nothing begins without its rule, so a story that has none is one whose test was killed while it told it.
    stories.retain(|told| !told.rule.is_empty());
    if stories.is_empty() {
        return Err(NO_STORY.to_owned());
    }
    Ok(stories)
}

const NO_STORY: &str = "this is not a run that whatif has recorded";

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Two stories: a broken rule, and a deadlock.
    pub const SAMPLE: &str = include_str!("sample.txt");

    pub fn table() -> Told {
        read(SAMPLE).unwrap().swap_remove(0)
    }

    pub fn keys() -> Told {
        read(SAMPLE).unwrap().swap_remove(1)
    }

    #[test]
    fn two_runs_in_one_file_are_two_stories() {
        assert_eq!(read(SAMPLE).unwrap().len(), 2);
        let (table, keys) = (table(), keys());
        assert_eq!(
            (
                table.check.as_str(),
                table.schedule.as_str(),
                table.schedules
            ),
            ("one table", "1c", 3)
        );
        assert_eq!((table.preemptions, keys.preemptions), (Some(0), None));
        assert_eq!(table.lines[3].turn, Turn::Step(4));
        assert!(table.lines[3].marked && !table.lines[2].marked && !table.good);
        assert_eq!(
            (keys.ending.as_str(), keys.lines[3].turn),
            ("Deadlock", Turn::ForEver)
        );
    }

    #[test]
    fn words_that_are_not_known_are_passed_over() {
        let text = format!("{SAMPLE}news\tfrom\tthe future\n\n");
        assert_eq!(read(&text).unwrap(), read(SAMPLE).unwrap());
    }

    #[test]
    fn a_story_that_was_cut_off_does_not_count() {
        let text = format!("{SAMPLE}whatif story 1\ncheck\thalf");
        assert_eq!(read(&text).unwrap().len(), 2);
        assert_eq!(read("whatif story 1\ncheck\thalf").unwrap_err(), NO_STORY);
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        for (text, why) in [
            ("", NO_STORY),
            ("{\"schema\":\"loopbot-flight\"}", NO_STORY),
            (
                "whatif story 9\nrule\tx\n",
                "a newer whatif wrote this (version 9)",
            ),
            (
                "whatif story 1\npreemptions\tmany\n",
                "line 2 is damaged: \"preemptions\\tmany\"",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), why);
        }
    }
}
