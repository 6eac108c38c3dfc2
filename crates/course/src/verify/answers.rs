//! The wrong answers to an exercise: `solutions/NN-slug/wrong/*.rs`, with what a learner must be told about each.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What the first line of a wrong answer begins with.
pub const MUST_FAIL: &str = "//! must fail with: ";

/// A wrong answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongAnswer {
    /// The file.
    pub source: PathBuf,
    /// What the output must contain.
    pub message: String,
    /// The story that the book quotes, which the output must contain word for word.
    pub quoted: String,
}

/// What lies in the folder of wrong answers.
#[derive(Debug, Default)]
pub struct Shelf {
    /// The answers, by file name.
    pub answers: Vec<WrongAnswer>,
    /// Files that do not say on their first line how they must fail.
    pub unsaid: Vec<PathBuf>,
    /// Files whose names cannot be the name of a package.
    pub misnamed: Vec<PathBuf>,
    /// Stories without an answer that tells them.
    pub untold: Vec<PathBuf>,
}

/// Reads the folder. One that is not there is empty.
///
/// # Errors
///
/// When the folder or a file in it cannot be read, with its path.
pub fn read(folder: &Path) -> Result<Shelf, (PathBuf, io::Error)> {
    let mut shelf = Shelf::default();
    let at = |path: &Path| {
        let path = path.to_path_buf();
        move |error| (path, error)
    };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(shelf),
        entries => entries.map_err(at(folder))?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(at(folder))?.path());
    }
    paths.sort();
    for source in paths {
        let extension = source.extension().unwrap_or_default();
        if extension == "txt" && !source.with_extension("rs").is_file() {
            shelf.untold.push(source);
        } else if extension == "rs" && !is_name(&source) {
            shelf.misnamed.push(source);
        } else if extension == "rs" {
            let text = fs::read_to_string(&source).map_err(at(&source))?;
            let Some(message) = message(&text) else {
                shelf.unsaid.push(source);
                continue;
            };
            let quoted = match fs::read_to_string(source.with_extension("txt")) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
                quoted => quoted.map_err(at(&source.with_extension("txt")))?,
            };
            shelf.answers.push(WrongAnswer {
                message: message.to_owned(),
                quoted: quoted.replace("\r\n", "\n"),
                source,
            });
        }
    }
    Ok(shelf)
}

/// Packages are named after the files, with hyphens for underscores, so a file has no hyphens of its own.
fn is_name(source: &Path) -> bool {
    let name = source.file_stem().unwrap_or_default().to_string_lossy();
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.bytes().all(is_part)
}

/// What the first line promises.
fn message(text: &str) -> Option<&str> {
    let message = text.lines().next()?.strip_prefix(MUST_FAIL)?.trim();
    (!message.is_empty()).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_do_not_fit_together_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("b.rs", "//! must fail with: too late\r\ncode");
        write("b.txt", "one\r\ntwo\r\n");
        write("a.rs", "//! must fail with: too early\n");
        write("nothing.rs", "//! must fail with:  \n");
        write("other.rs", "//! Fails.\n");
        write("left.txt", "a story");
        for name in ["a-b.rs", "a b.rs", "B.rs"] {
            write(name, "//! must fail with: too odd");
        }
        write("notes.md", "whatever");
        let shelf = read(folder.path()).unwrap();
        let told: Vec<_> = shelf
            .answers
            .iter()
            .map(|answer| (answer.message.as_str(), answer.quoted.as_str()))
            .collect();
        assert_eq!(told, [("too early", ""), ("too late", "one\ntwo\n")]);
        let names = |paths: &[PathBuf]| -> Vec<_> {
            let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
            paths.iter().map(name).collect()
        };
        assert_eq!(names(&shelf.unsaid), ["nothing.rs", "other.rs"]);
        assert_eq!(names(&shelf.untold), ["left.txt"]);
        assert_eq!(names(&shelf.misnamed), ["B.rs", "a b.rs", "a-b.rs"]);
    }

    #[test]
    fn no_folder_holds_no_answers() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            read(&folder.path().join("wrong"))
                .unwrap()
                .answers
                .is_empty()
        );
    }
}
