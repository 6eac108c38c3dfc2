//! Plays the loop and the kitchen, and asks your clock by hand.
//!
//! No time passes here but the clock's own: an evening of four hours is over in a moment.

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};
use std::pin::Pin;
use std::process::exit;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use exercise_12::{Clock, Seconds, Sleep};

/// How long one test may take until we say that it hangs. It takes far less than a second if nothing waits for real.
const PATIENCE: Duration = Duration::from_secs(5);
/// The exit code of a program that noticed that it does not end; `cargo course check` knows it. The same number stands
/// in crates/whatif/src/watchdog.rs, but this exercise needs nothing besides std.
const DID_NOT_END: i32 = 124;
const FIRST_HINT: &str = "When `poll` says `Pending`, it goes home. Who will still know, later, that this bell has to be rung, and when?";

/// One test, so that you read one message: about the first promise that is not kept.
#[test]
fn the_clock_keeps_its_promises() {
    keeps("a sleep of no time is over at once", no_time_at_all);
    keeps(
        "a sleep sets a timer, and ends when the clock shows its deadline",
        one_sleep,
    );
    keeps(
        "without a timer there is nothing to go to",
        nothing_to_wait_for,
    );
    keeps("timers fire in the order of their deadlines", in_order);
    keeps(
        "equal deadlines fire in the order in which they were set",
        equal_deadlines,
    );
    keeps("never early, however often it is polled", never_early);
    keeps("the bell of the latest poll is rung, once", another_bell);
    keeps("who computes makes timers late, not lost", late);
    keeps("a sleep that is dropped is forgotten", dropped);
    keeps(
        "a timer that is taken out leaves the others alone",
        one_of_equal_deadlines_goes,
    );
    keeps("each clock has its own timers", two_clocks);
    keeps("a bell may do anything", bells_that_ask);
    keeps("an evening takes no time and no poll too many", an_evening);
}

fn no_time_at_all() {
    let kitchen = Kitchen::new();
    let mut soup = kitchen.puts_on("the soup", 0);
    kitchen.expect_over(&mut soup);
    drop(soup);
    kitchen.expect_no_timer("the only sleep was over at once");
}

fn one_sleep() {
    let kitchen = Kitchen::new();
    let mut bread = kitchen.puts_on("the bread", 8);
    kitchen.expect_pending(&mut bread);
    kitchen.expect_fires(&[]);
    kitchen.expect_advance(8);
    kitchen.expect_fires(&["the bread"]);
    kitchen.expect_over(&mut bread);
    kitchen.expect_fires(&[]);
    drop(bread);
    kitchen.expect_no_timer("the bread is out of the oven");
}

fn nothing_to_wait_for() {
    let kitchen = Kitchen::new();
    kitchen.expect_no_timer("nobody has ever slept");
    let roast = kitchen.puts_on("the roast", 40);
    kitchen.expect_no_timer("a future does nothing until it is polled, and the roast was not");
    drop(roast);
    kitchen.expect_no_timer("the roast was dropped without having been polled");
    kitchen.expect_fires(&[]);
}

fn in_order() {
    let kitchen = Kitchen::new();
    let mut roast = kitchen.puts_on("the roast", 40);
    kitchen.expect_pending(&mut roast);
    let mut bread = kitchen.puts_on("the bread", 8);
    kitchen.expect_pending(&mut bread);
    let mut tart = kitchen.puts_on("the tart", 25);
    kitchen.expect_pending(&mut tart);
    for (dish, seconds) in [(&mut bread, 8), (&mut tart, 25), (&mut roast, 40)] {
        kitchen.expect_advance(seconds);
        let name = dish.name;
        kitchen.expect_fires(&[name]);
        kitchen.expect_over(dish);
    }
    drop((roast, bread, tart));
    kitchen.expect_no_timer("everything is out of the oven");
}

fn equal_deadlines() {
    // Set at different times, for different lengths, and all of them due at second 40.
    let kitchen = Kitchen::new();
    let mut dishes = Vec::new();
    for (name, at) in [
        ("the roast", 0),
        ("the gratin", 0),
        ("the tart", 15),
        ("the bread", 32),
        ("the soup", 32),
        ("the custard", 39),
    ] {
        kitchen.compute(at - kitchen.clock.now());
        let mut dish = kitchen.puts_on(name, 40 - at);
        kitchen.expect_pending(&mut dish);
        dishes.push(dish);
    }
    kitchen.expect_advance(40);
    let names: Vec<_> = dishes.iter().map(|dish| dish.name).collect();
    kitchen.expect_fires(&names);
    dishes.iter_mut().for_each(|dish| kitchen.expect_over(dish));
}

fn never_early() {
    let kitchen = Kitchen::new();
    let mut roast = kitchen.puts_on("the roast", 40);
    let mut bread = kitchen.puts_on("the bread", 8);
    kitchen.expect_pending(&mut roast);
    kitchen.expect_pending(&mut bread);
    // Any executor may poll too often.
    for _ in 0..5 {
        kitchen.expect_pending(&mut roast);
        kitchen.expect_fires(&[]);
    }
    kitchen.compute(7);
    kitchen.expect_pending(&mut bread);
    kitchen.expect_fires(&[]);
    kitchen.expect_advance(8);
    kitchen.expect_fires(&["the bread"]);
    kitchen.expect_pending(&mut roast);
    kitchen.compute(31);
    kitchen.expect_fires(&[]);
    kitchen.expect_pending(&mut roast);
    kitchen.expect_advance(40);
    kitchen.expect_over(&mut roast); // This one was polled before its bell was rung. It is over all the same.
}

fn another_bell() {
    let kitchen = Kitchen::new();
    let mut roast = kitchen.puts_on("the roast", 40);
    for _ in 0..3 {
        kitchen.expect_pending(&mut roast);
        let before = roast.hangs_up_another_bell();
        let _ = kitchen.poll(&mut roast);
        kitchen.expect(
            Arc::strong_count(&before) == 1,
            "the roast was polled with another bell, and its clock still holds the one before. The task may have moved \
             on, and that bell rings at the wrong table. Keep one timer for each sleep, with the bell of its latest poll",
        );
        kitchen.expect_pending(&mut roast);
    }
    kitchen.expect_advance(40);
    kitchen.expect_fires(&["the roast"]);
    kitchen.expect_over(&mut roast);
    drop(roast);
    kitchen.expect_no_timer("the roast was polled with four bells, and was one roast all the time");
}

fn late() {
    let kitchen = Kitchen::new();
    let mut tart = kitchen.puts_on("the tart", 25);
    let mut bread = kitchen.puts_on("the bread", 8);
    let mut roast = kitchen.puts_on("the roast", 100);
    kitchen.expect_pending(&mut tart);
    kitchen.expect_pending(&mut bread);
    kitchen.expect_pending(&mut roast);
    kitchen.compute(60);
    // Two deadlines have gone by. Time must not go back for them.
    kitchen.expect(
        kitchen.advance() && kitchen.clock.now() == 60,
        &format!(
            "it is second 60, and timers are due since second 8. `advance` made it second {}. Time never goes back: what \
             is late is late",
            kitchen.clock.now()
        ),
    );
    kitchen.expect_fires(&["the bread", "the tart"]);
    kitchen.expect_over(&mut bread);
    kitchen.expect_over(&mut tart);
    drop((bread, tart));
    kitchen.expect_advance(100);
    kitchen.expect_fires(&["the roast"]);
}

fn dropped() {
    let kitchen = Kitchen::new();
    let mut dishes = ["the soup", "the gratin", "the tart"].map(|name| kitchen.puts_on(name, 20));
    let mut bread = kitchen.puts_on("the bread", 8);
    let mut roast = kitchen.puts_on("the roast", 40);
    dishes
        .iter_mut()
        .for_each(|dish| kitchen.expect_pending(dish));
    kitchen.expect_pending(&mut bread);
    kitchen.expect_pending(&mut roast);

    let bell = bread.bell.clone();
    kitchen.drops(bread);
    kitchen.expect(
        Arc::strong_count(&bell) == 1,
        "the bread was dropped, and the clock still holds its bell. Nobody waits for it: a dropped sleep takes its timer \
         out of the clock. Most timers of a real program are timeouts, set and cancelled a million times",
    );
    let [soup, gratin, tart] = dishes;
    kitchen.drops(gratin);
    kitchen.expect_advance(20);
    kitchen.expect_fires(&["the soup", "the tart"]);
    kitchen.drops(soup);
    kitchen.drops(tart);
    kitchen.drops(roast);
    kitchen.expect_no_timer("every sleep is over or was dropped");
}

fn one_of_equal_deadlines_goes() {
    let kitchen = Kitchen::new();
    let mut roast = kitchen.puts_on("the roast", 40);
    let mut gratin = kitchen.puts_on("the gratin", 40);
    let mut tart = kitchen.puts_on("the tart", 40);
    kitchen.expect_pending(&mut roast);
    kitchen.expect_pending(&mut gratin);
    kitchen.expect_pending(&mut tart);
    kitchen.drops(roast);
    // The next ones come in where one has gone. They must not take the place of one that is still there.
    kitchen.compute(10);
    let mut bread = kitchen.puts_on("the bread", 30);
    let mut soup = kitchen.puts_on("the soup", 30);
    kitchen.expect_pending(&mut bread);
    kitchen.expect_pending(&mut soup);
    kitchen.expect_advance(40);
    kitchen.expect_fires(&["the gratin", "the tart", "the bread", "the soup"]);
    kitchen.drops(gratin);
    drop((tart, bread, soup));
    kitchen.expect_no_timer("everything is out of the oven");
}

fn two_clocks() {
    let (here, there) = (Kitchen::new(), Kitchen::new());
    let mut bread = here.puts_on("the bread", 8);
    let mut roast = there.puts_on("the roast", 40);
    here.expect_pending(&mut bread);
    there.expect_pending(&mut roast);
    there.expect_advance(40);
    there.expect_fires(&["the roast"]);
    here.expect_fires(&[]);
    here.expect_advance(8);
    here.expect_fires(&["the bread"]);
}

fn bells_that_ask() {
    let kitchen = Kitchen::new();
    let mut soup = kitchen.puts_on("the soup", 5);
    let mut bread = kitchen.puts_on("the bread", 5);
    soup.bell.asks_the_clock.store(true, SeqCst);
    kitchen.expect_pending(&mut soup);
    kitchen.expect_pending(&mut bread);
    kitchen.expect_advance(5);
    kitchen.expect_fires(&["the soup", "the bread"]);
}

/// The loop, with four hours of tasks on it.
fn an_evening() {
    const HOUR: Seconds = 3600;
    let kitchen = Kitchen::new();
    let clock = &kitchen.clock;
    let log = Rc::new(RefCell::new(String::new()));
    let mut robot = Robot::default();
    for party in 0..200 {
        let (clock, log) = (clock.clone(), log.clone());
        robot.spawn(async move {
            for course in 1..=3 {
                clock.sleep(60 * (party % 7 + 1) * course).await;
                let _ = writeln!(log.borrow_mut(), "{} {party} {course}", clock.now());
            }
        });
    }
    let closing = clock.clone();
    robot.spawn(async move { closing.sleep(4 * HOUR).await });
    robot.run(&kitchen);
    kitchen.expect(
        clock.now() == 4 * HOUR,
        &format!(
            "the evening should be over at second {}, and the clock shows {}",
            4 * HOUR,
            clock.now()
        ),
    );
    // The same evening, worked out without a loop.
    let mut right: Vec<(u64, u64, u64)> = (0..200)
        .flat_map(|party| {
            let minutes = party % 7 + 1;
            [(1, 1), (2, 3), (3, 6)].map(|(course, sum)| (60 * minutes * sum, party, course))
        })
        .collect();
    right.sort_unstable();
    let mut here: Vec<(u64, u64, u64)> = Vec::new();
    for line in log.borrow().lines() {
        let mut numbers = line.split(' ').map(|number| number.parse().unwrap());
        here.push((
            numbers.next().unwrap(),
            numbers.next().unwrap(),
            numbers.next().unwrap(),
        ));
    }
    let by_time = here.windows(2).all(|two| two[0].0 <= two[1].0);
    kitchen.expect(by_time, "in the evening's log, time goes back");
    here.sort_unstable();
    kitchen.expect(
        here == right,
        "of 600 courses, some were served at another second than they were due",
    );
    let (polls, needed) = (robot.polls, 200 * 4 + 2);
    kitchen.expect(
        polls == needed,
        &format!(
            "the evening needs {needed} polls, one to begin each task and one for each sleep that ends, and there were {polls}"
        ),
    );
}

// ---- The kitchen --------------------------------------------------------------------------------

/// Your clock, and what has happened on it so far.
struct Kitchen {
    clock: Clock,
    /// Which bells were rung, in their order, since somebody looked.
    rung: Arc<Mutex<Vec<&'static str>>>,
    story: RefCell<Vec<String>>,
}

/// Something in the oven: your `Sleep`, and the bell of the task that waits for it.
struct Dish {
    name: &'static str,
    due: Seconds,
    sleep: Sleep,
    bell: Arc<Bell>,
}

impl Dish {
    fn hangs_up_another_bell(&mut self) -> Arc<Bell> {
        let another = Bell::new(self.bell.name, &self.bell.rung);
        std::mem::replace(&mut self.bell, another)
    }
}

thread_local! {
    /// The clock that a bell asks when it is rung.
    static WALL: RefCell<Option<Clock>> = const { RefCell::new(None) };
}

impl Kitchen {
    fn new() -> Kitchen {
        let clock = Clock::default();
        WALL.set(Some(clock.clone()));
        let (rung, story) = Default::default();
        Kitchen { clock, rung, story }
    }

    fn tells(&self, what: String) {
        let now = self.clock.now();
        self.story
            .borrow_mut()
            .push(format!("second {now}: {what}"));
    }

    fn puts_on(&self, name: &'static str, seconds: Seconds) -> Dish {
        self.tells(format!("{name} goes on, for {seconds} s"));
        Dish {
            name,
            due: self.clock.now() + seconds,
            sleep: self.clock.sleep(seconds),
            bell: Bell::new(name, &self.rung),
        }
    }

    fn drops(&self, dish: Dish) {
        self.tells(format!("{} is dropped", dish.name));
        drop(dish);
    }

    fn compute(&self, seconds: Seconds) {
        self.clock.compute(seconds);
        self.tells(format!("(somebody has computed for {seconds} s)"));
    }

    fn poll(&self, dish: &mut Dish) -> Poll<()> {
        let bell = Waker::from(dish.bell.clone());
        let before = self.clock.now();
        let polled = Pin::new(&mut dish.sleep).poll(&mut Context::from_waker(&bell));
        let name = dish.name;
        self.tells(format!("{name} is polled, and says {polled:?}"));
        self.expect(
            self.clock.now() == before,
            "`poll` moved the clock. Others wait on it, too. Only `advance` moves it, when nobody is ready",
        );
        self.expect(
            self.take_rung().is_empty(),
            &format!(
                "a bell was rung while {name} was polled. The loop would come back at once, find that nothing is over, and \
                 ring again: thousands of polls for nothing. Leave the bell with the clock, and ring in `fire_due`"
            ),
        );
        polled
    }

    fn take_rung(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.rung.lock().unwrap())
    }

    fn advance(&self) -> bool {
        let advanced = self.clock.advance();
        self.tells(format!("`advance` says {advanced}"));
        advanced
    }

    fn expect_over(&self, dish: &mut Dish) {
        let Dish { name, due, .. } = *dish;
        if self.poll(dish).is_pending() {
            let now = self.clock.now();
            self.broken(&format!(
                "it is second {now}, {name} was due at second {due}, and `poll` says `Pending`. It is over as soon as the \
                 clock shows its deadline, and not only after it"
            ));
        }
    }

    fn expect_pending(&self, dish: &mut Dish) {
        let Dish { name, due, .. } = *dish;
        if self.poll(dish).is_ready() {
            let now = self.clock.now();
            self.broken(&format!(
                "it is second {now}, {name} is due at second {due}, and `poll` says `Ready`. A sleep never ends early"
            ));
        }
        self.expect(
            Arc::strong_count(&dish.bell) > 1,
            &format!(
                "`poll` said `Pending`, and nobody has kept the bell of {name}. So nobody will ever ring, and it waits for ever"
            ),
        );
    }

    fn expect_fires(&self, names: &[&str]) {
        let before = self.clock.now();
        self.clock.fire_due();
        let rung = self.take_rung();
        self.tells(format!("`fire_due` rings for {}", list(&rung)));
        self.expect(
            self.clock.now() == before,
            "`fire_due` moved the clock. Only `advance` moves it, when nobody is ready",
        );
        let (mut one, mut other) = (rung.clone(), names.to_vec());
        one.sort_unstable();
        other.sort_unstable();
        let right = list(names);
        self.expect(
            one == other,
            &format!(
                "it is second {before}, and `fire_due` should ring for {right}. It rang for {}",
                list(&rung)
            ),
        );
        self.expect(
            rung == names,
            &format!(
                "`fire_due` rang for {}, and the order should be: {right}. The first deadline comes first, and of equal \
                 deadlines the timer that was set first",
                list(&rung)
            ),
        );
    }

    fn expect_advance(&self, to: Seconds) {
        let before = self.clock.now();
        let advanced = self.advance();
        let now = self.clock.now();
        self.expect(
            advanced,
            &format!("`advance` said `false`, and there is a timer for second {to}"),
        );
        let late = match now {
            _ if now == before => "It must not stand still",
            _ if now < to => "One step goes all the way: nothing can happen in between",
            _ => "Whoever is due before that would be late",
        };
        self.expect(
            now == to,
            &format!(
                "the clock showed {before}, the next timer is due at second {to}, and `advance` made it second {now}. {late}"
            ),
        );
        self.expect(
            self.take_rung().is_empty(),
            "`advance` rang a bell. It moves the clock; to ring is for `fire_due`, which the loop calls next",
        );
    }

    fn expect_no_timer(&self, because: &str) {
        let before = self.clock.now();
        let advanced = self.advance();
        let now = self.clock.now();
        self.expect(
            !advanced && now == before,
            &format!(
                "`advance` said `{advanced}` and made it second {now}, and there should be no timer: {because}. A loop would \
                 wait for something that nobody waits for"
            ),
        );
    }

    fn expect(&self, kept: bool, otherwise: &str) {
        if !kept {
            self.broken(otherwise);
        }
    }

    /// Ends this test through whatever code of yours is running, without the words of a panic.
    fn broken(&self, message: &str) -> ! {
        let mut told = format!("{}.\n", sentence(message));
        let story = self.story.borrow();
        if !story.is_empty() {
            told.push_str("\n  What happened until then:\n");
        }
        for line in &story[story.len().saturating_sub(12)..] {
            let _ = writeln!(told, "    {line}");
        }
        broken(told)
    }
}

fn broken(told: String) -> ! {
    resume_unwind(Box::new(Broken(told)))
}

fn list(names: &[&str]) -> String {
    if names.is_empty() {
        return "nobody".to_owned();
    }
    names.join(", ")
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

/// The bell of a task: notes that it was rung.
struct Bell {
    name: &'static str,
    rung: Arc<Mutex<Vec<&'static str>>>,
    /// Some tasks look at the clock as soon as they are called.
    asks_the_clock: AtomicBool,
}

impl Bell {
    fn new(name: &'static str, rung: &Arc<Mutex<Vec<&'static str>>>) -> Arc<Bell> {
        Arc::new(Bell {
            name,
            rung: rung.clone(),
            asks_the_clock: AtomicBool::new(false),
        })
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.lock().unwrap().push(self.name);
        if !self.asks_the_clock.load(SeqCst) {
            return;
        }
        let usual = take_hook();
        set_hook(Box::new(|_| {}));
        let asked = catch_unwind(AssertUnwindSafe(|| {
            WALL.with_borrow(|wall| {
                let wall = wall.as_ref().expect("bells are rung in the kitchen");
                wall.compute(0);
                let mut sleep = wall.sleep(5);
                let _ = Pin::new(&mut sleep).poll(&mut Context::from_waker(Waker::noop()));
            })
        }));
        set_hook(usual);
        if asked.is_err() {
            broken(format!(
                "The bell of {} asked the clock for a sleep while it was rung, and found the `RefCell` borrowed. A waker is \
                 anybody's code: take the timer out, let the borrow end, and ring then. (A borrow in the head of a `while let` \
                 or a `match` lasts until the end of its body.)\n",
                self.name
            ));
        }
    }
}

// ---- The loop -----------------------------------------------------------------------------------

/// As much of a LoopBot as an evening needs.
#[derive(Default)]
struct Robot {
    tasks: Vec<Option<Pin<Box<dyn Future<Output = ()>>>>>,
    ready: Arc<Mutex<VecDeque<usize>>>,
    polls: u32,
}

struct Slip {
    task: usize,
    rings: AtomicU32,
    ready: Arc<Mutex<VecDeque<usize>>>,
}

impl Wake for Slip {
    fn wake(self: Arc<Self>) {
        if self.rings.fetch_add(1, SeqCst) == 0 {
            self.ready.lock().unwrap().push_back(self.task);
        }
    }
}

impl Robot {
    fn spawn(&mut self, task: impl Future<Output = ()> + 'static) {
        self.ready.lock().unwrap().push_back(self.tasks.len());
        self.tasks.push(Some(Box::pin(task)));
    }

    fn run(&mut self, kitchen: &Kitchen) {
        const TOO_MANY: u32 = 10_000;
        let clock = &kitchen.clock;
        for round in 0.. {
            clock.fire_due();
            let ready = std::mem::take(&mut *self.ready.lock().unwrap());
            if ready.is_empty() && !clock.advance() {
                break;
            }
            for task in ready {
                let slip = Arc::new(Slip {
                    task,
                    rings: AtomicU32::new(0),
                    ready: self.ready.clone(),
                });
                let waker = Waker::from(slip);
                let Some(future) = &mut self.tasks[task] else {
                    continue;
                };
                self.polls += 1;
                if future
                    .as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_ready()
                {
                    self.tasks[task] = None;
                }
            }
            kitchen.expect(
                round < TOO_MANY,
                &format!(
                    "the loop has gone round {TOO_MANY} times, with {} polls, and it is second {} of an evening that needs a \
                     few hundred rounds",
                    self.polls,
                    clock.now()
                ),
            );
        }
        let waiting = self.tasks.iter().filter(|task| task.is_some()).count();
        kitchen.expect(
            waiting == 0,
            &format!(
                "it is second {}, no timer is set, and {waiting} tasks still sleep. Nobody will ever ring for them",
                clock.now()
            ),
        );
    }
}

// ---- Telling you --------------------------------------------------------------------------------

/// A promise that was not kept, in words.
struct Broken(String);

/// Runs one check. On a thread of its own: code that never comes back cannot be stopped, only left.
fn keeps(promise: &'static str, check: fn()) {
    let (done, is_done) = channel();
    let body = move || {
        check();
        let _ = done.send(());
    };
    let loopbot = thread::Builder::new()
        .name("LoopBot".to_owned())
        .spawn(body)
        .expect("a thread");
    if is_done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        // Straight to the terminal: what is printed the usual way is kept back until the test is over.
        let seconds = PATIENCE.as_secs();
        let _ = write!(
            std::io::stderr(),
            "\n\n  Not kept: {promise}.\n  Your code did not come back: after {seconds} seconds it still blocks or loops. \
             Nothing here waits for real. A second of this clock takes no time.\n\n  {HELP}\n\n"
        );
        exit(DID_NOT_END);
    }
    let Err(panic) = loopbot.join() else { return };
    let message = match panic.downcast::<Broken>() {
        Ok(broken) => broken.0,
        Err(panic) if words(&*panic).starts_with("not yet implemented") => {
            format!(
                "Something is still to be written: it says `todo!()`.\n\n  First hint: {FIRST_HINT}\n"
            )
        }
        Err(panic) => format!("Your code panicked: {}.\n", words(&*panic)),
    };
    eprintln!("\n  Not kept: {promise}.\n  {message}\n  {HELP}\n");
    // The test has failed, and everything is said: no words of a panic on top.
    resume_unwind(Box::new(()));
}

const HELP: &str = "Stuck? `cargo course hint 12`.";

fn words(panic: &(dyn Any + Send)) -> &str {
    let formatted = panic.downcast_ref::<String>().map(String::as_str);
    formatted
        .or(panic.downcast_ref::<&str>().copied())
        .unwrap_or("(not in words)")
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
