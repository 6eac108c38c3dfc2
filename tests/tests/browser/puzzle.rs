//! The puzzles, solved as a reader does who has no mouse; and a failing run on a page of its own.

use anyhow::{Context, ensure};
use course::story;
use serde_json::{Value, json};

use super::Stage;

const TAB: &str = "\u{E004}";
const ENTER: &str = "\u{E007}";
const BACKSPACE: &str = "\u{E003}";
const RIGHT: &str = "\u{E014}";

/// More keys than this no reader needs to get from one end of a puzzle to the other.
const MANY: usize = 400;

/// A puzzle on a page, in the browser.
struct Puzzle<'a> {
    stage: &'a mut Stage,
    selector: String,
}

impl Puzzle<'_> {
    fn ask(&mut self, body: &str) -> anyhow::Result<Value> {
        let body = format!(
            "const puzzle = document.querySelector(arguments[0]); const part = (name) => puzzle.querySelector(`[data-part=${{name}}]`); {body}"
        );
        self.stage.browser.run(&body, json!([self.selector]))
    }

    fn data(&mut self, name: &str) -> anyhow::Result<String> {
        let value = self.ask(&format!("return puzzle.dataset.{name} ?? ''"))?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    fn number(&mut self, name: &str) -> anyhow::Result<usize> {
        let text = self.data(name)?;
        text.parse()
            .with_context(|| format!("{}: {name} is {text:?}", self.selector))
    }

    /// Presses a key where the focus is.
    fn press(&mut self, key: &str) -> anyhow::Result<()> {
        self.stage.browser.press(":focus", key)
    }

    /// Goes on with the Tab key until the focus is on something that `what` describes, within the puzzle.
    fn tab_to(&mut self, what: &str) -> anyhow::Result<()> {
        for _ in 0..MANY {
            let there = self.ask(&format!(
                "const here = document.activeElement; return puzzle.contains(here) && here.matches({what:?})"
            ))?;
            if there == true {
                return Ok(());
            }
            self.press(TAB)?;
        }
        anyhow::bail!("the Tab key does not lead to {what} of {}", self.selector)
    }

    /// From the top of the page to the first robot.
    fn enter(&mut self) -> anyhow::Result<()> {
        self.ask("document.activeElement?.blur(); window.getSelection().removeAllRanges()")?;
        self.stage.browser.press("body", TAB)?;
        self.press(ENTER)?; // past the table of contents
        self.tab_to("[data-part=robots] button")
    }

    /// The number of the robot that is most likely to bring it about; or of the first that can move, where nothing goes wrong.
    fn next_key(&mut self) -> anyhow::Result<Option<String>> {
        let key = self.ask(
            "const { here } = puzzle.walk;
             if (here.end) return null;
             const odds = (card) => { const to = puzzle.ways.nodes[here.moves[card.dataset.pick].to]; return to.wrong / to.all; };
             const cards = [...puzzle.querySelectorAll('[data-part=robots] button[data-pick]')];
             return cards.reduce((best, card) => (odds(card) > odds(best) ? card : best)).dataset.key",
        )?;
        Ok(key.as_str().map(str::to_owned))
    }

    /// Picks by number until the evening ends, one way or the other. Returns how it ended.
    fn play(&mut self) -> anyhow::Result<String> {
        for _ in 0..MANY {
            let Some(key) = self.next_key()? else {
                return self.data("state");
            };
            let before = self.number("moves")?;
            self.press(&key)?;
            ensure!(
                self.number("moves")? == before + 1,
                "{}: the key {key} moves nobody",
                self.selector
            );
        }
        anyhow::bail!("{} does not come to an end", self.selector)
    }

    fn can_be_broken(&mut self) -> anyhow::Result<bool> {
        Ok(!self.data("fewest")?.is_empty())
    }
}

/// Opens a page and gives the names of its puzzles, each ready to be played.
fn puzzles_on(stage: &mut Stage, page: &str) -> anyhow::Result<Vec<String>> {
    stage.read(page)?;
    let names = stage.browser.run(
        "return [...document.querySelectorAll('scheduler-puzzle')].map((puzzle) => puzzle.getAttribute('src'))",
        json!([]),
    )?;
    Ok(names
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|name| format!("scheduler-puzzle[src=\"{name}\"]"))
        .collect())
}

/// Every puzzle of the book, on every page that has one.
fn each(
    stage: &mut Stage,
    mut play: impl FnMut(&mut Puzzle<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut played = 0;
    for page in stage.pages()? {
        for selector in puzzles_on(stage, &page)? {
            let mut puzzle = Puzzle { stage, selector };
            play(&mut puzzle).with_context(|| page.clone())?;
            played += 1;
        }
        stage.no_console_errors(&page)?;
    }
    ensure!(played >= 2, "there are {played} puzzles in the whole book");
    Ok(())
}

pub fn are_won_by_keyboard(stage: &mut Stage) -> anyhow::Result<()> {
    each(stage, |puzzle| {
        if !puzzle.can_be_broken()? {
            return Ok(());
        }
        puzzle.enter()?;
        let end = puzzle.play()?;
        ensure!(end == "broken", "{} ends {end}", puzzle.selector);
        let told = puzzle.ask(
            "const marked = puzzle.querySelectorAll('[data-part=story] .marked');
             return { verdict: part('verdict').innerText, alarm: part('alarm').textContent, marked: marked.length,
                      rule: puzzle.walk.here.end.rule, lines: puzzle.querySelectorAll('[data-part=story] code').length,
                      focused: document.activeElement === part('verdict') }",
        )?;
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_lowercase();
        let rule = text("rule");
        ensure!(
            !rule.is_empty() && text("verdict").contains(&rule) && text("alarm").contains(&rule),
            "the rule is not told: {told}"
        );
        ensure!(
            text("verdict").contains("preemption"),
            "preemptions are not told: {told}"
        );
        ensure!(
            told["lines"].as_u64() > Some(0) && told["marked"].as_u64() > Some(0),
            "no story with its lines: {told}"
        );
        ensure!(
            told["focused"] == true,
            "the keyboard is left behind: {told}"
        );
        ensure!(puzzle.number("preemptions")? >= puzzle.number("fewest")?);
        ensure!(puzzle.number("wrong")? > 0 && puzzle.number("wrong")? <= puzzle.number("ways")?);
        Ok(())
    })
}

pub fn take_moves_back(stage: &mut Stage) -> anyhow::Result<()> {
    each(stage, |puzzle| {
        puzzle.enter()?;
        let address = puzzle.stage.browser.address()?;
        // Arrows choose a robot and do not turn the page; Enter lets it move, where it can.
        puzzle.press(RIGHT)?;
        puzzle.press(RIGHT)?;
        ensure!(
            puzzle.stage.browser.address()? == address,
            "an arrow key left the page"
        );
        puzzle.tab_to("[data-part=robots] button[data-pick]")?;
        puzzle.press(ENTER)?;
        ensure!(
            puzzle.number("moves")? == 1,
            "Enter moves nobody in {}",
            puzzle.selector
        );
        puzzle.press(BACKSPACE)?;
        ensure!(puzzle.number("moves")? == 0 && puzzle.data("state")? == "ready");

        let first = puzzle.play()?;
        let moves = puzzle.number("moves")?;
        puzzle.press(BACKSPACE)?;
        ensure!(puzzle.number("moves")? == moves - 1 && puzzle.data("state")? != first);
        let again = puzzle.play()?;
        ensure!(first == again, "the same moves ended {first}, then {again}");

        puzzle.tab_to("[data-part=restart]")?;
        puzzle.press(ENTER)?;
        ensure!(puzzle.number("moves")? == 0 && puzzle.data("state")? == "ready");
        ensure!(
            puzzle.number("seen")? == 1,
            "one order was seen, however often"
        );
        puzzle.tab_to("[data-part=robots] button")?;

        // A reader who comes back finds the puzzle as it was left.
        let Some(key) = puzzle.next_key()? else {
            anyhow::bail!("{} ends before it begins", puzzle.selector);
        };
        puzzle.press(&key)?;
        let page = puzzle.stage.browser.address()?;
        puzzle.stage.browser.open(&page)?;
        let Puzzle { stage, selector } = puzzle;
        stage.wake("scheduler-puzzle", &page)?;
        let mut puzzle = Puzzle {
            stage,
            selector: selector.clone(),
        };
        ensure!(puzzle.number("moves")? == 1 && puzzle.data("state")? == "moving");
        puzzle.ask("puzzle.restart()").map(drop)
    })
}

pub fn cannot_be_broken_where_the_robots_coordinate(stage: &mut Stage) -> anyhow::Result<()> {
    let mut proved = 0;
    each(stage, |puzzle| {
        if puzzle.can_be_broken()? {
            return Ok(());
        }
        proved += 1;
        puzzle.enter()?;
        let end = puzzle.play()?;
        ensure!(end == "well", "{} ends {end}", puzzle.selector);
        ensure!(puzzle.data("proved")?.is_empty(), "nobody has asked yet");
        puzzle.tab_to("[data-part=reveal]")?;
        puzzle.press(ENTER)?;
        let said = puzzle.ask("return part('tally').innerText")?;
        ensure!(
            said.as_str()
                .is_some_and(|said| said.contains("cannot be broken")),
            "{said}"
        );
        let told =
            puzzle.ask("return 'proved' in puzzle.dataset && puzzle.dataset.wrong === '0'")?;
        ensure!(told == true, "{} does not say it", puzzle.selector);
        Ok(())
    })?;
    ensure!(proved > 0, "no puzzle is a coordinated one");
    Ok(())
}

/// A run as whatif writes it down.
const RUN: &str = include_str!("../../../crates/course/src/story/sample.txt");

/// The page of `cargo course story`: a file that loads nothing and plays to its end.
pub fn a_failing_run_has_a_page(stage: &mut Stage) -> anyhow::Result<()> {
    let stories = story::read(RUN).map_err(anyhow::Error::msg)?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("story.html");
    std::fs::create_dir(folder.path().join("src"))?;
    std::fs::write(folder.path().join("src/lib.rs"), "take(key);\n".repeat(99))?;
    std::fs::write(
        &path,
        story::page("Exercise 03", &stories, &[folder.path()]),
    )?;
    let address = format!("file://{}", path.display()).replace('\\', "/");
    stage.browser.console_errors()?;
    stage.browser.requests()?;
    stage.browser.open(&address)?;
    for (n, told) in stories.iter().enumerate() {
        let figure = stage.figure(&format!("story-{n}"))?;
        stage
            .browser
            .press(&format!("{figure} [data-part=play]"), "\u{E010}")?; // End
        let seen = stage.browser.run(
            "const { state, incidents, steps } = document.querySelector(arguments[0]).dataset;
             const room = document.querySelector(`${arguments[0]} [data-part=room]`);
             const story = document.querySelector(`${arguments[0]} [data-part=story]`);
             return { state, incidents, steps, room: room.hidden, told: story.innerText, height: story.clientHeight }",
            json!([figure]),
        )?;
        ensure!(
            seen["state"] == "ended" && seen["incidents"] == "1",
            "it does not show how it ends: {seen}"
        );
        ensure!(
            seen["steps"].as_str() == Some(&(told.lines.len() + 1).to_string()),
            "a step is missing: {seen}"
        );
        // There are no tables: the story and the lanes are what there is, and they are there.
        ensure!(
            seen["room"] == true && seen["height"].as_u64() > Some(60),
            "{seen}"
        );
        ensure!(
            seen["told"]
                .as_str()
                .is_some_and(|shown| told.lines.iter().all(|line| shown.contains(&line.text))),
            "{seen}"
        );
    }
    let asked = stage.browser.requests()?;
    ensure!(
        asked
            .iter()
            .all(|it| *it == address || it.starts_with("data:")),
        "the page asked for {asked:?}"
    );
    stage.no_console_errors("the page of a story")
}
