//! A recording as one picture: the floor at the moment when something goes wrong for the first time, or half-way through
//! when nothing does. For print, and for pages without JavaScript; the player draws the same state and more.

use std::collections::BTreeMap;
use std::fmt::Write;

use flight::{Event, Recording};
use restaurant::story::{INCIDENT, PARTY, PLACE, STEP, TABLE, WAITING};

/// The floor at one moment.
#[derive(Default)]
struct Floor {
    /// By the robot's place among the actors: where it stands.
    robots: BTreeMap<usize, String>,
    /// By number: the state and who sits there.
    tables: BTreeMap<u64, Table>,
    waiting: u64,
    caption: String,
    /// Where something has gone wrong at the moment that is drawn.
    alarm: Option<u64>,
}

#[derive(Default)]
struct Table {
    state: String,
    parties: Vec<String>,
}

/// The picture as SVG.
pub fn draw(recording: &Recording) -> String {
    let moment = first_incident(recording).unwrap_or(recording.events.len() / 2);
    let floor = fold(recording, moment);
    svg(recording, &floor)
}

/// The events up to and with the first incident and what belongs to its moment.
fn first_incident(recording: &Recording) -> Option<usize> {
    recording.events.iter().position(|entry| match entry.event {
        Event::Mark { category, .. } => recording.text(category) == INCIDENT,
        _ => false,
    })
}

fn fold(recording: &Recording, moment: usize) -> Floor {
    let mut floor = Floor::default();
    let tables: u64 = recording
        .header
        .facts
        .get("tables")
        .and_then(|tables| tables.parse().ok())
        .unwrap_or(0);
    floor
        .tables
        .extend((1..=tables).map(|number| (number, Table::default())));
    for entry in recording.events.iter().take(moment + 1) {
        match entry.event {
            Event::Counter { name, value } if recording.text(name) == WAITING => {
                floor.waiting = value
            }
            Event::Mark {
                text,
                category,
                value,
            } => {
                let text = recording.text(text);
                floor.alarm = None;
                match recording.text(category) {
                    PLACE => drop(floor.robots.insert(entry.actor, text.to_owned())),
                    STEP => floor.caption = format!("{} {text}", recording.actor(entry)),
                    TABLE => {
                        let table = floor.tables.entry(value).or_default();
                        table.state = text.to_owned();
                        if text == "left" {
                            table.parties.clear();
                        }
                    }
                    PARTY if text.is_empty() => {
                        floor.tables.entry(value).or_default().parties.clear()
                    }
                    PARTY => floor
                        .tables
                        .entry(value)
                        .or_default()
                        .parties
                        .push(text.to_owned()),
                    INCIDENT => {
                        floor.caption = text.to_owned();
                        floor.alarm = Some(value);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    floor
}

const WIDTH: f64 = 640.0;
const SIDE: f64 = 104.0;
const INK: &str = "#2b2a28";
const ALARM: &str = "#c2132c";

fn svg(recording: &Recording, floor: &Floor) -> String {
    let count = floor.tables.len().max(1);
    let columns = if count <= 3 {
        count
    } else {
        count.div_ceil(2).min(4)
    };
    let rows = count.div_ceil(columns);
    let (cell_w, cell_h) = ((WIDTH - 2.0 * SIDE) / columns as f64, 116.0);
    let height = (rows as f64 * cell_h).max(232.0) + 48.0;
    let floor_height = height - 48.0;

    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"12\" text-anchor=\"middle\">"
    );
    let _ = writeln!(
        out,
        "<title>{}</title>",
        escape(&format!("{}: {}", recording.header.program, floor.caption))
    );
    let _ = writeln!(
        out,
        "<rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"10\" fill=\"#fdfbf7\" stroke=\"#cfc9bd\"/>",
        WIDTH - 1.0,
        height - 1.0
    );

    let mut spots: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    let half = floor_height / 2.0;
    for (name, x, y) in [
        ("door", 8.0, 8.0),
        ("desk", 8.0, half + 4.0),
        ("kitchen", WIDTH - SIDE + 12.0, 8.0),
        ("bar", WIDTH - SIDE + 12.0, half + 4.0),
    ] {
        let (w, h) = (SIDE - 20.0, half - 12.0);
        let _ = writeln!(
            out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"8\" fill=\"#f1ece2\"/><text x=\"{}\" y=\"{}\" fill=\"#6b665c\">{name}</text>",
            x + w / 2.0,
            y + 17.0
        );
        if name == "door" && floor.waiting > 0 {
            let parties = if floor.waiting == 1 {
                "1 party waits".to_owned()
            } else {
                format!("{} parties wait", floor.waiting)
            };
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{}\" font-size=\"11\" fill=\"{INK}\">{parties}</text>",
                x + w / 2.0,
                y + 36.0
            );
        }
        spots.insert(name.to_owned(), (x + w / 2.0, y + h - 22.0));
    }

    for (k, (number, table)) in floor.tables.iter().enumerate() {
        let (column, row) = (k % columns, k / columns);
        let x = SIDE + cell_w * (column as f64 + 0.5);
        let y = (floor_height - rows as f64 * cell_h) / 2.0 + cell_h * row as f64 + 42.0;
        spots.insert(format!("table {number}"), (x, y + 52.0));
        let alarmed = floor.alarm == Some(*number);
        let (edge, wide) = if alarmed { (ALARM, 3) } else { ("#8a8375", 1) };
        let fill = if table.parties.is_empty() {
            "#ffffff"
        } else {
            "#ffe9c4"
        };
        let _ = writeln!(
            out,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"92\" height=\"52\" rx=\"9\" fill=\"{fill}\" stroke=\"{edge}\" stroke-width=\"{wide}\"/>",
            x - 46.0,
            y - 26.0
        );
        let state = match table.state.as_str() {
            "" => "free",
            "left" => "dishes left",
            state => state,
        };
        let _ = writeln!(
            out,
            "<text x=\"{x:.1}\" y=\"{:.1}\" font-size=\"10\" fill=\"#6b665c\">table {number}</text>",
            y - 13.0
        );
        let _ = writeln!(
            out,
            "<text x=\"{x:.1}\" y=\"{:.1}\" font-weight=\"600\" fill=\"{INK}\">{}</text>",
            y + 3.0,
            escape(&shorten(&table.parties.join(" + "), 14))
        );
        let _ = writeln!(
            out,
            "<text x=\"{x:.1}\" y=\"{:.1}\" font-size=\"11\" fill=\"{INK}\">{state}</text>",
            y + 19.0
        );
        if alarmed {
            let _ = writeln!(
                out,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"10\" fill=\"{ALARM}\"/><text x=\"{:.1}\" y=\"{:.1}\" font-weight=\"700\" fill=\"#fff\">!</text>",
                x + 44.0,
                y - 26.0,
                x + 44.0,
                y - 21.5
            );
        }
    }

    let mut standing: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (actor, place) in &floor.robots {
        standing.entry(place).or_default().push(*actor);
    }
    for (place, actors) in standing {
        let Some((x, y)) = spots.get(place) else {
            continue;
        };
        for (k, actor) in actors.iter().enumerate() {
            let x = x + (k as f64 - (actors.len() as f64 - 1.0) / 2.0) * 32.0;
            robot(&mut out, &recording.actors[*actor].name, x, *y);
        }
    }

    let color = if floor.alarm.is_some() { ALARM } else { INK };
    let _ = writeln!(
        out,
        "<line x1=\"0\" x2=\"{WIDTH}\" y1=\"{0}\" y2=\"{0}\" stroke=\"#cfc9bd\"/><text x=\"{1}\" y=\"{2}\" font-size=\"15\" font-weight=\"600\" fill=\"{color}\">{3}</text>",
        height - 42.0,
        WIDTH / 2.0,
        height - 16.0,
        escape(&shorten(&floor.caption, 76))
    );
    out.push_str("</svg>\n");
    out
}

/// A robot by its letter and colour, as in the player.
fn robot(out: &mut String, name: &str, x: f64, y: f64) {
    let (letter, color) = match name.split("Bot").next().unwrap_or_default() {
        "Greet" => ("G", "#2366b1"),
        "Wait" => ("W", "#93610a"),
        "Chef" => ("C", "#a2346f"),
        "Wine" => ("V", "#7e44a8"),
        "Loop" => ("L", "#1b7a52"),
        _ => (
            &name[..name.chars().next().map_or(0, char::len_utf8)],
            "#5d6570",
        ),
    };
    let number = name.rsplit_once('-').map_or("", |(_, number)| number);
    let _ = writeln!(
        out,
        "<g transform=\"translate({x:.1} {y:.1})\"><rect x=\"-13\" y=\"-14\" width=\"26\" height=\"28\" rx=\"9\" fill=\"{color}\"/><circle cx=\"-4.5\" cy=\"-6\" r=\"2\" fill=\"#fff\"/><circle cx=\"4.5\" cy=\"-6\" r=\"2\" fill=\"#fff\"/><text y=\"9\" font-weight=\"700\" fill=\"#fff\">{letter}{number}</text></g>"
    );
}

fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flight::{ActorKind, Header, Recorder, VirtualTime};

    #[test]
    fn the_moment_of_the_first_incident_is_drawn() {
        let header = Header::virtual_time("test", &VirtualTime::new()).fact("tables", 2);
        let recorder = Recorder::new(header);
        let lane = recorder.actor("WaitBot-2", ActorKind::Thread);
        lane.mark(PLACE, "table 2", 0);
        lane.mark(PARTY, "Chen & Co", 2);
        lane.mark(TABLE, "clearing", 2);
        lane.counter(WAITING, 3);
        lane.mark(INCIDENT, "a plate falls: table 2", 2);
        lane.mark(PARTY, "", 2);
        drop(lane);
        let recording = recorder.recording();
        let floor = fold(&recording, first_incident(&recording).unwrap());
        assert_eq!((floor.alarm, floor.waiting), (Some(2), 3));
        assert_eq!(floor.robots[&0], "table 2");
        assert_eq!(floor.tables[&2].parties, ["Chen & Co"]);
        let svg = draw(&recording);
        for part in [
            "Chen &amp; Co",
            ">W2<",
            "clearing",
            "3 parties wait",
            "a plate falls: table 2",
            "table 1<",
        ] {
            assert!(svg.contains(part), "{part} is missing in {svg}");
        }
    }

    #[test]
    fn an_empty_recording_is_an_empty_floor() {
        let svg =
            draw(&Recorder::new(Header::virtual_time("test", &VirtualTime::new())).recording());
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    }
}
