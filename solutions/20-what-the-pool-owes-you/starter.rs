//! Exercise 20: what the pool owes you.
//!
//! The back of house has a few robots and a short queue. Four promises are missing: work is done, a full queue says so, cancelling
//! tells the truth, and closing leaves nothing behind. Test: cargo test -p exercise-20

use std::collections::VecDeque;

use whatif::sync::{Arc, Condvar, Mutex};
use whatif::thread::{Builder, JoinHandle};

/// Work that blocks.
pub type Work = Box<dyn FnOnce() + Send>;

/// A few robots, and a queue with a bound. They do the work in the order in which it was handed over.
pub struct Pool {
    pub inside: Arc<Inside>,
    pub robots: Vec<JoinHandle<()>>,
}

/// Whoever has handed over work gets one of these. Throwing it away changes nothing.
pub struct Ticket {
    pub inside: Arc<Inside>,
    pub number: u64,
}

/// What came of cancelling.
#[derive(Debug, PartialEq, Eq)]
pub enum Cancel {
    /// It was not begun, and never will be.
    Removed,
    /// It was begun. Nobody can stop it: it is being done, or it is over.
    TooLate,
}

/// What the robots of a pool, and all who hold tickets, share.
pub struct Inside {
    pub state: Mutex<State>,
    pub bell: Condvar,
}

pub struct State {
    /// What was handed over and not begun, the oldest first, with its number.
    pub queue: VecDeque<(u64, Work)>,
    /// How much fits into the queue.
    pub room: usize,
    /// Of the next ticket.
    pub next_number: u64,
    /// Nothing is handed over any more.
    pub is_closed: bool,
    /// How many jobs have panicked.
    pub panicked: usize,
}

/// What a robot does all evening: the next job, and the next, until the pool is closed and nothing is left.
/// A job that panics is counted. It does not take the robot with it.
fn work(inside: &Inside) {
    let _ = inside;
    todo!("do the jobs. First hint: cargo course hint 20")
}

impl Pool {
    /// Hands over a job. If the queue is full, the job comes back at once.
    pub fn submit(&self, work: Work) -> Result<Ticket, Work> {
        let _ = work;
        todo!("put it into the queue. First hint: cargo course hint 20")
    }

    /// Closes the pool: what was handed over is still done, and then the robots go home. Returns when they have gone, and
    /// says how many jobs have panicked.
    pub fn close(self) -> usize {
        todo!(
            "send {} robots home. First hint: cargo course hint 20",
            self.robots.len()
        )
    }

    /// So many robots, with nothing to do, and room in the queue for so many jobs.
    pub fn open(robots: usize, room: usize) -> Pool {
        let state = State {
            queue: VecDeque::new(),
            room,
            next_number: 0,
            is_closed: false,
            panicked: 0,
        };
        let state = Mutex::new(state).called("the queue");
        let inside = Arc::new(Inside {
            state,
            bell: Condvar::new().called("the bell"),
        });
        let hire = |number| {
            let (name, inside) = (format!("BackBot-{number}"), Arc::clone(&inside));
            Builder::new()
                .name(name)
                .spawn(move || work(&inside))
                .expect("a thread for each robot")
        };
        Pool {
            robots: (1..=robots).map(hire).collect(),
            inside,
        }
    }
}

impl Ticket {
    /// Takes the job out of the queue, if it is still there, and says whether it was. Its place is free again.
    pub fn cancel(self) -> Cancel {
        todo!(
            "take out job {}. First hint: cargo course hint 20",
            self.number
        )
    }
}
