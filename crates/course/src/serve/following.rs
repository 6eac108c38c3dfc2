//! Noticing what the learner does elsewhere: a check in the terminal, a hint in `watch`, an exercise saved in the editor.
//! The open pages are told, and read the standings again.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::reload::{Reloads, is_a_change};

/// A save is several events: this long must pass without another before the pages are told.
const QUIET: Duration = Duration::from_millis(100);

/// The thread that follows the learner. Dropping this ends it.
pub struct Following {
    seen: mpsc::Sender<Seen>,
    thread: Option<JoinHandle<()>>,
}

enum Seen {
    Change,
    TheEnd,
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.seen.send(Seen::TheEnd);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Starts to follow. `None` where this machine cannot watch files: pages ask again when they get the focus.
pub fn follow(root: &Path, reloads: Arc<Reloads>) -> Option<Following> {
    let (seen, news) = mpsc::channel();
    let tell = seen.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| is_a_change(&event.kind)) {
            let _ = tell.send(Seen::Change);
        }
    })
    .ok()?;
    let progress = root.join(".progress");
    // It can only be watched once it is there. In a folder that cannot be written, nothing will be remembered either.
    let _ = fs::create_dir_all(&progress);
    let watch =
        |watcher: &mut RecommendedWatcher, folder: &Path, mode| watcher.watch(folder, mode).is_ok();
    let progress = watch(&mut watcher, &progress, RecursiveMode::NonRecursive);
    let exercises = watch(
        &mut watcher,
        &root.join("exercises"),
        RecursiveMode::Recursive,
    );
    if !progress && !exercises {
        return None;
    }
    let thread = thread::spawn(move || {
        // Watching goes on for as long as the watcher lives.
        let _watcher = watcher;
        while let Ok(Seen::Change) = news.recv() {
            loop {
                match news.recv_timeout(QUIET) {
                    Ok(Seen::Change) => {}
                    Err(RecvTimeoutError::Timeout) => break,
                    Ok(Seen::TheEnd) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
            reloads.announce_progress();
        }
    });
    Some(Following {
        seen,
        thread: Some(thread),
    })
}
