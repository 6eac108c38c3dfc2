//! What LoopBot's crates are joined by, in other hands than theirs: a place of one's own to park in, an observer of one's own.

mod common;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::panic::{Location, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Poll, Waker, ready};
use std::thread;
use std::time::{Duration, Instant};

use common::{virtual_robot, with_an_end};
use loopbot::leaf::{self, EndedBy};
use loopbot::observe::{self, Known, Observe, Observer, Run, Status};
use loopbot::parking::{self, Park, Unpark};
use loopbot::{LoopBot, sleep, spawn, spawn_named, wait_point, yield_now};

/// Letters come here, from any thread, and one task reads them.
#[derive(Default)]
struct LetterBox {
    slot: Arc<Slot>,
    reader: RefCell<Option<Waker>>,
    parked: Cell<usize>,
}

#[derive(Default)]
struct Slot {
    inside: Mutex<Inside>,
    news: Condvar,
}

#[derive(Default)]
struct Inside {
    letters: VecDeque<String>,
    is_rung: bool,
}

impl Unpark for Slot {
    fn unpark(&self) {
        self.inside.lock().unwrap().is_rung = true;
        self.news.notify_all();
    }
}

impl Park for LetterBox {
    fn park(&self, at_most: Option<Duration>) {
        self.parked.set(self.parked.get() + 1);
        let end = at_most.map(|at_most| Instant::now() + at_most);
        let mut inside = self.slot.inside.lock().unwrap();
        while inside.letters.is_empty() && !inside.is_rung {
            inside = match end {
                None => self.slot.news.wait(inside).unwrap(),
                Some(end) => match end.checked_duration_since(Instant::now()) {
                    None => break,
                    Some(left) => self.slot.news.wait_timeout(inside, left).unwrap().0,
                },
            };
        }
        inside.is_rung = false;
        let has_come = !inside.letters.is_empty();
        drop(inside);
        if has_come {
            let reader = self.reader.take();
            reader.into_iter().for_each(leaf::wake_caught);
        }
    }

    fn is_idle(&self) -> bool {
        self.reader.borrow().is_none()
    }

    fn unparker(&self) -> Arc<dyn Unpark> {
        self.slot.clone()
    }
}

impl LetterBox {
    fn of_this_loop() -> Rc<LetterBox> {
        let made = parking::park_in(|| Ok::<_, ()>(LetterBox::default()));
        made.expect("a LoopBot runs here").unwrap()
    }

    fn post(slot: &Slot, letter: &str) {
        let letters = &mut slot.inside.lock().unwrap().letters;
        letters.push_back(letter.to_owned());
        slot.news.notify_all();
    }

    #[track_caller]
    fn read(&self) -> impl Future<Output = String> {
        let at = Location::caller();
        poll_fn(move |cx| {
            ready!(leaf::spend(cx));
            let letter = self.slot.inside.lock().unwrap().letters.pop_front();
            if let Some(letter) = letter {
                return Poll::Ready(letter);
            }
            let waker = leaf::keep(cx.waker());
            let before = self.reader.replace(Some(waker));
            drop(before);
            leaf::waits("a letter", at, EndedBy::Outside);
            Poll::Pending
        })
    }
}

#[test]
fn a_loop_waits_where_it_was_told_to_park() {
    with_an_end(|| {
        let letters = loopbot::run(async {
            let letters = LetterBox::of_this_loop();
            assert!(parking::parks_in(&letters));
            assert!(
                Rc::ptr_eq(&letters, &LetterBox::of_this_loop()),
                "it is made once"
            );
            let slot = letters.slot.clone();
            let postman = thread::spawn(move || LetterBox::post(&slot, "a bill"));
            assert_eq!(letters.read().await, "a bill");
            postman.join().unwrap();
            letters
        });
        assert!(!parking::parks_in(&letters), "that run is over");
        loopbot::run(async { assert!(!parking::parks_in(&letters), "this is another run") });
    });
}

/// Timers end a wait there, and so does a ring from another thread for a task that has nothing to do with it.
#[test]
fn timers_and_rings_from_other_threads_end_a_wait_there() {
    with_an_end(|| {
        loopbot::run(async {
            let letters = LetterBox::of_this_loop();
            // On a machine that is slow enough, a sleep is over before anybody could wait for it.
            while letters.parked.get() == 0 {
                sleep(Duration::from_millis(2)).await;
            }
            let mut rings: Option<thread::JoinHandle<()>> = None;
            poll_fn(|cx| {
                if let Some(rings) = rings.take() {
                    rings.join().unwrap();
                    return Poll::Ready(());
                }
                let waker = cx.waker().clone();
                rings = Some(thread::spawn(move || waker.wake()));
                Poll::Pending
            })
            .await;
        });
    });
}

/// On a virtual clock, nobody who could write is left: as long as a letter is awaited, that is not for LoopBot to say.
#[test]
fn nobody_stands_still_while_something_is_awaited_there() {
    with_an_end(|| {
        virtual_robot().run(async {
            let letters = LetterBox::of_this_loop();
            let slot = letters.slot.clone();
            let postman = thread::spawn(move || LetterBox::post(&slot, "an order"));
            assert_eq!(letters.read().await, "an order");
            postman.join().unwrap();
        });
        let stand_still = virtual_robot().try_run(async {
            let _letters = LetterBox::of_this_loop(); // and nobody reads
            std::future::pending::<()>().await
        });
        assert_eq!(stand_still.unwrap_err().waiting(), ["main"]);
    });
}

#[test]
fn a_loop_parks_in_one_place_only() {
    struct Elsewhere;
    impl Park for Elsewhere {
        fn park(&self, _: Option<Duration>) {}
        fn is_idle(&self) -> bool {
            true
        }
        fn unparker(&self) -> Arc<dyn Unpark> {
            Arc::new(Slot::default())
        }
    }
    virtual_robot().run(async {
        let _letters = LetterBox::of_this_loop();
        let refused = catch_unwind(|| parking::park_in(|| Ok::<_, ()>(Elsewhere)).map(drop));
        assert!(in_words(&*refused.unwrap_err()).contains("can wait in one place only"));
    });
    virtual_robot().run(async {
        let refused = catch_unwind(|| {
            parking::park_in(|| {
                LetterBox::of_this_loop();
                Ok::<_, ()>(Elsewhere)
            })
            .map(drop)
        });
        assert!(in_words(&*refused.unwrap_err()).contains("`make` has made another place"));
    });
}

#[test]
fn where_no_loop_runs_nobody_parks() {
    assert!(parking::park_in(|| Ok::<_, ()>(LetterBox::default())).is_none());
    assert!(!parking::parks_in(&Rc::new(LetterBox::default())));
    let refused = catch_unwind(|| leaf::must_run_on_a_loop("post"));
    assert!(
        in_words(&*refused.unwrap_err())
            .contains("`loopbot::post` was called where no LoopBot runs")
    );
}

#[test]
fn a_place_that_cannot_be_made_is_an_error_and_may_be_made_later() {
    virtual_robot().run(async {
        let failed = parking::park_in::<LetterBox, _>(|| Err("no letter box to be had"));
        assert!(matches!(failed, Some(Err("no letter box to be had"))));
        let _letters = LetterBox::of_this_loop();
    });
}

/// The socket is made after the letter box: a sentence, and not a socket that nobody listens to.
#[cfg(feature = "net")]
#[test]
fn a_loop_that_parks_elsewhere_has_no_sockets() {
    virtual_robot().run(async {
        let _letters = LetterBox::of_this_loop();
        let bound = std::panic::AssertUnwindSafe(|| {
            let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            loopbot::net::TcpListener::from_std(socket).map(drop)
        });
        let refused = catch_unwind(bound).unwrap_err();
        assert!(in_words(&*refused).contains("can wait in one place only"));
    });
}

fn in_words(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().map(|words| words.to_string());
    words
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

/// How long a task waits for somebody who looks on, before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks on from a thread of its own, as often as somebody asks, and tells them to go on.
#[derive(Clone)]
struct Onlooker {
    seen: Rc<RefCell<Vec<Known>>>,
    told: Diary,
    asked: Arc<Mutex<Receiver<()>>>,
    go_on: Sender<()>,
}

impl Observe for Onlooker {
    fn observe(&self, robot: &LoopBot, status: &Status, run: &mut Run<'_>) {
        assert_eq!(robot.name(), "the waiter");
        let (asked, go_on) = (self.asked.clone(), self.go_on.clone());
        let seen = thread::scope(|scope| {
            let looks = scope.spawn(move || {
                let mut seen = Vec::new();
                while asked.lock().unwrap().recv().is_ok() {
                    let poll = status.poll();
                    assert!(poll.is_under_way());
                    seen.push(status.known(poll).expect("the loop is held meanwhile"));
                    go_on.send(()).unwrap();
                }
                seen
            });
            run(Some(Box::new(self.told.clone())));
            looks.join().unwrap()
        });
        self.seen.borrow_mut().extend(seen);
    }
}

/// Writes down what it is told.
#[derive(Clone, Default)]
struct Diary(Rc<RefCell<Vec<String>>>);

impl Diary {
    fn note(&self, what: String) {
        self.0.borrow_mut().push(what);
    }
}

impl Observer for Diary {
    fn is_called(&self, slot: u32, born: u32, name: &str) {
        self.note(format!("task {born} in place {slot} is {name}"));
    }

    fn waits_by_name(&self, slot: u32, name: &Rc<str>, _: &'static Location<'static>) {
        self.note(format!("the one in place {slot} waits for {name}"));
    }

    fn begins_at(&self, _: u64) {}

    fn ends_at(&self, poll: observe::Poll, _: u64) {
        assert!(poll.is_under_way() && poll.number() > 0);
    }

    fn park_ended(&self) {
        self.note("goes on".to_owned());
    }
}

#[test]
fn an_observer_sees_who_is_polled_and_where_it_waited() {
    let (ask, asked) = mpsc::channel();
    let (go_on, answered) = mpsc::channel();
    let onlooker = Onlooker {
        seen: Rc::default(),
        told: Diary::default(),
        asked: Arc::new(Mutex::new(asked)),
        go_on,
    };
    let robot = LoopBot::builder()
        .name("the waiter")
        .clock(virtual_robot().clock().clone())
        .watchdog(onlooker.clone())
        .build();
    let run_at = line() + 1;
    let (spawned_at, waited_at) = robot.run(async move {
        let hold_on = Rc::new(move || {
            ask.send(()).unwrap();
            answered.recv_timeout(PATIENCE).expect("somebody looks on");
        });
        hold_on();
        let cook = {
            let hold_on = hold_on.clone();
            async move {
                yield_now().await;
                hold_on();
                let waited_at = line() + 1;
                wait_point("the oven", sleep(Duration::from_secs(1))).await;
                hold_on();
                waited_at
            }
        };
        let spawned_at = line() + 1;
        let cook = spawn_named("cook", cook);
        let waited_at = cook.await.unwrap();
        hold_on();
        (spawned_at, waited_at)
    });
    let seen = onlooker.seen.take();
    let who: Vec<(u32, u32)> = seen.iter().map(|known| (known.slot, known.born)).collect();
    assert_eq!(who, [(0, 0), (1, 1), (1, 1), (0, 0)]);
    let line_of = |at: Option<&Location<'_>>| at.map(Location::line);
    let spawned = |known: &Known| line_of(known.spawned_at);
    let lines: Vec<Option<u32>> = seen.iter().map(spawned).collect();
    assert_eq!(
        lines,
        [run_at, spawned_at, spawned_at, run_at].map(Some),
        "main begins where `run` was called"
    );
    let waited = |known: &Known| line_of(known.waited_at);
    let lines: Vec<Option<u32>> = seen.iter().map(waited).collect();
    assert_eq!(
        lines,
        [None, None, Some(waited_at), None],
        "to give way is no wait that says where it is, and to wait for a task's end neither"
    );
    assert_eq!(
        onlooker.told.0.take(),
        [
            "task 1 in place 1 is cook",
            "the one in place 1 waits for the oven",
            "goes on",
        ]
    );
}

#[track_caller]
fn line() -> u32 {
    Location::caller().line()
}

/// It is there from before the main future to after it, also if that is by a panic.
#[test]
fn a_run_is_within_its_observer() {
    struct Around(Rc<RefCell<Vec<&'static str>>>);
    impl Observe for Around {
        fn observe(&self, _: &LoopBot, status: &Status, run: &mut Run<'_>) {
            assert!(!status.poll().is_under_way());
            self.0.borrow_mut().push("before");
            run(None);
            run(None); // There is no second one.
            self.0.borrow_mut().push("after");
        }
    }
    let notes = Rc::new(RefCell::new(Vec::new()));
    let robot = LoopBot::builder().watchdog(Around(notes.clone())).build();
    let four = robot.run(async {
        notes.borrow_mut().push("main");
        4
    });
    assert_eq!(four, 4);
    assert_eq!(notes.take(), ["before", "main", "after"]);
    let bound = std::panic::AssertUnwindSafe(|| robot.run(async { panic!("the soup boils over") }));
    let panic = catch_unwind(bound).unwrap_err();
    assert!(in_words(&*panic).contains("boils over"));
    assert_eq!(notes.take(), ["before", "after"]);
}

#[test]
fn an_observer_that_does_not_let_the_run_happen_is_told_so() {
    struct Jealous;
    impl Observe for Jealous {
        fn observe(&self, _: &LoopBot, _: &Status, _: &mut Run<'_>) {}
    }
    let robot = LoopBot::builder().watchdog(Jealous).build();
    let bound = std::panic::AssertUnwindSafe(|| robot.run(async {}));
    let panic = catch_unwind(bound).unwrap_err();
    assert!(in_words(&*panic).contains("has to call `run`"));
    assert_eq!(loopbot::run(async { 4 }), 4, "this thread is free again");
}

/// Counts the turns between two looks.
#[derive(Default)]
struct Window {
    turns: Cell<usize>,
    most: Cell<usize>,
    looks: Cell<usize>,
}

impl Window {
    fn of_this_loop() -> Rc<Window> {
        let window = parking::park_in(|| Ok::<_, ()>(Window::default()));
        window.expect("a LoopBot runs here").unwrap()
    }

    fn a_turn(&self) {
        self.turns.set(self.turns.get() + 1);
    }
}

impl Park for Window {
    fn park(&self, _: Option<Duration>) {
        self.looks.set(self.looks.get() + 1);
        self.most.set(self.most.get().max(self.turns.take()));
    }

    fn is_idle(&self) -> bool {
        false
    }

    fn unparker(&self) -> Arc<dyn Unpark> {
        Arc::new(Slot::default())
    }
}

/// However short the turns are. If they are long, it looks sooner.
#[test]
fn it_looks_outside_after_a_bounded_number_of_turns() {
    for (turns, tasks) in [(1, 1), (7, 3), (256, 1), (256, 300)] {
        let robot = LoopBot::builder().turns_between_looks(turns).build();
        let (most, looks) = robot.run(async move {
            let window = Window::of_this_loop();
            let give_way = async |window: Rc<Window>| {
                for _ in 0..1_000 {
                    window.a_turn();
                    yield_now().await;
                }
            };
            let tasks: Vec<_> = (0..tasks)
                .map(|_| spawn(give_way(window.clone())))
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            (window.most.get(), window.looks.get())
        });
        assert!((1..=turns).contains(&most), "{most} turns, of {turns}");
        assert!(looks + 1 >= 1_000 / turns, "{looks} looks");
    }
}

#[test]
fn it_looks_outside_when_a_task_has_used_up_its_budget() {
    let most = loopbot::run(async {
        let window = Window::of_this_loop();
        let mut turns_left = 100;
        let greedy = spawn({
            let window = window.clone();
            poll_fn(move |cx| {
                window.a_turn();
                turns_left -= 1;
                if turns_left == 0 {
                    return Poll::Ready(());
                }
                while leaf::spend(cx).is_ready() {}
                Poll::Pending
            })
        });
        greedy.await.unwrap();
        window.most.get()
    });
    assert_eq!(most, 1);
}
