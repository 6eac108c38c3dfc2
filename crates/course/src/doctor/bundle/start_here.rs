//! What somebody reads first who has unpacked the archive.

use std::fs;
use std::path::Path;

use super::{BOOK, START_HERE, Sources, VENDOR, cannot_write};

/// Writes it to the stage.
///
/// # Errors
///
/// When it cannot be written.
pub fn write(stage: &Path, sources: &Sources) -> anyhow::Result<()> {
    let rust = rust_version(stage).unwrap_or_else(|| "the newest stable version".to_owned());
    let file = stage.join(START_HERE);
    fs::write(&file, text(&rust, sources)).map_err(|error| cannot_write(&file, &error))
}

fn text(rust: &str, sources: &Sources) -> String {
    let mut text = format!(
        "\
LoopBot: concurrency and async in Rust, in a restaurant staffed by robots
=========================================================================

This folder is the whole course. Nothing in it needs the Internet: the crates
of others lie in `{VENDOR}`, the book lies in `{BOOK}`.

You need Rust {rust} or newer, and a linker. `rustc --version` says whether it
is there. It is not in this folder: if it is missing, ask whoever gave you this.

Go into this folder with a terminal, then:

    cargo course doctor             is this machine ready? (two minutes at most)
    cargo course doctor --offline   builds everything once, with the network off
    cargo run                       opens the restaurant: the book in a browser,
                                    with figures that run on your machine
    cargo course watch              the exercises: follows your files and says
                                    what is wrong
    cargo test -p exercise-03       the same without `watch`

The first command builds the course program, which takes a few minutes. After
that it is quick. Without Rust you can read: open {BOOK}/index.html in a
browser. There the figures show recorded runs.

On Windows: unpack this with `tar -xf` into a folder near the top of a drive
(C:\\course), for some names in it are long.

A newer archive unpacks to a folder of its own, beside this one. Your work here
stays as it is. To take it along, in the new folder:

    cargo course upgrade-check --from THIS_FOLDER --take
"
    );
    if !sources.workspaces_apart.is_empty() {
        text.push_str(
            "\nNot in here: the crates that comparisons with other libraries need. To build\nthese folders, take the `[source]` tables out of .cargo/config.toml; then the\nnetwork is used:\n\n",
        );
        for folder in &sources.workspaces_apart {
            text.push_str(&format!("    {folder}\n"));
        }
    }
    text
}

fn rust_version(stage: &Path) -> Option<String> {
    let manifest: toml::Table = fs::read_to_string(stage.join("Cargo.toml"))
        .ok()?
        .parse()
        .ok()?;
    let version = manifest.get("workspace")?.get("package")?;
    Some(version.get("rust-version")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_the_version_and_the_commands_and_fits_a_terminal() {
        let sources = Sources {
            workspaces_apart: vec!["crates/loopbot/benches/peers".into()],
            ..Sources::default()
        };
        let text = text("1.88", &sources);
        for words in [
            "Rust 1.88",
            "cargo course doctor --offline",
            "book-html/index.html",
            "    crates/loopbot/benches/peers",
        ] {
            assert!(text.contains(words), "{words}");
        }
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
    }
}
