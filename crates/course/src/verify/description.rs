//! What can be seen of an exercise without running it: its description, its manifests, its starter, and what its author has not
//! written yet. Everything is told at once, not the first thing only.

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::answers::{self, MUST_FAIL, Shelf, WrongAnswer};
use super::complaint::{About, Complaint};
use super::packages::{has_harness, read, test_files};
use crate::commands::place;
use crate::exercises::Exercise;
use crate::members;
use crate::starter;

/// What stands where an author still has to write something. `course new-exercise` leaves it.
pub const TO_WRITE: &str = "TO WRITE";

/// More lines above what a learner has to write nobody reads.
const MOST_ABOVE: usize = 60;
/// With this line, a test program ends whatever learners write.
const CONTAINED: &str = "contained::tests!();";
/// Fewer wrong answers do not say what a test is worth.
const FEWEST_WRONG: usize = 3;

/// What the files of an exercise say.
#[derive(Debug, Default)]
pub struct Seen {
    /// What is wrong.
    pub complaints: Vec<Complaint>,
    /// What was left out, and why.
    pub notes: Vec<String>,
    /// The wrong answers that can be run.
    pub wrong: Vec<WrongAnswer>,
    /// Whether there is enough to run anything at all.
    pub can_run: bool,
}

/// Looks at an exercise. Where `starters_required`, nobody may have worked on it.
pub fn look(root: &Path, exercise: &Exercise, starters_required: bool) -> Seen {
    let mut eye = Eye {
        root,
        exercise,
        solution: starter::solution_folder(root, exercise),
        seen: Seen::default(),
    };
    eye.texts();
    eye.files_named();
    eye.chapter();
    let has_manifests = eye.manifests(starters_required);
    eye.listed();
    let has_tests = eye.tests();
    let has_starter = eye.starter(starters_required);
    eye.wrong_answers();
    eye.unwritten();
    let right = eye.solution.join("src").join("lib.rs");
    if !right.is_file() {
        let place = eye.place(&right);
        eye.complain(place, "There is no solution.", "Write it: a learner who has passed compares their own with it, and it proves that the test can be passed.");
    }
    eye.seen.can_run = has_manifests && has_tests && has_starter && right.is_file();
    eye.seen
}

struct Eye<'a> {
    root: &'a Path,
    exercise: &'a Exercise,
    solution: PathBuf,
    seen: Seen,
}

impl Eye<'_> {
    fn complain(
        &mut self,
        place: impl Into<String>,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        let complaint = Complaint::new(About::Description, place, what, mend);
        self.seen.complaints.push(complaint);
    }

    fn place(&self, path: &Path) -> String {
        place(self.root, path)
    }

    fn description(&self) -> String {
        self.place(&self.exercise.folder.join("exercise.toml"))
    }

    /// What a learner reads.
    fn texts(&mut self) {
        let (exercise, place) = (self.exercise, self.description());
        let hints = exercise.hints.len();
        if hints != 3 {
            self.complain(
                &place,
                format!("There are {hints} hints, and a learner expects three."),
                "The first is a question, the second the concept with its page, the third nearly the code.",
            );
        }
        for (n, hint) in exercise.hints.iter().enumerate() {
            if hint.trim().is_empty() {
                self.complain(&place, format!("Hint {} is empty.", n + 1), "Write it.");
            }
        }
        for (what, text) in [("title", &exercise.title), ("after", &exercise.after)] {
            if text.trim().is_empty() {
                self.complain(&place, format!("`{what}` is empty."), "Write it.");
            }
        }
        let minutes = exercise.minutes;
        if !(5..=30).contains(&minutes) {
            self.complain(
                &place,
                format!("{minutes} minutes is no length for an exercise."),
                "Make it one of 5 to 30 minutes: cut it, or put two into one.",
            );
        }
        let beliefs = &exercise.misconceptions;
        if beliefs.is_empty() || beliefs.iter().any(|belief| belief.says.trim().is_empty()) {
            self.complain(
                &place,
                "It names no misconception, or an empty one.",
                "Say what a learner may believe before, and will not believe after: `misconceptions = [{ id = 6, says = \"...\" }]`.",
            );
        }
    }

    /// The pages and sources that the texts name.
    fn files_named(&mut self) {
        let exercise = self.exercise;
        for text in exercise.hints.iter().chain([&exercise.after]) {
            for path in course_files(text) {
                if !self.root.join(path).is_file() {
                    let place = self.description();
                    self.complain(
                        place,
                        format!("It names {path}, which is not there."),
                        "Correct the path.",
                    );
                }
            }
        }
    }

    fn chapter(&mut self) {
        let chapter = &self.exercise.chapter;
        if chapter.contains(TO_WRITE) {
            return;
        }
        let page = format!("book/src/en/{chapter}.md");
        if !self.root.join(&page).is_file() {
            let place = self.description();
            self.complain(
                place,
                format!("Its chapter {page} is not there."),
                "Write the chapter, or name another one: `chapter` is the page's name without `.md`.",
            );
        }
    }

    /// Both packages are called as they should be, and depend on the same things. `false`: nothing can be made of them.
    fn manifests(&mut self, starters_required: bool) -> bool {
        let number = self.exercise.number.clone();
        let files = [&self.exercise.folder, &self.solution].map(|it| it.join("Cargo.toml"));
        let mut tables = Vec::new();
        for (file, name) in files.iter().zip(["exercise", "solution"]) {
            let place = self.place(file);
            let manifest = match read(file) {
                Ok(manifest) => manifest,
                Err(error) => {
                    self.complain(
                        place,
                        format!("It cannot be read: {}.", error.root_cause()),
                        "`cargo course new-exercise` shows what it should look like.",
                    );
                    continue;
                }
            };
            let package = format!("{name}-{number}");
            let library = format!("exercise_{number}");
            for (section, wanted) in [("package", &package), ("lib", &library)] {
                let found = manifest
                    .get(section)
                    .and_then(|it| it.get("name")?.as_str());
                if found != Some(wanted) {
                    self.complain(
                        &place,
                        format!("[{section}] must have the name {wanted}."),
                        format!("Write `name = \"{wanted}\"` there."),
                    );
                }
            }
            tables.push(manifest);
        }
        let [exercise, solution] = tables.as_slice() else {
            return false;
        };
        let differs = differences(exercise, solution);
        let place = self.place(&files[0]);
        if !differs.is_empty() && (starters_required || !self.is_edited()) {
            for section in differs {
                self.complain(
                    &place,
                    format!("[{section}] is not as in the solution's."),
                    "A learner must be able to write the solution: make them the same.",
                );
            }
        }
        self.harness(exercise, solution);
        solution.contains_key("lib")
    }

    /// Cargo knows both packages.
    fn listed(&mut self) {
        let folder = self.exercise.folder.file_name().unwrap_or_default();
        for package in members::missing(self.root, &folder.to_string_lossy()) {
            self.complain(
                "Cargo.toml",
                format!("{package} is not among the members, so cargo does not know it."),
                format!("Add a line `\"{package}\",` there; a solution stands among the default-members, too."),
            );
        }
    }

    /// The solution runs the exercise's test files, each with the same harness.
    fn harness(&mut self, exercise: &Table, solution: &Table) {
        let files = test_files(&self.exercise.folder).unwrap_or_default();
        let place = self.place(&self.solution.join("Cargo.toml"));
        for file in files {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            let wanted = format!("../../{}", self.place(&file));
            let tests = solution.get("test").and_then(Value::as_array);
            let runs = tests.into_iter().flatten().any(|test| {
                test.get("path").and_then(Value::as_str) == Some(&wanted)
                    && test.get("name").and_then(Value::as_str) == Some(&name)
            });
            if !runs {
                self.complain(
                    &place,
                    format!("The solution does not run {}.", self.place(&file)),
                    format!("Add [[test]] with `name = \"{name}\"` and `path = \"{wanted}\"`."),
                );
            } else if has_harness(exercise, &name) != has_harness(solution, &name) {
                self.complain(
                    &place,
                    format!("`harness` of the test {name} is not as in the exercise's manifest."),
                    "A test with a main of its own says `harness = false` in both.",
                );
            }
        }
    }

    fn tests(&mut self) -> bool {
        let place = self.place(&self.exercise.folder.join("tests"));
        let tests = match test_files(&self.exercise.folder) {
            Ok(tests) => tests,
            Err(error) => {
                self.complain(&place, format!("{error:#}."), "Make it readable.");
                return false;
            }
        };
        if tests.is_empty() {
            self.complain(
                &place,
                "There is no test.",
                "Write one file that serves the starter, the solution and every wrong answer.",
            );
        }
        for file in &tests {
            let text = fs::read_to_string(file).unwrap_or_default();
            if !text.lines().any(|line| line.trim() == CONTAINED) {
                let place = self.place(file);
                self.complain(
                    place,
                    "A learner's endless loop would hang under `cargo test`.",
                    format!("Add the line `{CONTAINED}`, and contained to the dev-dependencies of both packages."),
                );
            }
        }
        !tests.is_empty()
    }

    fn is_edited(&self) -> bool {
        starter::is_edited(self.root, self.exercise)
    }

    /// The starter as it is shipped, and the file in the learner's hands. `false`: there is none.
    fn starter(&mut self, starters_required: bool) -> bool {
        let shipped = starter::shipped_file(self.root, self.exercise);
        let edited = starter::edited_file(self.exercise);
        let (shipped_place, edited_place) = (self.place(&shipped), self.place(&edited));
        let copy = format!(
            "When the starter is written, copy it: {edited_place} and {shipped_place} must be the same."
        );
        let Ok(text) = fs::read_to_string(&shipped) else {
            self.complain(shipped_place, "There is no copy of the starter.", copy);
            return false;
        };
        match text.lines().position(|line| line.contains("todo!(")) {
            Some(above) if above > MOST_ABOVE => self.complain(
                &shipped_place,
                format!("There are {above} lines above the first `todo!`."),
                format!(
                    "Nobody reads more than {MOST_ABOVE}: move something into a crate, or below."
                ),
            ),
            Some(_) => {}
            None => self.complain(
                &shipped_place,
                "There is nothing to write.",
                "Mark it with `todo!(\"... First hint: cargo course hint NN\")`.",
            ),
        }
        if self.is_edited() {
            if starters_required {
                self.complain(
                    edited_place,
                    format!("It is not the starter {shipped_place}."),
                    format!(
                        "If it was edited by mistake: `cargo course reset {}`. {copy}",
                        self.exercise.number
                    ),
                );
            } else {
                self.seen.notes.push(format!(
                    "{edited_place} has been worked on, so it is left alone; the starter that is verified is {shipped_place}."
                ));
            }
        }
        true
    }

    fn wrong_answers(&mut self) {
        let folder = self.solution.join("wrong");
        let place = self.place(&folder);
        let Shelf {
            answers,
            unsaid,
            misnamed,
            untold,
        } = match answers::read(&folder) {
            Ok(shelf) => shelf,
            Err((path, error)) => {
                let place = self.place(&path);
                self.complain(
                    place,
                    format!("It cannot be read: {error}."),
                    "Make it readable.",
                );
                return;
            }
        };
        for path in unsaid {
            let place = self.place(&path);
            self.complain(
                place,
                "It does not say how it must fail.",
                format!("Its first line is `{MUST_FAIL}<what a learner must read>`."),
            );
        }
        for path in misnamed {
            let place = self.place(&path);
            self.complain(
                place,
                "A package is named after it, and this is no name for one.",
                "Call it what it gets wrong, in lower-case letters, digits and underscores: looks_only_once.rs.",
            );
        }
        for path in untold {
            let place = self.place(&path);
            self.complain(
                place,
                "It is the story of a wrong answer that is not there.",
                "Call both the same, with .rs and .txt.",
            );
        }
        let few = answers.len();
        if few < FEWEST_WRONG {
            let has = match few {
                0 => "There is no wrong answer".to_owned(),
                1 => "There is 1 wrong answer".to_owned(),
                few => format!("There are {few} wrong answers"),
            };
            self.complain(
                place,
                format!("{has}, and at least three are needed."),
                "Write what people really get wrong: each a whole lib.rs.",
            );
        }
        self.seen.wrong = answers;
    }

    /// Every place that is marked as not written yet.
    fn unwritten(&mut self) {
        let mut files = vec![
            self.exercise.folder.join("Cargo.toml"),
            self.exercise.folder.join("exercise.toml"),
            self.solution.join("Cargo.toml"),
            self.solution.join("starter.rs"),
            self.solution.join("src").join("lib.rs"),
        ];
        files.extend(test_files(&self.exercise.folder).unwrap_or_default());
        files.extend(self.seen.wrong.iter().map(|answer| answer.source.clone()));
        for file in files {
            let text = fs::read_to_string(&file).unwrap_or_default();
            for (line, what) in unwritten(&text) {
                let place = format!("{}:{line}", self.place(&file));
                self.complain(
                    place,
                    format!("This is not written yet: {what}"),
                    format!("Write it, and take the mark {TO_WRITE:?} away."),
                );
            }
        }
    }
}

/// Lines with the mark: their numbers, and what is to be written there.
fn unwritten(text: &str) -> impl Iterator<Item = (usize, String)> {
    text.lines().enumerate().filter_map(|(at, line)| {
        let (_, what) = line.split_once(TO_WRITE)?;
        let what = what
            .trim_start_matches(':')
            .trim()
            .trim_end_matches([',', '"', '}', ' ']);
        let end = if what.ends_with(['.', '?', '!']) {
            ""
        } else {
            "."
        };
        Some((at + 1, format!("{what}{end}")))
    })
}

/// Sections in which the manifest of an exercise is not that of its solution. The solution may have tests of its own, and
/// dependencies for them.
fn differences(exercise: &Table, solution: &Table) -> Vec<&'static str> {
    let section = |manifest: &Table, name| match manifest.get(name) {
        Some(Value::Table(section)) => section.clone(),
        _ => Table::new(),
    };
    let mut differ = Vec::new();
    for name in ["dependencies", "target", "features"] {
        if section(exercise, name) != section(solution, name) {
            differ.push(name);
        }
    }
    let all = section(solution, "dev-dependencies");
    let name = "dev-dependencies";
    if section(exercise, name)
        .iter()
        .any(|(key, value)| all.get(key) != Some(value))
    {
        differ.push(name);
    }
    differ
}

/// The pages and sources that a text names, by their place in the course.
fn course_files(text: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| c.is_whitespace() || "#,;:()`'\"".contains(c);
    text.split(ends)
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| {
            let (page, source) = (word.starts_with("book/src/"), word.starts_with("crates/"));
            (page && word.ends_with(".md")) || (source && word.ends_with(".rs"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_named_in_a_text_are_found_in_it() {
        let text = "Read book/src/en/a.md#the-claim, then (crates/whatif/src/floor.rs), and book/src/en/b.md.";
        let found: Vec<_> = course_files(text).collect();
        let files = [
            "book/src/en/a.md",
            "crates/whatif/src/floor.rs",
            "book/src/en/b.md",
        ];
        assert_eq!(found, files);
    }

    #[test]
    fn a_mark_is_found_with_its_line_and_what_is_missing() {
        let text =
            format!("one\n// {TO_WRITE}: the test\nhints = [\n  \"{TO_WRITE}: a question?\",\n]\n");
        let found: Vec<_> = unwritten(&text).collect();
        let marks = [(2, "the test.".to_owned()), (4, "a question?".to_owned())];
        assert_eq!(found, marks);
    }

    #[test]
    fn manifests_differ_where_a_learner_would_notice() {
        let table = |text: &str| text.parse::<Table>().unwrap();
        let exercise = table("[dependencies]\na = \"1\"\n[dev-dependencies]\nb = \"1\"\n");
        let more = "[dependencies]\na = \"1\"\n[dev-dependencies]\nb = \"1\"\nc = \"1\"\n";
        assert!(differences(&exercise, &table(more)).is_empty());
        let other = "[dependencies]\na = \"2\"\n";
        let found = differences(&exercise, &table(other));
        assert_eq!(found, ["dependencies", "dev-dependencies"]);
    }
}
