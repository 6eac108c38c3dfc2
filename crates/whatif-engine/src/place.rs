//! Source places as a story shows them: relative, short, with forward slashes.

use std::path::Path;

use crate::floor::Place;

/// `src/lib.rs:41` for a file of the package under test, the path as the compiler knows it
/// otherwise.
pub fn short(place: Place) -> String {
    short_path(place.file(), place.line())
}

/// The same for a file and a line, as a panic gives them.
pub(crate) fn short_path(file: &str, line: u32) -> String {
    let file = file.replace('\\', "/");
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default().replace('\\', "/");
    format!("{}:{line}", within(&package, &file))
}

/// `file` without the folder of the package, and never absolute.
fn within<'a>(package: &str, file: &'a str) -> &'a str {
    if Path::new(file).is_absolute() || file.starts_with('/') {
        // A file of the standard library, or of a crate from a registry: its last two parts say
        // enough.
        return file.rmatch_indices('/').nth(1).map_or(file, |(at, _)| &file[at + 1..]);
    }
    // Cargo compiles members of a workspace from its root: `exercises/03-x/src/lib.rs`, where the
    // package's folder is `/somewhere/exercises/03-x`. Drop what the two have in common.
    let folders = file.match_indices('/').map(|(at, _)| at).rev();
    for at in folders {
        if package.ends_with(&format!("/{}", &file[..at])) {
            return &file[at + 1..];
        }
    }
    file
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn a_path_is_relative_to_the_package_and_never_absolute() {
        let package = "/home/me/course/exercises/03-one-table";
        assert_eq!(within(package, "exercises/03-one-table/src/lib.rs"), "src/lib.rs");
        assert_eq!(within(package, "exercises/03-one-table/tests/t.rs"), "tests/t.rs");
        assert_eq!(within(package, "crates/restaurant/src/lib.rs"), "crates/restaurant/src/lib.rs");
        assert_eq!(within(package, "/rustc/abc/library/core/src/option.rs"), "src/option.rs");
        assert_eq!(within("", "src/lib.rs"), "src/lib.rs");
    }
}
