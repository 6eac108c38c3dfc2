//! One row after the other; within a row, one contestant after the other, again and again.

use std::any::Any;
use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::process::{Command, Stdio};

use crate::contestants::{Contestant, Works};
use crate::measure::{Effort, median};
use crate::rows::{Measure, Row};

/// What came of a contestant in a row.
pub enum Cell {
    /// The medians of the row's figures.
    Figures(Vec<f64>),
    /// It has no means for it.
    No,
    /// It could not, or was not let: why.
    Failed(String),
}

/// Measures one row. Repetition by repetition, every contestant has its turn, so that what disturbs the
/// machine for a while disturbs all of them. The first turn of each only warms up.
pub fn row(row: &Row, contestants: &[Contestant], effort: Effort) -> Vec<Cell> {
    let mut samples: Vec<Result<Vec<Vec<f64>>, Cell>> = contestants
        .iter()
        .map(|contestant| {
            let left_out = contestant
                .leaves_out
                .iter()
                .find(|(key, _)| *key == row.key);
            match left_out {
                Some((_, why)) => Err(Cell::Failed(why.to_string())),
                None => Ok(Vec::new()),
            }
        })
        .collect();
    for repetition in 0..=effort.of(row.repetitions) {
        for turn in 0..contestants.len() {
            let number = (turn + repetition as usize) % contestants.len();
            let Ok(taken) = &mut samples[number] else {
                continue;
            };
            match sample(row, &contestants[number]) {
                Ok(_) if repetition == 0 => {}
                Ok(figures) => taken.push(figures),
                Err(cell) => samples[number] = Err(cell),
            }
        }
    }
    samples
        .into_iter()
        .map(|taken| match taken {
            Ok(taken) => Cell::Figures(medians(&taken)),
            Err(cell) => cell,
        })
        .collect()
}

fn sample(row: &Row, contestant: &Contestant) -> Result<Vec<f64>, Cell> {
    if let Measure::Bytes { parts, work } = row.measure {
        work(&contestant.works).ok_or(Cell::No)?;
        return bytes(row, contestant, parts).map(|bytes| vec![bytes]);
    }
    let figures = panic::catch_unwind(AssertUnwindSafe(|| row.figures_of(&contestant.works)));
    match figures {
        Ok(Some(figures)) => Ok(figures),
        Ok(None) => Err(Cell::No),
        Err(panic) => Err(Cell::Failed(format!("it panicked: {}", message(&*panic)))),
    }
}

/// Starts this program anew for one contestant, and reads what it prints.
fn bytes(row: &Row, contestant: &Contestant, parts: u64) -> Result<f64, Cell> {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--one", row.key, contestant.name, &parts.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(|error| Cell::Failed(error.to_string()))?;
    let says = String::from_utf8_lossy(&output.stdout);
    says.trim()
        .parse()
        .map_err(|_| Cell::Failed("its process ended without a figure".to_string()))
}

/// Exactly one workload, as `--one` and callgrind want it.
pub fn one(row: &Row, works: &Works, operations: u64) -> Option<()> {
    match row.measure {
        Measure::Each { batch, work, .. } => work(works, batch, operations).map(drop),
        Measure::Bytes { work, .. } => work(works).map(|work| work(operations)),
        Measure::Figures(figures) => figures(works).map(drop),
    }
}

fn medians(samples: &[Vec<f64>]) -> Vec<f64> {
    (0..samples[0].len())
        .map(|figure| {
            let values: Vec<f64> = samples.iter().map(|sample| sample[figure]).collect();
            median(&values)
        })
        .collect()
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
        .to_string()
}
