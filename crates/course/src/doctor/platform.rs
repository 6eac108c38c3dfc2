//! What differs between systems. Only the part for Linux has been tried on every change; the others are tried by continuous
//! integration, on the systems themselves.

use std::io;
use std::path::Path;
use std::process::Command;

pub use system::{
    INSTALL_LINKER, MORE_MEMORY, descriptors, memory, raise_descriptors, without_network,
};

/// How the network is taken away from a command.
pub enum Cut {
    /// The command gets a network of its own, with nobody in it.
    #[cfg_attr(
        any(target_os = "macos", windows),
        allow(dead_code, reason = "there is no such thing there")
    )]
    Alone(Command),
    /// Cargo is told to stay offline, and whatever asks for a proxy finds none. The reason why it is no more than that.
    Asked(&'static str),
}

/// How many files and sockets a process may have open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(windows, allow(dead_code, reason = "there is no such limit there"))]
pub struct Descriptors {
    /// Now.
    pub now: u64,
    /// As many as a program may give itself.
    pub most: u64,
}

/// Whether a file is a program. Where the system does not keep that, a script is known by its first line.
#[cfg(unix)]
pub fn is_executable(file: &Path, _content: &[u8]) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|metadata| metadata.permissions().mode() & 0o100 != 0)
}

/// Whether a file is a program. Where the system does not keep that, a script is known by its first line.
#[cfg(not(unix))]
pub fn is_executable(_file: &Path, content: &[u8]) -> bool {
    content.starts_with(b"#!/")
}

/// Makes a file a program, where the system keeps that.
pub fn make_executable(file: &Path) -> io::Result<()> {
    set_mode(file, 0o755)
}

/// Lets everybody read a file: a temporary one is its owner's alone.
pub fn readable_by_all(file: &Path) -> io::Result<()> {
    set_mode(file, 0o644)
}

#[cfg(unix)]
fn set_mode(file: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_file: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn limits() -> Descriptors {
    use rustix::process::{Resource, getrlimit};
    let limit = getrlimit(Resource::Nofile);
    let now = limit.current.unwrap_or(u64::MAX);
    Descriptors {
        now,
        most: limit.maximum.unwrap_or(u64::MAX),
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
mod system {
    use std::fs;
    use std::process::Command;

    use super::{Cut, Descriptors};
    use crate::doctor::ask;
    use crate::doctor::visit::Visit;

    pub const INSTALL_LINKER: &str = "install a C compiler: `sudo apt install build-essential` (Debian, Ubuntu), `sudo dnf install gcc` (Fedora), `sudo pacman -S base-devel` (Arch)";

    pub const MORE_MEMORY: &str =
        "CARGO_BUILD_JOBS=1 before a command builds one crate at a time, which needs less";

    pub fn descriptors() -> Option<Descriptors> {
        Some(super::limits())
    }

    pub fn raise_descriptors(needed: u64, limits: Descriptors) -> String {
        if limits.most >= needed {
            format!("ulimit -n {needed}")
        } else {
            format!(
                "sudo prlimit --pid $$ --nofile={needed}:{needed}    (for this terminal; for good: `nofile` in /etc/security/limits.conf)"
            )
        }
    }

    /// Bytes of the machine, or of the container that this runs in.
    pub fn memory(_visit: &Visit) -> Option<u64> {
        let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
            let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
            Some(kib << 10)
        });
        let container = [
            "/sys/fs/cgroup/memory.max",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        ]
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok());
        machine.into_iter().chain(container).min()
    }

    pub fn without_network(visit: &Visit, program: &std::ffi::OsStr) -> Cut {
        let alone = |program: &std::ffi::OsStr| {
            let mut command = Command::new("unshare");
            command
                .args(["--map-root-user", "--net", "--"])
                .arg(program);
            command
        };
        if visit.tools.find("unshare").is_none() {
            return Cut::Asked("there is no `unshare` here, of the package util-linux");
        }
        match ask::ask(visit, alone("true".as_ref())) {
            Ok(_) => Cut::Alone(alone(program)),
            Err(_) => Cut::Asked("this system does not let a user have a network of their own"),
        }
    }
}

#[cfg(target_os = "macos")]
mod system {
    use std::process::Command;

    use super::{Cut, Descriptors};
    use crate::doctor::ask;
    use crate::doctor::visit::Visit;

    pub const INSTALL_LINKER: &str = "xcode-select --install";

    pub const MORE_MEMORY: &str =
        "CARGO_BUILD_JOBS=1 before a command builds one crate at a time, which needs less";

    pub fn descriptors() -> Option<Descriptors> {
        Some(super::limits())
    }

    pub fn raise_descriptors(needed: u64, limits: Descriptors) -> String {
        if limits.most >= needed {
            format!("ulimit -n {needed}")
        } else {
            format!(
                "sudo launchctl limit maxfiles {needed} {}    (then open a new terminal)",
                4 * needed
            )
        }
    }

    pub fn memory(visit: &Visit) -> Option<u64> {
        let mut command = Command::new("sysctl");
        command.args(["-n", "hw.memsize"]);
        ask::first_line(visit, command).ok()?.trim().parse().ok()
    }

    pub fn without_network(_visit: &Visit, _program: &std::ffi::OsStr) -> Cut {
        Cut::Asked(
            "macOS takes the network from a single program only with tools that it warns against",
        )
    }
}

#[cfg(windows)]
mod system {
    use std::process::Command;

    use super::{Cut, Descriptors};
    use crate::doctor::ask;
    use crate::doctor::visit::Visit;

    pub const INSTALL_LINKER: &str = "winget install Microsoft.VisualStudio.2022.BuildTools --override \"--wait --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended\"";

    pub const MORE_MEMORY: &str = "`set CARGO_BUILD_JOBS=1` (in PowerShell `$env:CARGO_BUILD_JOBS=1`) makes cargo build one crate at a time, which needs less";

    /// Windows has no limit that anybody meets.
    pub fn descriptors() -> Option<Descriptors> {
        None
    }

    pub fn raise_descriptors(_needed: u64, _limits: Descriptors) -> String {
        String::new()
    }

    pub fn memory(visit: &Visit) -> Option<u64> {
        let mut command = Command::new("powershell");
        command.args([
            "-NoProfile",
            "-NonInteractive",
            "-Command",
            "(Get-CimInstance Win32_ComputerSystem).TotalPhysicalMemory",
        ]);
        ask::first_line(visit, command).ok()?.trim().parse().ok()
    }

    pub fn without_network(_visit: &Visit, _program: &std::ffi::OsStr) -> Cut {
        Cut::Asked(
            "Windows takes the network from a single program only with a firewall rule, and those belong to you",
        )
    }
}
