//! `course bundle`: one archive for a room without Internet.
//!
//! In it are the `sources`, the crates of others (`vendored`), the book as pages that open from a file, and a text to
//! start with (`start_here`). All of it is laid out in a folder of its own first, and packed (`archive`) from there: the
//! archive is made of nothing else, whatever else lies about in the folder of the course.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use crate::contained::Stop;
use crate::trouble::{Trouble, status};
use crate::{book, cli, interrupt};

use super::finding::Finding;
use super::screen::Screen;
use super::visit::Visit;

mod archive;
mod sources;
mod start_here;
mod vendored;

pub use sources::Sources;

/// Folder of the crates of others in the archive.
const VENDOR: &str = "vendor";
/// Folder of the book's pages in the archive.
const BOOK: &str = "book-html";
/// What to read first.
const START_HERE: &str = "START-HERE.txt";
/// On a slow network, hundreds of crates take their time.
const DOWNLOAD: Duration = Duration::from_secs(1800);

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct BundleArgs {
    /// Write it here [default: loopbot-course.tar.gz in the current folder]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Ship the exercises as you have solved them, in place of the starters
    #[arg(long)]
    pub with_my_work: bool,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// What was made.
#[derive(Debug)]
pub struct Bundle {
    /// The archive.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// What it takes on a disk, unpacked.
    pub unpacked: u64,
    /// How many files are in it.
    pub files: usize,
    /// How many crates of others.
    pub crates: usize,
    /// The one folder that it unpacks to.
    pub folder: String,
    /// What was shipped and what was not.
    pub sources: Sources,
}

/// Makes the archive and says where it is.
///
/// # Errors
///
/// One sentence: a folder that cannot be written, a full disk, crates that are missing while there is no network.
pub fn command(root: &Path, args: &BundleArgs) -> anyhow::Result<u8> {
    let interrupt = interrupt::listen()?;
    let begun = Instant::now();
    let output = match &args.output {
        Some(output) => output.clone(),
        None => PathBuf::from("loopbot-course.tar.gz"),
    };
    let mut screen = Screen::new(args.json);
    let made = make(
        root,
        &std::path::absolute(output)?,
        args.with_my_work,
        interrupt.stop(),
        &mut screen,
    );
    screen.clear();
    let bundle = match made {
        // Whoever stops us at the very end has an archive all the same.
        Ok(bundle) => bundle,
        Err(_) if interrupt.stop().is_raised() => {
            remark!("Stopped. No archive was written.");
            return Ok(status::INTERRUPTED);
        }
        Err(error) => return Err(error),
    };
    let text = if args.json {
        let answer = json!({
            "file": bundle.file,
            "bytes": bundle.bytes,
            "unpacked_bytes": bundle.unpacked,
            "files": bundle.files,
            "crates": bundle.crates,
            "folder": bundle.folder,
            "starters_for": bundle.sources.starters_for,
            "work_of": bundle.sources.work_of,
            "left_out": bundle.sources.left_out,
            "workspaces_apart": bundle.sources.workspaces_apart,
            "seconds": super::seconds(begun.elapsed()),
        });
        format!("{answer:#}\n")
    } else {
        said(&bundle, begun.elapsed())
    };
    cli::print(&text)?;
    Ok(status::DONE)
}

/// Makes the archive.
///
/// # Errors
///
/// One sentence, and whatever stood at `output` before stands there still.
pub fn make(
    root: &Path,
    output: &Path,
    with_my_work: bool,
    stop: &Stop,
    screen: &mut Screen,
) -> anyhow::Result<Bundle> {
    // Before anything else: nobody wants to wait for an archive that cannot be written.
    let archive = archive::Archive::create(output)?;
    let mut visit = Visit::new(root);
    visit.stop = stop.clone();
    visit.limit = DOWNLOAD;
    let stage = stage(&visit)?;

    screen.begins_with("sources", "copies what is shipped");
    let sources = sources::lay_out(&visit, output, stage.path(), with_my_work)?;
    screen.found(&Finding::ok("sources", format!("{} files.", sources.files)))?;

    screen.begins_with("crates", "copies those of others");
    let crates = vendored::lay_out(&visit, stage.path(), screen)?;
    screen.found(&Finding::ok("crates", format!("{crates} of others.")))?;

    screen.begins_with("book", "builds the pages");
    let pages = lay_out_book(stage.path())?;
    screen.found(&Finding::ok("book", format!("{pages} pages.")))?;

    start_here::write(stage.path(), &sources)?;
    screen.begins_with("archive", "packs");
    let packed = archive.pack(stage.path(), stop, screen)?;
    screen.found(&Finding::ok("archive", format!("{} files.", packed.files)))?;
    screen.begins_with("folder", "takes away what it was laid out in");
    drop(stage);
    Ok(Bundle {
        file: output.to_path_buf(),
        bytes: packed.bytes,
        unpacked: packed.unpacked,
        files: packed.files,
        crates,
        folder: packed.folder,
        sources,
    })
}

/// A folder to lay things out in, where cargo builds: there is room there, and `cargo clean` takes away what a crash leaves.
fn stage(visit: &Visit) -> anyhow::Result<tempfile::TempDir> {
    let place = visit.target();
    let here = |folder: &Path| {
        tempfile::Builder::new()
            .prefix("bundle-")
            .tempdir_in(folder)
    };
    fs::create_dir_all(&place)
        .and_then(|()| here(&place))
        .or_else(|_| here(&visit.tools.temp))
        .map_err(|error| {
            Trouble::environment(format!(
                "The archive cannot be prepared: neither in {} nor in {} can anything be written ({error}). Set CARGO_TARGET_DIR to a folder of yours.",
                place.display(),
                visit.tools.temp.display()
            ))
        })
}

fn lay_out_book(stage: &Path) -> anyhow::Result<usize> {
    let report = book::build(&stage.join("book"), &stage.join(BOOK))
        .map_err(|error| Trouble::environment(format!("The book cannot be built: {error:#}.")))?;
    match report.complaints.iter().find(|complaint| complaint.error) {
        Some(complaint) => Err(Trouble::environment(format!(
            "The book cannot be shipped as it is: {complaint}."
        ))),
        None => Ok(report.pages),
    }
}

fn said(bundle: &Bundle, took: Duration) -> String {
    let sources = &bundle.sources;
    let mut said = format!(
        "\n{}\n{:.1} MiB, made in {} s. Unpacked: {} files, {:.0} MiB, in the folder {}.\n",
        bundle.file.display(),
        mebibytes(bundle.bytes),
        took.as_secs(),
        bundle.files,
        mebibytes(bundle.unpacked),
        bundle.folder
    );
    let mut list = |title: &str, names: &[String]| {
        if !names.is_empty() {
            let _ = writeln!(said, "{title}: {}.", super::crates::few(names));
        }
    };
    list(
        "Your own work is not in it; these exercises are as they were shipped (--with-my-work ships yours)",
        &sources.starters_for,
    );
    list("Your own work is in it", &sources.work_of);
    list("Left out, for git does not ship it", &sources.left_out);
    list(
        "Without the crates of others that these workspaces apart compare us with: they need the network",
        &sources.workspaces_apart,
    );
    let _ = write!(
        said,
        "\nIn the room: unpack it into an empty folder, then\n\n    cd {}\n    cargo course doctor --offline    proves that everything builds there without a network\n\n{START_HERE} in it says the rest. The Rust toolchain is not in it: everybody needs that before.\n",
        bundle.folder
    );
    said
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// For errors while something is written: a full disk is said as such.
fn cannot_write(path: &Path, error: &std::io::Error) -> anyhow::Error {
    use std::io::ErrorKind;
    let place = path.display();
    Trouble::environment(match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => format!(
            "The disk is full at {place}: making the archive takes about 1 GiB for a while. Nothing was changed."
        ),
        _ => format!("{place} cannot be written ({error}). No archive was made."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_is_said() {
        let bundle = Bundle {
            file: "loopbot-course.tar.gz".into(),
            bytes: 66 << 20,
            unpacked: 600 << 20,
            files: 24_000,
            crates: 418,
            folder: "loopbot-course-0123abcd".into(),
            sources: Sources {
                files: 1842,
                starters_for: vec!["03".into(), "05".into()],
                work_of: Vec::new(),
                left_out: vec!["notes.txt".into()],
                workspaces_apart: vec!["crates/loopbot/benches/peers".into()],
            },
        };
        let said = said(&bundle, Duration::from_secs(30));
        for words in [
            "66.0 MiB",
            "03, 05",
            "notes.txt",
            "crates/loopbot/benches/peers",
            "cd loopbot-course-0123abcd",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        assert!(!said.contains("Your own work is in it"), "{said}");
    }

    #[test]
    fn a_full_disk_is_said_as_such() {
        let error = cannot_write(
            Path::new("out.tar.gz"),
            &std::io::ErrorKind::StorageFull.into(),
        );
        assert!(error.to_string().contains("disk is full"), "{error}");
    }
}
