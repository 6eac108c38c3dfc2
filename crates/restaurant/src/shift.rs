//! An evening, decided completely by a seed.

use std::time::Duration;

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
// Unlike rand's standard generator, this one promises the same numbers on every platform and in every version.
use rand_chacha::ChaCha8Rng;

use crate::menu::{Dish, Drink};

/// One evening: who comes, when, and what they want. All times are restaurant time, from opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// The number that decided everything else.
    pub seed: u64,
    /// How many tables there are, numbered from 1.
    pub tables: u32,
    /// The parties, in order of arrival.
    pub parties: Vec<Party>,
}

/// People who come together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Their place in the order of arrival, from 0.
    pub number: usize,
    /// The name on the reservation.
    pub name: String,
    /// When they come through the door.
    pub arrives: Duration,
    /// How long they dither over the menu when somebody stands beside them to write.
    pub dithers: Duration,
    /// What they eat, one each.
    pub dishes: Vec<Dish>,
    /// What they drink, one each.
    pub drinks: Vec<Drink>,
    /// How long they sit over it.
    pub eats: Duration,
}

impl Shift {
    /// A quiet Monday: eight parties, six tables, two hours.
    pub fn monday(seed: u64) -> Shift {
        Shift::plan(seed, 6, 8, 120)
    }

    /// A full Friday: twenty-four parties, six tables, three hours. People queue at the door.
    pub fn friday(seed: u64) -> Shift {
        Shift::plan(seed, 6, 24, 180)
    }

    /// An evening of your own: `parties` arrive within the first two thirds of `minutes`.
    ///
    /// # Panics
    /// If there is no table, or no time.
    pub fn plan(seed: u64, tables: u32, parties: u32, minutes: u32) -> Shift {
        assert!(
            tables > 0 && minutes > 1,
            "an evening needs at least one table and two minutes"
        );
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut arrivals: Vec<u32> = (0..parties)
            .map(|_| rng.random_range(0..minutes * 60 * 2 / 3))
            .collect();
        arrivals.sort_unstable();
        let mut names = NAMES;
        names.shuffle(&mut rng);
        let party = |(number, arrives): (usize, u32)| Party {
            number,
            name: names[number % names.len()].to_owned(),
            arrives: seconds(arrives),
            ..Party::at_random(&mut rng)
        };
        let parties = arrivals.into_iter().enumerate().map(party).collect();
        Shift {
            seed,
            tables,
            parties,
        }
    }
}

impl Party {
    fn at_random(rng: &mut ChaCha8Rng) -> Party {
        let size = rng.random_range(1..=4_u32);
        Party {
            number: 0,
            name: String::new(),
            arrives: Duration::ZERO,
            dithers: seconds(rng.random_range(30..=300)),
            dishes: (0..size)
                .map(|_| *Dish::ALL.choose(rng).expect("the menu has dishes"))
                .collect(),
            drinks: (0..size)
                .map(|_| *Drink::ALL.choose(rng).expect("the menu has drinks"))
                .collect(),
            eats: seconds(rng.random_range(15 * 60..=35 * 60)),
        }
    }

    /// How many they are.
    pub fn size(&self) -> usize {
        self.dishes.len()
    }
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}

/// Reservations come under these names; from the twenty-fifth party on, they come again.
const NAMES: [&str; 24] = [
    "Abara",
    "Bianchi",
    "Chen",
    "Dubois",
    "Eriksen",
    "Fujita",
    "Garcia",
    "Haddad",
    "Ibrahim",
    "Jensen",
    "Kowalska",
    "Lindqvist",
    "Mbeki",
    "Novak",
    "Okafor",
    "Patel",
    "Quispe",
    "Rossi",
    "Silva",
    "Tanaka",
    "Ueda",
    "Vargas",
    "Weber",
    "Yilmaz",
];
