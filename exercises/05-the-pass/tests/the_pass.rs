//! What the pass owes to those who put plates on it, and to those who take them. The tests run the
//! robots in every order of steps.

use std::panic::resume_unwind;
use std::time::Duration;

use exercise_05::{Pass, Plate, end_of_shift};
use whatif::sync::Arc;
use whatif::thread::{Builder, JoinHandle};
use whatif::{Checker, Ending, Outcome, never};

/// More orders of steps are not tried. Where each robot needs one section, they cover all of them.
/// With more sections there may be too many even if all is right; those with the fewest
/// preemptions come first.
const MOST_ORDERS: usize = 1_000;

/// Where robots nap for real, not even so many are tried: the verdict does not depend on it, but
/// somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(3);

fn every_order(of: &str) -> Checker {
    let check = Checker::new(of).max_runs(MOST_ORDERS);
    check.time_limit(PATIENCE)
}

/// Starts a robot that does `job` at the pass.
fn robot<T: Send + 'static>(
    name: &str,
    pass: &Arc<Pass>,
    job: impl FnOnce(&Pass) -> T + Send + 'static,
) -> JoinHandle<T> {
    let pass = Arc::clone(pass);
    Builder::new()
        .name(name.into())
        .spawn(move || job(&pass))
        .expect("a thread for each robot")
}

/// A ChefBot that puts these parties' plates on the pass, which stays open meanwhile.
fn chefbot(name: &str, pass: &Arc<Pass>, parties: &'static [&'static str]) -> JoinHandle<()> {
    robot(name, pass, move |pass| {
        for party in parties {
            let back = pass.put(Plate(party)).is_err();
            never(
                "`put` says that the pass is closed, and ChefBot still has plates",
                back,
            );
        }
    })
}

/// A WaitBot that carries so many plates from the pass, which stays open meanwhile.
fn carries(name: &str, pass: &Arc<Pass>, plates: usize) -> JoinHandle<Vec<Plate>> {
    robot(name, pass, move |pass| {
        let next = |_| {
            let plate = pass.take();
            never(
                "`take` says that nothing comes any more, and the pass is open",
                plate.is_none(),
            );
            plate.unwrap()
        };
        (0..plates).map(next).collect()
    })
}

/// A WaitBot that carries plates until there is nothing to take.
fn waitbot(name: &str, pass: &Arc<Pass>) -> JoinHandle<Vec<Plate>> {
    robot(name, pass, |pass| {
        std::iter::from_fn(|| pass.take()).collect()
    })
}

/// Every plate once, and nothing else.
fn all_there(carried: &[Plate], parties: &[&str]) {
    for party in parties {
        let times = carried.iter().filter(|plate| plate.0 == *party).count();
        never("a plate is lost on the way", times == 0);
        never("a plate is carried twice", times > 1);
    }
    never(
        "there are more plates than ChefBot has cooked",
        carried.len() > parties.len(),
    );
}

/// What one ChefBot has put down earlier is taken earlier, as far as one WaitBot can tell.
fn in_order(carried: &[Plate], parties: &[&str]) {
    let place = |plate: &Plate| parties.iter().position(|party| *party == plate.0);
    let places: Vec<usize> = carried.iter().filter_map(place).collect();
    never(
        "a plate overtakes another one on the pass",
        !places.is_sorted(),
    );
}

#[test]
fn one_robot_alone() {
    every_order("one robot alone").shares_nothing().check(|| {
        let parties = ["Chen", "Okafor", "Rossi"];
        for room in 1..=3 {
            let pass = Pass::new(room);
            for _ in 0..2 {
                for party in &parties[..room] {
                    let back = pass.put(Plate(party)).is_err();
                    never(
                        "`put` says that the pass is closed, and ChefBot still has plates",
                        back,
                    );
                }
                let carried: Vec<_> = (0..room).filter_map(|_| pass.take()).collect();
                all_there(&carried, &parties[..room]);
                in_order(&carried, &parties);
            }
        }

        let (pass, other) = (Pass::new(2), Pass::new(1));
        let _ = pass.put(Plate("Chen"));
        pass.close();
        never(
            "one pass is closed, and so is another one",
            other.put(Plate("Rossi")).is_err() || other.take() != Some(Plate("Rossi")),
        );
        let back = pass.put(Plate("Okafor"));
        never("a plate is put on a pass that is closed", back.is_ok());
        never(
            "another plate comes back than was put",
            back != Err(Plate("Okafor")),
        );
        never(
            "a plate on the pass is thrown away when it closes",
            pass.take() != Some(Plate("Chen")),
        );
        never("a plate comes out of nowhere", pass.take().is_some());
        pass.close();
        never("a plate comes out of nowhere", pass.take().is_some());
    });
}

/// Here nobody comes to ring. So the only right end is that whoever waits sleeps, for ever: they have
/// gone to bed instead of looking again and again.
fn sleeps(of: &str, evening: fn()) {
    let check = Checker::new(of).max_steps(200).shares_nothing();
    let complaint = match check.explore(evening).outcome {
        Outcome::Failed(story) => match story.ending {
            Ending::LostWakeUp | Ending::Deadlock => return,
            Ending::NobodyGetsAnywhere => format!(
                "{story}\n   {of}, and somebody looks again and again. Looking in a loop is polling:\n   \
                 it keeps a core busy. Sleep, until somebody rings or goes home."
            ),
            _ => story.to_string(),
        },
        _ => format!("{of}, and nobody waits"),
    };
    eprintln!("\n{complaint}\n");
    resume_unwind(Box::new(complaint)); // without a word, as it has been said
}

#[test]
fn alone_at_an_empty_pass() {
    sleeps("the pass is empty", || {
        let pass = Arc::new(Pass::new(1));
        carries("WaitBot", &pass, 1).join().unwrap();
    });
}

#[test]
fn alone_at_a_full_pass() {
    sleeps("the pass is full", || {
        let pass = Arc::new(Pass::new(1));
        let plates = &["Chen", "Okafor"];
        chefbot("ChefBot", &pass, plates).join().unwrap();
    });
}

/// Who takes one plate makes room for one.
#[test]
fn alone_at_a_pass_that_is_full_again() {
    sleeps(
        "one plate was taken from a full pass, and one has come for it",
        || {
            let pass = a_full_pass();
            carries("WaitBot", &pass, 1).join().unwrap();
            let plates = &["Rossi", "Nowak"];
            chefbot("ChefBot", &pass, plates).join().unwrap();
        },
    );
}

#[test]
fn a_shift_without_an_end() {
    sleeps("ChefBot cannot go home", || {
        let pass = Arc::new(Pass::new(1));
        let chefbot = chefbot("ChefBot", &pass, &["Chen", "Okafor"]);
        end_of_shift(&pass, vec![chefbot], vec![]); // and nobody takes its plates
    });
}

fn one_and_one(room: usize) {
    let parties: &[&str] = &["Chen", "Okafor", "Rossi"];
    let pass = Arc::new(Pass::new(room));
    let chefbot = chefbot("ChefBot", &pass, parties);
    let waitbot = carries("WaitBot", &pass, 3);
    chefbot.join().unwrap();
    let carried = waitbot.join().unwrap();
    all_there(&carried, parties);
    in_order(&carried, parties);
}

#[test]
fn room_for_one() {
    every_order("room for one plate").check(|| one_and_one(1));
}

#[test]
fn room_for_two() {
    every_order("room for two plates").check(|| one_and_one(2));
}

/// A pass with room for two, and two plates on it.
fn a_full_pass() -> Arc<Pass> {
    let pass = Arc::new(Pass::new(2));
    for party in ["Chen", "Okafor"] {
        let _ = pass.put(Plate(party));
    }
    pass
}

#[test]
fn one_plate_makes_room_for_one() {
    every_order("a full pass, and WaitBot takes one plate").check(|| {
        let pass = a_full_pass();
        let chefbot = chefbot("ChefBot", &pass, &["Rossi"]);
        let carried = carries("WaitBot", &pass, 1).join().unwrap();
        chefbot.join().unwrap();
        all_there(&carried, &["Chen"]);
    });
}

#[test]
fn two_plates_make_room_for_two() {
    every_order("a full pass, and WaitBot takes two plates").check(|| {
        let pass = a_full_pass();
        let one = chefbot("ChefBot-1", &pass, &["Rossi"]);
        let two = chefbot("ChefBot-2", &pass, &["Nowak"]);
        let carried = carries("WaitBot", &pass, 2).join().unwrap();
        one.join().unwrap();
        two.join().unwrap();
        all_there(&carried, &["Chen", "Okafor"]);
    });
}

#[test]
fn two_chefbots() {
    every_order("two ChefBots, one WaitBot").check(|| {
        let pass = Arc::new(Pass::new(1));
        let one = chefbot("ChefBot-1", &pass, &["Chen", "Okafor"]);
        let two = chefbot("ChefBot-2", &pass, &["Rossi"]);
        let carried = carries("WaitBot", &pass, 3).join().unwrap();
        one.join().unwrap();
        two.join().unwrap();
        all_there(&carried, &["Chen", "Okafor", "Rossi"]);
        in_order(&carried, &["Chen", "Okafor"]);
    });
}

#[test]
fn two_waitbots() {
    every_order("one ChefBot, two WaitBots").check(|| {
        let pass = Arc::new(Pass::new(2));
        let one = carries("WaitBot-1", &pass, 1);
        let two = carries("WaitBot-2", &pass, 1);
        chefbot("ChefBot", &pass, &["Chen", "Okafor"])
            .join()
            .unwrap();
        let mut carried = one.join().unwrap();
        carried.extend(two.join().unwrap());
        all_there(&carried, &["Chen", "Okafor"]);
    });
}

#[test]
fn two_of_each() {
    every_order("two ChefBots, two WaitBots").check(|| {
        let pass = Arc::new(Pass::new(1));
        let chefbots = [
            chefbot("ChefBot-1", &pass, &["Chen"]),
            chefbot("ChefBot-2", &pass, &["Okafor"]),
        ];
        let waitbots = [1, 2].map(|n| carries(&format!("WaitBot-{n}"), &pass, 1));
        chefbots.into_iter().for_each(|robot| robot.join().unwrap());
        let carried = waitbots.map(|robot| robot.join().unwrap());
        all_there(
            &carried.into_iter().flatten().collect::<Vec<_>>(),
            &["Chen", "Okafor"],
        );
    });
}

#[test]
fn closing_with_plates_on_it() {
    every_order("closing, with plates on the pass").check(|| {
        let pass = Arc::new(Pass::new(2));
        let waitbot = waitbot("WaitBot", &pass);
        let chefbot = robot("ChefBot", &pass, |pass| {
            let back = [pass.put(Plate("Chen")), pass.put(Plate("Okafor"))];
            pass.close();
            back
        });
        let back = chefbot.join().unwrap();
        never(
            "`put` says that the pass is closed, and ChefBot still has plates",
            back.iter().any(Result::is_err),
        );
        all_there(&waitbot.join().unwrap(), &["Chen", "Okafor"]);
    });
}

#[test]
fn closing_wakes_who_waits_for_plates() {
    every_order("closing, while two WaitBots wait").check(|| {
        let pass = Arc::new(Pass::new(1));
        let waitbots = [1, 2].map(|n| waitbot(&format!("WaitBot-{n}"), &pass));
        pass.close();
        for waitbot in waitbots {
            never(
                "a plate comes out of nowhere",
                !waitbot.join().unwrap().is_empty(),
            );
        }
    });
}

#[test]
fn closing_wakes_who_waits_for_room() {
    every_order("closing, while two ChefBots wait").check(|| {
        let pass = Arc::new(Pass::new(1));
        let put = |name: &str, party| robot(name, &pass, move |pass| pass.put(Plate(party)));
        let chefbots = [put("ChefBot-1", "Chen"), put("ChefBot-2", "Okafor")];
        pass.close();
        let back = chefbots.map(|robot| robot.join().unwrap());
        never(
            "two plates are put on a pass with room for one",
            back.iter().all(Result::is_ok),
        );
        let on_it: Vec<_> = std::iter::from_fn(|| pass.take()).collect();
        let back = back
            .into_iter()
            .filter_map(Result::err)
            .chain(on_it)
            .collect::<Vec<_>>();
        all_there(&back, &["Chen", "Okafor"]);
    });
}

#[test]
fn closing_while_a_plate_comes() {
    every_order("closing, while a plate comes").check(|| {
        let pass = Arc::new(Pass::new(1));
        let chefbot = robot("ChefBot", &pass, |pass| pass.put(Plate("Chen")));
        pass.close();
        let mut there: Vec<_> = std::iter::from_fn(|| pass.take()).collect();
        // Whoever takes until there is nothing to take has gone home now.
        there.extend(chefbot.join().unwrap().err());
        never(
            "a plate is put on a pass that is closed, when all have gone home",
            there.is_empty(),
        );
        all_there(&there, &["Chen"]);
    });
}

#[test]
fn the_end_of_a_shift() {
    every_order("the end of a shift: two ChefBots, one WaitBot").check(|| {
        let pass = Arc::new(Pass::new(1));
        let chefbots = vec![
            chefbot("ChefBot-1", &pass, &["Chen"]),
            chefbot("ChefBot-2", &pass, &["Okafor"]),
        ];
        let waitbots = vec![waitbot("WaitBot", &pass)];
        all_there(
            &end_of_shift(&pass, chefbots, waitbots),
            &["Chen", "Okafor"],
        );
    });
}

#[test]
fn the_end_of_a_shift_with_three_of_each() {
    every_order("the end of a shift: three ChefBots, three WaitBots").check(|| {
        let pass = Arc::new(Pass::new(3));
        let parties = ["Chen", "Okafor", "Rossi"];
        let chefbots = vec![
            chefbot("ChefBot-1", &pass, &["Chen"]),
            chefbot("ChefBot-2", &pass, &["Okafor"]),
            chefbot("ChefBot-3", &pass, &["Rossi"]),
        ];
        let waitbots = [1, 2, 3].map(|n| waitbot(&format!("WaitBot-{n}"), &pass));
        all_there(&end_of_shift(&pass, chefbots, waitbots.into()), &parties);
    });
}

#[test]
fn the_end_of_a_shift_with_two_waitbots() {
    every_order("the end of a shift: a plate on the pass, and two WaitBots").check(|| {
        let pass = Arc::new(Pass::new(1));
        let _ = pass.put(Plate("Chen"));
        let waitbots = [1, 2].map(|n| waitbot(&format!("WaitBot-{n}"), &pass));
        all_there(&end_of_shift(&pass, vec![], waitbots.into()), &["Chen"]);
    });
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
