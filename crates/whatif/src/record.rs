//! A story as a file, for whoever shows it: `WHATIF_RECORD=one-table.story cargo test one_table`.
//!
//! Text, one thing a line, its parts divided by tabs. The first line is `whatif story 1`, where 1 is
//! the version. A test may have several checks, so a story is added to what the file holds. Then:
//!
//! ```text
//! check   one table
//! ending  RuleBroken
//! rule    two parties sit at one table
//! advice  (only where there is something to try)
//! id      1c
//! preemptions  1
//! schedules    6
//! line    1  >>  GreetBot-1  sees that the table is free  src/main.rs:11
//! line    2  -   GreetBot-2  sees that the table is free  src/main.rs:11
//! ```
//!
//! One `line` for each step of the run: its number (`-` for where a robot stands at the end), `>>`
//! if it is one of those that matter or `-`, the robot, what it does, where in the source. In a text
//! there are no tabs and no line breaks: they have become spaces. `ending` is the name of an
//! [`Ending`](crate::Ending). The id is empty if there is nothing to replay. `schedules` is how many
//! had been tried, and 0 for one that was played by its id. More kinds of lines may
//! come: skip those that you do not know.

use std::fs::OpenOptions;
use std::io::Write as _;

use whatif_engine::{Line, Story, short};

/// The environment variable that holds the name of the file.
pub(crate) const VARIABLE: &str = "WHATIF_RECORD";

/// Adds the story to the file that somebody has asked for. If that does not work, says so.
pub(crate) fn write(file: &str, story: &Story) {
    let file_at_its_end = OpenOptions::new().create(true).append(true).open(file);
    if let Err(error) = file_at_its_end.and_then(|mut it| it.write_all(text(story).as_bytes())) {
        eprintln!("{VARIABLE}: cannot write the story to {file}: {error}");
    }
}

fn text(story: &Story) -> String {
    let mut text = "whatif story 1\n".to_owned();
    let mut put = |parts: &[&str]| {
        let parts: Vec<String> =
            parts.iter().map(|part| part.replace(['\t', '\n', '\r'], " ")).collect();
        text += &(parts.join("\t") + "\n");
    };
    put(&["check", &story.check]);
    put(&["ending", &format!("{:?}", story.ending)]);
    put(&["rule", &story.rule]);
    story.advice.iter().for_each(|advice| put(&["advice", advice]));
    put(&["id", &story.id]);
    put(&["preemptions", &story.preemptions.to_string()]);
    put(&["schedules", &story.schedules.to_string()]);
    let lines: Vec<&Line> = match story.whole.as_slice() {
        [] => story.lines.iter().collect(),
        whole => whole.iter().filter(|line| line.shown).collect(),
    };
    for line in lines {
        let step = line.step.map_or("-".to_owned(), |step| step.to_string());
        let mark = if line.marked || line.step.is_none() { ">>" } else { "-" };
        put(&["line", &step, mark, &line.robot, &line.text, &short(line.loc)]);
    }
    text
}
