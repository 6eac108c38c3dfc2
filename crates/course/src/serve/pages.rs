//! The built book, held in memory.
//!
//! A request's path is looked up among the pages that the build made. There is no way from a path to any other file, and a
//! rebuild replaces all pages at once: no reader meets half a book.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context;
use hyper::body::Bytes;

use crate::book::{self, BookReport};
use crate::trouble::Trouble;

/// One file of the built book.
#[derive(Clone, Debug)]
pub struct Page {
    pub bytes: Bytes,
    pub mime: &'static str,
}

/// All files of one build, by path from the book's root, with `/` between the parts.
pub type Pages = HashMap<String, Page>;

/// The pages that are served now.
pub struct Shelf {
    pages: RwLock<Arc<Pages>>,
}

impl Shelf {
    pub fn new(pages: Pages) -> Shelf {
        Shelf {
            pages: RwLock::new(Arc::new(pages)),
        }
    }

    pub fn put(&self, pages: Pages) {
        *self.pages.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pages);
    }

    /// The page for a decoded request path such as `/en/one.html` or `/en/`.
    pub fn get(&self, path: &str) -> Option<Page> {
        let pages = self.pages.read().unwrap_or_else(PoisonError::into_inner);
        let name = path.strip_prefix('/')?;
        if name.is_empty() || name.ends_with('/') {
            return pages.get(&format!("{name}index.html")).cloned();
        }
        pages.get(name).cloned()
    }
}

/// A finished build.
pub struct Built {
    pub pages: Pages,
    pub report: BookReport,
}

impl Built {
    /// What to tell the terminal.
    pub fn summary(&self) -> String {
        let mut text = format!(
            "Book built: {} pages in {} ms.",
            self.report.pages,
            self.report.took.as_millis()
        );
        for complaint in &self.report.complaints {
            text.push_str(&format!("\n  {complaint}"));
        }
        text
    }
}

/// Builds the book in a temporary folder, reads the result, and removes the folder.
pub fn build(book_dir: &Path) -> anyhow::Result<Built> {
    let scratch = tempfile::Builder::new().prefix("loopbot-book-").tempdir().map_err(|error| {
        Trouble::environment(format!(
            "The book is built in the temporary folder {}, which cannot be written ({error}): make room there or set {} to another folder.",
            std::env::temp_dir().display(),
            if cfg!(windows) { "TMP" } else { "TMPDIR" },
        ))
    })?;
    let report = book::build(book_dir, scratch.path())
        .map_err(|error| Trouble::environment(format!("The book cannot be built: {error:#}")))?;
    let mut pages = Pages::new();
    gather(scratch.path(), "", &mut pages).context("the built book cannot be read")?;
    Ok(Built { pages, report })
}

fn gather(folder: &Path, prefix: &str, pages: &mut Pages) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        // Links are not followed: a page is a file that the build wrote.
        let kind = entry.file_type()?;
        if kind.is_dir() {
            gather(&entry.path(), &format!("{name}/"), pages)?;
        } else if kind.is_file() {
            let mime = mime(&name);
            pages.insert(
                name,
                Page {
                    bytes: fs::read(entry.path())?.into(),
                    mime,
                },
            );
        }
    }
    Ok(())
}

/// The media type for the kinds of files a book holds.
fn mime(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "ico" => "image/vnd.microsoft.icon",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "ttf" => "font/ttf",
        "md" => "text/markdown; charset=utf-8",
        "txt" | "rs" | "toml" => "text/plain; charset=utf-8",
        "xml" => "application/xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_answer_with_their_index_and_nothing_else_is_guessed() {
        let page = |text: &'static str| Page {
            bytes: Bytes::from_static(text.as_bytes()),
            mime: mime("x.html"),
        };
        let shelf = Shelf::new(Pages::from([
            ("index.html".to_owned(), page("front")),
            ("en/index.html".to_owned(), page("en")),
            ("en/one.html".to_owned(), page("one")),
        ]));
        let text = |path: &str| {
            shelf
                .get(path)
                .map(|page| String::from_utf8(page.bytes.to_vec()).unwrap())
        };
        assert_eq!(text("/").as_deref(), Some("front"));
        assert_eq!(text("/en/").as_deref(), Some("en"));
        assert_eq!(text("/en/one.html").as_deref(), Some("one"));
        for path in [
            "",
            "/en",
            "/one.html",
            "//en/one.html",
            "/en/../index.html",
            "/en//one.html",
            "en/one.html",
        ] {
            assert_eq!(text(path), None, "{path}");
        }
    }
}
