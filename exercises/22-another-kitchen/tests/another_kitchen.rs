//! What must become of jobs whose cooks drop dead. Real processes, and real deaths. What the cooks do they write into a book, and
//! they wait for each other by looking into it: so nothing depends on how fast your computer is. Every wait has an end.
//!
//! The cooks are this same program, started again by the pool. That is why it has a main of its own.

use std::fs::{self, OpenOptions};
use std::future::poll_fn;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use exercise_22::{Bill, EGGS, NextDoor, Plate, Receipt, Trouble, charge, jobs, serve};
use libtest_mimic::{Arguments, Failed, Trial};
use procpool::{Output, Pool};

/// Nobody waits for so long, unless for something that will never be.
const PATIENCE: Duration = Duration::from_secs(2);
/// The patience of a guest who stays, and that of one who does not.
const HOURS: Duration = Duration::from_secs(4 * 3600);
const A_MOMENT: Duration = Duration::from_millis(50);
/// How many cooks the pool gives a dish to, if nobody says otherwise.
const COOKS: u32 = 3;
/// In the environment of the cooks, and of nobody else: where the book lies, and how many eggs make an omelette tonight.
const BOOK: &str = "EXERCISE_22_BOOK";
const OMELETTE: &str = "EXERCISE_22_OMELETTE";
/// Whoever awaits an answer need not be polled as often for it.
const OFTEN: u32 = 20;

/// Fails with these words and no others, the same each time.
fn fail(words: impl Into<String>) -> ! {
    let words = words.into();
    eprintln!("\n{words}\n");
    resume_unwind(Box::new(words))
}

macro_rules! claim {
    ($holds:expr, $($words:tt)*) => {
        let holds: bool = $holds;
        if !holds {
            fail(format!($($words)*));
        }
    };
}

/// A line for everything that a cook begins. All processes write at its end, and look into it.
struct Book(PathBuf);

impl Book {
    /// A new one, for one evening.
    fn new() -> Book {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("exercise-22-{}-{number}", std::process::id());
        let book = Book(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        fs::write(&book.0, "").expect("the target folder can be written");
        book
    }

    /// The one that lies next door; none in this kitchen.
    fn next_door() -> Option<Book> {
        std::env::var_os(BOOK).map(|path| Book(path.into()))
    }

    fn note(&self, line: &str) {
        let file = OpenOptions::new().append(true).open(&self.0);
        let mut file = file.expect("the book is there");
        file.write_all(format!("{line}\n").as_bytes())
            .expect("the book can be written");
    }

    fn read(&self) -> Seen {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        Seen(text.lines().map(str::to_owned).collect())
    }

    /// Waits until a line is there so many times. If it does not come: notes what went wrong.
    fn wait_for(&self, line: &str, times: u32, or_else: &str) {
        let begun = Instant::now();
        while self.read().count(line) < times {
            if begun.elapsed() > PATIENCE {
                return self.note(&format!("wrong: {or_else}"));
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// What is in the book.
struct Seen(Vec<String>);

impl Seen {
    fn count(&self, line: &str) -> u32 {
        let same = self.0.iter().filter(|it| *it == line);
        u32::try_from(same.count()).expect("it is no long book")
    }

    /// How many cooks have begun this dish.
    fn cooked(&self, dish: &str) -> u32 {
        self.count(&format!("cooks {dish}"))
    }

    /// How often this guest was charged.
    fn charged(&self, guest: &str) -> u32 {
        self.count(&format!("charges {guest}"))
    }

    /// The machine counts all that it is asked for.
    fn receipt(&self) -> u32 {
        let charges = self.0.iter().filter(|line| line.starts_with("charges"));
        7_040 + u32::try_from(charges.count()).expect("it is no long book")
    }

    /// What a cook has to complain of.
    fn wrong(&self) -> Option<&str> {
        self.0.iter().find_map(|line| line.strip_prefix("wrong: "))
    }
}

/// What is next door tonight.
struct Tonight;

impl NextDoor for Tonight {
    fn cook(dish: &str) -> Plate {
        let Some(book) = Book::next_door() else {
            fail(format!(
                "{dish} is cooked in this kitchen: if the cook drops dead now, the whole restaurant does. A thread is not next door, \
                 and catch_unwind catches panics only. Hand it over to the pool"
            ))
        };
        book.note(&format!("cooks {dish}"));
        let cooks = book.read().cooked(dish);
        let eggs = match dish {
            "omelette" => std::env::var(OMELETTE)
                .ok()
                .and_then(|eggs| eggs.parse().ok())
                .unwrap_or(3),
            "custard" => 5,
            "crêpe with brandy" if cooks == 1 => std::process::abort(),
            "very hot curry" if cooks == 1 => std::process::exit(3),
            // Nobody is so patient: if it comes to that, the test has seen enough.
            "flambé" if cooks < 12 => std::process::abort(),
            "soufflé" => panic!("the recipe says to break the fourth of three eggs"),
            "meringue" => panic!("the recipe wants {} g of sugar", 1_000_000),
            "slow roast" => {
                book.wait_for(
                    "the stew is off the stove",
                    1,
                    "a cook stands at a roast that is done when the stew has been taken off the stove, and it is not: the guest who wanted it had a \
                     patience of a moment. Nobody has stopped its cook",
                );
                1
            }
            "stew" => {
                book.wait_for(
                    "nobody writes this",
                    1,
                    &format!(
                        "a cook has stood at the stew for {PATIENCE:?}, and the guest's patience was {A_MOMENT:?}. Nobody has stopped \
                         the cook: not to wait any longer stops nobody. A job can have a time limit"
                    ),
                );
                0
            }
            "roast for two" => {
                book.wait_for(
                    "cooks roast for two",
                    2,
                    "two dishes were ordered that two cooks finish together, and there are two cooks. One has begun, and nobody else \
                     comes: is the first plate awaited before the second dish is handed over? Or is a dish cooked once that two guests have \
                     ordered?",
                );
                1
            }
            "fondue for three" => {
                book.wait_for(
                    "cooks fondue for three",
                    3,
                    "three dishes were ordered that three cooks finish together, and there are three cooks. Not all of them have begun: is a \
                     plate awaited before all dishes are handed over?",
                );
                1
            }
            "dumplings" => {
                book.wait_for(
                    "LoopBot brings the sauce",
                    1,
                    "a cook next door waits for LoopBot to bring the sauce, and LoopBot does not come: it is being held. `.wait()` and \
                     the iterator of a map block the thread that asks, and `.await` does not",
                );
                1
            }
            _ => 0,
        };
        Plate {
            dish: dish.to_owned(),
            eggs,
        }
    }

    fn charge(bill: &Bill) -> Receipt {
        let guest = &bill.guest;
        let Some(book) = Book::next_door() else {
            fail(format!(
                "{guest} is charged in this kitchen, and the machine is next door: hand it over to the pool"
            ))
        };
        book.note(&format!("charges {guest}"));
        match guest.as_str() {
            "Mr. Silva" if book.read().charged(guest) < 12 => std::process::abort(),
            "Ms. Okafor" if book.read().charged(guest) < 12 => panic!("the machine has no paper"),
            "Mr. Lindqvist" => book.wait_for(
                "nobody writes this",
                1,
                &format!(
                    "a cook has stood at the card machine for {PATIENCE:?}, and the guest's patience was {A_MOMENT:?}. A bill can have \
                     a time limit, too"
                ),
            ),
            "Ms. Abebe" => book.wait_for(
                "Mr. Lindqvist has gone",
                1,
                "a cook is at the card machine with Ms. Abebe, who stays for hours, and is done when Mr. Lindqvist has gone, who stays for a \
                 moment. Nobody has stopped the cook who charges him",
            ),
            _ => {}
        }
        Receipt(book.read().receipt())
    }
}

/// What is different from one evening to the next.
#[derive(Clone, Copy)]
struct Kitchen {
    cooks: usize,
    /// How many of them get the same dish.
    attempts: u32,
    /// How many eggs make an omelette.
    omelette: u32,
}

const ONE_COOK: Kitchen = Kitchen {
    cooks: 1,
    attempts: COOKS,
    omelette: 3,
};
const TWO_COOKS: Kitchen = Kitchen {
    cooks: 2,
    ..ONE_COOK
};

/// The other kitchen, with its book.
fn kitchen(tonight: Kitchen) -> (Pool, Book) {
    let pool = Pool::builder(jobs::<Tonight>());
    let book = Book::new();
    let pool = pool
        .name("another kitchen")
        .workers(tonight.cooks)
        .max_attempts(tonight.attempts)
        .grace(Duration::from_millis(10))
        .output(Output::Null)
        .env(BOOK, &book.0)
        .env(OMELETTE, tonight.omelette.to_string())
        .build();
    match pool {
        Ok(pool) => (pool, book),
        Err(error) => fail(format!("there is no other kitchen: {error}")),
    }
}

/// Runs an evening on a LoopBot, on a thread of its own: if LoopBot is held for ever, the test is not.
fn evening<T: Send + 'static>(
    tonight: Kitchen,
    serve: impl AsyncFnOnce(&Pool, &Book) -> T + Send + 'static,
) -> (T, Seen) {
    let (pool, book) = kitchen(tonight);
    let path = book.0.clone();
    let (done, is_done) = mpsc::channel();
    let loopbot = thread::spawn(move || {
        let of_the_kitchen = Book(book.0.clone());
        let sauce = async move {
            while book.read().cooked("dumplings") == 0 {
                loopbot::sleep(Duration::from_millis(1)).await;
            }
            book.note("LoopBot brings the sauce");
        };
        let _ = done.send(loopbot::run(async {
            let sauce = loopbot::spawn(sauce);
            let result = serve(&pool, &of_the_kitchen).await;
            sauce.abort();
            result
        }));
    });
    let result = is_done.recv_timeout(PATIENCE * 4);
    let seen = Book(path.clone()).read();
    let _ = fs::remove_file(path);
    if let Some(words) = seen.wrong() {
        fail(words);
    }
    match result {
        Ok(result) => (result, seen),
        Err(RecvTimeoutError::Disconnected) => match loopbot.join() {
            Err(payload) => resume_unwind(payload),
            Ok(()) => unreachable!("it has sent its result"),
        },
        Err(RecvTimeoutError::Timeout) => fail(format!(
            "the evening has not ended after {:?}: what does LoopBot wait for?",
            PATIENCE * 4
        )),
    }
}

/// What `serve` says, without what goes on for pages.
fn shown(served: &[Result<Plate, Trouble>]) -> String {
    const MOST: usize = 160;
    let line = |one: &Result<Plate, Trouble>| {
        let words = format!("{one:?}");
        match words.char_indices().nth(MOST) {
            Some((end, _)) => format!("  {} ...", &words[..end]),
            None => format!("  {words}"),
        }
    };
    served.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn menu(dishes: &[&str]) -> Vec<String> {
    dishes.iter().map(|&dish| dish.to_owned()).collect()
}

fn plate(dish: &str, eggs: u32) -> Result<Plate, Trouble> {
    Ok(Plate {
        dish: dish.to_owned(),
        eggs,
    })
}

fn bill(guest: &str) -> Bill {
    Bill {
        guest: guest.to_owned(),
        cents: 4250,
    }
}

fn all_eggs(expected: u32, before: u32) {
    let eggs = eggs_since(before);
    claim!(
        eggs == expected,
        "there are {expected} eggs in the plates that were served, each plate says how many are in it, and {eggs} have come onto the tally. When \
         `serve` returns they are all there, also if another dish has been lost, and what was there before has stayed"
    );
}

/// How many eggs have come onto the tally during an evening.
fn eggs_since(before: u32) -> u32 {
    EGGS.load(Ordering::Relaxed).wrapping_sub(before)
}

fn a_menu() {
    let before = EGGS.load(Ordering::Relaxed);
    let (served, seen) = evening(TWO_COOKS, async |pool, _| {
        serve::<Tonight>(pool, menu(&["omelette", "onion soup", "custard"]), HOURS).await
    });
    let expected = [
        plate("omelette", 3),
        plate("onion soup", 0),
        plate("custard", 5),
    ];
    claim!(
        served == expected,
        "an omelette, an onion soup and a custard were ordered, and nothing goes wrong with them. `serve` says\n{}",
        shown(&served)
    );
    for dish in ["omelette", "onion soup", "custard"] {
        let cooks = seen.cooked(dish);
        claim!(
            cooks == 1,
            "one {dish} was ordered, and it was cooked {cooks} times"
        );
    }
    let eggs = eggs_since(before);
    claim!(
        eggs != 0,
        "there are 8 eggs in the three plates, and none has come onto the tally in this kitchen. Each process has statics of its own: what \
         a job writes there stays there. All that comes through the hatch is what the job returns"
    );
    all_eggs(8, before);
}

fn all_cooks_at_the_same_time() {
    let (served, _) = evening(TWO_COOKS, async |pool, _| {
        serve::<Tonight>(pool, menu(&["roast for two", "roast for two"]), HOURS).await
    });
    claim!(
        served == [plate("roast for two", 1), plate("roast for two", 1)],
        "two roasts were ordered, and `serve` says {served:?}"
    );
    let before = EGGS.load(Ordering::Relaxed);
    let tonight = Kitchen {
        cooks: 3,
        ..ONE_COOK
    };
    let fondue = "fondue for three";
    let (served, _) = evening(tonight, async move |pool, _| {
        serve::<Tonight>(pool, menu(&[fondue; 3]), HOURS).await
    });
    claim!(
        served == [plate(fondue, 1), plate(fondue, 1), plate(fondue, 1)],
        "three fondues were ordered, and `serve` says {served:?}"
    );
    all_eggs(3, before);
}

fn loopbot_is_not_held() {
    let (served, _) = evening(ONE_COOK, async |pool, _| {
        serve::<Tonight>(pool, menu(&["dumplings"]), HOURS).await
    });
    claim!(
        served == [plate("dumplings", 1)],
        "dumplings were ordered, LoopBot has brought the sauce, and `serve` says {served:?}"
    );
}

fn a_dish_whose_cook_drops_dead() {
    let before = EGGS.load(Ordering::Relaxed);
    let dishes = ["omelette", "crêpe with brandy", "very hot curry", "custard"];
    let tonight = Kitchen {
        omelette: 4,
        ..TWO_COOKS
    };
    let (served, seen) = evening(tonight, async move |pool, _| {
        serve::<Tonight>(pool, menu(&dishes), HOURS).await
    });
    let expected = [
        plate("omelette", 4),
        plate("crêpe with brandy", 0),
        plate("very hot curry", 0),
        plate("custard", 5),
    ];
    claim!(
        served == expected,
        "the first cook to try the crêpe aborts, and the first to try the curry exits. The next one has no trouble with it, so every \
         guest gets a plate. `serve` says\n{}",
        shown(&served)
    );
    for dish in dishes {
        let (cooks, should) = (seen.cooked(dish), expected_cooks(dish));
        claim!(
            cooks == should,
            "the omelette, the crêpe, the curry and the custard were ordered. One cook died of the crêpe, and one of the curry. The \
             {dish} has to be begun by {should}, and was begun by {cooks}: whoever dies costs one dish, and not the others"
        );
    }
    all_eggs(9, before);
}

fn expected_cooks(dish: &str) -> u32 {
    match dish {
        "crêpe with brandy" | "very hot curry" => 2,
        _ => 1,
    }
}

fn a_dish_that_kills_every_cook() {
    for attempts in [COOKS, 2] {
        let before = EGGS.load(Ordering::Relaxed);
        let tonight = Kitchen {
            attempts,
            ..ONE_COOK
        };
        let (served, seen) = evening(tonight, async |pool, _| {
            serve::<Tonight>(pool, menu(&["omelette", "flambé", "custard"]), HOURS).await
        });
        let cooks = seen.cooked("flambé");
        claim!(
            cooks == attempts,
            "every cook who tries the flambé drops dead. Tonight the pool gives a dish to {attempts} cooks and to no more, if it may be given to \
             another one at all (`idempotent`); {cooks} have tried this one"
        );
        let expected = [
            plate("omelette", 3),
            Err(Trouble::GivenUp { cooks: attempts }),
            plate("custard", 5),
        ];
        claim!(
            served == expected,
            "{attempts} cooks have died of the flambé, and it was given up. That costs one dish: the omelette before it and the custard after \
             it are served. `serve` says\n{}",
            shown(&served)
        );
        all_eggs(8, before);
    }
}

fn a_recipe_with_a_mistake() {
    let (served, seen) = evening(ONE_COOK, async |pool, _| {
        serve::<Tonight>(pool, menu(&["soufflé", "onion soup", "meringue"]), HOURS).await
    });
    let burnt = |words: &str| Err(Trouble::Burnt(words.to_owned()));
    let expected = [
        burnt("the recipe says to break the fourth of three eggs"),
        plate("onion soup", 0),
        burnt("the recipe wants 1000000 g of sugar"),
    ];
    claim!(
        served == expected,
        "two recipes have a mistake, and the jobs panic: \"the recipe says to break the fourth of three eggs\" and \"the recipe wants 1000000 g \
         of sugar\". These are the words for `Burnt`, as they are. The onion soup has no mistake. `serve` says\n{}",
        shown(&served)
    );
    let cooks = seen.cooked("soufflé");
    claim!(
        cooks == 1,
        "a recipe with a mistake has the same mistake tomorrow: nobody has died, and nobody need try it again. {cooks} cooks have"
    );
}

fn a_cook_who_never_comes_back() {
    let (served, seen) = evening(ONE_COOK, async |pool, _| {
        let mut served = not_often(serve::<Tonight>(pool, menu(&["stew"]), A_MOMENT)).await;
        // There is one cook. If nobody has stopped him, nobody makes the soup.
        served.extend(serve::<Tonight>(pool, menu(&["onion soup"]), HOURS).await);
        served
    });
    claim!(
        served == [Err(Trouble::TooLong), plate("onion soup", 0)],
        "the stew takes for ever, and the guest's patience was {A_MOMENT:?}. After that the same kitchen makes an onion soup for a \
         guest who stays. `serve` says\n{}",
        shown(&served)
    );
    let cooks = seen.cooked("stew");
    claim!(
        cooks <= 1,
        "the stew has been stopped because it took too long; {cooks} cooks have stood there"
    );
}

/// Two guests of different patience, at the same time.
fn each_as_patient_as_they_are() {
    let (served, _) = evening(TWO_COOKS, async |pool, book| {
        let roast = serve::<Tonight>(pool, menu(&["slow roast"]), HOURS);
        let stew = async {
            while book.read().cooked("slow roast") == 0 {
                loopbot::sleep(Duration::from_millis(1)).await;
            }
            let stew = serve::<Tonight>(pool, menu(&["stew"]), A_MOMENT).await;
            book.note("the stew is off the stove");
            stew
        };
        both(roast, stew).await
    });
    claim!(
        served == (vec![plate("slow roast", 1)], vec![Err(Trouble::TooLong)]),
        "the guest who wants the roast stays for hours, and the one who wants the stew for {A_MOMENT:?}. So the roast is served, and the stew is \
         stopped. `serve` says\n{}",
        shown(&[served.0, served.1].concat())
    );
    let (paid, _) = evening(TWO_COOKS, async |pool, book| {
        let patient = charge::<Tonight>(pool, bill("Ms. Abebe"), HOURS);
        let other = async {
            while book.read().charged("Ms. Abebe") == 0 {
                loopbot::sleep(Duration::from_millis(1)).await;
            }
            let paid = charge::<Tonight>(pool, bill("Mr. Lindqvist"), A_MOMENT).await;
            book.note("Mr. Lindqvist has gone");
            paid
        };
        both(patient, other).await
    });
    claim!(
        matches!(paid, (Ok(_), Err(Trouble::NobodyKnows))),
        "Ms. Abebe stays for hours, and Mr. Lindqvist for {A_MOMENT:?}. So she pays, and he is gone. `charge` says {paid:?}"
    );
}

/// Both futures, in one task.
async fn both<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut has_a, mut has_b) = (None, None);
    poll_fn(|cx| {
        if has_a.is_none()
            && let Poll::Ready(value) = a.as_mut().poll(cx)
        {
            has_a = Some(value);
        }
        if has_b.is_none()
            && let Poll::Ready(value) = b.as_mut().poll(cx)
        {
            has_b = Some(value);
        }
        match has_a.is_some() && has_b.is_some() {
            true => Poll::Ready((has_a.take().unwrap(), has_b.take().unwrap())),
            false => Poll::Pending,
        }
    })
    .await
}

/// Fails if the future has to be polled again and again. Nothing happens between the order and the answer.
async fn not_often<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut polls = 0;
    poll_fn(|cx| {
        polls += 1;
        claim!(
            polls <= OFTEN,
            "one dish was ordered, and `serve` was polled more than {OFTEN} times before there was an answer: it asks again and again. Whoever awaits \
             an answer is woken when it is there"
        );
        future.as_mut().poll(cx)
    })
    .await
}

fn a_bill() {
    let (paid, seen) = evening(ONE_COOK, async |pool, _| {
        charge::<Tonight>(pool, bill("Mrs. Chen"), HOURS).await
    });
    claim!(
        paid == Ok(Receipt(seen.receipt())),
        "Mrs. Chen is charged, and nothing goes wrong. The machine's receipt has the number {}, and `charge` says {paid:?}",
        seen.receipt()
    );
    let times = seen.charged("Mrs. Chen");
    claim!(
        times == 1,
        "Mrs. Chen got one bill, and was charged {times} times"
    );
}

fn a_bill_whose_cook_drops_dead() {
    let guests = ["Mr. Silva", "Ms. Okafor", "Mr. Lindqvist"];
    let ((paid, after), seen) = evening(ONE_COOK, async move |pool, _| {
        let mut paid = Vec::new();
        for guest in guests {
            let patience = if guest == "Mr. Lindqvist" {
                A_MOMENT
            } else {
                HOURS
            };
            paid.push(charge::<Tonight>(pool, bill(guest), patience).await);
        }
        // There is one cook. If nobody has stopped him, Mrs. Chen cannot pay.
        (
            paid,
            charge::<Tonight>(pool, bill("Mrs. Chen"), HOURS).await,
        )
    });
    let what = [
        "the cook has dropped dead with the card in his hand",
        "the machine has panicked",
        "nobody came back with the card, and the cook was stopped",
    ];
    for ((guest, what), paid) in guests.into_iter().zip(what).zip(paid) {
        let times = seen.charged(guest);
        claim!(
            times <= 1,
            "{guest} was charged {times} times: {what}, and it was done again. Only what does no harm if it is done twice may be tried \
             again"
        );
        claim!(
            paid == Err(Trouble::NobodyKnows),
            "{guest} was charged, and {what}. The money may be gone or not, and nobody knows: that is the truth, and it has to be told. \
             `charge` says {paid:?}"
        );
    }
    claim!(
        after == Ok(Receipt(seen.receipt())),
        "three cooks are gone, and there is a fourth one. Mrs. Chen pays, and `charge` says {after:?}"
    );
}

fn a_kitchen_that_is_closed() {
    let ((paid, served), seen) = evening(ONE_COOK, async |pool, _| {
        pool.shut_down();
        let paid = charge::<Tonight>(pool, bill("Mrs. Chen"), HOURS).await;
        (
            paid,
            serve::<Tonight>(pool, menu(&["onion soup"]), HOURS).await,
        )
    });
    claim!(
        matches!(paid, Err(Trouble::Closed(_))) && seen.charged("Mrs. Chen") == 0,
        "the other kitchen was shut down before Mrs. Chen got her bill. So she was not charged, and that is known: it is `Closed`. \
         `charge` says {paid:?}"
    );
    claim!(
        matches!(served[..], [Err(Trouble::Closed(_))]),
        "the other kitchen was shut down before the onion soup was ordered: it is `Closed`. `serve` says {served:?}"
    );
    for trouble in [paid.err(), served.into_iter().next().and_then(Result::err)] {
        claim!(
            !matches!(trouble, Some(Trouble::Closed(why)) if why.trim().is_empty()),
            "`Closed` says why, in words, and here it says nothing. The error of the pool has the words"
        );
    }
}

fn main() -> ExitCode {
    procpool::worker_entry(jobs::<Tonight>); // next door, this never returns
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1); // there is one tally on the wall
    let tests: [(&str, fn()); 11] = [
        ("a_menu", a_menu),
        ("all_cooks_at_the_same_time", all_cooks_at_the_same_time),
        ("loopbot_is_not_held", loopbot_is_not_held),
        ("a_dish_whose_cook_drops_dead", a_dish_whose_cook_drops_dead),
        ("a_dish_that_kills_every_cook", a_dish_that_kills_every_cook),
        ("a_recipe_with_a_mistake", a_recipe_with_a_mistake),
        ("a_cook_who_never_comes_back", a_cook_who_never_comes_back),
        ("each_as_patient_as_they_are", each_as_patient_as_they_are),
        ("a_bill", a_bill),
        ("a_bill_whose_cook_drops_dead", a_bill_whose_cook_drops_dead),
        ("a_kitchen_that_is_closed", a_kitchen_that_is_closed),
    ];
    let has_pool = cfg!(target_os = "linux");
    if !has_pool {
        eprintln!(
            "The process pool needs Linux, so nothing is tested here. In a container or in WSL it would be."
        );
    }
    // What went wrong has been told when it did.
    let told =
        |test: fn()| catch_unwind(AssertUnwindSafe(test)).map_err(|_| Failed::without_message());
    let trial = |(name, test): (&str, fn())| {
        Trial::test(name, move || told(test)).with_ignored_flag(!has_pool)
    };
    libtest_mimic::run(&arguments, tests.into_iter().map(trial).collect()).exit_code()
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
