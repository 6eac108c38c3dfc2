//! The jobs. Every pool here runs these functions, and nothing else.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process;
use std::thread;
use std::time::Duration;

use serde_bytes::ByteBuf;

/// Nothing, so that what is measured is the way there and back.
pub fn no_op(number: u64) -> u64 {
    number
}

/// Next to nothing.
pub fn next(number: u64) -> u64 {
    number + 1
}

/// A chunk of it, for pools that know no chunks.
pub fn next_of_each(numbers: Vec<u64>) -> Vec<u64> {
    numbers.into_iter().map(next).collect()
}

/// Sends back what it got.
pub fn echo(bytes: ByteBuf) -> ByteBuf {
    bytes
}

/// How many primes there are from here to there, found the slow way.
pub fn primes((from, to): (u64, u64)) -> u64 {
    let is_prime = |n: u64| {
        (2..)
            .take_while(|d| d * d <= n)
            .all(|d| !black_box(n).is_multiple_of(d))
    };
    (from.max(2)..to).filter(|n| is_prime(*n)).count() as u64
}

/// Writes down in which process it runs, and sleeps for a minute.
pub fn hold(place: String) -> u32 {
    write_pid(&place);
    thread::sleep(Duration::from_secs(60));
    process::id()
}

/// The first time like `hold`; when somebody has been here before, it answers at once.
pub fn hold_once(place: String) -> u32 {
    match Path::new(&place).exists() {
        true => process::id(),
        false => hold(place),
    }
}

/// Writes down in which process it runs, and keeps a core busy for a minute.
pub fn spin(place: String) -> u32 {
    write_pid(&place);
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        black_box(&begun);
    }
    process::id()
}

/// All at once: whoever sees the file sees the number.
fn write_pid(place: &str) {
    let unfinished = format!("{place}.unfinished");
    fs::write(&unfinished, process::id().to_string()).expect("the place can be written");
    fs::rename(&unfinished, place).expect("the place can be written");
}

/// Reads all of it, word by word.
pub fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let sum = words.iter().fold(0_u64, |sum, word| {
        sum.wrapping_add(u64::from_le_bytes(*word))
    });
    rest.iter()
        .fold(sum, |sum, byte| sum.wrapping_add(u64::from(*byte)))
}
