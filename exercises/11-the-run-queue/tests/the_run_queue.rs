//! What the run queue owes its tasks. Where somebody else rings, the tests run the robots in every order of steps.
//!
//! Nothing here depends on how fast your computer is: a task is ready when it has been rung for.

use std::pin::Pin;
use std::sync::Mutex as Plain;
use std::task::{Context, Poll, Waker};

use exercise_11::RunQueue;
use whatif::sync::{Arc, Mutex};
use whatif::{Checker, never, say, thread};

/// More orders of steps are not tried. A right answer has a few hundred.
const MOST_ORDERS: usize = 1_500;
/// Nobody needs more steps than this for a few tasks.
const MOST_STEPS: u64 = 200;

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

fn robot<T: Send + 'static>(
    name: &str,
    job: impl FnOnce() -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    thread::Builder::new()
        .name(name.into())
        .spawn(job)
        .expect("a thread for each robot")
}

// ---- Tables -------------------------------------------------------------------------------------

/// Who was polled, in this order.
#[derive(Clone, Default)]
struct Book(Arc<Plain<Vec<&'static str>>>);

impl Book {
    /// What was written since the last look.
    fn read(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn expect(&self, rule: &str, right: &[&str]) {
        let polled = self.read();
        never(
            &format!("{rule}: should be polled {right:?}, and it is {polled:?}"),
            polled != right,
        );
    }
}

/// A table. Its future stays pending until the table has been called so often; each poll is in the book.
#[derive(Clone)]
struct Table {
    name: &'static str,
    book: Book,
    state: Arc<Mutex<State>>,
}

struct State {
    calls: u32,
    waker: Option<Waker>,
    is_over: bool,
}

struct Serve {
    table: Table,
    calls: u32,
    /// Rings its own bell in each poll.
    chatty: bool,
    /// Its last part goes when the future goes.
    _end: Option<AtTheEnd>,
}

struct AtTheEnd(Arc<Plain<bool>>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        *self.0.lock().unwrap() = true;
    }
}

impl Table {
    fn new(name: &'static str, book: &Book) -> Table {
        let book = book.clone();
        let state = State {
            calls: 0,
            waker: None,
            is_over: false,
        };
        let state = Arc::new(Mutex::new(state).called(name));
        Table { name, book, state }
    }

    /// Its future.
    fn serve(&self, calls: u32) -> Serve {
        Serve {
            table: self.clone(),
            calls,
            chatty: false,
            _end: None,
        }
    }

    /// The bell that its future has left in its last poll. It stays there.
    fn waker(&self) -> Waker {
        let waker = self.state.lock().unwrap().waker.clone();
        waker.unwrap_or_else(|| {
            never(&format!("{} was never polled", self.name), true);
            unreachable!()
        })
    }

    fn is_over(&self) -> bool {
        self.state.lock().unwrap().is_over
    }

    /// The table has something for LoopBot, and rings if a bell was left.
    fn call(&self) {
        let waker = {
            let mut state = self.state.lock().unwrap();
            state.calls += 1;
            state.waker.clone()
        };
        let bell = if waker.is_some() {
            "rings"
        } else {
            "finds no bell"
        };
        say(format!("{bell} for {}", self.name));
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Future for Serve {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Table { name, book, state } = &self.table;
        book.0.lock().unwrap().push(name);
        let mut state = state.lock().unwrap();
        let ready = state.calls >= self.calls;
        say(format!(
            "polls {name}: {}",
            if ready { "ready" } else { "pending" }
        ));
        if ready {
            state.is_over = true;
            return Poll::Ready(());
        }
        state.waker = Some(cx.waker().clone());
        if self.chatty {
            state.calls += 1;
            drop(state);
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

// ---- What it owes -------------------------------------------------------------------------------

#[test]
fn spawned_and_served() {
    alone("three tables, all ready", || {
        let (queue, book) = (RunQueue::default(), Book::default());
        for name in ["table 1", "table 2", "table 3"] {
            queue.spawn(Table::new(name, &book).serve(0));
        }
        book.expect("`spawn` polls nothing, `run` does", &[]);
        queue.run();
        book.expect(
            "first come, first served",
            &["table 1", "table 2", "table 3"],
        );
        queue.run();
        book.expect("a task that is over is not polled again", &[]);
    });
}

#[test]
fn only_who_was_rung_for() {
    alone("three tables wait, and one is called", || {
        let (queue, book) = (RunQueue::default(), Book::default());
        let tables = ["table 1", "table 2", "table 3"].map(|name| Table::new(name, &book));
        tables.iter().for_each(|table| queue.spawn(table.serve(1)));
        queue.run();
        book.expect(
            "each once, and then nobody is ready",
            &["table 1", "table 2", "table 3"],
        );
        queue.run();
        book.expect("nobody was rung for", &[]);
        tables[1].call();
        queue.run();
        book.expect("only who was rung for", &["table 2"]);
        tables[2].call();
        tables[0].call();
        queue.run();
        book.expect("in the order of the rings", &["table 3", "table 1"]);
    });
}

#[test]
fn many_rings_are_one_poll() {
    alone("one table is rung for three times", || {
        let (queue, book) = (RunQueue::default(), Book::default());
        let table = Table::new("table 1", &book);
        queue.spawn(table.serve(9));
        queue.run();
        book.read();
        (0..3).for_each(|_| table.call());
        queue.run();
        book.expect(
            "a task is in the queue at most once, so three rings before its turn are one poll",
            &["table 1"],
        );
        table.call();
        queue.run();
        book.expect("after its turn the next ring counts again", &["table 1"]);
    });
}

#[test]
fn who_rings_in_its_poll_goes_to_the_end() {
    alone("table 1 rings in each of its polls", || {
        let (queue, book) = (RunQueue::default(), Book::default());
        let mut chatty = Table::new("table 1", &book).serve(3);
        chatty.chatty = true;
        queue.spawn(chatty);
        queue.spawn(Table::new("table 2", &book).serve(0));
        queue.spawn(Table::new("table 3", &book).serve(0));
        queue.run();
        book.expect(
            "who rings in its own poll comes again, behind all who wait already",
            &[
                "table 1", "table 2", "table 3", "table 1", "table 1", "table 1",
            ],
        );
    });
}

#[test]
fn a_task_spawns_a_task() {
    alone("a task spawns another one", || {
        let (queue, book) = (RunQueue::default(), Book::default());
        let (inner, wine) = (queue.clone(), Table::new("the wine", &book).serve(0));
        let table = Table::new("table 1", &book).serve(0);
        queue.spawn(async move {
            inner.spawn(wine);
            table.await;
        });
        queue.run();
        book.expect("the spawned one comes after", &["table 1", "the wine"]);
    });
}

#[test]
fn rung_after_the_end() {
    alone("table 1 is rung for when it is over", || {
        let (queue, book) = (RunQueue::default(), Book::default());
        let gone = Arc::new(Plain::new(false));
        let table = Table::new("table 1", &book);
        let mut serve = table.serve(1);
        serve._end = Some(AtTheEnd(gone.clone()));
        queue.spawn(serve);
        queue.run();
        let waker = table.waker();
        table.call();
        queue.run();
        book.expect(
            "once, and again when it was rung for",
            &["table 1", "table 1"],
        );
        waker.wake_by_ref();
        queue.run();
        book.expect("a ring after the end does nothing", &[]);
        never(
            "the task is over, and its future is still there: as long as somebody has a bell of it, what it holds is not given \
             back",
            !*gone.lock().unwrap(),
        );
        waker.wake();
        queue.run();
        book.expect("a ring after the end does nothing", &[]);
    });
}

#[test]
fn two_queues() {
    alone("two run queues, each with a table", || {
        let book = Book::default();
        let queues = [RunQueue::default(), RunQueue::default()];
        let tables = ["table 1", "table 2"].map(|name| Table::new(name, &book));
        queues[0].spawn(tables[0].serve(1));
        queues[1].spawn(tables[1].serve(1));
        queues[1].run();
        book.expect("only who is in this queue", &["table 2"]);
        queues[0].run();
        book.expect("only who is in this queue", &["table 1"]);
        tables.iter().for_each(Table::call);
        queues[0].run();
        book.expect("a ring leads back into the task's own queue", &["table 1"]);
    });
}

#[test]
fn rung_by_another_robot() {
    every_order("a guest calls twice, while LoopBot serves").check(|| {
        let (queue, book) = (RunQueue::default(), Book::default());
        let table = Table::new("table 1", &book);
        queue.spawn(table.serve(2));
        let (serves, at_the_table) = (queue.clone(), table.clone());
        let loopbot = robot("LoopBot", move || serves.run());
        let guest = robot("the guest", move || {
            table.call();
            table.call();
        });
        loopbot.join().unwrap();
        guest.join().unwrap();
        // LoopBot may have gone before the last call. Now it comes back, and nobody calls any more.
        let comes_back = robot("LoopBot", move || {
            say("looks at the queue once more");
            queue.run();
        });
        comes_back.join().unwrap();
        never(
            "the guest has called twice, and the task does not know: a ring is lost, so it was not polled again",
            !at_the_table.is_over(),
        );
    });
}

#[test]
fn two_ring_at_once() {
    every_order("two guests ring for the same table").check(|| {
        let (queue, book) = (RunQueue::default(), Book::default());
        let table = Table::new("table 1", &book);
        queue.spawn(table.serve(9));
        queue.run();
        book.read();
        let guests = ["guest 1", "guest 2"].map(|name| {
            let waker = table.waker();
            robot(name, move || waker.wake())
        });
        for guest in guests {
            guest.join().unwrap();
        }
        queue.run();
        book.expect("a task is in the queue at most once", &["table 1"]);
    });
}

#[test]
fn nobody_can_ring_any_more() {
    alone(
        "table 1 waits, and nobody has a bell of it any more",
        || {
            let (queue, book) = (RunQueue::default(), Book::default());
            let gone = Arc::new(Plain::new(false));
            let table = Table::new("table 1", &book);
            let mut serve = table.serve(1);
            serve._end = Some(AtTheEnd(gone.clone()));
            queue.spawn(serve);
            queue.run();
            book.expect("once, and then it waits", &["table 1"]);
            table.state.lock().unwrap().waker = None;
            // It may be kept for as long as the run queue is.
            drop(queue);
            never(
                "the run queue is gone, and nobody has a bell of the task. It can never be polled again, and its future is still \
             there. A task that keeps itself (by a waker of its own, or one that is leaked) is never given back",
                !*gone.lock().unwrap(),
            );
        },
    );
}

#[test]
fn a_full_house() {
    let names: Vec<&'static str> = (1..=100).map(|n| &*format!("table {n}").leak()).collect();
    let check = every_order("a hundred tables").max_steps(10_000);
    check.shares_nothing().check(move || {
        let (queue, book) = (RunQueue::default(), Book::default());
        let tables: Vec<Table> = names.iter().map(|name| Table::new(name, &book)).collect();
        tables.iter().for_each(|table| queue.spawn(table.serve(1)));
        queue.run();
        never(
            "a hundred tables were spawned, and not each of them was polled once, in that order",
            book.read() != names,
        );
        tables.iter().rev().for_each(Table::call);
        queue.run();
        never(
            "a hundred tables were rung for, and not each of them was polled once, in the order of the rings",
            !book.read().iter().rev().eq(&names),
        );
    });
}

#[test]
fn one_is_over_and_another_waits() {
    alone(
        "a ring for a table that is over, and one for a table that waits",
        || {
            let (queue, book) = (RunQueue::default(), Book::default());
            let [over, waits] = ["table 1", "table 2"].map(|name| Table::new(name, &book));
            queue.spawn(over.serve(1));
            queue.spawn(waits.serve(1));
            queue.run();
            let late = over.waker();
            over.call();
            queue.run();
            book.read();
            late.wake();
            waits.call();
            queue.run();
            book.expect(
                "a ring for a task that is over stops nobody behind it",
                &["table 2"],
            );
        },
    );
}

/// Spawns something when it is dropped.
struct SpawnsAtTheEnd(RunQueue, Option<Serve>);

impl Drop for SpawnsAtTheEnd {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.0.spawn(self.1.take().expect("it is dropped once"));
        }
    }
}

#[test]
fn what_goes_with_a_future_may_spawn() {
    alone(
        "a future is over, and what goes with it spawns another one",
        || {
            let (queue, book) = (RunQueue::default(), Book::default());
            let end = SpawnsAtTheEnd(queue.clone(), Some(Table::new("the bill", &book).serve(0)));
            queue.spawn(std::future::poll_fn(move |_| {
                let _ = &end;
                Poll::Ready(())
            }));
            queue.run();
            book.expect("the spawned one comes after", &["the bill"]);
        },
    );
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
