//! The crates of others, as `cargo vendor` lays them out, and the configuration that makes cargo take those.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::contained::Stream;
use crate::doctor::ask::{self, Silence};
use crate::doctor::crates::{few, missing, needed, stores, vendored};
use crate::doctor::screen::Screen;
use crate::doctor::visit::Visit;
use crate::trouble::Trouble;

use super::{VENDOR, cannot_write};

/// Copies all crates that `Cargo.lock` names to the stage, for all systems, and says how many. What is not on this machine is
/// downloaded.
///
/// # Errors
///
/// One sentence that names the crates which are missing.
pub fn lay_out(visit: &Visit, stage: &Path, screen: &mut Screen) -> anyhow::Result<usize> {
    let needed = needed(stage)
        .map_err(|why| Trouble::environment(format!("Cargo.lock cannot be used: {why}.")))?;
    let configuration = configuration(stage)?;
    let place = stage.join(VENDOR);
    fs::create_dir_all(&place).map_err(|error| cannot_write(&place, &error))?;
    let beside = vendored(&visit.root).filter(|folder| all_in(&needed, folder));
    if let Some(folder) = beside {
        // The course is an unpacked archive itself.
        copy_crates(&needed, &folder, &place, visit, screen)?;
    } else if !needed.is_empty() {
        let copied = vendor(visit, stage, true, needed.len(), screen)
            .or_else(|_| vendor(visit, stage, false, needed.len(), screen));
        copied.map_err(|silence| explain(&silence, &missing(&needed, &stores(&visit.root))))?;
    }
    let there = missing(&needed, std::slice::from_ref(&place));
    if !there.is_empty() {
        return Err(Trouble::environment(format!(
            "Cargo did not lay out every crate: there is no {}.",
            few(&there)
        )));
    }
    let file = stage.join(".cargo").join("config.toml");
    fs::create_dir_all(stage.join(".cargo"))
        .and_then(|()| fs::write(&file, configuration))
        .map_err(|error| cannot_write(&file, &error))?;
    Ok(needed.len())
}

fn all_in(needed: &[String], folder: &Path) -> bool {
    let folder = folder.to_path_buf();
    missing(needed, std::slice::from_ref(&folder)).is_empty()
}

fn copy_crates(
    needed: &[String],
    from: &Path,
    to: &Path,
    visit: &Visit,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    for (n, name) in needed.iter().enumerate() {
        if visit.stop.is_raised() {
            return Err(Trouble::environment("Stopped."));
        }
        screen.detail(format!("{n} of {}, {name}", needed.len()));
        screen.still();
        let mut folders = vec![PathBuf::from(name)];
        while let Some(folder) = folders.pop() {
            let trouble = |error| cannot_write(&to.join(&folder), &error);
            fs::create_dir_all(to.join(&folder)).map_err(trouble)?;
            for entry in fs::read_dir(from.join(&folder)).map_err(trouble)? {
                let entry = entry.map_err(trouble)?;
                let path = folder.join(entry.file_name());
                if entry.file_type().map_err(trouble)?.is_dir() {
                    folders.push(path);
                } else {
                    fs::copy(entry.path(), to.join(&path)).map_err(trouble)?;
                }
            }
        }
    }
    Ok(())
}

fn vendor(
    visit: &Visit,
    stage: &Path,
    offline: bool,
    all: usize,
    screen: &mut Screen,
) -> Result<(), Silence> {
    let mut command = visit.cargo();
    let manifest: [OsString; 2] = ["--manifest-path".into(), stage.join("Cargo.toml").into()];
    command
        .args(["vendor", "--versioned-dirs", "--locked"])
        // Where this machine has a mirror, or where the crates lie beside the course already, they are taken from there.
        .arg("--respect-source-config")
        .args(manifest)
        .arg(stage.join(VENDOR));
    if offline {
        command.arg("--offline");
    }
    let mut copied = 0;
    ask::ask_and_hear(visit, command, &mut |stream, line| {
        let Some((what, rest)) = line.trim().split_once(' ') else {
            return;
        };
        if stream == Stream::Err {
            copied += usize::from(what == "Vendoring");
            let name = rest.split(" (").next().unwrap_or(rest);
            screen.detail(format!("{copied} of {all}, {} {name}", what.to_lowercase()));
            screen.still();
        }
    })
    .map(|_| ())
}

fn explain(silence: &Silence, missing: &[String]) -> anyhow::Error {
    let words = silence.words();
    if words.contains("No space left") || words.contains("os error 112") {
        return Trouble::environment(
            "The disk is full: making the archive takes about 1 GiB for a while. Make room, or set CARGO_TARGET_DIR to a folder on a larger disk.",
        );
    }
    Trouble::environment(match missing {
        [] => format!("The crates of others cannot be laid out: {}.", silence.why),
        some => format!(
            "{} of the crates are not on this machine, and cannot be downloaded now: {}. With a network, `cargo fetch --locked` gets them ({}).",
            some.len(),
            few(some),
            silence.why
        ),
    })
}

/// The aliases of the course's own configuration, and the folder of crates in place of the registry. Nothing else of it goes
/// into an archive: a mirror or a proxy belongs to the machine.
fn configuration(stage: &Path) -> anyhow::Result<String> {
    let file = stage.join(".cargo").join("config.toml");
    let config: toml::Table = match fs::read_to_string(&file) {
        Ok(text) => text.parse().map_err(|error: toml::de::Error| {
            Trouble::environment(format!(
                ".cargo/config.toml is not as it should be: {}.",
                error.message()
            ))
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => toml::Table::new(),
        Err(error) => {
            return Err(Trouble::environment(format!(
                ".cargo/config.toml cannot be read ({error})."
            )));
        }
    };
    let mut text = String::new();
    if let Some(aliases) = config.get("alias").and_then(toml::Value::as_table) {
        text.push_str("[alias]\n");
        for (name, value) in aliases {
            // A string, or a list of strings, is written in JSON as it is in TOML.
            let value = serde_json::to_string(value).expect("strings are JSON");
            text.push_str(&format!("{name:?} = {value}\n"));
        }
        text.push('\n');
    }
    text.push_str(&format!(
        "# The crates of others lie here, in {VENDOR}: nothing is downloaded.\n[source.crates-io]\nreplace-with = \"vendored-sources\"\n\n[source.vendored-sources]\ndirectory = \"{VENDOR}\"\n"
    ));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(text: &str) -> String {
        let stage = tempfile::tempdir().unwrap();
        fs::create_dir(stage.path().join(".cargo")).unwrap();
        fs::write(stage.path().join(".cargo/config.toml"), text).unwrap();
        configuration(stage.path()).unwrap()
    }

    #[test]
    fn aliases_stay_and_a_mirror_does_not() {
        let text = configured(
            "[alias]\ncourse = \"run --package course --\"\nb = [\"build\", \"--all\"]\n[source.crates-io]\nreplace-with = \"mirror\"\n[source.mirror]\nregistry = \"sparse+https://mirror.example/index/\"\n[http]\nproxy = \"proxy.example:8080\"\n",
        );
        assert!(!text.contains("example"), "{text}");
        let config: toml::Table = text.parse().unwrap();
        assert_eq!(
            config["alias"]["course"].as_str(),
            Some("run --package course --")
        );
        assert_eq!(config["alias"]["b"].as_array().unwrap().len(), 2);
        assert_eq!(
            config["source"]["crates-io"]["replace-with"].as_str(),
            Some("vendored-sources")
        );
        assert_eq!(
            config["source"]["vendored-sources"]["directory"].as_str(),
            Some("vendor")
        );
    }

    #[test]
    fn what_an_archive_was_made_with_gives_the_same_again() {
        let once = configured("[alias]\ncourse = \"run --package course --\"\n");
        assert_eq!(configured(&once), once);
    }

    #[test]
    fn missing_crates_are_named() {
        let silence = Silence {
            why: "error: failed to download".into(),
            err: Vec::new(),
        };
        let error = explain(&silence, &["rand-0.10.3".into(), "tokio-1.54.1".into()]);
        let said = error.to_string();
        assert!(
            said.contains("rand-0.10.3, tokio-1.54.1") && said.contains("cargo fetch --locked"),
            "{said}"
        );
    }
}
