//! What a look needs to know: where the course lies, which tools there are, how long it may take, and what is broken already.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::Sender;
use std::time::Duration;

use crate::contained::Stop;

/// The tools that are looked at, and what of the environment decides where things go. Tests put broken ones here.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The compiler that cargo would use.
    pub rustc: OsString,
    /// The cargo that started this program, or the one on the PATH.
    pub cargo: OsString,
    /// Folders in which programs are found.
    pub path: Vec<PathBuf>,
    /// The folder for temporary files.
    pub temp: PathBuf,
    /// Where cargo builds, if not in `target`.
    pub target: Option<PathBuf>,
}

impl Tools {
    /// Those of this process.
    pub fn here() -> Tools {
        let or = |name: &str, otherwise: &str| {
            std::env::var_os(name).unwrap_or_else(|| otherwise.into())
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        Tools {
            rustc: or("RUSTC", "rustc"),
            cargo: or("CARGO", "cargo"),
            path: std::env::split_paths(&path).collect(),
            temp: std::env::temp_dir(),
            target: std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from),
        }
    }

    /// Where a program lies on the PATH. It is not started.
    pub fn find(&self, program: &str) -> Option<PathBuf> {
        let endings: &[&str] = if cfg!(windows) {
            &["exe", "cmd", "bat"]
        } else {
            &[""]
        };
        self.path
            .iter()
            .flat_map(|folder| {
                endings
                    .iter()
                    .map(|ending| folder.join(program).with_extension(ending))
            })
            .find(|file| file.is_file())
    }
}

/// One look at one thing.
#[derive(Clone)]
pub struct Visit {
    /// The folder of the course.
    pub root: PathBuf,
    /// With what to look.
    pub tools: Tools,
    /// What has to be mended, of what was looked at before.
    pub broken: BTreeSet<&'static str>,
    /// How long this look may take.
    pub limit: Duration,
    /// Raised when it has taken that long, or when nobody wants to know any more.
    pub stop: Stop,
    pub(super) say: Option<Sender<String>>,
}

impl Visit {
    /// A look with the tools of this process.
    pub fn new(root: &Path) -> Visit {
        Visit {
            root: root.to_path_buf(),
            tools: Tools::here(),
            broken: BTreeSet::new(),
            limit: Duration::from_secs(60),
            stop: Stop::new(),
            say: None,
        }
    }

    /// What is being done right now, for the screen.
    pub fn doing(&self, what: impl Into<String>) {
        if let Some(say) = &self.say {
            // Nobody listens once the time is over.
            let _ = say.send(what.into());
        }
    }

    /// Whether something that was looked at before has to be mended.
    pub fn is_broken(&self, what: &'static str) -> bool {
        self.broken.contains(what)
    }

    /// The first of these that has to be mended.
    pub fn first_broken(&self, these: &[&'static str]) -> Option<&'static str> {
        these.iter().copied().find(|what| self.is_broken(what))
    }

    /// The compiler.
    pub fn rustc(&self) -> Command {
        let mut command = Command::new(&self.tools.rustc);
        command.current_dir(&self.root);
        command
    }

    /// Cargo.
    pub fn cargo(&self) -> Command {
        let mut command = Command::new(&self.tools.cargo);
        command.current_dir(&self.root);
        command
    }

    /// Where plain cargo builds.
    pub fn target(&self) -> PathBuf {
        match &self.tools.target {
            Some(elsewhere) => self.root.join(elsewhere),
            None => self.root.join("target"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_program_is_found_on_the_path_and_not_started() {
        let folder = tempfile::tempdir().unwrap();
        let ending = if cfg!(windows) { ".cmd" } else { "" };
        fs::write(
            folder.path().join(format!("code{ending}")),
            "not a program\n",
        )
        .unwrap();
        let tools = Tools {
            path: vec!["/no/such/folder".into(), folder.path().into()],
            ..Tools::here()
        };
        assert!(tools.find("code").is_some());
        assert!(tools.find("zed").is_none());
    }
}
