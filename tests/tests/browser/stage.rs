//! `?stage`, the view for a projector, and `?notes`, the speaker's window.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::Stage;
use super::scratch::Scratch;

// As WebDriver writes them.
const PAGE_UP: &str = "\u{E00E}";
const PAGE_DOWN: &str = "\u{E00F}";
const ESCAPE: &str = "\u{E00C}";
const RIGHT: &str = "\u{E014}";
const ENTER: &str = "\u{E007}";

/// The screens that projectors have.
const SCREENS: [(u32, u32); 3] = [(1280, 720), (1920, 1080), (1024, 768)];

const CHAPTER: &str = "en/ch03-one-table-two-parties.html";

impl Stage {
    /// What of the page is on the stage: the address' hash, the headings of the second level, and the line at the bottom.
    fn on_stage(&mut self) -> anyhow::Result<Value> {
        self.browser.run(
            "const content = document.getElementById('mdbook-content');
             return {
               hash: location.hash, top: content.scrollTop,
               headings: [...document.querySelectorAll('main > :is(h1, h2)')].filter((it) => it.checkVisibility()).map(({ id }) => id),
               line: document.querySelector('.lb-stage-line')?.innerText ?? '',
               figure: document.activeElement.closest('floor-plan')?.getAttribute('src') ?? '',
             }",
            json!([]),
        )
    }

    /// Presses a key until something is so; a stage that never comes there ends the test.
    fn press_until(
        &mut self,
        key: &str,
        what: &str,
        so: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        for _ in 0..60 {
            self.browser.keys(key)?;
            let now = self.on_stage()?;
            if so(&now) {
                return Ok(now);
            }
        }
        anyhow::bail!(
            "60 keys later, {what} is still not so: {}",
            self.on_stage()?
        )
    }
}

pub fn goes_section_by_section(stage: &mut Stage) -> anyhow::Result<()> {
    stage.browser.screen(1280, 720)?;
    let result = section_by_section(stage);
    stage.browser.screen(0, 0)?;
    result
}

fn section_by_section(stage: &mut Stage) -> anyhow::Result<()> {
    stage.open(&format!("{CHAPTER}?stage"))?;
    let ids = stage.browser.run(
        "return [...document.querySelectorAll('main > :is(h1, h2)')].map(({ id }) => id)",
        json!([]),
    )?;
    let ids: Vec<String> = serde_json::from_value(ids)?;
    ensure!(ids.len() > 5, "{ids:?}");
    // With the clicker's one key through the whole chapter: every section, one at a time, in their order.
    let mut seen = vec![ids[0].clone()];
    let last = stage.press_until(PAGE_DOWN, "the end of the chapter", |now| {
        now["line"]
            .as_str()
            .is_some_and(|line| line.contains("last section"))
    });
    // The walk again, this time noting what is seen on the way.
    let end = last?;
    ensure!(
        end["hash"] == format!("#{}", ids[ids.len() - 1]),
        "it ends at {end}"
    );
    stage.open(&format!("{CHAPTER}?stage"))?;
    for _ in 0..80 {
        let now = stage.on_stage()?;
        ensure!(
            now["headings"].as_array().is_some_and(|all| all.len() == 1),
            "not one section at a time: {now}"
        );
        let id = now["headings"][0].as_str().unwrap_or_default().to_owned();
        ensure!(
            now["hash"] == "" || now["hash"] == format!("#{id}"),
            "{now}"
        );
        if seen.last() != Some(&id) {
            seen.push(id);
        }
        if seen.len() == ids.len() {
            break;
        }
        stage.browser.keys(PAGE_DOWN)?;
    }
    ensure!(seen == ids, "seen: {seen:?}");
    // One key back is the end of the section before, and so on to the beginning.
    let before = stage.press_until(PAGE_UP, "the section before", |now| {
        now["headings"][0] == ids[ids.len() - 2]
    })?;
    // A reload stays.
    let address = stage.browser.address()?;
    stage.browser.open("about:blank")?;
    stage.browser.open(&address)?;
    ensure!(stage.on_stage()?["headings"] == before["headings"]);
    let first = stage.press_until(PAGE_UP, "the beginning", |now| {
        now["line"]
            .as_str()
            .is_some_and(|line| line.contains("beginning"))
    })?;
    ensure!(
        first["headings"][0] == ids[0] && first["top"] == 0,
        "{first}"
    );

    // A link leads to a stage, and Enter at the end leads to the next chapter's.
    stage.browser.keys("\u{E010}")?; // End
    stage.press_until(PAGE_DOWN, "the end", |now| {
        now["line"]
            .as_str()
            .is_some_and(|line| line.contains("Enter opens “4."))
    })?;
    stage.browser.keys(ENTER)?;
    stage
        .browser
        .wait_for("chapter 4", "return /ch04-.*[.]html$/.test(location.pathname) && document.querySelector('.lb-stage-line')")?;
    ensure!(stage.browser.address()?.contains("?stage"));
    // Escape leaves, and stays at the place.
    let here = stage.press_until(PAGE_DOWN, "another section", |now| now["hash"] != "")?;
    stage.browser.keys(ESCAPE)?;
    stage.browser.wait_for(
        "the page without the stage",
        "return document.readyState === 'complete' && !document.querySelector('.lb-stage-line')",
    )?;
    let address = stage.browser.address()?;
    ensure!(
        !address.contains("stage") && address.ends_with(here["hash"].as_str().unwrap_or("?")),
        "{address}"
    );
    stage.no_console_errors("the stage")
}

pub fn fits_every_projector(stage: &mut Stage) -> anyhow::Result<()> {
    let pages = stage.pages()?;
    let result = SCREENS.iter().try_for_each(|&(width, height)| {
        stage.browser.screen(width, height)?;
        // The smallest is the tightest; the others are much the same, magnified, so that some pages tell.
        let some = if width == 1024 { 1 } else { 5 };
        for page in pages.iter().step_by(some) {
            let page = page.split('?').next().unwrap_or_default();
            stage.open(&format!("{page}?stage"))?;
            let looks = stage
                .browser
                .run(
                    "const content = document.getElementById('mdbook-content');
                 const size = (it) => parseFloat(getComputedStyle(it).fontSize) * it.getBoundingClientRect().width / it.offsetWidth;
                 const wrong = [];
                 for (const [k, { id, elements }] of loopbot.stage.sections.entries()) {
                   loopbot.stage.show(k);
                   if (content.scrollWidth > content.clientWidth) wrong.push(`#${id} is ${content.scrollWidth} wide`);
                   if (document.documentElement.scrollWidth > innerWidth) wrong.push(`#${id} makes the page wide`);
                   for (const p of elements.filter((it) => it.localName === 'p')) {
                     if (size(p) < innerWidth / 55) wrong.push(`#${id}: text of ${size(p)} px`);
                   }
                   for (const code of elements.flatMap((it) => [...it.querySelectorAll('pre > code, :scope > code')])) {
                     if (!code.checkVisibility() || code.parentElement.localName !== 'pre') continue;
                     if (code.scrollWidth > code.clientWidth + 1) wrong.push(`#${id}: code is cut off: ${code.textContent.slice(0, 40)}`);
                     if (size(code) < innerWidth / 100) wrong.push(`#${id}: code of ${size(code)} px`);
                   }
                 }
                 return wrong",
                    json!([]),
                )
                .with_context(|| page.to_owned())?;
            ensure!(looks == json!([]), "{page} at {width}x{height}: {looks:#}");
        }
        Ok(())
    });
    stage.browser.screen(0, 0)?;
    result?;
    stage.no_console_errors("the stages")
}

pub fn figures_are_seen_whole(stage: &mut Stage) -> anyhow::Result<()> {
    let result = SCREENS.iter().try_for_each(|&(width, height)| {
        stage.browser.screen(width, height)?;
        stage.open("en/ch07-hiring-for-friday.html?stage")?;
        stage.browser.wait_for(
            "the figure",
            "loopbot.stage.show(loopbot.stage.sections.findIndex(({ elements }) => elements.some((it) => it.matches('floor-plan'))));
             return document.querySelector('floor-plan[src=friday-seven]').dataset.state === 'ready'",
        )?;
        // Into the figure; Space plays, although nobody has predicted.
        stage.browser.keys("f")?;
        ensure!(stage.on_stage()?["figure"] == "friday-seven", "{}", stage.on_stage()?);
        stage.browser.keys(" ")?;
        stage.browser.wait_for(
            "the figure to play",
            "return document.querySelector('floor-plan[src=friday-seven]').dataset.state === 'playing'",
        )?;
        stage.browser.keys(" ")?;
        stage.browser.wait_for(
            "the figure to stand still, and to have its size",
            "const figure = document.querySelector('floor-plan[src=friday-seven]');
             return figure.dataset.state === 'paused' && !figure.fitting",
        )?;
        let whole = stage.browser.run(
            "const figure = document.querySelector('floor-plan[src=friday-seven]');
             const content = document.getElementById('mdbook-content').getBoundingClientRect();
             const box = (part) => figure.querySelector(`[data-part=${part}]`).getBoundingClientRect();
             return { top: box('player').top - content.top, end: box('legend').bottom, room: content.bottom, lanes: figure.querySelectorAll('.lane').length,
                      floor: box('floor').height, step: Number(figure.dataset.step), name: figure.querySelector('.lane-name').getBoundingClientRect().height }",
            json!([]),
        )?;
        let of = |part: &str| whole[part].as_f64().unwrap_or(-1.0);
        ensure!(
            of("top") >= 0.0 && of("end") <= of("room") && of("floor") > f64::from(height) / 5.0,
            "{width}x{height}: {whole}"
        );
        ensure!(of("lanes") == 7.0 && of("name") > f64::from(width) / 100.0, "{width}x{height}: {whole}");
        // The arrows step inside of it, and turn no page.
        let address = stage.browser.address()?;
        stage.browser.keys(&RIGHT.repeat(2))?;
        let step = stage.browser.run(
            "return Number(document.querySelector('floor-plan[src=friday-seven]').dataset.step)",
            json!([]),
        )?;
        ensure!(step.as_f64() == Some(of("step") + 2.0), "{step} after {whole}");
        ensure!(stage.browser.address()? == address);
        // Escape leaves the figure and not the stage; the clicker leaves it, too.
        stage.browser.keys(ESCAPE)?;
        let out = stage.on_stage()?;
        ensure!(out["figure"] == "" && out["line"].as_str().is_some_and(|line| line.contains("PageDown")), "{out}");
        stage.browser.keys("f")?;
        stage.browser.keys(PAGE_DOWN)?;
        let on = stage.on_stage()?;
        ensure!(on["figure"] == "" && on["top"] != out["top"] || on["hash"] != out["hash"], "{on}");
        Ok(())
    });
    stage.browser.screen(0, 0)?;
    result?;
    stage.no_console_errors("the figure on the stage")
}

/// A recording of twelve robots, each of which takes a step; the last four take one more.
fn twelve_robots() -> Value {
    let mut events = Vec::new();
    let mut record = |actor: usize, kind: usize, a: usize| {
        let n = events.len() + 1;
        events.push(json!([n, n * 1_000_000, actor, kind, a, 1, 0]));
    };
    (0..12).for_each(|robot| record(robot, 0, 0));
    (0..12).for_each(|robot| record(robot, 2, 0));
    (8..12).for_each(|robot| record(robot, 2, 0));
    (0..12).for_each(|robot| record(robot, 1, 0));
    let actors: Vec<Value> = (1..=12)
        .map(|n| json!({ "name": format!("WaitBot-{n}"), "kind": "thread" }))
        .collect();
    json!({
        "schema": "loopbot-flight", "version": 1, "clock": "virtual", "unit": "ns", "program": "twelve", "facts": {}, "dropped": 0,
        "complete": true, "kinds": ["actor_start", "actor_stop", "mark"], "strings": ["sees a table", "step"], "actors": actors,
        "tasks": [], "locs": [], "events": events,
    })
}

pub fn shows_eight_lanes_and_names_the_others(stage: &mut Stage) -> anyhow::Result<()> {
    let scratch = Scratch::new()?;
    scratch.write("book/src/SUMMARY.md", "# Summary\n\n- [Many](many.md)\n")?;
    scratch.write(
        "book/src/many.md",
        "# Many {#many}\n\n<floor-plan src=\"twelve\">\n\nTwelve robots.\n\n</floor-plan>\n",
    )?;
    scratch.write(
        "book/src/recordings/twelve.js",
        &format!(
            "(globalThis.loopbotRecordings ??= {{}})[\"twelve\"] = {};\n",
            twelve_robots()
        ),
    )?;
    let server = scratch.serve()?;
    let page = format!("{}many.html", server.url());
    let lanes = "const figure = document.querySelector('floor-plan');
        figure.scrollIntoView();
        if (figure.dataset.state !== 'ready') return null;
        const rest = figure.querySelector('[data-part=more-lanes]');
        return { names: [...figure.querySelectorAll('.lane-name')].map((it) => it.firstChild.textContent), lanes: figure.querySelectorAll('.lane').length,
                 rest: rest.checkVisibility() ? rest.innerText : '' }";
    stage.browser.open(&page)?;
    let off = stage.browser.wait_for("the figure", lanes)?;
    ensure!(off["lanes"] == 12 && off["rest"] == "", "{off}");
    stage.browser.open(&format!("{page}?stage"))?;
    let on = stage.browser.wait_for("the figure on the stage", lanes)?;
    ensure!(
        on["lanes"] == 8 && on["names"].as_array().is_some_and(|names| names.len() == 8),
        "{on}"
    );
    // Those with the most to tell are among the eight, and nobody is left out in silence.
    let names = on["names"].to_string();
    ensure!(
        (9..=12).all(|n| names.contains(&format!("WaitBot-{n}\""))),
        "{on}"
    );
    ensure!(
        on["rest"] == "Not shown here: WaitBot-5, WaitBot-6, WaitBot-7, WaitBot-8.",
        "{on}"
    );
    stage.no_console_errors("the figure with many lanes")
}

pub fn leaves_paper_alone(stage: &mut Stage) -> anyhow::Result<()> {
    stage.open(&format!("{CHAPTER}?stage"))?;
    stage.browser.on_paper(true)?;
    let printed = stage.browser.run(
        "const all = [...document.querySelectorAll('main > *')];
         const size = (it) => it.getBoundingClientRect().width / it.offsetWidth;
         return { hidden: all.filter((it) => !it.checkVisibility()).length, line: document.querySelector('.lb-stage-line').checkVisibility(),
                  zoom: size(document.querySelector('main > p')) }",
        json!([]),
    );
    stage.browser.on_paper(false)?;
    let printed = printed?;
    ensure!(
        printed == json!({ "hidden": 0, "line": false, "zoom": 1 }),
        "{printed}"
    );
    Ok(())
}

/// A book of two chapters, the first of which has notes.
fn small_book() -> anyhow::Result<Scratch> {
    let scratch = Scratch::new()?;
    scratch.write(
        "book/src/SUMMARY.md",
        "# Summary\n\n[Front](index.md)\n\n- [1. One](en/ch01-one.md)\n- [2. Two](en/ch02-two.md)\n- [Instructors](en/notes/for-instructors.md)\n  - [Notes 1](en/notes/ch01.md)\n",
    )?;
    scratch.write("book/src/index.md", "# Front {#front}\n\nWelcome.\n")?;
    scratch.write(
        "book/src/en/ch01-one.md",
        "# 1. One {#one}\n\nThe story.\n\n## The picture {#picture}\n\nA picture.\n\n### Closer {#closer}\n\nA closer look.\n\n## The proof {#proof}\n\nA proof.\n\n## Where next {#next}\n\nOn.\n",
    )?;
    scratch.write(
        "book/src/en/ch02-two.md",
        "# 2. Two {#two}\n\nThe story goes on.\n",
    )?;
    scratch.write(
        "book/src/en/notes/for-instructors.md",
        "# For instructors {#top}\n",
    )?;
    scratch.write(
        "book/src/en/notes/ch01.md",
        "# Notes for 1. One {#top}\n\n**Minutes: 9**\n\nGoal: they know.\n\n## The picture (4 min) {#picture}\n\n- Say *picture*.\n\n## The proof (5 min) {#proof}\n\n- Say *proof*.\n\n## Questions they ask {#questions}\n\n- Why?\n",
    )?;
    Ok(scratch)
}

/// What the speaker sees.
const NOTES: &str = "const text = (part) => document.querySelector(`[data-part=${part}]:not([hidden])`)?.innerText ?? '';
    return { on: text('on'), next: text('next'), until: text('until'), clock: text('clock'), elapsed: text('elapsed'), alone: text('alone'),
             waiting: text('waiting'), body: document.querySelector('main').innerText }";

pub fn notes_follow(stage: &mut Stage) -> anyhow::Result<()> {
    let scratch = small_book()?;
    let server = scratch.serve()?;
    stage.browser.console_errors()?;
    let url = server.url();
    follow(stage, &format!("{url}en/ch01-one.html?stage"))?;
    // A chapter without notes, and a page that is no chapter, say so, and open nothing.
    for (page, words) in [
        ("en/ch02-two.html", "no speaker notes for this chapter"),
        ("index.html", "no speaker notes; the chapters have"),
    ] {
        stage.browser.open(&format!("{url}{page}?stage"))?;
        stage.browser.keys("n")?;
        let line = stage.on_stage()?["line"].clone();
        ensure!(
            line.as_str().is_some_and(|line| line.contains(words)),
            "{page}: {line}"
        );
        ensure!(stage.browser.windows()?.len() == 1);
    }
    // A browser that opens no window: the line says what to do.
    stage
        .browser
        .open(&format!("{url}en/ch01-one.html?stage"))?;
    stage.browser.run("window.open = () => null", json!([]))?;
    stage.browser.keys("n")?;
    let line = stage.on_stage()?["line"].clone();
    ensure!(
        line.as_str().is_some_and(
            |line| line.contains("Allow pop-ups") && line.contains("en/notes/ch01.html?notes")
        ),
        "{line}"
    );
    stage.no_console_errors("the stage with notes")?;
    // Where a server has no such page, its page for that says so.
    stage
        .browser
        .open(&format!("{url}en/notes/ch02.html?notes"))?;
    let words = stage
        .browser
        .run("return document.querySelector('main').innerText", json!([]))?;
    stage.browser.console_errors()?; // the 404
    ensure!(
        words == "There are no speaker notes for this chapter yet.",
        "{words}"
    );
    Ok(())
}

/// The same from files, without a server: there no channel joins two pages, and localStorage does.
pub fn notes_follow_from_files(stage: &mut Stage) -> anyhow::Result<()> {
    let scratch = small_book()?;
    let built = tempfile::tempdir()?;
    course::book::build(&scratch.root().join("book"), built.path())?;
    let page = built.path().join("en").join("ch01-one.html");
    stage.browser.console_errors()?;
    let url = format!("file://{}?stage", page.display()).replace('\\', "/");
    follow(stage, &url)?;
    stage.no_console_errors("the stage from files")
}

/// Opens the notes from a stage, moves each from the other, and closes them.
fn follow(stage: &mut Stage, url: &str) -> anyhow::Result<()> {
    stage.browser.open(url)?;
    let hall = stage.browser.window()?;
    stage.browser.keys("n")?;
    let mut desk = None;
    for _ in 0..500 {
        desk = stage
            .browser
            .windows()?
            .into_iter()
            .find(|window| *window != hall);
        if desk.is_some() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let desk = desk.context("no second window was opened")?;
    let result = both_windows(stage, &hall, &desk);
    stage.browser.look_at(&desk)?;
    stage.browser.close_window()?;
    stage.browser.look_at(&hall)?;
    result
}

fn both_windows(stage: &mut Stage, hall: &str, desk: &str) -> anyhow::Result<()> {
    let see = |stage: &mut Stage, title: &str| -> anyhow::Result<Value> {
        stage.browser.look_at(desk)?;
        stage.browser.wait_for(
            &format!("the notes to be at {title:?}"),
            &format!(
                "return document.querySelector('[data-part=on]')?.innerText === '{title}' && document.querySelector('.lb-notes-head') !== null"
            ),
        )?;
        stage.browser.run(NOTES, json!([]))
    };
    // At the chapter's beginning: what to know before one begins.
    let seen = see(stage, "1. One")?;
    let body = |seen: &Value| seen["body"].as_str().unwrap_or_default().to_owned();
    ensure!(
        body(&seen).contains("they know") && !body(&seen).contains("Say"),
        "{seen}"
    );
    ensure!(
        seen["next"] == "The picture (4 min)" && seen["waiting"] == "",
        "{seen}"
    );
    ensure!(
        seen["elapsed"]
            .as_str()
            .is_some_and(|elapsed| elapsed.ends_with("of 9 min")),
        "{seen}"
    );
    ensure!(
        seen["clock"]
            .as_str()
            .is_some_and(|clock| clock.len() == 5 && clock.contains(':')),
        "{seen}"
    );
    // The clicker moves the hall, and the notes come along.
    stage.browser.look_at(hall)?;
    stage.browser.keys(PAGE_DOWN)?;
    let seen = see(stage, "The picture (4 min)")?;
    ensure!(
        body(&seen).contains("Say picture")
            && !body(&seen).contains("Say proof")
            && body(&seen).contains("Why?"),
        "{seen}"
    );
    ensure!(
        seen["next"] == "The proof (5 min)" && seen["until"] == "this section: minute 0 to 4",
        "{seen}"
    );
    // A clicker that is plugged into the speaker's window moves the hall.
    stage.browser.keys(PAGE_DOWN)?;
    let seen = see(stage, "The proof (5 min)")?;
    ensure!(
        body(&seen).contains("Say proof") && seen["until"] == "this section: minute 4 to 9",
        "{seen}"
    );
    stage.browser.look_at(hall)?;
    ensure!(
        stage.on_stage()?["hash"] == "#proof",
        "the hall did not move"
    );
    stage.browser.keys(PAGE_DOWN)?;
    let seen = see(stage, "Where next")?;
    ensure!(
        seen["alone"]
            .as_str()
            .is_some_and(|words| words.contains("“The proof”")),
        "{seen}"
    );
    // One step back is one step, although the message may come by two ways.
    stage.browser.keys(PAGE_UP)?;
    see(stage, "The proof (5 min)")?;
    stage.browser.look_at(hall)?;
    ensure!(stage.on_stage()?["hash"] == "#proof");
    Ok(())
}
