//! What there is to eat and drink, and how long it takes.

use std::time::Duration;

/// From the kitchen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dish {
    /// Ready in two minutes.
    Soup,
    /// Ready in four minutes.
    Pasta,
    /// Ready in six minutes.
    Steak,
    /// Ready in eight minutes. It falls when nobody fetches it in time; that is a story for later.
    Souffle,
}

/// From the bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drink {
    /// Poured in twenty seconds.
    Water,
    /// Poured in forty seconds.
    Wine,
    /// Ready in a minute and a half.
    Coffee,
}

impl Dish {
    /// The menu.
    pub const ALL: [Dish; 4] = [Dish::Soup, Dish::Pasta, Dish::Steak, Dish::Souffle];

    /// How long the oven takes. The cook waits for it.
    pub fn cooks_for(self) -> Duration {
        Duration::from_secs(match self {
            Dish::Soup => 2 * 60,
            Dish::Pasta => 4 * 60,
            Dish::Steak => 6 * 60,
            Dish::Souffle => 8 * 60,
        })
    }
}

impl Drink {
    /// The drinks.
    pub const ALL: [Drink; 3] = [Drink::Water, Drink::Wine, Drink::Coffee];

    /// How long it takes to flow into the glass.
    pub fn pours_for(self) -> Duration {
        Duration::from_secs(match self {
            Drink::Water => 20,
            Drink::Wine => 40,
            Drink::Coffee => 90,
        })
    }
}
