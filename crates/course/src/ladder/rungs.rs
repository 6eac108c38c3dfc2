//! The rungs: the same menu, tasted in four places.

use std::thread;
use std::time::Duration;

use anyhow::Result;
use hands::taste;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::evening::{Evening, spend};
use crate::trouble::Trouble;

/// A place where the menu can be tasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rung {
    Nobody,
    Loop,
    Offload,
    Threads,
    Processes,
}

impl Rung {
    pub(super) const ALL: [Rung; 5] = [
        Rung::Nobody,
        Rung::Loop,
        Rung::Offload,
        Rung::Threads,
        Rung::Processes,
    ];

    /// What the script in Python calls it.
    pub(super) fn key(self) -> &'static str {
        match self {
            Rung::Nobody => "nobody",
            Rung::Loop => "loop",
            Rung::Offload => "offload",
            Rung::Threads => "threads",
            Rung::Processes => "processes",
        }
    }
}

/// Those who can be asked to taste. They have been hired before anybody looks at a clock.
pub(super) struct House {
    hands: rayon::ThreadPool,
    kitchen: std::result::Result<procpool::Pool, String>,
}

// ANCHOR: kitchen
/// What can be done in a process of its own. The first line of `main` knows it as well.
pub fn kitchen() -> procpool::Jobs {
    procpool::jobs![taste, old_recipe]
}

/// Nobody knows what is wrong with it. After a few milliseconds it ends the process that it is in.
pub fn old_recipe(_: ()) {
    thread::sleep(Duration::from_millis(8));
    std::process::abort();
}
// ANCHOR_END: kitchen

impl House {
    pub(super) fn open(cores: usize) -> Result<House> {
        let hands = rayon::ThreadPoolBuilder::new()
            .num_threads(cores)
            .build()
            .map_err(|why| Trouble::environment(format!("No {cores} threads: {why}.")))?;
        let house = House {
            hands,
            kitchen: other_kitchen(cores).map_err(|why| why.to_string()),
        };
        house.hands.broadcast(|_| ());
        Ok(house)
    }

    /// Why there are no processes here, if there are none.
    pub(super) fn no_processes(&self) -> Option<&str> {
        self.kitchen.as_ref().err().map(String::as_str)
    }

    /// An evening on this rung.
    pub(super) fn spend(&self, rung: Rung, dishes: u64) -> Result<Evening> {
        match rung {
            Rung::Nobody => spend(nobody()),
            Rung::Loop => spend(on_the_loop(dishes)),
            Rung::Offload => spend(offloaded(dishes)),
            Rung::Threads => spend(with_more_hands(&self.hands, dishes)),
            Rung::Processes => match &self.kitchen {
                Ok(kitchen) => spend(in_the_other_kitchen(kitchen, dishes)),
                Err(why) => anyhow::bail!("{why}"),
            },
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Ok(kitchen) = &self.kitchen {
            kitchen.shut_down();
        }
    }
}

fn other_kitchen(cores: usize) -> Result<procpool::Pool> {
    let kitchen = procpool::Pool::builder(crate::kitchen())
        .workers(cores)
        .build()?;
    // A dish for each: so all of them are there.
    for marks in kitchen.map(taste, 0..cores as u64).chunk(1).ordered() {
        marks?;
    }
    Ok(kitchen)
}

/// So many threads has the pool of the process at most. `offload` documents it.
pub(super) fn back_of_house(cores: usize) -> usize {
    (cores + 4).min(32)
}

/// Half a second in which nobody tastes anything.
async fn nobody() -> Result<u64> {
    loopbot::sleep(Duration::from_millis(500)).await;
    Ok(0)
}

// ANCHOR: loop
async fn on_the_loop(dishes: u64) -> Result<u64> {
    let tasks: Vec<_> = (0..dishes)
        // Each is async, and nothing in it waits.
        .map(|dish| loopbot::spawn(async move { taste(dish) }))
        .collect();
    let mut marks = 0;
    for task in tasks {
        marks += task.await?;
    }
    Ok(marks)
}
// ANCHOR_END: loop

// ANCHOR: offload
async fn offloaded(dishes: u64) -> Result<u64> {
    let jobs: Vec<_> = (0..dishes)
        .map(|dish| offload::spawn_blocking(move || taste(dish)))
        .collect();
    let mut marks = 0;
    for job in jobs {
        marks += job.await?;
    }
    Ok(marks)
}
// ANCHOR_END: offload

// ANCHOR: threads
async fn with_more_hands(hands: &rayon::ThreadPool, dishes: u64) -> Result<u64> {
    let (tell, told) = futures_channel::oneshot::channel();
    hands.spawn(move || {
        let marks = (0..dishes).into_par_iter().map(taste).sum::<u64>();
        let _ = tell.send(marks); // An error: nobody waits for it any more.
    });
    Ok(told.await?)
}
// ANCHOR_END: threads

// ANCHOR: processes
async fn in_the_other_kitchen(kitchen: &procpool::Pool, dishes: u64) -> Result<u64> {
    let answers: Vec<_> = (0..dishes)
        .map(|dish| kitchen.submit(taste, dish))
        .collect();
    let mut marks = 0;
    for answer in answers {
        marks += answer.await?;
    }
    Ok(marks)
}
// ANCHOR_END: processes

/// How much of its cores a program gets here at present, from 0 to 1: so many threads compute for a moment, and compare the time that
/// passes with the time they were given.
pub(super) fn room(cores: usize) -> f64 {
    let given = thread::scope(|scope| {
        let hands: Vec<_> = (0..cores.max(1))
            .map(|_| scope.spawn(|| share_of_a_core().unwrap_or(1.0)))
            .collect();
        hands
            .into_iter()
            .map(|hand| hand.join().unwrap_or(1.0))
            .sum::<f64>()
    });
    (given / cores.max(1) as f64).min(1.0)
}

fn share_of_a_core() -> Option<f64> {
    let given = cpu_time::ThreadTime::try_now().ok()?;
    let began = std::time::Instant::now();
    std::hint::black_box(taste(std::hint::black_box(0)) + taste(1));
    let passed = began.elapsed().as_secs_f64();
    Some(given.try_elapsed().ok()?.as_secs_f64() / passed.max(1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The processes are asked in `tests/ladder.rs`: their workers are the program, and this one is none.
    #[test]
    fn the_same_menu_gets_the_same_marks_on_every_rung() {
        let house = House {
            hands: rayon::ThreadPoolBuilder::new()
                .num_threads(2)
                .build()
                .unwrap(),
            kitchen: Err("not here".to_owned()),
        };
        let expected: u64 = (0..3).map(taste).sum();
        for rung in [Rung::Loop, Rung::Offload, Rung::Threads] {
            assert_eq!(house.spend(rung, 3).unwrap().marks, expected, "{rung:?}");
        }
        assert_eq!(house.no_processes(), Some("not here"));
        let why = house.spend(Rung::Processes, 3).err().unwrap();
        assert_eq!(why.to_string(), "not here");
    }

    #[test]
    fn a_share_is_a_share() {
        assert!((0.0..=1.0).contains(&room(2)));
    }
}
