//! A small course of a test's own, in a folder that goes away: the assets of the book, and pages that the test writes.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use course::check::CheckOptions;
use course::serve::{self, Options, Server};
use house_tests::root;

/// A folder with the shape of the course.
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    /// With the book's assets and its `book.toml`, and nothing else.
    pub fn new() -> anyhow::Result<Scratch> {
        let scratch = Scratch(tempfile::Builder::new().prefix("course-pages-").tempdir()?);
        scratch.write(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"exercises/*\"]\n",
        )?;
        fs::create_dir(scratch.root().join("exercises"))?;
        scratch.write("book/src/loopbot-env.json", "{\"mode\":\"recorded\"}")?;
        let (from, to) = (root().join("book"), scratch.root().join("book"));
        fs::copy(from.join("book.toml"), to.join("book.toml"))?;
        fs::create_dir(to.join("assets"))?;
        for entry in fs::read_dir(from.join("assets"))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::copy(entry.path(), to.join("assets").join(entry.file_name()))?;
            }
        }
        Ok(scratch)
    }

    pub fn root(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, path: &str, text: &str) -> anyhow::Result<()> {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().context("a folder")?)?;
        Ok(fs::write(path, text)?)
    }

    /// Serves it. Nothing reloads, and checks build inside of the folder.
    pub fn serve(&self) -> anyhow::Result<Server> {
        let options = Options {
            port: Some(0),
            follow: false,
            news: Arc::new(|_| {}),
            check_options: CheckOptions {
                target: Some(self.root().join("target")),
                network: false,
                ..CheckOptions::default()
            },
            ..Options::new()?
        };
        serve::start(self.root(), options)
    }
}
