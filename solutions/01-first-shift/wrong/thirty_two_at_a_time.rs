//! must fail with: never as many robots at work at once
//!
//! Hires thirty-two robots, waits for them, and hires the next ones.

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
    let mut sections = sections.into_iter().peekable();
    let mut brought = Vec::new();
    while sections.peek().is_some() {
        let hire = |tables: Vec<Table>| {
            thread::spawn(move || tables.iter().map(Table::serve).sum::<u32>())
        };
        let robots: Vec<_> = sections.by_ref().take(32).map(hire).collect();
        brought.extend(robots.into_iter().map(|robot| robot.join()));
    }
    brought
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
