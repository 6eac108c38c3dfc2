//! What robots owe each other that have no lock. The tests run them in every order of steps.

use exercise_04::{FULL, NOBODY, ON_THE_PASS, Order, TipJar};
use whatif::sync::Arc;
use whatif::{Checker, never, say, thread};

/// More orders of steps are not tried. Two robots that claim have a handful, with a retry a few hundred.
const MOST_ORDERS: usize = 5_000;

/// Nobody here needs more steps than this in one evening, unless it goes round in a loop.
const MOST_STEPS: u64 = 100;

/// A check that takes nothing but a proof.
fn every_order(of: &str) -> Checker {
    let check = Checker::new(of).max_runs(MOST_ORDERS).to_the_end();
    check.max_steps(MOST_STEPS)
}

/// Starts a robot that does `job` with what it shares with the others.
fn robot<S: Send + Sync + 'static, T: Send + 'static>(
    name: &str,
    shared: &Arc<S>,
    job: impl FnOnce(&S) -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let shared = Arc::clone(shared);
    thread::Builder::new()
        .name(name.into())
        .spawn(move || job(&shared))
        .expect("a thread for each robot")
}

/// WaitBot-1 and WaitBot-2 do the same job, each under its own number.
fn two_waitbots<S: Send + Sync + 'static, T: Send + 'static>(
    shared: &Arc<S>,
    job: fn(&S, u32) -> T,
) -> [T; 2] {
    let waitbot = |me| {
        robot(&format!("WaitBot-{me}"), shared, move |shared| {
            job(shared, me)
        })
    };
    [1, 2].map(waitbot).map(|waitbot| waitbot.join().unwrap())
}

#[test]
fn one_after_the_other() {
    every_order("one after the other")
        .shares_nothing()
        .check(|| {
            let order = Order::wanted();
            never("WaitBot-1 gives back what it never had", order.give_back(1));
            never(
                "ChefBot takes a slip that nobody has written",
                order.take(11).is_some(),
            );

            never(
                "WaitBot-1 is refused an order that nobody has",
                order.claim(1).is_err(),
            );
            never("two WaitBots have the same order", order.claim(2).is_ok());
            never(
                "WaitBot-1 has the order, and the card says another number",
                order.claim(2) != Err(1),
            );
            never(
                "WaitBot-1 has the order, and takes it a second time",
                order.claim(1) != Err(1),
            );
            never(
                "WaitBot-2 gives back what WaitBot-1 has",
                order.give_back(2),
            );
            never(
                "ChefBot takes a slip that is not on the pass",
                order.take(11).is_some(),
            );
            never(
                "WaitBot-1 has lost the order to a robot that was refused it",
                order.claim(2) != Err(1),
            );

            never(
                "WaitBot-1 cannot give back the order that it has",
                !order.give_back(1),
            );
            never(
                "WaitBot-1 gives the order back a second time",
                order.give_back(1),
            );
            never(
                "WaitBot-2 is refused an order that was given back",
                order.claim(2).is_err(),
            );

            order.send("soup");
            never(
                "WaitBot-2 gives back an order that it has sent",
                order.give_back(2),
            );
            never(
                "a WaitBot takes an order that is on the pass",
                order.claim(1) != Err(ON_THE_PASS),
            );
            let dish = order.take(11);
            never(
                "the soup is on the pass, and ChefBot-11 does not get it",
                dish.as_deref() != Some("soup"),
            );
            never(
                "the kitchen cooks one order twice",
                order.take(12).is_some(),
            );
            never(
                "ChefBot-11 has the order, and the card says another number",
                order.claim(1) != Err(11),
            );
        });
}

#[test]
fn two_waitbots_claim() {
    every_order("two WaitBots come to table 2").check(|| {
        let order = Arc::new(Order::wanted());
        let [one, two] = two_waitbots(&order, Order::claim);
        never(
            "two WaitBots have the same order",
            one.is_ok() && two.is_ok(),
        );
        never(
            "both are refused, and nobody takes the order",
            one.is_err() && two.is_err(),
        );
        let (has_it, other) = if one.is_ok() { (1, two) } else { (2, one) };
        never(
            "one is refused, and told a number that has not got the order",
            other != Err(has_it),
        );
        never(
            "one has the order, and the card says another number",
            order.claim(3) != Err(has_it),
        );
    });
}

#[test]
fn a_claim_is_given_back() {
    every_order("the guests want another minute").check(|| {
        let order = Arc::new(Order::wanted());
        two_waitbots(&order, |order, me| match order.claim(me) {
            Ok(()) => {
                order
                    .slip
                    .write(|slip| *slip = Some(format!("ask again, says WaitBot-{me}")));
                never(
                    "WaitBot cannot give back the order that it has",
                    !order.give_back(me),
                );
            }
            Err(who) => never(
                "WaitBot is refused, and told that nobody has the order",
                who == NOBODY,
            ),
        });
        never(
            "the order was given back, and nobody can claim it",
            order.claim(3).is_err(),
        );
        order.send("soup");
        never(
            "somebody had written on the slip before, and the kitchen does not read what was sent",
            order.take(11).as_deref() != Some("soup"),
        );
    });
}

#[test]
fn a_slip_goes_to_the_kitchen() {
    every_order("a slip goes to the kitchen").check(|| {
        let order = Arc::new(Order::wanted());
        let waitbot = robot("WaitBot-1", &order, |order| {
            never(
                "WaitBot-1 is refused an order that nobody has",
                order.claim(1).is_err(),
            );
            order.send("soup");
        });
        let chefbot = robot("ChefBot-11", &order, |order| order.take(11));
        waitbot.join().unwrap();
        let (now, later) = (chefbot.join().unwrap(), order.take(12));
        never(
            "the kitchen cooks one order twice",
            now.is_some() && later.is_some(),
        );
        never(
            "the kitchen does not cook the soup",
            now.or(later).as_deref() != Some("soup"),
        );
    });
}

#[test]
fn two_chefbots_take() {
    every_order("two ChefBots come to the pass").check(|| {
        let order = Arc::new(Order::wanted());
        never(
            "WaitBot-1 is refused an order that nobody has",
            order.claim(1).is_err(),
        );
        order.send("pie");
        let chefbot = |me| {
            robot(&format!("ChefBot-{me}"), &order, move |order| {
                order.take(me)
            })
        };
        let [one, two] = [11, 12].map(chefbot).map(|chefbot| chefbot.join().unwrap());
        never(
            "the kitchen cooks one order twice",
            one.is_some() && two.is_some(),
        );
        never(
            "the pie is on the pass, and nobody cooks it",
            one.is_none() && two.is_none(),
        );
    });
}

#[test]
fn from_the_table_to_the_kitchen() {
    every_order("two WaitBots and a ChefBot").check(|| {
        let order = Arc::new(Order::wanted());
        let chefbot = robot("ChefBot-11", &order, |order| order.take(11));
        let sent = two_waitbots(&order, |order, me| {
            let dish = ["the soup", "the fish"][me as usize - 1]; // what each of them understands
            let claimed = order.claim(me).is_ok();
            claimed.then(|| order.send(dish)).map(|()| dish)
        });
        let cooked = [chefbot.join().unwrap(), order.take(12)]; // another one comes later
        let sent: Vec<&str> = sent.into_iter().flatten().collect();
        let cooked: Vec<String> = cooked.into_iter().flatten().collect();
        never("the order of table 2 is sent twice", sent.len() == 2);
        never("nobody sends the order of table 2", sent.is_empty());
        never("the kitchen cooks one order twice", cooked.len() == 2);
        never(
            "the order was sent, and the kitchen does not cook it",
            cooked.is_empty(),
        );
        never("the kitchen cooks what nobody has sent", cooked != sent);
    });
}

#[test]
fn coins_one_after_the_other() {
    every_order("coins, one after the other")
        .shares_nothing()
        .check(|| {
            let jar = TipJar::new(0);
            never("3 coins do not fit into an empty jar", !jar.put(3));
            never(
                "there are 3 coins in the jar, and another count",
                jar.count() != 3,
            );
            never(
                "7 coins do not fit, and there is room for 7",
                !jar.put(FULL - 3),
            );
            never("a coin fits into a full jar", jar.put(1));
            never(
                "a jar is full, and then a coin does not fit, and it is not full",
                jar.count() != FULL,
            );

            let jar = TipJar::new(0);
            never(
                "an empty jar has no room for as many coins as fit into it",
                !jar.put(FULL),
            );
            never("coins fit into a full jar", jar.put(FULL));
            never("the jar is full, and another count", jar.count() != FULL);

            let jar = TipJar::new(FULL - 1);
            never("2 coins fit where there is room for one", jar.put(2));
            say("somebody wants to put in as many coins as a u32 can count");
            never("more coins fit than there is room for", jar.put(u32::MAX));
            never(
                "coins that do not fit are in the jar",
                jar.count() != FULL - 1,
            );
            never(
                "a coin does not fit, and there is room for one",
                !jar.put(1),
            );
        });
}

#[test]
fn two_tips() {
    every_order("two tips").check(|| {
        let jar = Arc::new(TipJar::new(0));
        let fit = two_waitbots(&jar, |jar, me| jar.put(me + 2));
        never(
            "coins do not fit, and there is room for all",
            fit != [true; 2],
        );
        never("a tip is lost", jar.count() < 7);
        never(
            "there are more coins in the jar than anybody put in",
            jar.count() > 7,
        );
    });
}

#[test]
fn room_for_one_of_them() {
    every_order("room for 4, tips of 3 and 4").check(|| {
        let jar = Arc::new(TipJar::new(FULL - 4));
        let fit = two_waitbots(&jar, |jar, me| jar.put(me + 2));
        never("more coins fit than there is room for", fit == [true; 2]);
        never(
            "neither tip fits, and there is room for either",
            fit == [false; 2],
        );
        let coins = if fit[0] { FULL - 1 } else { FULL };
        never(
            "the count is not what the robots were told",
            jar.count() != coins,
        );
    });
}

#[test]
fn room_for_the_small_one() {
    every_order("room for 3, tips of 3 and 4").check(|| {
        let jar = Arc::new(TipJar::new(FULL - 3));
        let [three, four] = two_waitbots(&jar, |jar, me| jar.put(me + 2));
        never("4 coins fit where there is room for 3", four);
        never(
            "3 coins are turned away, and there is room for them",
            !three,
        );
        never("the jar is not full", jar.count() != FULL);
    });
}

#[test]
fn coins_one_by_one() {
    every_order("five coins one by one, and one more").check(|| {
        let jar = Arc::new(TipJar::new(0));
        let fit = two_waitbots(&jar, |jar, me| match me {
            1 => jar.put(1),
            _ => (0..5).all(|_| jar.put(1)),
        });
        never(
            "a coin is turned away because others were faster, and there is room for it",
            fit != [true; 2],
        );
        never("the count is not 6", jar.count() != 6);
    });
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
