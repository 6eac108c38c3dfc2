//! How robots keep out of each other's way, or do not.

use std::fmt;
use std::str::FromStr;

/// The one thing in which two evenings of the same shift differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordination {
    /// Look, then act.
    Careless,
    /// Look, wait a moment, look again, then act.
    Napping,
    /// Look and claim in one critical section, then act.
    Coordinated,
}

impl Coordination {
    /// All three.
    pub const ALL: [Coordination; 3] = [
        Coordination::Careless,
        Coordination::Napping,
        Coordination::Coordinated,
    ];
}

impl fmt::Display for Coordination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Coordination::Careless => "careless",
            Coordination::Napping => "napping",
            Coordination::Coordinated => "coordinated",
        })
    }
}

impl FromStr for Coordination {
    type Err = String;

    fn from_str(name: &str) -> Result<Coordination, String> {
        let found = Coordination::ALL
            .into_iter()
            .find(|coordination| coordination.to_string() == name);
        found.ok_or_else(|| {
            format!("{name:?} is no coordination: it is careless, napping or coordinated")
        })
    }
}
