//! What a first shift owes the restaurant. Most tests run the robots in every order of steps; what comes after a
//! breakdown needs threads of the operating system, since inside of a check a panic ends the run.

use std::any::Any;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Condvar, Mutex};
use std::thread::Result;
use std::time::{Duration, Instant};

use exercise_01::{Act, Table, first_shift, take_stock};
use whatif::sync::{Arc, Shared};
use whatif::{Checker, DID_NOT_END, never, say, step};

/// How long robots without a checker may take until we say that they hang. They need a moment.
const PATIENCE: Duration = Duration::from_secs(8);

/// More orders of steps are not tried. Nobody needs so many, except for robots that ask again and again whether somebody
/// has finished.
const MOST_ORDERS: usize = 1_000;

fn every_order(of: &str) -> Checker {
    Checker::new(of).max_runs(MOST_ORDERS).shares_nothing()
}

/// A table where nothing happens but what is said here.
fn table(plates: u32) -> Table {
    Table::new(move |_| plates)
}

// ---- What they bring home -----------------------------------------------------------------------

#[test]
fn the_plates_of_every_section() {
    let check = every_order("three robots serve");
    check.check(|| {
        let brought = first_shift(vec![
            vec![table(3), table(4)],
            vec![table(20)],
            vec![table(100), table(200), table(500)],
        ]);
        never(
            "there is not one result for each section",
            brought.len() != 3,
        );
        let plates: Vec<u32> = brought
            .into_iter()
            .map(|brought| brought.unwrap())
            .collect();
        say(format!("{plates:?} have been carried"));
        never(
            "the robots have carried 7, 20 and 800 plates, and the results are others",
            plates != [7, 20, 800],
        );
    });
}

#[test]
fn no_sections_and_no_tables() {
    let check = every_order("a quiet evening");
    check.check(|| {
        let brought = first_shift(Vec::new());
        never("there are no sections, and a result", !brought.is_empty());
        let brought = first_shift(vec![vec![table(0), table(2)], Vec::new()]);
        let plates: Vec<u32> = brought
            .into_iter()
            .map(|brought| brought.unwrap())
            .collect();
        never(
            "a table may need no plates, and a section with no tables has none: 2 and 0 plates, and the results are others",
            plates != [2, 0],
        );
    });
}

// ---- Side by side -------------------------------------------------------------------------------

/// Robots come to work, and go. One of these for each run.
struct Floor {
    at_work: Shared<u32>,
    /// Of all runs together. Plain std: what we look at is not part of what we look at.
    most: Arc<AtomicU32>,
}

impl Floor {
    fn new(most: &Arc<AtomicU32>) -> Arc<Floor> {
        let at_work = Shared::new(0).called("the list of who is at work");
        let most = Arc::clone(most);
        Arc::new(Floor { at_work, most })
    }

    /// Somebody works for a moment.
    fn work(&self, what: &str) {
        let here = self.at_work.write(|here| {
            *here += 1;
            *here
        });
        say(format!("begins to {what}"));
        self.most.fetch_max(here, SeqCst);
        self.at_work.write(|here| *here -= 1);
        say(format!("has done it: {what}"));
    }
}

#[test]
fn robots_work_side_by_side() {
    let most = Arc::new(AtomicU32::new(0));
    let check = every_order("three robots at once");
    let floors = Arc::clone(&most);
    check.check(move || {
        let floor = Floor::new(&floors);
        let section = |number: u32| {
            let floor = Arc::clone(&floor);
            let table = Table::new(move |_| {
                floor.work(&format!("serve in section {number}"));
                number
            });
            vec![table]
        };
        let brought = first_shift(vec![section(1), section(2), section(3)]);
        never(
            "`first_shift` has returned, and a robot is still at work",
            floor.at_work.get() > 0,
        );
        let plates: Vec<u32> = brought
            .into_iter()
            .map(|brought| brought.unwrap())
            .collect();
        say(format!("{plates:?} have been carried"));
        never(
            "the results are not in the order of the sections",
            plates != [1, 2, 3],
        );
    });
    let most = most.load(SeqCst);
    assert!(
        most == 3,
        "three robots have been hired, and in no order of steps were all of them at work at once, but at most {most}. A \
         robot that is joined before the next one is spawned works alone. Spawn them all first."
    );
}

#[test]
fn a_robot_has_its_section_to_itself() {
    let check = every_order("two tables in each section");
    check.check(|| {
        let section = |number: u32| {
            let served = Arc::new(Shared::new(0).called(format!("section {number}")));
            let table = |place: u32| {
                let served = Arc::clone(&served);
                Table::new(move |_| {
                    step(format!("serves table {place} of section {number}"));
                    never(
                        "a robot does not serve its tables one after the other",
                        served.write(|served| {
                            *served += 1;
                            *served
                        }) != place,
                    );
                    place
                })
            };
            vec![table(1), table(2)]
        };
        let brought = first_shift(vec![section(1), section(2)]);
        let plates: Vec<u32> = brought
            .into_iter()
            .map(|brought| brought.unwrap())
            .collect();
        never("two sections, 3 plates each", plates != [3, 3]);
    });
}

/// The same without a checker: these are threads of the operating system, and as many as there are sections.
#[test]
fn a_robot_for_every_section() {
    const SECTIONS: u32 = 40;
    let ended = for_real("40 sections", || {
        // How many have come; and whether somebody has waited in vain, so that nobody else does.
        let door = Arc::new((Mutex::new((0, false)), Condvar::new()));
        let section = |number: u32| {
            let door = Arc::clone(&door);
            let table = Table::new(move |_| {
                let (state, bell) = &*door;
                let mut state = state.lock().unwrap();
                state.0 += 1;
                bell.notify_all();
                let not_all = |state: &mut (u32, bool)| state.0 < SECTIONS && !state.1;
                let (mut state, _) = bell
                    .wait_timeout_while(state, PATIENCE / 2, not_all)
                    .unwrap();
                if state.0 < SECTIONS {
                    state.1 = true;
                    let why = "there are 40 sections, and never as many robots at work at once";
                    drop(state);
                    resume_unwind(Box::new(why));
                }
                number
            });
            vec![table]
        };
        first_shift((0..SECTIONS).map(section).collect())
    });
    let plates: Vec<u32> = ended
        .unwrap_or_else(|panic| panic!("`first_shift` panics: {}", words(&*panic)))
        .into_iter()
        .map(|brought| brought.unwrap_or_else(|panic| panic!("{}", words(&*panic))))
        .collect();
    assert!(
        plates.iter().copied().eq(0..SECTIONS),
        "the results are not in the order of the sections: {plates:?}"
    );
}

// ---- Breakdowns ---------------------------------------------------------------------------------

/// A robot that serves here breaks down.
fn gas_is_off(section: usize) -> Table {
    // Quieter than `panic!`: this one is planned.
    Table::new(move |_| resume_unwind(Box::new(format!("the gas is off in section {section}"))))
}

#[test]
fn a_breakdown_is_reported_and_takes_nobody_with_it() {
    for broken in [vec![0], vec![1], vec![2], vec![0, 2], vec![0, 1, 2]] {
        let breaks_down = broken.clone();
        let ended = for_real("a robot that breaks down", move || {
            let section = |number: usize| match breaks_down.contains(&number) {
                true => vec![table(1), gas_is_off(number)],
                false => vec![table(10), table(number as u32)],
            };
            first_shift((0..3).map(section).collect())
        });
        let brought = match ended {
            Ok(brought) => brought,
            Err(panic) => panic!(
                "the robots of sections {broken:?} break down, and `first_shift` panics with {:?}. `join` returns the \
                 panic of a robot as an `Err`; hand it on as it is, and the work of the others is not lost.",
                words(&*panic)
            ),
        };
        assert!(
            brought.len() == 3,
            "the robots of sections {broken:?} break down, and for three sections there are {} results: whoever reads \
             them cannot tell who it was, and the work of others may be lost.",
            brought.len()
        );
        for (number, result) in brought.into_iter().enumerate() {
            match result {
                Ok(plates) => assert!(
                    !broken.contains(&number) && plates == 10 + number as u32,
                    "the robots of sections {broken:?} break down, and section {number} is said to have carried {plates} plates"
                ),
                Err(panic) => assert!(
                    broken.contains(&number)
                        && words(&*panic).contains(&format!("section {number}")),
                    "the robots of sections {broken:?} break down, and the result of section {number} is an `Err` that says {:?}",
                    words(&*panic)
                ),
            }
        }
    }
}

/// A panic that is no text.
struct TooMuch;

#[test]
fn who_has_broken_down_serves_nobody_any_more() {
    let served = Arc::new(AtomicU32::new(0));
    let (first, second) = (Arc::clone(&served), Arc::clone(&served));
    let ended = for_real(
        "a robot that breaks down at the first of two tables",
        move || {
            let again = AtomicBool::new(false);
            let once_too_much = Table::new(move |_| {
                first.fetch_add(1, SeqCst);
                match again.swap(true, SeqCst) {
                    false => resume_unwind(Box::new(TooMuch)),
                    true => 3,
                }
            });
            let table = Table::new(move |_| second.fetch_add(1, SeqCst));
            first_shift(vec![vec![once_too_much, table]])
        },
    );
    let brought = ended.map_or(Vec::new(), |brought| brought);
    assert!(
        matches!(&brought[..], [Err(panic)] if panic.is::<TooMuch>()),
        "a robot breaks down at its first table, with a panic that is no text, and its result is not that panic. What \
         `join` returns is the panic itself: hand it on as it is"
    );
    // Whoever still serves is seen as well: as long as somebody does, the tables are there.
    let began = Instant::now();
    while Arc::strong_count(&served) > 1 && began.elapsed() < PATIENCE {
        std::thread::yield_now();
    }
    let served = served.load(SeqCst);
    assert!(
        served == 1,
        "a robot has broken down at the first of its two tables, and after that it has served {} more: a panic ends the robot's \
         work",
        served - 1
    );
}

// ---- Taking stock -------------------------------------------------------------------------------

#[test]
fn both_count_all_tables() {
    let check = every_order("taking stock");
    check.check(|| {
        let table = |chairs: u32, forks: u32| {
            Table::new(move |act| match act {
                Act::CountChairs => chairs,
                Act::CountForks => forks,
                Act::Serve => {
                    never("nobody is served before the door opens", true);
                    0
                }
            })
        };
        let tables = [table(4, 8), table(2, 6), table(6, 11)];
        let counted = counts(take_stock(&tables));
        say(format!("{counted:?} have been counted"));
        never(
            "there are 12 chairs and 25 forks, and the counts are others",
            counted != (12, 25),
        );
        never("nothing is in no room", counts(take_stock(&[])) != (0, 0));
    });
}

#[test]
fn they_count_side_by_side() {
    let most = Arc::new(AtomicU32::new(0));
    let check = every_order("two robots count at once");
    let floors = Arc::clone(&most);
    check.check(move || {
        let floor = Floor::new(&floors);
        let table = |_| {
            let here = Arc::clone(&floor);
            Table::new(move |act| {
                here.work(match act {
                    Act::CountChairs => "count chairs",
                    Act::CountForks => "count forks",
                    Act::Serve => "serve",
                });
                1
            })
        };
        counts(take_stock(&[1, 2].map(table)));
        never(
            "`take_stock` has returned, and a robot still counts",
            floor.at_work.get() > 0,
        );
    });
    let most = most.load(SeqCst);
    assert!(
        most <= 2,
        "{most} robots have counted at the same time. GreetBot counts the chairs of all tables, one table after the other, and \
         WaitBot the forks: two robots are all there are."
    );
    assert!(
        most == 2,
        "in no order of steps did GreetBot and WaitBot count at the same time. A robot that is joined before the next \
         one is spawned works alone, and a scope joins all its robots when it ends. Spawn both in one scope, then join."
    );
}

/// Nobody breaks down here.
fn counts((chairs, forks): (Result<u32>, Result<u32>)) -> (u32, u32) {
    (chairs.unwrap(), forks.unwrap())
}

#[test]
fn a_count_is_neither_made_up_nor_lost() {
    for breaks_down in [Act::CountChairs, Act::CountForks] {
        let ended = for_real("a robot that cannot count", move || {
            let gas_is_off = gas_is_off(0);
            take_stock(&[Table::new(move |act| match act {
                act if act == breaks_down => gas_is_off.serve(),
                _ => 5,
            })])
        });
        let (chairs, forks) = ended.unwrap_or_else(|panic| {
            panic!(
                "a robot breaks down ({breaks_down:?}), and `take_stock` panics with {:?}. `join` returns the panic of a \
                 robot as an `Err`; hand it on as it is, and what the other has counted is not lost.",
                words(&*panic)
            )
        });
        let (broken, other) = match breaks_down {
            Act::CountChairs => (chairs, forks),
            _ => (forks, chairs),
        };
        assert!(
            other.is_ok_and(|count| count == 5),
            "a robot breaks down ({breaks_down:?}), and what the other has counted is lost"
        );
        match broken {
            Ok(count) => {
                panic!("a robot breaks down ({breaks_down:?}), and its count is said to be {count}")
            }
            Err(panic) => assert!(
                words(&*panic).contains("the gas is off"),
                "a robot breaks down ({breaks_down:?}), and its `Err` says {:?}",
                words(&*panic)
            ),
        }
    }
}

// ---- Without a checker --------------------------------------------------------------------------

/// Does `job` on a thread of its own, with an end to the wait.
fn for_real<T: Send + 'static>(what: &str, job: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let (done, end) = channel();
    std::thread::spawn(move || done.send(catch_unwind(AssertUnwindSafe(job))));
    let ended = end.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        let seconds = PATIENCE.as_secs();
        // Past the harness, which keeps the words of a test until it ends.
        let _ = writeln!(
            std::io::stderr(),
            "{what}: after {seconds} seconds this has not ended. Does somebody wait for a robot that has broken down?"
        );
        std::process::exit(DID_NOT_END)
    });
    if let Err(panic) = &ended {
        let words = words(&**panic);
        assert!(!words.starts_with("not yet implemented"), "{words}");
    }
    ended
}

/// What a panic says.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()))
        .unwrap_or_else(|| "something that is no text".into())
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
