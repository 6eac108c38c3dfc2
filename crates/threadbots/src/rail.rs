//! Slips from robot to robot: a queue that one end waits for. Chapter 5 builds it step by step.

use std::collections::VecDeque;

use whatif::sync::{Condvar, Mutex};

// ANCHOR: rail
pub(crate) struct Rail<T> {
    state: Mutex<State<T>>,
    bell: Condvar,
}

struct State<T> {
    slips: VecDeque<T>,
    is_closed: bool,
}
// ANCHOR_END: rail

impl<T> Rail<T> {
    pub(crate) fn new() -> Rail<T> {
        let state = State {
            slips: VecDeque::new(),
            is_closed: false,
        };
        Rail {
            state: Mutex::new(state),
            bell: Condvar::new(),
        }
    }

    // ANCHOR: put
    pub(crate) fn put(&self, slip: T) {
        self.state.lock().unwrap().slips.push_back(slip);
        self.bell.notify_one();
    }
    // ANCHOR_END: put

    // ANCHOR: try_take
    /// The oldest slip, if there is one now.
    pub(crate) fn try_take(&self) -> Option<T> {
        self.state.lock().unwrap().slips.pop_front()
    }
    // ANCHOR_END: try_take

    // ANCHOR: take
    /// The oldest slip. Waits for one; `None` when the rail is closed and empty.
    pub(crate) fn take(&self) -> Option<T> {
        let mut state = self.state.lock().unwrap();
        loop {
            if let Some(slip) = state.slips.pop_front() {
                return Some(slip);
            }
            if state.is_closed {
                return None;
            }
            state = self.bell.wait(state).unwrap();
        }
    }
    // ANCHOR_END: take

    // ANCHOR: close
    /// Nothing comes any more.
    pub(crate) fn close(&self) {
        self.state.lock().unwrap().is_closed = true;
        self.bell.notify_all();
    }
    // ANCHOR_END: close
}
