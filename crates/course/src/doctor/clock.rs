//! The clock: cargo builds again what is newer than what it built, so files and this machine have to agree what time it is.

use std::path::Path;
use std::time::{Duration, SystemTime};
use std::{fs, io};

use super::finding::Finding;
use super::visit::Visit;

/// File systems round, and network drives are a little off.
const LEEWAY: Duration = Duration::from_secs(10);

/// Whether new files get the time that it is, and none is from the future.
pub fn clock(visit: &Visit) -> Finding {
    let now = SystemTime::now();
    let sources = ["Cargo.toml", "Cargo.lock", "exercises"]
        .iter()
        .filter_map(|name| fs::metadata(visit.root.join(name)).ok()?.modified().ok())
        .max();
    judge(now, sources, new_file(&visit.target()))
}

fn judge(now: SystemTime, sources: Option<SystemTime>, new: io::Result<SystemTime>) -> Finding {
    let what = "clock";
    let ahead = sources.and_then(|time| time.duration_since(now).ok());
    if let Some(ahead) = ahead.filter(|ahead| *ahead > LEEWAY) {
        return Finding::note(
            what,
            format!(
                "Files of the course are from the future, by {}: cargo will build them again and again.",
                rough(ahead)
            ),
            "set this machine's clock",
        );
    }
    let apart = new.ok().map(|new| {
        new.duration_since(now)
            .unwrap_or_else(|error| error.duration())
    });
    match apart {
        Some(apart) if apart > LEEWAY => Finding::note(
            what,
            format!(
                "A new file where cargo builds gets a time that is {} off: cargo may not see what you change.",
                rough(apart)
            ),
            "set CARGO_TARGET_DIR to a folder on a disk of this machine, or set the clock",
        ),
        _ => Finding::ok(what, "Files and this machine agree what time it is."),
    }
}

fn new_file(folder: &Path) -> io::Result<SystemTime> {
    let file = tempfile::NamedTempFile::new_in(folder)?;
    fs::write(file.path(), "now")?;
    file.as_file().metadata()?.modified()
}

fn rough(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..=120 => format!("{seconds} seconds"),
        seconds @ ..=7200 => format!("{} minutes", seconds / 60),
        seconds @ ..=172_800 => format!("{} hours", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;

    #[test]
    fn files_from_the_future_are_a_finding() {
        let now = SystemTime::now();
        let day = Duration::from_secs(86_400);
        assert_eq!(judge(now, Some(now - day), Ok(now)).state, State::Ok);
        let finding = judge(now, Some(now + 3 * day), Ok(now));
        assert_eq!(finding.state, State::Note);
        assert!(finding.found.contains("3 days"), "{finding:?}");
    }

    #[test]
    fn a_drive_with_a_clock_of_its_own_is_a_finding() {
        let now = SystemTime::now();
        let finding = judge(now, Some(now), Ok(now - Duration::from_secs(300)));
        assert_eq!(finding.state, State::Note);
        assert!(finding.found.contains("5 minutes"), "{finding:?}");
        // A folder that nothing can be written to is the business of another look.
        let unknown = judge(now, None, Err(io::ErrorKind::PermissionDenied.into()));
        assert_eq!(unknown.state, State::Ok);
    }
}
