//! Plates in, plates out. The tests drop your futures at every place where they wait, and close the
//! doors at every kind of moment. Time is virtual: an evening takes no time.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::panic::Location;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use exercise_16::{Floor, Plate, carry, last_orders};
use flight::VirtualTime;
use loopbot::{Clock, LoopBot, now, sleep, sleep_until};
use whatif::{Checker, choose, never, say, say_at, thread};

/// No evening here has so many steps.
const ROUND_AND_ROUND: &str = "LoopBot goes round and round, and gets nowhere";

const WALK: u64 = 40;
const ROOM: u64 = 20;
/// What one plate takes from the pass to the table.
const CARRY: u64 = WALK + ROOM;
/// The table next to the pass. Nobody has to walk there for long.
const NEAR: u32 = 7;

#[test]
fn a_plate_is_carried() {
    evening("one plate", |floor| async move {
        floor.cook(1);
        carries(&floor, &Cell::new(0)).await;
    });
}

#[test]
fn dropped_anywhere_no_plate_is_lost() {
    evening(
        "two plates, and what carries them is dropped",
        |floor| async move {
            floor.cook(1);
            floor.cook(2);
            let cancellations = Cell::new(2);
            while floor.served() < 2 {
                carries(&floor, &cancellations).await;
            }
        },
    );
}

#[test]
fn dropped_while_it_waits_for_a_plate() {
    evening(
        "the kitchen is slow, and what waits for it is dropped",
        |floor| async move {
            let kitchen = floor.kitchen([30, 90]);
            let cancellations = Cell::new(1);
            while floor.served() < 2 {
                carries(&floor, &cancellations).await;
            }
            kitchen.await.unwrap();
        },
    );
}

#[test]
fn the_doors_close_in_time() {
    // A plate every 30 minutes. A timeout that starts again with each of them never ends.
    evening(
        "a plate every 30 minutes, open for an hour",
        |floor| async move {
            let minutes = [20, 50, 80, 110];
            let kitchen = floor.kitchen(minutes.map(|minute| minute * 60));
            closes_after(3_600, &floor, 2).await;
            drop(kitchen);
        },
    );
}

#[test]
fn a_quiet_evening() {
    evening("nobody orders, open for an hour", |floor| async move {
        closes_after(3_600, &floor, 0).await;
    });
}

#[test]
fn the_doors_close_with_a_plate_in_hand() {
    // The third plate is taken when 30 seconds are left. It needs 60, and the half of a plate is not served.
    evening("the doors close with a plate in hand", |floor| async move {
        (1..=4).for_each(|plate| floor.cook(plate));
        closes_after(2 * CARRY + 30, &floor, 2).await;
        let pass: Vec<u32> = floor.pass.borrow().iter().copied().collect();
        never(
            "plate 3 is not back on the pass, in front of plate 4",
            pass != [3, 4],
        );
        // The next evening serves what is left.
        closes_after(2 * CARRY + 30, &floor, 4).await;
    });
}

#[test]
fn the_last_table_is_near() {
    // Again there are 30 seconds left, and this time they are enough.
    evening(
        "the doors close, and the last table is near",
        |floor| async move {
            [1, 2, NEAR, 4].into_iter().for_each(|n| floor.cook(n));
            closes_after(2 * CARRY + 30, &floor, 3).await;
        },
    );
}

#[test]
fn the_evening_itself_is_dropped() {
    evening(
        "two plates, and the evening itself is dropped",
        |floor| async move {
            floor.cook(1);
            floor.cook(2);
            let cancellations = Cell::new(1);
            let open = Duration::from_secs(CARRY + 30);
            dropped_anywhere(last_orders(&*floor, open), &cancellations).await;
            floor.expect_all_in_place();
        },
    );
}

/// Carries a plate, or is dropped while it does.
async fn carries(floor: &House, cancellations: &Cell<u32>) {
    let before = floor.served();
    let ended = dropped_anywhere(carry(floor), cancellations).await;
    floor.expect_all_in_place();
    let rule = "`carry` has come to its end, and no plate is on its table";
    never(rule, ended.is_some() && floor.served() == before);
}

/// Opens for so many seconds, and looks at what is served in all when the doors close.
async fn closes_after(seconds: u64, floor: &House, served: usize) {
    let (began, before) = (now(), floor.served());
    let open = Duration::from_secs(seconds);
    let ends = loopbot::timeout(open * 2, going_on(last_orders(floor, open))); // they may never close
    let said = ends.await.ok();
    let took = now() - began;
    floor.expect_all_in_place();
    let after = took.as_secs_f64();
    let rule = format!("open for {seconds} seconds, and the doors close after {after}");
    match said {
        Some(_) => never(&rule, took != open),
        None => never(
            &format!("open for {seconds} seconds, and the doors never close"),
            true,
        ),
    }
    let carried = floor.served();
    let rule = format!("{served} plates could be on the tables, and {carried} are");
    never(&rule, carried != served);
    let (said, carried) = (said.unwrap_or(0), carried - before);
    let rule = format!("LoopBot says that it served {said} plates, and it was {carried}");
    never(&rule, said != carried);
}

// ---- LoopBot ------------------------------------------------------------------------------------

/// Runs `scene` on LoopBot, in every way in which it can be dropped.
fn evening<F>(of: &str, scene: fn(Rc<House>) -> F)
where
    F: Future<Output = ()> + 'static,
{
    let check = Checker::new(of).max_runs(2_000).to_the_end();
    check.shares_nothing().check(move || {
        let robot = thread::Builder::new().name("LoopBot".into());
        let play = move || {
            let clock = Clock::virtual_time(VirtualTime::new());
            let loopbot = LoopBot::builder().clock(clock).build();
            loopbot.run(scene(Rc::default()));
        };
        robot.spawn(play).unwrap().join().unwrap();
    });
}

/// Polls `future` to its end, unless it goes round in circles.
async fn going_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut polls = 0;
    poll_fn(move |cx| {
        polls += 1;
        never(ROUND_AND_ROUND, polls > 500);
        future.as_mut().poll(cx)
    })
    .await
}

/// Polls `future`, and the checker tries what happens if it is dropped before a poll: before any of
/// them, one after the other. None if it was.
async fn dropped_anywhere<F: Future>(future: F, cancellations: &Cell<u32>) -> Option<F::Output> {
    let mut future = Some(Box::pin(going_on(future)));
    poll_fn(move |cx| {
        let may = cancellations.get() > 0;
        if may && choose(&["the future", "whoever drops it"]) == 1 {
            cancellations.set(cancellations.get() - 1);
            say("drops the future");
            future = None;
            return Poll::Ready(None);
        }
        let polled = future
            .as_mut()
            .expect("polled after its end")
            .as_mut()
            .poll(cx);
        polled.map(Some)
    })
    .await
}

// ---- The house ----------------------------------------------------------------------------------

/// Where a plate is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Is {
    OnThePass,
    InHand,
    AtTheTable,
    WhereThereIsRoom,
    Served,
}

/// Counts plates.
#[derive(Default)]
struct House {
    /// All plates of the evening.
    plates: RefCell<BTreeMap<u32, Is>>,
    /// Those on the pass, in the order in which they are to be taken.
    pass: RefCell<VecDeque<u32>>,
    waiting: RefCell<Vec<Waker>>,
    told: Cell<u32>,
}

impl House {
    fn cook(&self, plate: u32) {
        self.plates.borrow_mut().insert(plate, Is::OnThePass);
        self.pass.borrow_mut().push_back(plate);
        self.waiting.take().into_iter().for_each(Waker::wake);
    }

    /// A task that cooks plates 1, 2 and so on, each at its second of the evening.
    fn kitchen<const N: usize>(self: &Rc<House>, at: [u64; N]) -> loopbot::JoinHandle<()> {
        let floor = Rc::clone(self);
        loopbot::spawn_named("the kitchen", async move {
            for (n, second) in at.into_iter().enumerate() {
                sleep_until(Duration::from_secs(second)).await;
                floor.cook(n as u32 + 1);
            }
        })
    }

    fn served(&self) -> usize {
        let plates = self.plates.borrow();
        plates.values().filter(|is| **is == Is::Served).count()
    }

    /// Nobody is at work now: each plate is on the pass, or on its table.
    fn expect_all_in_place(&self) {
        for (plate, is) in &*self.plates.borrow() {
            let lost = !matches!(is, Is::OnThePass | Is::Served);
            never(
                &format!("plate {plate} is lost: it is neither on the pass nor on its table"),
                lost,
            );
        }
    }

    /// A line of the story, told of the line of yours that made it.
    fn tell(&self, at: &'static Location<'static>, what: String) {
        let seconds = now().as_secs();
        say_at(
            at,
            format!("{:02}:{:02} {what}", seconds / 60, seconds % 60),
        );
        self.told.set(self.told.get() + 1);
        never(ROUND_AND_ROUND, self.told.get() > 200);
    }

    /// Moves a plate on, if it is where it should be.
    fn moves(&self, plate: &Plate, from: &[Is], to: Is, otherwise: &str) {
        let number = plate.0;
        let is = self.plates.borrow().get(&number).copied();
        never(
            &format!("plate {number} {otherwise}"),
            !is.is_some_and(|is| from.contains(&is)),
        );
        self.plates.borrow_mut().insert(number, to);
    }
}

// Each notes at which line of yours it was called: an `async fn` could not know.
impl Floor for House {
    #[track_caller]
    fn take(&self) -> impl Future<Output = Plate> {
        let at = Location::caller();
        async move {
            let number = poll_fn(|cx| match self.pass.borrow_mut().pop_front() {
                Some(number) => Poll::Ready(number),
                None => {
                    self.waiting.borrow_mut().push(cx.waker().clone());
                    Poll::Pending
                }
            });
            let plate = Plate(number.await);
            self.tell(at, format!("takes plate {} from the pass", plate.0));
            self.moves(&plate, &[Is::OnThePass], Is::InHand, "is on the pass twice");
            plate
        }
    }

    #[track_caller]
    fn walk(&self, plate: &Plate) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            let rule = "is carried, and nobody has taken it";
            self.moves(plate, &[Is::InHand], Is::InHand, rule);
            let seconds = if plate.0 == NEAR { 1 } else { WALK };
            sleep(Duration::from_secs(seconds)).await;
            let number = plate.0;
            self.tell(at, format!("stands at table {number} with plate {number}"));
            self.moves(plate, &[Is::InHand], Is::AtTheTable, rule);
        }
    }

    #[track_caller]
    fn room(&self, plate: &Plate) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            let rule = "waits for room at a table that LoopBot has not walked to";
            self.moves(plate, &[Is::AtTheTable], Is::AtTheTable, rule);
            sleep(Duration::from_secs(ROOM)).await;
            self.tell(at, format!("sees room for plate {}", plate.0));
            self.moves(plate, &[Is::AtTheTable], Is::WhereThereIsRoom, rule);
        }
    }

    #[track_caller]
    fn serve(&self, plate: Plate) {
        let told = format!("puts plate {} on its table", plate.0);
        self.tell(Location::caller(), told);
        let rule = "is put on a table before there is room for it";
        self.moves(&plate, &[Is::WhereThereIsRoom], Is::Served, rule);
    }

    #[track_caller]
    fn put_back(&self, plate: Plate) {
        let told = format!("puts plate {} back on the pass", plate.0);
        self.tell(Location::caller(), told);
        let in_hand = [Is::InHand, Is::AtTheTable, Is::WhereThereIsRoom];
        self.moves(
            &plate,
            &in_hand,
            Is::OnThePass,
            "is put back, and it is on its table or on the pass",
        );
        self.pass.borrow_mut().push_front(plate.0);
        self.waiting.take().into_iter().for_each(Waker::wake);
    }
}

#[test]
fn two_houses() {
    evening(
        "two houses, each with an evening of its own",
        |floor| async move {
            let other = House::default();
            (1..=3).for_each(|plate| floor.cook(plate));
            other.cook(1);
            // The other one closes while this one is at its second plate.
            let here = closes_after(2 * CARRY + 30, &floor, 2);
            let there = closes_after(CARRY + 5, &other, 1);
            let (mut here, mut there) = (pin!(here), pin!(there));
            let mut open = [true; 2];
            poll_fn(|cx| {
                open[0] = open[0] && here.as_mut().poll(cx).is_pending();
                open[1] = open[1] && there.as_mut().poll(cx).is_pending();
                if open == [false; 2] {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        },
    );
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
