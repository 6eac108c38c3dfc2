//! Medians, memory, processes: what the system tells about them under `/proc`.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

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
    match place.fract() {
        0.0 => below, // Also if it is infinite.
        part => below + (above - below) * part,
    }
}

/// Runs it so often, some times more at first to warm up, and returns each run's microseconds.
pub fn micros_each(times: u64, mut run: impl FnMut(u64)) -> Vec<f64> {
    for turn in 0..times / 10 + 1 {
        run(turn);
    }
    (0..times)
        .map(|turn| {
            let start = Instant::now();
            run(turn);
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect()
}

/// Resident memory of this process, in bytes.
pub fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    kilobytes(&status, "VmRSS:") * 1024
}

/// What a process has in memory, shared pages by its share, in bytes.
pub fn proportional(pid: u32) -> u64 {
    let told = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    kilobytes(&told, "Pss:") * 1024
}

fn kilobytes(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok())
        .unwrap_or(0)
}

/// How many descriptors this process has open.
pub fn descriptors() -> u64 {
    fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64)
}

/// A process's children, and theirs. Those that have ended and wait to be reaped are not among them.
pub fn descendants(of: u32) -> Vec<u32> {
    let processes: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| Some((pid, parent_of(pid)?)))
        .collect();
    let mut found = vec![of];
    let mut next = 0;
    while next < found.len() {
        let children = processes
            .iter()
            .filter(|(_, parent)| *parent == found[next]);
        found.extend(children.map(|(pid, _)| *pid).collect::<Vec<_>>());
        next += 1;
    }
    found.split_off(1)
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets, and may contain anything.
    let mut after_the_name = stat[stat.rfind(')')? + 1..].split_whitespace();
    match after_the_name.next()? {
        "Z" | "X" => None,
        _ => after_the_name.next()?.parse().ok(),
    }
}

/// Ends every process that this one started and that is still there.
pub fn end_descendants(of: u32) {
    for pid in descendants(of) {
        kill(pid);
    }
}

/// SIGKILL.
pub fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid as i32).expect("a process has a number");
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}

/// Waits until a job has written down in which process it runs, and returns that.
pub fn written_pid(place: &Path) -> u32 {
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        if let Ok(Ok(pid)) = fs::read_to_string(place).map(|text| text.parse()) {
            return pid;
        }
        assert!(Instant::now() < patience, "a job did not begin within 20 s");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// How many processes wanted a processor in the last minute.
pub fn load_average() -> f64 {
    let told = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = told.split(' ').next().and_then(|first| first.parse().ok());
    first.unwrap_or(0.0)
}
