//! The server from outside: raw requests, real children.

mod common;

use std::fs;
use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::{PATIENCE, add_exercise, get, scratch_course, send, stand_in};
use course::check::CheckOptions;
use course::serve::{self, Options, RunLimits, Server};

struct Open {
    server: Server,
    news: Receiver<String>,
}

fn open(root: &Path) -> Open {
    open_with(
        root,
        RunLimits {
            time: PATIENCE,
            output: 64 << 20,
        },
    )
}

fn open_with(root: &Path, run_limits: RunLimits) -> Open {
    let (tell, news) = mpsc::channel();
    let tell = Mutex::new(tell);
    let options = Options {
        port: Some(0),
        program: stand_in(),
        run_limits,
        check_options: CheckOptions {
            target: Some(root.join("target")),
            ..CheckOptions::default()
        },
        news: Arc::new(move |line| {
            let _ = tell.lock().unwrap().send(line.to_owned());
        }),
        ..Options::new().unwrap()
    };
    Open {
        server: serve::start(root, options).unwrap(),
        news,
    }
}

impl Open {
    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn post(&self, path: &str) -> common::Exchange {
        send(
            self.address(),
            "POST",
            path,
            &[("X-LoopBot-Token", self.server.token())],
            "",
        )
    }

    /// Waits for news that contains `what`.
    fn hear(&self, what: &str) {
        loop {
            let news = self
                .news
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("never heard of {what:?}"));
            if news.contains(what) {
                return;
            }
        }
    }
}

/// A place where a run's processes connect, so that a test sees them live and die.
struct Home(TcpListener);

impl Home {
    fn new(root: &Path) -> Home {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        fs::write(
            root.join("home-address"),
            listener.local_addr().unwrap().to_string(),
        )
        .unwrap();
        Home(listener)
    }

    /// Waits until `n` processes have connected.
    fn arrivals(&self, n: usize) -> Vec<TcpStream> {
        self.0.set_nonblocking(true).unwrap();
        let deadline = Instant::now() + PATIENCE;
        let mut here = Vec::new();
        while here.len() < n {
            match self.0.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).unwrap();
                    here.push(stream);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::yield_now(),
                Err(error) => panic!("{error}"),
            }
            assert!(
                Instant::now() < deadline,
                "{} of {n} processes of the run have started",
                here.len()
            );
        }
        here
    }
}

fn assert_gone(processes: Vec<TcpStream>) {
    for mut process in processes {
        process.set_read_timeout(Some(PATIENCE)).unwrap();
        match process.read(&mut [0]) {
            Ok(0) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            other => panic!("a process of the run is still there: {other:?}"),
        }
    }
}

#[test]
fn pages_come_with_their_type_and_are_never_stale() {
    let root = scratch_course();
    let open = open(root.path());
    let front = get(open.address(), "/");
    assert_eq!(
        (front.status, front.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    assert_eq!(front.header("cache-control"), Some("no-cache"));
    assert!(front.body.contains("Welcome."));
    assert!(
        get(open.address(), "/en/one.html?question=1")
            .body
            .contains("First text.")
    );
    assert_eq!(get(open.address(), "/book.toml").status, 404);
    assert_eq!(get(open.address(), "/en/two.html").status, 404);
    let head = send(open.address(), "HEAD", "/", &[], "").answer();
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[test]
fn the_environment_is_json_and_says_live() {
    let root = scratch_course();
    let open = open(root.path());
    let env = get(open.address(), "/loopbot-env.json");
    assert_eq!(env.header("content-type"), Some("application/json"));
    assert_eq!(
        env.header("cross-origin-resource-policy"),
        Some("same-origin")
    );
    let env: serde_json::Value = serde_json::from_str(&env.body).unwrap();
    assert_eq!(
        env,
        serde_json::json!({ "mode": "live", "token": open.server.token() })
    );
    assert_eq!(open.server.token().len(), 32);
}

#[test]
fn no_path_leads_out_of_the_book() {
    let root = scratch_course();
    let open = open(root.path());
    for path in [
        "/../secret.txt",
        "/../../secret.txt",
        "/en/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/en/..%5c..%5csecret.txt",
        "//secret.txt",
        "/secret.txt%00.html",
        "/./secret.txt",
        "/%ff",
        "/__loopbot/../secret.txt",
        "/__loopbot/hints/..%2f..",
        "/C:/Windows/win.ini",
    ] {
        let answer = get(open.address(), path);
        assert!(
            matches!(answer.status, 400 | 404),
            "{path}: {}",
            answer.status
        );
        assert!(!answer.body.contains("the secret"), "{path}");
    }
    let absolute = format!("{}/secret.txt", root.path().display()).replace('\\', "/");
    assert_eq!(get(open.address(), &absolute).status, 404);
}

#[test]
fn strangers_get_one_sentence_and_nothing_else() {
    let root = scratch_course();
    let open = open(root.path());
    let port = open.address().port();
    let token = open.server.token();
    let run = "/__loopbot/run/threadbots-careless";
    let foreign_host = format!("evil.example:{port}");
    let our_origin = format!("http://localhost:{port}");
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: &[(&str, &str, Headers<'_>, u16)] = &[
        ("GET", "/", &[("Host", &foreign_host)], 403),
        ("GET", "/loopbot-env.json", &[("Host", &foreign_host)], 403),
        ("GET", "/__loopbot/reload", &[("Host", "localhost:1")], 403),
        (
            "GET",
            "/loopbot-env.json",
            &[("Origin", "http://evil.example")],
            403,
        ),
        ("GET", "/loopbot-env.json", &[("Origin", "null")], 403),
        ("POST", run, &[], 403),
        (
            "POST",
            run,
            &[("X-LoopBot-Token", "0123456789abcdef0123456789abcdef")],
            403,
        ),
        (
            "POST",
            run,
            &[
                ("X-LoopBot-Token", token),
                ("Origin", "http://evil.example"),
            ],
            403,
        ),
        (
            "POST",
            run,
            &[("X-LoopBot-Token", token), ("Host", &foreign_host)],
            403,
        ),
        (
            "POST",
            "/__loopbot/run/rm",
            &[("X-LoopBot-Token", token)],
            404,
        ),
        (
            "POST",
            "/__loopbot/check/..",
            &[("X-LoopBot-Token", token)],
            404,
        ),
        (
            "POST",
            "/__loopbot/check/003",
            &[("X-LoopBot-Token", token)],
            404,
        ),
        (
            "POST",
            "/__loopbot/nothing",
            &[("X-LoopBot-Token", token)],
            405,
        ),
        (
            "POST",
            "/",
            &[("X-LoopBot-Token", token), ("Origin", &our_origin)],
            405,
        ),
        ("GET", run, &[], 405),
        ("DELETE", "/", &[], 405),
        ("GET", "/__loopbot/nothing", &[], 404),
        ("GET", "/__loopbot/hints/99", &[], 404),
    ];
    for (method, path, headers, status) in cases {
        let answer = send(open.address(), method, path, headers, "").answer();
        assert_eq!(
            answer.status, *status,
            "{method} {path} {headers:?}: {answer:?}"
        );
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; charset=utf-8"),
            "{method} {path}"
        );
        assert_eq!(answer.body.lines().count(), 1, "{answer:?}");
        assert!(!answer.body.contains(token), "{answer:?}");
    }
}

#[test]
fn a_long_body_is_refused() {
    let root = scratch_course();
    let open = open(root.path());
    let body = "x".repeat(20_000);
    let headers = [("X-LoopBot-Token", open.server.token())];
    let answer = send(
        open.address(),
        "POST",
        "/__loopbot/run/threadbots-careless",
        &headers,
        &body,
    )
    .answer();
    assert_eq!(answer.status, 413);
}

#[test]
fn a_run_streams_its_lines() {
    let root = scratch_course();
    let open = open(root.path());
    let answer = open.post("/__loopbot/run/threadbots-careless").answer();
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/x-ndjson"))
    );
    assert_eq!(
        answer.body.lines().collect::<Vec<_>>(),
        ["{\"live\":true}", "{\"events\":[]}", "{\"end\":{}}"]
    );
}

#[test]
fn a_run_that_fails_says_why_on_its_last_line() {
    let root = scratch_course();
    let open = open(root.path());
    let answer = open.post("/__loopbot/run/loopbot").answer();
    assert_eq!(answer.body, "{\"error\":\"There is no soup today.\"}\n");
}

#[test]
fn one_run_at_a_time_and_it_ends_when_its_reader_leaves() {
    let root = scratch_course();
    let home = Home::new(root.path());
    let open = open(root.path());
    let mut first = open.post("/__loopbot/run/threadbots-napping");
    first.until("live");
    let processes = home.arrivals(2);

    let second = open.post("/__loopbot/run/threadbots-careless").answer();
    assert_eq!((second.status, second.body.lines().count()), (409, 1));

    drop(first);
    assert_gone(processes);
    // The slot is free once the server has noticed; until then the answer is 409.
    let deadline = Instant::now() + PATIENCE;
    loop {
        let third = open.post("/__loopbot/run/threadbots-careless").answer();
        if third.status == 200 {
            assert!(third.body.contains("end"));
            break;
        }
        assert!(Instant::now() < deadline, "the slot was never freed");
    }
}

#[test]
fn a_run_ends_at_its_time_limit_with_all_its_processes() {
    let root = scratch_course();
    let home = Home::new(root.path());
    let open = open_with(
        root.path(),
        RunLimits {
            time: Duration::from_secs(2),
            output: 64 << 20,
        },
    );
    let exchange = open.post("/__loopbot/run/threadbots-napping");
    let processes = home.arrivals(2);
    let answer = exchange.answer();
    let last = answer.body.lines().last().unwrap();
    assert!(
        last.contains("error") && last.contains("2 seconds"),
        "{last}"
    );
    assert_gone(processes);
}

#[test]
fn a_run_ends_at_its_output_limit() {
    let root = scratch_course();
    let open = open_with(
        root.path(),
        RunLimits {
            time: PATIENCE,
            output: 1 << 20,
        },
    );
    let answer = open.post("/__loopbot/run/threadbots-coordinated").answer();
    let last = answer.body.lines().last().unwrap();
    assert!(last.contains("error") && last.contains("1 MiB"), "{last}");
    assert!(
        answer.body.len() < 4 << 20,
        "{} bytes came through",
        answer.body.len()
    );
}

#[test]
fn closing_the_server_ends_the_run_and_all_connections() {
    let root = scratch_course();
    let home = Home::new(root.path());
    let open = open(root.path());
    let mut run = open.post("/__loopbot/run/threadbots-napping");
    run.until("live");
    let mut events = send(open.address(), "GET", "/__loopbot/reload", &[], "");
    events.until("hello");
    let processes = home.arrivals(2);
    let address = open.address();
    drop(open);
    assert_gone(processes);
    assert!(
        TcpStream::connect(address).is_err(),
        "the door is still open"
    );
}

#[test]
fn a_change_rebuilds_and_a_mistake_keeps_the_old_pages() {
    let root = scratch_course();
    let open = open(root.path());
    let mut events = send(open.address(), "GET", "/__loopbot/reload", &[], "");
    events.until("event: hello");

    fs::write(
        root.path().join("book/src/en/one.md"),
        "# One\n\nSecond text.\n",
    )
    .unwrap();
    events.until("event: reload");
    assert!(
        get(open.address(), "/en/one.html")
            .body
            .contains("Second text.")
    );

    open.hear("Book built");
    fs::write(
        root.path().join("book/src/SUMMARY.md"),
        "# Summary\n\n- [Gone](gone.md)\n",
    )
    .unwrap();
    open.hear("still served");
    assert!(
        get(open.address(), "/en/one.html")
            .body
            .contains("Second text.")
    );

    fs::write(
        root.path().join("book/src/SUMMARY.md"),
        "# Summary\n\n- [One](en/one.md)\n",
    )
    .unwrap();
    events.until("event: reload");
}

#[test]
fn a_page_from_an_earlier_start_is_told_to_reload() {
    let root = scratch_course();
    let open = open(root.path());
    let mut events = send(
        open.address(),
        "GET",
        "/__loopbot/reload",
        &[("Last-Event-ID", "earlier-1")],
        "",
    );
    events.until("event: reload");
    let id = events.until("id: ");
    let id = id.strip_prefix("id: ").unwrap();
    let mut events = send(
        open.address(),
        "GET",
        "/__loopbot/reload",
        &[("Last-Event-ID", id)],
        "",
    );
    events.until("event: hello");
}

#[test]
fn hints_come_as_json() {
    let root = scratch_course();
    add_exercise(root.path(), "03", "", None);
    let open = open(root.path());
    let answer = get(open.address(), "/__loopbot/hints/03");
    let hints: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(
        hints["hints"],
        serde_json::json!(["look", "think", "nearly"])
    );
    let unknown = get(open.address(), "/__loopbot/hints/99");
    assert_eq!(unknown.body, "There is no exercise 99; there is 03.\n");
}

#[test]
fn a_check_streams_lines_and_ends_with_a_verdict() {
    let root = scratch_course();
    add_exercise(
        root.path(),
        "05",
        "pub fn five() -> u32 { 5 }",
        Some("#[test] fn five() { println!(\"counting\"); assert_eq!(exercise::five(), 5); }"),
    );
    let open = open(root.path());
    let answer = open.post("/__loopbot/check/05").answer();
    let lines: Vec<serde_json::Value> = answer
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (last, before) = lines.split_last().unwrap();
    assert_eq!(last["verdict"], "pass", "{answer:?}");
    assert!(before.iter().all(|line| line["line"].is_string()));
    assert!(
        before
            .iter()
            .any(|line| line["line"].as_str().unwrap().contains("counting")),
        "{answer:?}"
    );
    let unknown = open.post("/__loopbot/check/99").answer();
    assert!(
        unknown
            .body
            .contains("There is no exercise 99; there is 05."),
        "{unknown:?}"
    );
}

#[test]
fn a_port_that_is_taken_gets_a_sentence_and_the_default_moves_on() {
    let root = scratch_course();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let options = || Options {
        program: stand_in(),
        news: Arc::new(|_| {}),
        ..Options::new().unwrap()
    };
    let error = serve::start(
        root.path(),
        Options {
            port: Some(port),
            ..options()
        },
    )
    .err()
    .expect("the port is taken");
    let sentence = error.to_string();
    assert!(
        sentence.contains(&format!("127.0.0.1:{port} is in use")),
        "{sentence}"
    );
    assert_eq!(
        course::trouble::status_of(&error),
        course::trouble::status::INPUT
    );

    let one = serve::start(root.path(), options()).unwrap();
    let two = serve::start(root.path(), options()).unwrap();
    assert_ne!(one.address().port(), two.address().port());
    assert_ne!(one.token(), two.token());
}

#[test]
fn a_book_that_cannot_be_built_is_refused_with_the_reason() {
    let root = scratch_course();
    fs::remove_file(root.path().join("book/src/en/one.md")).unwrap();
    let error = serve::start(
        root.path(),
        Options {
            port: Some(0),
            ..Options::new().unwrap()
        },
    )
    .err()
    .expect("no chapter");
    assert!(error.to_string().contains("one.md"), "{error}");
}
