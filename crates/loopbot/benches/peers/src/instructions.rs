//! Instructions per operation, counted by valgrind's callgrind: the same on a noisy machine as on a quiet one.
//!
//! A workload runs with N operations and with 2N. The difference is what N operations take, without
//! the start of the program. What a count does not show: a locked instruction counts as one and costs
//! as much as thirty.

use std::env;
use std::process::Command;

use crate::contestants::Contestant;
use crate::rows::Row;
use crate::table::Table;

const ROWS: &[&str] = &[
    "spawn-join-1k",
    "spawn-join-at-once",
    "yield-1",
    "yield-100",
    "ping-pong-local",
    "ping-pong-own",
    "wake-1k",
    "timers-1k",
];
const OPERATIONS: u64 = 20_000;

/// Counts the rows that have a fixed number of operations, for these contestants.
pub fn table(rows: &[Row], contestants: &[Contestant], wanted: impl Fn(&Row) -> bool) -> Table {
    let mut head = vec!["instructions per operation".to_string()];
    head.extend(contestants.iter().map(|c| c.name.to_string()));
    let mut lines = vec![head];
    for row in rows {
        if !ROWS.contains(&row.key) || !wanted(row) {
            continue;
        }
        let mut line = vec![row.title.to_string()];
        for contestant in contestants {
            eprintln!("counting {} for {} ...", row.key, contestant.name);
            line.push(match per_operation(row, contestant) {
                Some(instructions) => format!("{instructions:.0}"),
                None => "-".to_string(),
            });
        }
        lines.push(line);
    }
    Table::new(lines)
}

fn per_operation(row: &Row, contestant: &Contestant) -> Option<f64> {
    let once = count(row, contestant, OPERATIONS)?;
    let twice = count(row, contestant, 2 * OPERATIONS)?;
    Some((twice - once) / OPERATIONS as f64)
}

/// All instructions of one process that runs the workload once.
fn count(row: &Row, contestant: &Contestant, operations: u64) -> Option<f64> {
    let program = env::current_exe().ok()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--one", row.key, contestant.name, &operations.to_string()])
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => panic!("valgrind does not start ({error}): is it installed?"),
    };
    if !output.status.success() {
        return None;
    }
    let says = String::from_utf8_lossy(&output.stderr);
    let (_, collected) = says.rsplit_once("Collected : ")?;
    collected.split_whitespace().next()?.parse().ok()
}
