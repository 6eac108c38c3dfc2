//! `course collisions`: every scene of the ThreadBots, searched for the schedule that breaks it, and played for real to
//! see how often it breaks by itself.

use std::fmt::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use threadbots::Coordination;
use threadbots::scene::{self, STANDS_STILL, Scene};
use whatif::Outcome;

use crate::cli;
use crate::shift::Destination;
use crate::trouble::{Trouble, status};

/// Each evening that stands still leaves its threads behind, and costs the whole patience. After so many of them the
/// share is known well enough.
const MOST_STANDING: u64 = 20;
/// More evenings than that are a matter of days.
const MOST_EVENINGS: u64 = 1_000_000;
/// Milliseconds: a minute.
const MOST_PATIENCE: u64 = 60_000;

/// Arguments of `course collisions`.
#[derive(Args, Clone, Debug)]
pub struct CollisionsArgs {
    /// How many evenings each scene is played for real
    #[arg(long, value_name = "N", default_value = "1000")]
    evenings: String,
    /// Only this scene
    #[arg(long, value_name = "NAME")]
    scene: Option<String>,
    /// After so many milliseconds without an end, an evening stands still
    #[arg(long, value_name = "MS", default_value = "1000")]
    patience: String,
    /// Write the table here, too, as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

/// Prints the table that `args` describe, a line as soon as it is known.
///
/// # Errors
///
/// A number that is none, a scene that is none, a file that cannot be written: one sentence each, before anything is played.
pub fn command(args: &CollisionsArgs) -> anyhow::Result<u8> {
    let evenings = number(
        "number of evenings",
        "--evenings",
        &args.evenings,
        MOST_EVENINGS,
    )?;
    let patience = number("patience", "--patience", &args.patience, MOST_PATIENCE)?;
    let patience = Duration::from_millis(patience);
    let scenes = match &args.scene {
        None => scene::ALL.to_vec(),
        Some(name) => vec![find(name)?],
    };
    let markdown = args.markdown.as_ref().map(Destination::open).transpose()?;

    cli::print(&head())?;
    let mut rows = Vec::new();
    for scene in scenes {
        for coordination in Coordination::ALL {
            let row = Row {
                scene: scene.name,
                coordination,
                verdict: Verdict::of(scene, coordination),
                played: Played::of(scene, coordination, evenings, patience),
            };
            cli::print(&row.to_string())?;
            rows.push(row);
        }
    }
    if rows.iter().any(|row| row.played.stood_still > 0) {
        cli::print(
            "\nRobots that stand still are left behind, with their threads: nothing can end a thread from outside. They end with this command.\n",
        )?;
    }
    if let Some(destination) = markdown {
        cli::print(&destination.write(&table(&rows))?)?;
    }
    Ok(status::DONE)
}

fn number(what: &str, option: &str, text: &str, most: u64) -> anyhow::Result<u64> {
    match cli::whole_number(what, text)? {
        n if (1..=most).contains(&n) => Ok(n),
        n => Err(Trouble::input(format!(
            "The {what} can be 1 to {most}, and {option} asks for {n}."
        ))),
    }
}

fn find(name: &str) -> anyhow::Result<&'static Scene> {
    let found = scene::ALL.iter().copied().find(|scene| scene.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = scene::ALL.iter().map(|scene| scene.name).collect();
        Trouble::input(format!(
            "There is no scene {name:?}; there are {}.",
            names.join(", ")
        ))
    })
}

/// What is known about one scene in one coordination.
struct Row {
    scene: &'static str,
    coordination: Coordination,
    verdict: Verdict,
    played: Played,
}

/// What the checker says.
struct Verdict {
    outcome: Outcome,
    took: Duration,
}

impl Verdict {
    fn of(scene: &Scene, coordination: Coordination) -> Verdict {
        let started = Instant::now();
        let outcome = scene.check(coordination).outcome;
        let took = started.elapsed();
        Verdict { outcome, took }
    }

    /// Schedules to the first failure, and its preemptions; schedules to the proof. What there is not is a dash.
    fn columns(&self) -> [String; 3] {
        let dash = || "-".to_owned();
        match &self.outcome {
            // Before it searches, the checker lets everybody move one step in turn, and sees whether they get anywhere.
            Outcome::Failed(story) if story.schedules == 0 => {
                ["in turn".to_owned(), dash(), dash()]
            }
            Outcome::Failed(story) => [
                story.schedules.to_string(),
                story.preemptions.to_string(),
                dash(),
            ],
            Outcome::Proved { runs, .. } => [dash(), dash(), runs.to_string()],
            // No scene of ours comes here: their tests ask for a proof. But an edited one may.
            _ => [dash(), dash(), "no proof".to_owned()],
        }
    }
}

/// What the evenings for real say.
#[derive(Debug, Default, PartialEq)]
struct Played {
    evenings: u64,
    /// How many of them went wrong, in whatever way.
    wrong: u64,
    stood_still: u64,
}

impl Played {
    fn of(scene: &Scene, coordination: Coordination, evenings: u64, patience: Duration) -> Played {
        let begin = || scene.begin_evening(coordination);
        Played::count(evenings, begin, |evening, first| {
            evening.ends_within(if first { patience } else { Duration::ZERO })
        })
    }

    /// `how` asks an evening how it ended: for the first time, and again if it seemed to stand still.
    fn count<E>(
        evenings: u64,
        begin: impl Fn() -> E,
        how: impl Fn(&E, bool) -> Option<String>,
    ) -> Played {
        let mut played = Played::default();
        let mut standing: Vec<E> = Vec::new();
        while played.evenings < evenings && played.stood_still < MOST_STANDING {
            let evening = begin();
            let rule = how(&evening, true);
            played.evenings += 1;
            played.wrong += u64::from(rule.is_some());
            if rule.as_deref() == Some(STANDS_STILL) {
                standing.push(evening);
                played.stood_still += 1;
            }
            if played.evenings == evenings || played.stood_still == MOST_STANDING {
                // On a busy machine a robot may be late. Whoever was has gone home by now.
                standing.retain(|evening| {
                    let rule = how(evening, false);
                    let stands = rule.as_deref() == Some(STANDS_STILL);
                    played.stood_still -= u64::from(!stands);
                    played.wrong -= u64::from(rule.is_none());
                    stands
                });
            }
        }
        played
    }

    fn share(&self) -> String {
        let share = self.wrong as f64 / self.evenings as f64 * 100.0;
        match self.wrong {
            0 => "0 %".to_owned(),
            wrong if wrong == self.evenings => "100 %".to_owned(),
            _ if (10.0..90.0).contains(&share) => format!("{share:.0} %"),
            _ => format!("{share:.1} %"),
        }
    }
}

fn head() -> String {
    let [scene, robots, first, preemptions, proof, took, real] = [
        "scene",
        "robots",
        "fails at",
        "preempt.",
        "proof",
        "took",
        "evenings for real that go wrong",
    ];
    line([scene, robots, first, preemptions, proof, took, real].map(str::to_owned))
}

fn line([scene, robots, first, preemptions, proof, took, real]: [String; 7]) -> String {
    format!("{scene:<14} {robots:<12} {first:>8} {preemptions:>8} {proof:>8} {took:>9}   {real}\n")
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row {
            played, verdict, ..
        } = self;
        let [first, preemptions, proof] = verdict.columns();
        let mut real = format!(
            "{} of {} ({})",
            played.wrong,
            played.evenings,
            played.share()
        );
        if played.stood_still > 0 {
            write!(real, ", {} stand still", played.stood_still)?;
        }
        f.write_str(&line([
            self.scene.to_owned(),
            self.coordination.to_string(),
            first,
            preemptions,
            proof,
            milliseconds(verdict.took),
            real,
        ]))
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn table(rows: &[Row]) -> String {
    let mut text = "\
| scene | robots | schedules to the failure | its preemptions | schedules to the proof | time | evenings for real | of these go wrong |
|---|---|--:|--:|--:|--:|--:|--:|
"
    .to_owned();
    for row in rows {
        let [first, preemptions, proof] = row.verdict.columns();
        let Row {
            scene,
            coordination,
            verdict,
            played,
        } = row;
        let took = milliseconds(verdict.took);
        let (evenings, share) = (played.evenings, played.share());
        writeln!(
            text,
            "| {scene} | {coordination} | {first} | {preemptions} | {proof} | {took} | {evenings} | {share} |"
        )
        .expect("a string takes every line");
    }
    if rows
        .iter()
        .any(|row| row.played.evenings < most_evenings(rows))
    {
        text.push_str(&format!(
            "\nA scene that has stood still {MOST_STANDING} times is not played any further: each of them leaves its threads behind.\n"
        ));
    }
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let build = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    text.push_str(&format!("\nA {build} build, {cores} processors.\n"));
    text
}

fn most_evenings(rows: &[Row]) -> u64 {
    rows.iter()
        .map(|row| row.played.evenings)
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn evenings_are_counted_until_there_are_enough_or_too_many_stand_still() {
        let number = Cell::new(0);
        let begin = || number.replace(number.get() + 1);
        let play = |evenings| {
            number.set(0);
            Played::count(evenings, begin, |evening, _| match evening % 4 {
                1 => Some("a plate falls".to_owned()),
                3 => Some(STANDS_STILL.to_owned()),
                _ => None,
            })
        };
        let four = Played {
            evenings: 4,
            wrong: 2,
            stood_still: 1,
        };
        assert_eq!(play(4), four);
        let enough = Played {
            evenings: 80,
            wrong: 40,
            stood_still: MOST_STANDING,
        };
        assert_eq!(play(1000), enough);
    }

    #[test]
    fn an_evening_that_was_only_slow_does_not_stand_still() {
        let number = Cell::new(0);
        let begin = || number.replace(number.get() + 1);
        let played = Played::count(100, begin, |evening, first| match evening % 2 {
            0 if first => Some(STANDS_STILL.to_owned()),
            0 if *evening == 8 => Some("a plate falls".to_owned()),
            _ => None,
        });
        let one = Played {
            evenings: 100,
            wrong: 1,
            stood_still: 0,
        };
        assert_eq!(played, one);
    }

    #[test]
    fn a_share_is_nothing_or_everything_only_if_it_is() {
        let share = |wrong, evenings| {
            Played {
                wrong,
                evenings,
                stood_still: 0,
            }
            .share()
        };
        assert_eq!(share(0, 10), "0 %");
        assert_eq!(share(1, 1000), "0.1 %");
        assert_eq!(share(999, 1000), "99.9 %");
        assert_eq!(share(1000, 1000), "100 %");
        assert_eq!(share(421, 1000), "42 %");
    }

    #[test]
    fn a_row_says_what_the_checker_found() {
        let row = |coordination| {
            let scene = &scene::ONE_TABLE;
            let played = Played {
                evenings: 10,
                wrong: 3,
                stood_still: 0,
            };
            let verdict = Verdict::of(scene, coordination);
            Row {
                scene: scene.name,
                coordination,
                verdict,
                played,
            }
        };
        let rows = [row(Coordination::Careless), row(Coordination::Coordinated)];
        let [first, preemptions, proof] = rows[0].verdict.columns();
        assert!(first.parse::<usize>().unwrap() > 0 && preemptions == "0" && proof == "-");
        let [first, _, proof] = rows[1].verdict.columns();
        assert!(proof.parse::<usize>().unwrap() > 1 && first == "-");
        let table = table(&rows);
        let columns = |line: &str| line.matches('|').count();
        assert!(
            table.lines().take(4).all(|line| columns(line) == 9),
            "{table}"
        );
        assert!(
            table.contains("| one-table | careless |") && table.contains("| 30 % |"),
            "{table}"
        );
    }

    #[test]
    fn what_cannot_be_asked_is_refused_in_a_sentence() {
        let error = |result: anyhow::Result<u64>| result.unwrap_err().to_string();
        assert_eq!(
            error(number("number of evenings", "--evenings", "0", 10)),
            "The number of evenings can be 1 to 10, and --evenings asks for 0."
        );
        assert!(error(number("patience", "--patience", "long", 10)).contains("\"long\""));
        let unknown = find("two-tables").unwrap_err().to_string();
        assert!(
            unknown.starts_with("There is no scene \"two-tables\"; there are "),
            "{unknown}"
        );
        assert!(unknown.contains("one-table"));
    }
}
