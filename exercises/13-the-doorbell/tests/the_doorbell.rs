//! Plays the operating system, the street in front of it, and the loop.
//!
//! The street is scripted: guests come when the test says so, and in the last tests between any two calls of yours.
//! No time passes, and there is no socket.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::io;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};
use std::pin::Pin;
use std::process::exit;
use std::rc::Rc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use exercise_13::{Door, Guest, NextGuest, Os, Reactor};

/// How long one test may take until we say that it hangs. It takes far less than a second if nothing waits for real.
const PATIENCE: Duration = Duration::from_secs(5);
/// The exit code of a program that noticed that it does not end; `cargo course check` knows it. The same number stands
/// in crates/whatif/src/watchdog.rs, but this exercise needs nothing besides std.
const DID_NOT_END: i32 = 124;
const FIRST_HINT: &str = "Nobody stands at the door, and `poll` says `Pending`. Whom will the system tell of the next guest, and how does that one find your bell?";

/// One test, so that you read one message: about the first promise that is not kept.
#[test]
fn the_reactor_keeps_its_promises() {
    keeps(
        "a guest who stands at the door is let in at once",
        somebody_is_there,
    );
    keeps(
        "if nobody is there, the system watches and the bell is kept",
        nobody_is_there,
    );
    keeps("an error is news, too", other_errors);
    keeps("an event calls a task, and the guest is let in", one_guest);
    keeps(
        "an event calls those who wait at its door, and nobody else",
        three_doors,
    );
    keeps(
        "one event may tell of two guests, and two may wait",
        two_at_one_door,
    );
    keeps("being called in vain does no harm", called_in_vain);
    keeps("the bell of the latest poll is rung, once", another_bell);
    keeps("who is dropped waits no more", dropped);
    keeps("what is over leaves nothing behind", over);
    keeps("a bell may do anything", bells_that_come_back);
    keeps(
        "one task waits, and a guest comes at any moment",
        one_guest_at_any_moment,
    );
    keeps(
        "two tasks wait, and two guests come at any moment",
        two_guests_at_any_moment,
    );
}

fn somebody_is_there() {
    let house = House::new();
    house.street.comes("Chen", 1);
    house.street.comes("Okafor", 1);
    for name in ["Chen", "Okafor"] {
        let mut task = house.task("Ada", 1);
        house.expect_guest(&mut task, name);
    }
    house.expect_tidy();
}

fn nobody_is_there() {
    let house = House::new();
    let mut task = house.task("Ada", 1);
    house.expect(
        house.street.watched.borrow().is_empty(),
        "a door is watched before anybody has polled. A future does nothing until then",
    );
    house.expect_pending(&mut task);
}

fn other_errors() {
    let house = House::new();
    house.street.breaks(1);
    let mut task = house.task("Ada", 1);
    match house.poll(&mut task) {
        Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionAborted => {}
        other => house.broken(&format!(
            "`accept` said that the guest has turned back at the door (`ConnectionAborted`), and `poll` made {} of it. Only \
             `WouldBlock` means \"not now\"; every other error is for the caller",
            told(&other)
        )),
    }
    drop(task);
    house.expect_tidy();
}

fn one_guest() {
    let house = House::new();
    let mut task = house.task("Ada", 1);
    for name in ["Chen", "Okafor", "Weber"] {
        house.expect_pending(&mut task);
        house.street.comes(name, 1);
        house.expect_event(1, &["Ada"]);
        house.expect_guest(&mut task, name);
        task.future = house.reactor.next_guest(1);
    }
}

fn three_doors() {
    let house = House::new();
    let mut tasks =
        [("Ada", 1), ("Ben", 2), ("Cleo", 3)].map(|(name, door)| house.task(name, door));
    tasks.iter_mut().for_each(|task| house.expect_pending(task));
    house.street.comes("Chen", 2);
    house.expect_event(2, &["Ben"]);
    house.expect_guest(&mut tasks[1], "Chen");
    // Of such a door the system may have told before it heard that nobody waits there any more.
    house
        .street
        .tells("a late event of door 7, where nobody has ever waited".to_owned());
    house.reactor.event(7);
    house.reactor.event(2);
    house.expect_rung(2, &[]);
    house.street.comes("Okafor", 3);
    house.street.comes("Weber", 1);
    house.expect_event(3, &["Cleo"]);
    house.expect_event(1, &["Ada"]);
    house.expect_guest(&mut tasks[2], "Okafor");
    house.expect_guest(&mut tasks[0], "Weber");
    drop(tasks);
    house.expect_tidy();
}

fn two_at_one_door() {
    let house = House::new();
    let mut tasks = ["Ada", "Ben"].map(|name| house.task(name, 1));
    tasks.iter_mut().for_each(|task| house.expect_pending(task));
    house.street.comes("Chen", 1);
    house.street.comes("Okafor", 1); // Before anybody looks: one event for both.
    house.expect_event(1, &["Ada", "Ben"]);
    house.expect_guest(&mut tasks[0], "Chen");
    house.expect_guest(&mut tasks[1], "Okafor");
    drop(tasks);
    house.expect_tidy();
}

fn called_in_vain() {
    let house = House::new();
    let mut ada = house.task("Ada", 1);
    house.expect_pending(&mut ada);
    for guest in ["Chen", "Okafor", "Weber"] {
        house.street.comes(guest, 1);
        house.expect_event(1, &["Ada"]);
        let mut quick = house.task("Ben", 1);
        house.expect_guest(&mut quick, guest); // Ben was quicker.
        drop(quick);
        house.expect_pending(&mut ada);
    }
    house.street.comes("Fujita", 1);
    house.expect_event(1, &["Ada"]);
    house.expect_guest(&mut ada, "Fujita");
}

fn another_bell() {
    let house = House::new();
    let mut task = house.task("Ada", 1);
    for _ in 0..3 {
        house.expect_pending(&mut task);
        let before = std::mem::replace(&mut task.bell, Bell::new("Ada", &house.rung));
        house.street.tells("Ada has another bell now".to_owned());
        let _ = house.poll(&mut task);
        house.expect(
            Arc::strong_count(&before) == 1,
            "Ada was polled with another bell, and the one before is still kept. The future may have moved to another task, \
             and the old bell calls the task where it was. Keep one bell for each future, the one of its latest poll",
        );
        house.expect_pending(&mut task);
    }
    house.street.comes("Chen", 1);
    house.expect_event(1, &["Ada"]);
    house.expect_guest(&mut task, "Chen");
    drop(task);
    house.expect_tidy();
}

fn dropped() {
    let house = House::new();
    let mut tasks =
        [("Ada", 1), ("Ben", 1), ("Cleo", 2)].map(|(name, door)| house.task(name, door));
    tasks.iter_mut().for_each(|task| house.expect_pending(task));
    // One task may wait with two futures at the same door, and give up with one of them.
    let mut another = Task {
        name: "Ada",
        door: 1,
        future: house.reactor.next_guest(1),
        bell: tasks[0].bell.clone(),
    };
    house
        .street
        .tells("Ada has a second future, for door 1, with the same bell".to_owned());
    house.expect_pending(&mut another);
    house
        .street
        .tells("Ada drops the second one, and waits on with the first".to_owned());
    drop(another);
    house.expect_watched(1, "Ada and Ben still wait there");
    house.expect_watched(2, "Cleo waits there");
    house.street.comes("Chen", 1);
    house.expect_event(1, &["Ada", "Ben"]);
    house.expect_guest(&mut tasks[0], "Chen");
    house.expect_pending(&mut tasks[1]);
    let [ada, ben, mut cleo] = tasks;
    house.drops(ada);
    house.expect_watched(1, "Ben still waits there");
    let bell = ben.bell.clone();
    house.drops(ben);
    house.expect(
        Arc::strong_count(&bell) == 1,
        "Ben's future was dropped, and its bell is still kept. Nobody waits any more: an event would call a task for nothing",
    );
    house.expect(
        !house.street.watched.borrow().contains(&1),
        "everybody who waited at door 1 was dropped, and the system still watches it. It would wake the loop for the next \
         guest, and nobody wants one. Whoever leaves as the last one says `unwatch`",
    );
    house.street.comes("Okafor", 2);
    house.expect_event(2, &["Cleo"]);
    house.expect_guest(&mut cleo, "Okafor");
}

fn over() {
    let house = House::new();
    let mut ada = house.task("Ada", 1);
    let mut ben = house.task("Ben", 1);
    house.expect_pending(&mut ada);
    house.expect_pending(&mut ben);
    house.street.comes("Chen", 1);
    house.expect_guest(&mut ada, "Chen"); // Polled before the event was told.
    drop(ada);
    house.deliver();
    house.expect_rung(1, &["Ben"]);
    house.expect_pending(&mut ben);
    house.street.comes("Okafor", 1);
    house.expect_event(1, &["Ben"]);
    house.expect_guest(&mut ben, "Okafor");
    drop(ben);
    house.expect_tidy();
}

fn bells_that_come_back() {
    let house = House::new();
    let mut ada = house.task("Ada", 1);
    let mut ben = house.task("Ben", 1);
    house.expect_pending(&mut ada);
    house.expect_pending(&mut ben);
    COMES_BACK.set(Some(house.reactor.clone()));
    house.street.comes("Chen", 1);
    let told = house.street.events.take();
    house.expect(told == [1], "the system should have told of door 1");
    house.reactor.event(1);
    COMES_BACK.take();
    house.expect_rung(1, &["Ada", "Ben"]);
}

fn one_guest_at_any_moment() {
    for moment in 0..MOMENTS {
        let house = House::new();
        house.street.script(&[("Chen", 1, moment)]);
        let mut tasks = [house.task("Ada", 1)];
        house.run(&mut tasks, &["Chen"]);
    }
}

fn two_guests_at_any_moment() {
    for first in 0..MOMENTS {
        for second in first..MOMENTS {
            let house = House::new();
            house
                .street
                .script(&[("Chen", 1, first), ("Okafor", 1, second)]);
            let mut tasks = ["Ada", "Ben"].map(|name| house.task(name, 1));
            house.run(&mut tasks, &["Chen", "Okafor"]);
        }
    }
}

/// More lines of what happened are not read by anybody.
const MOST_LINES: usize = 24;

/// More calls than a right answer needs until everybody is in.
const MOMENTS: u32 = 24;

// ---- The operating system -----------------------------------------------------------------------

/// The doors, who stands there, and what the system was asked to tell.
#[derive(Default)]
struct Street {
    doors: RefCell<BTreeMap<Door, VecDeque<Result<Guest, io::ErrorKind>>>>,
    watched: RefCell<BTreeSet<Door>>,
    /// Told at the next opportunity.
    events: RefCell<Vec<Door>>,
    /// Who comes when: before the call with this number.
    coming: RefCell<VecDeque<(&'static str, Door, u32)>>,
    calls: Cell<u32>,
    tries_in_this_poll: Cell<u32>,
    story: RefCell<Vec<String>>,
}

/// What your reactor sees of the street.
struct Lobby(Rc<Street>);

impl Street {
    fn tells(&self, what: String) {
        self.story.borrow_mut().push(what);
    }

    fn comes(&self, name: &str, door: Door) {
        self.arrives(name, door, Ok(name.to_owned()));
    }

    fn breaks(&self, door: Door) {
        self.arrives(
            "a guest who turns back",
            door,
            Err(io::ErrorKind::ConnectionAborted),
        );
    }

    fn arrives(&self, name: &str, door: Door, what: Result<Guest, io::ErrorKind>) {
        self.doors
            .borrow_mut()
            .entry(door)
            .or_default()
            .push_back(what);
        let told = self.watched.borrow_mut().remove(&door);
        if told {
            self.events.borrow_mut().push(door);
        }
        let seen = if told {
            "there will be an event"
        } else {
            "the door is not watched: no event"
        };
        self.tells(format!("{name} comes to door {door}; {seen}"));
    }

    fn script(&self, coming: &[(&'static str, Door, u32)]) {
        self.coming.borrow_mut().extend(coming);
    }

    /// The street does not wait for anybody: before each call somebody may come.
    fn a_moment_passes(&self) {
        loop {
            let next = self.coming.borrow().front().copied();
            match next {
                Some((name, door, when)) if when <= self.calls.get() => {
                    self.coming.borrow_mut().pop_front();
                    self.comes(name, door);
                }
                _ => break,
            }
        }
        self.calls.set(self.calls.get() + 1);
    }

    fn stands_at(&self, door: Door) -> Option<Guest> {
        let doors = self.doors.borrow();
        doors
            .get(&door)?
            .front()
            .and_then(|guest| guest.clone().ok())
    }

    fn broken(&self, message: &str) -> ! {
        let mut told = format!("{}.\n", sentence(message));
        let story = self.story.borrow();
        if !story.is_empty() {
            told.push_str("\n  What happened until then:\n");
        }
        let left_out = story.len().saturating_sub(MOST_LINES);
        if left_out > 0 {
            let _ = writeln!(told, "    (lines left out before that: {left_out})");
        }
        for line in &story[left_out..] {
            let _ = writeln!(told, "    {line}");
        }
        broken(told)
    }
}

impl Os for Lobby {
    fn accept(&self, door: Door) -> io::Result<Guest> {
        let street = &self.0;
        street.a_moment_passes();
        let tries = street.tries_in_this_poll.get() + 1;
        street.tries_in_this_poll.set(tries);
        if tries > 10 {
            street.broken(
                "in one poll you have called `accept` more than ten times. As long as you stand at the door and ask, nobody \
                 else is served. When nobody is there, arrange to be called, and return `Poll::Pending`",
            );
        }
        let next = self
            .0
            .doors
            .borrow_mut()
            .entry(door)
            .or_default()
            .pop_front();
        let answer: io::Result<Guest> = match next {
            Some(Ok(guest)) => Ok(guest),
            Some(Err(kind)) => Err(kind.into()),
            None => Err(io::ErrorKind::WouldBlock.into()),
        };
        street.tells(match &answer {
            Ok(guest) => format!("  accept({door}) lets {guest} in"),
            Err(error) => format!("  accept({door}) says {:?}", error.kind()),
        });
        answer
    }

    fn watch(&self, door: Door) {
        self.0.a_moment_passes();
        self.0.watched.borrow_mut().insert(door);
        self.0.tells(format!("  watch({door})"));
    }

    fn unwatch(&self, door: Door) {
        self.0.a_moment_passes();
        self.0.watched.borrow_mut().remove(&door);
        self.0.tells(format!("  unwatch({door})"));
    }
}

// ---- The loop -----------------------------------------------------------------------------------

/// Your reactor, the system below it, and the loop above it.
struct House {
    street: Rc<Street>,
    reactor: Rc<Reactor<Lobby>>,
    /// Whose bells were rung, in their order, since somebody looked.
    rung: Arc<Mutex<Vec<&'static str>>>,
}

/// A task that waits at a door: your `NextGuest`, and the bell of the task.
struct Task {
    name: &'static str,
    door: Door,
    future: NextGuest<Lobby>,
    bell: Arc<Bell>,
}

impl House {
    fn new() -> House {
        let street = Rc::new(Street::default());
        let reactor = Reactor::new(Lobby(street.clone()));
        let rung = Arc::default();
        House {
            street,
            reactor,
            rung,
        }
    }

    fn task(&self, name: &'static str, door: Door) -> Task {
        Task {
            name,
            door,
            future: self.reactor.next_guest(door),
            bell: Bell::new(name, &self.rung),
        }
    }

    fn drops(&self, task: Task) {
        self.street
            .tells(format!("a future of {}'s is dropped", task.name));
        drop(task);
    }

    fn take_rung(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.rung.lock().unwrap())
    }

    fn poll(&self, task: &mut Task) -> Poll<io::Result<Guest>> {
        let before = self.take_rung();
        self.street.tries_in_this_poll.set(0);
        self.street
            .tells(format!("{} is polled, for door {}", task.name, task.door));
        let bell = Waker::from(task.bell.clone());
        let polled = Pin::new(&mut task.future).poll(&mut Context::from_waker(&bell));
        self.street.tells(format!("  and says {}", told(&polled)));
        self.expect(
            self.take_rung().is_empty(),
            "a bell was rung in `poll`. The loop would come back at once, find nobody, and ring again: thousands of polls for \
             nothing. Leave the bell with the reactor, and ring it in `event`",
        );
        *self.rung.lock().unwrap() = before;
        polled
    }

    /// The system tells what there is to tell.
    fn deliver(&self) {
        for door in self.street.events.take() {
            self.street.tells(format!("event: door {door}"));
            self.reactor.event(door);
        }
    }

    /// Polls whoever is called, until nobody is. Then nobody may stand outside while somebody waits inside.
    fn run(&self, tasks: &mut [Task], guests: &[&str]) {
        let mut inside: Vec<Guest> = Vec::new();
        let mut over = vec![false; tasks.len()];
        let mut ready: Vec<&str> = tasks.iter().map(|task| task.name).collect();
        while !ready.is_empty() {
            for (task, over) in tasks.iter_mut().zip(&mut over) {
                if *over || !ready.contains(&task.name) {
                    continue;
                }
                if let Poll::Ready(news) = self.poll(task) {
                    inside.extend(news);
                    *over = true;
                }
            }
            // The loop waits in the system, and the street goes on: a bit at a time, until somebody is called.
            while self.rung.lock().unwrap().is_empty()
                && (!self.street.coming.borrow().is_empty()
                    || !self.street.events.borrow().is_empty())
            {
                self.street.a_moment_passes();
                self.deliver();
            }
            ready = self.take_rung();
        }
        for (task, over) in tasks.iter().zip(over) {
            let (name, door) = (task.name, task.door);
            if over {
                continue;
            }
            match self.street.stands_at(door) {
                Some(guest) => self.broken(&format!(
                    "{guest} stands at door {door}, {name} waits for a guest at door {door}, and nobody will ever ring"
                )),
                None => self.broken(&format!(
                    "{name} waits at door {door}, and {} guests came for {} tasks. A guest was lost",
                    guests.len(),
                    tasks.len()
                )),
            }
        }
        inside.sort_unstable();
        self.expect(
            inside == guests,
            &format!("let in were {inside:?}, and there came {guests:?}"),
        );
    }

    fn expect_guest(&self, task: &mut Task, guest: &str) {
        match self.poll(task) {
            Poll::Ready(Ok(here)) if here == guest => {}
            Poll::Pending => self.broken(&format!(
                "{guest} stands at door {}, and `poll` says `Pending`. Try first: an event tells of those who come, and not \
                 of those who stand there",
                task.door
            )),
            other => self.broken(&format!("{guest} stands at door {}, and `poll` says {}", task.door, told(&other))),
        }
    }

    fn expect_pending(&self, task: &mut Task) {
        let (name, door) = (task.name, task.door);
        match self.poll(task) {
            Poll::Pending => {}
            other => self.broken(&format!(
                "nobody stands at door {door}, and `poll` says {}. `WouldBlock` is no news for the caller: it means that \
                 the future is pending",
                told(&other)
            )),
        }
        self.expect(
            Arc::strong_count(&task.bell) > 1,
            &format!("{name} says `Pending`, and nobody has kept its bell. Whoever hears of the next guest cannot call it"),
        );
        self.expect_watched(door, &format!("{name} waits there"));
    }

    fn expect_watched(&self, door: Door, because: &str) {
        self.expect(
            self.street.watched.borrow().contains(&door),
            &format!(
                "the system does not watch door {door}, and {because}. It will tell nobody of the next guest. (After an event a \
                 door is not watched any more: who wants to hear of the next one has to ask again)"
            ),
        );
    }

    fn expect_event(&self, door: Door, names: &[&str]) {
        let told = self.street.events.borrow().contains(&door);
        self.expect(told, &format!("the system should have told of door {door}"));
        self.street
            .events
            .borrow_mut()
            .retain(|other| *other != door);
        self.street.tells(format!("event: door {door}"));
        self.reactor.event(door);
        self.expect_rung(door, names);
    }

    fn expect_rung(&self, door: Door, names: &[&str]) {
        let mut rung = self.take_rung();
        self.street.tells(format!("  rung for: {}", list(&rung)));
        rung.sort_unstable();
        self.expect(
            rung == names,
            &format!(
                "an event of door {door} should call: {}. Your reactor called: {}. One event may tell of many guests, so all \
                 who wait at that door are called, once, and nobody else",
                list(names),
                list(&rung)
            ),
        );
    }

    fn expect_tidy(&self) {
        let watched = self.street.watched.borrow();
        self.expect(
            watched.is_empty(),
            &format!(
                "nobody waits any more, and the system still watches door {}. Whoever leaves as the last one says `unwatch`",
                watched.first().copied().unwrap_or_default()
            ),
        );
    }

    fn expect(&self, kept: bool, otherwise: &str) {
        if !kept {
            self.broken(otherwise);
        }
    }

    fn broken(&self, message: &str) -> ! {
        self.street.broken(message)
    }
}

fn told(polled: &Poll<io::Result<Guest>>) -> String {
    match polled {
        Poll::Pending => "Pending".to_owned(),
        Poll::Ready(Ok(guest)) => format!("Ready: {guest}"),
        Poll::Ready(Err(error)) => format!("Ready: {:?}", error.kind()),
    }
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
}

thread_local! {
    /// A reactor to which whoever is rung for comes back at once, as some executors do.
    static COMES_BACK: RefCell<Option<Rc<Reactor<Lobby>>>> = const { RefCell::new(None) };
}

impl Bell {
    fn new(name: &'static str, rung: &Arc<Mutex<Vec<&'static str>>>) -> Arc<Bell> {
        let rung = rung.clone();
        Arc::new(Bell { name, rung })
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.lock().unwrap().push(self.name);
        let Some(reactor) = COMES_BACK.with_borrow(Clone::clone) else {
            return;
        };
        let usual = take_hook();
        set_hook(Box::new(|_| {}));
        let came_back = catch_unwind(AssertUnwindSafe(|| {
            // Forgotten, not dropped: a second panic, while this one is under way, would end the program.
            let mut next = std::mem::ManuallyDrop::new(reactor.next_guest(9));
            let _ = Pin::new(&mut *next).poll(&mut Context::from_waker(Waker::noop()));
            reactor.event(9);
        }));
        set_hook(usual);
        if came_back.is_err() {
            broken(format!(
                "{} came back to the reactor while its bell was rung, and found a `RefCell` borrowed. A waker is anybody's \
                 code: take the bells out, let the borrow end, and ring then.\n",
                self.name
            ));
        }
    }
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
             Nothing here waits for real: `poll` and `event` come back at once.\n\n  {HELP}\n\n"
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

const HELP: &str = "Stuck? `cargo course hint 13`.";

fn words(panic: &(dyn Any + Send)) -> &str {
    let formatted = panic.downcast_ref::<String>().map(String::as_str);
    formatted
        .or(panic.downcast_ref::<&str>().copied())
        .unwrap_or("(not in words)")
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
