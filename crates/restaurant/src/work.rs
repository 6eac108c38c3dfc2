//! How long things take, in restaurant time, whoever does them. Four robots and one robot are compared by these.

use std::time::Duration;

/// From anywhere to anywhere.
pub const WALK: Duration = Duration::from_secs(20);
/// Sweeping the dishes from a table.
pub const CLEARING: Duration = Duration::from_secs(60);
/// How long the machine thinks about a card.
pub const CARD: Duration = Duration::from_secs(40);
