//! What whatif writes when `WHATIF_RECORD` names a file: the runs that a test has told, one after the other.
//!
//! A line of that file is a word and what belongs to it, with tabs between. `whatif::record` documents the words; one that
//! is not known here is passed over, so a newer whatif may say more.

use std::mem;

/// The newest version of the file that is read here.
const VERSION: &str = "1";

/// One run, as its story tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The name of the check.
    pub check: String,
    /// The test that asked for it, if its name is known.
    pub test: String,
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
    /// How often a robot had to wait that could have gone on.
    pub preemptions: usize,
    /// How many schedules had been tried. 0 outside of a search.
    pub schedules: usize,
    /// Steps left out at the front.
    pub left_out: usize,
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
    let mut stories = Vec::new();
    let mut story: Option<Told> = None;
    for (n, line) in text.lines().enumerate() {
        let fields: Vec<String> = line.split('\t').map(plain).collect();
        let damaged = || format!("line {} is damaged: {line:?}", n + 1);
        let (word, rest) = fields.split_first().ok_or_else(damaged)?;
        if word == "whatif" {
            match rest {
                [version] if version == VERSION => story = Some(Told::default()),
                [version] => return Err(format!("a newer whatif wrote this (version {version})")),
                _ => return Err(damaged()),
            }
            continue;
        }
        let Some(told) = &mut story else {
            return Err("this is not a run that whatif has recorded".to_owned());
        };
        match (word.as_str(), rest) {
            ("check", [name]) => told.check = name.clone(),
            ("test", [name]) => told.test = name.clone(),
            ("ending", [ending]) => {
                told.good = ending == "AllWell";
                told.ending = ending.clone();
            }
            ("rule", [rule]) => told.rule = rule.clone(),
            ("advice", [advice]) => told.advice = advice.clone(),
            ("schedule", [id]) => told.schedule = id.clone(),
            ("preemptions", [count]) => told.preemptions = count.parse().map_err(|_| damaged())?,
            ("schedules", [count]) => told.schedules = count.parse().map_err(|_| damaged())?,
            ("left-out", [count]) => told.left_out = count.parse().map_err(|_| damaged())?,
            ("line", [turn, robot, text, place, mark @ ..]) => told.lines.push(Line {
                turn: match turn.as_str() {
                    "-" => Turn::ForEver,
                    step => Turn::Step(step.parse().map_err(|_| damaged())?),
                },
                robot: robot.clone(),
                text: text.clone(),
                place: place.clone(),
                marked: mark.iter().any(|mark| mark == "*"),
            }),
            ("end", _) => stories.push(mem::take(told)),
            _ => {}
        }
        if word == "end" {
            story = None;
        }
    }
    // A test that is killed in the middle of a line leaves a story without its end: the others count.
    if stories.is_empty() {
        return Err("no run in it has an end".to_owned());
    }
    Ok(stories)
}

/// A field as it was before tabs and line breaks were written with a backslash.
fn plain(field: &str) -> String {
    let mut text = String::new();
    let mut chars = field.chars();
    while let Some(char) = chars.next() {
        match (char, char == '\\') {
            (_, true) => match chars.next() {
                Some('t') => text.push('\t'),
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            (char, false) => text.push(char),
        }
    }
    text
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub const ONE_TABLE: &str = "whatif\t1\ncheck\tone table\nending\tRuleBroken\n\
        rule\ta party sits at a table that is being cleared\nschedule\t1c\npreemptions\t0\nschedules\t3\nleft-out\t0\n\
        line\t1\tGreetBot\tsees table 2 free\texercises/03/src/lib.rs:5\n\
        line\t2\tWaitBot\tsees table 2 free\texercises/03/src/lib.rs:9\n\
        line\t3\tGreetBot\tseats the Chen party\texercises/03/src/lib.rs:5\n\
        line\t4\tWaitBot\tstarts clearing\texercises/03/src/lib.rs:9\t*\nend\n";

    pub const DEADLOCK: &str = "whatif\t1\ncheck\ttwo keys\nending\tDeadlock\n\
        rule\tdeadlock: GreetBot and WineBot wait for each other\nschedule\t2c\n\
        line\t1\tGreetBot\ttakes the cellar key\tsrc/lib.rs:5\nline\t2\tWineBot\ttakes the till key\tsrc/lib.rs:7\n\
        line\t-\tGreetBot\twaits for the till key, held by WineBot\tsrc/lib.rs:6\n\
        line\t-\tWineBot\twaits for the cellar key, held by GreetBot\tsrc/lib.rs:8\nend\n";

    pub fn one(text: &str) -> Told {
        read(text).unwrap().remove(0)
    }

    #[test]
    fn two_runs_in_one_file_are_two_stories() {
        let stories = read(&format!("{ONE_TABLE}{DEADLOCK}")).unwrap();
        assert_eq!(stories.len(), 2);
        let [table, keys] = &stories[..] else {
            unreachable!()
        };
        assert_eq!(
            (
                table.check.as_str(),
                table.schedule.as_str(),
                table.schedules
            ),
            ("one table", "1c", 3)
        );
        assert_eq!(table.lines[3].turn, Turn::Step(4));
        assert!(table.lines[3].marked && !table.lines[2].marked && !table.good);
        assert_eq!(
            (keys.ending.as_str(), keys.lines[3].turn),
            ("Deadlock", Turn::ForEver)
        );
    }

    #[test]
    fn texts_may_hold_anything() {
        let story = one("whatif\t1\nrule\ta\\tb\\nc\\\\d\nnews\tfrom the future\nend\n");
        assert_eq!(story.rule, "a\tb\nc\\d");
    }

    #[test]
    fn a_story_without_its_end_does_not_count() {
        assert_eq!(
            read(&format!("{ONE_TABLE}whatif\t1\ncheck\thalf"))
                .unwrap()
                .len(),
            1
        );
        assert_eq!(
            read("whatif\t1\ncheck\thalf").unwrap_err(),
            "no run in it has an end"
        );
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        for (text, why) in [
            ("", "no run in it has an end"),
            (
                "{\"schema\":\"loopbot-flight\"}",
                "this is not a run that whatif has recorded",
            ),
            ("whatif\t9\nend\n", "a newer whatif wrote this (version 9)"),
            (
                "whatif\t1\npreemptions\tmany\n",
                "line 2 is damaged: \"preemptions\\tmany\"",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), why);
        }
    }
}
