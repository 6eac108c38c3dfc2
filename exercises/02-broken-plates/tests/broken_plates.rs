//! What ChefBots and WaitBots owe each other at the hatch. The tests run the robots in every order
//! of steps.

use std::panic::resume_unwind;
use std::time::Duration;

use exercise_02::{Hatch, Sight};
use whatif::sync::Arc;
use whatif::{Checker, Ending, Outcome, never, thread};

/// More schedules are not tried. Where each robot needs one section, 20 cover all orders of steps
/// of two robots, and 144 those of three. With more sections it takes hundreds, and thousands, even
/// if all is right; those with the fewest preemptions come first.
const MOST_ORDERS: usize = 1_000;

/// Where robots nap for real, not even so many are tried: the verdict does not depend on it, but
/// somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(3);

fn every_order(of: &str) -> Checker {
    let check = Checker::new(of).max_runs(MOST_ORDERS);
    check.time_limit(PATIENCE)
}

/// Starts a robot that does `job` at the hatch.
fn robot<T: Send + 'static>(
    name: &str,
    hatch: &Arc<Hatch>,
    job: impl FnOnce(&Hatch) -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let hatch = Arc::clone(hatch);
    thread::Builder::new()
        .name(name.into())
        .spawn(move || job(&hatch))
        .expect("a thread for each robot")
}

fn look(hatch: &Hatch) -> Sight {
    hatch.place.lock().unwrap().look()
}

#[test]
fn alone_put_and_take() {
    every_order("one robot alone").shares_nothing().check(|| {
        let hatch = Hatch::empty();
        for dish in ["soup", "pasta"] {
            hatch.put(dish);
            let sight = look(&hatch);
            never(
                "ChefBot has put a plate on the hatch, and none is there",
                sight == Sight::Room,
            );
            never(
                "ChefBot has gone, and its hand is still on the plate",
                sight == Sight::Held,
            );
            never(
                "WaitBot brings another dish than ChefBot has cooked",
                hatch.take() != dish,
            );
            never(
                "WaitBot has the plate, and the hatch is not empty",
                look(&hatch) != Sight::Room,
            );
        }
    });
}

/// Here nobody comes to ring. So the only right end is that the robot sleeps, for ever: it has
/// gone to bed instead of looking again and again.
fn sleeps(of: &str, name: &'static str, before: fn(&Hatch), job: fn(&Hatch)) {
    let alone = move || {
        let hatch = Arc::new(Hatch::empty());
        robot("ChefBot-0", &hatch, before).join().unwrap();
        robot(name, &hatch, job).join().unwrap();
    };
    let report = Checker::new(of)
        .max_steps(200)
        .shares_nothing()
        .explore(alone);
    let complaint = match report.outcome {
        Outcome::Failed(story) => match story.ending {
            Ending::LostWakeUp | Ending::Deadlock => return,
            Ending::NobodyGetsAnywhere => format!(
                "{story}\n   {of}, and {name} looks again and again. Looking in a loop is polling:\n   \
                 it keeps a core busy. Let it sleep at the bell until somebody rings."
            ),
            _ => story.to_string(),
        },
        _ => format!("{of}, and {name} does not wait"),
    };
    eprintln!("\n{complaint}\n");
    resume_unwind(Box::new(complaint)); // without a word, as it has been said
}

fn nothing(_: &Hatch) {}

/// Sets a plate down, and never takes the hand away.
fn hold_a_plate(hatch: &Hatch) {
    hatch.place.lock().unwrap().set_down("salad");
}

#[test]
fn alone_at_an_empty_hatch() {
    let take = |hatch: &Hatch| drop(hatch.take());
    sleeps("the hatch is empty", "WaitBot", nothing, take);
}

#[test]
fn alone_at_a_full_hatch() {
    let put_two = |hatch: &Hatch| {
        hatch.put("soup");
        hatch.put("pasta");
    };
    sleeps("a plate stands on the hatch", "ChefBot", nothing, put_two);
}

#[test]
fn a_hand_on_the_plate() {
    let take = |hatch: &Hatch| drop(hatch.take());
    sleeps("somebody holds the plate", "WaitBot", hold_a_plate, take);
}

#[test]
fn no_room_beside_the_hand() {
    let put = |hatch: &Hatch| hatch.put("soup");
    sleeps("somebody holds the plate", "ChefBot", hold_a_plate, put);
}

#[test]
fn one_plate() {
    every_order("one plate").check(|| {
        let hatch = Arc::new(Hatch::empty());
        let chefbot = robot("ChefBot", &hatch, |hatch| hatch.put("soup"));
        let waitbot = robot("WaitBot", &hatch, Hatch::take);
        let dish = waitbot.join().unwrap();
        chefbot.join().unwrap();
        never(
            "WaitBot brings another dish than ChefBot has cooked",
            dish != "soup",
        );
    });
}

#[test]
fn plates_in_a_row() {
    every_order("two plates, one after the other").check(|| {
        let hatch = Arc::new(Hatch::empty());
        let chefbot = robot("ChefBot", &hatch, |hatch| {
            hatch.put("soup");
            hatch.put("pasta");
        });
        let waitbot = robot("WaitBot", &hatch, |hatch| [hatch.take(), hatch.take()]);
        let dishes = waitbot.join().unwrap();
        chefbot.join().unwrap();
        never(
            "the dishes are not those that ChefBot has cooked, in that order",
            dishes != ["soup", "pasta"],
        );
    });
}

#[test]
fn two_waiters() {
    every_order("two plates, and two who fetch them").check(|| {
        let hatch = Arc::new(Hatch::empty());
        let waitbots = ["WaitBot-1", "WaitBot-2"].map(|name| robot(name, &hatch, Hatch::take));
        let chefbot = robot("ChefBot", &hatch, |hatch| {
            hatch.put("soup");
            hatch.put("pasta");
        });
        let mut dishes = waitbots.map(|waitbot| waitbot.join().unwrap());
        chefbot.join().unwrap();
        dishes.sort();
        never(
            "a dish is lost, or brought twice",
            dishes != ["pasta", "soup"],
        );
    });
}

#[test]
fn two_chefs() {
    every_order("two who cook, and one who fetches").check(|| {
        let hatch = Arc::new(Hatch::empty());
        let soup = robot("ChefBot-1", &hatch, |hatch| hatch.put("soup"));
        let pasta = robot("ChefBot-2", &hatch, |hatch| hatch.put("pasta"));
        let waitbot = robot("WaitBot", &hatch, |hatch| [hatch.take(), hatch.take()]);
        let mut dishes = waitbot.join().unwrap();
        soup.join().unwrap();
        pasta.join().unwrap();
        dishes.sort();
        never(
            "a dish is lost, or brought twice",
            dishes != ["pasta", "soup"],
        );
    });
}

#[test]
fn two_hatches() {
    every_order("two hatches").shares_nothing().check(|| {
        let (left, right) = (Hatch::empty(), Hatch::empty());
        left.put("soup");
        never(
            "a plate stands on the left hatch, and the right one is not empty",
            look(&right) != Sight::Room,
        );
        right.put("pasta");
        never(
            "WaitBot brings another dish than stands on its hatch",
            left.take() != "soup" || right.take() != "pasta",
        );
    });
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
