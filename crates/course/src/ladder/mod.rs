//! `course ladder`: the same menu tasted on the loop, on threads and in processes, and how late the guests are served meanwhile.
//!
//! | file | idea |
//! |---|---|
//! | `rungs.rs` | the places where the menu is tasted |
//! | `evening.rs` | an evening on one of them, and the guests who are there |
//! | `python.rs`, `ladder.py` | the same in Python |

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::Args;

use crate::table::Table;
use crate::trouble::{Trouble, status};
use crate::{cli, interrupt};

mod evening;
mod python;
mod rungs;

use evening::Evening;
use rungs::{House, Rung, back_of_house, room};
pub use rungs::{kitchen, old_recipe};

/// Less than this of its cores, and what is measured says something about the other programs.
const ROOM: f64 = 0.9;

/// What can be asked of the ladder.
#[derive(Args)]
pub struct LadderArgs {
    /// How many times every rung has its turn; the numbers are medians
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    /// How many dishes are tasted in an evening, some 20 ms each
    #[arg(long, value_name = "N", default_value_t = 48, value_parser = clap::value_parser!(u16).range(1..=1000))]
    dishes: u16,
    /// Write the table here as well, as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Leave Python out
    #[arg(long)]
    no_python: bool,
}

/// Climbs the ladder so many times, and prints one table.
///
/// # Errors
///
/// A file that cannot be written, threads that cannot be had: one sentence each.
pub fn command(args: &LadderArgs) -> anyhow::Result<u8> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let dishes = u64::from(args.dishes);
    let interrupt = interrupt::listen()?;
    let house = House::open(cores)?;
    cli::print(&format!(
        "{dishes} dishes are tasted, and 4 guests want something every 5 ms. This machine gives us {cores} core(s).\nRounds: "
    ))?;

    let mut ours = Tally::default();
    let mut theirs = Tally::default();
    let mut python = match args.no_python {
        true => Err(None),
        false => Ok(String::new()),
    };
    let mut rooms = vec![room(cores)];
    for number in 1..=args.rounds {
        for rung in Rung::ALL {
            if interrupt.stop().is_raised() {
                return Ok(status::INTERRUPTED);
            }
            if rung != Rung::Processes || house.no_processes().is_none() {
                ours.note(rung, &house.spend(rung, dishes)?);
            }
        }
        if python.is_ok() {
            match python::round(dishes, interrupt.stop()) {
                None => return Ok(status::INTERRUPTED),
                Some(Err(why)) => python = Err(Some(why)),
                Some(Ok(round)) => {
                    for (rung, evening) in &round.evenings {
                        theirs.note(*rung, evening);
                    }
                    python = Ok(round.version);
                }
            }
        }
        rooms.push(room(cores));
        cli::print(&format!("{number} "))?;
    }

    let theirs = python.as_deref().ok().map(|version| (version, &theirs));
    let table = table(cores, dishes, &ours, theirs);
    let rounds = args.rounds;
    cli::print(&format!(
        "\n{}\n{}\n",
        table.text(),
        explained(rounds, dishes, theirs.is_some())
    ))?;
    if let Some(why) = house.no_processes() {
        cli::print(&format!("\nNo processes here: {why}.\n"))?;
    }
    if let Err(Some(why)) = &python {
        cli::print(&format!("\nNo Python here: {why}.\n"))?;
    }
    if let Some(warning) = warning(&rooms) {
        cli::print(&format!("\n{warning}\n"))?;
    }
    if let Some(path) = &args.markdown {
        let text = markdown(&table, rounds, dishes, theirs.is_some(), &rooms);
        write(path, &text)?;
    }
    Ok(status::DONE)
}

/// What came of an evening.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    /// Half of the timers were later than this.
    half: Duration,
    /// One in a hundred was later than this.
    hundredth: Duration,
    /// None was later than this.
    latest: Duration,
    /// How long the tasting took.
    took: Duration,
}

impl Seen {
    fn of(evening: &Evening) -> Seen {
        let mut late = evening.late.clone();
        late.sort_unstable();
        let rank = |percent: usize| {
            let place = (late.len() * percent).div_ceil(100);
            late.get(place.saturating_sub(1))
                .copied()
                .unwrap_or_default()
        };
        Seen {
            half: rank(50),
            hundredth: rank(99),
            latest: rank(100),
            took: evening.took,
        }
    }

    /// The median of each number by itself.
    fn median(rounds: &[Seen]) -> Seen {
        let median = |pick: fn(&Seen) -> Duration| {
            let mut all: Vec<Duration> = rounds.iter().map(pick).collect();
            all.sort_unstable();
            all.get(all.len() / 2).copied().unwrap_or_default()
        };
        Seen {
            half: median(|it| it.half),
            hundredth: median(|it| it.hundredth),
            latest: median(|it| it.latest),
            took: median(|it| it.took),
        }
    }
}

/// All rounds of all rungs.
#[derive(Default)]
struct Tally([Vec<Seen>; Rung::ALL.len()]);

impl Tally {
    fn note(&mut self, rung: Rung, evening: &Evening) {
        self.0[rung as usize].push(Seen::of(evening));
    }
}

fn table(cores: usize, dishes: u64, ours: &Tally, theirs: Option<(&str, &Tally)>) -> Table {
    let mut table = Table::new(
        "Where the menu is tasted, how late guests are served meanwhile, and how fast it is"
            .to_owned(),
        &[
            "",
            "half later than, ms",
            "1 in 100 later than, ms",
            "latest, ms",
            "all tasted in, ms",
            "dishes a second",
        ],
    );
    let mut half = |title: String, names: [String; Rung::ALL.len()], tally: &Tally| {
        let mut head = vec![title];
        head.resize(table.head.len(), String::new());
        table.rows.push(head);
        for (rung, name) in Rung::ALL.into_iter().zip(names) {
            let rounds = &tally.0[rung as usize];
            if !rounds.is_empty() {
                table
                    .rows
                    .push(row(rung, name, Seen::median(rounds), dishes));
            }
        }
    };
    let offload = back_of_house(cores);
    half(
        "Rust, LoopBot".to_owned(),
        [
            "nobody tastes".to_owned(),
            "on the loop".to_owned(),
            format!("spawn_blocking, {offload} threads at most"),
            format!("threads, {cores}, with rayon"),
            format!("processes, {cores}"),
        ],
        ours,
    );
    if let Some((version, theirs)) = theirs {
        half(
            format!("{version}, asyncio"),
            [
                "nobody tastes".to_owned(),
                "on the loop".to_owned(),
                format!("to_thread, {offload} threads at most"),
                format!("ThreadPoolExecutor, {cores}"),
                format!("ProcessPoolExecutor, {cores}"),
            ],
            theirs,
        );
    }
    table
}

fn row(rung: Rung, name: String, seen: Seen, dishes: u64) -> Vec<String> {
    let ms = |time: Duration| match time.as_secs_f64() * 1e3 {
        long if long >= 100.0 => format!("{long:.0}"),
        middling if middling >= 10.0 => format!("{middling:.1}"),
        short => format!("{short:.2}"),
    };
    let (took, speed) = match rung {
        Rung::Nobody => (String::new(), String::new()),
        _ => (
            ms(seen.took),
            format!("{:.0}", dishes as f64 / seen.took.as_secs_f64()),
        ),
    };
    vec![
        name,
        ms(seen.half),
        ms(seen.hundredth),
        ms(seen.latest),
        took,
        speed,
    ]
}

fn explained(rounds: u16, dishes: u64, with_python: bool) -> String {
    let medians = match rounds {
        1 => "One round.".to_owned(),
        rounds => format!("Medians of {rounds} rounds; in each round every rung has its turn."),
    };
    let sizes = match with_python {
        true => {
            " A dish in Python has 3,000 numbers, and one in Rust 72,000; so compare the lines of one half with each other."
        }
        false => "",
    };
    format!("{medians} {dishes} dishes, 4 guests, a timer of 5 ms for each.{sizes}")
}

/// What has to be said if other programs wanted the machine, too.
fn warning(rooms: &[f64]) -> Option<String> {
    let mut rooms = rooms.to_vec();
    rooms.sort_by(f64::total_cmp);
    let room = rooms.get(rooms.len() / 2).copied().unwrap_or(1.0);
    (room < ROOM).then(|| {
        format!(
            "This machine is busy: threads that only compute were given {:.0} % of its cores. What is late here may be late because of that.",
            room * 100.0
        )
    })
}

fn markdown(table: &Table, rounds: u16, dishes: u64, with_python: bool, rooms: &[f64]) -> String {
    let anchor = |name: &str, text: &str| {
        format!("<!-- ANCHOR: {name} -->\n\n{text}\n<!-- ANCHOR_END: {name} -->\n")
    };
    let mut run = explained(rounds, dishes, with_python);
    if let Some(warning) = warning(rooms) {
        let _ = write!(run, " {warning}");
    }
    run.push('\n');
    format!(
        "{}\n{}",
        anchor("ladder", &table.markdown()),
        anchor("run", &run)
    )
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).map_err(|error| {
        Trouble::input(format!(
            "{} cannot be written ({error}): name another file.",
            path.display()
        ))
    })?;
    cli::print(&format!("\nwritten: {}\n", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evening(late: &[u64], took: u64) -> Evening {
        Evening {
            marks: 0,
            took: Duration::from_millis(took),
            late: late.iter().map(|ms| Duration::from_millis(*ms)).collect(),
        }
    }

    #[test]
    fn a_hundred_timers_are_ranked() {
        let late: Vec<u64> = (1..=100).rev().collect();
        let seen = Seen::of(&evening(&late, 480));
        let ms = |it: Duration| it.as_millis();
        assert_eq!(
            (ms(seen.half), ms(seen.hundredth), ms(seen.latest)),
            (50, 99, 100)
        );
        assert_eq!(Seen::of(&evening(&[], 1)).latest, Duration::ZERO);
    }

    #[test]
    fn the_median_of_each_number_by_itself() {
        let rounds = [(1, 30), (9, 10), (5, 20)];
        let rounds = rounds.map(|(late, took)| Seen::of(&evening(&[late], took)));
        let median = Seen::median(&rounds);
        assert_eq!(median.half, Duration::from_millis(5));
        assert_eq!(median.took, Duration::from_millis(20));
    }

    fn tally(but: Option<Rung>) -> Tally {
        let mut tally = Tally::default();
        for rung in Rung::ALL.into_iter().filter(|rung| Some(*rung) != but) {
            tally.note(rung, &evening(&[1, 2, 300], 960));
        }
        tally
    }

    #[test]
    fn both_halves_have_a_line_for_each_rung() {
        let (ours, theirs) = (tally(None), tally(None));
        let table = table(2, 48, &ours, Some(("CPython 3.11.7", &theirs)));
        assert_eq!(table.rows.len(), 12);
        assert!(table.rows.iter().all(|row| row.len() == table.head.len()));
        assert_eq!(table.rows[6][0], "CPython 3.11.7, asyncio");
        assert_eq!(
            table.rows[2],
            ["on the loop", "2.00", "300", "300", "960", "50"]
        );
        assert_eq!(table.rows[1][4..], ["", ""]);
    }

    #[test]
    fn what_there_is_not_has_no_line() {
        let table = table(4, 48, &tally(Some(Rung::Processes)), None);
        let names: Vec<&str> = table.rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(
            names,
            [
                "Rust, LoopBot",
                "nobody tastes",
                "on the loop",
                "spawn_blocking, 8 threads at most",
                "threads, 4, with rayon"
            ]
        );
    }

    #[test]
    fn a_busy_machine_is_told_of() {
        assert_eq!(warning(&[1.0, 0.95, 0.2]), None);
        assert!(warning(&[0.5, 0.95, 0.6]).unwrap().contains("given 60 %"));
        let text = markdown(&table(2, 48, &tally(None), None), 5, 48, false, &[0.5]);
        assert!(text.contains("ANCHOR: ladder") && text.contains("ANCHOR_END: run"));
        assert!(text.contains("This machine is busy"));
    }
}
