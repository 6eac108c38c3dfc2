//! What LoopBot's crates are joined by, in other hands than theirs: a place of one's own to park in, an observer of one's own.

mod common;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::panic::{Location, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Poll, Waker, ready};
use std::thread;
use std::time::{Duration, Instant};

use common::{virtual_robot, with_an_end};
use loopbot::leaf::{self, EndedBy};
use loopbot::observe::{Observe, Observer};
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

/// Writes down what it is told.
#[derive(Clone, Default)]
struct Diary(Rc<RefCell<Vec<String>>>);

impl Diary {
    fn note(&self, what: String) {
        self.0.borrow_mut().push(what);
    }
}

impl Observe for Diary {
    fn observe(&self, robot: &LoopBot) -> Option<Box<dyn Observer>> {
        self.note(format!("a run of {}", robot.name()));
        Some(Box::new(self.clone()))
    }
}

impl Observer for Diary {
    fn spawned(&self, slot: u32, born: u32, at: &'static Location<'static>) {
        assert!(at.file().ends_with("seams.rs"));
        self.note(format!("task {born} in place {slot}"));
    }

    fn is_called(&self, slot: u32, born: u32, name: &str) {
        self.note(format!("task {born} in place {slot} is {name}"));
    }

    fn poll_begins(&self, slot: u32) {
        self.note(format!("{slot} begins"));
    }

    fn begins_at(&self, _: u64) {}

    fn ends_at(&self, _: u64) {}

    fn turns_ended(&self) {
        self.note("looks".to_owned());
    }

    fn waits(&self, slot: u32, at: Option<&'static Location<'static>>) {
        let place = if at.is_some() {
            "somewhere"
        } else {
            "for a task"
        };
        self.note(format!("{slot} waits {place}"));
    }

    fn waits_by_name(&self, slot: u32, name: &Rc<str>, _: &'static Location<'static>) {
        self.note(format!("{slot} waits for {name}"));
    }

    fn park_begins(&self) {
        self.note("parks".to_owned());
    }

    fn park_ended(&self) {
        self.note("goes on".to_owned());
    }
}

#[test]
fn an_observer_is_told_of_every_poll_and_every_wait() {
    let diary = Diary::default();
    let robot = LoopBot::builder()
        .name("the waiter")
        .clock(virtual_robot().clock().clone())
        .watchdog(diary.clone())
        .build();
    robot.run(async {
        let cook = spawn_named("cook", async {
            yield_now().await;
            wait_point("the oven", sleep(Duration::from_secs(1))).await;
        });
        cook.await.unwrap();
    });
    let told = diary.0.take();
    assert_eq!(
        told,
        [
            "a run of the waiter",
            "task 0 in place 0",
            "task 0 in place 0 is main",
            "looks",
            "0 begins",
            "task 1 in place 1",
            "task 1 in place 1 is cook",
            "0 waits for a task",
            "looks",
            "1 begins",
            "looks",
            "1 begins",
            "1 waits somewhere",
            "1 waits for the oven",
            "looks",
            "parks",
            "goes on",
            "looks",
            "1 begins",
            "looks",
            "0 begins",
            "looks",
        ]
    );
}

/// It is there from before the first task to after the last one.
#[test]
fn an_observer_goes_when_the_run_is_over() {
    struct Leaves(Rc<Cell<bool>>);
    impl Observe for Leaves {
        fn observe(&self, _: &LoopBot) -> Option<Box<dyn Observer>> {
            Some(Box::new(Leaves(self.0.clone())))
        }
    }
    impl Drop for Leaves {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    impl Observer for Leaves {
        fn spawned(&self, _: u32, _: u32, _: &'static Location<'static>) {}
        fn is_called(&self, _: u32, _: u32, _: &str) {}
        fn poll_begins(&self, _: u32) {}
        fn begins_at(&self, _: u64) {}
        fn ends_at(&self, _: u64) {}
        fn turns_ended(&self) {}
        fn waits(&self, _: u32, _: Option<&'static Location<'static>>) {}
        fn waits_by_name(&self, _: u32, _: &Rc<str>, _: &'static Location<'static>) {}
        fn park_begins(&self) {}
        fn park_ended(&self) {}
    }
    /// Dropped with the task that is left over.
    struct Last(Rc<Cell<bool>>, Rc<Cell<bool>>);
    impl Drop for Last {
        fn drop(&mut self) {
            self.1.set(self.0.get());
        }
    }
    let (has_left, had_left) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(true)));
    let robot = LoopBot::builder()
        .watchdog(Leaves(has_left.clone()))
        .build();
    robot.run(async {
        let last = Last(has_left.clone(), had_left.clone());
        spawn(async move {
            let _last = last;
            std::future::pending::<()>().await;
        });
    });
    assert!(has_left.get(), "the run is over");
    assert!(!had_left.get(), "when the last task was dropped it was not");
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
