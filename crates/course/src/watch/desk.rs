//! What `watch` reads and writes in the course's folder.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::exercises::Exercise;
use crate::progress::{self, Standing};
use crate::starter;
use crate::trouble::Trouble;

use super::app::Texts;

/// How far the learner is with each exercise.
pub fn standings(root: &Path, exercises: &[Exercise]) -> Vec<Standing> {
    let standing = |exercise| progress::standing(root, exercise);
    exercises.iter().map(standing).collect()
}

/// The learner's code and the solution.
///
/// # Errors
///
/// One sentence that names the file, when one of them cannot be read.
pub fn texts(root: &Path, exercise: &Exercise) -> anyhow::Result<Texts> {
    let file = starter::solution_folder(root, exercise)
        .join("src")
        .join("lib.rs");
    let solution = fs::read_to_string(&file).map_err(|error| {
        Trouble::environment(format!("{} cannot be read ({error}).", file.display()))
    })?;
    Ok(Texts {
        mine: starter::edited(exercise)?,
        solution,
    })
}

/// Puts the starter back, after a copy of the learner's work; says where that is. `None` when there is no work.
///
/// # Errors
///
/// One sentence; then the learner's file is as it was.
pub fn reset(root: &Path, exercise: &Exercise) -> anyhow::Result<Option<PathBuf>> {
    if !starter::is_edited(root, exercise) {
        return Ok(None);
    }
    let shipped = starter::shipped(root, exercise)?;
    let copy = starter::back_up(root, exercise)?;
    let file = starter::edited_file(exercise);
    replace(&file, &shipped).map_err(|error| {
        Trouble::environment(format!(
            "{} cannot be written ({error}). A copy of your work is in {} all the same.",
            file.display(),
            copy.display()
        ))
    })?;
    Ok(Some(copy))
}

/// Written beside the file and moved over it, so that nobody ever reads half of it.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    // A link stays a link.
    let file = file.canonicalize()?;
    let permissions = fs::metadata(&file)?.permissions();
    if permissions.readonly() {
        return Err(std::io::ErrorKind::PermissionDenied.into());
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
    fresh.write_all(text.as_bytes())?;
    fresh.as_file().set_permissions(permissions)?;
    fresh.persist(&file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exercises;

    fn exercise(root: &Path) -> Exercise {
        let folder = exercises::tests::add(root, "03", "three", &[]);
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::create_dir_all(root.join("solutions/03-three/src")).unwrap();
        fs::write(folder.join("src/lib.rs"), "my work\n").unwrap();
        fs::write(root.join("solutions/03-three/starter.rs"), "todo\n").unwrap();
        fs::write(root.join("solutions/03-three/src/lib.rs"), "done\n").unwrap();
        exercises::load(root).unwrap().remove(0)
    }

    #[test]
    fn a_reset_keeps_the_work_and_says_where() {
        let root = tempfile::tempdir().unwrap();
        let exercise = exercise(root.path());
        let copy = reset(root.path(), &exercise).unwrap().unwrap();
        assert_eq!(fs::read_to_string(copy).unwrap(), "my work\n");
        assert_eq!(starter::edited(&exercise).unwrap(), "todo\n");
        // Now there is nothing to keep.
        assert_eq!(reset(root.path(), &exercise).unwrap(), None);
        let backups = root.path().join(".progress/backups/03-three");
        assert_eq!(fs::read_dir(backups).unwrap().count(), 1);
    }

    #[test]
    fn without_a_copy_or_a_starter_nothing_is_changed() {
        let root = tempfile::tempdir().unwrap();
        let exercise = exercise(root.path());
        fs::write(root.path().join(".progress"), "").unwrap();
        let error = reset(root.path(), &exercise).unwrap_err().to_string();
        assert!(error.contains("nothing was changed"), "{error}");
        fs::remove_file(root.path().join("solutions/03-three/starter.rs")).unwrap();
        let error = reset(root.path(), &exercise).unwrap_err().to_string();
        assert!(error.contains("starter.rs cannot be read"), "{error}");
        assert_eq!(starter::edited(&exercise).unwrap(), "my work\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_reset_keeps_the_files_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let exercise = exercise(root.path());
        let file = starter::edited_file(&exercise);
        let mode = || fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).unwrap();
        reset(root.path(), &exercise).unwrap();
        assert_eq!(mode(), 0o664);
        fs::write(&file, "more work").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
        let error = reset(root.path(), &exercise).unwrap_err().to_string();
        assert!(error.contains("cannot be written"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "more work");
    }

    #[test]
    fn a_missing_solution_is_named() {
        let root = tempfile::tempdir().unwrap();
        let exercise = exercise(root.path());
        let both = texts(root.path(), &exercise).unwrap();
        assert_eq!(
            (both.mine.as_str(), both.solution.as_str()),
            ("my work\n", "done\n")
        );
        fs::remove_file(root.path().join("solutions/03-three/src/lib.rs")).unwrap();
        let error = texts(root.path(), &exercise).unwrap_err().to_string();
        assert!(error.contains("solutions/03-three/src/lib.rs"), "{error}");
    }
}
