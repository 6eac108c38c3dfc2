//! How long a minute of the restaurant takes.

use std::time::Duration;

/// Turns restaurant time into the time that a program really waits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    scale: f64,
}

impl Pace {
    /// A minute takes a minute: for evenings in virtual time, where it costs nothing.
    pub const LIFE: Pace = Pace { scale: 1.0 };

    /// A minute of the restaurant takes `minute`: 12 ms make a three-hour evening last a little over two seconds.
    pub fn minute_in(minute: Duration) -> Pace {
        Pace {
            scale: minute.as_secs_f64() / 60.0,
        }
    }

    /// How long to wait, really, for something that takes `restaurant_time`.
    pub fn real(self, restaurant_time: Duration) -> Duration {
        restaurant_time.mul_f64(self.scale)
    }

    /// How much restaurant time has gone by in `real`.
    pub fn restaurant(self, real: Duration) -> Duration {
        real.div_f64(self.scale)
    }
}
