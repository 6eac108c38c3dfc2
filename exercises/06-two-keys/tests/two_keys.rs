//! What the robots owe each other at the racks. The tests run them in every order of steps.

use std::sync::{Arc, Mutex};
use std::thread;

use exercise_06::House;
use whatif::{Checker, never};

/// More orders of steps are not tried. Three robots that take the keys in one order have six, and
/// with locks that they make themselves there are a few hundred. Whoever goes round in a loop has no
/// end of them.
const MOST_ORDERS: usize = 3_000;

const CELLAR: usize = 0;
const CABINET: usize = 1;
const BAR: usize = 2;

/// A check that takes nothing but a proof.
fn every_order(of: &str) -> Checker {
    Checker::new(of).max_runs(MOST_ORDERS).to_the_end()
}

/// A house with so many bottles in the cellar, in the glass cabinet, and behind the bar.
fn house([cellar, cabinet, bar]: [u32; 3]) -> Arc<House> {
    Arc::new(House::new(vec![
        Mutex::new(cellar).called("the cellar"),
        Mutex::new(cabinet).called("the cabinet"),
        Mutex::new(bar).called("the bar"),
    ]))
}

/// Starts a robot that does `job` in `house`.
fn robot<T: Send + 'static>(
    name: &str,
    house: &Arc<House>,
    job: impl FnOnce(&House) -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let house = Arc::clone(house);
    thread::Builder::new()
        .name(name.into())
        .spawn(move || job(&house))
        .expect("a thread for each robot")
}

/// Moves bottles. Returns how many have moved, going by what was told.
fn moves(house: &House, from: usize, to: usize, n: u32) -> u32 {
    let mut told = None;
    house.move_bottles(from, to, n, |moved| told = Some(moved));
    never("`tell` has not been called", told.is_none());
    told.unwrap_or_default()
}

/// At the end, when everybody has gone home, these are the bottles on each rack.
fn never_other_than(expected: [u32; 3], mut house: Arc<House>) {
    let house = Arc::get_mut(&mut house).expect("all robots have been joined");
    let racks = house.racks.iter_mut();
    let found: Vec<u32> = racks.map(|rack| *rack.get_mut().unwrap()).collect();
    let rule = format!("the racks hold {found:?} bottles, and it should be {expected:?}");
    never(&rule, found != expected);
}

/// This many have moved.
fn never_told_other_than(expected: u32, told: u32) {
    never(
        &format!("`tell` says {told} bottles, and {expected} could be moved"),
        told != expected,
    );
}

/// This many have been counted.
fn never_counts_other_than(expected: u32, counted: u32) {
    never(
        &format!("the count is {counted} bottles, and there are {expected}"),
        counted != expected,
    );
}

#[test]
fn one_robot_alone() {
    let check = every_order("WineBot alone").shares_nothing();
    check.check(|| {
        let house = house([6, 0, 1]);
        let winebot = robot("WineBot", &house, |house| {
            never_told_other_than(2, moves(house, CELLAR, CABINET, 2));
            never_told_other_than(1, moves(house, CABINET, CELLAR, 1));
            never_told_other_than(1, moves(house, CABINET, BAR, 3)); // there is only one
            never_counts_other_than(5, house.count(CELLAR, CABINET));
            never_counts_other_than(7, house.count(BAR, CELLAR));
        });
        winebot.join().unwrap();
        never_other_than([5, 0, 2], house);
    });
}

#[test]
fn one_rack_named_twice() {
    let check = every_order("WineBot alone, and one rack named twice").shares_nothing();
    check.check(|| {
        let house = house([6, 3, 1]);
        let winebot = robot("WineBot", &house, |house| {
            never_counts_other_than(3, house.count(CABINET, CABINET));
            never_told_other_than(0, moves(house, CELLAR, CELLAR, 2));
        });
        winebot.join().unwrap();
        never_other_than([6, 3, 1], house);
    });
}

#[test]
fn up_and_down() {
    every_order("WineBot brings bottles up, and WaitBot down").check(|| {
        let house = house([3, 3, 1]);
        let winebot = robot("WineBot", &house, |house| moves(house, CELLAR, CABINET, 2));
        let waitbot = robot("WaitBot", &house, |house| moves(house, CABINET, CELLAR, 1));
        never_told_other_than(2, winebot.join().unwrap());
        never_told_other_than(1, waitbot.join().unwrap());
        never_other_than([2, 4, 1], house);
    });
}

#[test]
fn to_the_bar_and_back() {
    every_order("WineBot brings bottles to the bar, and WaitBot back").check(|| {
        let house = house([1, 4, 3]);
        let winebot = robot("WineBot", &house, |house| moves(house, CABINET, BAR, 2));
        let waitbot = robot("WaitBot", &house, |house| moves(house, BAR, CABINET, 3));
        never_told_other_than(2, winebot.join().unwrap());
        never_told_other_than(3, waitbot.join().unwrap());
        never_other_than([1, 5, 2], house);
    });
}

#[test]
fn three_racks_and_three_robots() {
    every_order("from each rack to the next, all at once").check(|| {
        let house = house([1, 1, 1]);
        let robots = [
            robot("WineBot", &house, |house| moves(house, CELLAR, CABINET, 1)),
            robot("WaitBot", &house, |house| moves(house, CABINET, BAR, 1)),
            robot("GreetBot", &house, |house| moves(house, BAR, CELLAR, 1)),
        ];
        for robot in robots {
            never_told_other_than(1, robot.join().unwrap());
        }
        never_other_than([1, 1, 1], house);
    });
}

#[test]
fn the_last_bottle() {
    every_order("two robots come for the last bottle").check(|| {
        let house = house([1, 0, 0]);
        let winebot = robot("WineBot", &house, |house| moves(house, CELLAR, CABINET, 1));
        let waitbot = robot("WaitBot", &house, |house| moves(house, CELLAR, BAR, 1));
        let told = [winebot.join().unwrap(), waitbot.join().unwrap()];
        let rule = format!("`tell` says {} and {} of one bottle", told[0], told[1]);
        never(&rule, told != [0, 1] && told != [1, 0]);
        never_other_than([0, told[0], told[1]], house);
    });
}

#[test]
fn somebody_counts() {
    every_order("GreetBot counts while WineBot moves bottles").check(|| {
        let house = house([6, 0, 0]);
        let winebot = robot("WineBot", &house, |house| moves(house, CELLAR, CABINET, 2));
        let greetbot = robot("GreetBot", &house, |house| {
            never_counts_other_than(6, house.count(CABINET, CELLAR));
            never_counts_other_than(6, house.count(CELLAR, CABINET));
        });
        winebot.join().unwrap();
        greetbot.join().unwrap();
        never_other_than([4, 2, 0], house);
    });
}

#[test]
fn somebody_counts_at_the_bar() {
    let check = "GreetBot counts while WineBot takes bottles to the bar, and back again";
    every_order(check).check(|| {
        let house = house([2, 4, 1]);
        let winebot = robot("WineBot", &house, |house| {
            never_told_other_than(3, moves(house, CABINET, BAR, 3));
            never_told_other_than(3, moves(house, BAR, CABINET, 3));
        });
        let greetbot = robot("GreetBot", &house, |house| {
            never_counts_other_than(5, house.count(BAR, CABINET));
        });
        winebot.join().unwrap();
        greetbot.join().unwrap();
        never_other_than([2, 4, 1], house);
    });
}

#[test]
fn tell_looks_at_the_racks() {
    let check = every_order("`tell` looks at the racks").shares_nothing();
    check.check(|| {
        let house = house([6, 0, 0]);
        let winebot = robot("WineBot", &house, |house| {
            let never_other_than = |expected: [u32; 2]| {
                let found = [CELLAR, CABINET].map(|rack| *house.racks[rack].lock().unwrap());
                let rule = format!("`tell` finds {found:?} bottles, and it should be {expected:?}");
                never(&rule, found != expected);
                never_counts_other_than(6, house.count(CABINET, CELLAR));
            };
            house.move_bottles(CELLAR, CABINET, 2, |_| never_other_than([4, 2]));
            house.move_bottles(CABINET, CELLAR, 1, |_| never_other_than([5, 1]));
            house.move_bottles(CELLAR, CELLAR, 1, |_| never_other_than([5, 1]));
        });
        winebot.join().unwrap();
    });
}

#[test]
fn tell_waits_for_another_robot() {
    every_order("`tell` waits for WaitBot to finish").check(|| {
        let house = house([6, 3, 0]);
        let waitbot = robot("WaitBot", &house, |house| moves(house, CABINET, BAR, 1));
        let winebot = robot("WineBot", &house, |house| {
            house.move_bottles(CELLAR, CABINET, 2, |_| drop(waitbot.join()));
        });
        winebot.join().unwrap();
        never_other_than([4, 4, 1], house);
    });
}

#[test]
fn more_than_one_can_carry() {
    let check = every_order("WineBot alone, and a whole delivery").shares_nothing();
    check.check(|| {
        let house = house([1_000_000, 0, 0]);
        let winebot = robot("WineBot", &house, |house| {
            never_told_other_than(1_000, moves(house, CELLAR, BAR, 1_000));
            never_told_other_than(999_000, moves(house, CELLAR, BAR, u32::MAX)); // all there are
        });
        winebot.join().unwrap();
        never_other_than([0, 0, 1_000_000], house);
    });
}

/// A name for stories. Only whatif's lock has one: this is for std's own, if you delete `std` from
/// Cargo.toml.
#[allow(dead_code)]
trait Called: Sized {
    fn called(self, _name: &str) -> Self {
        self
    }
}

impl Called for Mutex<u32> {}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
