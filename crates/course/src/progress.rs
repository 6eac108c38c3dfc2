//! What the course remembers about a learner: `.progress/progress.json` at the workspace's root.
//!
//! What is kept, and why it lasts:
//!
//! - An exercise is kept under its slug. It may get another number, or go; what is known about it stays in the file.
//! - Keys and exercises that this version does not know are kept, and so is the version number of a newer program.
//! - The file is written beside itself and moved into place. Then the same goes into `progress.copy.json`: a file that is
//!   damaged or gone is restored from there. The damaged one is moved aside, never overwritten, and a note says so.
//! - `watch`, the server and a check in another terminal may all write. Each change is a read, an edit and a write under
//!   the lock of `.progress/lock`, so none is lost.
//! - Where nothing can be written (a read-only folder), everything works and nothing is remembered.
//!
//! A pass is a fact about the learner, not about the file: it stays when the code is edited further, when the exercise is
//! put back to its starter, and when a newer course changes starter or tests. So no hash of the code is kept.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use fs4::{FileExt, TryLockError};
use jiff::Zoned;
use serde_json::{Map, Value, json};

use crate::check::Verdict;
use crate::exercises::{self, Exercise};
use crate::starter;

/// The shape that this program writes. In version 1, exercises were kept under their numbers.
const VERSION: u64 = 2;

/// How long to wait for another process that writes. It takes milliseconds, unless it was halted in the middle.
const PATIENCE: Duration = Duration::from_secs(10);

/// A larger file is none of ours.
const LARGEST: u64 = 16 << 20;

/// How far a learner is with an exercise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The file is the starter.
    Untouched,
    /// The file is not the starter any more, and no check has looked at it yet.
    Begun,
    /// The last check did not pass, and none has before.
    Failing,
    /// A check has passed. It stays so when the file is edited further.
    Passed,
}

impl State {
    /// As it stands in JSON.
    pub fn name(self) -> &'static str {
        match self {
            State::Untouched => "untouched",
            State::Begun => "begun",
            State::Failing => "failing",
            State::Passed => "passed",
        }
    }
}

/// What is known about an exercise.
#[derive(Clone, Debug)]
pub struct Standing {
    /// How far the learner is.
    pub state: State,
    /// How many hints have been shown.
    pub hints: usize,
    /// The last verdict's name, as [`Verdict::name`](crate::check::Verdict::name) gives it.
    pub last: Option<String>,
    /// When it passed first, as `2026-11-21`, where the learner was.
    pub passed_on: Option<String>,
}

/// How far the learner is with an exercise.
pub fn standing(root: &Path, exercise: &Exercise) -> Standing {
    recall(root).memory.standing(root, exercise)
}

/// How far the learner is with each of these exercises, all from the same moment.
pub fn standings(root: &Path, exercises: &[Exercise]) -> Vec<Standing> {
    let memory = recall(root).memory;
    exercises
        .iter()
        .map(|exercise| memory.standing(root, exercise))
        .collect()
}

/// The exercise to go on with, wherever that is asked: the one that was checked last, or, when that has passed, the next that has
/// not. `None` when all have.
///
/// `standings` are those of `exercises`, in the same order.
pub fn next(root: &Path, exercises: &[Exercise], standings: &[Standing]) -> Option<usize> {
    let memory = recall(root).memory;
    let slug = memory.0["at"].as_str();
    let at = exercises
        .iter()
        .position(|exercise| Some(exercise.slug.as_str()) == slug);
    next_from(standings, at.unwrap_or(0))
}

/// The first exercise from this one on that has not passed. Behind the last one, the search goes on at the first: so one that was
/// left out comes up again, but nobody is sent back to it from the middle of a workshop.
pub fn next_from(standings: &[Standing], from: usize) -> Option<usize> {
    let all = standings.len();
    (0..all)
        .map(|step| (from + step) % all)
        .find(|&n| standings[n].state != State::Passed)
}

/// Remembers a verdict, and that this is where the learner works. `false` when it could not be written.
///
/// What says nothing about the learner's code (a check that was stopped, a machine that could not build) is not kept.
pub fn note_check(root: &Path, exercise: &Exercise, verdict: Verdict) -> bool {
    note(root, exercise, verdict, true)
}

/// The same for a check of many: it does not say where the learner works.
pub fn note_one_of_many(root: &Path, exercise: &Exercise, verdict: Verdict) -> bool {
    note(root, exercise, verdict, false)
}

fn note(root: &Path, exercise: &Exercise, verdict: Verdict, is_here: bool) -> bool {
    if let Verdict::Stopped | Verdict::NotRun = verdict {
        return true;
    }
    change(root, |memory| {
        let known = memory.entry(exercise);
        known.insert("last".into(), verdict.name().into());
        if verdict == Verdict::Passes && !known.get("passed_on").is_some_and(Value::is_string) {
            let today = Zoned::now().strftime("%Y-%m-%d").to_string();
            known.insert("passed_on".into(), today.into());
        }
        if is_here {
            object(&mut memory.0).insert("at".into(), exercise.slug.as_str().into());
        }
    })
    .is_ok()
}

/// Remembers that this many hints of an exercise have been shown; never fewer than before. `false` when it could not be
/// written.
pub fn note_hint(root: &Path, exercise: &Exercise, shown: usize) -> bool {
    change(root, |memory| {
        let shown = shown.max(memory.hints(exercise));
        memory.entry(exercise).insert("hints".into(), shown.into());
    })
    .is_ok()
}

/// Adds what an older copy of the course in the folder `from` remembers. Of two memories of one exercise it keeps the earlier pass and
/// the more hints, and for the rest what is known here. Says whether there was anything new.
///
/// # Errors
///
/// When it cannot be written here. Nothing is written in `from`.
pub fn bring_over(root: &Path, from: &Path) -> io::Result<bool> {
    let mut theirs = recall(from).memory;
    theirs.upgrade(from);
    let mut is_new = false;
    change(root, |memory| {
        let before = memory.0.clone();
        for (slug, known) in theirs.exercises() {
            if !known.is_object() {
                continue;
            }
            let ours = object(memory.exercises().entry(slug).or_insert(Value::Null));
            for (key, value) in known.as_object().into_iter().flatten() {
                let is_better = match (key.as_str(), ours.get(key)) {
                    (_, None) => true,
                    ("passed_on", Some(ours)) => {
                        value.is_string() && value.as_str() < ours.as_str()
                    }
                    ("hints", Some(ours)) => value.as_u64() > ours.as_u64(),
                    _ => false,
                };
                if is_better {
                    ours.insert(key.clone(), value.clone());
                }
            }
        }
        for (key, value) in object(&mut theirs.0) {
            object(&mut memory.0).entry(key).or_insert(value.clone());
        }
        is_new = memory.0 != before;
    })?;
    Ok(is_new)
}

/// Looks after the file: a damaged or lost one is restored, or begun anew. Says what a learner should know about it, if
/// anything: a command asks once, before it asks for anything else.
pub fn mend(root: &Path) -> Option<String> {
    let recalled = recall(root);
    let file = recalled.files.main.display().to_string();
    let note = match &recalled.health {
        Health::Good | Health::New => return None,
        Health::Unreadable(error) => {
            return Some(format!(
                "{file} cannot be read ({error}), so nothing is remembered."
            ));
        }
        Health::Lost => format!("{file} was gone"),
        Health::Damaged => format!("{file} is damaged"),
    };
    let copy = match recalled.from_copy {
        true => "what its last good copy says holds",
        false => "it is begun anew",
    };
    match recalled.files.under_lock(PATIENCE, Files::settle) {
        // Another process was faster, and has said so.
        Ok(None) => None,
        Ok(Some(done)) => Some(done),
        Err(error) => Some(format!(
            "{note}, and cannot be mended here ({error}); {copy}."
        )),
    }
}

/// The memory of one workspace, looked after by [`mend`].
pub struct Progress {
    root: PathBuf,
    /// What the learner should know about the file, if anything.
    pub note: Option<String>,
}

impl Progress {
    /// Reads what there is.
    pub fn open(root: &Path) -> Progress {
        Progress {
            root: root.to_path_buf(),
            note: mend(root),
        }
    }

    /// How many hints of an exercise have been shown.
    pub fn hints_shown(&self, number: &str) -> usize {
        self.exercise(number)
            .map_or(0, |exercise| standing(&self.root, &exercise).hints)
    }

    /// Remembers it, as [`note_hint`] does.
    pub fn set_hints_shown(&mut self, number: &str, shown: usize) -> bool {
        self.exercise(number)
            .is_some_and(|exercise| note_hint(&self.root, &exercise, shown))
    }

    fn exercise(&self, number: &str) -> Option<Exercise> {
        let all = exercises::load(&self.root).ok()?;
        all.into_iter().find(|exercise| exercise.number == number)
    }
}

/// What there is to remember, as it stands in the file.
struct Memory(Value);

impl Memory {
    fn new() -> Memory {
        Memory(json!({ "version": VERSION, "exercises": {} }))
    }

    fn version(&self) -> u64 {
        self.0["version"].as_u64().unwrap_or(1)
    }

    /// What is known of an exercise; whatever is there, in a file that somebody has edited.
    fn known(&self, exercise: &Exercise) -> &Value {
        let all = &self.0["exercises"];
        match all.get(&exercise.slug) {
            None if self.version() < 2 => &all[&exercise.number],
            known => known.unwrap_or(&Value::Null),
        }
    }

    fn hints(&self, exercise: &Exercise) -> usize {
        let hints = self.known(exercise)["hints"].as_u64().unwrap_or(0);
        usize::try_from(hints).unwrap_or(usize::MAX)
    }

    fn standing(&self, root: &Path, exercise: &Exercise) -> Standing {
        let known = self.known(exercise);
        let text = |key: &str| known[key].as_str().map(str::to_owned);
        let (last, passed_on) = (text("last"), text("passed_on"));
        let state = match (&passed_on, &last) {
            (Some(_), _) => State::Passed,
            (None, _) if !starter::is_edited(root, exercise) => State::Untouched,
            (None, Some(_)) => State::Failing,
            (None, None) => State::Begun,
        };
        Standing {
            state,
            hints: self.hints(exercise),
            last,
            passed_on,
        }
    }

    /// What is kept of an exercise, to be changed.
    fn entry(&mut self, exercise: &Exercise) -> &mut Map<String, Value> {
        object(
            self.exercises()
                .entry(&exercise.slug)
                .or_insert(Value::Null),
        )
    }

    fn exercises(&mut self) -> &mut Map<String, Value> {
        object(
            object(&mut self.0)
                .entry("exercises")
                .or_insert(Value::Null),
        )
    }

    /// From the shape of an older program to today's. A newer one's is left as it is.
    fn upgrade(&mut self, root: &Path) {
        if self.version() >= VERSION {
            return;
        }
        for exercise in exercises::load(root).unwrap_or_default() {
            let all = self.exercises();
            if !all.contains_key(&exercise.slug)
                && let Some(known) = all.remove(&exercise.number)
            {
                all.insert(exercise.slug, known);
            }
        }
        object(&mut self.0).insert("version".into(), VERSION.into());
    }
}

/// The object that this is, or an empty one in the place of something else.
fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("it is an object by now")
}

/// How the file was found.
enum Health {
    Good,
    /// Nothing has been remembered yet.
    New,
    /// It is not there, but its copy is.
    Lost,
    Damaged,
    /// It may be good, but it is not for us to read: so it is not for us to replace, either.
    Unreadable(io::Error),
}

struct Recalled {
    files: Files,
    memory: Memory,
    health: Health,
    /// Whether the memory is that of the copy.
    from_copy: bool,
}

/// Reads what there is, and changes nothing.
fn recall(root: &Path) -> Recalled {
    let files = Files::of(root);
    let mut from_copy = false;
    let mut copy = || match read(&files.copy) {
        Ok(memory @ Some(_)) => {
            from_copy = true;
            memory
        }
        _ => None,
    };
    let (memory, health) = match read(&files.main) {
        Ok(Some(memory)) => (Some(memory), Health::Good),
        Ok(None) => (copy(), Health::Damaged),
        Err(error) if is_absence(&error) => match copy() {
            None => (None, Health::New),
            memory => (memory, Health::Lost),
        },
        Err(error) => (None, Health::Unreadable(error)),
    };
    Recalled {
        files,
        memory: memory.unwrap_or_else(Memory::new),
        health,
        from_copy,
    }
}

/// There is no such file, nor a folder for it.
fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// `None`: it is damaged.
fn read(file: &Path) -> io::Result<Option<Memory>> {
    let about = fs::metadata(file)?;
    if !about.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    if about.len() > LARGEST {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(LARGEST).read_to_end(&mut bytes)?;
    // Some editors put a byte order mark in front of what they save.
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    Ok(serde_json::from_slice(text)
        .ok()
        .filter(Value::is_object)
        .map(Memory))
}

/// Reads, edits and writes, while nobody else does.
fn change(root: &Path, edit: impl FnOnce(&mut Memory)) -> io::Result<()> {
    Files::of(root).under_lock(PATIENCE, |files| {
        files.settle()?;
        let mut memory = recall(root).memory;
        let before = memory.0.clone();
        memory.upgrade(root);
        edit(&mut memory);
        if memory.0 == before {
            return Ok(());
        }
        files.write(&memory)
    })
}

/// Does something in this folder while no other process of this program does anything that it does by this as well. Whoever
/// cannot have the lock for that within ten seconds does without.
pub(crate) fn alone<T>(root: &Path, act: impl FnOnce() -> T) -> T {
    let mut act = Some(act);
    let done = Files::of(root).under_lock(PATIENCE, |_| Ok(act.take().map(|act| act())));
    match (done, act) {
        (Ok(Some(done)), _) => done,
        (_, Some(act)) => act(),
        _ => unreachable!("what was taken was done"),
    }
}

/// Where it all lies.
struct Files {
    root: PathBuf,
    folder: PathBuf,
    main: PathBuf,
    copy: PathBuf,
}

impl Files {
    fn of(root: &Path) -> Files {
        let folder = root.join(".progress");
        Files {
            root: root.to_path_buf(),
            main: folder.join("progress.json"),
            copy: folder.join("progress.copy.json"),
            folder,
        }
    }

    /// Does something while no other thread or process does anything under the same lock.
    fn under_lock<T>(
        &self,
        patience: Duration,
        act: impl FnOnce(&Files) -> io::Result<T>,
    ) -> io::Result<T> {
        fs::create_dir_all(&self.folder)?;
        // A file of its own, for the other one is replaced at each change. It stays: whoever removed it could remove it from
        // under somebody who waits for it.
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.folder.join("lock"))?;
        let end = Instant::now() + patience;
        loop {
            match FileExt::try_lock(&lock) {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < end => {
                    thread::sleep(Duration::from_millis(5));
                }
                Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::TimedOut.into()),
                // A file system without locks. To remember with a small risk is better than not at all.
                Err(TryLockError::Error(_)) => break,
            }
        }
        // The lock goes with the file: also when this process is killed.
        act(self)
    }

    /// Puts a good file in the place of one that is damaged or lost. Under the lock. Says what it did.
    fn settle(&self) -> io::Result<Option<String>> {
        let recalled = recall(&self.root);
        let file = self.main.display();
        let aside = match recalled.health {
            Health::Good | Health::New => return Ok(None),
            Health::Unreadable(error) => return Err(error),
            Health::Lost => None,
            Health::Damaged => {
                let aside = free_name(&self.main);
                fs::rename(&self.main, &aside)?;
                Some(aside)
            }
        };
        if recalled.from_copy {
            self.write(&recalled.memory)?;
        }
        Ok(Some(match (aside, recalled.from_copy) {
            (Some(aside), true) => format!(
                "{file} was damaged, and is restored from its last good copy. The damaged one is kept as {}.",
                aside.display()
            ),
            (Some(aside), false) => format!(
                "{file} was damaged, and is begun anew. The damaged one is kept as {}.",
                aside.display()
            ),
            (None, _) => format!(
                "{file} was gone, and is restored from {}. To begin anew, delete both.",
                self.copy.display()
            ),
        }))
    }

    /// The file, then its copy: at any moment, one of the two is whole.
    fn write(&self, memory: &Memory) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(&memory.0)?;
        text.push(b'\n');
        starter::replace(&self.main, &text)?;
        starter::replace(&self.copy, &text)
    }
}

fn free_name(file: &Path) -> PathBuf {
    (1..)
        .map(|n| file.with_extension(format!("damaged-{n}.json")))
        .find(|name| !name.exists())
        .expect("numbers do not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = ".progress/progress.json";

    /// A course with exercises 01 to 08, whose starters lie beside the solutions.
    fn course() -> (tempfile::TempDir, Vec<Exercise>) {
        let root = tempfile::tempdir().unwrap();
        for n in 1..=8 {
            let (number, slug) = (format!("{n:02}"), format!("case-{n}"));
            let folder = exercises::tests::add(root.path(), &number, &slug, &["a", "b", "c"]);
            let solution = root.path().join(format!("solutions/{number}-{slug}"));
            fs::create_dir_all(folder.join("src")).unwrap();
            fs::create_dir_all(&solution).unwrap();
            fs::write(folder.join("src/lib.rs"), "todo\n").unwrap();
            fs::write(solution.join("starter.rs"), "todo\n").unwrap();
        }
        let all = exercises::load(root.path()).unwrap();
        (root, all)
    }

    fn put(root: &Path, text: &str) {
        fs::create_dir_all(root.join(".progress")).unwrap();
        fs::write(root.join(FILE), text).unwrap();
    }

    fn json(root: &Path) -> Value {
        serde_json::from_slice(&fs::read(root.join(FILE)).unwrap()).unwrap()
    }

    #[test]
    fn a_standing_goes_from_untouched_to_passed_and_stays_there() {
        let (root, all) = course();
        let (root, exercise) = (root.path(), &all[2]);
        let state = || standing(root, exercise).state;
        assert_eq!(state(), State::Untouched);
        assert!(note_check(root, exercise, Verdict::Fails));
        assert_eq!(state(), State::Untouched, "a starter that fails is no work");
        fs::write(starter::edited_file(exercise), "work\n").unwrap();
        assert_eq!(state(), State::Failing);
        assert!(note_check(root, exercise, Verdict::Passes));
        let passed_on = standing(root, exercise).passed_on.unwrap();
        assert_eq!(passed_on, Zoned::now().date().to_string());
        fs::write(starter::edited_file(exercise), "more work\n").unwrap();
        assert!(note_check(root, exercise, Verdict::DoesNotCompile));
        let after = standing(root, exercise);
        assert_eq!(after.state, State::Passed);
        assert_eq!(after.last.as_deref(), Some("does-not-compile"));
        assert_eq!(after.passed_on, Some(passed_on));
        fs::write(starter::edited_file(&all[3]), "work\n").unwrap();
        assert_eq!(standing(root, &all[3]).state, State::Begun);
    }

    #[test]
    fn what_says_nothing_about_the_code_is_not_kept() {
        let (root, all) = course();
        for verdict in [Verdict::Stopped, Verdict::NotRun] {
            assert!(note_check(root.path(), &all[0], verdict));
        }
        assert!(!root.path().join(FILE).exists());
    }

    #[test]
    fn all_standings_are_those_of_the_exercises_in_their_order() {
        let (root, all) = course();
        let root = root.path();
        note_check(root, &all[0], Verdict::Passes);
        note_hint(root, &all[1], 2);
        let standings = standings(root, &all);
        assert_eq!(standings.len(), 8);
        assert_eq!(standings[0].state, State::Passed);
        assert_eq!(
            (standings[1].state, standings[1].hints),
            (State::Untouched, 2)
        );
        for exercise in &all {
            note_check(root, exercise, Verdict::Passes);
        }
        assert_eq!(next(root, &all, &super::standings(root, &all)), None);
        assert_eq!(next(root, &[], &[]), None);
    }

    #[test]
    fn next_is_where_the_learner_was_or_the_next_that_has_not_passed() {
        let (root, all) = course();
        let root = root.path();
        let next = || super::next(root, &all, &super::standings(root, &all));
        assert_eq!(next(), Some(0));
        note_check(root, &all[4], Verdict::Fails);
        assert_eq!(next(), Some(4), "it is where they work");
        note_check(root, &all[4], Verdict::Passes);
        assert_eq!(next(), Some(5), "nobody is sent back to the first");
        note_one_of_many(root, &all[1], Verdict::Fails);
        assert_eq!(next(), Some(5), "a check of all leads nowhere");
        for exercise in &all[5..] {
            note_check(root, exercise, Verdict::Passes);
        }
        assert_eq!(next(), Some(0), "what was left out comes up again");
        // Somebody has edited the file, or the exercise is gone.
        change(root, |memory| memory.0["at"] = json!({ "odd": 1 })).unwrap();
        assert_eq!(next(), Some(0));
    }

    #[test]
    fn hints_never_become_fewer() {
        let (root, all) = course();
        assert!(note_hint(root.path(), &all[0], 2));
        assert!(note_hint(root.path(), &all[0], 1));
        assert_eq!(standing(root.path(), &all[0]).hints, 2);
    }

    #[test]
    fn what_a_newer_program_wrote_stays() {
        let (root, all) = course();
        let newer = r#"{ "version": 7, "badges": ["gold"], "exercises":
            { "case-1": { "hints": 1, "streak": 4 }, "gone-by-now": { "passed_on": "2026-01-01" } } }"#;
        put(root.path(), newer);
        assert!(note_hint(root.path(), &all[0], 2));
        assert_eq!(
            json(root.path()),
            json!({ "version": 7, "badges": ["gold"], "exercises":
                { "case-1": { "hints": 2, "streak": 4 }, "gone-by-now": { "passed_on": "2026-01-01" } } })
        );
    }

    #[test]
    fn an_exercise_keeps_its_standing_under_another_number() {
        let (root, all) = course();
        note_check(root.path(), &all[2], Verdict::Passes);
        let mut renumbered = all[2].clone();
        renumbered.number = "05".into();
        assert_eq!(standing(root.path(), &renumbered).state, State::Passed);
        let mut newcomer = all[2].clone();
        newcomer.slug = "newcomer".into();
        assert_eq!(standing(root.path(), &newcomer).last, None);
    }

    #[test]
    fn a_file_by_numbers_is_understood_and_becomes_one_by_slugs() {
        let (root, all) = course();
        put(
            root.path(),
            r#"{ "version": 1, "exercises": { "03": { "hints": 2, "passed_on": "2026-11-01" }, "77": {} } }"#,
        );
        let before = standing(root.path(), &all[2]);
        assert_eq!((before.hints, before.state), (2, State::Passed));
        assert!(note_hint(root.path(), &all[0], 1));
        let kept = json(root.path());
        assert_eq!(
            kept["exercises"],
            json!({ "case-1": { "hints": 1 }, "case-3": { "hints": 2, "passed_on": "2026-11-01" }, "77": {} })
        );
        assert_eq!(kept["version"], VERSION);
    }

    #[test]
    fn odd_shapes_are_no_trouble() {
        for odd in [
            "{}",
            "{\"version\": \"two\"}",
            "{\"exercises\": [1, 2]}",
            "{\"exercises\": {\"case-1\": 5}}",
            "{\"exercises\": {\"case-1\": {\"hints\": -1, \"last\": [], \"passed_on\": true}}}",
            "{\"exercises\": {\"case-1\": {\"hints\": 1e300}}}",
            "\u{feff}{\"version\": 2}",
        ] {
            let (root, all) = course();
            put(root.path(), odd);
            assert_eq!(mend(root.path()), None, "{odd}");
            let known = standing(root.path(), &all[0]);
            assert_eq!((known.state, known.hints), (State::Untouched, 0), "{odd}");
            assert!(note_check(root.path(), &all[0], Verdict::Passes), "{odd}");
            let known = standing(root.path(), &all[0]);
            assert_eq!(known.state, State::Passed, "{odd}");
            assert!(known.passed_on.is_some(), "{odd}");
        }
    }

    const DAMAGED: [&[u8]; 6] = [
        b"",
        b"{\"exercises\": ",
        b"[]",
        b"\0\0\0\0\0\0\0\0",
        b"{\"a\": \"\xff\"}",
        b"<<<<<<< HEAD\n{}\n=======",
    ];

    #[test]
    fn a_damaged_file_is_moved_aside_and_restored_with_a_note() {
        for damage in DAMAGED {
            let (root, all) = course();
            let root = root.path();
            note_check(root, &all[0], Verdict::Passes);
            note_hint(root, &all[1], 3);
            fs::write(root.join(FILE), damage).unwrap();
            // Reading alone knows it already, and changes nothing.
            assert_eq!(standing(root, &all[1]).hints, 3);
            assert_eq!(fs::read(root.join(FILE)).unwrap(), damage);

            let note = mend(root).unwrap();
            assert!(note.contains("restored from its last good copy"), "{note}");
            assert!(note.contains("progress.damaged-1.json"), "{note}");
            let aside = root.join(".progress/progress.damaged-1.json");
            assert_eq!(fs::read(aside).unwrap(), damage);
            assert_eq!(mend(root), None, "it is said once");
            assert_eq!(standing(root, &all[0]).state, State::Passed);
            assert_eq!(standing(root, &all[1]).hints, 3);
        }
    }

    #[test]
    fn a_change_mends_a_damaged_file_first() {
        let (root, all) = course();
        let root = root.path();
        for round in 1..=2 {
            note_hint(root, &all[0], 2);
            fs::write(root.join(FILE), "nonsense").unwrap();
            assert!(note_check(root, &all[1], Verdict::Passes));
            assert_eq!(standing(root, &all[0]).hints, 2);
            assert_eq!(standing(root, &all[1]).state, State::Passed);
            let aside = root.join(format!(".progress/progress.damaged-{round}.json"));
            assert_eq!(fs::read_to_string(aside).unwrap(), "nonsense");
        }
    }

    #[test]
    fn without_a_good_copy_it_is_begun_anew_and_the_note_says_so() {
        let (root, all) = course();
        let root = root.path();
        note_hint(root, &all[0], 2);
        fs::write(root.join(FILE), "{").unwrap();
        fs::write(root.join(".progress/progress.copy.json"), "{").unwrap();
        let note = mend(root).unwrap();
        assert!(
            note.contains("begun anew") && note.contains("damaged-1"),
            "{note}"
        );
        assert_eq!(standing(root, &all[0]).hints, 0);
        assert!(note_hint(root, &all[0], 1));
        assert_eq!(standing(root, &all[0]).hints, 1);
    }

    #[test]
    fn a_file_that_is_gone_is_restored_and_both_gone_is_a_new_beginning() {
        let (root, all) = course();
        let root = root.path();
        note_hint(root, &all[0], 2);
        fs::remove_file(root.join(FILE)).unwrap();
        let note = mend(root).unwrap();
        assert!(note.contains("delete both"), "{note}");
        assert_eq!(standing(root, &all[0]).hints, 2);
        fs::remove_file(root.join(FILE)).unwrap();
        fs::remove_file(root.join(".progress/progress.copy.json")).unwrap();
        assert_eq!(mend(root), None);
        assert_eq!(standing(root, &all[0]).hints, 0);
    }

    #[test]
    fn what_is_no_file_is_left_alone() {
        let (root, all) = course();
        let root = root.path();
        fs::create_dir_all(root.join(FILE)).unwrap();
        let note = mend(root).unwrap();
        assert!(note.contains("nothing is remembered"), "{note}");
        assert!(!note_hint(root, &all[0], 2));
        assert!(root.join(FILE).is_dir());
        assert_eq!(standing(root, &all[0]).hints, 0);
    }

    #[test]
    fn where_nothing_can_be_written_nothing_is_remembered() {
        let (root, all) = course();
        // A file in the place of the folder stops even a user who may write everywhere.
        fs::write(root.path().join(".progress"), "").unwrap();
        assert!(!note_check(root.path(), &all[0], Verdict::Passes));
        assert_eq!(standing(root.path(), &all[0]).state, State::Untouched);
        assert_eq!(mend(root.path()), None);
    }

    #[test]
    fn threads_that_write_at_once_lose_nothing() {
        let (root, all) = course();
        let root = root.path();
        thread::scope(|scope| {
            for exercise in &all {
                for shown in 1..=3 {
                    scope.spawn(move || assert!(note_hint(root, exercise, shown)));
                }
                scope.spawn(move || assert!(note_check(root, exercise, Verdict::Passes)));
            }
        });
        for standing in standings(root, &all) {
            assert_eq!((standing.hints, standing.state), (3, State::Passed));
        }
    }

    #[test]
    fn whoever_waits_for_a_lock_that_is_never_given_back_gives_up() {
        let (root, all) = course();
        let files = Files::of(root.path());
        let patience = Duration::from_millis(20);
        let waited = files.under_lock(PATIENCE, |files| {
            Ok(files.under_lock(patience, |_| Ok(())).unwrap_err().kind())
        });
        assert_eq!(waited.unwrap(), io::ErrorKind::TimedOut);
        assert!(note_hint(root.path(), &all[0], 2), "it was given back");
    }

    #[test]
    fn nothing_is_left_beside_the_files() {
        let (root, all) = course();
        note_hint(root.path(), &all[0], 1);
        note_hint(root.path(), &all[0], 2);
        let mut names: Vec<_> = fs::read_dir(root.path().join(".progress"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["lock", "progress.copy.json", "progress.json"]);
    }
}
