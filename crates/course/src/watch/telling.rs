//! What a check printed, in the order in which a learner wants to read it.

use whatif::Story;

use crate::check::Verdict;

use super::text::{Ink, Line, width};

/// The line with which a check's tests begin.
const TESTING: &str = "Testing ...";

/// What a slow step is doing, if this line says so.
pub fn phase(line: &str) -> Option<String> {
    if line == TESTING {
        return Some("Testing".into());
    }
    if let Some(package) = line
        .strip_prefix("Building ")
        .and_then(|rest| rest.strip_suffix(" ..."))
    {
        return Some(format!("Building {package}"));
    }
    let (verb, rest) = cargo_says(line)?;
    let what = rest.split(' ').next().unwrap_or_default();
    match verb {
        "Compiling" => Some(format!("Building {what}")),
        "Downloading" | "Downloaded" => Some(format!("Downloading {what}")),
        "Updating" | "Locking" => Some("Looking up which crates are needed".into()),
        "Blocking" => Some("Waiting for another cargo that is at work".into()),
        _ => None,
    }
}

/// Cargo's own progress: a verb, right-aligned, and what it is about.
fn cargo_says(line: &str) -> Option<(&str, &str)> {
    let (verb, rest) = line.trim_start().split_once(' ')?;
    let known = matches!(
        verb,
        "Compiling"
            | "Finished"
            | "Blocking"
            | "Downloading"
            | "Downloaded"
            | "Updating"
            | "Locking"
            | "Adding"
            | "Fresh"
            | "Dirty"
            | "Checking"
    );
    // It is aligned to 12 columns. What the compiler says begins at the left, or is a drawing.
    let starts_at = line.len() - line.trim_start().len();
    (known && starts_at + verb.len() == 12).then_some((verb, rest))
}

/// One test, and what it printed.
#[derive(Debug, PartialEq, Eq)]
struct Told<'a> {
    name: &'a str,
    /// `None`: it never came to its end.
    passed: Option<bool>,
    lines: Vec<&'a str>,
}

/// What became of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Telling {
    /// The page to read.
    pub page: Vec<Line>,
    /// Tests that did not pass, and tests in all, as far as they were run.
    pub tests: (usize, usize),
    /// Errors of the compiler.
    pub errors: usize,
    /// The line of the learner's file that it is about.
    pub place: Option<u32>,
}

/// Reads what a check printed.
pub fn tell(verdict: Verdict, lines: &[String]) -> Telling {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let testing = lines.iter().position(|line| *line == TESTING);
    let (build, tests) = match testing {
        Some(at) => (&lines[..at], &lines[at + 1..]),
        None => (&lines[..], &[][..]),
    };
    let compiler: Vec<&str> = build
        .iter()
        .skip_while(|line| line.starts_with("Building "))
        .filter(|line| verdict == Verdict::NotRun || cargo_says(line).is_none())
        .copied()
        .collect();
    let errors = compiler.iter().filter(|line| is_error(line)).count();
    let (before, told) = stories(tests);
    let mut telling = Telling {
        errors,
        tests: (
            told.iter().filter(|told| told.passed != Some(true)).count(),
            told.len(),
        ),
        ..Telling::default()
    };
    let page = &mut telling.page;
    if testing.is_none() {
        page.extend(compiler.iter().map(|line| ink_of_compiler(line)));
        telling.place = place_of_error(&compiler);
        return telling;
    }
    let wrong = || told.iter().filter(|told| told.passed != Some(true));
    telling.place = wrong()
        .flat_map(|told| &told.lines)
        .chain(&before)
        .find_map(|line| place_in(line));
    let mut hearts: Vec<&[&str]> = Vec::new();
    for told in wrong() {
        let what = match told.passed {
            Some(_) => "✗ ",
            None => "… ",
        };
        let story = trimmed(&told.lines);
        let heading = Line::new(Ink::Bad, what).and(Ink::Strong, told.name);
        // The first line names what was tried. The rest may be what another test has told already.
        let heart = trimmed(story.get(1..).unwrap_or_default());
        if !heart.is_empty() && hearts.contains(&heart) {
            page.push(heading.and(Ink::Faint, "  for the same reason"));
        } else {
            page.push(heading);
            page.extend(lines_of_story(story));
        }
        hearts.push(heart);
        page.push(Line::blank());
    }
    // What was printed outside of any test: all that there is, when the program died early.
    let outside = trimmed(&before);
    if !outside.is_empty() && verdict != Verdict::Passes {
        page.extend(lines_of_story(outside));
        page.push(Line::blank());
    }
    for told in told.iter().filter(|told| told.passed == Some(true)) {
        page.push(Line::new(Ink::Good, "✓ ").and(Ink::Plain, told.name));
        // On a pass, what it says is the proof: `12 schedules cover every order of steps`.
        if verdict == Verdict::Passes {
            page.extend(lines_of_story(trimmed(&told.lines)));
        }
    }
    let warnings = trimmed(&compiler);
    if !warnings.is_empty() {
        page.push(Line::blank());
        page.push(Line::new(Ink::Strong, "The compiler remarks:"));
        page.extend(warnings.iter().map(|line| ink_of_compiler(line)));
    }
    while page.last().is_some_and(|line| line.pieces.is_empty()) {
        page.pop();
    }
    telling
}

/// The tests in a harness's output, and what stands outside of them.
fn stories<'a>(lines: &[&'a str]) -> (Vec<&'a str>, Vec<Told<'a>>) {
    let mut outside = Vec::new();
    let mut told: Vec<Told> = Vec::new();
    let mut open = false;
    for &line in lines {
        let begins = line
            .strip_prefix("test ")
            .and_then(|rest| rest.split_once(" ..."))
            .filter(|(_, rest)| rest.is_empty() || rest.starts_with(' '));
        if let Some((name, rest)) = begins {
            let rest = rest.trim();
            let passed = ending(rest);
            open = passed.is_none();
            told.push(Told {
                name,
                passed,
                lines: match passed {
                    None if !rest.is_empty() => vec![rest],
                    _ => Vec::new(),
                },
            });
            continue;
        }
        let Some(last) = told.last_mut().filter(|_| open) else {
            let is_count = line.starts_with("running ") && line.ends_with([' ', 't', 's']);
            if !is_count {
                outside.push(line);
            }
            continue;
        };
        match ending(line) {
            Some(passed) => {
                last.passed = Some(passed);
                open = false;
            }
            // A test that prints without a line break shares its last line with the harness.
            None if line.ends_with("FAILED") => {
                last.lines.push(line.trim_end_matches("FAILED"));
                last.passed = Some(false);
                open = false;
            }
            None => last.lines.push(line),
        }
    }
    (outside, told)
}

fn ending(line: &str) -> Option<bool> {
    match line {
        "ok" | "ignored" => Some(true),
        "FAILED" => Some(false),
        _ => None,
    }
}

/// Without empty lines at either end.
fn trimmed<'a, 'b>(lines: &'b [&'a str]) -> &'b [&'a str] {
    let is_text = |line: &&str| !line.trim().is_empty();
    match (
        lines.iter().position(is_text),
        lines.iter().rposition(is_text),
    ) {
        (Some(first), Some(last)) => &lines[first..=last],
        _ => &[],
    }
}

fn is_error(line: &str) -> bool {
    (line.starts_with("error[") || line.starts_with("error: "))
        && !line.starts_with("error: could not compile")
        && !line.starts_with("error: aborting due to")
}

fn place_of_error(compiler: &[&str]) -> Option<u32> {
    let first = compiler.iter().position(|line| is_error(line))?;
    compiler[first..].iter().find_map(|line| {
        let place = line.trim_start().strip_prefix("--> ")?;
        place_in(place)
    })
}

/// The line's number in `src/lib.rs:60`, wherever that stands.
fn place_in(text: &str) -> Option<u32> {
    // Windows writes it the other way.
    let after = text
        .split_once("src/lib.rs:")
        .or_else(|| text.split_once("src\\lib.rs:"))?
        .1;
    let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    after[..digits].parse().ok()
}

fn ink_of_compiler(line: &str) -> Line {
    let text = line.trim_start();
    let ink = if is_error(line) {
        Ink::Bad
    } else if line.starts_with("warning") {
        Ink::Warn
    } else if text.starts_with("--> ") {
        Ink::Key
    } else if line.starts_with("error") || line.starts_with("For more information") {
        Ink::Faint
    } else {
        Ink::Plain
    };
    Line::new(ink, line)
}

const AGAIN: &str = "To play it again:";

/// A story as it was before it was fitted: a line for a paragraph, and one for a step. The screen fits them to its own width, and twice
/// would be once too often.
fn lines_of_story(lines: &[&str]) -> Vec<Line> {
    let mut whole: Vec<(String, Option<usize>)> = Vec::new();
    // The last line as it stands there: what has been joined to it is longer than any.
    let mut above = "";
    for &line in lines {
        let (indent, text) = (indent(line), line.trim_start());
        let goes_on = !text.is_empty()
            && !above.trim().is_empty()
            && match whole.last() {
                Some((_, Some(column))) => step(line).is_none() && indent == *column,
                Some((_, None)) => {
                    let word = text.split(' ').next().unwrap_or_default();
                    step(line).is_none()
                        && !text.starts_with('(')
                        && indent == self::indent(above)
                        && width(above) + 1 + width(word) > Story::WIDTH
                }
                None => false,
            };
        match whole.last_mut().filter(|_| goes_on) {
            Some((before, column)) => {
                // The place of a step stands apart.
                let gap = if column.is_some() && text.starts_with('[') {
                    "  "
                } else {
                    " "
                };
                before.push_str(gap);
                before.push_str(text);
            }
            // A command is copied whole, so it has a row of its own.
            None if text.starts_with(AGAIN) => {
                let command = text[AGAIN.len()..].trim_start();
                whole.push((line[..indent + AGAIN.len()].to_owned(), None));
                if !command.is_empty() {
                    whole.push((format!("{:indent$}{command}", ""), None));
                }
            }
            None => whole.push((line.to_owned(), step(line))),
        }
        above = line;
    }
    whole
        .into_iter()
        .map(|(text, column)| match column {
            Some(column) => ink_of_story(&text).hanging(column),
            None => ink_of_story(&text),
        })
        .collect()
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The column of what happens, in a line such as `>> step 2  WaitBot  clears table 2  [src/lib.rs:81]`.
fn step(line: &str) -> Option<usize> {
    let rest = line
        .strip_prefix(">> ")
        .or_else(|| line.strip_prefix("   "))?;
    if !["step ", "for ever", "on and on"]
        .iter()
        .any(|label| rest.starts_with(label))
    {
        return None;
    }
    // Columns of the table are two spaces apart, or more.
    let mut at = 3;
    for _ in ["the label", "who it is"] {
        at += line[at..].find("  ")?;
        at += indent(&line[at..]);
    }
    Some(width(&line[..at]))
}

fn ink_of_story(line: &str) -> Line {
    let text = line.trim_start();
    let ink = if line.starts_with(">> ") {
        Ink::Warn
    } else if ["rule broken:", "deadlock:", "Not kept:", "not written yet:"]
        .iter()
        .any(|start| text.starts_with(start))
    {
        Ink::Bad
    } else if text.starts_with(AGAIN)
        || text.starts_with("WHATIF_REPLAY=")
        || text.starts_with("note: ")
    {
        Ink::Faint
    } else {
        Ink::Plain
    };
    Line::new(ink, line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn page(telling: &Telling) -> Vec<String> {
        telling.page.iter().map(Line::text).collect()
    }

    const STORY: &str = "Building exercise-03 ...
   Compiling exercise-03 v0.1.0 (/course/exercises/03-one-table-two-parties)
    Finished `test` profile [unoptimized + debuginfo] target(s) in 0.47s
Testing ...

running 3 tests
test greetbot_alone ... GreetBot alone: 1 schedule covers every order of steps, and none goes wrong
ok
test seat_and_clear ... 
a party comes: it can go wrong, and this is the shortest way I found

>> step 1  WaitBot   sees nobody at table 2           [src/lib.rs:70]
   step 2  GreetBot  sees nobody at table 2           [src/lib.rs:60]

   rule broken: a party sits at a table that is being cleared

FAILED
test waitbot_alone ... WaitBot alone: 1 schedule covers every order of steps, and none goes wrong
ok
";

    #[test]
    fn the_failing_story_comes_first_and_what_passes_is_named() {
        let telling = tell(Verdict::Fails, &lines(STORY));
        assert_eq!(telling.tests, (1, 3));
        assert_eq!(telling.place, Some(70));
        assert_eq!(
            page(&telling),
            [
                "✗ seat_and_clear",
                "a party comes: it can go wrong, and this is the shortest way I found",
                "",
                ">> step 1  WaitBot   sees nobody at table 2           [src/lib.rs:70]",
                "   step 2  GreetBot  sees nobody at table 2           [src/lib.rs:60]",
                "",
                "   rule broken: a party sits at a table that is being cleared",
                "",
                "✓ greetbot_alone",
                "✓ waitbot_alone",
            ]
        );
    }

    /// A story as a wrong answer gets it, word for word.
    fn quoted(path: &str) -> String {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        std::fs::read_to_string(root.join(path)).unwrap()
    }

    fn fitted(story: &str, columns: usize) -> Vec<String> {
        let lines: Vec<&str> = story.lines().collect();
        let rows = lines_of_story(&lines);
        let rows = rows.iter().flat_map(|line| line.wrapped(columns));
        rows.map(|row| row.text().trim_end().to_owned()).collect()
    }

    #[test]
    fn a_story_is_fitted_once() {
        let story = quoted("solutions/03-one-table-two-parties/wrong/two_locked_steps.txt");
        // The width in which stories are told is the one that is undone here.
        assert!(story.contains("is the\nshortest way I found\n"), "{story}");
        assert_eq!(
            fitted(&story, 78)[..4],
            [
                "a party comes, and WaitBot wants to clear: it can go wrong, and this is the",
                "shortest way I found",
                "(4 schedules tried; it takes 1 preemption)",
                "",
            ]
        );
        let wide = "a party comes, and WaitBot wants to clear: it can go wrong, and this is the shortest way I found";
        assert_eq!(fitted(&story, 120)[0], wide);
        // Steps that are too long go on below what happens, not below the step.
        assert_eq!(
            fitted(&story, 60)[4..8],
            [
                ">> step 1  WaitBot   sees nobody at table 2",
                "                     [src/lib.rs:70]",
                "   step 2  GreetBot  sees nobody at table 2",
                "                     [src/lib.rs:60]",
            ]
        );
        let story = quoted("solutions/11-the-run-queue/wrong/clears_the_flag_after_the_poll.txt");
        let rows = fitted(&story, 100);
        assert!(
            rows.contains(
                &"   step 2  the guest    rings for table 1             […/the_run_queue.rs:142]"
                    .to_owned()
            ),
            "{rows:#?}"
        );
        assert_eq!(
            rows[rows.len() - 2..],
            [
                "   rule broken: the guest has called twice, and the task does not know: a ring is lost, so it was",
                "   not polled again",
            ]
        );
    }

    #[test]
    fn the_command_that_plays_it_again_is_not_broken() {
        let lines = [
            "",
            "   To play it again:  WHATIF_REPLAY=0c-1b cargo test -p exercise-03 seat_and_clear",
        ];
        let page = lines_of_story(&lines);
        let texts: Vec<_> = page.iter().map(Line::text).collect();
        assert_eq!(
            texts,
            [
                "",
                "   To play it again:",
                "   WHATIF_REPLAY=0c-1b cargo test -p exercise-03 seat_and_clear"
            ]
        );
        assert!(page[1..].iter().all(|line| line.pieces[0].0 == Ink::Faint));
    }

    #[test]
    fn no_story_loses_a_word_by_that_and_every_row_fits() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut stories = 0;
        for folder in std::fs::read_dir(root.join("solutions")).unwrap() {
            let Ok(wrong) = std::fs::read_dir(folder.unwrap().path().join("wrong")) else {
                continue;
            };
            for file in wrong.map(|entry| entry.unwrap().path()) {
                if file.extension().is_none_or(|it| it != "txt") {
                    continue;
                }
                let story = std::fs::read_to_string(&file).unwrap();
                for columns in [40, 78, 100, 200] {
                    let rows = fitted(&story, columns);
                    let words = |text: &str| text.split_whitespace().collect::<String>();
                    assert_eq!(words(&rows.concat()), words(&story), "{}", file.display());
                    for row in &rows {
                        assert!(width(row) <= columns, "{row:?} in {}", file.display());
                    }
                }
                stories += 1;
            }
        }
        assert!(stories > 5, "there are hardly any stories");
    }

    /// The stories that the book quotes, of wrong answers and of scenes. Those of all wrong answers are measured where
    /// they are verified.
    #[test]
    fn every_story_fits_a_terminal_of_80_columns() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut files: Vec<_> = std::fs::read_dir(root.join("solutions"))
            .unwrap()
            .map(|folder| folder.unwrap().path().join("wrong"))
            .chain([root.join("book/src/recordings")])
            .filter_map(|folder| std::fs::read_dir(folder).ok())
            .flatten()
            .map(|entry| entry.unwrap().path())
            .filter(|file| file.extension().is_some_and(|it| it == "txt"))
            .collect();
        files.sort();
        let mut stories = 0;
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            if !text.contains("it can go wrong, and this is") {
                continue; // A proof in a line, or the words of a test that whatif does not write.
            }
            stories += 1;
            for line in text.lines().filter(|line| !line.contains("WHATIF_REPLAY=")) {
                assert!(
                    width(line) <= Story::WIDTH,
                    "{line:?} in {}",
                    file.display()
                );
            }
        }
        assert!(stories > 20, "there are hardly any stories: {stories}");
    }

    #[test]
    fn what_a_learner_prints_is_not_joined() {
        let long = "x".repeat(70);
        let lines = ["one", "two", &long, "three", "", "  four", "five"];
        let page = lines_of_story(&lines);
        let texts: Vec<_> = page.iter().map(Line::text).collect();
        assert_eq!(texts, lines);
    }

    #[test]
    fn a_pass_tells_what_was_proved() {
        let passed = STORY
            .replace("FAILED", "ok")
            .replace("it can go wrong, and this is the shortest way I found", "");
        let telling = tell(Verdict::Passes, &lines(&passed));
        assert_eq!(telling.tests, (0, 3));
        let page = page(&telling);
        assert_eq!(page[0], "✓ greetbot_alone");
        assert!(page[1].contains("1 schedule covers"), "{page:#?}");
    }

    #[test]
    fn of_a_compile_error_only_the_compilers_words_are_left() {
        let output = "Building exercise-03 ...
   Compiling whatif v0.1.0 (/course/crates/whatif)
   Compiling exercise-03 v0.1.0 (/course/exercises/03-one-table-two-parties)
warning: unused variable: `a`
  --> exercises/03-one-table-two-parties/src/lib.rs:12:9
error[E0425]: cannot find function `undefined_thing` in this scope
  --> exercises/03-one-table-two-parties/src/lib.rs:60:9
   |
60 |         undefined_thing(party)
   |         ^^^^^^^^^^^^^^^ not found in this scope

For more information about this error, try `rustc --explain E0425`.
error: could not compile `exercise-03` (lib) due to 1 previous error
";
        let telling = tell(Verdict::DoesNotCompile, &lines(output));
        assert_eq!((telling.errors, telling.place), (1, Some(60)));
        let page = page(&telling);
        assert!(page[0].starts_with("warning"), "{page:#?}");
        assert!(!page.iter().any(|line| line.contains("Compiling")));
        assert!(
            page.iter()
                .any(|line| line.contains("undefined_thing(party)"))
        );
    }

    #[test]
    fn warnings_come_after_the_stories() {
        let output = STORY.replace(
            "    Finished",
            "warning: unused variable: `a`\n --> src/lib.rs:1:1\n\n    Finished",
        );
        let telling = tell(Verdict::Fails, &lines(&output));
        let page = page(&telling);
        let at = |text: &str| page.iter().position(|line| line.contains(text));
        assert!(at("unused variable") > at("waitbot_alone"), "{page:#?}");
        assert_eq!(telling.place, Some(70));
    }

    #[test]
    fn a_test_that_never_came_to_its_end_is_named() {
        let output = "Testing ...\nrunning 2 tests\ntest a ... ok\ntest b ... \nat work\n";
        let telling = tell(Verdict::NeverEnds, &lines(output));
        assert_eq!(page(&telling), ["… b", "at work", "", "✓ a"]);
        assert_eq!(telling.tests, (1, 2));
    }

    #[test]
    fn what_is_no_harness_output_is_shown_as_it_is() {
        let output = "Testing ...\nthread 'main' has overflowed its stack\nfatal\n";
        let telling = tell(Verdict::Dies, &lines(output));
        assert_eq!(
            page(&telling),
            ["thread 'main' has overflowed its stack", "fatal"]
        );
        assert_eq!(tell(Verdict::NotRun, &[]), Telling::default());
    }

    #[test]
    fn what_was_told_already_is_not_told_again() {
        let story = |name: &str, why: &str| {
            format!("test {name} ... \n{name} alone: not ready\n\n   {why}\n\nFAILED\n")
        };
        let why = "not written yet: [src/lib.rs:60]";
        let output = format!(
            "Testing ...\n{}{}{}",
            story("a", why),
            story("b", why),
            story("c", "something else")
        );
        let telling = tell(Verdict::Fails, &lines(&output));
        assert_eq!(
            page(&telling),
            [
                "✗ a",
                "a alone: not ready",
                "",
                "   not written yet: [src/lib.rs:60]",
                "",
                "✗ b  for the same reason",
                "",
                "✗ c",
                "c alone: not ready",
                "",
                "   something else",
            ]
        );
    }

    #[test]
    fn a_harness_shares_a_line_with_a_careless_printer() {
        let output = "Testing ...\ntest a ... \nno line breakFAILED\ntest b ... ok\n";
        let telling = tell(Verdict::Fails, &lines(output));
        assert_eq!(page(&telling), ["✗ a", "no line break", "", "✓ b"]);
    }

    #[test]
    fn phases_are_named_in_a_learners_words() {
        let cases = [
            ("Building exercise-03 ...", Some("Building exercise-03")),
            (
                "   Compiling whatif v0.1.0 (/course/crates/whatif)",
                Some("Building whatif"),
            ),
            ("  Downloaded serde v1.0.0", Some("Downloading serde")),
            (
                "    Blocking waiting for file lock on build directory",
                Some("Waiting for another cargo that is at work"),
            ),
            ("Testing ...", Some("Testing")),
            ("Compiling is what I do, said the robot", None),
            ("    Finished `test` profile", None),
            ("", None),
        ];
        for (line, expected) in cases {
            assert_eq!(phase(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn places_are_read_from_any_of_their_forms() {
        for text in [
            "   step 1  [src/lib.rs:60]",
            "  --> exercises/03-x/src/lib.rs:60:9",
            "panicked at exercises\\03-x\\src\\lib.rs:60:9:",
        ] {
            assert_eq!(place_in(text), Some(60), "{text}");
        }
        assert_eq!(place_in("src/lib.rs:"), None);
        assert_eq!(place_in("src/lib.rs:99999999999"), None);
        assert_eq!(place_in("crates/whatif/src/floor.rs:3"), None);
    }
}
