//! LoopBot and its peers, side by side: `cargo peers`.
//!
//! ```text
//! cargo peers                          every row, every contestant
//! cargo peers yield echo-1000          the rows whose keys begin so
//! cargo peers --peers loopbot,tokio    these contestants only
//! cargo peers --quick                  a fifth of the repetitions, for a first look
//! cargo peers --markdown FILE          writes the tables to a file as well
//! cargo peers --list                   the keys of all rows
//! cargo peers instructions [ROW..]     instructions per operation (needs valgrind)
//! ```
//!
//! It asserts nothing about time. Read the ratios: absolute figures change from machine to machine.

mod contest;
mod contestants;
mod instructions;
mod load;
mod measure;
mod peer;
mod peers;
mod rows;
mod table;

use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs, panic, thread};

use contestants::Contestant;
use measure::Effort;
use rows::Row;
use table::Results;

/// More descriptors than that no row needs: both ends of 8,000 connections are in different processes.
const CONNECTIONS: u64 = 8_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--load", address, connections, millis] => load(address, connections, millis),
        ["--one", row, peer, operations] => one(row, peer, operations),
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

fn load(address: &str, connections: &str, millis: &str) -> Result<(), String> {
    let window = Duration::from_millis(number(millis)?);
    let address = address
        .parse()
        .map_err(|error| format!("{address}: {error}"))?;
    load::run(address, number(connections)?, window).map_err(|error| format!("the load: {error}"))
}

fn one(key: &str, name: &str, operations: &str) -> Result<(), String> {
    let rows = rows::all();
    let row = rows.iter().find(|row| row.key == key);
    let row = row.ok_or_else(|| format!("no row is called {key}: `--list` tells them"))?;
    let contestants = contestants::all();
    let contestant = contestants.iter().find(|c| c.name == name);
    let contestant = contestant.ok_or_else(|| format!("nobody here is called {name}"))?;
    contest::one(row, &contestant.works, number(operations)?)
        .ok_or_else(|| format!("{name} has no means for {key}"))
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}

#[derive(Default)]
struct Options {
    rows: Vec<String>,
    peers: Vec<String>,
    quick: bool,
    list: bool,
    instructions: bool,
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
                "instructions" => options.instructions = true,
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
        let rows = rows::all();
        if self.list {
            for row in &rows {
                println!("{:20} {}", row.key, row.title);
            }
            return Ok(());
        }
        if !rows.iter().any(|row| self.wants(row)) {
            return Err("no row's key begins so: `--list` tells them".to_string());
        }
        let contestants: Vec<_> = contestants::all()
            .into_iter()
            .filter(|contestant| self.invites(contestant))
            .collect();
        if contestants.is_empty() {
            return Err("nobody's name contains that".to_string());
        }
        let report = if self.instructions {
            let table = instructions::table(&rows, &contestants, |row| self.wants(row));
            print!("{}", table.as_text());
            table.as_markdown()
        } else {
            self.compete(&rows, &contestants)
        };
        match &self.markdown {
            Some(file) => fs::write(file, report).map_err(|error| format!("{file}: {error}")),
            None => Ok(()),
        }
    }

    fn compete(&self, rows: &[Row], contestants: &[Contestant]) -> String {
        load::raise_descriptor_limit(CONNECTIONS);
        // A peer that panics has a note in the table; its message would stand between the rows.
        panic::set_hook(Box::new(|_| {}));
        let before = load_average();
        let mut results = Results {
            contestants,
            effort: self.effort(),
            rows: Vec::new(),
        };
        for row in rows.iter().filter(|row| self.wants(row)) {
            eprintln!("{} ...", row.title);
            let cells = contest::row(row, contestants, self.effort());
            results.rows.push((row, cells));
        }
        let circumstances = format!(
            "Medians of interleaved repetitions, all in one process; {} processors; load average before: {before}, after: {}.",
            thread::available_parallelism().map_or(1, usize::from),
            load_average(),
        );
        let (everybody, notes) = results.everybody();
        let notes: String = (1..)
            .zip(&notes)
            .map(|(number, note)| format!("({number}) {note}\n"))
            .collect();
        let summary = results.summary();
        println!(
            "{}\n{}\n{notes}\n{circumstances}",
            summary.as_text(),
            everybody.as_text()
        );
        format!(
            "{}\n{}\n{notes}\n{circumstances}\n",
            summary.as_markdown(),
            everybody.as_markdown()
        )
    }

    /// A key means its own row, or else all rows whose keys begin so.
    fn wants(&self, row: &Row) -> bool {
        let is_a_key = |key: &str| rows::all().iter().any(|row| row.key == key);
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

    fn effort(&self) -> Effort {
        if self.quick {
            Effort::Quick
        } else {
            Effort::Full
        }
    }
}

fn load_average() -> String {
    let known = fs::read_to_string("/proc/loadavg").ok();
    let first = known.and_then(|line| line.split(' ').next().map(String::from));
    first.unwrap_or_else(|| "unknown".to_string())
}
