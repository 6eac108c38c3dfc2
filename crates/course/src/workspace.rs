//! Finding the folder that holds the course.

use std::path::{Path, PathBuf};

use crate::trouble::Trouble;

/// The folder with `book/`, `exercises/` and the workspace's `Cargo.toml`.
///
/// `asked` (from `--root`) is taken as it is. Otherwise the search starts where cargo says the running package is, then at
/// the current directory, and goes upward.
///
/// # Errors
///
/// One sentence that says where it looked.
pub fn find(asked: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(asked) = asked {
        if is_root(asked) {
            return Ok(std::path::absolute(asked)?);
        }
        return Err(Trouble::input(format!(
            "{} is not the LoopBot course: it needs Cargo.toml, book/book.toml and exercises/ in it.",
            asked.display()
        )));
    }
    let here = std::env::current_dir().ok();
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let starts = || package.iter().chain(&here);
    starts().flat_map(|start| start.ancestors()).find(|folder| is_root(folder)).map(Path::to_path_buf).ok_or_else(|| {
        let place = here.as_deref().map_or("the current folder".to_owned(), |path| path.display().to_string());
        Trouble::environment(format!(
            "No LoopBot course in {place} or above it: go to the folder you cloned, or name it with --root FOLDER."
        ))
    })
}

fn is_root(folder: &Path) -> bool {
    folder.join("Cargo.toml").is_file()
        && folder.join("book").join("book.toml").is_file()
        && folder.join("exercises").is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trouble::{status, status_of};

    #[test]
    fn a_folder_without_a_course_is_named_in_the_sentence() {
        let empty = tempfile::tempdir().unwrap();
        let error = find(Some(empty.path())).unwrap_err();
        assert_eq!(status_of(&error), status::INPUT);
        assert!(error.to_string().contains("book/book.toml"), "{error}");
    }

    #[test]
    fn the_course_is_found_from_this_package() {
        let root = find(None).expect("the tests run inside the workspace");
        assert!(root.join("crates").join("course").is_dir());
    }
}
