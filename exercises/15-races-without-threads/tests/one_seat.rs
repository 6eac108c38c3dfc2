//! What LoopBot owes the parties that call. The tests try every order in which it could take up the
//! tasks that are ready.

use std::cell::RefCell;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::Duration;

use exercise_15::{Bank, Seat};
use flight::VirtualTime;
use loopbot::{Clock, JoinError, JoinHandle, LoopBot};
use whatif::{Checker, choose, never, say, thread};

/// More orders are not tried. Two calls have a handful, three have some dozens.
const MOST_ORDERS: usize = 2_000;

/// A call: who, after how many seconds of the evening, what the bank thinks of the card, and how many
/// seconds it needs for that.
#[derive(Clone, Copy)]
struct Call {
    party: &'static str,
    at: u64,
    card_is_good: bool,
    bank: u64,
}

const fn call(party: &'static str, at: u64, card_is_good: bool) -> Call {
    Call {
        party,
        at,
        card_is_good,
        bank: BANK,
    }
}

/// Mostly the bank needs so many seconds.
const BANK: u64 = 20;

/// Plays the calls in every order that LoopBot's run queue can have. `and_then` looks at the end.
fn every_order<const N: usize>(of: &str, calls: [Call; N], and_then: fn([bool; N])) {
    play(of, async move || and_then(evening(calls).await));
}

/// Plays a scene in every order.
fn play(of: &str, scene: impl AsyncFn() + Copy + Send + Sync + 'static) {
    let check = Checker::new(of).max_runs(MOST_ORDERS).to_the_end();
    // A robot of its own, so that the story has its name.
    check.shares_nothing().check(move || {
        let robot = thread::Builder::new().name("LoopBot".into());
        let evening = move || loopbot().run(scene());
        robot.spawn(evening).unwrap().join().unwrap();
    });
}

/// LoopBot on a virtual clock. Which of the tasks that are ready comes next, the checker decides.
fn loopbot() -> LoopBot {
    let next = |ready: &[loopbot::ReadyTask]| {
        let names: Vec<&str> = ready.iter().map(|task| &*task.name).collect();
        choose(&names)
    };
    LoopBot::builder()
        .clock(Clock::virtual_time(VirtualTime::new()))
        .pick_next(next)
        .build()
}

/// The evening: a task for each call. Returns what each party was told.
async fn evening<const N: usize>(calls: [Call; N]) -> [bool; N] {
    let seat = Rc::new(Seat::new());
    let bank = Rc::new(BankOfTheEvening::default());
    let tasks = calls.map(|call| {
        let (seat, bank) = (Rc::clone(&seat), Rc::clone(&bank));
        bank.calls.borrow_mut().push(call);
        let name = format!("the {} call", call.party);
        loopbot::spawn_named(&name, async move {
            loopbot::sleep_until(Duration::from_secs(call.at)).await;
            let has_it = seat.book(call.party, &*bank).await;
            let told = if has_it {
                "it has the seat"
            } else {
                "the seat is gone"
            };
            say(format!("tells the {} party that {told}", call.party));
            (call.party, has_it)
        })
    });
    let mut told = Vec::new();
    for task in tasks {
        told.push(answer(task).await);
    }
    settle_up(&told, &seat, &bank);
    std::array::from_fn(|n| told[n].1)
}

/// What a task returns. If it panics, so does this.
async fn answer<T>(task: JoinHandle<T>) -> T {
    match task.await.map_err(JoinError::into_panic) {
        Ok(answer) => answer,
        Err(Some(panic)) => resume_unwind(panic),
        Err(None) => unreachable!("nobody cancels a call"),
    }
}

/// What holds at the end of every evening.
fn settle_up(told: &[(&str, bool)], seat: &Seat, bank: &BankOfTheEvening) {
    let promised: Vec<&str> = told
        .iter()
        .filter(|(_, has)| *has)
        .map(|(who, _)| *who)
        .collect();
    let guest = seat.guest.borrow().clone();
    never(
        "two parties have been told that they have the one seat",
        promised.len() > 1,
    );
    let paid = bank.paid.borrow();
    for (party, has_it) in told {
        let has_paid = paid.iter().filter(|who| who == party).count();
        let rule = format!("the {party} party has paid, and has no seat");
        never(&rule, has_paid > 0 && !has_it);
        let rule = format!("the {party} party has the seat, and has not paid");
        never(&rule, has_paid == 0 && *has_it);
        let rule = format!("the {party} party has paid twice");
        never(&rule, has_paid > 1);
    }
    let told = promised.first().copied();
    never(
        "what a party was told is not what is written down",
        told != guest.as_deref(),
    );
}

/// Takes money from good cards, and knows from whom.
#[derive(Default)]
struct BankOfTheEvening {
    calls: RefCell<Vec<Call>>,
    paid: RefCell<Vec<String>>,
}

impl BankOfTheEvening {
    fn call_of(&self, party: &str) -> Call {
        let calls = self.calls.borrow();
        let call = calls.iter().find(|call| call.party == party);
        *call.unwrap_or_else(|| panic!("the bank does not know the {party} party"))
    }
}

impl Bank for BankOfTheEvening {
    async fn charge(&self, party: &str) -> bool {
        say(format!("asks the bank about the {party} party's card"));
        let call = self.call_of(party);
        loopbot::sleep(Duration::from_secs(call.bank)).await;
        if call.card_is_good {
            say(format!("hears that the {party} party has paid"));
            self.paid.borrow_mut().push(party.to_owned());
        } else {
            say(format!("hears that the {party} party's card is no good"));
        }
        call.card_is_good
    }
}

#[test]
fn one_call_after_the_other() {
    let calls = [call("Chen", 0, true), call("Okafor", 3_600, true)];
    every_order(
        "one call, and an hour later another",
        calls,
        |[chen, okafor]| {
            never("the Chen party is turned away from a free seat", !chen);
            never(
                "the Okafor party is told that it has the Chens' seat",
                okafor,
            );
        },
    );
}

#[test]
fn a_card_that_is_no_good() {
    let calls = [call("Chen", 0, false), call("Okafor", 3_600, true)];
    every_order(
        "a bad card, and an hour later a good one",
        calls,
        |[chen, okafor]| {
            never("the Chen party has the seat, and its card is no good", chen);
            never(
                "the Okafor party is turned away from a seat that nobody has",
                !okafor,
            );
        },
    );
}

#[test]
fn two_calls_at_once() {
    let calls = [call("Chen", 0, true), call("Okafor", 0, true)];
    every_order("two calls at once", calls, |[chen, okafor]| {
        never(
            "both parties are turned away, and nobody has the seat",
            !chen && !okafor,
        );
    });
}

#[test]
fn the_bank_takes_two_minutes() {
    // Whoever naps, and hopes that the bank has answered meanwhile, is wrong at the latest here.
    let slow = |party| Call {
        bank: 120,
        ..call(party, 0, true)
    };
    let calls = [slow("Chen"), slow("Okafor")];
    every_order("two calls, and a slow bank", calls, |[chen, okafor]| {
        never(
            "both parties are turned away, and nobody has the seat",
            !chen && !okafor,
        );
    });
}

#[test]
fn the_second_call_comes_with_the_banks_answer() {
    // In the order in which things happen by themselves, many a wrong answer is right here.
    let calls = [call("Chen", 0, true), call("Okafor", BANK, true)];
    every_order("a call just as the bank answers", calls, |[chen, _]| {
        never(
            "the Chen party called first, could pay, and was turned away",
            !chen,
        );
    });
}

#[test]
fn three_calls_and_a_bad_card() {
    let calls = [
        call("Chen", 0, false),
        call("Okafor", 10, true),
        call("Mbeki", 50, true),
    ];
    every_order(
        "a bad card, and two more calls",
        calls,
        |[_, okafor, mbeki]| {
            // Whether the Okafors wait for the bank's answer to the Chens or are turned away is up to you.
            never(
                "the seat stays empty, and two parties could have paid",
                !okafor && !mbeki,
            );
        },
    );
}

#[test]
fn two_more_calls_while_the_bank_looks_at_a_bad_card() {
    let calls = [
        call("Chen", 0, false),
        call("Okafor", 18, true),
        call("Mbeki", 18, true),
    ];
    // If they wait for the bank's answer to the Chens, one of them gets the seat. Not both.
    every_order("a bad card, and two who call meanwhile", calls, |_| ());
}

#[test]
fn a_seat_that_is_sold_already() {
    play("the seat was sold at the door", async || {
        let (seat, bank) = (Seat::new(), BankOfTheEvening::default());
        bank.calls.borrow_mut().push(call("Chen", 0, true));
        seat.sell("Mbeki");
        let has_it = seat.book("Chen", &bank).await;
        never(
            "the Chen party is told that it has the Mbekis' seat",
            has_it,
        );
        never(
            "the Chen party has paid for a seat that was sold before it called",
            !bank.paid.borrow().is_empty(),
        );
    });
}

#[test]
fn one_party_calls_twice() {
    play("the Chen party calls twice at once", async || {
        let seat = Rc::new(Seat::new());
        let bank = Rc::new(BankOfTheEvening::default());
        bank.calls.borrow_mut().push(call("Chen", 0, true));
        let calls = ["the first call", "the second call"].map(|name| {
            let (seat, bank) = (Rc::clone(&seat), Rc::clone(&bank));
            loopbot::spawn_named(name, async move { seat.book("Chen", &*bank).await })
        });
        let mut told = Vec::new();
        for call in calls {
            told.push(answer(call).await);
        }
        // What the second call is told is up to you: that the seat is gone, or that the party has it already.
        never(
            "the Chen party has called twice for one seat, and paid twice. A name is no claim: whoever calls while the bank is \
             asked has to wait, or to be turned away",
            bank.paid.borrow().len() > 1,
        );
        never(
            "the Chen party is turned away twice, and nobody has the seat",
            told == [false, false],
        );
    });
}

#[test]
fn two_houses() {
    play("two houses, with a last seat each", async || {
        let evenings = ["Chen", "Okafor"].map(|party| {
            let name = format!("the house that the {party} party calls");
            loopbot::spawn_named(&name, evening([call(party, 0, true)]))
        });
        for house in evenings {
            let [has_it] = answer(house).await;
            never(
                "a party is turned away from a free seat, because somebody calls another house",
                !has_it,
            );
        }
    });
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
