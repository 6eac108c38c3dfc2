//! Rebuilding when the book changes, and telling the open pages.

use std::convert::Infallible;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::task::{Context, Poll, ready};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame};
use notify::event::{EventKind, MetadataKind, ModifyKind};
use notify::{RecursiveMode, Watcher};
use tokio::sync::watch;

use super::News;
use super::pages::{self, Shelf};
use crate::book;

/// An editor writes a file in several steps: this long must pass without another change before a build starts.
const QUIET: Duration = Duration::from_millis(120);

/// The number of the build that is served. Pages listen for it to change.
pub struct Reloads {
    build: watch::Sender<u64>,
    /// Tells one start of the server from the next, so that a page that was open before reloads too.
    start: String,
}

impl Reloads {
    pub fn new(start: &str) -> Reloads {
        Reloads {
            build: watch::Sender::new(1),
            start: start.to_owned(),
        }
    }

    /// A stream of server-sent events: "hello" once, then "reload" for each build.
    ///
    /// Each event's id names the build. A browser that reconnects sends the last id it saw: when that is not the build
    /// that is served now, it gets its "reload" at once.
    pub fn events(&self, last_seen: Option<&str>) -> Events {
        let mut build = self.build.subscribe();
        let now = self.id(*build.borrow_and_update());
        let first = if last_seen.is_none_or(|seen| seen == now) {
            "hello"
        } else {
            "reload"
        };
        Events {
            first: Some(event(first, &now)),
            next: Box::pin(next(build)),
            start: self.start.clone(),
        }
    }

    fn id(&self, build: u64) -> String {
        format!("{}-{build}", self.start)
    }

    fn announce(&self) {
        self.build.send_modify(|build| *build += 1);
    }
}

/// The body of an event stream. It never ends by itself.
pub struct Events {
    first: Option<Bytes>,
    next: Next,
    start: String,
}

type Next = Pin<Box<dyn Future<Output = Option<(u64, watch::Receiver<u64>)>> + Send>>;

async fn next(mut build: watch::Receiver<u64>) -> Option<(u64, watch::Receiver<u64>)> {
    build.changed().await.ok()?;
    let number = *build.borrow_and_update();
    Some((number, build))
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
        let Some((number, build)) = ready!(self.next.as_mut().poll(cx)) else {
            return Poll::Ready(None);
        };
        self.next = Box::pin(next(build));
        let id = format!("{}-{number}", self.start);
        Poll::Ready(Some(Ok(Frame::data(event("reload", &id)))))
    }
}

/// The thread that rebuilds on a change. Dropping this ends it.
pub struct Rebuilding {
    changed: mpsc::Sender<Change>,
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
    let (changed, changes) = mpsc::channel();
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
fn is_a_change(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(_) => false,
        EventKind::Modify(ModifyKind::Metadata(kind)) => {
            matches!(kind, MetadataKind::WriteTime | MetadataKind::Any)
        }
        _ => true,
    }
}
