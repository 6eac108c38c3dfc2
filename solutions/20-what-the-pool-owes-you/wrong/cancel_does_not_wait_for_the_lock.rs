//! must fail with: one of them hears TooLate
//!
//! Takes a lock that somebody else has for a job that somebody else has.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use whatif::sync::{Arc, Condvar, Mutex};
use whatif::thread::{Builder, JoinHandle};

/// Work that blocks.
pub type Work = Box<dyn FnOnce() + Send>;

/// A few robots, and a queue with a bound. They do the work in the order in which it was handed over.
pub struct Pool {
    inside: Arc<Inside>,
    robots: Vec<JoinHandle<()>>,
}

/// Whoever has handed over work gets one of these. Throwing it away changes nothing.
pub struct Ticket {
    inside: Arc<Inside>,
    number: u64,
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
struct Inside {
    state: Mutex<State>,
    bell: Condvar,
}

struct State {
    /// What was handed over and not begun, the oldest first, with its number.
    queue: VecDeque<(u64, Work)>,
    /// How much fits into the queue.
    room: usize,
    /// Of the next ticket.
    next_number: u64,
    /// Nothing is handed over any more.
    is_closed: bool,
    /// How many jobs have panicked.
    panicked: usize,
}

/// What a robot does all evening: the next job, and the next, until the pool is closed and nothing is left.
/// A job that panics is counted. It does not take the robot with it.
fn work(inside: &Inside) {
    let mut state = inside.state.lock().unwrap();
    loop {
        if let Some((_, job)) = state.queue.pop_front() {
            drop(state); // The job may take all evening, and hand over jobs itself.
            // What the panic carries is dropped here, and not under the lock: it is anybody's.
            let has_panicked = catch_unwind(AssertUnwindSafe(job)).is_err();
            state = inside.state.lock().unwrap();
            state.panicked += usize::from(has_panicked);
        } else if state.is_closed {
            return;
        } else {
            state = inside.bell.wait(state).unwrap();
        }
    }
}

impl Pool {
    /// Hands over a job. If the queue is full, the job comes back at once.
    pub fn submit(&self, work: Work) -> Result<Ticket, Work> {
        let mut state = self.inside.state.lock().unwrap();
        if state.queue.len() == state.room {
            return Err(work);
        }
        let number = state.next_number;
        state.next_number += 1;
        state.queue.push_back((number, work));
        drop(state);
        self.inside.bell.notify_one();
        Ok(Ticket {
            inside: Arc::clone(&self.inside),
            number,
        })
    }

    /// Closes the pool: what was handed over is still done, and then the robots go home. Returns when they have gone, and
    /// says how many jobs have panicked.
    pub fn close(self) -> usize {
        self.inside.state.lock().unwrap().is_closed = true;
        self.inside.bell.notify_all();
        for robot in self.robots {
            robot.join().expect("a robot outlives its jobs");
        }
        self.inside.state.lock().unwrap().panicked
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
        let Ok(mut state) = self.inside.state.try_lock() else {
            return Cancel::TooLate;
        };
        let Some(place) = state
            .queue
            .iter()
            .position(|(number, _)| *number == self.number)
        else {
            return Cancel::TooLate;
        };
        let job = state.queue.remove(place);
        drop(state);
        drop(job); // Last: what a job owns is anybody's, and may want the lock.
        Cancel::Removed
    }
}
