//! A gate holds jobs until the test opens it: so a test knows that a job has begun, and has not ended.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{process, thread};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::waits::{PATIENCE, until};

/// The test's side.
pub struct Gate(TempDir);

/// What a job gets. It goes to a worker like any argument.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pass {
    place: PathBuf,
    name: String,
}

impl Gate {
    pub fn new() -> Gate {
        Gate(tempfile::tempdir().expect("there is room for temporary files"))
    }

    /// A pass for the job of this name.
    pub fn pass(&self, name: impl ToString) -> Pass {
        Pass {
            place: self.0.path().to_path_buf(),
            name: name.to_string(),
        }
    }

    /// Waits until the job of this name stands at the gate, and says in which process.
    #[track_caller]
    pub fn arrived(&self, name: impl ToString) -> u32 {
        let file = self.0.path().join(name.to_string());
        until(&format!("the job {} has begun", name.to_string()), || {
            file.exists()
        });
        let text = fs::read_to_string(file).expect("it is there");
        text.parse().expect("it is a number")
    }

    /// Whether the job of this name has ever come to the gate.
    pub fn has_seen(&self, name: impl ToString) -> bool {
        self.0.path().join(name.to_string()).exists()
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn open(&self) {
        fs::write(self.0.path().join("open"), "").expect("the place can be written");
    }
}

impl Pass {
    /// In a job: says that it has begun, and waits until the gate is open.
    pub fn wait(&self) {
        self.note();
        let open = self.place.join("open");
        let begun = Instant::now();
        while !open.exists() {
            // Whoever should have opened it has failed, and tells why.
            if begun.elapsed() > PATIENCE {
                process::exit(99);
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// A file next to the one that says that the job has begun.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.place.join(name)
    }

    /// Another pass for the same gate.
    pub fn named(&self, name: &str) -> Pass {
        Pass {
            place: self.place.clone(),
            name: name.to_owned(),
        }
    }

    /// In a job: says that it has begun. Returns whether it is the first to say so under its name.
    pub fn note(&self) -> bool {
        let file = self.place.join(&self.name);
        if file.exists() {
            return false;
        }
        let unfinished = self.place.join(format!("{}.unfinished", self.name));
        // All at once: whoever sees the file sees the number.
        fs::write(&unfinished, process::id().to_string()).expect("the place can be written");
        fs::rename(unfinished, file).expect("the place can be written");
        true
    }
}
