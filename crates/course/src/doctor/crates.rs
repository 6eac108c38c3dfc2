//! The crates of others: whether all of them are here, so that nothing has to be downloaded in the room.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::ask::{self, Silence};
use super::finding::Finding;
use super::visit::Visit;

const FETCH: &str = "cargo fetch --locked";

/// The crates.
pub fn crates(visit: &Visit) -> Finding {
    let what = "crates";
    if let Some(broken) = visit.first_broken(&["rustc", "cargo"]) {
        return Finding::waits(what, broken);
    }
    let needed = match needed(&visit.root) {
        Ok(needed) => needed,
        Err(why) => return lock_file(&why),
    };
    let mut command = visit.cargo();
    command.args(["metadata", "--offline", "--locked", "--format-version", "1"]);
    // Those for other systems are not needed here.
    if let Some(host) = host(visit) {
        command.args(["--filter-platform", &host]);
    }
    match ask::ask(visit, command) {
        Ok(_) => {
            let count = needed.len();
            let place = match vendored(&visit.root) {
                Some(folder) => format!("in {}", folder.display()),
                None => "downloaded".to_owned(),
            };
            Finding::ok(
                what,
                format!("All that this system needs of {count} are {place}."),
            )
        }
        Err(silence) => judge(&silence, &missing(&needed, &stores(&visit.root))),
    }
}

fn judge(silence: &Silence, missing: &[String]) -> Finding {
    let what = "crates";
    let words = silence.words();
    // What is asked for and does not stand in the lock file is looked for in the registry's index.
    let unheard_of = missing.is_empty() && words.contains("no matching package");
    if unheard_of || words.contains("--locked") || words.contains("lock file") {
        return lock_file(&silence.why);
    }
    let offline = [
        "--offline",
        "offline mode",
        "failed to download",
        "no matching package",
        "unable to update",
        "failed to get",
    ]
    .iter()
    .any(|sign| words.contains(sign));
    if !offline {
        return Finding::mend(
            what,
            format!("Cargo does not understand the course: {}.", silence.why),
            "git status    (or unpack the course again)",
        );
    }
    let found = match missing {
        [] => format!("Not all are downloaded: {}.", silence.why),
        some => format!("{} not downloaded yet: {}.", count(some.len()), few(some)),
    };
    Finding::mend(what, found, FETCH)
}

fn lock_file(why: &str) -> Finding {
    Finding::mend(
        "crates",
        format!("Cargo.lock does not fit the course: {why}."),
        "git checkout Cargo.lock    (or unpack the course again)",
    )
}

fn count(n: usize) -> String {
    match n {
        1 => "1 is".to_owned(),
        n => format!("{n} are"),
    }
}

/// Some names, and how many more there are.
pub(super) fn few(names: &[String]) -> String {
    const SHOWN: usize = 6;
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
}

/// What `Cargo.lock` asks for that is not ours, as `name-version`.
pub(super) fn needed(root: &Path) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(root.join("Cargo.lock")).map_err(|error| error.to_string())?;
    let lock: Lock = toml::from_str(&text).map_err(|error| error.message().to_owned())?;
    Ok(lock
        .package
        .into_iter()
        .filter(|package| package.source.is_some())
        .map(|package| format!("{}-{}", package.name, package.version))
        .collect())
}

/// Those of `needed` that are in none of the folders.
pub(super) fn missing(needed: &[String], stores: &[PathBuf]) -> Vec<String> {
    needed
        .iter()
        .filter(|name| {
            !stores.iter().any(|store| {
                store.join(name).is_dir() || store.join(format!("{name}.crate")).is_file()
            })
        })
        .cloned()
        .collect()
}

/// Where crates may lie: beside the course, or where cargo keeps what it has downloaded.
pub(super) fn stores(root: &Path) -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let cache = home.map(|home| home.join("registry").join("cache"));
    let registries = cache
        .and_then(|cache| fs::read_dir(cache).ok())
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()));
    vendored(root).into_iter().chain(registries).collect()
}

/// The folder that the course's own configuration names in place of the registry.
pub(super) fn vendored(root: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(root.join(".cargo").join("config.toml")).ok()?;
    let config: toml::Table = text.parse().ok()?;
    let sources = config.get("source")?;
    let instead = sources.get("crates-io")?.get("replace-with")?.as_str()?;
    let folder = sources.get(instead)?.get("directory")?.as_str()?;
    Some(root.join(folder))
}

/// The system that the compiler builds for.
fn host(visit: &Visit) -> Option<String> {
    let mut command = visit.rustc();
    command.arg("-vV");
    let answer = ask::ask(visit, command).ok()?;
    let line = answer
        .out
        .iter()
        .find_map(|line| line.strip_prefix("host: "))?;
    Some(line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;

    /// A workspace of one package that wants a crate which nobody has.
    pub(crate) fn wanting() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "Cargo.toml",
            "[package]\nname = \"wanting\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nvendored-nowhere = \"1.2.3\"\n[workspace]\n",
        );
        write("src/lib.rs", "");
        write(
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"vendored-nowhere\"\nversion = \"1.2.3\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"0000000000000000000000000000000000000000000000000000000000000000\"\n\n[[package]]\nname = \"wanting\"\nversion = \"0.1.0\"\ndependencies = [\n \"vendored-nowhere\",\n]\n",
        );
        write(
            ".cargo/config.toml",
            "[source.crates-io]\nreplace-with = \"here\"\n[source.here]\ndirectory = \"vendor\"\n",
        );
        fs::create_dir(root.path().join("vendor")).unwrap();
        root
    }

    #[test]
    fn a_crate_that_is_not_here_is_named_with_the_command() {
        let root = wanting();
        let finding = crates(&Visit::new(root.path()));
        assert_eq!(finding.state, State::Mend, "{finding:?}");
        assert!(
            finding.found.contains("vendored-nowhere-1.2.3"),
            "{finding:?}"
        );
        assert_eq!(finding.mend.as_deref(), Some(FETCH));
    }

    #[test]
    fn a_lock_file_that_is_not_there_or_damaged_is_a_finding() {
        let root = wanting();
        let lock = root.path().join("Cargo.lock");
        fs::write(&lock, "version = \n").unwrap();
        assert_eq!(crates(&Visit::new(root.path())).state, State::Mend);
        fs::remove_file(&lock).unwrap();
        let finding = crates(&Visit::new(root.path()));
        assert_eq!(finding.state, State::Mend);
        assert!(finding.mend.unwrap().contains("Cargo.lock"));
    }

    #[test]
    fn a_lock_file_that_is_out_of_date_is_no_missing_crate() {
        let root = wanting();
        fs::write(root.path().join("Cargo.lock"), "version = 4\n").unwrap();
        let finding = crates(&Visit::new(root.path()));
        assert_eq!(finding.state, State::Mend);
        assert!(finding.found.contains("Cargo.lock"), "{finding:?}");
    }

    #[test]
    fn a_long_list_of_crates_is_cut() {
        let names: Vec<String> = (0..9).map(|n| format!("c{n}")).collect();
        assert_eq!(few(&names), "c0, c1, c2, c3, c4, c5 and 3 more");
        assert_eq!(few(&names[..2]), "c0, c1");
    }

    #[test]
    fn a_workspace_that_needs_nothing_of_others_is_complete() {
        let root = wanting();
        fs::write(
            root.path().join("Cargo.toml"),
            "[package]\nname = \"wanting\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n",
        )
        .unwrap();
        fs::write(
            root.path().join("Cargo.lock"),
            "version = 4\n\n[[package]]\nname = \"wanting\"\nversion = \"0.1.0\"\n",
        )
        .unwrap();
        let finding = crates(&Visit::new(root.path()));
        assert_eq!(finding.state, State::Ok, "{finding:?}");
        assert!(finding.found.contains("vendor"), "{finding:?}");
    }
}
