//! What is left of an evening: how many were served, what went wrong, and who worked how much.

use std::collections::BTreeMap;
use std::fmt;
use std::mem::discriminant;
use std::time::Duration;

use flight::Recording;

use crate::incident::Incident;
use crate::timesheet::Timesheet;

/// What is counted while the evening goes on.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// How many parties have eaten and paid.
    pub served: usize,
    /// What went wrong, in order.
    pub incidents: Vec<Incident>,
}

/// The report of one evening, whoever served it.
#[derive(Clone, Debug)]
pub struct Report {
    /// How many parties came, ate and paid.
    pub served: usize,
    /// What went wrong, in order.
    pub incidents: Vec<Incident>,
    /// One for each robot.
    pub timesheets: Vec<Timesheet>,
    /// How long the evening took, in restaurant time.
    pub length: Duration,
}

/// An evening that was rehearsed in virtual time.
#[derive(Clone, Debug)]
pub struct Evening {
    /// What was served and what went wrong.
    pub report: Report,
    /// What every robot did.
    pub recording: Recording,
}

impl Evening {
    /// Computing takes no virtual time. So the timesheets come from the record here, and say of every
    /// robot that it waited all the time.
    pub fn new(report: Report, recording: Recording) -> Evening {
        let timesheets = Timesheet::from_recording(&recording);
        Evening {
            report: Report {
                timesheets,
                ..report
            },
            recording,
        }
    }
}

impl Report {
    /// How often each kind of incident happened, with the tables where it did.
    fn tally(&self) -> Vec<(Incident, BTreeMap<u32, usize>)> {
        let mut tally: Vec<(Incident, BTreeMap<u32, usize>)> = Vec::new();
        for &incident in &self.incidents {
            let same_kind =
                |(seen, _): &(Incident, _)| discriminant(seen) == discriminant(&incident);
            let index = tally.iter().position(same_kind).unwrap_or_else(|| {
                tally.push((incident, BTreeMap::new()));
                tally.len() - 1
            });
            *tally[index].1.entry(incident.table()).or_default() += 1;
        }
        tally
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.length.as_secs() / 60;
        let hours = format!("{}:{:02} h", minutes / 60, minutes % 60);
        writeln!(
            f,
            "{} parties served in {hours} of restaurant time",
            self.served
        )?;
        match self.incidents.len() {
            0 => writeln!(f, "no collisions")?,
            1 => writeln!(f, "1 collision")?,
            many => writeln!(f, "{many} collisions")?,
        }
        for (kind, tables) in self.tally() {
            let count: usize = tables.values().sum();
            let tables: Vec<String> = tables.keys().map(u32::to_string).collect();
            writeln!(
                f,
                "  {count} × {} (table {})",
                kind.rule(),
                tables.join(", ")
            )?;
        }
        for sheet in &self.timesheets {
            writeln!(f, "{sheet}")?;
        }
        Ok(())
    }
}
