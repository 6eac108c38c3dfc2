//! What more hands must and must not do. The Saturdays are rehearsed in virtual time: tasting a dish takes one minute of
//! it and none of yours, every hand has a core of its own, and the hour is as long on every machine.

use std::collections::BTreeMap;
use std::panic::{catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex as Note, PoisonError, mpsc};
use std::time::Duration;

use exercise_21::{Dish, Kitchen, taste_all};
use flight::VirtualTime;
use whatif::sync::Mutex;
use whatif::thread;

/// Fails with these words and no others, the same each time.
macro_rules! claim {
    ($holds:expr, $($words:tt)*) => {
        let holds: bool = $holds;
        if !holds {
            fail(format!($($words)*));
        }
    };
}

fn fail(words: String) -> ! {
    eprintln!("\n{words}\n");
    resume_unwind(Box::new(words))
}

const MINUTE: Duration = Duration::from_secs(60);

/// How long a thread that has nothing to wait for may take. It never comes to that, unless it waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// A rehearsed kitchen: it knows what each dish is worth, and notes who tasted what, and who wrote what.
struct Rehearsal {
    marks: Vec<u32>,
    tasted: Note<Vec<(String, usize)>>,
    board: Mutex<Vec<u64>>,
}

/// The hand on whose thread this is called, in a way that does not change from run to run.
fn hand() -> String {
    format!("{:?}", thread::current().id())
}

impl Kitchen for Rehearsal {
    fn taste(&self, dish: &Dish) -> u32 {
        let note = || self.tasted.lock().unwrap_or_else(PoisonError::into_inner);
        note().push((hand(), dish.0));
        thread::sleep(MINUTE);
        let marks = self.marks.get(dish.0).copied();
        let Some(marks) = marks else {
            fail(format!("there is no dish {} on the menu", dish.0))
        };
        marks
    }

    fn write(&self, marks: u64) {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        thread::sleep(MINUTE);
        board.push(marks);
    }
}

/// How a Saturday went.
struct Saturday {
    best: Option<Dish>,
    /// Which dishes each hand tasted.
    shares: BTreeMap<String, Vec<usize>>,
    /// What was written on the blackboard.
    board: Vec<u64>,
    /// The hand that called `taste_all`.
    you: String,
    minutes: u64,
}

impl Saturday {
    fn largest_share(&self) -> usize {
        self.shares.values().map(Vec::len).max().unwrap_or(0)
    }
}

/// Rehearses a Saturday with these marks.
fn saturday(marks: &[u32], hands: usize, least: usize) -> Saturday {
    let time = VirtualTime::new();
    let result = Arc::new(Note::new(None));
    let (deliver, clock) = (Arc::clone(&result), time.clone());
    let kitchen = Rehearsal {
        marks: marks.to_vec(),
        tasted: Note::default(),
        board: Mutex::new(Vec::new()),
    };
    let ended = whatif::simulate(7, &time, move || {
        let menu: Vec<Dish> = (0..kitchen.marks.len()).map(Dish).collect();
        let before = clock.now();
        let best = taste_all(&kitchen, &menu, hands, least);
        let minutes = (clock.now() - before) / u64::try_from(MINUTE.as_nanos()).unwrap();
        let mut shares: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (hand, dish) in kitchen
            .tasted
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
        {
            shares.entry(hand).or_default().push(dish);
        }
        let board = kitchen
            .board
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        *deliver.lock().unwrap() = Some(Saturday {
            best,
            shares,
            board,
            you: hand(),
            minutes,
        });
    });
    if let Err(story) = ended {
        eprintln!("\n{story}\n");
        // The story says it all: no second message, and no backtrace.
        resume_unwind(Box::new(story.rule));
    }
    let saturday = result.lock().unwrap().take();
    saturday.expect("the rehearsal has ended")
}

/// Marks from 1 to 20 that look as if nobody had chosen them, with a single 21 at `best`.
fn menu(len: usize, best: usize) -> Vec<u32> {
    (0..len)
        .map(|dish| {
            if dish == best {
                21
            } else {
                u32::try_from(dish * 7 % 20).unwrap() + 1
            }
        })
        .collect()
}

#[test]
fn a_short_menu_is_done_by_yourself() {
    let marks = [3, 9, 4, 9, 1];
    let it = saturday(&marks, 4, 10);
    claim!(
        it.shares.keys().all(|hand| *hand == it.you),
        "there are 5 dishes, and nobody is to be hired for fewer than 10; {} hands tasted, and the one that called \
         taste_all was to do it alone",
        it.shares.len()
    );
    claim!(
        it.best == Some(Dish(1)),
        "dishes 1 and 3 have 9 marks each, so the best is the first of them, Dish(1), and \
         taste_all says {:?}",
        it.best
    );
    claim!(
        it.board.iter().sum::<u64>() == 26,
        "the marks are 3 + 9 + 4 + 9 + 1 = 26, and on the blackboard there is \
         {:?}",
        it.board
    );
}

#[test]
fn everything_is_tasted_once() {
    for len in [1, 2, 7, 40, 41, 43] {
        for hands in [1, 3, 4, 6] {
            let marks = menu(len, len / 2);
            let it = saturday(&marks, hands, 5);
            let worked = it.shares.len();
            claim!(
                worked <= hands,
                "{len} dishes, and {hands} hands may work at the same time, yours among them. At work were {worked}"
            );
            let mut tasted = vec![0; len];
            it.shares
                .values()
                .flatten()
                .for_each(|dish| tasted[*dish] += 1);
            let wrong = tasted.iter().position(|times| *times != 1);
            if let Some(dish) = wrong {
                let times = tasted[dish];
                fail(format!(
                    "{len} dishes, {hands} hands: dish {dish} was tasted {times} times. Do the shares, put \
                    together, make the whole menu?"
                ));
            }
            let all: u64 = marks.iter().map(|marks| u64::from(*marks)).sum();
            let written: u64 = it.board.iter().sum();
            claim!(
                written == all,
                "{len} dishes, {hands} hands: all marks together are {all}, and on the blackboard \
                there are {written}"
            );
            claim!(
                it.shares.contains_key(&it.you),
                "{len} dishes, {hands} hands: the hand that called taste_all stands by and has tasted nothing. It is one of the \
                 {hands}: give it a share as well"
            );
            let smallest = it.shares.values().map(Vec::len).min().unwrap_or(0);
            claim!(
                worked == 1 || smallest >= 5,
                "{len} dishes, {hands} hands, and nobody is hired for fewer than 5: one of {worked} hands had {smallest} to taste. \
                 Who gets what remains? `chunks` leaves it to the last one, however little that is. Share n of {worked} can begin at \
                 dish {len} * n / {worked}: then no share is larger than another by more than one dish"
            );
            let largest = it.largest_share();
            let enough = len.div_ceil(hands.min(len / 5).max(1));
            claim!(
                largest <= enough,
                "{len} dishes, {hands} hands, and nobody is hired for fewer than 5: with equal shares, {enough} would be the most \
                 that anybody has to taste, and one of yours had {largest}. All others wait for that one"
            );
            let most = (largest + it.board.len()) as u64;
            claim!(
                it.minutes <= most,
                "{len} dishes, {hands} hands: the largest share is {largest}, and with what was written on the blackboard that is \
                 {most} minutes at most. It took {}: your hands work one after the other",
                it.minutes
            );
            claim!(
                it.best == Some(Dish(len / 2)),
                "{len} dishes, {hands} hands: the best is Dish({}), with 21 marks, and \
                taste_all says {:?}",
                len / 2,
                it.best
            );
        }
    }
}

#[test]
fn they_work_at_the_same_time() {
    let it = saturday(&menu(40, 33), 4, 5);
    let hands = it.shares.len();
    claim!(
        hands > 1,
        "40 dishes, 4 hands, and nobody is hired for fewer than 5: one hand did it all"
    );
    claim!(
        it.shares.contains_key(&it.you),
        "{hands} hands were hired, and the one that called taste_all stands by and waits for them. It is one of the 4: \
         give it a share as well"
    );
    claim!(
        hands <= 4,
        "4 hands may work at the same time, the one that called taste_all among them, and {hands} did"
    );
    let largest = it.largest_share();
    claim!(
        largest == 10,
        "40 dishes among 4 hands are 10 for each, and one of them did {largest}. It is the largest share that takes \
         longest, and all others wait for it"
    );
    let writing = it.board.len() as u64;
    claim!(
        it.minutes < 20 + writing,
        "the largest share is 10 dishes, at a minute each, and the tasting took {} minutes: your hands work one after the \
         other. When is somebody waited for, and who has been hired by then?",
        it.minutes - writing.min(it.minutes)
    );
}

#[test]
fn nobody_waits_for_the_blackboard() {
    let it = saturday(&menu(400, 7), 4, 5);
    let (writes, hands) = (it.board.len(), it.shares.len());
    claim!(
        writes <= hands,
        "your {hands} hands wrote on the blackboard {writes} times, and one can write at a time: the tasting took {} \
         minutes, and 4 shares of 100 dishes take 100. Let each hand keep count by itself",
        it.minutes
    );
    claim!(
        it.minutes <= 104,
        "4 shares of 100 dishes, and 4 times writing, take 104 minutes at most; yours took {}. Who \
         waits for whom?",
        it.minutes
    );
}

#[test]
fn a_small_share_is_worth_nobody() {
    let it = saturday(&menu(23, 3), 8, 5);
    let hands = it.shares.len();
    claim!(
        hands <= 4,
        "23 dishes, 8 hands, and nobody is hired for fewer than 5: 4 shares of 5 or more can be made of 23, and {hands} \
         hands were at work"
    );
    let largest = it.largest_share();
    claim!(
        largest <= 6,
        "23 dishes for 4 hands are 6 at most for each, and one of yours did {largest}: all others wait for it"
    );
}

#[test]
fn odd_numbers() {
    let empty = saturday(&[], 4, 5);
    claim!(
        empty.best.is_none(),
        "the menu is empty, and taste_all says that the best dish is {:?}",
        empty.best
    );
    let nobody = saturday(&[4, 2], 0, 1);
    claim!(
        nobody.best == Some(Dish(0)),
        "with 0 hands there is still yours: it tastes everything. The best of [4, 2] is \
        Dish(0), and taste_all says {:?}",
        nobody.best
    );
    let any = saturday(&[4, 5, 2], 2, 0);
    claim!(
        any.best == Some(Dish(1)),
        "with `least` 0 any share is worth a hand. The best of [4, 5, 2] is Dish(1), and \
        taste_all says {:?}",
        any.best
    );
    let flat = saturday(&[0; 12], 3, 1);
    claim!(
        flat.best == Some(Dish(0)),
        "twelve dishes with 0 marks each: the best is the first one, Dish(0), and \
        taste_all says {:?}",
        flat.best
    );
    let ties = saturday(&[1, 1, 7, 7, 1, 1, 7, 1, 1], 3, 1);
    claim!(
        ties.best == Some(Dish(2)),
        "dishes 2, 3 and 6 have 7 marks each, in three shares. The best is the first of them on the menu, Dish(2), and \
        taste_all says {:?}",
        ties.best
    );
    let generous = saturday(&[u32::MAX, u32::MAX], 1, 1);
    claim!(
        generous.board.iter().sum::<u64>() == 2 * u64::from(u32::MAX),
        "two dishes with {} marks each, and on the blackboard there is {:?}: the sum of many u32 is a u64",
        u32::MAX,
        generous.board
    );
    let many = saturday(&menu(60, 59), 6, 10);
    claim!(
        many.largest_share() == 10,
        "60 dishes among 6 hands are 10 for each, and one of them did {}: how many hands there are is for the caller to say",
        many.largest_share()
    );
    let crowd = saturday(&menu(120, 59), 60, 2);
    claim!(
        crowd.largest_share() == 2,
        "120 dishes among 60 hands are 2 for each, and one of them did {}: how many hands there are is for the caller to say",
        crowd.largest_share()
    );
    let anybody = saturday(&menu(12, 3), usize::MAX, 4);
    claim!(
        anybody.largest_share() == 4,
        "12 dishes, as many hands as you like, and nobody is hired for fewer than 4: 4 is the most for one of them, and one of \
         yours did {}",
        anybody.largest_share()
    );
}

/// What whoever tastes dish 5 panics with. It is no text, so nobody can make another one that looks the same.
struct DishFive;

/// A kitchen in which nothing takes any time, and dish 5 has gone off.
struct GoneOff;

impl Kitchen for GoneOff {
    fn taste(&self, dish: &Dish) -> u32 {
        if dish.0 == 5 {
            resume_unwind(Box::new(DishFive));
        }
        1
    }

    fn write(&self, _: u64) {}
}

/// Not a rehearsal, because in one a robot that panics ends everything: real threads, and a wait that has an end.
#[test]
fn a_dish_that_has_gone_off() {
    let gone_off_in_the_share_of = |hands, least| {
        let (done, is_done) = mpsc::channel();
        let saturday = move || {
            let menu: Vec<Dish> = (0..12).map(Dish).collect();
            let tasted = catch_unwind(|| taste_all(&GoneOff, &menu, hands, least));
            let _ = done.send(tasted.map_err(|payload| {
                match (
                    payload.downcast_ref::<&str>(),
                    payload.downcast_ref::<String>(),
                ) {
                    _ if payload.is::<DishFive>() => None,
                    (Some(words), _) => Some((*words).to_owned()),
                    (_, Some(words)) => Some(words.clone()),
                    _ => Some("something else, which is no text".to_owned()),
                }
            }));
        };
        std::thread::spawn(saturday);
        match is_done.recv_timeout(PATIENCE) {
            Ok(Err(words)) => words,
            Ok(Ok(best)) => fail(format!(
                "dish 5 has gone off, and whoever tasted it panicked. taste_all says that all is well, and that the best \
                 dish is {best:?}: what does `join` return?"
            )),
            Err(_) => fail(format!(
                "whoever tasted dish 5 panicked, and taste_all has not returned for {PATIENCE:?}: who waits for somebody \
                 that will never come?"
            )),
        }
    };
    // In a share that somebody else does, and in yours.
    for (hands, least) in [(3, 2), (2, 2), (1, 2)] {
        let Some(words) = gone_off_in_the_share_of(hands, least) else {
            continue; // The same payload.
        };
        claim!(
            !words.contains("not yet implemented") && !words.contains("not written yet"),
            "{words}"
        );
        fail(format!(
            "whoever tasted dish 5 panicked, and taste_all panics with another payload: {words:?}. What `join` \
             returns is the payload: pass it on with std::panic::resume_unwind"
        ));
    }
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
