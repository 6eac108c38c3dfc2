//! must fail with: its result is not that panic
//!
//! Keeps the words of the panic, and makes a new one of them. Not every panic is made of words.

use std::any::Any;
use std::thread::Result;

use whatif::thread; // std::thread itself, unless a check wants to know who moves when

/// A table of the restaurant. What happens at it is up to the tests, and takes a moment.
pub struct Table(Box<dyn Fn(Act) -> u32 + Send + Sync>);

/// What a robot does at a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Act {
    /// Serves the guests.
    Serve,
    /// Counts the chairs.
    CountChairs,
    /// Counts the forks.
    CountForks,
}

impl Table {
    /// A table at which this happens.
    pub fn new(act: impl Fn(Act) -> u32 + Send + Sync + 'static) -> Table {
        Table(Box::new(act))
    }

    /// Serves whoever sits here. Returns how many plates that took.
    ///
    /// Some guests are too much for a robot: it breaks down. That is a panic.
    pub fn serve(&self) -> u32 {
        (self.0)(Act::Serve)
    }

    /// How many chairs stand here.
    pub fn count_chairs(&self) -> u32 {
        (self.0)(Act::CountChairs)
    }

    /// How many forks lie here.
    pub fn count_forks(&self) -> u32 {
        (self.0)(Act::CountForks)
    }
}

/// Hires a WaitBot for every section, and gives it the tables of that section. It serves them, one
/// after the other. All the WaitBots work side by side.
///
/// When everybody has gone home, returns how many plates each of them has carried, in the order of
/// the sections. If a robot breaks down, `Err` with its panic stands in its place.
pub fn first_shift(sections: Vec<Vec<Table>>) -> Vec<Result<u32>> {
    let mut robots = Vec::new();
    for tables in sections {
        // `move`: the tables belong to the robot from here on. This function may end before it does.
        robots.push(thread::spawn(move || tables.iter().map(Table::serve).sum()));
    }
    let robots: Vec<thread::JoinHandle<u32>> = robots;
    let brought = robots.into_iter().map(|robot| {
        robot.join().map_err(|panic| {
            let words = panic.downcast_ref::<String>().cloned();
            let words: Box<dyn Any + Send> = Box::new(words.unwrap_or_default());
            words
        })
    });
    brought.collect()
}

/// GreetBot counts the chairs of all tables and WaitBot the forks, side by side. Returns both counts,
/// or the panic of a robot that broke down.
///
/// The tables are only lent to them.
pub fn take_stock(tables: &[Table]) -> (Result<u32>, Result<u32>) {
    thread::scope(|room| {
        let greetbot = room.spawn(|| tables.iter().map(Table::count_chairs).sum());
        let waitbot = room.spawn(|| tables.iter().map(Table::count_forks).sum());
        (greetbot.join(), waitbot.join())
    })
}
