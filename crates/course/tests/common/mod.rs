//! What these tests share: scratch courses, a child that misbehaves on request, and raw HTTP.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

/// No wait in these tests is longer. It is an end, not a measurement.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with the shape of the course, and a book of two pages.
pub fn scratch_course() -> tempfile::TempDir {
    let root = tempfile::Builder::new()
        .prefix("course-test-")
        .tempdir()
        .unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"exercises/*\"]\n",
    );
    write("book/book.toml", "[book]\ntitle = \"Scratch\"\n");
    write(
        "book/src/SUMMARY.md",
        "# Summary\n\n[Front](index.md)\n\n- [One](en/one.md)\n",
    );
    write("book/src/index.md", "# Front\n\nWelcome.\n");
    write("book/src/en/one.md", "# One\n\nFirst text.\n");
    write("book/src/loopbot-env.json", "{\"mode\":\"recorded\"}");
    write("secret.txt", "the secret");
    fs::create_dir(root.path().join("exercises")).unwrap();
    root
}

/// Adds an exercise whose library is `lib` and whose test is `test`.
pub fn add_exercise(root: &Path, number: &str, lib: &str, test: Option<&str>) {
    let folder = root.join("exercises").join(format!("{number}-case"));
    fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"exercise-{number}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\nname = \"exercise\"\ntest = false\ndoctest = false\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("src/lib.rs"), lib).unwrap();
    if let Some(test) = test {
        fs::create_dir_all(folder.join("tests")).unwrap();
        fs::write(folder.join("tests/case.rs"), test).unwrap();
    }
    let description = format!(
        "number = \"{number}\"\nslug = \"case\"\ntitle = \"Case {number}\"\nchapter = \"one\"\nminutes = 10\nhints = [\"look\", \"think\", \"nearly\"]\nafter = \"Read on.\"\n"
    );
    fs::write(folder.join("exercise.toml"), description).unwrap();
}

/// Puts the starter and the solution of an exercise where the course has them.
pub fn add_solution(root: &Path, number: &str, starter: &str, solution: &str) {
    let folder = root.join("solutions").join(format!("{number}-case"));
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("starter.rs"), starter).unwrap();
    fs::write(folder.join("src/lib.rs"), solution).unwrap();
}

/// A program that stands in for `course shift … --stream` and misbehaves by the name of the run. Compiled once.
pub fn stand_in() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM
        .get_or_init(|| {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
                .join(format!("stand-in-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            let source = folder.join("stand_in.rs");
            fs::write(&source, include_str!("stand_in.rs.txt")).unwrap();
            let program = folder.join(format!("stand_in{}", std::env::consts::EXE_SUFFIX));
            let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
            let status = Command::new(rustc)
                .args(["--edition", "2024", "-o"])
                .arg(&program)
                .arg(&source)
                .status()
                .unwrap();
            assert!(status.success(), "the stand-in does not compile");
            program
        })
        .clone()
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// A request under way.
pub struct Exchange {
    pub stream: BufReader<TcpStream>,
}

/// Sends `METHOD PATH` with the headers given and `Connection: close`; a Host of ours is added unless one is given.
pub fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Exchange {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        head.push_str(&format!("Host: localhost:{}\r\n", address.port()));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream
        .write_all(format!("{head}\r\n{body}").as_bytes())
        .unwrap();
    Exchange {
        stream: BufReader::new(stream),
    }
}

impl Exchange {
    /// The next line of the head or of a body, without its line break; `None` at the end.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self
            .stream
            .read_line(&mut line)
            .expect("an answer within the time that is patient enough");
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Reads until a line contains `what`, and gives that line.
    pub fn until(&mut self, what: &str) -> String {
        loop {
            let line = self
                .line()
                .unwrap_or_else(|| panic!("the stream ended before {what:?}"));
            if line.contains(what) {
                return line;
            }
        }
    }

    /// The whole answer; chunks are put together.
    pub fn answer(mut self) -> Answer {
        let first = self.line().expect("a status line");
        let status = first.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        while let Some(line) = self.line().filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").unwrap();
            headers.push((name.to_owned(), value.to_owned()));
        }
        let mut answer = Answer {
            status,
            headers,
            body: String::new(),
        };
        if answer.header("transfer-encoding") == Some("chunked") {
            loop {
                let size =
                    usize::from_str_radix(&self.line().expect("a chunk's size"), 16).unwrap();
                let mut chunk = vec![0; size + 2];
                self.stream.read_exact(&mut chunk).unwrap();
                if size == 0 {
                    break;
                }
                answer
                    .body
                    .push_str(&String::from_utf8_lossy(&chunk[..size]));
            }
        } else {
            let mut bytes = Vec::new();
            self.stream.read_to_end(&mut bytes).unwrap();
            answer.body = String::from_utf8_lossy(&bytes).into_owned();
        }
        answer
    }
}

/// GET without further headers.
pub fn get(address: SocketAddr, path: &str) -> Answer {
    send(address, "GET", path, &[], "").answer()
}
