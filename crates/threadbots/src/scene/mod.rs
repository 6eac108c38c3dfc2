//! One moment of an evening, with a few robots and few steps: small enough to try every schedule there is.
//!
//! ```
//! use threadbots::Coordination;
//! use threadbots::scene::ONE_TABLE;
//! use whatif::Outcome;
//!
//! let careless = ONE_TABLE.check(Coordination::Careless);
//! assert!(matches!(careless.outcome, Outcome::Failed(_)));
//!
//! let coordinated = ONE_TABLE.check(Coordination::Coordinated);
//! assert!(matches!(coordinated.outcome, Outcome::Proved { .. }));
//! ```
//!
//! A scene is a file here: what the robots do, careless, napping and coordinated, side by side, and a
//! function that puts them on a `Stage`. The smallest one is in the tests at the end of this file.

mod broken_glass;
mod broken_plate;
mod one_table;
pub mod rush;
mod same_order;
pub mod saturday;
mod stage;
mod the_bell;
mod two_keys;
mod two_passes;

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use flight::{Entry, Event, Header, Recorder, Recording, VirtualTime};
use restaurant::story;
use whatif::{Checker, Outcome, Report, Tree};

use crate::coordination::Coordination;

pub use broken_glass::BROKEN_GLASS;
pub use broken_plate::BROKEN_PLATE;
pub use one_table::ONE_TABLE;
pub use same_order::SAME_ORDER;
pub(crate) use stage::{Stage, all_go_home};
pub use the_bell::THE_BELL;
pub use two_keys::TWO_KEYS;
pub use two_passes::TWO_PASSES;

/// All scenes, in the order in which the book meets them.
pub const ALL: &[&Scene] = &[
    &BROKEN_PLATE,
    &BROKEN_GLASS,
    &ONE_TABLE,
    &SAME_ORDER,
    &THE_BELL,
    &TWO_PASSES,
    &TWO_KEYS,
];

/// A scene has few steps. Robots that have taken so many are going round in a circle.
const MOST_STEPS: u64 = 60;

/// What [`Scene::evening`] says of robots that wait for each other for ever.
pub const STANDS_STILL: &str = "stands still";

/// One moment of an evening: a few robots, a few steps, and a rule that must hold.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// As recordings and commands call it: `one-table`.
    pub name: &'static str,
    /// As stories call it: "one table".
    pub title: &'static str,
    play: fn(Coordination, &Stage),
}

impl Scene {
    /// Plays it once. To be called inside a [check](whatif::check): a broken rule ends the run.
    pub fn play(&self, coordination: Coordination) {
        (self.play)(
            coordination,
            &Stage::new(&Recorder::off(), &VirtualTime::new()),
        );
    }

    /// What the checker finds when it tries every schedule.
    pub fn check(&self, coordination: Coordination) -> Report {
        let scene = *self;
        self.checker().explore(move || scene.play(coordination))
    }

    /// Every way in which it can go, for somebody who wants to be the scheduler.
    ///
    /// # Errors
    ///
    /// One sentence, if there are too many for that.
    pub fn tree(&self, coordination: Coordination) -> Result<Tree, String> {
        let scene = *self;
        self.checker().tree(move || scene.play(coordination))
    }

    /// A recording: the simplest schedule that breaks it, a second of virtual time for each step; or, if there
    /// is no such schedule, a rehearsal in which every walk takes its time.
    pub fn record(&self, coordination: Coordination) -> Recording {
        let time = VirtualTime::new();
        let header = Header::virtual_time(&format!("{}, {coordination}", self.title), &time)
            .fact("coordination", coordination)
            .fact("tables", 2);
        match self.check(coordination).outcome {
            Outcome::Failed(story) => {
                // A replay that comes to a `try_lock` starts over: what counts is the last run.
                let header = header.fact("schedule", &story.id);
                let last = Arc::new(Mutex::new(Recorder::off()));
                let run = {
                    let (play, last, time) = (self.play, last.clone(), time.clone());
                    move || {
                        let recorder = Recorder::new(header.clone());
                        last.lock().unwrap().clone_from(&recorder);
                        play(coordination, &Stage::new(&recorder, &time));
                    }
                };
                self.checker().clock(&time).replay(&story.id, run);
                let recorder = last.lock().unwrap().clone();
                let (category, rule) = (recorder.text(story::INCIDENT), recorder.text(&story.rule));
                let mut recording = recorder.recording();
                line_up_the_leaving(&mut recording);
                if recording.marks(story::INCIDENT).next().is_none() {
                    tell_before_they_leave(
                        &mut recording,
                        Event::Mark {
                            text: rule,
                            category,
                            value: 0,
                        },
                    );
                }
                recording
            }
            _ => {
                let recorder = Recorder::new(
                    header.fact("schedule", "none breaks it; rehearsed with seed 10"),
                );
                let (play, stage) = (self.play, Stage::new(&recorder, &time));
                whatif::simulate(10, &time, move || play(coordination, &stage))
                    .unwrap_or_else(|story| panic!("{story}"));
                recorder.recording()
            }
        }
    }

    /// Plays it once for real, with threads of the operating system, as fast as they go. Returns the rule that was
    /// broken, or [`STANDS_STILL`] if the robots have not gone home after `patience`.
    ///
    /// Nothing can end a thread from outside: robots that stand still are left behind, and their threads with
    /// them, until the process ends.
    ///
    /// # Panics
    /// If the system has no room for another thread.
    pub fn evening(&self, coordination: Coordination, patience: Duration) -> Option<String> {
        self.begin_evening(coordination).ends_within(patience)
    }

    /// The same, for somebody who may ask again later: on a busy machine, whoever has not gone home may be slow.
    ///
    /// # Panics
    /// If the system has no room for another thread.
    pub fn begin_evening(&self, coordination: Coordination) -> Evening {
        let (play, stage) = (self.play, Stage::for_real());
        let (goes_home, gone_home) = mpsc::channel();
        let evening = {
            let stage = stage.clone();
            move || {
                play(coordination, &stage);
                let _ = goes_home.send(()); // perhaps nobody waits for it any more
            }
        };
        thread::Builder::new()
            .name(self.title.to_owned())
            .spawn(evening)
            .expect("the system has room for a thread");
        Evening { stage, gone_home }
    }

    fn checker(&self) -> Checker {
        Checker::new(self.title).max_steps(MOST_STEPS)
    }
}

/// A scene that is being played for real. Dropping it leaves its robots to themselves.
pub struct Evening {
    stage: Stage,
    gone_home: Receiver<()>,
}

impl Evening {
    /// Waits until all robots have gone home, but no longer than `patience`. Returns the rule that was broken, or
    /// [`STANDS_STILL`]. Whoever has been told so may ask again; an end is told once.
    pub fn ends_within(&self, patience: Duration) -> Option<String> {
        let end = self.gone_home.recv_timeout(patience);
        self.stage.broken_rule().or_else(|| match end {
            Ok(()) => None,
            Err(RecvTimeoutError::Timeout) => Some(STANDS_STILL.to_owned()),
            Err(RecvTimeoutError::Disconnected) => Some("a robot breaks down".to_owned()),
        })
    }
}

/// A robot goes home, or gives something back on its way.
fn leaves(entry: &Entry) -> bool {
    matches!(entry.event, Event::ActorStop | Event::ResRelease { .. })
}

/// When a check ends a run, all its robots leave at the same moment of virtual time, in an order that the operating
/// system decides, and let go of what they hold. Here they leave in the order in which they came, and what they let go of
/// on the way is no part of the story.
fn line_up_the_leaving(recording: &mut Recording) {
    let leaves = |entry: &Entry| matches!(entry.event, Event::ActorStop);
    let lets_go = |entry: &Entry| matches!(entry.event, Event::ResRelease { .. });
    let events = &mut recording.events;
    let last = events.iter().rposition(|it| !leaves(it) && !lets_go(it));
    let mut leaving = events.split_off(last.map_or(0, |last| last + 1));
    let first = leaving.first().map_or(0, |entry| entry.n);
    leaving.retain(leaves);
    leaving.sort_by_key(|entry| entry.actor);
    for (entry, n) in leaving.iter_mut().zip(first..) {
        entry.n = n;
    }
    events.extend(leaving);
}

/// The checker has ended the run, and no robot could say why: it says so as the last thing that happens.
fn tell_before_they_leave(recording: &mut Recording, mark: Event) {
    let events = &mut recording.events;
    let leaving = events.iter().rposition(|entry| !leaves(entry));
    let Some(last) = leaving else {
        return;
    };
    let told = Entry {
        n: events[last].n + 1,
        event: mark,
        ..events[last]
    };
    for entry in &mut events[last + 1..] {
        entry.n += 1;
    }
    events.insert(last + 1, told);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use whatif::sync::{Mutex, Shared};

    use super::*;
    use crate::robot::Robot;

    /// Two robots put a tip into one jar.
    const TIP_JAR: Scene = Scene {
        name: "tip-jar",
        title: "the tip jar",
        play: |coordination, stage| {
            let jar = Arc::new(Jar::default());
            let [greetbot, waitbot] = ["GreetBot", "WaitBot"].map(|name| {
                let jar = jar.clone();
                stage.spawn(name, move |bot, _| match coordination {
                    Coordination::Careless => careless::tip(bot, &jar),
                    Coordination::Napping => napping::tip(bot, &jar),
                    Coordination::Coordinated => coordinated::tip(bot, &jar),
                })
            });
            all_go_home([greetbot, waitbot]);
            stage.never("a tip is lost", jar.coins.get() != 2);
        },
    };

    #[derive(Default)]
    struct Jar {
        coins: Shared<u32>,
        lid: Mutex<()>,
    }

    mod careless {
        use super::*;

        pub(super) fn tip(bot: &Robot, jar: &Jar) {
            let coins = jar.coins.get();
            bot.tells(format!("counts {coins}"));
            jar.coins.set(coins + 1);
            bot.tells(format!("makes it {}", coins + 1));
        }
    }

    mod napping {
        use super::*;

        pub(super) fn tip(bot: &Robot, jar: &Jar) {
            bot.nap();
            careless::tip(bot, jar);
        }
    }

    mod coordinated {
        use super::*;

        pub(super) fn tip(bot: &Robot, jar: &Jar) {
            let _lid = jar.lid.lock().unwrap();
            careless::tip(bot, jar);
        }
    }

    /// Two robots that wait for each other, always.
    const STUCK: Scene = Scene {
        name: "stuck",
        title: "after you",
        play: |_, stage| {
            let bells = Arc::new([(); 2].map(|()| Bell::default()));
            let robot = |name: &str, mine: usize| {
                let bells = bells.clone();
                stage.spawn(name, move |_, _| {
                    bells[1 - mine].wait();
                    bells[mine].ring();
                })
            };
            all_go_home([robot("GreetBot", 0), robot("WaitBot", 1)]);
        },
    };

    #[derive(Default)]
    struct Bell {
        has_rung: Mutex<bool>,
        bell: whatif::sync::Condvar,
    }

    impl Bell {
        fn ring(&self) {
            *self.has_rung.lock().unwrap() = true;
            self.bell.notify_all();
        }

        fn wait(&self) {
            let has_rung = self.has_rung.lock().unwrap();
            drop(self.bell.wait_while(has_rung, |rung| !*rung));
        }
    }

    #[test]
    fn the_checker_breaks_two_styles_and_proves_the_third() {
        for coordination in [Coordination::Careless, Coordination::Napping] {
            let Outcome::Failed(story) = TIP_JAR.check(coordination).outcome else {
                panic!("{coordination} robots lose tips");
            };
            assert_eq!(
                (story.check.as_str(), story.rule.as_str()),
                ("the tip jar", "a tip is lost")
            );
        }
        let report = TIP_JAR.check(Coordination::Coordinated);
        assert!(matches!(report.outcome, Outcome::Proved { .. }), "{report}");
    }

    #[test]
    fn a_recording_ends_with_what_went_wrong_even_if_no_robot_could_say_it() {
        for (scene, rule) in [
            (TIP_JAR, "a tip is lost"),
            (STUCK, "lost wake-up: GreetBot sleeps at"),
        ] {
            let recording = scene.record(Coordination::Careless);
            let told: Vec<&str> = recording
                .marks(story::INCIDENT)
                .map(|(_, text, _)| text)
                .collect();
            assert!(
                matches!(told[..], [one] if one.starts_with(rule)),
                "{told:?}"
            );
            assert!(
                recording
                    .events
                    .is_sorted_by(|a, b| a.n < b.n && a.t <= b.t)
            );
        }
        let recording = TIP_JAR.record(Coordination::Coordinated);
        assert_eq!(recording.marks(story::INCIDENT).count(), 0);
    }

    #[test]
    fn an_evening_for_real_ends_well_or_names_the_rule_or_stands_still() {
        // More than any machine needs; nobody waits that long unless something is wrong here.
        let minute = Duration::from_secs(60);
        assert_eq!(TIP_JAR.evening(Coordination::Coordinated, minute), None);
        assert_eq!(
            NEVER.evening(Coordination::Careless, minute).as_deref(),
            Some("it is Friday")
        );
        let moment = Duration::from_millis(50);
        assert_eq!(
            STUCK.evening(Coordination::Careless, moment).as_deref(),
            Some(STANDS_STILL)
        );
    }

    /// Breaks its rule whatever happens, and goes on: only the first time is told.
    const NEVER: Scene = Scene {
        name: "never",
        title: "never",
        play: |_, stage| {
            stage.never("it is Monday", false);
            stage.never("it is Friday", true);
            stage.never("it is Sunday", true);
        },
    };

    #[test]
    fn scenes_have_names_of_their_own() {
        for (i, scene) in ALL.iter().enumerate() {
            assert!(
                scene
                    .name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'-')
            );
            assert!(
                ALL[..i]
                    .iter()
                    .all(|other| other.name != scene.name && other.title != scene.title)
            );
        }
    }
}
