//! How an entry is run: the victim first, then the guest, on a runtime that is made for them. All on a thread of its own,
//! which can be left behind if it never comes back.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use flight::{ActorKind, Header, Recorder, Recording};
use loopbot::{Builder, LoopBot, Watchdog, with_lane};
use restaurant::story::{self, TableState};
use tokio::task::LocalSet;

use super::victim::{Lateness, PERIOD, STANDS, VICTIM};
use super::{Act, Entry, Version};

/// The name of the guest's task in the record.
pub const GUEST: &str = "the guest";
/// A run that would never end is given up when the victim has waited this long beyond its time.
pub const GIVE_UP: Duration = Duration::from_millis(400);
/// Any other run ends by itself, long before this.
const LONGEST: Duration = Duration::from_secs(30);
/// When the watchdog speaks up.
const WATCHDOG: Duration = Duration::from_millis(20);

/// How long to wait for the watchdog's word on a run that is given up.
const PATIENCE: Duration = Duration::from_secs(3);

/// What came of a run.
#[derive(Debug)]
pub struct Run {
    /// How it ended.
    pub ended: Ended,
    /// The latest that the victim heard its timer; `None` if it never did.
    pub late: Option<Duration>,
    /// How many times the victim heard its timer while the guest was still busy.
    pub heard: usize,
    /// What LoopBot's recorder has.
    pub recording: Option<Recording>,
    /// What LoopBot's watchdog said.
    pub watchdog: Vec<String>,
}

impl Run {
    /// Whether the soufflé fell.
    pub fn falls(&self) -> bool {
        self.late.is_none_or(|late| late > STANDS)
    }
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// The guest was done.
    Done,
    /// The world has refused something.
    Failed(io::Error),
    /// It would never have ended. Nobody can stop a thread from outside, so it was left behind: it stands there, and does
    /// nothing, until the process ends.
    LeftBehind,
}

impl Entry {
    /// Runs it on a LoopBot with the real clock, a recorder and a watchdog.
    ///
    /// # Panics
    ///
    /// If the system has no thread for it.
    pub fn on_loopbot(&self, version: Version) -> Run {
        let said = Arc::new(Mutex::new(Vec::new()));
        let watchdog = Watchdog::new(WATCHDOG).on_stuck({
            let said = said.clone();
            move |stuck| said.lock().unwrap().push(stuck.to_string())
        });
        let mut run = self.on(move |loopbot| loopbot.watchdog(watchdog), version);
        if let Ended::LeftBehind = run.ended {
            wait_for(|| !said.lock().unwrap().is_empty());
        }
        run.watchdog = said.lock().unwrap().clone();
        run
    }

    /// The same without a watchdog, to be looked at: nobody is on stage but LoopBot.
    ///
    /// # Panics
    ///
    /// If the system has no thread for it.
    pub fn record(&self, version: Version) -> Run {
        self.on(|loopbot| loopbot, version)
    }

    fn on(&self, with: impl FnOnce(Builder) -> Builder + Send + 'static, version: Version) -> Run {
        let program = format!("{}, {}", self.title, version.name());
        let recorder = Recorder::new(Header::monotonic(&program).fact("tables", 1));
        let act = self.acts(version).loopbot;
        let title = self.title;
        let (ended, lateness) = self.at_arms_length({
            let recorder = recorder.clone();
            move |lateness| {
                let loopbot = with(LoopBot::builder().recorder(recorder));
                loopbot.build().run(on_loopbot(title, act, lateness))
            }
        });
        if let Ended::LeftBehind = ended {
            let outside = recorder.actor("the outside hand", ActorKind::Thread);
            let what = "the soufflé falls: nobody will ever look at its timer";
            outside.mark(story::INCIDENT, what, 0);
        }
        Run {
            ended,
            late: lateness.worst(),
            heard: lateness.heard(),
            recording: Some(recorder.recording()),
            watchdog: Vec::new(),
        }
    }

    /// Runs it on Tokio's current-thread runtime. Its tasks are spawned with `spawn_local`: two of the broken ones hold
    /// what may not leave its thread, and `tokio::spawn` would not compile.
    ///
    /// # Panics
    ///
    /// If the system has no thread for it.
    pub fn on_tokio(&self, version: Version) -> Run {
        let act = self.acts(version).tokio;
        let (ended, lateness) = self.at_arms_length(move |lateness| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            LocalSet::new().block_on(&runtime, on_tokio(act, lateness))
        });
        Run {
            ended,
            late: lateness.worst(),
            heard: lateness.heard(),
            recording: None,
            watchdog: Vec::new(),
        }
    }

    /// Does this on another thread, and waits until it is done; or, if it never will be, until that is plain.
    fn at_arms_length(
        &self,
        run: impl FnOnce(Lateness) -> io::Result<()> + Send + 'static,
    ) -> (Ended, Lateness) {
        let lateness = Lateness::default();
        let (done, is_done) = mpsc::channel();
        let thread = thread::Builder::new().name("the restaurant".to_owned());
        let spawned = thread.spawn({
            let lateness = lateness.clone();
            move || done.send(run(lateness))
        });
        spawned.expect("the system has a thread");
        let began = Instant::now();
        let ended = loop {
            match is_done.recv_timeout(PERIOD) {
                Ok(Ok(())) => break Ended::Done,
                Ok(Err(why)) => break Ended::Failed(why),
                Err(RecvTimeoutError::Disconnected) => {
                    break Ended::Failed(io::Error::other("the guest panicked"));
                }
                Err(RecvTimeoutError::Timeout) => {
                    let hopeless = self.never_ends && lateness.overdue() > GIVE_UP;
                    if hopeless || began.elapsed() > LONGEST {
                        break Ended::LeftBehind;
                    }
                }
            }
        };
        (ended, lateness)
    }
}

// ANCHOR: on_loopbot
/// The victim's task is spawned first, so it has set its timer before the guest begins.
async fn on_loopbot(title: &str, act: fn() -> Act, lateness: Lateness) -> io::Result<()> {
    with_lane(|lane| {
        story::party(lane, 1, Some("the guest"));
        story::table(lane, 1, TableState::Seated);
    });
    let guest_left = Rc::new(Cell::new(false));
    let victim = loopbot::spawn_named(VICTIM, {
        let guest_left = guest_left.clone();
        async move {
            while !guest_left.get() {
                lateness.sets();
                loopbot::sleep(PERIOD).await;
                let late = lateness.hears(guest_left.get());
                looks_at_the_souffle(late, lateness.heard() == 1 || guest_left.get());
            }
        }
    });
    let title = title.to_owned();
    let guest = loopbot::spawn_named(GUEST, async move {
        tells("table 1", &format!("begins: {title}"));
        let done = act().await;
        tells("table 1", "is done at table 1");
        done
    });
    let done = guest.await.map_err(io::Error::other);
    guest_left.set(true);
    victim.await.map_err(io::Error::other)?; // one timer more: the one that was late
    done?
}
// ANCHOR_END: on_loopbot

/// The same, on Tokio.
async fn on_tokio(act: fn() -> Act, lateness: Lateness) -> io::Result<()> {
    let guest_left = Rc::new(Cell::new(false));
    let victim = tokio::task::spawn_local({
        let guest_left = guest_left.clone();
        async move {
            while !guest_left.get() {
                lateness.sets();
                tokio::time::sleep(PERIOD).await;
                lateness.hears(guest_left.get());
            }
        }
    });
    let guest = tokio::task::spawn_local(act());
    let done = guest.await.map_err(io::Error::other);
    guest_left.set(true);
    victim.await.map_err(io::Error::other)?;
    done?
}

/// The watchdog's first look into the program's debug information takes a while.
fn wait_for(it: impl Fn() -> bool) {
    let began = Instant::now();
    while !it() && began.elapsed() < PATIENCE {
        thread::sleep(PERIOD);
    }
}

/// The first time is told, and the last; in between it is enough to be seen there.
fn looks_at_the_souffle(late: Duration, told: bool) {
    if told {
        tells("kitchen", "looks at the soufflé");
    } else {
        with_lane(|lane| story::place(lane, "kitchen"));
    }
    if late > STANDS {
        let what = format!(
            "the soufflé falls: its timer was {} ms late",
            late.as_millis()
        );
        with_lane(|lane| lane.mark(story::INCIDENT, &what, 0));
    }
}

fn tells(place: &str, step: &str) {
    with_lane(|lane| {
        story::place(lane, place);
        lane.mark(story::STEP, step, 0);
    });
}
