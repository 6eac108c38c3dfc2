//! The checker stays small enough to be read: each of its two crates in an evening.

use std::fs;
use std::path::Path;

use house_tests::root;

/// Lines of code of each crate, at most.
const LIMIT: usize = 3_000;

#[test]
fn each_crate_of_the_checker_is_read_in_an_evening() {
    for name in ["whatif-engine", "whatif"] {
        let size = size(&root().join("crates").join(name).join("src"));
        println!("{name}: {size} lines of code");
        assert!(
            size <= LIMIT,
            "{name} has {size} lines of code, and may have {LIMIT}"
        );
        assert!(size > 500, "{name}: that is not where its code is any more");
    }
}

/// Lines of code of all Rust files below a folder.
fn size(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| {
            if path.is_dir() {
                size(&path)
            } else if path.extension().is_some_and(|end| end == "rs") {
                lines_of_code(&fs::read_to_string(&path).unwrap())
            } else {
                0
            }
        })
        .sum()
}

/// Neither blank lines nor comments, and not the tests at a file's end.
fn lines_of_code(text: &str) -> usize {
    let code = text.split("#[cfg(test)]").next().unwrap_or(text);
    code.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}

#[test]
fn comments_and_tests_are_not_counted() {
    let file = "//! What it is.\n\n/// A fact.\nfn fact() {}\n    // Why.\n\n#[cfg(test)]\nmod tests {\n    test\n}\n";
    assert_eq!(lines_of_code(file), 1);
}
