//! The rows, and the table of their medians.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use futures::executor::block_on;

use crate::FLOOD;
use crate::peers::{Answer, Contestant, Pool};

/// So long nothing happens before a round trip, so that everybody sleeps: nobody here spins for as long as that.
const NAP: Duration = Duration::from_micros(300);

/// What one contestant showed in one repetition.
struct Sample {
    asleep: Quantiles,
    at_once: Quantiles,
    flood: Flood,
}

struct Flood {
    jobs_a_second: f64,
    /// Nanoseconds of processor time for each job, of all threads together. A busy machine changes this the least.
    cpu: f64,
    threads: f64,
}

struct Quantiles {
    p50: f64,
    p99: f64,
}

/// Repetition by repetition, every contestant has its turn, so that what disturbs the machine for a while disturbs all
/// of them. The first turn of each only warms up.
pub fn table(contestants: &[Contestant], quick: bool) -> String {
    let repetitions = if quick { 3 } else { 15 };
    let load_before = load_average();
    let mut samples: Vec<Vec<Sample>> = contestants.iter().map(|_| Vec::new()).collect();
    // Those who leave threads behind come when all others are through.
    for leave_threads in [false, true] {
        for repetition in 0..=repetitions {
            for turn in 0..contestants.len() {
                let number = (turn + repetition) % contestants.len();
                if contestants[number].leaves_threads != leave_threads {
                    continue;
                }
                let sample = sample(&contestants[number]);
                if repetition > 0 {
                    samples[number].push(sample);
                }
            }
            eprintln!("repetition {repetition} of {repetitions}");
        }
    }
    let mut table = "| | asleep p50 µs | p99 | × offload | at once p50 µs | p99 | × offload | flood, million jobs/s | × offload | ns of processor a job | threads |\n".to_string();
    table += "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
    let figures: Vec<[f64; 7]> = samples.iter().map(|samples| medians(samples)).collect();
    for (contestant, own) in contestants.iter().zip(&figures) {
        let [asleep, asleep_99, at_once, at_once_99, flood, cpu, threads] = own;
        let ours = &figures[0];
        table += &format!(
            "| {} | {asleep:.1} | {asleep_99:.1} | {:.2} | {at_once:.1} | {at_once_99:.1} | {:.2} | {:.2} | {:.2} | {cpu:.0} | {threads:.0} |\n",
            contestant.name,
            asleep / ours[0],
            at_once / ours[2],
            flood / 1e6,
            flood / ours[4],
        );
    }
    let cores = thread::available_parallelism().map_or(1, usize::from);
    table += &format!(
        "\nMedians of {repetitions} interleaved repetitions, all in one process; {cores} processors; load average before: {load_before}, after: {}.\n",
        load_average()
    );
    table += "Round trip of a job that does nothing, from a thread that parks until its answer is there. Asleep: nothing had happened for 300 µs before. At once: one after the other.\n";
    table += &format!(
        "Flood: {FLOOD} such jobs handed over by one thread, then all awaited. Threads: how many the process had at most in it, beside the main thread.\n"
    );
    table
}

fn sample(contestant: &Contestant) -> Sample {
    let pool = (contestant.make)();
    round_trips(&*pool, 200, Duration::ZERO); // Its threads are started, its memory is there.
    let asleep = round_trips(&*pool, 1_000, NAP);
    let at_once = round_trips(&*pool, 10_000, Duration::ZERO);
    flood(&*pool); // The memory for so many is there.
    let flood = flood(&*pool);
    drop(pool);
    // Whoever leaves threads behind for a while shall not disturb the next one.
    let end = Instant::now() + Duration::from_secs(1);
    while threads_now() > 0 && Instant::now() < end {
        thread::sleep(Duration::from_millis(1));
    }
    Sample {
        asleep,
        at_once,
        flood,
    }
}

fn round_trips(pool: &dyn Pool, count: usize, nap: Duration) -> Quantiles {
    let mut micros: Vec<f64> = (0..count)
        .map(|_| {
            if !nap.is_zero() {
                thread::sleep(nap);
            }
            let start = Instant::now();
            block_on(pool.hand_over());
            start.elapsed().as_nanos() as f64 / 1e3
        })
        .collect();
    micros.sort_by(f64::total_cmp);
    Quantiles {
        p50: micros[count / 2],
        p99: micros[count * 99 / 100],
    }
}

fn flood(pool: &dyn Pool) -> Flood {
    let mut most_threads = 0;
    let cpu = ProcessTime::now();
    let start = Instant::now();
    let mut counting = Duration::ZERO;
    let mut count_threads = || {
        let start = Instant::now();
        most_threads = most_threads.max(threads_now());
        counting += start.elapsed();
    };
    let mut answers: Vec<Answer> = Vec::with_capacity(FLOOD);
    for number in 0..FLOOD {
        answers.push(pool.hand_over());
        if number % (FLOOD / 10) == 0 {
            count_threads();
        }
    }
    count_threads();
    block_on(async {
        for answer in answers {
            answer.await;
        }
    });
    count_threads();
    let elapsed = start.elapsed() - counting;
    Flood {
        jobs_a_second: FLOOD as f64 / elapsed.as_secs_f64(),
        cpu: cpu.elapsed().as_nanos() as f64 / FLOOD as f64,
        threads: most_threads as f64,
    }
}

/// The threads of this process beside the main one; 0 where the system does not tell.
fn threads_now() -> usize {
    fs::read_dir("/proc/self/task").map_or(0, |threads| threads.count().saturating_sub(1))
}

fn medians(samples: &[Sample]) -> [f64; 7] {
    let figures: [fn(&Sample) -> f64; 7] = [
        |sample| sample.asleep.p50,
        |sample| sample.asleep.p99,
        |sample| sample.at_once.p50,
        |sample| sample.at_once.p99,
        |sample| sample.flood.jobs_a_second,
        |sample| sample.flood.cpu,
        |sample| sample.flood.threads,
    ];
    figures.map(|figure| {
        let mut values: Vec<f64> = samples.iter().map(figure).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    })
}

fn load_average() -> String {
    let known = fs::read_to_string("/proc/loadavg").ok();
    let first = known.and_then(|line| line.split(' ').next().map(String::from));
    first.unwrap_or_else(|| "unknown".to_string())
}
