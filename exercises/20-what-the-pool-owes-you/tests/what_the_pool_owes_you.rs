//! What a pool owes to those who hand over work. The tests run the robots in every order of steps.

use std::panic::resume_unwind;
use std::time::Duration;

use exercise_20::{Cancel, Pool, Ticket, Work};
use whatif::sync::{Arc, Barrier, Condvar, Mutex};
use whatif::{Checker, never, say, thread};

/// More orders of steps are not tried. Those with the fewest preemptions come first.
const MOST_ORDERS: usize = 1_500;
/// Nobody needs more steps than this.
const MOST_STEPS: u64 = 400;
/// If there are that many orders, somebody waits for the verdict.
const PATIENCE: Duration = Duration::from_secs(2);

fn every_order(of: &str) -> Checker {
    Checker::new(of)
        .max_runs(MOST_ORDERS)
        .max_steps(MOST_STEPS)
        .time_limit(PATIENCE)
}

/// Which jobs have been done, in the order in which they began. Keeping it is no step: nobody can be in its way.
#[derive(Clone, Default)]
struct Done(Arc<std::sync::Mutex<Vec<&'static str>>>);

impl Done {
    /// A job that says its name.
    fn job(&self, name: &'static str) -> Work {
        self.job_that(name, || ())
    }

    /// A job that says its name, and then does something.
    fn job_that(&self, name: &'static str, then: impl FnOnce() + Send + 'static) -> Work {
        let done = self.clone();
        Box::new(move || {
            say(format!("begins {name}"));
            done.0.lock().unwrap().push(name);
            then();
        })
    }

    fn all(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }

    /// After the pool was closed: these, and in this order.
    fn expect(&self, names: &[&str]) {
        let all = self.all();
        for name in names {
            let times = all.iter().filter(|done| done == &name).count();
            never(
                "`close` has returned, and a job that was handed over is not done. What is in the queue is still owed",
                times == 0,
            );
            never("a job is done twice", times > 1);
        }
        never(
            "a job is done that was not handed over, or was cancelled",
            all.len() > names.len(),
        );
        never(
            "a job overtakes another one: the oldest comes first",
            all != names,
        );
    }

    /// After the only job was cancelled, and the pool was closed.
    fn expect_the_truth(&self, cancel: Cancel) {
        let was_done = !self.all().is_empty();
        never(
            "`cancel` says Removed, and the job was done all the same",
            cancel == Cancel::Removed && was_done,
        );
        never(
            "`cancel` says TooLate, and the job was never done",
            cancel == Cancel::TooLate && !was_done,
        );
    }
}

/// A door that is opened once. A job that stands before it is being done for as long as the test likes.
#[derive(Clone)]
struct Door(Arc<(Mutex<(bool, bool)>, Condvar)>);

impl Door {
    fn closed() -> Door {
        let state = Mutex::new((false, false)).called("the cellar door");
        Door(Arc::new((state, Condvar::new().called("the cellar door"))))
    }

    /// For a job: says that it is here, and waits until the door is open.
    fn pass(&self) {
        let (state, bell) = &*self.0;
        let mut state = state.lock().unwrap();
        state.0 = true;
        bell.notify_all();
        drop(bell.wait_while(state, |state| !state.1).unwrap());
    }

    /// For the test: waits until a job is here.
    fn somebody_is_here(&self) {
        let (state, bell) = &*self.0;
        drop(
            bell.wait_while(state.lock().unwrap(), |state| !state.0)
                .unwrap(),
        );
    }

    fn open(&self) {
        let (state, bell) = &*self.0;
        state.lock().unwrap().1 = true;
        bell.notify_all();
    }
}

#[track_caller]
fn handed_over(pool: &Pool, work: Work) -> Ticket {
    let submitted = pool.submit(work);
    never(
        "there is room in the queue, and `submit` gives the job back",
        submitted.is_err(),
    );
    submitted.unwrap_or_else(|_| unreachable!())
}

/// A pool with one robot, which is busy with a job that stands before the door.
fn busy(room: usize, done: &Done) -> (Pool, Door, Ticket) {
    let (pool, door) = (Pool::open(1, room), Door::closed());
    let behind = door.clone();
    let ticket = handed_over(&pool, done.job_that("the cellar", move || behind.pass()));
    door.somebody_is_here();
    (pool, door, ticket)
}

#[test]
fn a_job_is_done() {
    every_order("one robot, one job").check(|| {
        let done = Done::default();
        let pool = Pool::open(1, 1);
        drop(handed_over(&pool, done.job("soup"))); // Throwing a ticket away changes nothing.
        never(
            "`close` counts a panic, and nothing has panicked",
            pool.close() != 0,
        );
        done.expect(&["soup"]);
    });
}

/// A robot that naps and looks, or looks again and again, can do so any number of times, and so there would be no end of
/// orders. One that sleeps at a bell takes no step until somebody rings.
#[test]
fn who_has_nothing_to_do_sleeps() {
    every_order("one robot, and nothing to do")
        .to_the_end()
        .check(|| {
            let pool = Pool::open(1, 1);
            never(
                "`close` counts a panic, and nothing has panicked",
                pool.close() != 0,
            );
        });
}

#[test]
fn robots_with_nothing_to_do_go_home() {
    every_order("two robots, and nothing to do").check(|| {
        never(
            "`close` counts a panic, and nothing has panicked",
            Pool::open(2, 1).close() != 0,
        );
    });
}

/// The evening waits for both jobs, too, before it closes the pool: `close` rings, and that comes too late.
#[test]
fn two_robots_work_at_the_same_time() {
    every_order("two robots, two jobs that need each other").check(|| {
        let done = Done::default();
        let pool = Pool::open(2, 2);
        let all = Arc::new(Barrier::new(3).called("the other job"));
        for name in ["soup", "fish"] {
            let others = Arc::clone(&all);
            drop(handed_over(
                &pool,
                done.job_that(name, move || {
                    others.wait();
                }),
            ));
        }
        all.wait();
        pool.close();
        never(
            "two jobs were handed over, and not both are done",
            done.all().len() != 2,
        );
    });
}

/// Two at the same time look whether there is room.
#[test]
fn one_place_is_given_away_once() {
    every_order("two who hand over a job, and room for one").check(|| {
        let done = Done::default();
        let (pool, door, _) = busy(1, &done);
        let (pool, theirs) = (Arc::new(pool), done.job("soup"));
        let other = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || pool.submit(theirs).is_ok())
        };
        let mine = pool.submit(done.job("fish")).is_ok();
        let theirs = other.join().expect("`submit` does not panic");
        never(
            "there is room for one job in the queue, and two were taken in: somebody else comes between looking and putting it in",
            mine && theirs,
        );
        never(
            "there is room for one job in the queue, and none of two was taken in",
            !mine && !theirs,
        );
        door.open();
        let pool = Arc::into_inner(pool).expect("the other one has gone");
        pool.close();
        done.expect(&["the cellar", if mine { "fish" } else { "soup" }]);
    });
}

#[test]
fn a_full_queue_says_so() {
    every_order("one robot, and no room at all").check(|| {
        let (done, pool) = (Done::default(), Pool::open(1, 0));
        let taken_in = pool.submit(done.job("soup")).is_ok();
        never(
            "there is room for no job at all, and one was taken in",
            taken_in,
        );
        pool.close();
        done.expect(&[]);
    });
    every_order("one robot, and room for one job").check(|| {
        let done = Done::default();
        let (pool, door, _) = busy(1, &done);
        drop(handed_over(&pool, done.job("soup")));
        say("hands over a job to a full queue; the robot cannot go on before this returns");
        match pool.submit(done.job("fish")) {
            Ok(_) => never("one job is being done, one waits, there is room for one: the third one has no place", true),
            Err(back) => back(),
        }
        never("another job comes back than was handed over", done.all().last() != Some(&"fish"));
        door.open();
        pool.close();
        done.expect(&["the cellar", "fish", "soup"]);
    });
}

#[test]
fn the_oldest_comes_first() {
    every_order("one robot, and two jobs that wait").check(|| {
        let done = Done::default();
        let (pool, door, _) = busy(2, &done);
        drop(handed_over(&pool, done.job("soup")));
        drop(handed_over(&pool, done.job("fish")));
        door.open();
        pool.close();
        done.expect(&["the cellar", "soup", "fish"]);
    });
}

#[test]
fn a_panic_ends_a_job_and_nothing_else() {
    every_order("a job that panics").check(|| {
        let done = Done::default();
        let pool = Pool::open(1, 2);
        let breaks = done.job_that("the bottle", || {
            resume_unwind(Box::new("the bottle breaks"))
        });
        drop(handed_over(&pool, breaks));
        drop(handed_over(&pool, done.job("soup")));
        let panicked = pool.close();
        done.expect(&["the bottle", "soup"]);
        never(
            "one job has panicked, and `close` says something else: nobody will ever hear of it",
            panicked != 1,
        );
    });
}

/// Two robots count at the same time.
#[test]
fn every_panic_is_counted() {
    every_order("two jobs that panic").check(|| {
        let done = Done::default();
        let pool = Pool::open(2, 2);
        for name in ["the bottle", "the glass"] {
            let breaks = move || resume_unwind(Box::new("it breaks"));
            drop(handed_over(&pool, done.job_that(name, breaks)));
        }
        never(
            "two jobs have panicked, and `close` says something else. Two robots may count at the same time, and both have to \
             be at home before anybody asks how many there were",
            pool.close() != 2,
        );
    });
}

#[test]
fn what_waits_can_be_cancelled() {
    every_order("cancelling what waits").check(|| {
        let done = Done::default();
        let (pool, door, cellar) = busy(5, &done);
        let five = ["soup", "fish", "bread", "cake", "rice"];
        let [soup, fish, bread, cake, rice] = five.map(|name| handed_over(&pool, done.job(name)));
        for ticket in [fish, cake] {
            never(
                "the job was not begun, and `cancel` says TooLate",
                ticket.cancel() == Cancel::TooLate,
            );
        }
        for name in ["tea", "milk"] {
            never(
                "a job was taken out of the queue, and its place is not free",
                pool.submit(done.job(name)).is_err(),
            );
        }
        never(
            "the queue has room for five, five are waiting in it, and another one was taken in",
            pool.submit(done.job("wine")).is_ok(),
        );
        never(
            "the job is being done, and `cancel` says Removed",
            cellar.cancel() == Cancel::Removed,
        );
        door.open();
        pool.close();
        let all = done.all();
        never(
            "`cancel` says Removed, and the job was done all the same",
            all.contains(&"fish") || all.contains(&"cake"),
        );
        done.expect(&["the cellar", "soup", "bread", "rice", "tea", "milk"]);
        for ticket in [soup, bread, rice] {
            never(
                "the job is over, and `cancel` says Removed",
                ticket.cancel() == Cancel::Removed,
            );
        }
    });
}

/// The robot takes the job, or the ticket does. All that they touch is yours.
#[test]
fn cancelling_tells_the_truth() {
    every_order("cancelled in the moment in which it is begun").check(|| {
        let done = Done::default();
        let pool = Pool::open(1, 1);
        let ticket = handed_over(&pool, done.job("soup"));
        let cancel = ticket.cancel();
        pool.close();
        done.expect_the_truth(cancel);
    });
    every_order("cancelled while the pool closes").check(|| {
        let done = Done::default();
        let pool = Pool::open(1, 1);
        let ticket = handed_over(&pool, done.job("soup"));
        let closes = thread::spawn(move || pool.close());
        let cancel = ticket.cancel();
        closes.join().expect("`close` does not panic");
        done.expect_the_truth(cancel);
    });
}

/// Both jobs wait, and the only robot is busy until both have been cancelled.
#[test]
fn two_cancel_at_the_same_time() {
    every_order("two who cancel at the same time").check(|| {
        let done = Done::default();
        let (pool, door, _) = busy(3, &done);
        let [soup, fish, _] = ["soup", "fish", "bread"].map(|it| handed_over(&pool, done.job(it)));
        let other = thread::spawn(move || soup.cancel());
        let (mine, theirs) = (fish.cancel(), other.join().expect("`cancel` does not panic"));
        never(
            "two jobs wait in the queue, two tickets cancel them at the same time, and one of them hears TooLate. Wait for \
             the lock if somebody else has it, and do not let go of it before the queue is whole again",
            mine == Cancel::TooLate || theirs == Cancel::TooLate,
        );
        door.open();
        pool.close();
        done.expect(&["the cellar", "bread"]);
    });
}

/// Closing does not make a job begin. What waits can be cancelled as long as it waits.
#[test]
fn what_waits_can_be_cancelled_while_the_pool_closes() {
    every_order("cancelling while the pool closes").check(|| {
        let done = Done::default();
        let (pool, door, _) = busy(3, &done);
        let soup = Door::closed();
        let before = soup.clone();
        drop(handed_over(&pool, done.job_that("soup", move || before.pass())));
        let fish = handed_over(&pool, done.job("fish"));
        drop(handed_over(&pool, done.job("bread")));
        let closes = thread::spawn(move || pool.close());
        door.open();
        soup.somebody_is_here();
        say("the only robot stands at the soup");
        never(
            "the pool is closing, the job waits behind another one, and `cancel` says TooLate. It was not begun: closing does \
             not change that, and a robot takes one job at a time",
            fish.cancel() == Cancel::TooLate,
        );
        soup.open();
        never(
            "`close` counts a panic, and nothing has panicked",
            closes.join().expect("`close` does not panic") != 0,
        );
        done.expect(&["the cellar", "soup", "bread"]);
    });
}

/// What a job owns, it drops; and that may be anything, a ticket of the same pool as well.
struct CancelsWhenDropped(Option<Ticket>);

impl Drop for CancelsWhenDropped {
    fn drop(&mut self) {
        say("drops what the job owned, or what its panic carried: that cancels another job");
        let _ = self.0.take().map(Ticket::cancel);
    }
}

#[test]
fn a_job_that_is_dropped_may_call_the_pool() {
    every_order("a job that owns the ticket of another one").check(|| {
        let done = Done::default();
        let (pool, door, _) = busy(2, &done);
        let soup = handed_over(&pool, done.job("soup"));
        let owns = CancelsWhenDropped(Some(soup));
        let fish = handed_over(&pool, done.job_that("fish", move || drop(owns)));
        never(
            "the job was not begun, and `cancel` says TooLate",
            fish.cancel() == Cancel::TooLate,
        );
        door.open();
        pool.close();
        done.expect(&["the cellar"]);
    });
}

/// So does what a panic carries, and it is no text here.
#[test]
fn what_a_panic_carries_may_call_the_pool() {
    every_order("a panic that carries the ticket of another job").check(|| {
        let done = Done::default();
        let (pool, door, _) = busy(3, &done);
        let soup = handed_over(&pool, done.job("soup"));
        let carries = CancelsWhenDropped(Some(soup));
        drop(handed_over(
            &pool,
            done.job_that("the bottle", move || resume_unwind(Box::new(carries))),
        ));
        drop(handed_over(&pool, done.job("fish")));
        door.open();
        let panicked = pool.close();
        done.expect(&["the cellar", "soup", "the bottle", "fish"]);
        never(
            "one job has panicked, with something that is no text, and `close` says something else: nobody will ever hear of it",
            panicked != 1,
        );
    });
}

#[test]
fn a_job_may_hand_over_a_job() {
    every_order("a job that hands over a job").check(|| {
        let done = Done::default();
        let (pool, said) = (Arc::new(Pool::open(1, 1)), Door::closed());
        let (inner, fish, told) = (Arc::clone(&pool), done.job("fish"), said.clone());
        let hand_over = move || {
            drop(handed_over(&inner, fish));
            drop(inner);
            told.open();
        };
        drop(handed_over(&pool, done.job_that("soup", hand_over)));
        said.pass();
        let pool = Arc::into_inner(pool).expect("the job has dropped its copy");
        pool.close();
        done.expect(&["soup", "fish"]);
    });
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
