//! Opens the restaurant for you, on a virtual clock, and looks at the clock when you are done.
//!
//! An evening takes no time here, and is the same every time.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};
use std::process::exit;
use std::rc::Rc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use exercise_14::{House, Plate, Slip, Table, Tip, Trouble, serve, serve_all, serve_at_most};
use flight::VirtualTime;
use loopbot::{Clock, LoopBot};

/// How long one test may take until we say that it hangs. It takes far less than a second.
const PATIENCE: Duration = Duration::from_secs(5);
/// The exit code of a program that noticed that it does not end; `cargo course check` knows it. The same number stands
/// in crates/whatif/src/watchdog.rs.
const DID_NOT_END: i32 = 124;
const FIRST_HINT: &str = "Two things take three minutes and five. When are both done if you await one and then the other, and what would have to happen at minute 0 for it to be five?";

/// One test, so that you read one message: about the first promise that is not kept.
#[test]
fn tables_wait_for_what_they_must_and_for_nothing_else() {
    keeps(
        "a table is served in order, and without a detour",
        one_table,
    );
    keeps(
        "a table in trouble says so, and leaves nothing behind",
        one_table_in_trouble,
    );
    keeps("all tables eat at the same time", all_tables);
    keeps("tips come back in the order of the tables", tips_in_order);
    keeps(
        "trouble reaches the caller, when everybody has eaten",
        tables_in_trouble,
    );
    keeps("a panic reaches the caller", a_panic);
    keeps("no more tables at a time than allowed", at_most);
    keeps("trouble does not lose a place", at_most_in_trouble);
}

fn one_table() {
    for plan in &FIVE {
        let table = plan.table;
        let evening = Evening::of(&[*plan], |house| serve(house, table));
        evening.expect_tips(&[table], evening.result.clone().map(|tip| vec![tip]));
        evening.expect_courses(table);
        evening.expect_time(
            plan.takes(),
            plan.one_after_the_other(),
            &format!("table {table}"),
            "The courses are cooked at the same time, and neither waits longer than it must",
        );
    }
}

fn one_table_in_trouble() {
    let plan = Plan {
        falls: Some("starter"),
        ..FIVE[2]
    };
    let evening = Evening::of(&[plan], |house| serve(house, 3));
    evening.expect(
        evening.result == Err(fallen(3)),
        &format!(
            "the starter of table 3 fell, and `serve` returned {:?}, not {:?}",
            evening.result,
            Err::<Tip, _>(fallen(3))
        ),
    );
    evening.expect_nothing_in_the_oven("`serve`");
}

fn all_tables() {
    let evening = Evening::of(&FIVE, |house| serve_all(house, TABLES.to_vec()));
    evening.expect_tips(&TABLES, evening.result.clone());
    let longest = FIVE.iter().map(Plan::takes).max().unwrap();
    let sum = FIVE.iter().map(Plan::takes).sum();
    evening.expect_time(
        longest,
        sum,
        "the five tables",
        "That is as long as the longest of them. If one table waits until another is done, it is not at the same time",
    );
    evening.expect_nothing_in_the_oven("`serve_all`");
    let none = Evening::of(&FIVE, |house| serve_all(house, Vec::new()));
    none.expect_tips(&[], none.result.clone());
}

fn tips_in_order() {
    for tables in [[5, 4, 3, 2, 1], [3, 5, 1, 4, 2]] {
        let evening = Evening::of(&FIVE, |house| serve_all(house, tables.to_vec()));
        evening.expect_tips(&tables, evening.result.clone());
        let evening = Evening::of(&FIVE, |house| serve_at_most(house, tables.to_vec(), 2));
        evening.expect_tips(&tables, evening.result.clone());
    }
}

fn tables_in_trouble() {
    // Table 2 falls first on the clock, table 1 comes first in the list.
    let mut plans = FIVE;
    plans[0].falls = Some("main course");
    plans[1].falls = Some("starter");
    let evening = Evening::of(&plans, |house| serve_all(house, TABLES.to_vec()));
    evening.expect_trouble(1, &evening.result.clone());
    evening.expect_served(&[3, 4, 5]);
    evening.expect_nothing_in_the_oven("`serve_all`");
}

fn a_panic() {
    for course in ["starter", "main course"] {
        let mut plans = FIVE;
        plans[3].panics = Some(course);
        Evening::of(&plans, |house| serve(house, 4)).expect_panic(course);
        Evening::of(&plans, |house| serve_all(house, TABLES.to_vec())).expect_panic(course);
        Evening::of(&plans, |house| serve_at_most(house, TABLES.to_vec(), 2)).expect_panic(course);
    }
}

fn at_most() {
    for most in [1, 2, 3, 5, 9] {
        let evening = Evening::of(&FIVE, |house| serve_at_most(house, TABLES.to_vec(), most));
        evening.expect_tips(&TABLES, evening.result.clone());
        evening.expect_begun_in_order(&TABLES);
        evening.expect_limit(most);
        let all: u64 = FIVE.iter().map(Plan::takes).sum();
        evening.expect_time(
            by_list(&FIVE, most),
            all,
            &format!("the five tables, {most} at a time,"),
            "Each begins as soon as there may be one more, and not when a whole group of them is done, or a certain one",
        );
        evening.expect_nothing_in_the_oven("`serve_at_most`");
    }
}

fn at_most_in_trouble() {
    let mut plans = FIVE;
    plans[0].falls = Some("starter");
    plans[1].falls = Some("main course");
    let evening = Evening::of(&plans, |house| serve_at_most(house, TABLES.to_vec(), 2));
    evening.expect_trouble(1, &evening.result.clone());
    evening.expect_served(&[3, 4, 5]);
    evening.expect_nothing_in_the_oven("`serve_at_most`");
}

// ---- The tables ---------------------------------------------------------------------------------

/// What a party needs, in seconds, and what it gives.
#[derive(Clone, Copy)]
struct Plan {
    table: Table,
    decides: u64,
    starter: u64,
    main: u64,
    tips: [Tip; 2],
    falls: Option<&'static str>,
    panics: Option<&'static str>,
}

const BRING: u64 = 3;
const TABLES: [Table; 5] = [1, 2, 3, 4, 5];
const FIVE: [Plan; 5] = [
    plan(1, 7, 11, 29, [2, 5]),
    plan(2, 3, 17, 9, [1, 3]),
    plan(3, 13, 5, 37, [4, 4]),
    plan(4, 5, 19, 23, [3, 8]),
    plan(5, 2, 2, 4, [1, 1]),
];

const fn plan(table: Table, decides: u64, starter: u64, main: u64, tips: [Tip; 2]) -> Plan {
    Plan {
        table,
        decides,
        starter,
        main,
        tips,
        falls: None,
        panics: None,
    }
}

impl Plan {
    fn tip(&self) -> Tip {
        self.tips[0] + self.tips[1]
    }

    /// With both courses cooked at the same time.
    fn takes(&self) -> u64 {
        self.decides + self.main.max(self.starter + BRING) + BRING
    }

    fn one_after_the_other(&self) -> u64 {
        self.decides + self.starter + BRING + self.main + BRING
    }
}

/// How long it takes if each table begins as soon as one of `most` places is free.
fn by_list(plans: &[Plan], most: usize) -> u64 {
    let mut free = vec![0; most];
    for plan in plans {
        let first = free.iter_mut().min().expect("at least one place");
        *first += plan.takes();
    }
    free.into_iter().max().expect("at least one place")
}

fn fallen(table: Table) -> Trouble {
    Trouble(format!("a plate for table {table} fell"))
}

// ---- The restaurant -----------------------------------------------------------------------------

struct Restaurant {
    plans: Vec<Plan>,
    log: RefCell<Vec<Entry>>,
    in_the_oven: Cell<usize>,
}

/// One thing that was begun, or has ended.
#[derive(Clone)]
struct Entry {
    at: u64,
    table: Table,
    what: &'static str,
    course: &'static str,
    ended: bool,
}

/// Something in the oven. If it is dropped before it is done, it is out of the oven as well.
struct Oven<'a>(&'a Restaurant);

impl Drop for Oven<'_> {
    fn drop(&mut self) {
        self.0.in_the_oven.set(self.0.in_the_oven.get() - 1);
    }
}

impl Restaurant {
    fn plan(&self, table: Table) -> Plan {
        let plan = self.plans.iter().find(|plan| plan.table == table);
        *plan.unwrap_or_else(|| broken(format!("There is no party at table {table} tonight.\n")))
    }

    fn note(&self, table: Table, what: &'static str, course: &'static str, ended: bool) {
        let at = loopbot::now().as_secs();
        self.log.borrow_mut().push(Entry {
            at,
            table,
            what,
            course,
            ended,
        });
    }

    async fn job(&self, table: Table, what: &'static str, course: &'static str, seconds: u64) {
        self.note(table, what, course, false);
        loopbot::sleep(Duration::from_secs(seconds)).await;
        self.note(table, what, course, true);
    }
}

impl House for Restaurant {
    async fn take_order(&self, table: Table) -> [Slip; 2] {
        let plan = self.plan(table);
        self.job(table, "decides", "", plan.decides).await;
        [Slip(table, "starter"), Slip(table, "main course")]
    }

    async fn cook(&self, Slip(table, course): Slip) -> Plate {
        let plan = self.plan(table);
        self.in_the_oven.set(self.in_the_oven.get() + 1);
        let _oven = Oven(self);
        let seconds = if course == "starter" {
            plan.starter
        } else {
            plan.main
        };
        self.job(table, "cooks", course, seconds).await;
        assert!(
            plan.panics != Some(course),
            "the oven of table {table} is on fire"
        );
        Plate(table, course)
    }

    async fn bring(&self, Plate(table, course): Plate) -> Result<Tip, Trouble> {
        let plan = self.plan(table);
        self.job(table, "is brought", course, BRING).await;
        if plan.falls == Some(course) {
            return Err(fallen(table));
        }
        Ok(plan.tips[usize::from(course != "starter")])
    }
}

// ---- An evening ---------------------------------------------------------------------------------

/// What came of it.
struct Evening<T> {
    result: Result<T, Trouble>,
    /// How long it took, on its clock.
    took: u64,
    log: Vec<Entry>,
    in_the_oven: usize,
}

impl<T: Clone + std::fmt::Debug> Evening<T> {
    fn of<W>(plans: &[Plan], work: impl FnOnce(Rc<Restaurant>) -> W) -> Evening<T>
    where
        W: Future<Output = Result<T, Trouble>>,
    {
        let house = Rc::new(Restaurant {
            plans: plans.to_vec(),
            log: RefCell::default(),
            in_the_oven: Cell::new(0),
        });
        let loopbot = LoopBot::builder()
            .clock(Clock::virtual_time(VirtualTime::new()))
            .build();
        let main = async {
            let result = work(house.clone()).await;
            let took = loopbot::now().as_secs();
            // Whoever was told to stop needs a turn to hear of it.
            for _ in 0..3 {
                loopbot::yield_now().await;
            }
            (result, took, house.in_the_oven.get())
        };
        let usual = take_hook();
        let panics = plans.iter().any(|plan| plan.panics.is_some());
        if panics {
            set_hook(Box::new(|_| {})); // It is the house that panics. You need not read about it.
        }
        let ran = catch_unwind(AssertUnwindSafe(|| loopbot.try_run(main)));
        set_hook(usual);
        let (result, took, in_the_oven) = match ran {
            Ok(Ok(ran)) => ran,
            Ok(Err(stand_still)) => broken(format!(
                "LoopBot stands still: nobody is ready, no timer is set, and these wait: {}. For whom?\n{}",
                stand_still.waiting().join(", "),
                told(&house.log.borrow())
            )),
            // A panic of the house that has reached the caller as a panic.
            Err(panic) if panics && !panic.is::<Broken>() => {
                (Err(Trouble(words(&*panic).to_owned())), 0, 0)
            }
            Err(panic) => resume_unwind(panic),
        };
        let log = house.log.borrow().clone();
        Evening {
            result,
            took,
            log,
            in_the_oven,
        }
    }

    fn expect_tips(&self, tables: &[Table], tips: Result<Vec<Tip>, Trouble>) {
        let right: Vec<Tip> = tables
            .iter()
            .map(|table| {
                FIVE.iter()
                    .find(|plan| plan.table == *table)
                    .expect("one of five")
                    .tip()
            })
            .collect();
        self.expect(
            tips.as_ref() == Ok(&right),
            &format!("the tables {tables:?} gave {right:?}, in this order, and the caller was told {tips:?}"),
        );
        self.expect_served(tables);
    }

    fn expect_trouble(&self, table: Table, result: &Result<Vec<Tip>, Trouble>) {
        let right: Result<Vec<Tip>, _> = Err(fallen(table));
        self.expect(
            *result == right,
            &format!(
                "plates fell at the tables 1 and 2, and the caller was told {result:?}, not {right:?}. Which trouble is told is \
                 a matter of the order of the tables, and not of the clock"
            ),
        );
    }

    fn expect_panic(&self, course: &str) {
        match &self.result {
            Ok(tips) => self.broken(&format!(
                "the oven of table 4 panicked, and the caller was told Ok({tips:?}). It was the {course}. A panic in a task goes to \
                 whoever awaits its handle, as a `JoinError`. If that is thrown away, nobody hears of it"
            )),
            Err(Trouble(words)) => self.expect(
                words.contains("on fire"),
                &format!(
                    "the oven of table 4 panicked with the words \"the oven of table 4 is on fire\", and the caller was told \
                     {words:?}. Whoever has to put out a fire wants to know where it is: a `JoinError` says it, \
                     if you print it"
                ),
            ),
        }
    }

    fn expect_served(&self, tables: &[Table]) {
        for table in tables {
            for course in ["starter", "main course"] {
                let times = self.ended(*table, "is brought", course).count();
                self.expect(
                    times == 1,
                    &format!("when your function returned, the {course} of table {table} had been brought {}", often(times)),
                );
            }
        }
    }

    fn expect_courses(&self, table: Table) {
        let mut brought = self.log.iter().filter(|entry| entry.what == "is brought");
        let (first, second) = (brought.next(), brought.nth(1));
        let right = first.is_some_and(|entry| entry.course == "starter")
            && second.is_some_and(|entry| entry.course == "main course");
        self.expect(
            right,
            &format!(
                "table {table} has its starter brought first, all the way, and then its main course"
            ),
        );
    }

    fn expect_time(&self, right: u64, sum: u64, who: &str, because: &str) {
        let took = self.took;
        let why = match took {
            _ if took == sum && sum != right => {
                "That is the sum: each thing began when the one before it was done. ".to_owned()
            }
            _ => String::new(),
        };
        self.expect(
            took == right,
            &format!("{who} took {took} s, and should have taken {right} s. {why}{because}"),
        );
    }

    fn expect_begun_in_order(&self, tables: &[Table]) {
        let begun = self
            .log
            .iter()
            .filter(|entry| entry.what == "decides" && !entry.ended);
        let begun: Vec<Table> = begun.map(|entry| entry.table).collect();
        self.expect(
            begun == tables,
            &format!("the tables should begin in the order {tables:?}, and they began in the order {begun:?}"),
        );
    }

    fn expect_limit(&self, most: usize) {
        let mut open = 0;
        for entry in &self.log {
            match (entry.what, entry.course, entry.ended) {
                ("decides", _, false) => open += 1,
                ("is brought", "main course", true) => open -= 1,
                _ => {}
            }
            self.expect(
                open <= most,
                &format!("at second {} {open} tables were being served, and {most} are allowed at a time", entry.at),
            );
        }
    }

    fn expect_nothing_in_the_oven(&self, who: &str) {
        self.expect(
            self.in_the_oven == 0,
            &format!(
                "{who} returned, and {} of the dishes it had put on are still in the oven. Nobody waits for them. A handle that is \
                 dropped does not stop its task: await it, or abort it",
                self.in_the_oven
            ),
        );
    }

    fn ended(
        &self,
        table: Table,
        what: &'static str,
        course: &'static str,
    ) -> impl Iterator<Item = &Entry> {
        self.log
            .iter()
            .filter(move |entry| {
                entry.table == table && entry.what == what && entry.course == course && entry.ended
            })
            .filter(|entry| entry.at <= self.took)
    }

    fn expect(&self, kept: bool, otherwise: &str) {
        if !kept {
            self.broken(otherwise);
        }
    }

    fn broken(&self, message: &str) -> ! {
        broken(format!("{}.\n{}", sentence(message), told(&self.log)))
    }
}

/// The evening as a table: who did what from when to when.
fn told(log: &[Entry]) -> String {
    let mut told = String::new();
    if !log.is_empty() {
        told.push_str("\n  What happened, in seconds:\n");
    }
    for (n, begun) in log.iter().enumerate().filter(|(_, entry)| !entry.ended) {
        let Entry {
            at,
            table,
            what,
            course,
            ..
        } = begun;
        let same = |entry: &&Entry| {
            entry.ended && entry.table == *table && entry.what == *what && entry.course == *course
        };
        let until = log[n..]
            .iter()
            .find(same)
            .map_or_else(|| "...".to_owned(), |entry| entry.at.to_string());
        let what = match *what {
            "decides" => "the party decides".to_owned(),
            "cooks" => format!("the {course} is in the oven"),
            what => format!("the {course} {what}"),
        };
        let _ = writeln!(told, "    {at:>3} to {until:>3}  table {table}: {what}");
    }
    told
}

fn often(times: usize) -> String {
    match times {
        0 => "not at all".to_owned(),
        1 => "once".to_owned(),
        times => format!("{times} times"),
    }
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

fn broken(told: String) -> ! {
    resume_unwind(Box::new(Broken(told)))
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
             The clock goes on only when nobody is ready: a task that asks again and again, or yields in a loop, holds it.\n\n  {HELP}\n\n"
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

const HELP: &str = "Stuck? `cargo course hint 14`.";

fn words(panic: &(dyn Any + Send)) -> &str {
    let formatted = panic.downcast_ref::<String>().map(String::as_str);
    formatted
        .or(panic.downcast_ref::<&str>().copied())
        .unwrap_or("(not in words)")
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
