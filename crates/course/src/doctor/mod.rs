//! `course doctor`: is this machine ready, and if not, what mends it?

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

pub mod bundle;

use clap::Args;

use crate::check::cargo;
use crate::contained::{self, Ended, Limits, Stop, Streams};
use crate::trouble::status;
use crate::{cli, serve};

/// What the target directory grows to when everything here is built and tested, with room to spare.
const DISK_NEEDED: u64 = 3 << 30;
/// A cold start of a compiler on a slow, shared machine included.
const PATIENCE: Duration = Duration::from_secs(120);

/// One thing looked at.
#[derive(Debug)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// What was found, in a sentence.
    pub found: String,
    /// What to do about it: `None` when all is well.
    pub mend: Option<Mend>,
}

/// What to do about a finding.
#[derive(Debug)]
pub struct Mend {
    /// Whether the course cannot be done without it.
    pub needed: bool,
    /// The command, or what to do where there is none.
    pub how: String,
}

impl Finding {
    fn good(what: &'static str, found: impl Into<String>) -> Finding {
        Finding {
            what,
            found: found.into(),
            mend: None,
        }
    }

    fn bad(what: &'static str, found: impl Into<String>, how: impl Into<String>) -> Finding {
        Finding {
            what,
            found: found.into(),
            mend: Some(Mend {
                needed: true,
                how: how.into(),
            }),
        }
    }

    fn poor(what: &'static str, found: impl Into<String>, how: impl Into<String>) -> Finding {
        Finding {
            what,
            found: found.into(),
            mend: Some(Mend {
                needed: false,
                how: how.into(),
            }),
        }
    }
}

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// Prove that everything builds with the network off
    #[arg(long)]
    pub offline: bool,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Looks at everything, prints each finding as it is made, and ends with one sentence.
pub fn command(root: &Path, _args: &DoctorArgs) -> anyhow::Result<u8> {
    let checks: [fn(&Path) -> Finding; 6] = [toolchain, cargo_version, linker, cores, port, disk];
    let mut needed = 0;
    for check in checks {
        let finding = check(root);
        let mark = match &finding.mend {
            None => "ok",
            Some(Mend { needed: false, .. }) => "note",
            Some(Mend { needed: true, .. }) => "MEND",
        };
        let mut text = format!("{mark:>4}  {:9}  {}\n", finding.what, finding.found);
        if let Some(mend) = finding.mend {
            needed += usize::from(mend.needed);
            text.push_str(&format!("{:17}-> {}\n", "", mend.how));
        }
        cli::print(&text)?;
    }
    let (sentence, status) = match needed {
        0 => ("This machine is ready.".to_owned(), status::DONE),
        1 => (
            "One thing is missing: see the line marked MEND.".to_owned(),
            status::ENVIRONMENT,
        ),
        n => (
            format!("{n} things are missing: see the lines marked MEND."),
            status::ENVIRONMENT,
        ),
    };
    cli::print(&format!("\n{sentence}\n"))?;
    Ok(status)
}

fn toolchain(root: &Path) -> Finding {
    let what = "rustc";
    let needed = rust_version(root);
    let mut command = rustc();
    command.arg("--version").current_dir(root);
    let found = match first_line(command) {
        Ok(found) => found,
        Err(why) => {
            return Finding::bad(
                what,
                format!("The compiler does not answer: {why}."),
                INSTALL_RUST,
            );
        }
    };
    let Some(needed) = needed else {
        return Finding::good(what, format!("{found}."));
    };
    match version(&found) {
        Some(have) if have >= needed => Finding::good(
            what,
            format!("{found}; the course needs {}.{}.", needed.0, needed.1),
        ),
        Some(_) => Finding::bad(
            what,
            format!(
                "{found} is older than {}.{}, which the course needs.",
                needed.0, needed.1
            ),
            "rustup update stable",
        ),
        None => Finding::poor(
            what,
            format!("{found} is a version this program cannot compare."),
            "rustup update stable",
        ),
    }
}

fn cargo_version(root: &Path) -> Finding {
    let mut command = cargo();
    command.arg("--version").current_dir(root);
    match first_line(command) {
        Ok(found) => Finding::good("cargo", format!("{found}.")),
        Err(why) => Finding::bad(
            "cargo",
            format!("Cargo does not answer: {why}."),
            INSTALL_RUST,
        ),
    }
}

/// Builds and runs a real program, for nothing less proves that a linker works.
fn linker(_root: &Path) -> Finding {
    let what = "linker";
    let mut compiler = rustc();
    compiler.arg("--version");
    if first_line(compiler).is_err() {
        return Finding::poor(
            what,
            "Not looked at, for there is no compiler.",
            "mend the compiler first, then run this again",
        );
    }
    let scratch = match tempfile::tempdir() {
        Ok(scratch) => scratch,
        Err(error) => {
            return Finding::bad(
                what,
                format!(
                    "Nothing can be written to {} ({error}).",
                    std::env::temp_dir().display()
                ),
                "make room there, or set TMPDIR (TMP on Windows) to a folder of yours",
            );
        }
    };
    let source = scratch.path().join("hello.rs");
    let program = scratch
        .path()
        .join(format!("hello{}", std::env::consts::EXE_SUFFIX));
    if let Err(error) = fs::write(
        &source,
        "fn main() {\n    println!(\"soup of the day\");\n}\n",
    ) {
        return Finding::bad(
            what,
            format!("{} cannot be written ({error}).", source.display()),
            "make room on the disk",
        );
    }
    let mut build = rustc();
    build
        .args(["--edition", "2024", "-o"])
        .arg(&program)
        .arg(&source)
        .current_dir(scratch.path());
    if let Err(why) = first_line(build) {
        return Finding::bad(
            what,
            format!("A program of one line cannot be built: {why}."),
            INSTALL_LINKER,
        );
    }
    match first_line(Command::new(&program)) {
        Ok(line) if line == "soup of the day" => {
            Finding::good(what, "A program was built, linked and run.")
        }
        Ok(line) => Finding::bad(
            what,
            format!("A program was built, and printed {line:?}."),
            INSTALL_LINKER,
        ),
        Err(why) => Finding::bad(
            what,
            format!("A program was built, but does not run: {why}."),
            "allow programs to run from the temporary folder, or set TMPDIR (TMP on Windows) to one where they may",
        ),
    }
}

fn cores(_root: &Path) -> Finding {
    let what = "cores";
    match std::thread::available_parallelism().map_or(1, usize::from) {
        1 => Finding::poor(
            what,
            "One core: robots take turns on it, so careless ones collide less often, and building takes longer.",
            "nothing needs mending; the schedule checker finds each race on one core too",
        ),
        n => Finding::good(what, format!("{n} cores.")),
    }
}

fn port(_root: &Path) -> Finding {
    let what = "port";
    match TcpListener::bind((Ipv4Addr::LOCALHOST, serve::PORT)) {
        Ok(_) => Finding::good(what, format!("Port {} is free.", serve::PORT)),
        Err(_) => match TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) {
            Ok(_) => Finding::good(
                what,
                format!(
                    "Port {} is in use; the next free one will be taken.",
                    serve::PORT
                ),
            ),
            Err(error) => Finding::bad(
                what,
                format!("No port can be opened on 127.0.0.1 ({error})."),
                "let this program listen on 127.0.0.1 in your firewall or sandbox",
            ),
        },
    }
}

fn disk(root: &Path) -> Finding {
    let what = "disk";
    match fs4::available_space(root) {
        Ok(free) if free >= DISK_NEEDED => {
            Finding::good(what, format!("{} free.", gibibytes(free)))
        }
        Ok(free) => Finding::poor(
            what,
            format!(
                "{} free; {} may be needed.",
                gibibytes(free),
                gibibytes(DISK_NEEDED)
            ),
            "make room, or set CARGO_TARGET_DIR to a folder on a larger disk; `cargo clean` frees what was built",
        ),
        Err(error) => Finding::poor(
            what,
            format!("The free space is unknown ({error})."),
            "see that 3 GiB are free",
        ),
    }
}

const INSTALL_RUST: &str = "install Rust from https://rustup.rs, then open a new terminal";

const INSTALL_LINKER: &str = if cfg!(windows) {
    "winget install Microsoft.VisualStudio.2022.BuildTools --override \"--wait --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended\""
} else if cfg!(target_os = "macos") {
    "xcode-select --install"
} else {
    "install a C compiler: `sudo apt install build-essential` (Debian, Ubuntu), `sudo dnf install gcc` (Fedora), `sudo pacman -S base-devel` (Arch)"
};

/// The compiler that cargo would use.
fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
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

/// Runs a command to its end and gives the first line it prints, or why there is none.
fn first_line(command: Command) -> Result<String, String> {
    let limits = Limits {
        time: PATIENCE,
        output: 1 << 20,
        line: 4096,
        memory: None,
    };
    let mut first = None;
    let mut error = None;
    let ended = contained::run(
        command,
        Streams::Merged,
        limits,
        &Stop::new(),
        &mut |_, line| {
            if error.is_none() && line.starts_with("error") {
                error = Some(line.to_owned());
            }
            if first.is_none() && !line.trim().is_empty() {
                first = Some(line.to_owned());
            }
            ControlFlow::Continue(())
        },
    );
    match ended {
        Ok(Ended::Exited(status)) if status.success() => Ok(first.unwrap_or_default()),
        Ok(Ended::Exited(status)) => Err(error.or(first).unwrap_or_else(|| status.to_string())),
        Ok(_) => Err(format!(
            "it did not end within {} seconds",
            PATIENCE.as_secs()
        )),
        Err(error) => Err(error.to_string()),
    }
}

fn gibibytes(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_command_that_is_not_there_says_so() {
        assert!(first_line(Command::new("no-such-program-here")).is_err());
    }

    #[test]
    fn an_old_compiler_is_a_finding_with_a_command() {
        let root = tempfile::tempdir().unwrap();
        fs::write(
            root.path().join("Cargo.toml"),
            "[workspace.package]\nrust-version = \"9.0\"\n",
        )
        .unwrap();
        let finding = toolchain(root.path());
        assert!(finding.found.contains("9.0"), "{finding:?}");
        assert_eq!(finding.mend.unwrap().how, "rustup update stable");
    }

    #[test]
    fn a_real_program_is_built() {
        let finding = linker(Path::new("."));
        assert!(finding.mend.is_none(), "{finding:?}");
    }
}
