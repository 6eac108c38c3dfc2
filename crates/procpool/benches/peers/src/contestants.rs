//! Who takes part.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::contest::script;
use crate::peers::floor::Floor;
use crate::peers::ours::Ours;
use crate::peers::procspawn::Procspawn;
use crate::rows::{self, Row};

pub struct Contestant {
    pub name: &'static str,
    /// What exactly it is, for the foot of the table.
    pub version: String,
    pub how: How,
    /// Rows in which it would show nothing that another column does not.
    pub leaves_out: &'static [&'static str],
}

pub enum How {
    Rust(fn(&Row, &Path) -> Option<Vec<f64>>),
    Python(String),
}

/// A larger window changes nothing of these.
const WINDOW_DOES_NOT_MATTER: &[&str] = &[
    "start",
    "await",
    "awake",
    "echo-64m",
    "share-64m",
    "hand-over",
    "cpu",
    "kill-error",
    "kill-retry",
    "parent",
    "queued",
    "idle",
];

/// All of them, in the order of the table's columns. Looking for CPython takes a tenth of a second, so that is for whoever
/// compares, and not for each sample.
pub fn all() -> Vec<Contestant> {
    let mut all = rust_pools();
    all.extend(python());
    all
}

/// Those that are in this program.
pub fn rust_pools() -> Vec<Contestant> {
    vec![
        rust("procpool", "", rows::measure::<Ours>, &[]),
        rust(
            "procspawn",
            "procspawn 1.0.2",
            rows::measure::<Procspawn>,
            &[],
        ),
        rust("(floor, 1)", "", rows::measure::<Floor<1>>, &[]),
        rust(
            "(floor, 2)",
            "",
            rows::measure::<Floor<2>>,
            WINDOW_DOES_NOT_MATTER,
        ),
        rust(
            "(floor, 64)",
            "",
            rows::measure::<Floor<64>>,
            WINDOW_DOES_NOT_MATTER,
        ),
    ]
}

fn rust(
    name: &'static str,
    version: &str,
    measure: fn(&Row, &Path) -> Option<Vec<f64>>,
    leaves_out: &'static [&'static str],
) -> Contestant {
    Contestant {
        name,
        version: version.to_string(),
        how: How::Rust(measure),
        leaves_out,
    }
}

/// The interpreter that the variable PYTHON names, or python3, if it is there and runs.
fn python() -> Option<Contestant> {
    let python = env::var("PYTHON").unwrap_or_else(|_| "python3".to_string());
    let output = Command::new(&python)
        .arg(script())
        .arg("--version")
        .output()
        .ok()?;
    let version = String::from_utf8(output.stdout)
        .ok()
        .filter(|says| !says.is_empty())?;
    Some(Contestant {
        name: "ProcessPoolExecutor",
        version: format!("ProcessPoolExecutor of {}", version.trim()),
        how: How::Python(python),
        leaves_out: &[],
    })
}
