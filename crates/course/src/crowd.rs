//! `course shift threadbots --robots 4..64`: the same evenings with more and more robots, and how often they collide.

use std::fmt::Write;
use std::io::{IsTerminal, stdout};
use std::time::Duration;

use flight::Recorder;
use restaurant::{Pace, Report, Shift};
use threadbots::{Coordination, Opening};

use crate::cli;
use crate::trouble::Trouble;

/// GreetBot, ChefBot, WineBot: there is one of each. All the others are WaitBots.
pub const SPECIALISTS: usize = 3;
/// With fewer, nobody serves. With more than a plan of six tables has room for, they only stand in each other's way.
pub const ROBOTS: std::ops::RangeInclusive<u64> = SPECIALISTS as u64 + 1..=64;

/// What `--robots` asks for: `8`, or `4..64`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Robots {
    /// One evening with so many.
    Exactly(usize),
    /// From so many to so many.
    FromTo(usize, usize),
}

impl Robots {
    /// Reads what was typed.
    ///
    /// # Errors
    ///
    /// What is no number, too few, too many, or goes backwards: one sentence.
    pub fn parse(text: &str) -> anyhow::Result<Robots> {
        let number = |text: &str| match cli::whole_number("number of robots", text)? {
            n if ROBOTS.contains(&n) => Ok(n as usize),
            n => Err(Trouble::input(format!(
                "There can be {} to {} robots, and --robots asks for {n}.",
                ROBOTS.start(),
                ROBOTS.end()
            ))),
        };
        let Some((from, to)) = text.split_once("..") else {
            return number(text).map(Robots::Exactly);
        };
        match (number(from)?, number(to)?) {
            (from, to) if from < to => Ok(Robots::FromTo(from, to)),
            _ => Err(Trouble::input(format!(
                "--robots {text} goes from many to few; the smaller number comes first, as in 4..64."
            ))),
        }
    }
}

/// A series of evenings: each is served once by every number of robots in every coordination.
pub struct Crowd {
    /// The fewest robots.
    pub from: usize,
    /// The most robots.
    pub to: usize,
    /// How they keep out of each other's way, one series for each.
    pub coordinations: Vec<Coordination>,
    /// The same for all of them.
    pub evenings: Vec<Shift>,
    /// How fast the evenings go by.
    pub pace: Pace,
}

/// So many robots, in one coordination: the collisions of each evening.
#[derive(Clone, Debug)]
pub struct Point {
    robots: usize,
    coordination: Coordination,
    collisions: Vec<usize>,
    /// How long the evenings took, on average.
    length: Duration,
}

impl Point {
    /// In restaurant time: 3:49 h.
    fn length(&self) -> String {
        let minutes = self.length.as_secs() / 60;
        format!("{}:{:02} h", minutes / 60, minutes % 60)
    }

    fn mean(&self) -> f64 {
        self.collisions.iter().sum::<usize>() as f64 / self.collisions.len() as f64
    }

    fn spread(&self) -> (usize, usize) {
        let (least, most) = (self.collisions.iter().min(), self.collisions.iter().max());
        (least.copied().unwrap_or(0), most.copied().unwrap_or(0))
    }
}

impl Crowd {
    /// Serves all of them with real threads, and says on a terminal how far it is.
    ///
    /// # Errors
    ///
    /// If the progress cannot be printed.
    pub fn serve(&self) -> anyhow::Result<Vec<Point>> {
        let mut points = Vec::new();
        for robots in doublings(self.from, self.to) {
            for &coordination in &self.coordinations {
                if stdout().is_terminal() {
                    cli::print(&format!("\r{robots} {coordination} robots … {:12}", ""))?;
                }
                let opening = Opening::new(coordination)
                    .waiters(robots - SPECIALISTS)
                    .pace(self.pace);
                let serve = |shift| opening.serve(shift, &Recorder::off());
                let reports: Vec<Report> = self.evenings.iter().map(serve).collect();
                let together: Duration = reports.iter().map(|report| report.length).sum();
                points.push(Point {
                    robots,
                    coordination,
                    collisions: reports
                        .iter()
                        .map(|report| report.incidents.len())
                        .collect(),
                    length: together / reports.len() as u32,
                });
            }
        }
        if stdout().is_terminal() {
            cli::print(&format!("\r{:40}\r", ""))?;
        }
        Ok(points)
    }
}

/// 4, 8, 16, and so on; the last number is `to` in any case.
fn doublings(from: usize, to: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(from), move |robots| {
        (*robots < to).then(|| (robots * 2).min(to))
    })
}

/// The plot for a terminal: a bar for each point.
pub fn bars(points: &[Point]) -> String {
    const WIDTH: f64 = 48.0;
    let most = points.iter().map(Point::mean).fold(1.0, f64::max);
    let mut text = String::new();
    let mut before = 0;
    for point in points {
        let robots = match point.robots {
            same if same == before => String::new(),
            robots => format!("{robots} robots"),
        };
        before = point.robots;
        let length = (point.mean() / most * WIDTH).ceil() as usize;
        let (least, most) = point.spread();
        writeln!(
            text,
            "{robots:>10}  {:<12} {}{}{:.1}  ({least} to {most})   {}",
            point.coordination.to_string(),
            "█".repeat(length),
            if length == 0 { "" } else { " " },
            point.mean(),
            point.length(),
        )
        .expect("a string takes every line");
    }
    text
}

/// The same as a table of Markdown: a line for each number of robots.
pub fn table(points: &[Point]) -> String {
    let mut text = "| robots |".to_owned();
    let numbers = |points: &[Point]| {
        let mut numbers: Vec<usize> = points.iter().map(|point| point.robots).collect();
        numbers.dedup();
        numbers
    };
    let first = points.first().map_or(0, |point| point.robots);
    let series = || points.iter().filter(|point| point.robots == first);
    series().for_each(|point| text += &format!(" {} | its evening |", point.coordination));
    text += "\n|--:|";
    series().for_each(|_| text += "--:|--:|");
    text.push('\n');
    for robots in numbers(points) {
        text += &format!("| {robots} |");
        for point in points.iter().filter(|point| point.robots == robots) {
            let (least, most) = point.spread();
            text += &match most {
                0 => " 0 |".to_owned(),
                _ => format!(" {:.1} ({least} to {most}) |", point.mean()),
            };
            text += &format!(" {} |", point.length());
        }
        text.push('\n');
    }
    text
}

// The plot for a page -------------------------------------------------------------------------------------------------

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 320.0;
/// Where the axes cross, and where they end.
const LEFT: f64 = 56.0;
const BOTTOM: f64 = HEIGHT - 46.0;
const RIGHT: f64 = WIDTH - 116.0;
const TOP: f64 = 40.0;
const INK: &str = "#2b2a27";
const PALE: &str = "#6b665c";

/// The same as a drawing: robots to the right, collisions upward.
pub fn draw(points: &[Point], title: &str) -> String {
    let most = points.iter().map(Point::mean).fold(1.0, f64::max);
    let tick = nice_step(most / 4.0);
    let top = (most / tick).ceil() * tick;
    let robots = |point: &Point| point.robots as f64;
    let (from, to) = points
        .iter()
        .map(robots)
        .fold((f64::MAX, f64::MIN), |(least, most), x| {
            (least.min(x), most.max(x))
        });
    let x =
        |robots: f64| LEFT + 20.0 + (robots - from) / (to - from).max(1e-9) * (RIGHT - LEFT - 20.0);
    let y = |collisions: f64| BOTTOM - collisions / top * (BOTTOM - TOP);

    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"system-ui, sans-serif\" font-size=\"12\" role=\"img\">\n\
         <title>{title}</title>\n\
         <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"10\" fill=\"#fdfbf7\" stroke=\"#cfc9bd\"/>\n\
         <text x=\"{LEFT}\" y=\"24\" fill=\"{INK}\" font-weight=\"600\">{title}</text>\n",
        WIDTH - 1.0,
        HEIGHT - 1.0
    );
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    for n in 0..=(top / tick).round() as usize {
        let (collisions, y) = (n as f64 * tick, y(n as f64 * tick));
        line(format!(
            "<line x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#e4dfd4\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"{PALE}\">{collisions}</text>",
            LEFT - 8.0,
            y + 4.0
        ));
    }
    let mut numbers: Vec<usize> = points.iter().map(|point| point.robots).collect();
    numbers.dedup();
    for robots in numbers {
        line(format!(
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"{PALE}\">{robots}</text>",
            x(robots as f64),
            BOTTOM + 18.0
        ));
    }
    line(format!(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"{PALE}\">robots</text>",
        (LEFT + RIGHT) / 2.0,
        HEIGHT - 10.0
    ));
    // Lines that end at nearly the same height have names that do not lie on each other.
    let mut taken: Vec<f64> = Vec::new();
    for (coordination, color, dashes) in [
        (Coordination::Careless, "#b3261e", "none"),
        (Coordination::Napping, "#93610a", "7 4"),
        (Coordination::Coordinated, "#1b7a52", "2 4"),
    ] {
        let series: Vec<&Point> = points
            .iter()
            .filter(|point| point.coordination == coordination)
            .collect();
        let Some(last) = series.last() else {
            continue;
        };
        let at = |point: &Point| (x(point.robots as f64), y(point.mean()));
        let path: Vec<String> = series
            .iter()
            .map(|point| at(point))
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        line(format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"/>",
            path.join(" ")
        ));
        for point in &series {
            let (x, y) = at(point);
            line(format!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{color}\"/>"
            ));
        }
        let mut name = at(last).1 + 4.0;
        while let Some(other) = taken.iter().find(|other| (name - **other).abs() < 14.0) {
            name = other + 14.0;
        }
        taken.push(name);
        line(format!(
            "<text x=\"{}\" y=\"{name:.1}\" fill=\"{color}\" font-weight=\"600\">{coordination}</text>",
            RIGHT + 10.0
        ));
    }
    out.push_str("</svg>\n");
    out
}

/// 1, 2 or 5, and zeros behind it: at least `step`, and at least 1.
fn nice_step(step: f64) -> f64 {
    let zeros = 10_f64.powf(step.max(1.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|digit| digit * zeros)
        .into_iter()
        .find(|nice| *nice >= step)
        .unwrap_or(10.0 * zeros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points() -> Vec<Point> {
        let point = |robots, coordination, collisions: &[usize]| Point {
            robots,
            coordination,
            collisions: collisions.to_vec(),
            length: Duration::from_secs(229 * 60),
        };
        vec![
            point(4, Coordination::Careless, &[6, 8]),
            point(4, Coordination::Coordinated, &[0, 0]),
            point(8, Coordination::Careless, &[20, 29]),
            point(8, Coordination::Coordinated, &[0, 0]),
        ]
    }

    #[test]
    fn robots_are_a_number_or_two() {
        assert_eq!(Robots::parse("8").unwrap(), Robots::Exactly(8));
        assert_eq!(Robots::parse("4..64").unwrap(), Robots::FromTo(4, 64));
        for (text, words) in [
            ("3", "There can be 4 to 64 robots, and --robots asks for 3."),
            ("4..65", "asks for 65"),
            ("many", "\"many\""),
            ("4..", "\"\""),
            ("8..4", "goes from many to few"),
            ("8..8", "goes from many to few"),
        ] {
            let error = Robots::parse(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn the_last_number_is_the_one_that_was_asked_for() {
        assert_eq!(doublings(4, 64).collect::<Vec<_>>(), [4, 8, 16, 32, 64]);
        assert_eq!(doublings(5, 12).collect::<Vec<_>>(), [5, 10, 12]);
    }

    #[test]
    fn the_plots_show_every_point() {
        let points = points();
        let bars = bars(&points);
        let blocks: Vec<usize> = bars.lines().map(|line| line.matches('█').count()).collect();
        assert_eq!(blocks, [14, 0, 48, 0], "{bars}");
        assert!(
            bars.contains("7.0  (6 to 8)   3:49 h") && bars.contains("24.5  (20 to 29)"),
            "{bars}"
        );

        let table = table(&points);
        assert_eq!(
            table,
            "\
| robots | careless | its evening | coordinated | its evening |
|--:|--:|--:|--:|--:|
| 4 | 7.0 (6 to 8) | 3:49 h | 0 | 3:49 h |
| 8 | 24.5 (20 to 29) | 3:49 h | 0 | 3:49 h |
"
        );

        let svg = draw(&points, "collisions");
        assert_eq!(svg.matches("<circle").count(), 4);
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn steps_are_round_numbers() {
        for (step, nice) in [
            (0.2, 1.0),
            (1.0, 1.0),
            (1.7, 2.0),
            (4.0, 5.0),
            (6.1, 10.0),
            (23.0, 50.0),
        ] {
            assert_eq!(nice_step(step), nice, "{step}");
        }
    }

    #[test]
    fn a_crowd_serves_every_evening_with_every_number_of_robots() {
        let crowd = Crowd {
            from: 4,
            to: 6,
            coordinations: vec![Coordination::Coordinated],
            evenings: vec![Shift::plan(1, 2, 1, 10), Shift::plan(2, 2, 1, 10)],
            pace: Pace::minute_in(Duration::from_micros(200)),
        };
        let points = crowd.serve().unwrap();
        let served: Vec<(usize, Vec<usize>)> = points
            .into_iter()
            .map(|point| (point.robots, point.collisions))
            .collect();
        assert_eq!(served, [(4, vec![0, 0]), (6, vec![0, 0])]);
    }
}
