//! A real program is built and run, for nothing less proves that a linker works.

use std::fs;
use std::process::Command;

use super::ask;
use super::finding::Finding;
use super::platform::INSTALL_LINKER;
use super::visit::Visit;

const PROGRAM: &str = "fn main() {\n    println!(\"soup of the day\");\n}\n";

/// The linker.
pub fn linker(visit: &Visit) -> Finding {
    let what = "linker";
    if let Some(broken) = visit.first_broken(&["rustc", "temp"]) {
        return Finding::waits(what, broken);
    }
    let written = tempfile::tempdir_in(&visit.tools.temp).and_then(|scratch| {
        fs::write(scratch.path().join("hello.rs"), PROGRAM)?;
        Ok(scratch)
    });
    let scratch = match written {
        Ok(scratch) => scratch,
        Err(error) => {
            return Finding::mend(
                what,
                format!(
                    "Nothing can be written to {} ({error}).",
                    visit.tools.temp.display()
                ),
                super::room::ANOTHER_TEMP,
            );
        }
    };
    let program = scratch
        .path()
        .join(format!("hello{}", std::env::consts::EXE_SUFFIX));
    let mut build = visit.rustc();
    build
        .args(["--edition", "2024", "-o"])
        .arg(&program)
        .arg("hello.rs")
        .current_dir(scratch.path());
    if let Err(silence) = ask::ask(visit, build) {
        let full = silence.words().contains("No space left");
        return Finding::mend(
            what,
            format!("A program of one line cannot be built: {}.", silence.why),
            if full {
                super::room::ANOTHER_TEMP
            } else {
                INSTALL_LINKER
            },
        );
    }
    match ask::first_line(visit, Command::new(&program)) {
        Ok(line) if line == "soup of the day" => {
            Finding::ok(what, "A program was built, linked and run.")
        }
        Ok(line) => Finding::mend(
            what,
            format!("A program was built, and printed {line:?}."),
            INSTALL_LINKER,
        ),
        Err(why) => Finding::mend(
            what,
            format!("A program was built, but does not run: {why}."),
            "allow programs to run from the temporary folder, or set TMPDIR (TMP on Windows) to one where they may",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;
    use std::path::Path;

    #[test]
    fn a_real_program_is_built() {
        let finding = linker(&Visit::new(Path::new(".")));
        assert_eq!(finding.state, State::Ok, "{finding:?}");
    }

    #[test]
    fn without_a_compiler_it_is_not_the_linkers_fault() {
        let mut visit = Visit::new(Path::new("."));
        visit.broken.insert("rustc");
        assert_eq!(linker(&visit).state, State::Skipped);
    }

    /// The compiler is there, and what it calls to link is not.
    #[cfg(unix)]
    #[test]
    fn a_compiler_that_cannot_link_is_a_finding() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let stub = folder.path().join("rustc");
        fs::write(
            &stub,
            "#!/bin/sh\necho 'error: linker `cc` not found' >&2\nexit 1\n",
        )
        .unwrap();
        fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
        let mut visit = Visit::new(folder.path());
        visit.tools.rustc = stub.into();
        let finding = linker(&visit);
        assert_eq!(finding.state, State::Mend);
        assert!(
            finding.found.contains("linker `cc` not found"),
            "{finding:?}"
        );
        assert_eq!(finding.mend.as_deref(), Some(INSTALL_LINKER));
    }
}
