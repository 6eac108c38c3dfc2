//! The process pool and its peers, side by side: `cargo pool-peers`.
//!
//! ```text
//! cargo pool-peers                       every row, every pool
//! cargo pool-peers echo kill-error       the rows whose keys begin so
//! cargo pool-peers --peers procpool,floor   these pools only
//! cargo pool-peers --quick               a fifth of the samples, for a first look
//! cargo pool-peers --markdown FILE       writes the table to a file as well
//! cargo pool-peers --list                the keys of all rows
//! PYTHON=python3.14 cargo pool-peers     another CPython than python3
//! ```
//!
//! It asserts nothing about time. Read the ratios: absolute figures change from machine to machine.

mod contest;
mod contestants;
mod jobs;
mod measure;
mod peer;
mod peers;
mod rows;
mod table;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, process, thread};

use contest::Cell;
use contestants::{Contestant, How};
use measure::load_average;
use rows::Row;
use table::{Table, written};

/// From here on somebody else is at work on this machine.
const BUSY: f64 = 0.5;

fn main() -> ExitCode {
    // In a worker of one of the pools, its entry serves and does not return.
    procpool::worker_entry(peers::ours::kitchen);
    peers::floor::worker_entry();
    procspawn::init();

    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--one", row, peer, place] => one(row, peer, Path::new(place)),
        _ => Options::read(arguments).and_then(|options| options.run()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// One sample: prints its figures, and ends this process and whatever it has started.
fn one(key: &str, name: &str, place: &Path) -> Result<(), String> {
    let row = rows::ALL.iter().find(|row| row.key == key);
    let row = row.ok_or_else(|| format!("no row is called {key}: `--list` tells them"))?;
    let contestants = contestants::rust_pools();
    let contestant = contestants.iter().find(|c| c.name == name);
    let contestant = contestant.ok_or_else(|| format!("nobody here is called {name}"))?;
    let How::Rust(measure) = contestant.how else {
        return Err(format!("{name} has its own script"));
    };
    match measure(row, place) {
        Some(figures) => {
            let words: Vec<String> = figures.iter().map(f64::to_string).collect();
            println!("{}", words.join(" "));
        }
        None => println!("-"),
    }
    measure::end_descendants(process::id());
    process::exit(0)
}

#[derive(Default)]
struct Options {
    rows: Vec<String>,
    peers: Vec<String>,
    quick: bool,
    list: bool,
    markdown: Option<String>,
}

impl Options {
    fn read(arguments: Vec<String>) -> Result<Options, String> {
        let mut options = Options::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let missing = format!("{argument} needs a value");
                arguments.next().ok_or(missing)
            };
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--list" => options.list = true,
                "--markdown" => options.markdown = Some(value()?),
                "--peers" => {
                    let names = value()?.to_lowercase();
                    options.peers = names.split(',').map(String::from).collect();
                }
                unknown if unknown.starts_with('-') => {
                    return Err(format!(
                        "{unknown} is not known here: --quick, --list, --peers NAMES, --markdown FILE, or beginnings of rows' keys are"
                    ));
                }
                row => options.rows.push(row.to_string()),
            }
        }
        Ok(options)
    }

    fn run(&self) -> Result<(), String> {
        if self.list {
            for row in rows::ALL {
                println!("{:12} {}", row.key, row.title);
            }
            return Ok(());
        }
        let rows: Vec<&Row> = rows::ALL.iter().filter(|row| self.wants(row)).collect();
        if rows.is_empty() {
            return Err("no row's key begins so: `--list` tells them".to_string());
        }
        let contestants: Vec<_> = contestants::all()
            .into_iter()
            .filter(|c| self.invites(c))
            .collect();
        if contestants.is_empty() {
            return Err("nobody's name contains that".to_string());
        }
        let before = load_average();
        if before > BUSY {
            eprintln!(
                "warning: this machine is busy (load average {before}): compare nothing but ratios, and measure again"
            );
        }
        let mut results = Vec::new();
        for row in rows {
            eprintln!("{} ...", row.title);
            results.push((row, contest::row(row, &contestants, self.quick)));
        }
        let (table, notes) = table_of(&contestants, &results);
        let versions = contestants.iter().filter(|c| !c.version.is_empty());
        let versions: Vec<&str> = versions.map(|c| c.version.as_str()).collect();
        let foot = format!(
            "{notes}Two workers each. (floor, N) is no pool: frames over a bare socket, N jobs at a time with a worker. Medians of \
             interleaved samples, each in a fresh process; {} processors; load average before: {before}, after: {}. {}.\n",
            thread::available_parallelism().map_or(1, usize::from),
            load_average(),
            versions.join(", "),
        );
        print!("{}\n{foot}", table.as_text());
        match &self.markdown {
            Some(file) => {
                let report = format!("{}\n{foot}", table.as_markdown());
                fs::write(file, report).map_err(|error| format!("{file}: {error}"))
            }
            None => Ok(()),
        }
    }

    /// A key means its own row, or else all rows whose keys begin so.
    fn wants(&self, row: &Row) -> bool {
        let is_a_key = |key: &str| rows::ALL.iter().any(|row| row.key == key);
        let means = |key: &String| match is_a_key(key) {
            true => row.key == key,
            false => row.key.starts_with(key.as_str()),
        };
        self.rows.is_empty() || self.rows.iter().any(means)
    }

    fn invites(&self, contestant: &Contestant) -> bool {
        let name = contestant.name.to_lowercase();
        self.peers.is_empty() || self.peers.iter().any(|part| name.contains(part.as_str()))
    }
}

/// A line for each figure, and the reasons for those that are missing.
fn table_of(contestants: &[Contestant], results: &[(&Row, Vec<Cell>)]) -> (Table, String) {
    let mut head = vec![String::new(), "unit".to_string()];
    head.extend(contestants.iter().map(|c| c.name.to_string()));
    let mut lines = vec![head];
    let mut notes: Vec<String> = Vec::new();
    for (row, cells) in results {
        for (number, (what, unit)) in row.figures.iter().enumerate() {
            let title = match *what {
                "" => row.title.to_string(),
                what => format!("{}: {what}", row.title),
            };
            let mut line = vec![title, unit.to_string()];
            for (contestant, cell) in contestants.iter().zip(cells) {
                line.push(match cell {
                    Cell::Figures(figures) if figures[number].is_infinite() => "never".to_string(),
                    Cell::Figures(figures) => written(figures[number]),
                    Cell::No => "-".to_string(),
                    Cell::Failed(why) => {
                        let note = format!("{}: {why}", contestant.name);
                        let known = notes.iter().position(|known| *known == note);
                        let place = known.unwrap_or_else(|| {
                            notes.push(note);
                            notes.len() - 1
                        });
                        format!("- ({})", place + 1)
                    }
                });
            }
            lines.push(line);
        }
    }
    let notes = (1..)
        .zip(&notes)
        .map(|(number, note)| format!("({number}) {note}\n"));
    (Table(lines), notes.collect())
}
