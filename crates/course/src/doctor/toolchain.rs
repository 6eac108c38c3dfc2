//! The compiler and cargo: there, new enough, and of one installation.

use std::fs;
use std::path::Path;

use super::ask;
use super::finding::Finding;
use super::visit::Visit;

const INSTALL: &str = "install Rust from https://rustup.rs, then open a new terminal";
const UPDATE: &str = "rustup update stable";

/// The compiler.
pub fn rustc(visit: &Visit) -> Finding {
    let mut command = visit.rustc();
    command.arg("--version");
    match ask::first_line(visit, command) {
        Ok(found) => compare("rustc", &found, rust_version(&visit.root)),
        Err(why) => Finding::mend(
            "rustc",
            format!("The compiler does not answer: {why}."),
            INSTALL,
        ),
    }
}

/// Cargo, and whether it fits the compiler.
pub fn cargo(visit: &Visit) -> Finding {
    let mut command = visit.cargo();
    command.arg("--version");
    let found = match ask::first_line(visit, command) {
        Ok(found) => found,
        Err(why) => {
            return Finding::mend("cargo", format!("Cargo does not answer: {why}."), INSTALL);
        }
    };
    let finding = compare("cargo", &found, rust_version(&visit.root));
    if finding.mend.is_some() || visit.is_broken("rustc") {
        return finding;
    }
    let mut command = visit.rustc();
    command.arg("--version");
    match ask::first_line(visit, command) {
        Ok(rustc) if version(&rustc) != version(&found) => two_installations(&rustc, &found),
        _ => finding,
    }
}

fn two_installations(rustc: &str, cargo: &str) -> Finding {
    let list = if cfg!(windows) {
        "where rustc cargo"
    } else {
        "which -a rustc cargo"
    };
    Finding::note(
        "cargo",
        format!("{cargo} and {rustc} are of two installations."),
        format!(
            "`{list}` says which comes first; `{UPDATE}` brings both of one to the same version"
        ),
    )
}

/// What was found against what `rust-version` asks for.
fn compare(what: &'static str, found: &str, needed: Option<(u32, u32)>) -> Finding {
    let Some(needed) = needed else {
        return Finding::ok(what, format!("{found}."));
    };
    let (major, minor) = needed;
    match version(found) {
        Some(have) if have >= needed => {
            Finding::ok(what, format!("{found}; the course needs {major}.{minor}."))
        }
        Some(_) => Finding::mend(
            what,
            format!("{found} is older than {major}.{minor}, which the course needs."),
            UPDATE,
        ),
        None => Finding::note(
            what,
            format!("{found:?} is a version this program cannot compare."),
            UPDATE,
        ),
    }
}

/// `rust-version` of the workspace.
fn rust_version(root: &Path) -> Option<(u32, u32)> {
    let manifest: toml::Table = fs::read_to_string(root.join("Cargo.toml"))
        .ok()?
        .parse()
        .ok()?;
    let text = manifest
        .get("workspace")?
        .get("package")?
        .get("rust-version")?
        .as_str()?;
    version(text)
}

/// Major and minor number of the first version in a text.
fn version(text: &str) -> Option<(u32, u32)> {
    text.split_whitespace().find_map(|word| {
        let mut parts = word.split('.');
        let major = parts.next()?.parse().ok()?;
        let minor: String = parts
            .next()?
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        Some((major, minor.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;

    fn course(rust_version: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let manifest = format!("[workspace.package]\nrust-version = \"{rust_version}\"\n");
        fs::write(root.path().join("Cargo.toml"), manifest).unwrap();
        root
    }

    #[test]
    fn versions_are_compared_by_number() {
        assert_eq!(
            version("rustc 1.95.0 (59807616e 2026-03-21)"),
            Some((1, 95))
        );
        assert_eq!(version("1.88"), Some((1, 88)));
        assert_eq!(
            version("rustc 1.96.0-nightly (abc 2026-04-01)"),
            Some((1, 96))
        );
        assert!(version("rustc 1.100.0") > version("1.88"));
        assert_eq!(version("something else"), None);
    }

    #[test]
    fn an_old_compiler_is_a_finding_with_a_command() {
        let root = course("9.0");
        for finding in [
            rustc(&Visit::new(root.path())),
            cargo(&Visit::new(root.path())),
        ] {
            assert_eq!(finding.state, State::Mend);
            assert!(finding.found.contains("9.0"), "{finding:?}");
            assert_eq!(finding.mend.unwrap(), "rustup update stable");
        }
    }

    #[test]
    fn a_compiler_that_is_not_there_has_to_be_installed() {
        let root = course("1.88");
        let mut visit = Visit::new(root.path());
        visit.tools.rustc = "/no/such/rustc".into();
        visit.tools.cargo = "/no/such/cargo".into();
        for finding in [rustc(&visit), cargo(&visit)] {
            assert_eq!(finding.state, State::Mend);
            assert!(finding.mend.unwrap().contains("rustup.rs"));
        }
    }

    #[test]
    fn the_compiler_and_cargo_that_run_this_test_will_do() {
        let root = course("1.88");
        let visit = Visit::new(root.path());
        assert_eq!(rustc(&visit).state, State::Ok);
        assert_eq!(cargo(&visit).state, State::Ok);
    }

    #[test]
    fn two_installations_are_a_note() {
        let finding = two_installations("rustc 1.88.0", "cargo 1.95.0");
        assert_eq!(finding.state, State::Note);
        assert!(finding.found.contains("1.88") && finding.found.contains("1.95"));
    }

    /// A distribution's compiler under the name of another: its version is what counts.
    #[cfg(unix)]
    #[test]
    fn a_compiler_of_another_installation_is_seen() {
        use std::os::unix::fs::PermissionsExt;
        let root = course("1.63");
        let stub = root.path().join("rustc");
        fs::write(
            &stub,
            "#!/bin/sh\necho 'rustc 1.63.0 (4b91a6ea7 2022-08-08)'\n",
        )
        .unwrap();
        fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
        let mut visit = Visit::new(root.path());
        visit.tools.rustc = stub.into();
        assert_eq!(rustc(&visit).state, State::Ok);
        let finding = cargo(&visit);
        assert_eq!(finding.state, State::Note);
        assert!(finding.found.contains("two installations"), "{finding:?}");
    }
}
