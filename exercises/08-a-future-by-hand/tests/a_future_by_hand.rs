//! Plays LoopBot, the restaurant and the guests, and polls your `Serve` by hand.
//!
//! Nothing here depends on how fast your computer is: a job is done when the test says so.

use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};
use std::pin::Pin;
use std::process::exit;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use exercise_08::{House, Plate, Serve, Slip, Tip};

/// How long one test may take until we say that it hangs. It takes far less than a second if `poll` does not wait.
const PATIENCE: Duration = Duration::from_secs(5);
/// The exit code of a program that noticed that it does not end; `cargo course check` knows it. The same number stands
/// in crates/whatif/src/watchdog.rs, but this exercise needs nothing besides std.
const DID_NOT_END: i32 = 124;
const FIRST_HINT: &str = "When `poll` is called for the second time, how does it know that the order has been taken already?";

/// One test, so that you read one message: about the first promise that is not kept.
#[test]
fn serve_behaves_as_the_three_lines_of_async_would() {
    keeps(
        "nothing happens until it is polled",
        nothing_happens_before_the_first_poll,
    );
    keeps(
        "the first poll takes the order, and leaves",
        the_first_poll_takes_the_order,
    );
    keeps(
        "a table is served, one job after the other",
        a_table_is_served,
    );
    keeps(
        "no poll is wasted when a job is ready at once",
        jobs_that_are_ready_at_once,
    );
    keeps(
        "a poll too many does no harm, and takes no time",
        ten_thousand_polls_too_many,
    );
    keeps(
        "the jobs may be ready in any mixture, at once or later",
        ready_at_once_or_later,
    );
    keeps("two tables are served at the same time", two_tables_at_once);
    keeps(
        "each party has a future of its own, at the same table too",
        two_parties_at_one_table,
    );
    keeps(
        "a job that is done is let go, and so is the one that nobody waits for any more",
        guests_who_leave,
    );
    keeps(
        "no poll takes time, however many tables there are",
        a_long_week,
    );
    keeps("what is over stays over", polled_after_the_end);
}

/// The jobs of one table, in their order.
const JOBS: [&str; 3] = ["the order", "the cooking", "the carrying"];

fn nothing_happens_before_the_first_poll() {
    let evening = Evening::new(7, "soup", 3);
    drop(evening.serve());
    evening.expect(
        evening.jobs().is_empty(),
        "a job was begun. A future does nothing until it is polled",
    );
}

fn the_first_poll_takes_the_order() {
    let evening = Evening::new(7, "soup", 3);
    let mut serve = evening.serve();
    evening.expect_pending(
        evening.poll(&mut serve),
        "nobody has decided yet what to eat",
    );
}

fn a_table_is_served() {
    let evening = Evening::new(4, "risotto", 11);
    let mut serve = evening.serve();
    for job in JOBS {
        evening.expect_pending(evening.poll(&mut serve), &format!("{job} is not done"));
        evening.finish(job);
    }
    evening.expect_served(evening.poll(&mut serve));
}

fn jobs_that_are_ready_at_once() {
    let evening = Evening::new(2, "bread", 5);
    evening.ready_at_once.set([true; 3]);
    evening.expect_served(evening.poll(&mut evening.serve()));
}

fn ready_at_once_or_later() {
    for number in 0..8 {
        let evening = Evening::new(6, "salad", 1);
        let at_once = [0, 1, 2].map(|job| number >> job & 1 == 1);
        evening.ready_at_once.set(at_once);
        let mut serve = evening.serve();
        for (job, _) in JOBS.iter().zip(at_once).filter(|(_, at_once)| !at_once) {
            evening.expect_pending(evening.poll(&mut serve), &format!("{job} is not done"));
            evening.finish(job);
        }
        evening.expect_served(evening.poll(&mut serve));
    }
}

fn ten_thousand_polls_too_many() {
    // Any executor may poll too often, and with another waker each time: the last one counts.
    let evening = Evening::new(9, "soufflé", 8);
    let mut serve = evening.serve();
    for job in JOBS {
        for _ in 0..3_333 {
            evening.hang_up_a_new_bell();
            evening.expect_pending(evening.poll(&mut serve), &format!("{job} is not done"));
        }
        evening.finish(job);
    }
    evening.expect_served(evening.poll(&mut serve));
}

fn two_tables_at_once() {
    serve_both([Evening::new(1, "fish", 2), Evening::new(2, "pie", 6)]);
}

fn two_parties_at_one_table() {
    serve_both([Evening::new(3, "curry", 7), Evening::new(3, "cake", 1)]);
}

fn guests_who_leave() {
    // They may leave before the first poll, at each of the three jobs, and when they have been served.
    for jobs in 0..=JOBS.len() {
        let evening = Evening::new(8, "stew", 2);
        let mut serve = evening.serve();
        for job in &JOBS[..jobs] {
            evening.expect_pending(evening.poll(&mut serve), &format!("{job} is not done"));
            evening.finish(job);
        }
        let _ = evening.poll(&mut serve);
        drop(serve);
        evening.expect(
            evening.jobs().iter().all(|job| job.is_gone.get()),
            "the guests have left (`Serve` was dropped), and a job is still kept somewhere. What it holds is never given \
             back. Dropping a future drops what it waits for: keep the job in `state`, as it is",
        );
    }
}

fn a_long_week() {
    // Even a thousandth of a second for each table would be too long here.
    for _ in 0..6_000 {
        a_table_is_served();
    }
}

fn serve_both(evenings: [Evening; 2]) {
    let mut tables = evenings.each_ref().map(Evening::serve);
    for job in JOBS {
        for (evening, serve) in evenings.iter().zip(&mut tables) {
            evening.expect_pending(evening.poll(serve), &format!("{job} is not done"));
        }
        evenings.iter().for_each(|evening| evening.finish(job));
    }
    for (evening, serve) in evenings.iter().zip(&mut tables) {
        evening.expect_served(evening.poll(serve));
    }
}

fn polled_after_the_end() {
    let evening = Evening::new(5, "pasta", 4);
    evening.ready_at_once.set([true; 3]);
    let mut serve = evening.serve();
    evening.expect_served(evening.poll(&mut serve));
    // No executor does this. What `async` makes panics then, so yours may, too: without a word, as nothing is wrong.
    let usual = take_hook();
    set_hook(Box::new(|_| {}));
    let again = catch_unwind(AssertUnwindSafe(|| evening.poll(&mut serve)));
    set_hook(usual);
    evening.expect(
        evening.begun.get() == 3,
        "the table had been served, and `poll` began another job. When the last job is done, `state` must not lead \
         back to the start",
    );
    if let Ok(Poll::Ready(tip)) = again {
        evening.broken(&format!(
            "the table had been served, and `poll` said `Ready({tip})` once more. A future answers once: after that it may \
             panic, as one made by `async` does"
        ));
    }
}

// ---- LoopBot ------------------------------------------------------------------------------------

/// Your future, and the evening that it is part of.
struct Served {
    serve: Serve<Restaurant>,
    evening: Evening,
}

impl Drop for Served {
    fn drop(&mut self) {
        // Your future goes after this, and whatever it does then is too late.
        self.evening.is_over.set(true);
    }
}

impl Evening {
    fn serve(&self) -> Served {
        Served {
            serve: Serve::new(Restaurant(self.0.clone()), self.table),
            evening: self.clone(),
        }
    }

    /// One turn of LoopBot: polls, and looks at what that left behind.
    fn poll(&self, serve: &mut Served) -> Poll<Tip> {
        self.turn.set(self.turn.get() + 1);
        let bell = self.bell.borrow().clone();
        let rings = bell.rings.load(SeqCst);
        let polled =
            Pin::new(&mut serve.serve).poll(&mut Context::from_waker(&Waker::from(bell.clone())));
        // Who can ring now? This test (twice, here and in the evening's book), and the job that waits.
        let waiting = self
            .jobs()
            .iter()
            .filter(|job| job.bell.borrow().is_some())
            .count();
        let copies = Arc::strong_count(&bell) - 2;
        self.expect(
            copies <= waiting || bell.rings.load(SeqCst) != rings,
            "`poll` kept LoopBot's bell, or gave it to somebody else than the job (a thread? a timer?). Only the job \
             knows when there is something to do: hand on `cx` to it, and nothing else",
        );
        self.expect(
            bell.rings.load(SeqCst) == rings,
            "`poll` had LoopBot's bell rung, and that is for the job to do. LoopBot would come back at once, find nothing, \
             and ring again: thousands of polls for nothing. `Pending` means \"the job will ring\"; when a job is \
             ready, go on to the next one in the same poll instead",
        );
        let jobs = self.jobs();
        // The last one may stay until `Serve` goes: LoopBot drops a future that is done.
        // And whoever loses the next job has another mistake to hear of first, in the next poll.
        for (job, next) in jobs.iter().zip(jobs.iter().skip(1)) {
            self.expect(
                !job.was_taken.get() || job.is_gone.get() || next.is_gone.get(),
                &format!(
                    "{} is done, its result is taken, and the job is still kept. With `async` it is dropped when the \
                     `.await` is over, and what it holds (a place, a connection) is free again. The next state takes the \
                     place of the old one",
                    job.name
                ),
            );
        }
        polled
    }

    fn expect_pending(&self, polled: Poll<Tip>, because: &str) {
        if let Poll::Ready(tip) = polled {
            self.broken(&format!("`poll` said `Ready({tip})`, but {because}"));
        }
        let jobs = self.jobs();
        let Some(job) = jobs.last() else {
            self.broken(
                "`poll` said `Pending`, but the order was not begun: nobody has LoopBot's bell, so nobody will ever ring",
            );
        };
        let name = job.name;
        if job.was_taken.get() && jobs.len() == 3 {
            self.broken("`poll` said `Pending`, but the last job is done: there is nothing left to wait for");
        }
        if job.was_taken.get() {
            self.broken(&format!(
                "`poll` said `Pending` right after {name} was done, and did not begin the next job: nobody has \
                 LoopBot's bell, so nobody will ever ring"
            ));
        }
        match &*job.bell.borrow() {
            None => self.broken(&format!(
                "`poll` said `Pending` after it had begun {name}, but did not poll it: that job has no bell, so \
                 nobody will ever ring, and the table waits for ever"
            )),
            Some(bell) => self.expect_heard(name, bell),
        }
    }

    fn expect_served(&self, polled: Poll<Tip>) {
        let Poll::Ready(tip) = polled else {
            self.expect_pending(Poll::Pending, "");
            self.broken(
                "`poll` said `Pending`, but every job is ready: there is nothing to wait for",
            );
        };
        let jobs = self.jobs();
        self.expect(
            jobs.len() == 3 && jobs.iter().all(|job| job.was_taken.get()),
            &format!("`poll` said `Ready({tip})` before the plate was on the table"),
        );
        self.expect_same("the tip", &tip, &self.tip);
    }

    fn hang_up_a_new_bell(&self) {
        self.bell.take();
    }
}

/// LoopBot's bell: counts how often it is rung. While it is `listening`, it only notes that it heard something.
#[derive(Default)]
struct Bell {
    rings: AtomicU32,
    listening: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if !self.listening.swap(false, SeqCst) {
            self.rings.fetch_add(1, SeqCst);
        }
    }
}

impl Bell {
    /// Whether ringing `waker` rings this bell.
    fn hears(&self, waker: &Waker) -> bool {
        self.listening.store(true, SeqCst);
        waker.wake_by_ref();
        !self.listening.swap(false, SeqCst)
    }
}

// ---- The restaurant -----------------------------------------------------------------------------

/// The evening of one table: what is right, and what has happened so far.
#[derive(Clone)]
struct Evening(Rc<Book>);

struct Book {
    table: u32,
    slip: Slip,
    plate: Plate,
    tip: Tip,
    /// For each job, whether it is done as soon as it begins.
    ready_at_once: Cell<[bool; 3]>,
    /// `Serve` is being dropped.
    is_over: Cell<bool>,
    bell: RefCell<Arc<Bell>>,
    /// How many times LoopBot has polled.
    turn: Cell<u32>,
    /// How many jobs were asked for.
    begun: Cell<u32>,
    jobs: RefCell<Vec<Rc<JobCard>>>,
}

impl std::ops::Deref for Evening {
    type Target = Book;

    fn deref(&self) -> &Book {
        &self.0
    }
}

impl Evening {
    fn new(table: u32, dish: &str, tip: Tip) -> Evening {
        Evening(Rc::new(Book {
            table,
            slip: Slip(format!("{dish} for table {table}")),
            plate: Plate(format!("a plate of {dish}")),
            tip,
            ready_at_once: Cell::default(),
            is_over: Cell::new(false),
            bell: RefCell::default(),
            turn: Cell::new(0),
            begun: Cell::new(0),
            jobs: RefCell::default(),
        }))
    }

    /// The world goes on: the job is done, and whoever did it rings.
    fn finish(&self, name: &str) {
        let jobs = self.jobs();
        let job = jobs.last().expect("a job was begun");
        self.expect(
            job.name == name,
            &format!("LoopBot waits for {}, but {name} comes first", job.name),
        );
        job.is_ready.set(true);
        let bell = job.bell.take().expect("the job has a bell");
        bell.wake();
    }
}

impl Book {
    fn jobs(&self) -> Vec<Rc<JobCard>> {
        self.jobs.borrow().clone()
    }

    fn begin<T>(self: &Rc<Self>, name: &'static str, result: &T) -> Job<T>
    where
        T: Clone,
    {
        self.begun.set(self.begun.get() + 1);
        self.expect(
            self.jobs().iter().all(|job| job.name != name),
            &format!(
                "{name} for table {} was begun twice: this poll started over instead of going on",
                self.table
            ),
        );
        let card = Rc::new(JobCard {
            name,
            is_ready: Cell::new(self.ready_at_once.get()[self.jobs().len()]),
            was_taken: Cell::new(false),
            is_gone: Cell::new(false),
            polled_in_turn: Cell::new(0),
            bell: RefCell::default(),
        });
        self.jobs.borrow_mut().push(card.clone());
        Job {
            card,
            evening: Evening(self.clone()),
            result: result.clone(),
        }
    }

    fn expect_heard(&self, name: &str, waker: &Waker) {
        self.expect(
            self.bell.borrow().hears(waker),
            &format!(
                "{name} got a bell that LoopBot does not hear. Ringing it wakes nobody, and the table waits for ever. \
                 Hand on the context of this poll (the next one may bring another bell): `Pin::new(job).poll(cx)`"
            ),
        );
    }

    fn expect_same<T: PartialEq + Debug>(&self, what: &str, got: &T, right: &T) {
        self.expect(
            got == right,
            &format!("{what} should be {right:?}, but you gave {got:?}"),
        );
    }

    fn expect_open(&self) {
        self.expect(
            !self.is_over.get(),
            "the guests have left (`Serve` was dropped), and a job was begun or polled all the same. Dropping a future \
             ends its work where it stands; that is how `async` cancels",
        );
    }

    fn expect(&self, kept: bool, otherwise: &str) {
        if !kept {
            self.broken(otherwise);
        }
    }

    /// Ends this test through whatever code of yours is running, without the words of a panic.
    fn broken(&self, message: &str) -> ! {
        let message = match self.turn.get() {
            0 => format!("Before the first poll: {message}."),
            turn => format!("In poll number {turn}: {message}."),
        };
        resume_unwind(Box::new(Broken(message)))
    }
}

struct Restaurant(Rc<Book>);

impl House for Restaurant {
    type TakeOrder = Job<Slip>;
    type Cook = Job<Plate>;
    type Carry = Job<Tip>;

    fn take_order(&self, table: u32) -> Job<Slip> {
        self.0.expect_open();
        self.0
            .expect_same("the table whose order is taken", &table, &self.0.table);
        self.0.begin("the order", &self.0.slip)
    }

    fn cook(&self, slip: Slip) -> Job<Plate> {
        self.0.expect_open();
        self.0
            .expect_same("what the kitchen cooks", &slip, &self.0.slip);
        self.0.begin("the cooking", &self.0.plate)
    }

    fn carry(&self, plate: Plate, table: u32) -> Job<Tip> {
        self.0.expect_open();
        self.0.expect_same("what is carried", &plate, &self.0.plate);
        self.0
            .expect_same("the table it is carried to", &table, &self.0.table);
        self.0.begin("the carrying", &self.0.tip)
    }
}

/// What the test knows of a job.
struct JobCard {
    name: &'static str,
    is_ready: Cell<bool>,
    was_taken: Cell<bool>,
    is_gone: Cell<bool>,
    polled_in_turn: Cell<u32>,
    bell: RefCell<Option<Waker>>,
}

/// What your `Serve` knows of it: a future.
struct Job<T> {
    card: Rc<JobCard>,
    evening: Evening,
    result: T,
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        self.card.is_gone.set(true);
    }
}

impl<T: Clone + Unpin> Future for Job<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let Job {
            card,
            evening,
            result,
        } = &*self;
        let name = card.name;
        evening.expect_open();
        evening.expect(
            !card.was_taken.get(),
            &format!("{name} was polled again after it had been ready: its state must change when it is over"),
        );
        evening.expect_heard(name, cx.waker());
        evening.expect(
            card.polled_in_turn.replace(evening.turn.get()) != evening.turn.get(),
            &format!(
                "{name} was polled twice in one turn. It was pending, and it stays so while LoopBot stands here and \
                 asks: nobody else is served. When a job is pending, return `Poll::Pending`"
            ),
        );
        if card.is_ready.get() {
            card.was_taken.set(true);
            return Poll::Ready(result.clone());
        }
        card.bell.replace(Some(cx.waker().clone()));
        Poll::Pending
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
            "\n\n  Not kept: {promise}.\n  `poll` did not come back: after {seconds} seconds it still blocks or \
             loops. `poll` must never wait. When a job is pending, return `Poll::Pending`.\n  {HELP}\n\n"
        );
        exit(DID_NOT_END);
    }
    let Err(panic) = loopbot.join() else { return };
    let message = match panic.downcast::<Broken>() {
        Ok(broken) => broken.0,
        Err(panic) if words(&*panic).starts_with("not yet implemented") => {
            format!(
                "Something is still to be written: it says `todo!()`.\n  First hint: {FIRST_HINT}"
            )
        }
        Err(panic) => format!("Your code panicked: {}.", words(&*panic)),
    };
    eprintln!("\n  Not kept: {promise}.\n  {message}\n  {HELP}\n");
    // The test has failed, and everything is said: no words of a panic on top.
    resume_unwind(Box::new(()));
}

const HELP: &str = "Stuck? `cargo course hint 08`.";

fn words(panic: &(dyn std::any::Any + Send)) -> &str {
    let formatted = panic.downcast_ref::<String>().map(String::as_str);
    formatted
        .or(panic.downcast_ref::<&str>().copied())
        .unwrap_or("(not in words)")
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
