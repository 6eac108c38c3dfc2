//! What the oven and LoopBot owe each other. Where they are two robots, the tests run them in every order of steps.
//!
//! Nothing here depends on how fast your computer is: the plates are done when a test says so.

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use exercise_09::{Baking, Oven, Plates, oven};
use whatif::sync::{Arc, Condvar, Mutex};
use whatif::{Checker, never, say, thread};

/// More orders of steps are not tried. A right answer has a few dozen.
const MOST_ORDERS: usize = 1_000;
/// Nobody needs more steps than this for some plates.
const MOST_STEPS: u64 = 300;

/// A check that takes nothing but a proof.
fn every_order(of: &str) -> Checker {
    let check = Checker::new(of).max_runs(MOST_ORDERS);
    check.max_steps(MOST_STEPS).to_the_end()
}

/// LoopBot alone with an oven: there is one order of steps.
fn alone(of: &str, f: impl Fn() + Send + Sync + 'static) {
    let f = Arc::new(f);
    every_order(of).shares_nothing().check(move || {
        let f = f.clone();
        robot("LoopBot", move || f()).join().unwrap();
    });
}

fn poll(baking: &mut Baking, waker: &Waker) -> Poll<Plates> {
    Pin::new(baking).poll(&mut Context::from_waker(waker))
}

/// A bell that counts.
#[derive(Default)]
struct Counting(AtomicU32);

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        say("rings");
        self.0.fetch_add(1, SeqCst);
    }
}

impl Counting {
    fn new() -> (Arc<Counting>, Waker) {
        let bell = Arc::new(Counting::default());
        (bell.clone(), bell.into())
    }

    fn rings(&self) -> u32 {
        self.0.load(SeqCst)
    }
}

/// Polls, and sees to it that nothing was promised that is not kept.
fn expect_pending(baking: &mut Baking, bell: &Arc<Counting>) {
    let (rings, copies) = (bell.rings(), Arc::strong_count(bell));
    let polled = poll(baking, &bell.clone().into());
    never(
        "`poll` says Ready, and the plates are not done",
        polled.is_ready(),
    );
    never(
        "`poll` rings LoopBot's bell itself: LoopBot comes back at once, finds nothing, and rings again, thousands of times. \
         It is for the oven to ring",
        bell.rings() != rings,
    );
    never(
        "`poll` says Pending and has left no copy of the waker anywhere: nobody can ever ring, and the party waits for ever",
        Arc::strong_count(bell) == copies,
    );
}

fn expect_plates(polled: Poll<Plates>, plates: u32) {
    match polled {
        Poll::Ready(got) => never(
            "other plates come out of the oven than were put in",
            got != Plates(plates),
        ),
        Poll::Pending => never(
            "`poll` says Pending, and the plates are done: nobody will ring any more",
            true,
        ),
    }
}

#[test]
fn done_before_anybody_asks() {
    alone("the plates are done before anybody asks", || {
        for plates in [4, 7] {
            let (oven, mut baking) = oven();
            oven.done(Plates(plates));
            expect_plates(poll(&mut baking, Waker::noop()), plates);
        }
    });
}

#[test]
fn asked_before_they_are_done() {
    alone("LoopBot asks before the plates are done", || {
        let (oven, mut baking) = oven();
        let (bell, waker) = Counting::new();
        drop(waker);
        expect_pending(&mut baking, &bell);
        // Once more with the same bell: it takes its own place.
        let _ = poll(&mut baking, &bell.clone().into());
        never(
            "`poll` rings the bell whose place it takes. That is LoopBot's own bell of the poll before, so LoopBot comes back \
             at once, and finds nothing. It is for the oven to ring",
            bell.rings() != 0,
        );
        oven.done(Plates(4));
        never(
            "the plates are done, and the oven does not ring: LoopBot never comes back for them",
            bell.rings() == 0,
        );
        never(
            "the oven rings more than once for the same plates",
            bell.rings() > 1,
        );
        expect_plates(poll(&mut baking, Waker::noop()), 4);
        drop(baking);
        never(
            "both ends are gone, and a copy of the waker is still kept somewhere. Whatever that bell belongs to cannot be freed",
            Arc::strong_count(&bell) > 1,
        );
    });
}

#[test]
fn the_last_bell_counts() {
    alone("LoopBot comes with another bell each time", || {
        let (oven, mut baking) = oven();
        let bells: [Arc<Counting>; 20] = Default::default();
        expect_pending(&mut baking, &bells[0]);
        for bell in &bells {
            let _ = poll(&mut baking, &bell.clone().into());
        }
        let (new, waker) = Counting::new();
        drop(waker);
        let _ = poll(&mut baking, &new.clone().into());
        never(
            "a bell of an older poll is still kept. Each poll may bring another one, and the last one counts: it takes the \
             place of the one before",
            bells.iter().any(|bell| Arc::strong_count(bell) > 1),
        );
        oven.done(Plates(2));
        never(
            "the oven does not ring the bell that came last: LoopBot does not hear it",
            new.rings() == 0,
        );
        expect_plates(poll(&mut baking, Waker::noop()), 2);
    });
}

#[test]
fn two_ovens() {
    alone("two ovens, two parties", || {
        let (first, mut soup) = oven();
        let (second, mut pie) = oven();
        let (soup_bell, _soup_waker) = Counting::new();
        let (pie_bell, _pie_waker) = Counting::new();
        expect_pending(&mut soup, &soup_bell);
        expect_pending(&mut pie, &pie_bell);
        first.done(Plates(1));
        never(
            "one oven rings the bell of the other one",
            pie_bell.rings() > 0 || soup_bell.rings() == 0,
        );
        expect_plates(poll(&mut soup, &soup_bell.clone().into()), 1);
        second.done(Plates(6));
        never(
            "one oven rings the bell of the other one",
            pie_bell.rings() == 0,
        );
        expect_plates(poll(&mut pie, Waker::noop()), 6);
    });
}

#[test]
fn nobody_waits_any_more() {
    alone("the party leaves before the plates are done", || {
        let (oven, mut baking) = oven();
        let (bell, _waker) = Counting::new();
        expect_pending(&mut baking, &bell);
        drop(baking);
        oven.done(Plates(3));
    });
}

/// A bell that polls as soon as it is rung. A waker may run any code at all.
#[derive(Default)]
struct Eager {
    waits: std::sync::Mutex<Option<Baking>>,
    polled: std::sync::Mutex<Option<Poll<Plates>>>,
}

impl Wake for Eager {
    fn wake(self: Arc<Self>) {
        say("rings, and whoever hears it comes at once");
        let baking = self.waits.lock().unwrap().take();
        if let Some(mut baking) = baking {
            let polled = poll(&mut baking, Waker::noop());
            self.polled.lock().unwrap().replace(polled);
        }
    }
}

#[test]
fn whoever_is_called_comes_at_once() {
    alone("whoever is called comes at once", || {
        let (oven, mut baking) = oven();
        let bell = Arc::new(Eager::default());
        let polled = poll(&mut baking, &bell.clone().into());
        never(
            "`poll` says Ready, and the plates are not done",
            polled.is_ready(),
        );
        *bell.waits.lock().unwrap() = Some(baking);
        oven.done(Plates(5));
        match bell.polled.lock().unwrap().take() {
            Some(Poll::Pending) => never("the oven rings, and the plates are not there yet", true),
            Some(ready) => expect_plates(ready, 5),
            None => never(
                "the plates are done, and the oven does not ring: LoopBot never comes back for them",
                true,
            ),
        }
    });
}

/// LoopBot's own bell: it sleeps at it until it is rung.
struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        say("rings LoopBot's bell");
        *self.rung.lock().unwrap() = true;
        self.heard.notify_one();
    }
}

/// LoopBot with this one future and nothing else to do.
fn serve(mut baking: Baking) -> Plates {
    let bell = Arc::new(Bell {
        rung: Mutex::new(false),
        heard: Condvar::new().called("its bell"),
    });
    let waker = Waker::from(bell.clone());
    loop {
        if let Poll::Ready(plates) = poll(&mut baking, &waker) {
            return plates;
        }
        let rung = bell.rung.lock().unwrap();
        let mut rung = bell.heard.wait_while(rung, |rung| !*rung).unwrap();
        *rung = false;
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

fn bake(oven: Oven, plates: u32) -> thread::JoinHandle<()> {
    robot("the oven", move || oven.done(Plates(plates)))
}

#[test]
fn asked_and_done_at_once() {
    // All that the two robots touch here is yours, so this also shows whether the check can see it.
    every_order("LoopBot asks while the plates come out").check(|| {
        let (oven, mut baking) = oven();
        let (bell, waker) = Counting::new();
        let loopbot = robot("LoopBot", move || (poll(&mut baking, &waker), baking));
        let baker = bake(oven, 8);
        let (polled, mut baking) = loopbot.join().unwrap();
        baker.join().unwrap();
        if polled.is_ready() {
            return expect_plates(polled, 8);
        }
        never(
            "LoopBot has been told Pending, the plates are done, and nobody has rung: it never comes back for them",
            bell.rings() == 0,
        );
        expect_plates(poll(&mut baking, Waker::noop()), 8);
    });
}

#[test]
fn the_oven_is_another_robot() {
    every_order("the oven is another robot").check(|| {
        let (oven, baking) = oven();
        let loopbot = robot("LoopBot", move || serve(baking));
        let baker = bake(oven, 4);
        let plates = loopbot.join().unwrap();
        baker.join().unwrap();
        never(
            "other plates come out of the oven than were put in",
            plates != Plates(4),
        );
    });
}

#[test]
fn another_task_takes_over() {
    every_order("another task takes over, with a bell of its own").check(|| {
        let (oven, mut baking) = oven();
        let loopbot = robot("LoopBot", move || {
            // The task that asked first gives the future away, and does not listen any more.
            match poll(&mut baking, Waker::noop()) {
                Poll::Ready(plates) => plates,
                Poll::Pending => serve(baking),
            }
        });
        let baker = bake(oven, 9);
        let plates = loopbot.join().unwrap();
        baker.join().unwrap();
        never(
            "other plates come out of the oven than were put in",
            plates != Plates(9),
        );
    });
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
