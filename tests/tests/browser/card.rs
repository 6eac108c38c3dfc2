//! Exercise cards, on a course of their own: what a test checks and asks for here must not end up in the progress file of
//! whoever runs the tests.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use course::check::CheckOptions;
use course::serve::{self, Options, Server};
use house_tests::root;
use serde_json::{Value, json};

use super::Stage;

/// A course with five small exercises and a page with their cards.
struct Course {
    root: tempfile::TempDir,
    server: Server,
}

const TEST: &str = "#[test] fn five() { println!(\"counting\"); assert_eq!(exercise::five(), 5, \"a hand has five fingers\"); }\n";
const STARTER: &str = "pub fn five() -> u32 {\n    4\n}\n";
const ANSWER: &str = "pub fn five() -> u32 {\n    5\n}\n";

impl Course {
    fn open(progress: &str) -> anyhow::Result<Course> {
        let folder = tempfile::Builder::new().prefix("course-cards-").tempdir()?;
        let write = |path: &str, text: &str| -> anyhow::Result<()> {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().context("a folder")?)?;
            Ok(fs::write(path, text)?)
        };
        write(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"exercises/*\"]\n",
        )?;
        let mut page = "# Cards {#cards}\n".to_owned();
        for n in 1..=5 {
            let (number, answer) = (format!("{n:02}"), if n == 1 { STARTER } else { ANSWER });
            // The fifth is to be answered by the test.
            let answer = if n == 5 {
                "pub fn five() -> u32 {\n    // mine\n    4\n}\n"
            } else {
                answer
            };
            let exercise = format!("exercises/{number}-case");
            write(
                &format!("{exercise}/Cargo.toml"),
                &format!(
                    "[package]\nname = \"exercise-{number}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\nname = \"exercise\"\ntest = false\ndoctest = false\n"
                ),
            )?;
            write(&format!("{exercise}/src/lib.rs"), answer)?;
            write(&format!("{exercise}/tests/case.rs"), TEST)?;
            write(
                &format!("{exercise}/exercise.toml"),
                &format!(
                    "number = \"{number}\"\nslug = \"case\"\ntitle = \"Case\"\nchapter = \"cards\"\nminutes = 10\nhints = [\"Look at your hand.\", \"Count its `fingers`.\", \"Return 5.\"]\nafter = \"Read on.\"\n"
                ),
            )?;
            write(&format!("solutions/{number}-case/starter.rs"), STARTER)?;
            write(&format!("solutions/{number}-case/src/lib.rs"), ANSWER)?;
            page += &format!(
                "\n<exercise-card number=\"{number}\">\n\n### Exercise {number}: a hand {{#exercise-{number}}}\n\nCount the fingers, then run:\n\n```sh\ncargo test -p exercise-{number}\n```\n\n</exercise-card>\n"
            );
        }
        write(".progress/progress.json", progress)?;
        write("book/src/SUMMARY.md", "# Summary\n\n- [Cards](cards.md)\n")?;
        write("book/src/cards.md", &page)?;
        write("book/src/loopbot-env.json", "{\"mode\":\"recorded\"}")?;
        let book = root().join("book");
        fs::copy(
            book.join("book.toml"),
            folder.path().join("book").join("book.toml"),
        )?;
        copy_files(
            &book.join("assets"),
            &folder.path().join("book").join("assets"),
        )?;
        let options = Options {
            port: Some(0),
            follow: false,
            news: Arc::new(|_| {}),
            check_options: CheckOptions {
                target: Some(folder.path().join("target")),
                network: false,
                ..CheckOptions::default()
            },
            ..Options::new()?
        };
        let server = serve::start(folder.path(), options)?;
        Ok(Course {
            root: folder,
            server,
        })
    }

    fn kept(&self) -> anyhow::Result<Value> {
        let file = self.root.path().join(".progress").join("progress.json");
        Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
    }
}

fn copy_files(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

impl Stage {
    fn open_cards(&mut self, course: &Course) -> anyhow::Result<()> {
        self.browser.console_errors()?;
        self.browser
            .open(&format!("{}cards.html", course.server.url()))?;
        self.browser.run("localStorage.clear()", json!([]))?;
        self.browser
            .open(&format!("{}cards.html", course.server.url()))?;
        self.browser
            .wait_for(
                "the cards to know how far the learner is",
                "return [...document.querySelectorAll('exercise-card')].every((card) => card.dataset.standing)",
            )
            .map(drop)
    }

    /// The words of a part of a card; empty where it is not shown.
    fn part(&mut self, number: &str, part: &str) -> anyhow::Result<String> {
        let words = self.browser.run(
            "const part = document.querySelector(`exercise-card[number='${arguments[0]}'] [data-part=${arguments[1]}]`);
             return part && part.checkVisibility() ? part.innerText : ''",
            json!([number, part]),
        )?;
        Ok(words.as_str().unwrap_or_default().to_owned())
    }

    fn press_card(&mut self, number: &str, part: &str) -> anyhow::Result<()> {
        self.browser.click(&format!(
            "exercise-card[number='{number}'] [data-part={part}]"
        ))
    }

    fn wait_for_standing(&mut self, number: &str, state: &str) -> anyhow::Result<()> {
        self.browser
            .wait_for(
                &format!("card {number} to be {state}"),
                &format!(
                    "return document.querySelector(\"exercise-card[number='{number}']\").dataset.standing === '{state}'"
                ),
            )
            .map(drop)
    }
}

pub fn say_how_far_the_learner_is(stage: &mut Stage) -> anyhow::Result<()> {
    let course = Course::open(
        r#"{"exercises":{"03":{"last":"does-not-compile","hints":2},"04":{"last":"pass","passed_on":"2026-11-20"}}}"#,
    )?;
    stage.open_cards(&course)?;
    for (number, words) in [
        (
            "01",
            "Not begun: the file is as it was shipped. · about 10 minutes",
        ),
        ("02", "Begun: no check has looked at your file yet."),
        (
            "03",
            "Not passed yet: at the last check it did not compile.",
        ),
        ("04", "Passed on November 20, 2026"),
    ] {
        let said = stage.part(number, "standing")?;
        ensure!(said.contains(words), "card {number} says {said:?}");
    }
    // The hints that were shown in the terminal are here, and those alone.
    let hints = stage.part("03", "hints")?;
    ensure!(
        hints.contains("your hand") && hints.contains("fingers") && !hints.contains("Return"),
        "{hints}"
    );
    ensure!(stage.part("03", "hint")?.contains("1 left"));
    // The solution is for those who have passed.
    ensure!(stage.part("03", "solution")? == "" && stage.part("04", "solution")? == "Solution");
    stage.press_card("04", "solution")?;
    stage.browser.wait_for(
        "the solution",
        "return document.querySelector('exercise-card[number=\"04\"] [data-part=compared] pre') !== null",
    )?;
    let shown = stage.part("04", "compared")?;
    ensure!(
        shown.contains("line for line") && shown.contains("solutions/04-case/src/lib.rs"),
        "{shown}"
    );
    stage.no_console_errors("the cards")
}

pub fn check_and_remember(stage: &mut Stage) -> anyhow::Result<()> {
    let course = Course::open("{}")?;
    stage.open_cards(&course)?;
    let check = |stage: &mut Stage| {
        stage.browser.run(
            "window.checked = null; window.seen = [];
             const card = document.querySelector('exercise-card[number=\"05\"]');
             card.addEventListener('loopbot:checked', (event) => (window.checked = event.detail.verdict), { once: true });
             new MutationObserver(() => window.seen.push([card.dataset.state, card.querySelector('[data-part=output]').textContent.length]))
               .observe(card.querySelector('[data-part=output]'), { childList: true })",
            json!([]),
        )?;
        stage.press_card("05", "check")?;
        stage
            .browser
            .wait_for("the verdict", "return window.checked")
    };
    ensure!(check(stage)? == "fail");
    // Lines came while it was running, not in one piece with the verdict.
    let seen = stage.browser.run(
        "return window.seen.filter(([state]) => state === 'running').length",
        json!([]),
    )?;
    ensure!(seen.as_u64().is_some_and(|seen| seen > 2), "{seen}");
    let output = stage.part("05", "output")?;
    ensure!(
        output.contains("Testing ...") && output.contains("a hand has five fingers"),
        "{output}"
    );
    ensure!(
        stage.part("05", "verdict")?.contains("Not yet."),
        "no words for the verdict"
    );
    stage.wait_for_standing("05", "failing")?;
    ensure!(course.kept()?["exercises"]["05"]["last"] == "fail");

    fs::write(
        course.root.path().join("exercises/05-case/src/lib.rs"),
        "pub fn five() -> u32 {\n    2 + 3\n}\n",
    )?;
    ensure!(check(stage)? == "pass");
    stage.wait_for_standing("05", "passed")?;
    ensure!(course.kept()?["exercises"]["05"]["passed_on"].is_string());
    let said = stage.part("05", "standing")?;
    ensure!(said.contains("Passed on"), "{said}");
    stage.press_card("05", "solution")?;
    stage.browser.wait_for(
        "the solution beside the answer",
        "const pre = document.querySelector('exercise-card[number=\"05\"] [data-part=compared] pre');
         return pre && pre.innerText.includes('−     2 + 3') && pre.innerText.includes('+     5')",
    )?;
    stage.no_console_errors("the checked card")
}

pub fn remember_hints(stage: &mut Stage) -> anyhow::Result<()> {
    let course = Course::open("{}")?;
    stage.open_cards(&course)?;
    let count = |n: usize| {
        format!(
            "return document.querySelectorAll('exercise-card[number=\"02\"] [data-part=hints] li').length === {n}"
        )
    };
    stage.press_card("02", "hint")?;
    stage.browser.wait_for("the first hint", &count(1))?;
    ensure!(course.kept()?["exercises"]["02"]["hints"] == 1);
    stage.open_cards(&course)?;
    ensure!(
        stage.browser.run(&count(1), json!([]))? == true,
        "the hint is gone after a reload"
    );
    // Another hint in the terminal, and a check: the page hears of both without being asked.
    let exercises = course::exercises::load(course.root.path())?;
    let exercise = course::exercises::find(&exercises, "02")?;
    course::commands::hint::hint(course.root.path(), exercise, true);
    stage
        .browser
        .wait_for("the hint from the terminal", &count(2))?;
    course::progress::note_check(
        course.root.path(),
        exercise,
        course::check::Verdict::NeverEnds,
    );
    stage.wait_for_standing("02", "failing")?;
    let said = stage.part("02", "standing")?;
    ensure!(said.contains("never came to an end"), "{said}");
    stage.press_card("02", "hint")?;
    stage.browser.wait_for("the last hint", &count(3))?;
    ensure!(stage.part("02", "hint")? == "No more hints");
    stage.no_console_errors("the card with hints")
}

/// The real book: every card knows its exercise. Nothing is checked here, for the progress is that of whoever runs this.
pub fn are_alive_in_the_book(stage: &mut Stage) -> anyhow::Result<()> {
    stage.open("en/ch03-one-table-two-parties.html")?;
    stage.browser.wait_for(
        "the card to know how far the learner is",
        "const card = document.querySelector('exercise-card[number=\"03\"]');
         return card.dataset.mode === 'live' && Boolean(card.dataset.standing)",
    )?;
    let asked = stage.browser.requests()?;
    let progress = asked
        .iter()
        .filter(|address| address.ends_with("__loopbot/progress"))
        .count();
    ensure!(progress == 1, "the standings were read {progress} times");
    stage.no_console_errors("the card in the book")
}
