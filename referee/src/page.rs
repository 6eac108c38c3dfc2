//! What a run leaves behind, outside of everything that a checker controls.

use std::sync::{Mutex, PoisonError};

use crate::program::Outcome;

/// The notes of one run. A plain lock of std: nobody is ever stopped while holding it.
#[derive(Debug)]
pub struct Page(Mutex<Outcome>);

impl Page {
    /// An empty page for so many threads.
    pub fn new(threads: usize) -> Page {
        Page(Mutex::new(Outcome {
            stuck: true,
            notes: vec![Vec::new(); threads],
            rest: Vec::new(),
        }))
    }

    fn write<R>(&self, write: impl FnOnce(&mut Outcome) -> R) -> R {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A thread notes something.
    pub fn note(&self, thread: usize, what: u8) {
        self.write(|page| page.notes[thread].push(what));
    }

    /// Everybody has gone home, and this is what is left.
    pub fn the_rest(&self, rest: impl Iterator<Item = u8>) {
        let rest = rest.collect();
        self.write(|page| (page.stuck, page.rest) = (false, rest));
    }

    /// What has been noted.
    pub fn outcome(&self) -> Outcome {
        self.write(|page| page.clone())
    }
}
