//! What the course remembers about a learner: `.progress/progress.json` at the workspace's root.
//!
//! Keys that this version does not know are kept. A damaged file is moved aside, never overwritten. Where nothing can be
//! written (a read-only folder), everything works and nothing is remembered.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

/// The memory of one workspace.
pub struct Progress {
    file: PathBuf,
    value: Value,
    /// What the learner should know about the file, if anything.
    pub note: Option<String>,
}

impl Progress {
    /// Reads what there is.
    pub fn open(root: &Path) -> Progress {
        let file = root.join(".progress").join("progress.json");
        let fresh = || json!({ "version": 1 });
        let (value, note) = match fs::read_to_string(&file) {
            Err(_) => (fresh(), None),
            Ok(text) => match serde_json::from_str(&text) {
                Ok(value @ Value::Object(_)) => (value, None),
                _ => {
                    let aside = free_name(&file);
                    let moved = fs::rename(&file, &aside).is_ok();
                    let place = if moved {
                        format!("; it is kept as {}", aside.display())
                    } else {
                        String::new()
                    };
                    (
                        fresh(),
                        Some(format!(
                            "{} was damaged and is begun anew{place}.",
                            file.display()
                        )),
                    )
                }
            },
        };
        Progress { file, value, note }
    }

    /// How many hints of an exercise have been shown.
    pub fn hints_shown(&self, number: &str) -> usize {
        self.value["exercises"][number]["hints"]
            .as_u64()
            .unwrap_or(0) as usize
    }

    /// Remembers it. `false` when it could not be written.
    pub fn set_hints_shown(&mut self, number: &str, shown: usize) -> bool {
        for key in ["exercises", number] {
            // Built step by step, since indexing into something that is no object panics.
            let parent = if key == number {
                &mut self.value["exercises"]
            } else {
                &mut self.value
            };
            if !parent[key].is_object() {
                parent[key] = Value::Object(Map::new());
            }
        }
        self.value["exercises"][number]["hints"] = shown.into();
        self.save().is_ok()
    }

    /// Written beside the file and moved over it: a crash leaves the old one.
    fn save(&self) -> std::io::Result<()> {
        let folder = self.file.parent().expect("the file has a folder");
        fs::create_dir_all(folder)?;
        let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut fresh, &self.value)?;
        fresh.write_all(b"\n")?;
        fresh.persist(&self.file)?;
        Ok(())
    }
}

fn free_name(file: &Path) -> PathBuf {
    (1..)
        .map(|n| file.with_extension(format!("damaged-{n}.json")))
        .find(|name| !name.exists())
        .expect("numbers do not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_there_next_time_and_other_keys_stay() {
        let root = tempfile::tempdir().unwrap();
        let mut progress = Progress::open(root.path());
        assert_eq!(progress.hints_shown("03"), 0);
        progress.value["later"] = json!({ "a": 1 });
        assert!(progress.set_hints_shown("03", 2));
        let again = Progress::open(root.path());
        assert_eq!(
            (again.hints_shown("03"), &again.value["later"]["a"]),
            (2, &json!(1))
        );
    }

    #[test]
    fn a_damaged_file_is_kept_aside() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(".progress")).unwrap();
        fs::write(
            root.path().join(".progress/progress.json"),
            "{\"exercises\": ",
        )
        .unwrap();
        let mut progress = Progress::open(root.path());
        assert!(progress.note.as_deref().unwrap().contains("damaged-1.json"));
        assert!(progress.set_hints_shown("03", 1));
        let kept =
            fs::read_to_string(root.path().join(".progress/progress.damaged-1.json")).unwrap();
        assert_eq!(kept, "{\"exercises\": ");
    }

    #[test]
    fn odd_shapes_do_not_panic() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(".progress")).unwrap();
        fs::write(
            root.path().join(".progress/progress.json"),
            "{\"exercises\": [1, 2]}",
        )
        .unwrap();
        let mut progress = Progress::open(root.path());
        assert_eq!(progress.hints_shown("03"), 0);
        assert!(progress.set_hints_shown("03", 1));
        assert_eq!(Progress::open(root.path()).hints_shown("03"), 1);
    }
}
