//! The book in a real browser, served by the real program.
//!
//! This test has a `main` of its own: when a page asks for a live run, the server starts this very executable again with the
//! arguments of the course program, and then it is the course program.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, ensure};
use course::serve::{self, Options, Server};
use house_tests::root;
use house_tests::webdriver::{self, Browser};
use serde_json::{Value, json};

#[path = "browser/card.rs"]
mod card;
#[path = "browser/puzzle.rs"]
mod puzzle;
#[path = "browser/scratch.rs"]
mod scratch;
#[path = "browser/stage.rs"]
mod stage;

type Test = (&'static str, fn(&mut Stage) -> anyhow::Result<()>);

const TESTS: &[Test] = &[
    (
        "pages_open_without_errors_and_load_nothing_from_elsewhere",
        pages_open,
    ),
    ("pages_fit_a_phone", pages_fit_a_phone),
    (
        "pages_are_dark_where_the_reader_wants_them_dark",
        pages_are_dark,
    ),
    ("a_figure_asks_then_plays_to_its_end", a_figure_plays),
    ("keys_inside_a_figure_stay_inside", keys_stay_inside),
    ("what_the_rules_say_leads_to_its_moment", the_rules_say),
    ("a_live_run_streams_and_ends", a_live_run),
    (
        "cards_say_how_far_the_learner_is",
        card::say_how_far_the_learner_is,
    ),
    ("cards_check_and_remember", card::check_and_remember),
    ("cards_remember_hints", card::remember_hints),
    ("cards_are_alive_in_the_book", card::are_alive_in_the_book),
    ("a_quiz_answers", a_quiz_answers),
    (
        "puzzles_are_won_by_keyboard_alone",
        puzzle::are_won_by_keyboard,
    ),
    ("puzzles_take_moves_back", puzzle::take_moves_back),
    (
        "puzzles_cannot_be_broken_where_the_robots_coordinate",
        puzzle::cannot_be_broken_where_the_robots_coordinate,
    ),
    (
        "a_failing_run_plays_on_a_page_of_its_own",
        puzzle::a_failing_run_has_a_page,
    ),
    (
        "the_stage_goes_section_by_section",
        stage::goes_section_by_section,
    ),
    (
        "the_stage_fits_every_projector",
        stage::fits_every_projector,
    ),
    (
        "the_stage_shows_figures_whole",
        stage::figures_are_seen_whole,
    ),
    (
        "the_stage_shows_eight_lanes_and_names_the_others",
        stage::shows_eight_lanes_and_names_the_others,
    ),
    ("the_stage_leaves_paper_alone", stage::leaves_paper_alone),
    ("the_stage_has_notes_that_follow", stage::notes_follow),
    (
        "the_stage_has_notes_that_follow_from_files",
        stage::notes_follow_from_files,
    ),
    ("without_the_program_figures_still_play", from_a_file),
];

/// A browser and the book it looks at.
struct Stage {
    browser: Browser,
    server: Server,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "shift") {
        return course::cli::main();
    }
    if arguments.iter().any(|argument| argument == "--list") {
        TESTS.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let tests: Vec<&Test> = TESTS
        .iter()
        .filter(|(name, _)| {
            wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()))
        })
        .collect();
    println!("\nrunning {} tests", tests.len());
    let programs = match webdriver::find() {
        Ok(programs) => programs,
        Err(error)
            if std::env::var_os("LOOPBOT_BROWSER").is_some_and(|browser| browser == "required") =>
        {
            println!("FAILED: LOOPBOT_BROWSER says that a browser is required, and {error:#}");
            return ExitCode::FAILURE;
        }
        Err(error) => {
            println!(
                "\n*** SKIPPED: {} browser tests did not run. {error:#}. ***\n",
                tests.len()
            );
            return ExitCode::SUCCESS;
        }
    };
    let mut stage = match Stage::set(&programs) {
        Ok(stage) => stage,
        Err(error) => {
            println!("FAILED: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let mut failures = 0;
    let count = tests.len();
    for (name, test) in tests {
        match stage.forget().and_then(|()| test(&mut stage)) {
            Ok(()) => println!("test {name} ... ok"),
            Err(error) => {
                failures += 1;
                println!("test {name} ... FAILED\n{error:#}\n");
            }
        }
    }
    let verdict = if failures == 0 { "ok" } else { "FAILED" };
    let passed = count - failures;
    println!(
        "\ntest result: {verdict}. {passed} passed; {failures} failed; 0 ignored; 0 measured\n"
    );
    if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

impl Stage {
    fn set(programs: &webdriver::Programs) -> anyhow::Result<Stage> {
        let options = Options {
            port: Some(0),
            // A file that is saved meanwhile must not reload the page under the test.
            follow: false,
            news: Arc::new(|_| {}),
            ..Options::new()?
        };
        Ok(Stage {
            server: serve::start(&root(), options)?,
            browser: Browser::start(programs)?,
        })
    }

    fn url(&self, page: &str) -> String {
        format!("{}{page}", self.server.url())
    }

    /// Opens a page and forgets what the browser noted before.
    fn open(&mut self, page: &str) -> anyhow::Result<()> {
        let url = self.url(page);
        self.browser.console_errors()?;
        self.browser.requests()?;
        self.browser.open(&url)
    }

    /// Forgets the answers and choices of the tests before.
    fn forget(&mut self) -> anyhow::Result<()> {
        self.open("")?;
        self.browser
            .run("localStorage.clear()", json!([]))
            .map(drop)
    }

    /// Brings the first figure with that recording into view and waits until it can be played.
    fn figure(&mut self, name: &str) -> anyhow::Result<String> {
        let figure = format!("floor-plan[src=\"{name}\"]");
        self.browser.run(
            "document.querySelector(arguments[0]).scrollIntoView({ block: 'center' })",
            json!([figure]),
        )?;
        let ready = format!("return document.querySelector('{figure}').dataset.state === 'ready'");
        self.browser
            .wait_for(&format!("the figure {name} to be ready"), &ready)?;
        Ok(figure)
    }

    fn no_console_errors(&mut self, page: &str) -> anyhow::Result<()> {
        let errors: Vec<String> = self
            .browser
            .console_errors()?
            .iter()
            .map(ToString::to_string)
            .collect();
        ensure!(errors.is_empty(), "{page}: {}", errors.join("\n"));
        Ok(())
    }

    /// The pages that are written: those that the sidebar leads to.
    fn pages(&mut self) -> anyhow::Result<Vec<String>> {
        self.open("")?;
        let links = self.browser.wait_for(
            "the sidebar",
            "const links = [...document.querySelectorAll('#mdbook-sidebar .chapter a[href]')].map((link) => link.href);
             return links.length ? [...new Set(links.map((link) => link.split('#')[0]))] : null",
        )?;
        let base = self.server.url();
        let pages: Vec<String> = links
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|link| link.strip_prefix(&base).unwrap_or(link).to_owned())
            .collect();
        ensure!(
            pages.len() >= 4,
            "the sidebar leads to {} pages only: {pages:?}",
            pages.len()
        );
        Ok(pages)
    }

    /// Opens a page, scrolls through it so that everything lazy wakes up, and waits until its figures are ready.
    fn read(&mut self, page: &str) -> anyhow::Result<()> {
        self.open(page)?;
        self.wake("floor-plan", page)?;
        self.wake("scheduler-puzzle", page)
    }

    /// Scrolls to each of the lazy elements of the page and waits until it has been loaded.
    fn wake(&mut self, tag: &str, page: &str) -> anyhow::Result<()> {
        let figures = self.browser.run(
            "return document.querySelectorAll(arguments[0]).length",
            json!([tag]),
        )?;
        for n in 0..figures.as_u64().unwrap_or(0) {
            self.browser.run(
                // One in a closed <details> waits until a reader opens it.
                "const figure = document.querySelectorAll(arguments[1])[arguments[0]];
                 for (let fold = figure.closest('details'); fold; fold = fold.parentElement.closest('details')) fold.open = true;
                 figure.scrollIntoView({ block: 'center' })",
                json!([n, tag]),
            )?;
            let settled = format!(
                "return ![undefined, 'loading'].includes(document.querySelectorAll('{tag}')[{n}].dataset.state)"
            );
            self.browser
                .wait_for(&format!("{tag} {n} of {page}"), &settled)?;
        }
        let broken = self.browser.run(
            "return [...document.querySelectorAll(`${arguments[0]}[data-state=error]`)].map((figure) => figure.getAttribute('src'))",
            json!([tag]),
        )?;
        ensure!(
            broken == json!([]),
            "{page}: these figures show an error: {broken}"
        );
        Ok(())
    }
}

fn pages_open(stage: &mut Stage) -> anyhow::Result<()> {
    let base = stage.server.url();
    for page in stage.pages()? {
        stage.read(&page)?;
        stage.no_console_errors(&page)?;
        for address in stage.browser.requests()? {
            let ours = address.starts_with(&base)
                || address.starts_with("data:")
                || address.starts_with("blob:");
            ensure!(ours, "{page} asked for {address}");
        }
    }
    Ok(())
}

fn pages_fit_a_phone(stage: &mut Stage) -> anyhow::Result<()> {
    let pages = stage.pages()?;
    stage.browser.screen(390, 844)?;
    let result = pages.iter().try_for_each(|page| {
        stage.read(page)?;
        let width = stage.browser.run(
            "const root = document.documentElement;
             return [root.scrollWidth, root.clientWidth, document.body.scrollWidth]",
            json!([]),
        )?;
        let widths: Vec<i64> = width
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_i64)
            .collect();
        ensure!(
            widths[1] == 390,
            "the screen is {} pixels wide, not 390",
            widths[1]
        );
        ensure!(
            widths[0] <= 390 && widths[2] <= 390,
            "{page} scrolls sideways on a phone: {widths:?}"
        );
        stage.no_console_errors(page)
    });
    stage.browser.screen(0, 0)?;
    result
}

fn pages_are_dark(stage: &mut Stage) -> anyhow::Result<()> {
    stage.open("en/ch03-one-table-two-parties.html")?;
    stage
        .browser
        .run("localStorage.setItem('mdbook-theme', 'navy')", json!([]))?;
    stage.read("en/ch03-one-table-two-parties.html")?;
    let looks = stage.browser.run(
        "const light = (color) => {
           const [r, g, b] = color.match(/[\\d.]+/g).map(Number);
           return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
         };
         const of = (element, property) => light(getComputedStyle(element)[property]);
         const player = document.querySelector('floor-plan [data-part=player]');
         return {
           theme: document.documentElement.classList.contains('navy'),
           page: of(document.body, 'backgroundColor'), text: of(document.body, 'color'),
           player: of(player, 'backgroundColor'), words: of(player, 'color'),
         }",
        json!([]),
    )?;
    let light = |part: &str| {
        looks[part]
            .as_f64()
            .with_context(|| format!("no {part} in {looks}"))
    };
    ensure!(looks["theme"] == true, "the theme did not take: {looks}");
    ensure!(
        light("page")? < 0.3 && light("player")? < 0.3,
        "something is bright in the dark: {looks}"
    );
    ensure!(
        light("text")? > 0.5 && light("words")? > 0.5,
        "something is dark in the dark: {looks}"
    );
    stage.no_console_errors("the dark page")
}

fn a_figure_plays(stage: &mut Stage) -> anyhow::Result<()> {
    stage.open("en/ch03-one-table-two-parties.html")?;
    let figure = stage.figure("one-table-careless")?;
    let state =
        |name: &str| format!("return document.querySelector('{figure}').dataset.{name} ?? ''");
    // Before a prediction nothing plays.
    ensure!(
        stage.browser.run(&state("gate"), json!([]))? == "closed",
        "the figure does not ask first"
    );
    stage.browser.run(
        "document.querySelector(arguments[0]).play()",
        json!([figure]),
    )?;
    ensure!(
        stage.browser.run(&state("state"), json!([]))? == "ready",
        "it plays before the reader has predicted"
    );

    stage
        .browser
        .click(&format!("{figure} [data-part=prediction] label"))?;
    stage.browser.wait_for(
        "the gate to open",
        &format!("return document.querySelector('{figure}').dataset.gate !== 'closed'"),
    )?;
    stage.browser.run(
        "const speed = document.querySelector(arguments[0]).querySelector('[data-part=speed]');
         speed.selectedIndex = speed.options.length - 1;
         speed.dispatchEvent(new Event('change', { bubbles: true }))",
        json!([figure]),
    )?;
    stage.browser.click(&format!("{figure} [data-part=play]"))?;
    stage.browser.wait_for(
        "the end of the figure",
        &format!("return document.querySelector('{figure}').dataset.state === 'ended'"),
    )?;
    let end = stage.browser.run(
        "const figure = document.querySelector(arguments[0]);
         const { events, position, incidents, mode } = figure.dataset;
         const verdict = figure.querySelector('[data-part=verdict]');
         return { events, position, incidents, mode, verdict: verdict.hidden ? '' : verdict.innerText }",
        json!([figure]),
    )?;
    ensure!(
        end["events"] == end["position"] && end["mode"] == "recorded",
        "it did not play to its end: {end}"
    );
    ensure!(
        end["incidents"]
            .as_str()
            .is_some_and(|incidents| incidents != "0"),
        "no incident was shown: {end}"
    );
    let verdict = end["verdict"].as_str().unwrap_or_default();
    ensure!(
        verdict.contains("You predicted") && verdict.contains("The record shows"),
        "no comparison: {end}"
    );
    stage.no_console_errors("the played figure")
}

fn keys_stay_inside(stage: &mut Stage) -> anyhow::Result<()> {
    stage.open("en/ch03-one-table-two-parties.html")?;
    let figure = stage.figure("one-table-careless")?;
    let before = stage.browser.address()?;
    stage.browser.click(&format!("{figure} [data-part=skip]"))?;
    let step = |stage: &mut Stage| {
        stage.browser.run(
            "return Number(document.querySelector(arguments[0]).dataset.step)",
            json!([figure]),
        )
    };
    let (right, left) = ("\u{E014}", "\u{E012}");
    let started = step(stage)?.as_i64().unwrap_or(0);
    // Two forward, one back, on the play button and on the scrubber.
    for (part, keys) in [
        ("play", [right, right, left].concat()),
        ("scrub", [left, right].concat()),
    ] {
        stage
            .browser
            .press(&format!("{figure} [data-part={part}]"), &keys)?;
        ensure!(
            stage.browser.address()? == before,
            "an arrow key on [{part}] left the page"
        );
    }
    let moved = step(stage)?.as_i64().unwrap_or(0);
    ensure!(
        moved > started,
        "the arrow keys did not move the figure: step {started}, then {moved}"
    );
    stage.no_console_errors("the page with the keys")
}

fn the_rules_say(stage: &mut Stage) -> anyhow::Result<()> {
    stage.open("en/ch06-two-keys.html")?;
    let figure = stage.figure("two-keys-careless")?;
    let shown = |stage: &mut Stage| {
        stage.browser.run(
            "return document.querySelector(arguments[0]).checkVisibility()",
            json!([format!("{figure} [data-part=hits]")]),
        )
    };
    ensure!(
        shown(stage)? == false,
        "the rules tell how it ends before the reader has predicted"
    );
    stage.browser.click(&format!("{figure} [data-part=skip]"))?;
    ensure!(shown(stage)? == true, "the rules say nothing");
    let card = format!("{figure} [data-rule=lock_cycle][data-severity=red]");
    stage.browser.click(&format!("{card} button"))?;
    let found = stage.browser.run(
        "const [figure, button] = [...arguments].map((it) => document.querySelector(it));
         const { events } = figure.recording;
         return [events[Number(figure.dataset.position) - 1].n, Number(button.dataset.event), figure.dataset.state]",
        json!([figure, format!("{card} button")]),
    )?;
    ensure!(
        found[0] == found[1] && found[2] == "paused",
        "the card leads elsewhere: {found}"
    );
    stage.no_console_errors("the page with what the rules say")
}

fn a_live_run(stage: &mut Stage) -> anyhow::Result<()> {
    stage.open("en/ch03-one-table-two-parties.html")?;
    let figure = stage.figure("one-table-careless")?;
    stage.browser.wait_for(
        "the button",
        &format!("return document.querySelector('{figure} [data-part=run]') !== null"),
    )?;
    stage.browser.click(&format!("{figure} [data-part=skip]"))?;
    stage.browser.run(
        "window.liveEvents = -1;
         document.querySelector(arguments[0]).addEventListener('loopbot:live-ended', (event) => (window.liveEvents = event.detail.events))",
        json!([figure]),
    )?;
    stage.browser.click(&format!("{figure} [data-part=run]"))?;
    // Events arrive while it runs, not in one piece at the end.
    stage.browser.wait_for(
        "the first live events",
        &format!(
            "const figure = document.querySelector('{figure}');
        return figure.dataset.state === 'live' && Number(figure.dataset.events) > 0"
        ),
    )?;
    ensure!(
        stage.browser.run("return window.liveEvents", json!([]))? == -1,
        "everything came at once"
    );
    stage
        .browser
        .wait_for("the end of the live run", "return window.liveEvents >= 0")?;
    let end = stage.browser.run(
        "const figure = document.querySelector(arguments[0]);
         const notice = figure.querySelector('[data-part=notice]');
         return { mode: figure.dataset.mode, clock: figure.dataset.clock, state: figure.dataset.state, events: window.liveEvents,
                  notice: notice.hidden ? '' : notice.innerText }",
        json!([figure]),
    )?;
    ensure!(
        end["mode"] == "live" && end["clock"] == "monotonic" && end["state"] == "ended",
        "{end}"
    );
    ensure!(
        end["notice"] == "" && end["events"].as_u64().is_some_and(|events| events > 500),
        "{end}"
    );
    stage.no_console_errors("the live run")
}

fn a_quiz_answers(stage: &mut Stage) -> anyhow::Result<()> {
    stage.open("en/ch03-one-table-two-parties.html")?;
    let quiz = "quiz-question[data-state=open]";
    stage.browser.wait_for(
        "a quiz question",
        &format!("return document.querySelector('{quiz}')?.id"),
    )?;
    let id = stage.browser.run(
        &format!("return document.querySelector('{quiz}').id"),
        json!([]),
    )?;
    let quiz = format!("quiz-question[id=\"{}\"]", id.as_str().unwrap_or_default());
    let count = stage.browser.run(
        "return document.querySelectorAll(`${arguments[0]} label`).length",
        json!([quiz]),
    )?;
    for n in 1..=count.as_u64().unwrap_or(0) {
        stage.browser.run(
            "document.querySelectorAll(`${arguments[0]} label`)[arguments[1]].click()",
            json!([quiz, n - 1]),
        )?;
        stage.browser.click(&format!("{quiz} [data-part=check]"))?;
        let state = stage.browser.run(
            "return document.querySelector(arguments[0]).dataset.state",
            json!([quiz]),
        )?;
        if state == "right" {
            return stage.no_console_errors("the quiz");
        }
        ensure!(state == "wrong", "an answer left the question {state}");
    }
    anyhow::bail!("none of {count} answers was right")
}

/// The page as a file, without any server: the recording plays, nothing can be run.
fn from_a_file(stage: &mut Stage) -> anyhow::Result<()> {
    let built = tempfile::tempdir()?;
    course::book::build(&root().join("book"), built.path())?;
    let page: PathBuf = built
        .path()
        .join("en")
        .join("ch03-one-table-two-parties.html");
    stage.browser.console_errors()?;
    stage
        .browser
        .open(&format!("file://{}", page.display()).replace('\\', "/"))?;
    let figure = stage.figure("one-table-careless")?;
    let looks = stage.browser.run(
        "const figure = document.querySelector(arguments[0]);
         return { run: figure.querySelector('[data-part=run]') !== null, events: Number(figure.dataset.events),
                  note: figure.querySelector('[data-part=note]').innerText }",
        json!([figure]),
    )?;
    ensure!(
        looks["run"] == false && looks["events"].as_u64().is_some_and(|events| events > 0),
        "{looks}"
    );
    ensure!(
        looks["note"]
            .as_str()
            .is_some_and(|note| note.contains("cargo run")),
        "{looks}"
    );
    stage.no_console_errors("the page from a file")
}
