//! An evening with real threads, and no check that looks on: WineBot carries bottles up, WaitBot
//! carries them down. cargo run -p exercise-06 --example evening

use std::process;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use exercise_06::House;

const TRIPS: u32 = 100_000;

fn main() {
    let house = Arc::new(House::new(vec![Mutex::new(50), Mutex::new(50)]));
    let (goes_home, gone_home) = mpsc::channel();
    for (name, from, to) in [("WineBot", 0, 1), ("WaitBot", 1, 0)] {
        let (house, goes_home) = (house.clone(), goes_home.clone());
        thread::spawn(move || {
            for _ in 0..TRIPS {
                house.move_bottles(from, to, 1, |_| ());
            }
            goes_home.send(name).expect("somebody waits at the door");
        });
    }
    drop(goes_home); // the robots have theirs
    for _ in 0..2 {
        match gone_home.recv_timeout(Duration::from_secs(10)) {
            Ok(name) => println!("{name} goes home after {TRIPS} trips."),
            Err(RecvTimeoutError::Disconnected) => quit("A robot has broken down."),
            Err(RecvTimeoutError::Timeout) => quit(
                "For ten seconds nobody has come home. Do they wait for each other? \
                 Nothing here can say. This can: cargo test -p exercise-06",
            ),
        }
    }
    println!("There are {} bottles, as there were.", house.count(0, 1));
}

fn quit(why: &str) -> ! {
    eprintln!("{why}");
    process::exit(1)
}
