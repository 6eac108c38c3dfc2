//! The back of house: wine is in the cellar, looking for it blocks, and so threads of a pool go down, the BackBots. LoopBot
//! awaits them.
//!
//! Threads live in real time, so these evenings do. Each recording differs from the last by a little. What may not
//! differ is the order in which things happen, and [`Evening::check`] knows it.

use std::cell::OnceCell;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use flight::{Actor, ActorKind, Event, Header, Lane, Recorder, Recording};
use loopbot::{LoopBot, sleep, spawn_named, with_lane};
use offload::{Cancel, Job, Pool};
use restaurant::story::{self, STEP, TableState};

/// How long it takes to look on one shelf of the cellar.
const SHELF: Duration = Duration::from_millis(20);
/// How long the soufflé bakes.
const BAKING: Duration = Duration::from_millis(60);
/// How long a guest waits who does not like to wait.
const PATIENCE: Duration = Duration::from_millis(70);
/// How long it takes to say what one would like to drink.
const ORDERING: Duration = Duration::from_millis(8);
/// A BackBot that has nothing to do goes home after this.
const IDLE: Duration = Duration::from_millis(3);

/// An evening with a cellar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evening {
    /// One bottle, one BackBot, and a soufflé.
    OneBottle,
    /// Five bottles, two BackBots, and a hook for one slip.
    FiveBottles,
    /// One BackBot. Two guests leave before their bottles are there: one was begun, the other was not.
    GuestsLeave,
    /// The same, and whoever is down there looks up now and then whether there is still a guest.
    CalledBack,
}

impl Evening {
    /// All of them, in the order in which they are told.
    pub const ALL: [Evening; 4] = [
        Evening::OneBottle,
        Evening::FiveBottles,
        Evening::GuestsLeave,
        Evening::CalledBack,
    ];

    /// As its recording is called.
    pub fn name(self) -> &'static str {
        match self {
            Evening::OneBottle => "cellar-one-bottle",
            Evening::FiveBottles => "cellar-five-bottles",
            Evening::GuestsLeave => "cellar-guests-leave",
            Evening::CalledBack => "cellar-called-back",
        }
    }

    /// Lets it happen, on a LoopBot and a pool of its own.
    ///
    /// # Panics
    ///
    /// If the system has no thread for the pool.
    pub fn record(self) -> Recording {
        let (title, threads, queue) = match self {
            Evening::OneBottle => ("one bottle from the cellar", 1, 1),
            Evening::FiveBottles => ("five bottles, two BackBots", 2, 1),
            Evening::GuestsLeave => ("two guests leave", 1, 2),
            Evening::CalledBack => ("two guests leave, and BackBot is called back", 1, 2),
        };
        let recorder = Recorder::new(Header::monotonic(title).fact("tables", 2));
        let pool = Pool::builder()
            .name("BackBot")
            .max_threads(threads)
            .queue(queue)
            .idle(IDLE)
            .recorder(recorder.clone())
            .build();
        let house = House {
            pool: pool.clone(),
            cellar: Arc::new(Cellar {
                recorder: recorder.clone(),
            }),
        };
        let loopbot = LoopBot::builder().recorder(recorder.clone()).build();
        loopbot.run(self.happens(house));
        pool.shut_down();
        drop(pool);
        one_lane_each(recorder.recording())
    }

    async fn happens(self, house: House) {
        with_lane(|lane| {
            story::party(lane, 1, Some("Silva"));
            story::party(lane, 2, Some("Chen"));
            story::table(lane, 1, TableState::Seated);
            story::table(lane, 2, TableState::Ordered);
        });
        match self {
            Evening::OneBottle => one_bottle(house).await,
            Evening::FiveBottles => five_bottles(house).await,
            Evening::GuestsLeave => guests_leave(house).await,
            Evening::CalledBack => called_back(house).await,
        }
    }

    /// What happens, in this order. What else happens has no place of its own in it, since threads are free.
    fn order(self) -> &'static [&'static str] {
        match self {
            Evening::OneBottle => &[
                "LoopBot hands over the slip: a Riesling for table 1",
                "BackBot-1 goes down for the Riesling",
                "LoopBot takes the soufflé out of the oven",
                "BackBot-1 comes up with the Riesling",
                "LoopBot pours the Riesling",
            ],
            Evening::FiveBottles => &[
                "LoopBot hands over slip 1: Riesling",
                "BackBot-1 goes down for the Riesling",
                "LoopBot hands over slip 2: Malbec",
                "BackBot-2 goes down for the Malbec",
                "LoopBot hands over slip 3: Port",
                "LoopBot writes slip 4: Rioja",
                "LoopBot takes the soufflé out of the oven",
                "BackBot-1 comes up with the Riesling",
                "LoopBot hands over slip 4: Rioja",
                "LoopBot writes slip 5: Chablis",
                "BackBot-2 comes up with the Malbec",
                "LoopBot hands over slip 5: Chablis",
                "LoopBot pours the Malbec",
                "BackBot-1 comes up with the Port",
                "LoopBot pours the Port",
                "BackBot-2 comes up with the Rioja",
                "LoopBot pours the Rioja",
                "BackBot-1 comes up with the Chablis",
                "LoopBot pours the Chablis",
            ],
            Evening::GuestsLeave => &[
                "LoopBot hands over three slips: Riesling, Malbec, Port",
                "BackBot-1 goes down for the Riesling",
                "LoopBot hears that the Silvas leave",
                "LoopBot cannot cancel the Riesling: BackBot is down there",
                "LoopBot takes back the slip for the Malbec",
                "BackBot-1 comes up with the Riesling",
                "BackBot-1 goes down for the Port",
                "BackBot-1 comes up with the Port",
                "LoopBot pours the Port",
            ],
            Evening::CalledBack => &[
                "LoopBot hands over three slips: Riesling, Malbec, Port",
                "BackBot-1 goes down for the Riesling",
                "LoopBot hears that the Silvas leave",
                "LoopBot takes back the slip for the Malbec",
                "LoopBot calls down the stairs, and waits for BackBot",
                "BackBot-1 comes up without the Riesling",
                "BackBot-1 goes down for the Port",
                "BackBot-1 comes up with the Port",
                "LoopBot pours the Port",
            ],
        }
    }

    /// Whether a recording shows what this evening is there to show. A machine that is busy with something else can spoil it.
    ///
    /// # Errors
    ///
    /// What is not there, or not where it belongs.
    pub fn check(self, recording: &Recording) -> Result<(), String> {
        let mut told = recording
            .marks(STEP)
            .map(|(entry, step, _)| format!("{} {step}", recording.actor(entry)));
        for line in self.order() {
            if !told.by_ref().any(|told| told == *line) {
                return Err(format!("{line:?} is not where it belongs"));
            }
        }
        let malbec = recording.marks(STEP).any(|(_, step, _)| step == NO_MALBEC);
        match self {
            Evening::GuestsLeave | Evening::CalledBack if malbec => {
                Err(format!("BackBot {NO_MALBEC}, and nobody wants it"))
            }
            _ => Ok(()),
        }
    }
}

const NO_MALBEC: &str = "goes down for the Malbec";

/// What LoopBot has behind it.
struct House {
    pool: Pool,
    cellar: Arc<Cellar>,
}

/// The cellar. It knows nothing of async.
struct Cellar {
    recorder: Recorder,
}

struct Bottle(&'static str);

// ANCHOR: cellar
impl Cellar {
    /// Looks for a wine, on one shelf after the other, and blocks the thread all the while. Before each shelf it asks
    /// whether to go on.
    fn fetch(&self, wine: &'static str, shelves: u32, go_on: impl Fn() -> bool) -> Option<Bottle> {
        self.tells(&format!("goes down for the {wine}"));
        for _ in 0..shelves {
            if !go_on() {
                self.tells(&format!("comes up without the {wine}"));
                return None;
            }
            self.waits(|| thread::sleep(SHELF));
        }
        self.tells(&format!("comes up with the {wine}"));
        Some(Bottle(wine))
    }
}
// ANCHOR_END: cellar

impl House {
    // ANCHOR: send_down
    /// Sends somebody down for a bottle.
    fn send_down(&self, wine: &'static str, shelves: u32) -> Job<Option<Bottle>> {
        self.send_down_while(wine, shelves, || true)
    }

    /// The same, for as long as somebody wants it.
    fn send_down_while(
        &self,
        wine: &'static str,
        shelves: u32,
        go_on: impl Fn() -> bool + Send + 'static,
    ) -> Job<Option<Bottle>> {
        let cellar = Arc::clone(&self.cellar);
        let job = self.pool.job().name(wine);
        job.spawn(move || cellar.fetch(wine, shelves, go_on))
    }
    // ANCHOR_END: send_down
}

// ANCHOR: one_bottle
async fn one_bottle(house: House) {
    let souffle = spawn_named("the soufflé", souffle());
    let silva = spawn_named("Mr. Silva", async move {
        tells("table 1", "hands over the slip: a Riesling for table 1");
        let job = house.send_down("Riesling", 8);
        pours(job).await;
    });
    silva.await.expect("no task panics");
    souffle.await.expect("no task panics");
}
// ANCHOR_END: one_bottle

async fn souffle() {
    sleep(BAKING).await;
    tells("kitchen", "takes the soufflé out of the oven");
    sleep(ORDERING).await;
    tells("table 2", "serves the Chens their soufflé");
    with_lane(|lane| story::table(lane, 2, TableState::Eating));
}

// ANCHOR: pours
async fn pours(job: Job<Option<Bottle>>) {
    match job.await {
        Ok(Some(Bottle(wine))) => tells("table 1", &format!("pours the {wine}")),
        Ok(None) => tells("table 1", "says that there is none of that name"),
        Err(error) => tells("table 1", &format!("apologizes: {error}")),
    }
}
// ANCHOR_END: pours

/// What a party of five would like, and on how many shelves one has to look for it.
const ORDERS: [(&str, u32); 5] = [
    ("Riesling", 4),
    ("Malbec", 6),
    ("Port", 4),
    ("Rioja", 4),
    ("Chablis", 4),
];

// ANCHOR: five_bottles
/// Takes the orders of a party of five, one after the other.
async fn takes_orders(house: House) {
    let mut jobs = Vec::new();
    for (number, (wine, shelves)) in (1..).zip(ORDERS) {
        sleep(ORDERING).await;
        tells("table 1", &format!("writes slip {number}: {wine}"));
        let mut job = house.send_down(wine, shelves);
        job.placed().await; // BackBot is on the way, or the slip is on the hook
        tells("bar", &format!("hands over slip {number}: {wine}"));
        jobs.push(job);
    }
    for job in jobs {
        pours(job).await;
    }
}
// ANCHOR_END: five_bottles

async fn five_bottles(house: House) {
    let souffle = spawn_named("the soufflé", souffle());
    let five = spawn_named("table 1's wine", takes_orders(house));
    five.await.expect("no task panics");
    souffle.await.expect("no task panics");
}

/// The Chens' Port comes last, and is all that anybody wants in the end.
async fn pours_port(job: Job<Option<Bottle>>) {
    if let Ok(Some(Bottle(wine))) = job.await {
        tells("table 2", &format!("pours the {wine}"));
    }
}

// ANCHOR: guests_leave
async fn guests_leave(house: House) {
    tells("bar", "hands over three slips: Riesling, Malbec, Port");
    let riesling = house.send_down("Riesling", 8);
    let malbec = house.send_down("Malbec", 8);
    let port = spawn_named("the Chens' Port", pours_port(house.send_down("Port", 4)));
    sleep(PATIENCE).await;
    silvas_leave();
    cancels("Riesling", riesling);
    cancels("Malbec", malbec);
    port.await.expect("no task panics");
}
// ANCHOR_END: guests_leave

fn silvas_leave() {
    tells("table 1", "hears that the Silvas leave");
    with_lane(|lane| {
        story::party(lane, 1, None);
        story::table(lane, 1, TableState::Left);
    });
}

// ANCHOR: cancels
fn cancels(wine: &str, job: Job<Option<Bottle>>) {
    match job.cancel() {
        Cancel::Removed => tells("bar", &format!("takes back the slip for the {wine}")),
        Cancel::Running(job) => {
            tells(
                "bar",
                &format!("cannot cancel the {wine}: BackBot is down there"),
            );
            drop(job); // it runs on, and nobody waits for it
        }
        Cancel::Done(_) => tells("bar", &format!("is too late: the {wine} is here")),
    }
}
// ANCHOR_END: cancels

async fn called_back(house: House) {
    tells("bar", "hands over three slips: Riesling, Malbec, Port");
    let is_wanted = Arc::new(AtomicBool::new(true));
    let looks = Arc::clone(&is_wanted);
    let riesling = house.send_down_while("Riesling", 8, move || looks.load(Ordering::Relaxed));
    let malbec = house.send_down("Malbec", 8);
    let port = spawn_named("the Chens' Port", pours_port(house.send_down("Port", 4)));
    sleep(PATIENCE).await;
    silvas_leave();
    cancels("Malbec", malbec);
    calls_back(riesling, &is_wanted).await;
    port.await.expect("no task panics");
}

// ANCHOR: calls_back
async fn calls_back(job: Job<Option<Bottle>>, is_wanted: &AtomicBool) {
    is_wanted.store(false, Ordering::Relaxed);
    if let Cancel::Running(job) = job.cancel() {
        tells("bar", "calls down the stairs, and waits for BackBot");
        let _nothing = job.await; // now it is certain that nobody is down there
    }
}
// ANCHOR_END: calls_back

#[track_caller]
fn tells(place: &str, step: &str) {
    let line = Location::caller();
    with_lane(|lane| {
        story::place(lane, place);
        story::step(lane, step, line);
    });
}

thread_local! {
    /// What this BackBot tells, it tells here.
    static LANE: OnceCell<Lane> = const { OnceCell::new() };
}

impl Cellar {
    fn with_lane(&self, write: impl FnOnce(&Lane)) {
        let name = thread::current().name().unwrap_or("BackBot").to_owned();
        LANE.with(|lane| {
            write(lane.get_or_init(|| {
                let lane = self.recorder.actor(&name, ActorKind::Pool);
                story::place(&lane, "bar"); // the stairs are there
                lane
            }));
        });
    }

    #[track_caller]
    fn tells(&self, step: &str) {
        let line = Location::caller();
        self.with_lane(|lane| story::step(lane, step, line));
    }

    /// Whoever is blocked waits, as the ThreadBots of Part I did.
    fn waits(&self, wait: impl FnOnce()) {
        self.with_lane(|lane| {
            let why = lane.text("among the shelves");
            lane.record(Event::ParkBegin { why, until: 0 });
        });
        wait();
        self.with_lane(|lane| {
            lane.record(Event::ParkEnd);
        });
    }
}

/// A BackBot writes on two lanes: the pool has one for it, on which its jobs are, and what it tells is on its own. Here they become one.
fn one_lane_each(mut recording: Recording) -> Recording {
    let mut actors: Vec<Actor> = Vec::new();
    let mut becomes: Vec<(usize, bool)> = Vec::new();
    for actor in &recording.actors {
        let there = actors.iter().position(|there| there == actor);
        becomes.push((there.unwrap_or(actors.len()), there.is_some()));
        if there.is_none() {
            actors.push(actor.clone());
        }
    }
    recording.events.retain_mut(|entry| {
        let (actor, is_second) = becomes[entry.actor];
        entry.actor = actor;
        !(is_second && matches!(entry.event, Event::ActorStart | Event::ActorStop))
    });
    recording.actors = actors;
    recording
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A busy machine can spoil an evening, so each has a few.
    fn one_that_is_as_told(evening: Evening) -> Recording {
        let mut why = String::new();
        for _ in 0..20 {
            let recording = evening.record();
            match evening.check(&recording) {
                Ok(()) => return recording,
                Err(spoilt) => why = spoilt,
            }
        }
        panic!("{evening:?} was spoilt every time, at last because {why}")
    }

    #[test]
    fn every_evening_is_as_it_is_told() {
        for evening in Evening::ALL {
            let recording = one_that_is_as_told(evening);
            assert!(recording.complete && recording.dropped == 0);
            let named = |name: &str| recording.actors.iter().filter(|it| it.name == name).count();
            assert_eq!(named("BackBot-1"), 1, "{evening:?}");
            for other in Evening::ALL.iter().filter(|other| **other != evening) {
                assert!(
                    other.check(&recording).is_err(),
                    "{evening:?} is no {other:?}"
                );
            }
        }
    }

    #[test]
    fn nobody_ever_does_more_than_the_pool_has_threads_and_places_for() {
        let recording = one_that_is_as_told(Evening::FiveBottles);
        let (mut running, mut ended) = (0, 0);
        for entry in &recording.events {
            match entry.event {
                Event::JobStart { .. } => running += 1,
                Event::JobEnd { .. } => (running, ended) = (running - 1, ended + 1),
                Event::Counter { name, value } if recording.text(name) == "BackBot: queue" => {
                    assert!(
                        running + value <= 3,
                        "two BackBots, and a hook for one slip"
                    );
                }
                _ => {}
            }
            assert!(running <= 2);
        }
        assert_eq!(ended, 5);
    }
}
