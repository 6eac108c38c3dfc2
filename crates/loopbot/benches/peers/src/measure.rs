//! Medians, processor time, memory.

use std::fs;
use std::time::Duration;

use cpu_time::{ProcessTime, ThreadTime};

/// How often: as often as a table for the book wants it, or a fifth of that for a first look.
#[derive(Clone, Copy, PartialEq)]
pub enum Effort {
    Full,
    Quick,
}

impl Effort {
    pub fn of(self, repetitions: u64) -> u64 {
        match self {
            Effort::Full => repetitions,
            Effort::Quick => repetitions.div_ceil(5),
        }
    }
}

/// The middle one, or the mean of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// Interpolated between the two nearest.
pub fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = part * (sorted.len() - 1) as f64;
    let below = sorted[place.floor() as usize];
    let above = sorted[place.ceil() as usize];
    below + (above - below) * place.fract()
}

/// Nanoseconds for each of `operations`.
pub fn each(elapsed: Duration, operations: u64) -> f64 {
    elapsed.as_nanos() as f64 / operations as f64
}

/// The processor time that this process has used so far, all of its threads together.
pub fn cpu() -> Duration {
    ProcessTime::now().as_duration()
}

/// Resident memory of this process in bytes, where the operating system tells.
pub fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Measures what the loop's thread works, in processor time. On a machine with nothing else to do, that is
/// what the clock on the wall shows; on a busy one it leaves out the time that others have.
pub struct Stopwatch(ThreadTime);

impl Stopwatch {
    pub fn start() -> Stopwatch {
        Stopwatch(ThreadTime::now())
    }

    pub fn stop(self) -> Duration {
        self.0.elapsed()
    }
}
