//! The recordings of chapter 23: jobs of every kind at the same moment, all of them on the loop, and each in its place.
//!
//! Threads and processes live in real time, so these evenings do, and come out differently each time, as the
//! [gallery's](super::gallery) do. What is asked of them is what they are there to show.

use std::cell::Cell;
use std::panic::Location;
use std::path::Path;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use flight::rules::{self, Limits, Rule, Severity};
use flight::{Event, Header, Recorder, Recording};
use hands::taste;
use loopbot::{Clock, LoopBot, now, sleep, sleep_until, spawn_named, with_lane};
use procpool::JobError;
use restaurant::story::{self, INCIDENT, STEP};

use super::gallery::{TRIES, sound, spoilt};
use super::{files_of, write};
use crate::cli;
use crate::ladder;
use crate::trouble::status;

/// How long the supplier thinks.
const SUPPLIER: Duration = Duration::from_millis(30);
/// How long the drawer of the cash register sticks.
const DRAWER: Duration = Duration::from_millis(40);
/// So many dishes are tasted.
const DISHES: u64 = 4;
/// The guest wants something, again and again, after so long.
const SIP: Duration = Duration::from_millis(5);
/// What is later than this is told as an incident.
const LATE: Duration = Duration::from_millis(20);

/// How the record writes that a process has aborted: by SIGABRT.
const ABORTED: u64 = 256 + 6;

/// An evening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evening {
    /// Everything is done by LoopBot itself.
    Loop,
    /// Everything has its place; and there is a job more, which crashes.
    Places,
}

impl Evening {
    const ALL: [Evening; 2] = [Evening::Loop, Evening::Places];

    fn name(self) -> &'static str {
        match self {
            Evening::Loop => "which-tool-loop",
            Evening::Places => "which-tool-places",
        }
    }

    fn record(self) -> anyhow::Result<Recording> {
        let recorder = Recorder::new(Header::monotonic(match self {
            Evening::Loop => "everything on the loop",
            Evening::Places => "everything in its place",
        }));
        let loopbot = LoopBot::builder()
            .clock(Clock::real().exact())
            .recorder(recorder.clone())
            .build();
        match self {
            Evening::Loop => loopbot.run(on_the_loop())?,
            Evening::Places => {
                let places = Places::open(&recorder)?;
                let evening = loopbot.run(in_their_places(&places));
                places.close();
                evening?;
            }
        }
        drop(loopbot);
        Ok(recorder.recording())
    }

    /// Whether the recording shows what it is there to show.
    fn judge(self, recording: &Recording) -> Result<(), String> {
        if !recording.complete {
            return Err("somebody had not gone home".to_owned());
        }
        let hits = rules::look(recording, &Limits::default());
        let red = hits.iter().find(|hit| hit.severity == Severity::Red);
        let tells = |step| recording.marks(STEP).any(|(_, text, _)| text == step);
        for step in [ANSWER, MONEY, MARKS] {
            if !tells(step) {
                return Err(format!("nobody {step}"));
            }
        }
        match self {
            Evening::Loop if red.is_none_or(|hit| hit.rule != Rule::LongPoll) => {
                Err("the rules find nobody who holds LoopBot".to_owned())
            }
            Evening::Loop if recording.marks(INCIDENT).next().is_none() => {
                Err("the guest is served in time".to_owned())
            }
            Evening::Loop => Ok(()),
            Evening::Places => {
                let aborts = |event: &Event| {
                    matches!(
                        event,
                        Event::ProcessExit {
                            status: ABORTED,
                            ..
                        }
                    )
                };
                if !recording.events.iter().any(|entry| aborts(&entry.event)) || !tells(CRASHED) {
                    return Err("no process crashes".to_owned());
                }
                match (red, recording.marks(INCIDENT).next()) {
                    (Some(hit), _) => Err(format!("{}: {}", hit.rule.name(), hit.says)),
                    (None, Some(_)) => Err("the guest is served too late".to_owned()),
                    (None, None) => Ok(()),
                }
            }
        }
    }
}

const ANSWER: &str = "has the supplier's answer";
const MONEY: &str = "has the money from the cash register";
const MARKS: &str = "knows the marks of the menu";
const CRASHED: &str = "hears that the old recipe has crashed, and took nobody along";

// ANCHOR: loop
async fn on_the_loop() -> anyhow::Result<()> {
    let (guest, over) = guest();
    let supplier = spawn_named("the supplier", supplier());
    let register = spawn_named("the cash register", async {
        tells("opens the cash register, which sticks");
        stuck_drawer();
        tells(MONEY);
    });
    let tasting = spawn_named("the menu", async {
        tells("tastes the menu");
        (0..DISHES).map(taste).sum::<u64>();
        tells(MARKS);
    });
    supplier.await?;
    register.await?;
    tasting.await?;
    over.set(true);
    Ok(guest.await?)
}
// ANCHOR_END: loop

/// Where the jobs can go.
struct Places {
    back_of_house: offload::Pool,
    hands: offload::Pool,
    other_kitchen: procpool::Pool,
}

impl Places {
    fn open(recorder: &Recorder) -> anyhow::Result<Places> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let pool = |name: &str, threads| {
            let pool = offload::Pool::builder().name(name).max_threads(threads);
            pool.recorder(recorder.clone()).build()
        };
        let other_kitchen = procpool::Pool::builder(crate::kitchen())
            .name("kitchen")
            .workers(1)
            .recorder(recorder.clone());
        Ok(Places {
            back_of_house: pool("back of house", cores + 4),
            hands: pool("hands", cores),
            other_kitchen: other_kitchen.build()?,
        })
    }

    /// So that everybody's lane has an end.
    fn close(self) {
        self.back_of_house.shut_down();
        self.hands.shut_down();
        self.other_kitchen.shut_down();
    }
}

// ANCHOR: places
async fn in_their_places(places: &Places) -> anyhow::Result<()> {
    let (guest, over) = guest();
    let supplier = spawn_named("the supplier", supplier());

    tells("sends somebody to the cash register, which sticks");
    let money = places.back_of_house.spawn_blocking(stuck_drawer);
    tells("has the menu tasted, by all hands");
    let dishes: Vec<_> = (0..DISHES)
        .map(|dish| places.hands.spawn_blocking(move || taste(dish)))
        .collect();
    tells("orders the old recipe, in the other kitchen");
    let recipe = places.other_kitchen.submit(ladder::old_recipe, ());

    if let Err(JobError::WorkerDied(_)) = recipe.await {
        tells(CRASHED);
    }
    supplier.await?;
    money.await?;
    tells(MONEY);
    for dish in dishes {
        dish.await?;
    }
    tells(MARKS);
    over.set(true);
    Ok(guest.await?)
}
// ANCHOR_END: places

async fn supplier() {
    tells("asks the supplier, and waits");
    sleep(SUPPLIER).await;
    tells(ANSWER);
}

/// Blocks its thread, as every library does that knows nothing of async.
fn stuck_drawer() {
    thread::sleep(DRAWER);
}

/// Wants something every 5 ms, until it is over.
fn guest() -> (loopbot::JoinHandle<()>, Rc<Cell<bool>>) {
    let over = Rc::new(Cell::new(false));
    let is_over = Rc::clone(&over);
    let guest = spawn_named("the guest", async move {
        let mut due = now();
        while !is_over.get() {
            due += SIP;
            sleep_until(due).await;
            let late = now().saturating_sub(due);
            if late > LATE {
                let what = format!("the guest has waited for {} ms", late.as_millis());
                with_lane(|lane| lane.mark(INCIDENT, &what, 0));
                due = now();
            }
        }
    });
    (guest, over)
}

#[track_caller]
fn tells(step: &str) {
    let line = Location::caller();
    with_lane(|lane| story::step(lane, step, line));
}

/// What they are called.
pub fn names() -> impl Iterator<Item = String> {
    Evening::ALL.iter().map(|evening| evening.name().to_owned())
}

/// Makes them again.
///
/// # Errors
///
/// A file that cannot be written; processes that cannot be had; a recording that does not come out as it should, however
/// many times it is made.
pub fn make(root: &Path) -> anyhow::Result<u8> {
    for evening in Evening::ALL {
        for file in files_of(evening.name(), &record(evening)?) {
            write(&root.join(&file.path), &file.text)?;
        }
        cli::answer(&format!("{:36} made again\n", evening.name()))?;
    }
    Ok(status::DONE)
}

/// One that shows what it is there to show.
fn record(evening: Evening) -> anyhow::Result<Recording> {
    let mut why = String::new();
    for _ in 0..TRIES {
        let recording = evening.record()?;
        match evening.judge(&recording) {
            Ok(()) => return Ok(recording),
            Err(wrong) => why = wrong,
        }
    }
    Err(spoilt(evening.name(), &why))
}

/// Says of each whether it is what it should be, and adds to `stale` the files that are not made of their recording.
/// Returns how many recordings do not show what they are there to show.
///
/// # Errors
///
/// When nobody reads what is printed.
pub(super) fn check(root: &Path, stale: &mut Vec<String>) -> anyhow::Result<usize> {
    let mut unsound = 0;
    for evening in Evening::ALL {
        let sound = sound(root, evening.name(), stale, |recording| {
            evening.judge(recording)
        });
        unsound += usize::from(sound.is_err());
        let said = match sound {
            Ok(()) => "shows what it should".to_owned(),
            Err(why) => format!("NOT as it should be: {why}"),
        };
        cli::answer(&format!("{:36} {said}\n", evening.name()))?;
    }
    Ok(unsound)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The other one needs workers, and these are the program, which this is not. `cargo course record --check` judges it.
    #[test]
    fn on_the_loop_somebody_is_held_and_a_guest_waits() {
        let recording = record(Evening::Loop).unwrap();
        assert!(Evening::Places.judge(&recording).is_err());
    }
}
