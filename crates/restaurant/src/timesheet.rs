//! Time working against time waiting, of one robot.

use std::fmt;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use flight::{Event, Recording};

/// What a robot did with its evening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timesheet {
    /// The robot.
    pub robot: String,
    /// Time in which it computed something.
    pub working: Duration,
    /// All the rest: time in which it waited for a guest, an oven, another robot.
    pub waiting: Duration,
}

impl Timesheet {
    /// The share of the evening that it waited, from 0 to 1; 0 for an evening of no length.
    pub fn share_waiting(&self) -> f64 {
        let whole = self.working + self.waiting;
        if whole.is_zero() {
            0.0
        } else {
            self.waiting.as_secs_f64() / whole.as_secs_f64()
        }
    }

    /// The timesheets of everyone in a recording, on the recording's clock: between a park and its end a
    /// robot waits, the rest of the time it works.
    ///
    /// On virtual time computing takes no time at all, so there the share is 1 for whoever ever waited.
    pub fn from_recording(recording: &Recording) -> Vec<Timesheet> {
        (0..recording.actors.len())
            .map(|actor| Timesheet::of_lane(recording, actor))
            .collect()
    }

    fn of_lane(recording: &Recording, actor: usize) -> Timesheet {
        let (mut enters, mut leaves) = (0, recording.duration());
        let (mut parked_at, mut waiting) = (None, 0);
        for entry in recording.events.iter().filter(|entry| entry.actor == actor) {
            match entry.event {
                Event::ActorStart => enters = entry.t,
                Event::ActorStop => leaves = entry.t,
                Event::ParkBegin { .. } => parked_at = Some(entry.t),
                Event::ParkEnd => waiting += parked_at.take().map_or(0, |since| entry.t - since),
                _ => {}
            }
        }
        waiting += parked_at.map_or(0, |since| leaves - since);
        Timesheet {
            robot: recording.actors[actor].name.clone(),
            working: Duration::from_nanos((leaves - enters).saturating_sub(waiting)),
            waiting: Duration::from_nanos(waiting),
        }
    }
}

impl fmt::Display for Timesheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (working, waiting) = (readable(self.working), readable(self.waiting));
        let percent = self.share_waiting() * 100.0;
        let robot = &self.robot;
        write!(
            f,
            "{robot:<10} working {working:>11}   waiting {waiting:>11}   {percent:>6.2} % waiting"
        )
    }
}

/// Milliseconds for what a machine does, hours for what a restaurant does.
fn readable(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    if minutes < 10 {
        return format!("{:.2} ms", time.as_secs_f64() * 1e3);
    }
    format!("{}:{:02} h", minutes / 60, minutes % 60)
}

/// Measures the thread that it was started on: its CPU clock against the clock on the wall.
///
/// Time in which the thread was ready to run but no core was free counts as waiting.
///
/// A meter stays on its thread; on another it would read the wrong clock:
///
/// ```compile_fail
/// let meter = restaurant::Meter::start();
/// std::thread::spawn(move || meter.stop("ChefBot")); // error: cannot be sent between threads safely
/// ```
pub struct Meter {
    started: Instant,
    worked: ThreadTime,
}

// ANCHOR: meter
impl Meter {
    /// Starts, on this thread.
    pub fn start() -> Meter {
        Meter {
            started: Instant::now(),
            worked: ThreadTime::now(),
        }
    }

    /// Stops, and fills in the robot's timesheet.
    pub fn stop(self, robot: &str) -> Timesheet {
        let working = self.worked.elapsed();
        let waiting = self.started.elapsed().saturating_sub(working);
        Timesheet {
            robot: robot.to_owned(),
            working,
            waiting,
        }
    }
}
// ANCHOR_END: meter
