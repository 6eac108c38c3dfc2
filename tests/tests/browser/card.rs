//! Exercise cards, on a course of their own: what a test checks and asks for here must not end up in the progress file of
//! whoever runs the tests.

use std::fs;

use anyhow::ensure;
use course::check::Verdict;
use course::commands::hint;
use course::exercises::{self, Exercise};
use course::progress::{self, Standing};
use course::serve::Server;
use serde_json::json;

use super::Stage;
use super::scratch::Scratch;

/// A course with five small exercises and a page with their cards.
struct Course {
    scratch: Scratch,
    server: Server,
}

const TEST: &str = "#[test] fn five() { println!(\"counting\"); assert_eq!(exercise::five(), 5, \"a hand has five fingers\"); }\n";
const STARTER: &str = "pub fn five() -> u32 {\n    4\n}\n";
const ANSWER: &str = "pub fn five() -> u32 {\n    5\n}\n";

impl Course {
    fn open(progress: &str) -> anyhow::Result<Course> {
        let scratch = Scratch::new()?;
        let write = |path: &str, text: &str| scratch.write(path, text);
        let mut page = "# Cards {#cards}\n".to_owned();
        for n in 1..=5 {
            let (number, answer) = (format!("{n:02}"), if n == 1 { STARTER } else { ANSWER });
            // The fifth is to be answered by the test.
            let answer = if n == 5 {
                "pub fn five() -> u32 {\n    // mine\n    4\n}\n"
            } else {
                answer
            };
            let exercise = format!("exercises/{number}-hand-{number}");
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
                    "number = \"{number}\"\nslug = \"hand-{number}\"\ntitle = \"Case\"\nchapter = \"cards\"\nminutes = 10\nhints = [\"Look at your hand.\", \"Count its `fingers`.\", \"Return 5.\"]\nafter = \"Read on.\"\n"
                ),
            )?;
            write(
                &format!("solutions/{number}-hand-{number}/starter.rs"),
                STARTER,
            )?;
            write(
                &format!("solutions/{number}-hand-{number}/src/lib.rs"),
                ANSWER,
            )?;
            page += &format!(
                "\n<exercise-card number=\"{number}\">\n\n### Exercise {number}: a hand {{#exercise-{number}}}\n\nCount the fingers, then run:\n\n```sh\ncargo test -p exercise-{number}\n```\n\n</exercise-card>\n"
            );
        }
        write(".progress/progress.json", progress)?;
        write("book/src/SUMMARY.md", "# Summary\n\n- [Cards](cards.md)\n")?;
        write("book/src/cards.md", &page)?;
        let server = scratch.serve()?;
        Ok(Course { scratch, server })
    }

    fn exercise(&self, number: &str) -> anyhow::Result<Exercise> {
        exercises::find(&exercises::load(self.scratch.root())?, number).cloned()
    }

    /// What is remembered of an exercise, as the terminal would tell.
    fn kept(&self, number: &str) -> anyhow::Result<Standing> {
        Ok(progress::standing(
            self.scratch.root(),
            &self.exercise(number)?,
        ))
    }
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
    ensure!(
        stage.part("03", "solution")?.is_empty() && stage.part("04", "solution")? == "Solution"
    );
    stage.press_card("04", "solution")?;
    stage.browser.wait_for(
        "the solution",
        "return document.querySelector('exercise-card[number=\"04\"] [data-part=compared] pre') !== null",
    )?;
    let shown = stage.part("04", "compared")?;
    ensure!(
        shown.contains("line for line") && shown.contains("solutions/04-hand-04/src/lib.rs"),
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
    ensure!(course.kept("05")?.last.as_deref() == Some("fail"));

    fs::write(
        course
            .scratch
            .root()
            .join("exercises/05-hand-05/src/lib.rs"),
        "pub fn five() -> u32 {\n    2 + 3\n}\n",
    )?;
    ensure!(check(stage)? == "pass");
    stage.wait_for_standing("05", "passed")?;
    ensure!(course.kept("05")?.passed_on.is_some());
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
    ensure!(course.kept("02")?.hints == 1);
    stage.open_cards(&course)?;
    ensure!(
        stage.browser.run(&count(1), json!([]))? == true,
        "the hint is gone after a reload"
    );
    // Another hint in the terminal, and a check: the page hears of both without being asked.
    let exercise = &course.exercise("02")?;
    hint::hint(course.scratch.root(), exercise, hint::Wish::More);
    stage
        .browser
        .wait_for("the hint from the terminal", &count(2))?;
    progress::note_check(course.scratch.root(), exercise, Verdict::NeverEnds);
    stage.wait_for_standing("02", "failing")?;
    let said = stage.part("02", "standing")?;
    ensure!(said.contains("never came to an end"), "{said}");
    // The file is damaged while the page is open: it is restored, and the page says so.
    let file = course.scratch.root().join(".progress/progress.json");
    fs::write(file, "{\"exercises\": {")?;
    stage.browser.wait_for(
        "a word about the damaged file",
        "return document.querySelector('exercise-card [data-part=notice]')?.innerText.includes('damaged')",
    )?;
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
