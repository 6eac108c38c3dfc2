//! Building the book with mdBook's driver, in this process.
//!
//! mdBook reports a missing include file as a log line and then carries on, so the log is part of the result here.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use mdbook_driver::MDBook;
use mdbook_driver::config::Config;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

/// What a build gave.
#[derive(Debug)]
pub struct BookReport {
    /// Chapters with a page of their own (drafts have none).
    pub pages: usize,
    /// What mdBook warned of. The pages were written all the same.
    pub complaints: Vec<Complaint>,
    /// Wall time of the whole build.
    pub took: Duration,
}

/// One WARN or ERROR line from mdBook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Whether it was an ERROR rather than a WARN.
    pub error: bool,
    /// The message.
    pub message: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}",
            if self.error { "error" } else { "warning" },
            self.message
        )
    }
}

/// Builds the book whose `book.toml` is in `book_dir` into `dest`, which mdBook empties first. Writes nowhere else.
///
/// # Errors
///
/// When mdBook gives up: `book.toml` or `SUMMARY.md` cannot be read, a chapter file is missing, `dest` cannot be written.
/// Everything less is in [`BookReport::complaints`].
pub fn build(book_dir: &Path, dest: &Path) -> anyhow::Result<BookReport> {
    let start = Instant::now();
    let complaints = Arc::new(Mutex::new(Vec::new()));
    let listener = Listener {
        complaints: Arc::clone(&complaints),
    };
    // mdBook is written not to panic, but a server must outlive a page that proves otherwise.
    let pages = catch_unwind(AssertUnwindSafe(|| {
        tracing::subscriber::with_default(listener, || build_quietly(book_dir, dest))
    }))
    .unwrap_or_else(|_| bail!("mdBook panicked while it built {}", book_dir.display()))?;
    let complaints = std::mem::take(
        &mut *complaints
            .lock()
            .expect("no panic while a complaint is noted"),
    );
    Ok(BookReport {
        pages,
        complaints,
        took: start.elapsed(),
    })
}

/// The folders whose files the pages are made of: the book itself, and what its `build.extra-watch-dirs` names.
///
/// A `book.toml` that cannot be read gives the book's folder alone; [`build`] says what is wrong with it.
pub fn sources(book_dir: &Path) -> Vec<PathBuf> {
    let extra = read_config(book_dir)
        .map(|config| config.build.extra_watch_dirs)
        .unwrap_or_default();
    std::iter::once(book_dir.to_path_buf())
        .chain(extra.into_iter().map(|dir| book_dir.join(dir)))
        .collect()
}

fn read_config(book_dir: &Path) -> anyhow::Result<Config> {
    let file = book_dir.join("book.toml");
    // The config's own errors carry file names and line numbers; the chain is flattened by `{:#}` where it is shown.
    Config::from_disk(&file).with_context(|| format!("{} cannot be used", file.display()))
}

fn build_quietly(book_dir: &Path, dest: &Path) -> anyhow::Result<usize> {
    let mut config = read_config(book_dir)?;
    // Building must not write into the learner's folder, whatever book.toml says.
    config.build.create_missing = false;
    config.build.build_dir = std::path::absolute(dest)?;
    let book = MDBook::load_with_config(book_dir, config).map_err(|error| anyhow!("{error:#}"))?;
    book.build().map_err(|error| anyhow!("{error:#}"))?;
    Ok(book
        .book
        .chapters()
        .filter(|chapter| !chapter.is_draft_chapter())
        .count())
}

/// Collects WARN and ERROR events, of which mdBook's driver makes one for each thing it complains about.
struct Listener {
    complaints: Arc<Mutex<Vec<Complaint>>>,
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        let mut complaints = self
            .complaints
            .lock()
            .expect("nothing panics while this is held");
        // mdBook tells the reasons for an error in lines of their own.
        match (message.0.strip_prefix("Caused By: "), complaints.last_mut()) {
            (Some(reason), Some(complaint)) => complaint.message.push_str(&format!(": {reason}")),
            _ => {
                let error = *event.metadata().level() == Level::ERROR;
                complaints.push(Complaint {
                    error,
                    message: message.0,
                });
            }
        }
    }

    // Spans are never enabled.
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// The text of an event: its message first, its other fields after it.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0.insert_str(0, &format!("{value:?}"));
        } else {
            self.0.push_str(&format!(" {}={value:?}", field.name()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn scratch_book(chapter: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("src")).unwrap();
        fs::write(
            dir.path().join("book.toml"),
            "[book]\ntitle = \"Scratch\"\n[build]\nextra-watch-dirs = [\"../code\"]\n",
        )
        .unwrap();
        fs::write(
            dir.path().join("src/SUMMARY.md"),
            "# Summary\n\n- [One](one.md)\n- [Later]()\n",
        )
        .unwrap();
        fs::write(dir.path().join("src/one.md"), chapter).unwrap();
        dir
    }

    #[test]
    fn a_clean_book_builds_without_complaints() {
        let (book, out) = (
            scratch_book("# One\n\nHello.\n"),
            tempfile::tempdir().unwrap(),
        );
        let report = build(book.path(), out.path()).unwrap();
        assert_eq!((report.pages, report.complaints), (1, vec![]));
        assert!(
            fs::read_to_string(out.path().join("one.html"))
                .unwrap()
                .contains("Hello.")
        );
        assert!(
            !book.path().join("book").exists(),
            "the build wrote into the book's own folder"
        );
    }

    #[test]
    fn a_missing_include_is_a_complaint() {
        let (book, out) = (
            scratch_book("# One\n\n{{#include no-such-file.rs}}\n"),
            tempfile::tempdir().unwrap(),
        );
        let report = build(book.path(), out.path()).unwrap();
        assert_eq!(report.complaints.len(), 1, "{:?}", report.complaints);
        assert!(
            report.complaints[0].error && report.complaints[0].message.contains("no-such-file.rs")
        );
    }

    #[test]
    fn a_chapter_that_is_not_there_fails_the_build_and_is_named() {
        let (book, out) = (scratch_book(""), tempfile::tempdir().unwrap());
        fs::remove_file(book.path().join("src/one.md")).unwrap();
        let error = build(book.path(), out.path()).unwrap_err();
        assert!(format!("{error:#}").contains("one.md"), "{error:#}");
        assert!(
            !book.path().join("src/one.md").exists(),
            "the build must not create chapters"
        );
    }

    #[test]
    fn a_damaged_book_toml_is_named() {
        let (book, out) = (scratch_book(""), tempfile::tempdir().unwrap());
        fs::write(book.path().join("book.toml"), "[book\n").unwrap();
        let error = build(book.path(), out.path()).unwrap_err();
        assert!(format!("{error:#}").contains("book.toml"), "{error:#}");
    }

    #[test]
    fn listings_outside_the_book_are_sources_too() {
        let book = scratch_book("");
        assert_eq!(
            sources(book.path()),
            [book.path().to_path_buf(), book.path().join("../code")]
        );
    }
}
