//! What the back of house must do for LoopBot. Real threads, and a cellar that waits for what the test wants to see: so
//! nothing depends on how fast your computer is. Every wait has an end, and says what it waited for.

use std::panic::resume_unwind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use exercise_19::{Bottle, Cellar, Trouble, fetch, fetch_all, fetch_within};
use offload::Pool;

/// Nobody waits for so long, unless for something that will never be.
const PATIENCE: Duration = Duration::from_secs(2);
/// The name of the pool, and the first part of its threads' names.
const POOL: &str = "back of house";
/// The patience of a guest who stays.
const HOURS: Duration = Duration::from_secs(4 * 3600);
/// The patience of one who does not.
const A_MOMENT: Duration = Duration::from_millis(100);
/// Two wines that nobody finds, however long they look. On the way back up from the second one, a shelf collapses.
const FAR_AWAY: &str = "far away";
const BEHIND_A_SHELF: &str = "behind a shelf that collapses";

/// Fails with these words and no others, the same each time.
fn fail(words: impl Into<String>) -> ! {
    let words = words.into();
    eprintln!("\n{words}\n");
    resume_unwind(Box::new(words))
}

macro_rules! claim {
    ($holds:expr, $($words:tt)*) => {
        let holds: bool = $holds;
        if !holds {
            fail(format!($($words)*));
        }
    };
}

/// What can be seen from the cellar door.
#[derive(Default)]
struct Seen {
    /// LoopBot's own thread.
    loopbot: Option<ThreadId>,
    /// Wines, in the order in which somebody began to look for them.
    begun: Vec<String>,
    inside: usize,
    most_inside: usize,
    /// LoopBot has opened the cellar door.
    is_open: bool,
    /// Somebody was told to stop looking, and is on the way back up.
    is_called_off: bool,
    /// What has gone wrong down there.
    wrong: Option<String>,
}

/// A cellar with a door that LoopBot must open, or which takes as many searchers as there should be, as the wine says.
#[derive(Default)]
struct Test {
    seen: Mutex<Seen>,
    changed: Condvar,
}

impl Test {
    fn new() -> Arc<Test> {
        Arc::default()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something can be seen. If that takes too long: notes what went wrong.
    fn wait_until(&self, what: &str, holds: impl Fn(&Seen) -> bool) {
        let seen = self.seen();
        let waited = self
            .changed
            .wait_timeout_while(seen, PATIENCE, |seen| !holds(seen) && seen.wrong.is_none());
        let (mut seen, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            seen.wrong.get_or_insert_with(|| what.to_owned());
            self.changed.notify_all();
        }
    }

    fn open(&self) {
        self.seen().is_open = true;
        self.changed.notify_all();
    }

    fn begun(&self) -> Vec<String> {
        self.seen().begun.clone()
    }
}

impl Cellar for Test {
    fn fetch(&self, wine: &str, go_on: &dyn Fn() -> bool) -> Option<Bottle> {
        let mut seen = self.seen();
        let stranger = if seen.loopbot == Some(thread::current().id()) {
            Some(
                "LoopBot has gone down into the cellar itself, and nobody serves the guests. It is the pool's threads that may \
                 block: hand the call over with pool.spawn_blocking",
            )
        } else if !thread::current()
            .name()
            .is_some_and(|name| name.starts_with(POOL))
        {
            Some(
                "somebody has gone down into the cellar who does not belong to the pool that you were given. So there can be more in \
                 there than the pool has threads: hand it over to this pool",
            )
        } else {
            None
        };
        if let Some(words) = stranger {
            seen.wrong.get_or_insert_with(|| words.to_owned());
            self.changed.notify_all();
            drop(seen);
            resume_unwind(Box::new(words)); // The evening says it, once.
        }
        seen.begun.push(wine.to_owned());
        seen.inside += 1;
        seen.most_inside = seen.most_inside.max(seen.inside);
        self.changed.notify_all();
        drop(seen);
        let mut goes_on = [FAR_AWAY, BEHIND_A_SHELF].contains(&wine) || go_on();
        let has_begun =
            |seen: &Seen, wine: &str| seen.begun.iter().filter(|begun| *begun == wine).count();
        match wine {
            _ if !goes_on => {}
            "behind the door" => self.wait_until(
                "a thread in the cellar waits for LoopBot to open the door, and LoopBot does not come: it is being held. \
                 `.wait()` blocks the thread that calls it, and `.await` does not; and who looks again and again whether there is room \
                 in the queue holds LoopBot, too",
                |seen| seen.is_open,
            ),
            "behind the other door" => self.wait_until(
                "the only thread of the pool is busy, so nobody has begun to look for the Riesling. The guest who ordered it has left, \
                 and `fetch_within` does not return before the thread is free. What waits in the queue, or for a place in it, can be \
                 taken out at once",
                |seen| seen.is_open,
            ),
            "for three" => self.wait_until(
                "three bottles were ordered that are found by three who look at the same time, and the pool has three threads. Not all \
                 of them come: is the first one awaited before the second one is handed over?",
                |seen| has_begun(seen, "for three") >= 3,
            ),
            "for two" => self.wait_until(
                "a long order, and room for one job that waits. The last two bottles are found by two who look at the same time, and \
                 the pool has two threads. One looks, and the other has nothing to do. A job that has found no place in the queue gets \
                 one only while somebody awaits it, and you await another one. Have you seen `job.placed()`?",
                |seen| has_begun(seen, "for two") >= 2,
            ),
            "hard to find" => self.wait_until(
                "one thread looks for the first bottle, which takes long. The pool has another thread, and nobody has begun to look for \
                 the last bottle. Who waits for whom? Whoever is free should look for the next one",
                |seen| has_begun(seen, "the last one") >= 1,
            ),
            "for one who stays" => {
                self.wait_until(
                    "one of two guests has left, and nobody was told to stop looking for that bottle: what does `go_on` say?",
                    |seen| seen.is_called_off,
                );
                goes_on = go_on();
            }
            FAR_AWAY | BEHIND_A_SHELF => {
                let began = Instant::now();
                while go_on() {
                    if began.elapsed() > PATIENCE {
                        let words = "the guest has left long ago, and somebody still looks for the bottle. Dropping a job does not stop \
                                     it if it was begun, and neither does cancel: what does `go_on` say?";
                        self.seen().wrong.get_or_insert_with(|| words.to_owned());
                        self.changed.notify_all();
                        break;
                    }
                    thread::sleep(Duration::from_millis(1)); // the way to the next shelf
                }
                goes_on = false;
                self.seen().is_called_off = true;
                self.changed.notify_all();
                self.wait_until(
                    "the guest has left, and `fetch_within` waits for whoever is still in the cellar. That is right, but LoopBot is being \
                     held meanwhile: `.wait()` blocks the thread that calls it, and `.await` does not",
                    |seen| seen.is_open,
                );
            }
            _ => {}
        }
        self.seen().inside -= 1;
        self.changed.notify_all();
        match wine {
            BEHIND_A_SHELF => resume_unwind(Box::new("a shelf collapses on the way back up")),
            _ if !goes_on => None,
            "a shelf that collapses" => resume_unwind(Box::new("the third shelf collapses")),
            "not there" => None,
            _ => Some(Bottle(wine.to_owned())),
        }
    }
}

/// Runs an evening on a LoopBot, on a thread of its own: if LoopBot is held for ever, the test is not.
fn evening<T: Send + 'static>(
    test: &Arc<Test>,
    serve: impl AsyncFnOnce() -> T + Send + 'static,
) -> T {
    let (done, is_done) = mpsc::channel();
    let seen = Arc::clone(test);
    let loopbot = thread::spawn(move || {
        seen.seen().loopbot = Some(thread::current().id());
        let _ = done.send(loopbot::run(serve()));
    });
    let began = Instant::now();
    let result = loop {
        let result = is_done.recv_timeout(Duration::from_millis(20));
        // What has gone wrong in the cellar comes first. Whoever waits for something that never comes need not go on waiting.
        if let Some(words) = test.seen().wrong.take() {
            fail(words);
        }
        if !matches!(result, Err(mpsc::RecvTimeoutError::Timeout)) || began.elapsed() > PATIENCE * 2
        {
            break result;
        }
    };
    match result {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Disconnected) => match loopbot.join() {
            Err(payload) => resume_unwind(payload),
            Ok(()) => unreachable!("it has sent its result"),
        },
        Err(mpsc::RecvTimeoutError::Timeout) => fail(format!(
            "the evening has not ended after {:?}: what does LoopBot wait for?",
            PATIENCE * 2
        )),
    }
}

fn pool(threads: usize, queue: usize) -> Pool {
    Pool::builder()
        .name(POOL)
        .max_threads(threads)
        .queue(queue)
        .build()
}

fn bottle(name: &str) -> Result<Bottle, Trouble> {
    Ok(Bottle(name.to_owned()))
}

fn names(wines: &[&str]) -> Vec<String> {
    wines.iter().map(|&wine| wine.to_owned()).collect()
}

#[test]
fn one_bottle() {
    let (test, pool) = (Test::new(), pool(1, 1));
    let cellar = test.clone();
    let results = evening(&test, async move || {
        let mut results = Vec::new();
        for wine in ["Riesling", "not there", "a shelf that collapses", "Malbec"] {
            results.push(fetch(&pool, cellar.clone(), wine.to_owned()).await);
        }
        results
    });
    let begun = test.begun();
    claim!(
        begun.len() == results.len(),
        "{} bottles were ordered, one after the other, and somebody went down {} times, for {begun:?}. Whoever comes back \
         without a bottle has looked, and whoever was under a shelf should not be sent there again: each order is one way down",
        results.len(),
        begun.len()
    );
    let [riesling, not_there, collapses, malbec] = &results[..] else {
        unreachable!("four were asked for")
    };
    claim!(
        *riesling == bottle("Riesling"),
        "the cellar has a Riesling, and `fetch` says {riesling:?}. Before each shelf, `go_on` is asked whether to go on"
    );
    claim!(
        *not_there == Err(Trouble::NotThere),
        "there is no such bottle, and `fetch` says {not_there:?}"
    );
    let collapsed = Err(Trouble::Collapsed("the third shelf collapses".to_owned()));
    claim!(
        *collapses == collapsed,
        "whoever looked panicked with \"the third shelf collapses\", and `fetch` says {collapses:?}: the panic is in the JobError, \
         with its message"
    );
    claim!(
        *malbec == bottle("Malbec"),
        "a shelf has collapsed before, and after that `fetch` says {malbec:?} of a Malbec"
    );
}

/// Opens the cellar door as soon as this can be seen, if LoopBot has time for that.
async fn opens_when(cellar: Arc<Test>, holds: impl Fn(&Seen) -> bool) {
    while !holds(&cellar.seen()) {
        loopbot::sleep(Duration::from_millis(1)).await;
    }
    cellar.open();
}

/// Runs one of your functions, and somebody who opens the door as soon as somebody looks for a bottle.
fn meanwhile<T: Send + 'static>(
    serve: impl AsyncFnOnce(&Pool, Arc<Test>) -> T + Send + 'static,
) -> T {
    let (test, pool) = (Test::new(), pool(1, 1));
    let cellar = test.clone();
    evening(&test, async move || {
        let other = loopbot::spawn(opens_when(cellar.clone(), |seen| !seen.begun.is_empty()));
        let result = serve(&pool, cellar).await;
        other.abort(); // If the bottle is here, the door was open.
        result
    })
}

#[test]
fn loopbot_serves_others_meanwhile() {
    const DOOR: &str = "behind the door";
    let result = meanwhile(async |pool, cellar| fetch(pool, cellar, DOOR.to_owned()).await);
    claim!(
        result == bottle(DOOR),
        "the bottle was found, and `fetch` says {result:?}"
    );
    // One that has a place at once, and more than there are places for.
    for order in [&[DOOR][..], &[DOOR, "Riesling", "Malbec", "Merlot"]] {
        let wines = names(order);
        let results = meanwhile(async |pool, cellar| fetch_all(pool, cellar, wines).await);
        let found: Vec<_> = order.iter().map(|wine| bottle(wine)).collect();
        claim!(
            results == found,
            "all bottles were found, and `fetch_all` says {results:?}"
        );
    }
    let result =
        meanwhile(async |pool, cellar| fetch_within(pool, cellar, DOOR.to_owned(), HOURS).await);
    claim!(
        result == Some(bottle(DOOR)),
        "the guest waits for hours, the bottle was found, and `fetch_within` says {result:?}"
    );
}

#[test]
fn all_threads_look_at_the_same_time() {
    let orders = [
        (3, 4, names(&["for three"; 3])),
        (2, 8, {
            let mut wines = names(&["hard to find"]);
            wines.extend(names(&["Riesling"; 5]));
            wines.extend(names(&["the last one"]));
            wines
        }),
        (2, 1, {
            let mut wines = names(&["Riesling"; 6]);
            wines.extend(names(&["for two"; 2]));
            wines
        }),
    ];
    for (threads, queue, wines) in orders {
        let (test, pool) = (Test::new(), pool(threads, queue));
        let cellar = test.clone();
        let found: Vec<_> = wines.iter().map(|wine| bottle(wine)).collect();
        let results = evening(&test, async move || fetch_all(&pool, cellar, wines).await);
        claim!(
            results == found,
            "all bottles were found, and `fetch_all` says {results:?}"
        );
    }
}

#[test]
fn an_order_of_nothing() {
    let (test, pool) = (Test::new(), pool(1, 1));
    let cellar = test.clone();
    let results = evening(&test, async move || fetch_all(&pool, cellar, vec![]).await);
    claim!(
        results.is_empty(),
        "nothing was ordered, and `fetch_all` says {results:?}"
    );
}

#[test]
fn a_long_order_in_a_short_queue() {
    let (test, pool) = (Test::new(), pool(2, 1));
    let cellar = test.clone();
    let mut wines = names(&["Riesling", "a shelf that collapses", "not there"]);
    wines.extend((0..20).map(|year| format!("Malbec of {}", 2000 + year)));
    let order = wines.clone();
    let results = evening(&test, async move || fetch_all(&pool, cellar, order).await);
    claim!(
        results.len() == wines.len(),
        "{} wines were ordered, and there are {} answers",
        wines.len(),
        results.len()
    );
    for (wine, result) in wines.iter().zip(&results) {
        let expected = match &**wine {
            "not there" => Err(Trouble::NotThere),
            "a shelf that collapses" => {
                Err(Trouble::Collapsed("the third shelf collapses".to_owned()))
            }
            wine => bottle(wine),
        };
        claim!(
            *result == expected,
            "the pool has two threads, and room for one job that waits; {} wines were ordered. In the place of {wine:?} there is \
             {result:?}. The answers are in the order of the wines, a full queue is no trouble, and trouble with one is no \
             trouble with the others",
            wines.len()
        );
    }
    let seen = test.seen();
    claim!(
        seen.most_inside <= 2,
        "the pool has two threads, and {} looked at the same time: hand it over to this pool",
        seen.most_inside
    );
    claim!(
        seen.begun.len() == wines.len(),
        "{} wines were ordered, and somebody went down {} times",
        wines.len(),
        seen.begun.len()
    );
}

#[test]
fn a_guest_who_stays() {
    let (test, pool) = (Test::new(), pool(1, 1));
    let cellar = test.clone();
    let results = evening(&test, async move || {
        let mut results = Vec::new();
        for wine in ["Riesling", "not there", "a shelf that collapses"] {
            results.push(fetch_within(&pool, cellar.clone(), wine.to_owned(), HOURS).await);
        }
        results
    });
    let begun = test.begun();
    claim!(
        begun.len() == results.len(),
        "{} guests ordered a bottle each, and somebody went down {} times, for {begun:?}: each order is one way down",
        results.len(),
        begun.len()
    );
    let expected = [
        Some(bottle("Riesling")),
        Some(Err(Trouble::NotThere)),
        Some(Err(Trouble::Collapsed(
            "the third shelf collapses".to_owned(),
        ))),
    ];
    claim!(
        results == expected,
        "the guest waits for hours, so the answers are {expected:?}, and `fetch_within` says {results:?}"
    );
}

/// Orders this wine for a guest who leaves while somebody looks for it. Returns what your function says, and how many were
/// still down there then.
async fn leaves_while_somebody_looks(
    pool: &Pool,
    cellar: &Arc<Test>,
    wine: &str,
) -> (Option<Result<Bottle, Trouble>>, usize) {
    let mut patience = A_MOMENT;
    loop {
        let result = fetch_within(pool, cellar.clone(), wine.to_owned(), patience).await;
        // No `.await` since then, so nobody can have opened the door since then.
        let seen = cellar.seen();
        // On a slow computer, nobody may have been down there yet when the guest left. Then there was nobody to call off,
        // and another guest waits for longer.
        if seen.begun.iter().any(|begun| begun == wine) || result.is_some() || patience > PATIENCE {
            return (result, seen.inside);
        }
        patience *= 2;
    }
}

#[test]
fn a_guest_who_leaves_while_somebody_looks() {
    for wine in [FAR_AWAY, BEHIND_A_SHELF] {
        let (test, pool) = (Test::new(), pool(1, 1));
        let cellar = test.clone();
        let (result, inside) = evening(&test, async move || {
            let opens = loopbot::spawn(opens_when(cellar.clone(), |seen| seen.is_called_off));
            let came_of_it = leaves_while_somebody_looks(&pool, &cellar, wine).await;
            opens.abort();
            cellar.open();
            came_of_it
        });
        claim!(
            result.is_none(),
            "the guest has left before the bottle was found, and `fetch_within` says {result:?}. Whatever comes of a search that \
             was called off, a collapsed shelf as well, nobody is there any more to hear of it"
        );
        claim!(
            inside == 0,
            "the guest has left, `fetch_within` has returned, and somebody is still down there. `Cancel::Running` gives the job back: \
             it was asked to stop, and has not come back yet"
        );
    }
}

#[test]
fn a_guest_who_leaves_and_one_who_stays() {
    const STAYS: &str = "for one who stays";
    let (test, pool) = (Test::new(), pool(2, 2));
    let cellar = test.clone();
    let stays = evening(&test, async move || {
        let opens = loopbot::spawn(opens_when(cellar.clone(), |seen| seen.is_called_off));
        let (theirs, theirs_too) = (pool.clone(), cellar.clone());
        let stays = loopbot::spawn(async move {
            fetch_within(&theirs, theirs_too, STAYS.to_owned(), HOURS).await
        });
        leaves_while_somebody_looks(&pool, &cellar, FAR_AWAY).await;
        opens.abort();
        cellar.open();
        stays.await.expect("`fetch_within` does not panic")
    });
    claim!(
        stays == Some(bottle(STAYS)),
        "two guests wait at the same time, and one of them leaves. The bottle of the other one was found, if they were allowed to \
         look, and `fetch_within` says {stays:?}. Was their search called off as well? Each search needs a flag of its own"
    );
}

#[test]
fn a_guest_who_leaves_before_anybody_looks() {
    let (test, pool) = (Test::new(), pool(1, 1));
    let cellar = test.clone();
    let begun = evening(&test, async move || {
        let order = |wine: &str| {
            let (cellar, pool, wine) = (cellar.clone(), pool.clone(), wine.to_owned());
            loopbot::spawn(async move { fetch(&pool, cellar, wine).await })
        };
        let busy = [order("behind the other door"), order("Merlot")];
        while cellar.begun().is_empty() {
            loopbot::sleep(Duration::from_millis(1)).await;
        }
        // The only thread stands before the door, the queue is full, and the door is opened after this.
        let result = fetch_within(&pool, cellar.clone(), "Riesling".to_owned(), A_MOMENT).await;
        cellar.open();
        for busy in busy {
            let _ = busy.await;
        }
        let after = fetch(&pool, cellar.clone(), "Malbec".to_owned()).await;
        (result, after, cellar.begun())
    });
    let (result, after, begun) = begun;
    claim!(
        result.is_none(),
        "the guest has left before anybody could look, and `fetch_within` says {result:?}"
    );
    claim!(
        after == bottle("Malbec"),
        "after that somebody else orders a Malbec, and `fetch` says {after:?}"
    );
    claim!(
        !begun.iter().any(|wine| wine == "Riesling"),
        "the guest has left before anybody began to look for the Riesling, and then somebody went down for it all the same. What waits \
         in the queue can be taken out"
    );
}

#[test]
fn a_guest_who_stays_where_the_queue_is_full() {
    let (test, pool) = (Test::new(), pool(1, 1));
    let cellar = test.clone();
    let stays = evening(&test, async move || {
        let order = |wine: &str| {
            let (cellar, pool, wine) = (cellar.clone(), pool.clone(), wine.to_owned());
            loopbot::spawn(async move { fetch(&pool, cellar, wine).await })
        };
        let busy = [order("behind the other door"), order("Merlot")];
        while cellar.begun().is_empty() {
            loopbot::sleep(Duration::from_millis(1)).await;
        }
        // The only thread stands before the door, the Merlot has the only place in the queue, and nothing moves until
        // the guest has ordered as well.
        let (theirs, theirs_too) = (pool.clone(), cellar.clone());
        let stays = loopbot::spawn(async move {
            fetch_within(&theirs, theirs_too, "Riesling".to_owned(), HOURS).await
        });
        loopbot::yield_now().await;
        cellar.open();
        for busy in busy {
            let _ = busy.await;
        }
        stays.await.expect("`fetch_within` does not panic")
    });
    claim!(
        stays == Some(bottle("Riesling")),
        "the pool's queue was full when the guest ordered. This guest waits for hours, and there was a place soon after; \
         `fetch_within` says {stays:?}"
    );
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
