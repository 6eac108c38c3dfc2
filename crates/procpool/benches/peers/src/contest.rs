//! One row after the other; within a row, one pool after the other, again and again. Each sample is a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::contestants::{Contestant, How};
use crate::measure::{descendants, end_descendants, kill, median};
use crate::rows::Row;

/// A sample that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(100);

/// What came of a pool in a row.
pub enum Cell {
    /// The medians of the row's figures.
    Figures(Vec<f64>),
    /// It has no means for it.
    No,
    /// It could not, or was not let: why.
    Failed(String),
}

/// Measures one row. Sample by sample, every pool has its turn, so that what disturbs the machine for a while disturbs all.
pub fn row(row: &Row, contestants: &[Contestant], quick: bool) -> Vec<Cell> {
    let samples = if quick {
        row.samples.div_ceil(5)
    } else {
        row.samples
    };
    let mut taken: Vec<Result<Vec<Vec<f64>>, Cell>> =
        contestants.iter().map(|_| Ok(Vec::new())).collect();
    for sample in 0..samples {
        for turn in 0..contestants.len() {
            let number = (turn + sample as usize) % contestants.len();
            if let Ok(figures) = &mut taken[number] {
                match one(row, &contestants[number]) {
                    Ok(sample) => figures.push(sample),
                    Err(cell) => taken[number] = Err(cell),
                }
            }
        }
    }
    taken
        .into_iter()
        .map(|taken| match taken {
            Ok(samples) => Cell::Figures(medians(&samples)),
            Err(cell) => cell,
        })
        .collect()
}

fn medians(samples: &[Vec<f64>]) -> Vec<f64> {
    (0..samples[0].len())
        .map(|figure| {
            let values: Vec<f64> = samples.iter().map(|sample| sample[figure]).collect();
            median(&values)
        })
        .collect()
}

/// Where the script is, that is CPython's part.
pub fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("executor.py")
}

fn one(row: &Row, contestant: &Contestant) -> Result<Vec<f64>, Cell> {
    if contestant.leaves_out.contains(&row.key) {
        return Err(Cell::No);
    }
    let failed = |error: io::Error| Cell::Failed(error.to_string());
    let place = tempfile::tempdir().map_err(failed)?;
    let mut command = match &contestant.how {
        How::Rust(_) => {
            let mut command = Command::new(env::current_exe().map_err(failed)?);
            command
                .args(["--one", row.key, contestant.name])
                .arg(place.path());
            command
        }
        How::Python(python) => {
            // It takes its time: fewer of the rows that would keep everybody waiting for it.
            let count = match row.key {
                "submit" | "queued" => 10_000,
                "round-trip" | "await" => 2_000,
                "map" => 200_000,
                _ => row.count,
            };
            let mut command = Command::new(python);
            let prefix = format!("{}/", place.path().display());
            command
                .arg(script())
                .args([row.key, &count.to_string(), &prefix]);
            command
        }
    };
    let mut process = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let cell = match row.key {
        "parent" => orphans(&mut process),
        _ => figures(&mut process),
    };
    let _ = process.kill();
    let _ = process.wait();
    cell
}

/// What a sample prints.
fn figures(process: &mut Child) -> Result<Vec<f64>, Cell> {
    // Whoever waits for a sample that hangs would wait for ever, so somebody looks at the clock.
    let ends = exit_of(process.id()).map_err(Cell::Failed)?;
    let mut stdout = process.stdout.take().expect("it is piped");
    let mut stderr = process.stderr.take().expect("it is piped");
    let reads = thread::spawn(move || {
        let mut says = String::new();
        stdout.read_to_string(&mut says).map(|_| says)
    });
    let complains = thread::spawn(move || {
        let mut says = String::new();
        stderr.read_to_string(&mut says).map(|_| says)
    });
    if !gone(&ends, PATIENCE) {
        end_descendants(process.id());
        kill(process.id());
        return Err(Cell::Failed(format!("no answer within {PATIENCE:?}")));
    }
    let says = reads.join().expect("it only reads").unwrap_or_default();
    if says.trim() == "-" {
        return Err(Cell::No);
    }
    let figures: Option<Vec<f64>> = says
        .split_whitespace()
        .map(|word| word.parse().ok())
        .collect();
    figures
        .filter(|figures| !figures.is_empty())
        .ok_or_else(|| {
            let complaint = complains.join().expect("it only reads").unwrap_or_default();
            let last = complaint.lines().rev().find(|line| !line.trim().is_empty());
            Cell::Failed(
                last.unwrap_or("its process ended without a figure")
                    .to_string(),
            )
        })
}

/// Kills the parent of a pool whose workers are busy, and waits until they are gone. Those that are left after a second
/// stay for ever: they are counted, and ended.
fn orphans(parent: &mut Child) -> Result<Vec<f64>, Cell> {
    let mut says = BufReader::new(parent.stdout.take().expect("it is piped"));
    let mut line = String::new();
    says.read_line(&mut line)
        .map_err(|error| Cell::Failed(error.to_string()))?;
    if line.trim() != "busy" {
        end_descendants(parent.id());
        return Err(Cell::Failed("its workers did not begin".to_string()));
    }
    let workers = descendants(parent.id());
    let exits: Vec<_> = workers
        .iter()
        .map(|pid| exit_of(*pid))
        .collect::<Result<_, _>>()
        .map_err(Cell::Failed)?;
    let start = Instant::now();
    kill(parent.id());
    let mut took = Duration::ZERO;
    let mut left = 0;
    for (exit, pid) in exits.iter().zip(&workers) {
        let patience = Duration::from_secs(1).saturating_sub(start.elapsed());
        if gone(exit, patience) {
            took = took.max(start.elapsed());
        } else {
            left += 1;
            kill(*pid);
        }
    }
    let took = if left == 0 {
        took.as_secs_f64() * 1e3
    } else {
        f64::INFINITY
    };
    Ok(vec![took, f64::from(left)])
}

fn exit_of(pid: u32) -> Result<rustix::fd::OwnedFd, String> {
    let pid = Pid::from_raw(pid as i32).expect("a process has a number");
    pidfd_open(pid, PidfdFlags::empty())
        .map_err(|error| format!("its process cannot be watched: {error}"))
}

/// Whether it ends within this time.
fn gone(process: &rustix::fd::OwnedFd, patience: Duration) -> bool {
    let patience = Timespec::try_from(patience).expect("not that long");
    let mut exit = [PollFd::new(process, PollFlags::IN)];
    poll(&mut exit, Some(&patience)) == Ok(1)
}
