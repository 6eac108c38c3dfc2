//! Follows the files of one exercise: tells when they have been saved, once for each time.
//!
//! The operating system tells of changes where it can. It cannot on network drives, nor on Windows' drives under WSL: there
//! the files are looked at twice a second.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use notify::event::{MetadataKind, ModifyKind};
use notify::{Config, EventKind, PollWatcher, RecursiveMode, Watcher};

/// An editor writes a file in several steps: it is saved when this long nothing more has happened.
const QUIET: Duration = Duration::from_millis(40);
/// A file that never comes to rest counts as saved after this.
const RESTLESS: Duration = Duration::from_secs(1);
/// How often the files are looked at, where nobody tells.
const LOOK: Duration = Duration::from_millis(500);

/// The exercise whose files count.
#[derive(Clone, Debug, Default)]
struct Followed {
    exercise: usize,
    /// Its folder, under each name that the system may use for it.
    names: Vec<PathBuf>,
}

/// Follows as long as it lives.
pub struct Follower {
    watcher: Box<dyn Watcher + Send>,
    followed: Arc<Mutex<Followed>>,
    /// What is watched now, where that is one exercise alone.
    polled: Option<PathBuf>,
    polls: bool,
}

impl Follower {
    /// Begins, with no exercise to follow. Gives a sentence as well when the files have to be looked at. `saved` is called,
    /// on another thread, with the exercise's place in the list.
    ///
    /// # Errors
    ///
    /// When the files can be followed in neither way.
    pub fn start(
        root: &Path,
        poll: bool,
        saved: impl Fn(usize) + Send + 'static,
    ) -> anyhow::Result<(Follower, Option<String>)> {
        let (send, changes) = mpsc::channel();
        thread::Builder::new()
            .name("saves".into())
            .spawn(move || settle(&changes, QUIET, RESTLESS, &saved))?;
        let followed = Arc::new(Mutex::new(Followed::default()));
        let hear = {
            let followed = Arc::clone(&followed);
            move |event: notify::Result<notify::Event>| {
                // An error is no save. Where it means that events were lost, the learner saves again.
                let Ok(event) = event else { return };
                let followed = followed.lock().unwrap_or_else(PoisonError::into_inner);
                if counts(&event, &followed.names) {
                    let _ = send.send(followed.exercise);
                }
            }
        };
        let shelf = root.join("exercises");
        let why = if poll {
            Some(String::new())
        } else {
            no_news_from(&shelf)
        };
        let why = match why {
            Some(why) => why,
            None => {
                let native = notify::recommended_watcher(hear.clone()).and_then(|mut watcher| {
                    watcher.watch(&shelf, RecursiveMode::Recursive)?;
                    Ok(watcher)
                });
                match native {
                    Ok(watcher) => {
                        let follower = Follower {
                            watcher: Box::new(watcher),
                            followed,
                            polled: None,
                            polls: false,
                        };
                        return Ok((follower, None));
                    }
                    Err(error) => format!("the system does not tell of changes ({error})"),
                }
            }
        };
        // The time of a change is kept in whole seconds by some drives, so the contents are compared.
        let config = Config::default()
            .with_poll_interval(LOOK)
            .with_compare_contents(true);
        let watcher = PollWatcher::new(hear, config)?;
        let follower = Follower {
            watcher: Box::new(watcher),
            followed,
            polled: None,
            polls: true,
        };
        let note =
            (!why.is_empty()).then(|| format!("The files are looked at twice a second: {why}."));
        Ok((follower, note))
    }

    /// From now on, these files count and no others.
    ///
    /// # Errors
    ///
    /// When the folder cannot be looked at.
    pub fn follow(&mut self, exercise: usize, folder: &Path) -> anyhow::Result<()> {
        let mut names = vec![folder.to_path_buf()];
        names.extend(folder.canonicalize());
        *self.followed.lock().unwrap_or_else(PoisonError::into_inner) =
            Followed { exercise, names };
        if self.polls {
            if let Some(before) = self.polled.take() {
                let _ = self.watcher.unwatch(&before);
            }
            self.watcher.watch(folder, RecursiveMode::Recursive)?;
            self.polled = Some(folder.to_path_buf());
        }
        Ok(())
    }
}

/// Calls `saved` once for each series of changes that comes to rest, or does not want to.
fn settle(changes: &Receiver<usize>, quiet: Duration, restless: Duration, saved: &dyn Fn(usize)) {
    while let Ok(mut exercise) = changes.recv() {
        let first = Instant::now();
        loop {
            match changes.recv_timeout(quiet) {
                Ok(next) if first.elapsed() < restless => exercise = next,
                Ok(_) | Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    saved(exercise);
                    return;
                }
            }
        }
        saved(exercise);
    }
}

/// Whether this is a change to a file of the exercise that its tests depend on.
fn counts(event: &notify::Event, names: &[PathBuf]) -> bool {
    if event.need_rescan() {
        return true;
    }
    let is_change = match event.kind {
        // Reading a file is an event, too, and a build reads every file.
        EventKind::Access(_) => false,
        EventKind::Modify(ModifyKind::Metadata(kind)) => {
            matches!(kind, MetadataKind::WriteTime | MetadataKind::Any)
        }
        _ => true,
    };
    let is_place_taken = matches!(
        event.kind,
        EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
    );
    is_change
        && event.paths.iter().any(|path| {
            names
                .iter()
                .filter_map(|name| path.strip_prefix(name).ok())
                .any(|inside| is_source(inside) || (is_place_taken && is_folder(inside)))
        })
}

/// A Rust file or the manifest. What an editor leaves behind (`.lib.rs.swp`, `lib.rs~`, `#lib.rs#`, `4913`) is neither.
fn is_source(inside: &Path) -> bool {
    let hidden = inside
        .components()
        .any(|part| part.as_os_str().to_string_lossy().starts_with('.'));
    let built = inside.starts_with("target");
    !hidden
        && !built
        && (inside.extension().is_some_and(|end| end == "rs") || inside == Path::new("Cargo.toml"))
}

/// A folder that git or an unpacking puts in the place of another.
fn is_folder(inside: &Path) -> bool {
    ["", "src", "tests"]
        .iter()
        .any(|name| inside == Path::new(name))
}

/// Why the system would not tell of changes in this folder, if it would not.
fn no_news_from(folder: &Path) -> Option<String> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    let folder = folder.canonicalize().ok()?;
    let kind = file_system(&mounts, &folder)?;
    is_elsewhere(kind).then(|| format!("nobody tells of changes on a drive of the kind {kind}"))
}

/// The kind of file system that a folder is on, by the table that Linux keeps.
fn file_system<'a>(mounts: &'a str, folder: &Path) -> Option<&'a str> {
    let mounted = mounts.lines().filter_map(|line| {
        // ID, parent, device, root, mount point, options, any number of fields, "-", kind, ...
        let (before, after) = line.split_once(" - ")?;
        let point = before.split(' ').nth(4)?.replace("\\040", " ");
        let kind = after.split(' ').next()?;
        Some((PathBuf::from(point), kind))
    });
    mounted
        .filter(|(point, _)| folder.starts_with(point))
        // Of two at the same place, the later covers the earlier.
        .max_by_key(|(point, _)| point.components().count())
        .map(|(_, kind)| kind)
}

/// File systems whose files are changed by another machine, or by another system on this one: WSL's Windows drives, network
/// drives, and the folders that virtual machines share with their host.
fn is_elsewhere(kind: &str) -> bool {
    matches!(
        kind,
        "9p" | "drvfs"
            | "wslfs"
            | "virtiofs"
            | "vboxsf"
            | "prl_fs"
            | "vmhgfs"
            | "nfs"
            | "nfs4"
            | "cifs"
            | "smb3"
            | "smbfs"
            | "afs"
            | "ceph"
    ) || kind.starts_with("fuse")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Sender;

    use notify::event::{AccessKind, AccessMode, CreateKind, DataChange, RenameMode};

    use super::*;

    /// No wait in these tests is longer. It is an end, not a measurement.
    const PATIENCE: Duration = Duration::from_secs(60);

    fn event(kind: EventKind, path: &str) -> notify::Event {
        notify::Event::new(kind).add_path(PathBuf::from(path))
    }

    const WRITTEN: EventKind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    const MOVED: EventKind = EventKind::Modify(ModifyKind::Name(RenameMode::To));

    #[test]
    fn files_of_the_exercise_count_and_no_others() {
        let names = [PathBuf::from("/course/exercises/03-three")];
        let counts = |path: &str| counts(&event(WRITTEN, path), &names);
        for path in [
            "src/lib.rs",
            "src/help.rs",
            "tests/one_table.rs",
            "Cargo.toml",
        ] {
            assert!(
                counts(&format!("/course/exercises/03-three/{path}")),
                "{path}"
            );
        }
        for path in [
            "/course/exercises/04-four/src/lib.rs",
            "/course/exercises/03-three-more/src/lib.rs",
            "/course/crates/whatif/src/lib.rs",
            "/course/exercises/03-three/exercise.toml",
            "/course/exercises/03-three/notes.md",
            "/course/exercises/03-three/src/.lib.rs.swp",
            "/course/exercises/03-three/src/.#lib.rs",
            "/course/exercises/03-three/src/#lib.rs#",
            "/course/exercises/03-three/src/lib.rs~",
            "/course/exercises/03-three/src/lib.rs___jb_tmp___",
            "/course/exercises/03-three/src/4913",
            "/course/exercises/03-three/src",
            "/course/exercises/03-three/.git/x.rs",
            "/course/exercises/03-three/target/debug/x.rs",
        ] {
            assert!(!counts(path), "{path}");
        }
    }

    #[test]
    fn a_file_that_is_read_is_not_saved_and_one_that_is_moved_there_is() {
        let names = [PathBuf::from("/e")];
        let counts = |kind, path| counts(&event(kind, path), &names);
        let read = EventKind::Access(AccessKind::Open(AccessMode::Read));
        let attributes = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Permissions));
        assert!(!counts(read, "/e/src/lib.rs"));
        assert!(!counts(attributes, "/e/src/lib.rs"));
        assert!(counts(MOVED, "/e/src/lib.rs"));
        assert!(counts(EventKind::Create(CreateKind::File), "/e/src/lib.rs"));
        assert!(counts(MOVED, "/e/src"));
        assert!(counts(EventKind::Create(CreateKind::Folder), "/e"));
    }

    #[test]
    fn a_series_of_changes_is_one_save() {
        let (send, changes) = mpsc::channel();
        for exercise in [2, 2, 2, 3] {
            send.send(exercise).unwrap();
        }
        drop(send);
        let saves = Mutex::new(Vec::new());
        // Quiet for an hour would be needed, and the end of the changes is an end as well.
        let hour = Duration::from_secs(3600);
        settle(&changes, hour, hour, &|exercise| {
            saves.lock().unwrap().push(exercise);
        });
        assert_eq!(*saves.lock().unwrap(), [3]);
    }

    #[test]
    fn changes_without_an_end_are_saves_all_the_same() {
        let (send, changes) = mpsc::channel();
        for _ in 0..10 {
            send.send(1).unwrap();
        }
        drop(send);
        let saves = Mutex::new(0);
        let hour = Duration::from_secs(3600);
        settle(&changes, hour, Duration::ZERO, &|_| {
            *saves.lock().unwrap() += 1;
        });
        assert_eq!(*saves.lock().unwrap(), 5);
    }

    fn a_save_is_heard_of(poll: bool) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("exercises/03-three");
        let other = root.path().join("exercises/04-four");
        for folder in [&folder, &other] {
            std::fs::create_dir_all(folder.join("src")).unwrap();
            std::fs::write(folder.join("src/lib.rs"), "one").unwrap();
        }
        let (send, saved): (Sender<usize>, _) = mpsc::channel();
        let (mut follower, _) = Follower::start(root.path(), poll, move |exercise| {
            let _ = send.send(exercise);
        })
        .unwrap();
        follower.follow(7, &folder).unwrap();
        // As vim does it: a file beside it, moved over it.
        std::fs::write(other.join("src/lib.rs"), "not this one").unwrap();
        std::fs::write(folder.join("src/4913"), "two").unwrap();
        std::fs::rename(folder.join("src/4913"), folder.join("src/lib.rs")).unwrap();
        assert_eq!(saved.recv_timeout(PATIENCE), Ok(7));
        follower.follow(8, &other).unwrap();
        std::fs::write(other.join("src/lib.rs"), "this one now").unwrap();
        let next = std::iter::from_fn(|| saved.recv_timeout(PATIENCE).ok()).find(|n| *n == 8);
        assert_eq!(next, Some(8));
    }

    #[test]
    fn a_save_is_heard_of_where_the_system_tells() {
        a_save_is_heard_of(false);
    }

    #[test]
    fn a_save_is_heard_of_where_the_files_are_looked_at() {
        a_save_is_heard_of(true);
    }

    #[test]
    fn drives_that_tell_nothing_are_known_by_their_kind() {
        let mounts = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/c rw,noatime - 9p C:\\134 rw,aname=drvfs
31 22 0:41 / /home/ada rw - nfs4 server:/home rw
32 22 0:42 / /media/my\\040disk rw - ext4 /dev/sdb1 rw
33 22 0:43 / /home/ada/here rw master:3 - fuse.sshfs x rw
broken
";
        let kind = |folder: &str| file_system(mounts, Path::new(folder));
        assert_eq!(kind("/srv/course"), Some("ext4"));
        assert_eq!(kind("/mnt/c/course"), Some("9p"));
        assert_eq!(kind("/mnt/cc/course"), Some("ext4"));
        assert_eq!(kind("/home/ada/course"), Some("nfs4"));
        assert_eq!(kind("/home/ada/here/course"), Some("fuse.sshfs"));
        assert_eq!(kind("/media/my disk/course"), Some("ext4"));
        for kind in ["9p", "nfs4", "cifs", "fuse.sshfs", "fuseblk"] {
            assert!(is_elsewhere(kind), "{kind}");
        }
        for kind in ["ext4", "btrfs", "xfs", "tmpfs", "overlay", "zfs"] {
            assert!(!is_elsewhere(kind), "{kind}");
        }
    }
}
