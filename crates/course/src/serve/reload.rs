//! Rebuilding when the book changes, and telling the open pages: of a new build, and of progress that the learner has made.

use std::convert::Infallible;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::mpsc::{self as threads, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_channel::mpsc;
use futures_core::Stream as _;
use hyper::body::{Body, Bytes, Frame};
use notify::event::{EventKind, MetadataKind, ModifyKind};
use notify::{RecursiveMode, Watcher};

use super::News;
use super::pages::{self, Shelf};
use crate::book;

/// An editor writes a file in several steps: this long must pass without another change before a build starts.
const QUIET: Duration = Duration::from_millis(120);

/// The number of the build that is served, and of the learner's steps. Pages listen for them to change.
pub struct Reloads {
    board: Arc<Mutex<Board>>,
    /// Tells one start of the server from the next, so that a page that was open before reloads too.
    start: String,
}

struct Board {
    build: u64,
    progress: u64,
    /// One bell for each open page. It rings once, however much there was since the page last looked.
    bells: Vec<mpsc::Sender<()>>,
}

impl Reloads {
    pub fn new(start: &str) -> Reloads {
        let (build, progress, bells) = (1, 0, Vec::new());
        Reloads {
            board: Arc::new(Mutex::new(Board {
                build,
                progress,
                bells,
            })),
            start: start.to_owned(),
        }
    }

    /// A stream of server-sent events: "hello" once, then "reload" for each build, and "progress" when the learner is
    /// further than before.
    ///
    /// The id of the first two names the build. A browser that reconnects sends the last id it saw: when that is not the build
    /// that is served now, it gets its "reload" at once.
    pub fn events(&self, last_seen: Option<&str>) -> Events {
        let (bell, rings) = mpsc::channel(0); // A sender may always leave one.
        let mut board = read(&self.board);
        board.bells.retain(|bell| !bell.is_closed());
        board.bells.push(bell);
        let now = id(&self.start, board.build);
        let first = if last_seen.is_none_or(|seen| seen == now) {
            "hello"
        } else {
            "reload"
        };
        Events {
            first: Some(event(first, &now)),
            build: board.build,
            progress: board.progress,
            rings,
            board: Arc::clone(&self.board),
            start: self.start.clone(),
        }
    }

    fn announce(&self) {
        self.ring(|board| board.build += 1);
    }

    /// Tells the pages that the learner's standings may have changed.
    pub fn announce_progress(&self) {
        self.ring(|board| board.progress += 1);
    }

    fn ring(&self, change: impl FnOnce(&mut Board)) {
        let mut board = read(&self.board);
        change(&mut board);
        // A bell that rings already is as good, and one of a page that has gone rings for nobody.
        for bell in &mut board.bells {
            let _ = bell.try_send(());
        }
    }
}

/// The body of an event stream. It never ends by itself.
pub struct Events {
    first: Option<Bytes>,
    /// What this page has been told of.
    build: u64,
    progress: u64,
    rings: mpsc::Receiver<()>,
    board: Arc<Mutex<Board>>,
    start: String,
}

fn read(board: &Mutex<Board>) -> MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

fn id(start: &str, build: u64) -> String {
    format!("{start}-{build}")
}

fn event(name: &str, id: &str) -> Bytes {
    format!("retry: 1000\nevent: {name}\nid: {id}\ndata: {id}\n\n").into()
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        loop {
            if ready!(Pin::new(&mut self.rings).poll_next(cx)).is_none() {
                return Poll::Ready(None);
            }
            let (build, progress) = {
                let board = read(&self.board);
                (board.build, board.progress)
            };
            // A page that reloads reads everything again.
            let news = if build != self.build {
                event("reload", &id(&self.start, build))
            } else if progress != self.progress {
                // Without an id, so that the last one the browser has seen stays the build's.
                Bytes::from(format!("event: progress\ndata: {progress}\n\n"))
            } else {
                continue; // It rang between the last ring and the last look.
            };
            (self.build, self.progress) = (build, progress);
            return Poll::Ready(Some(Ok(Frame::data(news))));
        }
    }
}

/// The thread that rebuilds on a change. Dropping this ends it.
pub struct Rebuilding {
    changed: threads::Sender<Change>,
    thread: Option<JoinHandle<()>>,
}

enum Change {
    InTheBook,
    TheEnd,
}

impl Drop for Rebuilding {
    fn drop(&mut self) {
        let _ = self.changed.send(Change::TheEnd);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Starts to rebuild on a change.
///
/// `None` when this machine cannot watch files: the book is served all the same, and the reason is told.
pub fn keep_rebuilding(
    book_dir: PathBuf,
    shelf: Arc<Shelf>,
    reloads: Arc<Reloads>,
    news: News,
) -> Option<Rebuilding> {
    let (changed, changes) = threads::channel();
    let from_watcher = changed.clone();
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| is_a_change(&event.kind)) {
            let _ = from_watcher.send(Change::InTheBook);
        }
    });
    let mut watcher = match watcher {
        Ok(watcher) => watcher,
        Err(error) => {
            news(&format!(
                "Changes to the book are not followed: this machine cannot watch files ({error})."
            ));
            return None;
        }
    };
    for folder in book::sources(&book_dir) {
        if let Err(error) = watcher.watch(&folder, RecursiveMode::Recursive) {
            news(&format!(
                "Changes in {} are not followed: {error}.",
                folder.display()
            ));
        }
    }
    let thread = thread::spawn(move || {
        // Watching goes on for as long as the watcher lives.
        let _watcher = watcher;
        while let Ok(Change::InTheBook) = changes.recv() {
            loop {
                match changes.recv_timeout(QUIET) {
                    Ok(Change::InTheBook) => {}
                    Err(RecvTimeoutError::Timeout) => break,
                    Ok(Change::TheEnd) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
            match pages::build(&book_dir) {
                Ok(built) => {
                    news(&built.summary());
                    shelf.put(built.pages);
                    reloads.announce();
                }
                Err(error) => news(&format!(
                    "{error:#}\n  The pages from before are still served."
                )),
            }
        }
    });
    Some(Rebuilding {
        changed,
        thread: Some(thread),
    })
}

/// Reading a file is an event too, and a build reads every file.
pub(super) fn is_a_change(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(_) => false,
        EventKind::Modify(ModifyKind::Metadata(kind)) => {
            matches!(kind, MetadataKind::WriteTime | MetadataKind::Any)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// What the page hears now; `None` if nothing.
    fn hear(page: &mut Events) -> Option<String> {
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(page).poll_frame(&mut cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.into_data().expect("data");
                Some(String::from_utf8(bytes.to_vec()).unwrap())
            }
            Poll::Ready(None) => panic!("the stream of events has ended"),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_page_hears_of_builds_and_once_of_several() {
        let reloads = Reloads::new("start");
        let mut page = reloads.events(None);
        assert!(
            hear(&mut page)
                .unwrap()
                .contains("event: hello\nid: start-1\n")
        );
        assert_eq!(hear(&mut page), None);
        reloads.announce();
        assert!(
            hear(&mut page)
                .unwrap()
                .contains("event: reload\nid: start-2\n")
        );
        assert_eq!(hear(&mut page), None);
        reloads.announce();
        reloads.announce();
        assert!(
            hear(&mut page)
                .unwrap()
                .contains("event: reload\nid: start-4\n")
        );
        assert_eq!(hear(&mut page), None);
    }

    #[test]
    fn progress_is_told_and_does_not_change_the_builds_name() {
        let reloads = Reloads::new("start");
        let mut page = reloads.events(Some("start-1"));
        assert!(hear(&mut page).unwrap().contains("event: hello"));
        reloads.announce_progress();
        reloads.announce_progress();
        let told = hear(&mut page).unwrap();
        assert!(
            told.contains("event: progress") && !told.contains("id:"),
            "{told}"
        );
        assert_eq!(hear(&mut page), None);
        // Of both at once, the page hears that it must reload; that is all it needs.
        reloads.announce_progress();
        reloads.announce();
        assert!(
            hear(&mut page)
                .unwrap()
                .contains("event: reload\nid: start-2\n")
        );
        assert_eq!(hear(&mut page), None);
    }

    #[test]
    fn pages_that_have_gone_leave_nothing_behind() {
        let reloads = Reloads::new("start");
        for _ in 0..100 {
            drop(reloads.events(None));
        }
        let _page = reloads.events(None);
        assert_eq!(read(&reloads.board).bells.len(), 1);
    }
}
