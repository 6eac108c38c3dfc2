//! A page that stands by itself: the book's own player, its recordings, and the stories as text, in one file. It loads
//! nothing, so it works without the book, without a server and without a network.

use std::fmt::Write;
use std::path::Path;

use super::flown;
use super::source;
use super::told::{Told, Turn};

/// A file of the book's player, as it is in the book.
macro_rules! asset {
    ($name:literal) => {
        include_str!(concat!("../../../../book/assets/", $name))
    };
}

/// The player's scripts, each after those that it uses.
const SCRIPTS: [&str; 14] = [
    asset!("house.js"),
    asset!("recording.js"),
    asset!("fold.js"),
    asset!("pace.js"),
    asset!("robots.js"),
    asset!("floor-drawing.js"),
    asset!("strip.js"),
    asset!("lanes.js"),
    asset!("story-list.js"),
    asset!("hits.js"),
    asset!("prediction.js"),
    asset!("live-run.js"),
    asset!("floor-plan.js"),
    include_str!("source.js"),
];

const STYLES: [&str; 3] = [
    include_str!("page.css"),
    asset!("floor-plan.css"),
    asset!("hits.css"),
];

/// The page for these stories, under a heading. The source files that they name are looked for in `folders`.
pub fn page(heading: &str, stories: &[Told], folders: &[&Path]) -> String {
    let mut body = format!("<h1>{}</h1>\n", escape(heading));
    let mut recordings = String::from("globalThis.loopbotRecordings = {};\n");
    for (n, told) in stories.iter().enumerate() {
        tell(&mut body, told, n, folders);
        if !told.lines.is_empty() {
            let json = flown::fly(told).to_json();
            let _ = writeln!(
                recordings,
                "loopbotRecordings[\"story-{n}\"] = {};",
                within_script(json.trim_end())
            );
        }
    }
    let scripts = SCRIPTS
        .map(|script| format!("<script>\n{script}</script>"))
        .join("\n");
    // What is put in first is not searched for the marks of what comes later.
    let mut page = String::new();
    let mut rest = include_str!("page.html");
    for (mark, text) in [
        ("{title}", &escape(heading)),
        ("{styles}", &STYLES.concat()),
        ("{body}", &body),
        ("{recordings}", &recordings),
        ("{scripts}", &scripts),
    ] {
        let (before, after) = rest.split_once(mark).expect("the page has a place for it");
        page.push_str(before);
        page.push_str(text);
        rest = after;
    }
    page + rest
}

/// One story: what went wrong, how it came about, the figure, and what to do next.
fn tell(body: &mut String, told: &Told, n: usize, folders: &[&Path]) {
    let _ = writeln!(body, "<h2>{}</h2>", escape(&told.check));
    let (class, rule) = match (told.good, told.ending.as_str()) {
        (true, _) => (
            "rule well",
            "In this order of steps nothing goes wrong.".to_owned(),
        ),
        (false, "RuleBroken") => ("rule", format!("Rule broken: {}", told.rule)),
        (false, _) => ("rule", told.rule.clone()),
    };
    let _ = writeln!(body, "<p class=\"{class}\">{}</p>", escape(&rule));
    if let Some(how) = how_it_came_about(told) {
        let _ = writeln!(body, "<p>{how}</p>");
    }
    if !told.lines.is_empty() {
        let _ = writeln!(body, "<floor-plan src=\"story-{n}\">\n<ol>");
        for line in &told.lines {
            let when = if line.turn == Turn::ForEver {
                "for ever: "
            } else {
                ""
            };
            let _ = writeln!(
                body,
                "<li>{when}{} {} <code>{}</code></li>",
                escape(&line.robot),
                escape(&line.text),
                escape(&line.place)
            );
        }
        body.push_str("</ol>\n</floor-plan>\n");
        body.push_str(&source::listings(told, &format!("story-{n}"), folders));
    }
    if !told.advice.is_empty() {
        let _ = writeln!(body, "<p>{}</p>", escape(&told.advice));
    }
    if !told.schedule.is_empty() {
        let _ = writeln!(
            body,
            "<p>To play this run again: <code>WHATIF_REPLAY={}</code> before the test's command.</p>",
            escape(&told.schedule)
        );
    }
}

fn how_it_came_about(told: &Told) -> Option<String> {
    let mut said = Vec::new();
    if told.schedules > 0 {
        said.push(format!(
            "The check tried {} and chose the simplest that goes wrong.",
            count(told.schedules, "schedule")
        ));
    }
    if let Some(preemptions) = told
        .preemptions
        .filter(|_| !told.good && !told.lines.is_empty())
    {
        said.push(match preemptions {
            0 => {
                "It takes no preemption: no robot loses a turn that it could have used.".to_owned()
            }
            1 => "It takes 1 preemption: once a robot has to wait that could have gone on."
                .to_owned(),
            n => format!(
                "It takes {n} preemptions: so often a robot has to wait that could have gone on."
            ),
        });
    }
    (!said.is_empty()).then(|| said.join(" "))
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// JSON that can stand inside a script: no text in it can end the script.
fn within_script(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::super::told::tests::{keys, table};
    use super::*;

    #[test]
    fn nothing_is_loaded_and_nothing_is_left_to_fill_in() {
        let page = page("Exercise 03", &[table(), keys()], &[]);
        for mark in [
            "{title}",
            "{styles}",
            "{body}",
            "{recordings}",
            "{scripts}",
            "<link",
            " src=\"http",
            "url(h",
            "@import",
        ] {
            assert!(!page.contains(mark), "{mark}");
        }
        for part in [
            "src=\"story-0\"",
            "src=\"story-1\"",
            "Rule broken: a party sits",
            "deadlock: GreetBot and WineBot",
            "WHATIF_REPLAY=1c",
        ] {
            assert!(page.contains(part), "{part}");
        }
        // Each script ends where it was meant to end.
        assert_eq!(
            page.matches("<script>").count(),
            page.matches("</script>").count()
        );
        assert_eq!(page.matches("</script>").count(), SCRIPTS.len() + 2);
    }

    #[test]
    fn no_text_of_a_story_can_leave_its_place() {
        let evil = "</script><script>alert(1)</script>{scripts}";
        let mut told = table();
        told.check = evil.to_owned();
        told.rule = evil.to_owned();
        told.lines[0].text = evil.to_owned();
        let page = page(evil, &[told], &[]);
        assert_eq!(page.matches("</script>").count(), SCRIPTS.len() + 2);
        assert!(!page.contains("<script>alert"));
    }

    #[test]
    fn a_story_without_lines_is_told_without_a_figure() {
        let told = Told {
            check: "x".to_owned(),
            ending: "NeverMet".to_owned(),
            rule: "your robots never met".to_owned(),
            ..Told::default()
        };
        let page = page("Exercise 03", &[told], &[]);
        assert!(page.contains("your robots never met") && !page.contains("<floor-plan src"));
    }
}
