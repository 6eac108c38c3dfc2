//! The starter of an exercise, and what became of it.
//!
//! The learner edits `exercises/NN-slug/src/lib.rs`. The same file as it was shipped lies beside the solution, as
//! `solutions/NN-slug/starter.rs`: so an exercise can be compared with its beginning, and put back to it, without git, in an
//! unpacked archive, and for somebody who commits their answers. `course verify` holds the two together.
//!
//! Nothing here writes over a learner's work without a copy of it: [`back_up`] comes first.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use jiff::Zoned;

use crate::exercises::Exercise;
use crate::trouble::Trouble;

/// The file that the learner edits.
pub fn edited_file(exercise: &Exercise) -> PathBuf {
    exercise.folder.join("src").join("lib.rs")
}

/// Where the starter of an exercise lies.
pub fn shipped_file(root: &Path, exercise: &Exercise) -> PathBuf {
    solution_folder(root, exercise).join("starter.rs")
}

/// The folder of an exercise's solution.
pub fn solution_folder(root: &Path, exercise: &Exercise) -> PathBuf {
    root.join("solutions")
        .join(format!("{}-{}", exercise.number, exercise.slug))
}

/// The starter as it was shipped.
///
/// # Errors
///
/// One sentence that names the file, when it cannot be read.
pub fn shipped(root: &Path, exercise: &Exercise) -> anyhow::Result<String> {
    read(&shipped_file(root, exercise))
}

/// What the learner has written so far.
///
/// # Errors
///
/// One sentence that names the file, when it cannot be read.
pub fn edited(exercise: &Exercise) -> anyhow::Result<String> {
    read(&edited_file(exercise))
}

/// Whether the learner's file differs from the starter. Line endings do not count, for git may change them.
pub fn is_edited(root: &Path, exercise: &Exercise) -> bool {
    match (shipped(root, exercise), edited(exercise)) {
        (Ok(shipped), Ok(edited)) => !shipped.lines().eq(edited.lines()),
        // Without one of the two nobody can tell, and then it is taken for work.
        _ => true,
    }
}

/// Copies the learner's file to `.progress/backups/NN-slug/DATE.rs` and says where that is. Never writes over another copy.
///
/// # Errors
///
/// One sentence, when the copy cannot be made: then the file must be left alone.
pub fn back_up(root: &Path, exercise: &Exercise) -> anyhow::Result<PathBuf> {
    let file = edited_file(exercise);
    // Byte for byte: it is the learner's, and need not be text.
    let work = fs::read(&file).map_err(|error| unreadable(&file, &error))?;
    let name = format!("{}-{}", exercise.number, exercise.slug);
    keep_copy(root, &name, &work)
}

/// The same for what somebody else has found: `exercise` is the name of the exercise's folder.
pub(crate) fn keep_copy(root: &Path, exercise: &str, work: &[u8]) -> anyhow::Result<PathBuf> {
    let folder = root.join(".progress").join("backups").join(exercise);
    let now = Zoned::now().strftime("%Y-%m-%d-%H%M%S").to_string();
    keep(&folder, &now, work).map_err(|error| {
        Trouble::environment(format!(
            "No copy of your work could be made in {} ({error}), so nothing was changed.",
            folder.display()
        ))
    })
}

/// Writes a file beside itself and moves it into place: whatever happens, there is either the old one or the new one, whole.
///
/// # Errors
///
/// When it cannot be written. Then the old one is as it was.
pub fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    // Through a link, to what it names.
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf());
    let folder = file.parent().expect("a file lies in a folder");
    let mut fresh = beside(folder)?;
    fresh.write_all(content)?;
    if let Ok(old) = fs::metadata(&file) {
        fresh.as_file().set_permissions(old.permissions())?;
    }
    fresh.as_file().sync_all()?;
    // On Windows, a file that somebody reads at this moment cannot be replaced; they are done soon.
    let mut patience = if cfg!(windows) { 50 } else { 0 };
    loop {
        match fresh.persist(&file) {
            Ok(_) => break,
            Err(refused)
                if patience > 0 && refused.error.kind() == io::ErrorKind::PermissionDenied =>
            {
                patience -= 1;
                thread::sleep(Duration::from_millis(10));
                fresh = refused.file;
            }
            Err(refused) => return Err(refused.error),
        }
    }
    // So that the new name lasts, where a folder can be told so.
    if let Ok(folder) = fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// A new file that others may read as far as the learner lets them read any: tempfile alone would hide it from them.
fn beside(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    let everybody: fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(everybody);
    builder.prefix(".course-").tempfile_in(folder)
}

fn keep(folder: &Path, name: &str, work: &[u8]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    for n in 1.. {
        let file = match n {
            1 => folder.join(format!("{name}.rs")),
            n => folder.join(format!("{name}-{n}.rs")),
        };
        match fs::File::create_new(&file) {
            Ok(mut copy) => {
                if let Err(error) = copy.write_all(work).and_then(|()| copy.sync_all()) {
                    // Half a copy would look like one.
                    let _ = fs::remove_file(&file);
                    return Err(error);
                }
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    unreachable!("numbers do not end")
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).map_err(|error| unreadable(file, &error))
}

fn unreadable(file: &Path, error: &io::Error) -> anyhow::Error {
    Trouble::environment(format!("{} cannot be read ({error}).", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exercises;

    fn exercise(root: &Path) -> Exercise {
        let folder = exercises::tests::add(root, "03", "three", &[]);
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::create_dir_all(root.join("solutions/03-three")).unwrap();
        fs::write(folder.join("src/lib.rs"), "todo\n").unwrap();
        fs::write(root.join("solutions/03-three/starter.rs"), "todo\n").unwrap();
        exercises::load(root).unwrap().remove(0)
    }

    #[test]
    fn a_changed_line_is_work_and_a_changed_line_ending_is_not() {
        let root = tempfile::tempdir().unwrap();
        let exercise = exercise(root.path());
        assert!(!is_edited(root.path(), &exercise));
        fs::write(edited_file(&exercise), "todo\r\n").unwrap();
        assert!(!is_edited(root.path(), &exercise));
        fs::write(edited_file(&exercise), "done\n").unwrap();
        assert!(is_edited(root.path(), &exercise));
    }

    #[test]
    fn copies_never_replace_each_other() {
        let root = tempfile::tempdir().unwrap();
        let exercise = exercise(root.path());
        let mut copies = Vec::new();
        for work in ["one", "two", "three"] {
            fs::write(edited_file(&exercise), work).unwrap();
            copies.push((back_up(root.path(), &exercise).unwrap(), work));
        }
        for (copy, work) in copies {
            assert_eq!(fs::read_to_string(copy).unwrap(), work);
        }
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        for content in [&b"one"[..], b"", &[7; 100_000]] {
            replace(&file, content).unwrap();
            assert_eq!(fs::read(&file).unwrap(), content);
        }
        let in_the_way = root.path().join("folder");
        fs::create_dir_all(in_the_way.join("full")).unwrap();
        assert!(replace(&in_the_way, b"one").is_err());
        assert_eq!(
            fs::read_dir(root.path()).unwrap().count(),
            2,
            "nothing is left beside"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_as_readable_as_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let (ours, any) = (root.path().join("ours"), root.path().join("any"));
        replace(&ours, b"").unwrap();
        fs::write(&any, "").unwrap();
        let mode = |file: &Path| fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&any));
    }

    #[test]
    fn where_no_copy_can_be_made_the_sentence_says_that_nothing_was_changed() {
        let root = tempfile::tempdir().unwrap();
        let exercise = exercise(root.path());
        fs::write(root.path().join(".progress"), "").unwrap();
        let error = back_up(root.path(), &exercise).unwrap_err();
        assert!(error.to_string().contains("nothing was changed"), "{error}");
    }
}
