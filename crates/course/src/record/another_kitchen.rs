//! The recordings of the other kitchen, where a cook is killed in the middle of a job. Its cooks are real processes, and one of
//! them really dies. So, as with the [gallery's](super::gallery), one asks not whether the recordings are the same but whether
//! they show what they are there to show: who began which job, who died of it, and what became of all the others.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use flight::rules::{self, Limits};
use flight::{Actor, ActorKind, End, Event, Header, Recorder, Recording};
use futures_channel::oneshot;
use loopbot::{LoopBot, spawn_named, with_lane};
use procpool::{JobError, Jobs, Output, Pool, WorkerState};
use restaurant::story::{self, INCIDENT, STEP, TableState};

use super::gallery::{TRIES, sound, spoilt};
use super::{files_of, write};
use crate::cli;
use crate::trouble::status;

/// How long a cook has had a job when somebody kills him.
const LIFE: Duration = Duration::from_millis(30);
/// Nobody waits for so long for a cook to begin.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is said if there is nobody to kill.
const NOBODY: &str = "no cook has begun anything";

/// How the record writes that SIGKILL has ended a process.
const KILLED: u64 = 256 + 9;

// ANCHOR: jobs
/// A dish, and for how many milliseconds it simmers.
type Slip = (String, u64);

/// What the cooks next door can be asked for.
pub fn jobs(jobs: Jobs) -> Jobs {
    jobs.with(cook).with(charge)
}

fn cook((dish, millis): Slip) -> String {
    thread::sleep(Duration::from_millis(millis));
    dish
}

fn charge((guest, millis): Slip) -> String {
    thread::sleep(Duration::from_millis(millis));
    format!("{guest} has paid")
}
// ANCHOR_END: jobs

/// An evening on which a cook is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evening {
    /// With the Chens' soup in hand. A soup can be made again.
    Soup,
    /// With Mr. Silva's card in hand.
    Bill,
}

impl Evening {
    const ALL: [Evening; 2] = [Evening::Soup, Evening::Bill];

    fn name(self) -> &'static str {
        match self {
            Evening::Soup => "next-door-soup",
            Evening::Bill => "next-door-bill",
        }
    }

    fn incident(self) -> &'static str {
        match self {
            Evening::Soup => "CookBot-1 drops dead, with the onion soup in hand",
            Evening::Bill => "CookBot-1 drops dead, with Mr. Silva's card in hand",
        }
    }

    /// What happens, in this order.
    fn order(self) -> &'static [&'static str] {
        match self {
            Evening::Soup => &[
                "hands the onion soup for table 1 through the hatch",
                "hands the fish for table 2 through the hatch",
                "hands the custard for table 3 through the hatch",
                "hands the roast for table 4 through the hatch",
                "CookBot-1 drops dead, with the onion soup in hand",
                "serves the fish",
                "serves the custard",
                "serves the onion soup",
                "serves the roast",
            ],
            Evening::Bill => &[
                "hands Mr. Silva's card through the hatch",
                "hands Mrs. Chen's card through the hatch",
                "CookBot-1 drops dead, with Mr. Silva's card in hand",
                "tells Mr. Silva that nobody knows about the money",
                "brings Mrs. Chen the receipt",
            ],
        }
    }

    /// Lets it happen, or says why there is no other kitchen on this system.
    fn record(self) -> Result<Recording, String> {
        let (title, cooks, tables) = match self {
            Evening::Soup => ("a cook is killed, and the soup is made again", 2, 4),
            Evening::Bill => ("a cook is killed, and nobody charges again", 1, 2),
        };
        let recorder = Recorder::new(Header::monotonic(title).fact("tables", tables));
        let kitchen = Pool::builder(crate::kitchen())
            .name("next door")
            .workers(cooks)
            .output(Output::Null)
            .recorder(recorder.clone())
            .build()
            .map_err(|why| why.to_string())?;
        let loopbot = LoopBot::builder().recorder(recorder.clone()).build();
        let went = loopbot.run(self.happens(kitchen.clone(), &recorder));
        kitchen.shut_down();
        drop((kitchen, loopbot));
        went.map(|()| one_robot_each(whole(&recorder)))
    }

    async fn happens(self, kitchen: Pool, recorder: &Recorder) -> Result<(), String> {
        let begun = somebody(recorder, kitchen.clone(), self.incident());
        let tasks = match self {
            Evening::Soup => {
                seat(&[(1, "Chen"), (2, "Silva"), (3, "Okafor"), (4, "Lindqvist")]);
                let soup = order(kitchen.clone(), 1, "onion soup", 60);
                let soup = spawn_named("the soup", soup);
                begun.await.map_err(|_| NOBODY)?;
                let dishes = [(2, "fish", 50), (3, "custard", 20), (4, "roast", 60)];
                let others = dishes.map(|(table, dish, millis)| {
                    let order = order(kitchen.clone(), table, dish, millis);
                    spawn_named(&format!("the {dish}"), order)
                });
                [soup].into_iter().chain(others).collect::<Vec<_>>()
            }
            Evening::Bill => {
                seat(&[(1, "Silva"), (2, "Chen")]);
                let silva = bill(kitchen.clone(), 1, "Mr. Silva");
                let silva = spawn_named("Mr. Silva's bill", silva);
                begun.await.map_err(|_| NOBODY)?;
                let chen = bill(kitchen.clone(), 2, "Mrs. Chen");
                vec![silva, spawn_named("Mrs. Chen's bill", chen)]
            }
        };
        for task in tasks {
            task.await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Whether a recording shows what it is there to show.
    fn check(self, recording: &Recording) -> Result<(), String> {
        if !recording.complete || recording.dropped > 0 {
            return Err("it has gaps".to_owned());
        }
        let told = recording.marks(STEP).chain(recording.marks(INCIDENT));
        let mut told: Vec<_> = told.map(|(entry, text, _)| (entry.n, text)).collect();
        told.sort_unstable();
        let mut told = told.into_iter().map(|(_, text)| text);
        for line in self.order() {
            if !told.by_ref().any(|told| told == *line) {
                return Err(format!("{line:?} is not where it belongs"));
            }
        }
        let begun = |job: u64| {
            let begins =
                |event: &Event| matches!(event, Event::JobStart { job: it, .. } if *it == job);
            recording
                .events
                .iter()
                .filter(|entry| begins(&entry.event))
                .count()
        };
        let ends: Vec<_> = recording
            .events
            .iter()
            .filter_map(|entry| match entry.event {
                Event::JobEnd { job, how } => Some((job, how)),
                _ => None,
            })
            .collect();
        let lost: Vec<_> = ends.iter().filter(|(_, how)| *how != End::Done).collect();
        let [&(lost, End::Cancelled)] = lost[..] else {
            return Err(format!(
                "one job is to be lost with its cook, and there are {lost:?}"
            ));
        };
        let again = ends.contains(&(lost, End::Done));
        let should = self == Evening::Soup;
        if again != should || begun(lost) != if should { 2 } else { 1 } {
            return Err(format!(
                "the job that was lost was begun {} times",
                begun(lost)
            ));
        }
        let killed = |event: &Event| matches!(event, Event::ProcessExit { status: KILLED, .. });
        match recording
            .events
            .iter()
            .filter(|entry| killed(&entry.event))
            .count()
        {
            1 => Ok(()),
            dead => Err(format!("one cook is to be killed, and {dead} were")),
        }
    }
}

/// The recording, when all have gone home. The pool's own thread, and somebody, go a moment after the last cook.
fn whole(recorder: &Recorder) -> Recording {
    let begun = Instant::now();
    loop {
        let recording = recorder.recording();
        if recording.complete || begun.elapsed() > PATIENCE {
            return recording;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// The record names workers by their places. A place whose worker has died is taken by another one, and that is another robot.
fn one_robot_each(mut recording: Recording) -> Recording {
    let is_cook = |actor: &&mut Actor| actor.kind == ActorKind::Process;
    for (number, cook) in (1..).zip(recording.actors.iter_mut().filter(is_cook)) {
        cook.name = format!("CookBot-{number}");
    }
    recording
}

// ANCHOR: order
/// A dish can be made again: nobody has seen the first one.
async fn order(kitchen: Pool, table: u32, dish: &'static str, millis: u64) {
    hands(&format!("the {dish} for table {table}"));
    let job = kitchen.job(cook).idempotent();
    match job.submit((dish.to_owned(), millis)).await {
        Ok(plate) => serves(table, &plate),
        Err(error) => tells("kitchen", &format!("has no {dish}: {error}")),
    }
}
// ANCHOR_END: order

// ANCHOR: bill
/// A guest cannot be charged again. If the cook dies, one can only say so.
async fn bill(kitchen: Pool, table: u32, guest: &'static str) {
    hands(&format!("{guest}'s card"));
    let says = match kitchen.submit(charge, (guest.to_owned(), 60)).await {
        Ok(_) => format!("brings {guest} the receipt"),
        Err(JobError::WorkerDied(_)) => format!("tells {guest} that nobody knows about the money"),
        Err(error) => format!("has not charged {guest}: {error}"),
    };
    tells(&format!("table {table}"), &says);
}
// ANCHOR_END: bill

fn hands(what: &str) {
    tells("kitchen", &format!("hands {what} through the hatch"));
}

fn serves(table: u32, dish: &str) {
    tells(&format!("table {table}"), &format!("serves the {dish}"));
    with_lane(|lane| story::table(lane, table, TableState::Eating));
}

fn seat(parties: &[(u32, &str)]) {
    with_lane(|lane| {
        for &(table, name) in parties {
            story::party(lane, table, Some(name));
            story::table(lane, table, TableState::Ordered);
        }
    });
}

fn tells(place: &str, text: &str) {
    with_lane(|lane| {
        story::place(lane, place);
        lane.mark(STEP, text, 0);
    });
}

/// Somebody outside the story, who waits until a cook is at work, and kills him after a while. A thread, so that LoopBot has
/// nothing to do with it. LoopBot hears when the cook has begun.
fn somebody(recorder: &Recorder, kitchen: Pool, incident: &'static str) -> oneshot::Receiver<()> {
    let (tell, told) = oneshot::channel();
    let recorder = recorder.clone();
    thread::spawn(move || {
        let Some(cook) = busy(&kitchen) else { return };
        let _ = tell.send(()); // if nobody is there any more, the evening is over, and will not be taken for one
        thread::sleep(LIFE);
        let lane = recorder.actor("somebody", ActorKind::Thread);
        lane.mark(INCIDENT, incident, 1);
        kill(cook);
    });
    told
}

/// The only cook who is at work, as soon as there is one.
fn busy(kitchen: &Pool) -> Option<u32> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let workers = kitchen.workers();
        if let Some(cook) = workers.iter().find(|it| it.state == WorkerState::Busy) {
            return Some(cook.pid);
        }
        thread::sleep(Duration::from_millis(1));
    }
    None
}

#[cfg(target_os = "linux")]
fn kill(process: u32) {
    let pid = i32::try_from(process).ok();
    if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

/// There is no other kitchen, and so nobody who could be killed.
#[cfg(not(target_os = "linux"))]
fn kill(_: u32) {}

/// What they are called.
pub fn names() -> impl Iterator<Item = String> {
    Evening::ALL.iter().map(|evening| evening.name().to_owned())
}

/// Makes all of them again.
///
/// # Errors
///
/// A file that cannot be written; a recording that does not come out as it should, however many times it is made.
pub fn make(root: &Path) -> anyhow::Result<u8> {
    for evening in Evening::ALL {
        let name = evening.name();
        match record(evening)? {
            Ok(recording) => {
                for file in files_of(name, &recording) {
                    write(&root.join(&file.path), &file.text)?;
                }
                cli::answer(&format!("{name:36} made again\n"))?;
            }
            Err(why) => cli::answer(&format!("{name:36} none: {why}\n"))?,
        }
    }
    Ok(status::DONE)
}

/// One that shows what it is there to show; or why this system cannot make it.
fn record(evening: Evening) -> anyhow::Result<Result<Recording, String>> {
    let mut wrong = String::new();
    for _ in 0..TRIES {
        let recording = match evening.record() {
            Ok(recording) => recording,
            Err(why) => return Ok(Err(why)),
        };
        match judge(evening, &recording) {
            Ok(()) => return Ok(Ok(recording)),
            Err(why) => wrong = why,
        }
    }
    Err(spoilt(evening.name(), &wrong))
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
        let judge = |recording: &Recording| judge(evening, recording);
        let sound = sound(root, evening.name(), stale, judge);
        unsound += usize::from(sound.is_err());
        let said = match sound {
            Ok(()) => "shows what it should".to_owned(),
            Err(why) => format!("NOT as it should be: {why}"),
        };
        cli::answer(&format!("{:36} {said}\n", evening.name()))?;
    }
    Ok(unsound)
}

/// Whether it shows what it is there to show, and the rules find nothing: whatever goes wrong goes wrong next door.
fn judge(evening: Evening, recording: &Recording) -> Result<(), String> {
    evening.check(recording)?;
    match rules::look(recording, &Limits::default()).first() {
        Some(hit) => Err(format!("{}: {}", hit.rule.name(), hit.says)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The workers are the course program, and a test is none: so it looks at what the program has made.
    fn of_the_book(evening: Evening) -> Recording {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let path = super::super::file(evening.name(), "json", String::new()).path;
        super::super::read(&root.join(path)).unwrap()
    }

    #[test]
    fn those_of_the_book_show_what_they_should() {
        for evening in Evening::ALL {
            assert_eq!(judge(evening, &of_the_book(evening)), Ok(()));
        }
    }

    #[test]
    fn a_soup_that_nobody_made_again_is_noticed() {
        let mut recording = of_the_book(Evening::Soup);
        let lost = |event: &Event| {
            matches!(
                event,
                Event::JobEnd {
                    how: End::Cancelled,
                    ..
                }
            )
        };
        let lost = recording
            .events
            .iter()
            .find(|entry| lost(&entry.event))
            .unwrap()
            .event;
        let Event::JobEnd { job: lost, .. } = lost else {
            unreachable!()
        };
        recording.events.retain(
            |entry| !matches!(entry.event, Event::JobEnd { job, how: End::Done } if job == lost),
        );
        let why = judge(Evening::Soup, &recording).unwrap_err();
        assert!(why.contains("begun 2 times"), "{why}");
    }

    #[test]
    fn one_evening_is_not_taken_for_the_other() {
        assert!(judge(Evening::Bill, &of_the_book(Evening::Soup)).is_err());
    }
}
