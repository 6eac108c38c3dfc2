//! What `block_on` owes a future. Where somebody else rings, the tests run the robots in every order of steps.
//!
//! Nothing here depends on how fast your computer is: a future is ready when it has been rung for.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};

use exercise_10::block_on;
use whatif::sync::{Arc, Mutex};
use whatif::{Checker, never, say, thread};

/// More orders of steps are not tried. A right answer has a few hundred.
const MOST_ORDERS: usize = 1_500;
/// Nobody needs more steps than this for a few guests.
const MOST_STEPS: u64 = 300;

/// A check that takes nothing but a proof.
fn every_order(of: &str) -> Checker {
    let check = Checker::new(of).max_runs(MOST_ORDERS);
    check.max_steps(MOST_STEPS).to_the_end()
}

/// LoopBot alone: there is one order of steps.
fn alone(of: &str, f: impl Fn() + Send + Sync + 'static) {
    let f = Arc::new(f);
    every_order(of).shares_nothing().check(move || {
        let f = f.clone();
        robot("LoopBot", move || f()).join().unwrap();
    });
}

// ---- At the door --------------------------------------------------------------------------------

/// A door: guests ring, and a future waits for so many of them.
#[derive(Clone)]
struct Door(Arc<AtTheDoor>);

struct AtTheDoor {
    state: Mutex<State>,
    /// For the rules of this test only.
    rings: AtomicU32,
    polls: AtomicU32,
}

#[derive(Default)]
struct State {
    guests: u32,
    waker: Option<Waker>,
}

/// The future: ready when so many guests have come.
struct Guests {
    door: Door,
    wanted: u32,
}

impl Door {
    fn new() -> Door {
        Door(Arc::new(AtTheDoor {
            state: Mutex::new(State::default()).called("the door"),
            rings: AtomicU32::new(0),
            polls: AtomicU32::new(0),
        }))
    }

    fn guests(&self, wanted: u32) -> Guests {
        let door = self.clone();
        Guests { door, wanted }
    }

    /// A guest comes, and rings if somebody has left a bell.
    fn guest_comes(&self) {
        let waker = {
            let mut state = self.0.state.lock().unwrap();
            state.guests += 1;
            state.waker.take()
        };
        say(match waker {
            Some(_) => "comes, and rings",
            None => "comes, and finds no bell",
        });
        if let Some(waker) = waker {
            self.0.rings.fetch_add(1, SeqCst);
            waker.wake();
        }
    }
}

impl Future for Guests {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
        let door = &self.door.0;
        let polls = door.polls.fetch_add(1, SeqCst);
        let mut state = door.state.lock().unwrap();
        if state.guests >= self.wanted {
            say("polls: everybody is there");
            return Poll::Ready(state.guests);
        }
        say(format!(
            "polls: {} of {}, Pending",
            state.guests, self.wanted
        ));
        never(
            "LoopBot polls, and nobody has rung. While there is nothing to do it has to sleep. A Condvar may wake it unasked: \
             then it has to lie down again (`while`, not `if`). And many rings before a poll are one: they say no more than \
             \"look again\"",
            polls > door.rings.load(SeqCst),
        );
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

fn robot<T: Send + 'static>(
    name: &str,
    job: impl FnOnce() -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    thread::Builder::new()
        .name(name.into())
        .spawn(job)
        .expect("a thread for each robot")
}

fn expect_guests(came: u32, wanted: u32) {
    never(
        "`block_on` returns something else than its future made",
        came != wanted,
    );
}

/// A future that says Pending in so many polls, and in each rings its own bell so many times.
struct GivesWay {
    polls: u32,
    rings: u32,
}

impl Future for GivesWay {
    type Output = &'static str;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<&'static str> {
        if self.polls == 0 {
            say("polls: ready");
            return Poll::Ready("done");
        }
        self.polls -= 1;
        say(match self.rings {
            1 => "polls: Pending, and it has rung already, in the poll",
            _ => "polls: Pending, and it has rung several times, in the poll",
        });
        (0..self.rings).for_each(|_| cx.waker().wake_by_ref());
        Poll::Pending
    }
}

// ---- What it owes -------------------------------------------------------------------------------

#[test]
fn ready_at_once() {
    alone("a future that is ready at once", || {
        never(
            "`block_on` returns something else than its future made",
            block_on(async { 6 * 7 }) != 42,
        );
        // It may borrow from where `block_on` is called, and hold what must not leave this thread.
        let tips = Rc::new(Cell::new(3));
        let name = String::from("Chen");
        let thanks = block_on(async {
            tips.set(tips.get() + 1);
            format!("thank you, {name}")
        });
        never(
            "`block_on` returns something else than its future made",
            thanks != "thank you, Chen" || tips.get() != 4,
        );
        let holds = tips.clone();
        block_on(std::future::poll_fn(move |_| Poll::Ready(holds.get())));
        never(
            "`block_on` has returned, and its future is still there: what it holds is never given back",
            Rc::strong_count(&tips) > 1,
        );
    });
}

#[test]
fn rung_in_the_poll() {
    alone("the bell is rung in the middle of the poll", || {
        for (polls, rings) in [(1, 1), (2, 1), (5, 1), (1, 2), (2, 3)] {
            never(
                "`block_on` returns something else than its future made",
                block_on(GivesWay { polls, rings }) != "done",
            );
        }
    });
}

#[test]
fn one_guest() {
    every_order("a guest comes, and LoopBot waits for one").check(|| {
        let door = Door::new();
        let waits = door.guests(1);
        let loopbot = robot("LoopBot", move || block_on(waits));
        let guest = robot("the guest", move || door.guest_comes());
        expect_guests(loopbot.join().unwrap(), 1);
        guest.join().unwrap();
    });
}

#[test]
fn two_guests() {
    every_order("two guests come, and LoopBot waits for both").check(|| {
        let door = Door::new();
        let waits = door.guests(2);
        let loopbot = robot("LoopBot", move || block_on(waits));
        let guests = robot("the guest", move || {
            door.guest_comes();
            door.guest_comes();
        });
        expect_guests(loopbot.join().unwrap(), 2);
        guests.join().unwrap();
    });
}

#[test]
fn one_await_after_the_other() {
    every_order("an async fn that waits at two doors").check(|| {
        let (front, back) = (Door::new(), Door::new());
        let (at_front, at_back) = (front.guests(1), back.guests(1));
        let loopbot = robot("LoopBot", move || {
            block_on(async { at_front.await + at_back.await })
        });
        let supplier = robot("the supplier", move || {
            back.guest_comes();
            front.guest_comes();
        });
        expect_guests(loopbot.join().unwrap(), 2);
        supplier.join().unwrap();
    });
}

#[test]
fn many_rings_are_one_poll() {
    every_order("three rings in one poll, and then LoopBot waits for a guest").check(|| {
        let door = Door::new();
        let waits = door.guests(1);
        let loopbot = robot("LoopBot", move || {
            block_on(async {
                GivesWay { polls: 1, rings: 3 }.await;
                waits.await
            })
        });
        let guest = robot("the guest", move || door.guest_comes());
        expect_guests(loopbot.join().unwrap(), 1);
        guest.join().unwrap();
    });
}

#[test]
fn rung_after_the_end() {
    alone("somebody rings when it is all over", || {
        let kept = RefCell::new(None);
        block_on(async {
            let keep = |cx: &mut Context<'_>| {
                kept.replace(Some(cx.waker().clone()));
                Poll::Ready(())
            };
            std::future::poll_fn(keep).await
        });
        let waker = kept.take().expect("it was polled");
        waker.wake_by_ref();
        never(
            "`block_on` returns something else than its future made",
            block_on(GivesWay { polls: 1, rings: 1 }) != "done",
        );
        waker.wake();
    });
}

#[test]
fn a_future_that_panics() {
    alone("a future panics", || {
        // It has rung before. Whoever keeps the panic back and asks again hears of it, and so does whoever goes to sleep.
        let mut polls = 0;
        let panics = std::future::poll_fn(|cx: &mut Context<'_>| -> Poll<()> {
            polls += 1;
            never(
                "the future has panicked, and `block_on` polls it again",
                polls > 1,
            );
            cx.waker().wake_by_ref();
            say("panics in its poll");
            std::panic::resume_unwind(Box::new("the future's own panic"));
        });
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| block_on(panics)));
        let words = ended.err().and_then(|panic| panic.downcast::<&str>().ok());
        never(
            "the future panics, and `block_on` keeps the panic back. It belongs to whoever called `block_on`",
            words.is_none_or(|words| *words != "the future's own panic"),
        );
    });
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
