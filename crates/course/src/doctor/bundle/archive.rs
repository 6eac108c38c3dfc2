//! One `.tar.gz`: the same bytes for the same content, and either whole or not there.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::contained::Stop;
use crate::doctor::platform;
use crate::doctor::screen::Screen;
use crate::trouble::Trouble;

use super::{BOOK, VENDOR, cannot_write};

/// The time that all files get: the first of January 2026.
const TIME: u64 = 1_767_225_600;

/// An archive that is being written, beside the place where it will stand.
pub struct Archive {
    place: PathBuf,
    file: NamedTempFile,
}

/// What was packed.
pub struct Packed {
    /// Size of the archive.
    pub bytes: u64,
    /// Size of what is in it.
    pub unpacked: u64,
    /// How many files.
    pub files: usize,
    /// The one folder that it unpacks to.
    pub folder: String,
}

impl Archive {
    /// Begins an archive that will stand at `place`.
    ///
    /// # Errors
    ///
    /// When nothing can be written there.
    pub fn create(place: &Path) -> anyhow::Result<Archive> {
        let trouble = |why: String| {
            Trouble::input(format!(
                "The archive cannot be written to {}: {why}.",
                place.display()
            ))
        };
        if place.is_dir() {
            return Err(trouble("that is a folder; name a file in it".into()));
        }
        let folder = place.parent().unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(trouble("there is no such folder".into()));
        }
        let file = tempfile::Builder::new()
            .prefix(".loopbot-course-")
            .suffix(".part")
            .tempfile_in(folder)
            // Which temporary file it was is nobody's business.
            .map_err(|error| {
                let said = error.to_string();
                trouble(said.split(" at path").next().unwrap_or(&said).to_owned())
            })?;
        Ok(Archive {
            place: place.to_path_buf(),
            file,
        })
    }

    /// Packs everything in `stage` and puts the archive where it belongs.
    ///
    /// # Errors
    ///
    /// A full disk, a file that cannot be read, a stop: then nothing stands there that did not stand there before.
    pub fn pack(self, stage: &Path, stop: &Stop, screen: &mut Screen) -> anyhow::Result<Packed> {
        let files = files_below(stage)?;
        let all: u64 = files.iter().map(|(_, size)| size).sum();
        let folder = name(stage, &files)?;
        let mut unpacked = 0;
        let gzip = GzEncoder::new(BufWriter::new(self.file.as_file()), Compression::default());
        let mut tar = tar::Builder::new(gzip);
        for (file, size) in &files {
            if stop.is_raised() {
                return Err(Trouble::environment("Stopped."));
            }
            screen.detail(format!("{} of {} MiB", unpacked >> 20, all >> 20));
            screen.still();
            let content = read(&stage.join(file))?;
            append(&mut tar, &folder, file, &stage.join(file), &content)
                .map_err(|error| cannot_write(&self.place, &error))?;
            unpacked += size;
        }
        let written = tar
            .into_inner()
            .and_then(GzEncoder::finish)
            .and_then(|mut file| file.flush())
            .and_then(|()| self.file.as_file().sync_all());
        written.map_err(|error| cannot_write(&self.place, &error))?;
        let bytes = self.file.as_file().metadata()?.len();
        platform::readable_by_all(self.file.path())
            .map_err(|error| cannot_write(&self.place, &error))?;
        self.file
            .persist(&self.place)
            .map_err(|error| cannot_write(&self.place, &error.error))?;
        Ok(Packed {
            bytes,
            unpacked,
            files: files.len(),
            folder,
        })
    }
}

fn append(
    tar: &mut tar::Builder<impl Write>,
    folder: &str,
    file: &Path,
    from: &Path,
    content: &[u8],
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(content.len() as u64);
    header.set_mode(if platform::is_executable(from, content) {
        0o755
    } else {
        0o644
    });
    header.set_mtime(TIME);
    header.set_uid(0);
    header.set_gid(0);
    tar.append_data(&mut header, Path::new(folder).join(file), content)
}

/// The archive's folder. A part of its name comes from what we wrote ourselves: so a newer archive, unpacked in the same place,
/// stands beside the work that somebody has done in an older one. All files have the same time, and cargo goes by that.
fn name(stage: &Path, files: &[(PathBuf, u64)]) -> anyhow::Result<String> {
    let mut hasher = Sha256::new();
    for (file, size) in files {
        if file.starts_with(VENDOR) || file.starts_with(BOOK) {
            continue;
        }
        let content = read(&stage.join(file))?;
        let executable = platform::is_executable(&stage.join(file), &content);
        hasher.update(format!("{} {size} {executable}\n", slashes(file)));
        hasher.update(content);
    }
    let digest: String = hasher
        .finalize()
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(format!("loopbot-course-{digest}"))
}

fn slashes(file: &Path) -> String {
    file.display().to_string().replace('\\', "/")
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(file).map_err(|error| {
        Trouble::environment(format!("{} cannot be read ({error}).", file.display()))
    })
}

/// All files, with their sizes, in the order of their names.
fn files_below(stage: &Path) -> anyhow::Result<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    let mut folders = vec![stage.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let path = entry.path();
                let file = path.strip_prefix(stage)?.to_path_buf();
                files.push((file, entry.metadata()?.len()));
            }
        }
    }
    files.sort_by_cached_key(|(file, _)| slashes(file));
    Ok(files)
}

/// Opens an archive again.
#[cfg(test)]
pub(super) fn open(file: &Path) -> tar::Archive<flate2::read::GzDecoder<fs::File>> {
    tar::Archive::new(flate2::read::GzDecoder::new(fs::File::open(file).unwrap()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trouble::{status, status_of};

    fn stage(files: &[(&str, &str)]) -> tempfile::TempDir {
        let stage = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let file = stage.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        stage
    }

    fn pack(stage: &Path, place: &Path) -> Packed {
        Archive::create(place)
            .unwrap()
            .pack(stage, &Stop::new(), &mut Screen::silent())
            .unwrap()
    }

    const FILES: [(&str, &str); 4] = [
        ("b/two.rs", "2"),
        ("a.rs", "1"),
        ("vendor/x-1.0.0/lib.rs", "x"),
        (".ci/run", "#!/bin/sh\n"),
    ];

    #[test]
    fn the_same_content_gives_the_same_bytes_in_the_order_of_names() {
        let out = tempfile::tempdir().unwrap();
        let (one, two) = (out.path().join("one"), out.path().join("two"));
        pack(stage(&FILES).path(), &one);
        let reversed: Vec<_> = FILES.iter().rev().copied().collect();
        let packed = pack(stage(&reversed).path(), &two);
        assert!(fs::read(&one).unwrap() == fs::read(&two).unwrap());
        assert_eq!((packed.files, packed.unpacked), (4, 13));

        let mut archive = open(&one);
        let mut names = Vec::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!(header.mtime().unwrap(), TIME);
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            names.push(entry.path().unwrap().display().to_string());
        }
        let expected: Vec<String> = [".ci/run", "a.rs", "b/two.rs", "vendor/x-1.0.0/lib.rs"]
            .iter()
            .map(|name| format!("{}/{name}", packed.folder))
            .collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn another_content_of_ours_unpacks_to_another_folder() {
        let out = tempfile::tempdir().unwrap();
        let place = out.path().join("out.tar.gz");
        let before = pack(stage(&FILES).path(), &place).folder;
        let mut changed = FILES;
        changed[2].1 = "y";
        assert_eq!(pack(stage(&changed).path(), &place).folder, before);
        changed[1].1 = "another";
        assert_ne!(pack(stage(&changed).path(), &place).folder, before);
    }

    #[test]
    fn a_long_name_comes_out_whole() {
        let long = format!("vendor/{}/{}.rs", "n".repeat(90), "m".repeat(90));
        let stage = stage(&[(&long, "text")]);
        let out = tempfile::tempdir().unwrap();
        let place = out.path().join("out.tar.gz");
        let folder = pack(stage.path(), &place).folder;
        open(&place).unpack(out.path()).unwrap();
        let file = out.path().join(folder).join(long);
        assert_eq!(fs::read_to_string(file).unwrap(), "text");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_executable_stays_so() {
        use std::os::unix::fs::PermissionsExt;
        let stage = stage(&FILES);
        let script = stage.path().join(".ci/run");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
        let out = tempfile::tempdir().unwrap();
        let place = out.path().join("out.tar.gz");
        pack(stage.path(), &place);
        for entry in open(&place).entries().unwrap() {
            let entry = entry.unwrap();
            let expected = match entry.path().unwrap().ends_with("run") {
                true => 0o755,
                false => 0o644,
            };
            assert_eq!(entry.header().mode().unwrap(), expected);
        }
    }

    #[test]
    fn a_stop_leaves_what_stood_there_and_nothing_beside_it() {
        let out = tempfile::tempdir().unwrap();
        let place = out.path().join("out.tar.gz");
        fs::write(&place, "the old one").unwrap();
        let stop = Stop::new();
        stop.now();
        let archive = Archive::create(&place).unwrap();
        let packed = archive.pack(stage(&FILES).path(), &stop, &mut Screen::silent());
        assert!(packed.is_err());
        assert_eq!(fs::read_to_string(&place).unwrap(), "the old one");
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_refused_before_anything_is_done() {
        let out = tempfile::tempdir().unwrap();
        for (place, words) in [
            (out.path().to_path_buf(), "that is a folder"),
            (out.path().join("no/such/out.tar.gz"), "no such folder"),
        ] {
            let error = Archive::create(&place).err().unwrap();
            assert_eq!(status_of(&error), status::INPUT);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
