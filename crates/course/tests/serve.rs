//! The server from outside: raw requests, real children.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
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

    /// What a page with the token reads.
    fn told(&self, path: &str) -> serde_json::Value {
        let headers = [("X-LoopBot-Token", self.server.token())];
        let answer = send(self.address(), "GET", path, &headers, "").answer();
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        serde_json::from_str(&answer.body).unwrap()
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
        "/__loopbot/solution/..%2f..",
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
        // What the learner does is for pages with the token.
        ("GET", "/__loopbot/progress", &[], 403),
        (
            "GET",
            "/__loopbot/progress",
            &[("X-LoopBot-Token", "0123456789abcdef0123456789abcdef")],
            403,
        ),
        ("HEAD", "/__loopbot/solution/03", &[], 403),
        ("GET", "/__loopbot/solution/03", &[], 403),
        ("POST", "/__loopbot/hints/03/1", &[], 403),
        ("GET", "/__loopbot/hints/03/1", &[], 405),
        (
            "POST",
            "/__loopbot/progress",
            &[("X-LoopBot-Token", token)],
            405,
        ),
        (
            "GET",
            "/__loopbot/progress",
            &[
                ("X-LoopBot-Token", token),
                ("Origin", "http://evil.example"),
            ],
            403,
        ),
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
        let lines = if *method == "HEAD" { 0 } else { 1 };
        assert_eq!(answer.body.lines().count(), lines, "{answer:?}");
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

/// What the pages are told of one exercise.
fn standing(open: &Open, number: &str) -> serde_json::Value {
    let told = open.told("/__loopbot/progress");
    let all = told["exercises"].as_array().unwrap();
    all.iter()
        .find(|one| one["number"] == number)
        .unwrap_or_else(|| panic!("{told}"))
        .clone()
}

/// Puts the starter of an exercise where the course keeps it.
fn ship(root: &Path, number: &str, starter: &str, solution: &str) {
    let folder = root.join(format!("solutions/{number}-case"));
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("starter.rs"), starter).unwrap();
    fs::write(folder.join("src/lib.rs"), solution).unwrap();
}

fn remember(root: &Path, progress: &str) {
    fs::create_dir_all(root.join(".progress")).unwrap();
    fs::write(root.join(".progress/progress.json"), progress).unwrap();
}

#[test]
fn the_pages_are_told_how_far_the_learner_is() {
    let root = scratch_course();
    for number in ["01", "02", "03", "04"] {
        add_exercise(root.path(), number, "// mine\n", None);
        ship(root.path(), number, "// as shipped\n", "");
    }
    ship(root.path(), "01", "// mine\n", "");
    remember(
        root.path(),
        r#"{"exercises":{"03":{"last":"does-not-compile","hints":2},"04":{"last":"fail","passed_on":"2026-11-20","hints":99}}}"#,
    );
    let open = open(root.path());
    let told = open.told("/__loopbot/progress");
    assert_eq!(told["note"], serde_json::Value::Null);
    let states: Vec<_> = ["01", "02", "03", "04"]
        .map(|number| standing(&open, number)["state"].clone())
        .to_vec();
    assert_eq!(states, ["untouched", "begun", "failing", "passed"]);
    assert_eq!(
        standing(&open, "03"),
        serde_json::json!({
            "number": "03", "slug": "case", "title": "Case 03", "minutes": 10, "chapter": "one", "state": "failing",
            "last": "does-not-compile", "passed_on": null, "hints_shown": 2, "hints_in_all": 3, "hints": ["look", "think"],
        })
    );
    // More hints than there are: somebody wrote into the file, or an update took one away.
    assert_eq!(standing(&open, "04")["hints_shown"], 3);
    assert_eq!(standing(&open, "04")["passed_on"], "2026-11-20");
}

#[test]
fn a_damaged_progress_file_is_told_once_and_kept() {
    let root = scratch_course();
    add_exercise(root.path(), "03", "", None);
    remember(root.path(), "{\"exercises\": {\"03\"");
    let open = open(root.path());
    let told = open.told("/__loopbot/progress");
    assert!(told["note"].as_str().unwrap().contains("damaged"), "{told}");
    assert_eq!(told["exercises"].as_array().unwrap().len(), 1);
    assert!(open.told("/__loopbot/progress")["note"].is_null());
}

#[test]
fn hints_come_one_by_one_and_are_remembered_where_the_terminal_remembers_them() {
    let root = scratch_course();
    add_exercise(root.path(), "03", "", None);
    let exercise = || course::exercises::load(root.path()).unwrap().remove(0);
    let open = open(root.path());
    let ask = |path: &str| open.post(path).answer();
    assert_eq!(standing(&open, "03")["hints"], serde_json::json!([]));
    let first: serde_json::Value =
        serde_json::from_str(&ask("/__loopbot/hints/03/1").body).unwrap();
    assert_eq!(
        (&first["hints"], &first["remembered"]),
        (&serde_json::json!(["look"]), &serde_json::json!(true))
    );
    // A second click that meant the same level goes no further, and no level goes back.
    ask("/__loopbot/hints/03/1");
    ask("/__loopbot/hints/03/0");
    assert_eq!(standing(&open, "03")["hints_shown"], 1);
    let said = course::commands::hint::hint(
        root.path(),
        &exercise(),
        course::commands::hint::Wish::Again,
    );
    assert!(said.contains("look") && !said.contains("think"), "{said}");
    // What the terminal shows, the page shows.
    course::commands::hint::hint(root.path(), &exercise(), course::commands::hint::Wish::More);
    assert_eq!(
        standing(&open, "03")["hints"],
        serde_json::json!(["look", "think"])
    );
    ask("/__loopbot/hints/03/99");
    assert_eq!(standing(&open, "03")["hints_shown"], 3);

    let unknown = ask("/__loopbot/hints/99/1");
    assert_eq!(
        (unknown.status, unknown.body.as_str()),
        (404, "There is no exercise 99; there is 03.\n")
    );
    assert_eq!(ask("/__loopbot/hints/../1").status, 404);
    assert_eq!(ask("/__loopbot/hints/03/x").status, 404);
    assert_eq!(ask("/__loopbot/hints/03/-1").status, 404);
}

#[test]
fn where_nothing_can_be_written_hints_and_verdicts_come_and_are_not_remembered() {
    let root = scratch_course();
    add_exercise(
        root.path(),
        "03",
        "",
        Some("#[test] fn fine() { let _ = exercise_is_there(); }\nfn exercise_is_there() {}"),
    );
    // A file in the place of the folder stops even a user who may write everywhere.
    fs::write(root.path().join(".progress"), "").unwrap();
    let open = open(root.path());
    let hint: serde_json::Value =
        serde_json::from_str(&open.post("/__loopbot/hints/03/2").answer().body).unwrap();
    assert_eq!(hint["hints"], serde_json::json!(["look", "think"]));
    assert_eq!(hint["remembered"], false);
    let check = open.post("/__loopbot/check/03").answer();
    let last: serde_json::Value = serde_json::from_str(check.body.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["verdict"], &last["remembered"]),
        (&serde_json::json!("pass"), &serde_json::json!(false)),
        "{check:?}"
    );
}

#[test]
fn the_solution_comes_after_a_pass_and_not_before() {
    let root = scratch_course();
    add_exercise(root.path(), "03", "one\r\nmine\r\nlast\r\n", None);
    ship(
        root.path(),
        "03",
        "one\ntodo\nlast\n",
        "one\ntheirs\nlast\n",
    );
    let open = open(root.path());
    let ask = || {
        let headers = [("X-LoopBot-Token", open.server.token())];
        send(
            open.address(),
            "GET",
            "/__loopbot/solution/03",
            &headers,
            "",
        )
        .answer()
    };
    let refused = ask();
    assert_eq!((refused.status, refused.body.lines().count()), (403, 1));
    assert!(!refused.body.contains("theirs"), "{refused:?}");
    remember(
        root.path(),
        r#"{"exercises":{"03":{"last":"pass","passed_on":"2026-11-20"}}}"#,
    );
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&ask().body).unwrap(),
        serde_json::json!({
            "number": "03", "file": "solutions/03-case/src/lib.rs", "same": false,
            "lines": [[" ", "one"], ["-", "mine"], ["+", "theirs"], [" ", "last"]],
        })
    );
    fs::remove_file(root.path().join("solutions/03-case/src/lib.rs")).unwrap();
    let gone = ask();
    assert_eq!((gone.status, gone.body.lines().count()), (404, 1));
}

#[test]
fn open_pages_hear_of_what_the_learner_does_elsewhere() {
    let root = scratch_course();
    add_exercise(root.path(), "03", "// as shipped\n", None);
    ship(root.path(), "03", "// as shipped\n", "");
    let open = open(root.path());
    let mut events = send(open.address(), "GET", "/__loopbot/reload", &[], "");
    events.until("event: hello");
    let becomes = |events: &mut common::Exchange, state: &str| {
        while standing(&open, "03")["state"] != state {
            events.until("event: progress");
        }
    };
    // A file saved in the editor.
    let exercise = course::exercises::load(root.path()).unwrap().remove(0);
    fs::write(exercise.folder.join("src/lib.rs"), "// mine\n").unwrap();
    events.until("event: progress");
    becomes(&mut events, "begun");
    // A check in the terminal; the folder was not there when the server started.
    let pass = course::check::Verdict::Passes;
    assert!(course::progress::note_check(root.path(), &exercise, pass));
    events.until("event: progress");
    becomes(&mut events, "passed");
}

#[test]
fn a_check_from_a_page_is_remembered_and_told_to_the_other_pages() {
    let root = scratch_course();
    add_exercise(
        root.path(),
        "05",
        "pub fn five() -> u32 { 4 }",
        Some("#[test] fn five() { assert_eq!(exercise::five(), 5); }"),
    );
    let open = open(root.path());
    let mut events = send(open.address(), "GET", "/__loopbot/reload", &[], "");
    events.until("event: hello");
    let check = || {
        let answer = open.post("/__loopbot/check/05").answer();
        let last = answer.body.lines().last().unwrap();
        serde_json::from_str::<serde_json::Value>(last).unwrap()
    };
    let failed = check();
    assert_eq!(
        (&failed["verdict"], &failed["standing"]["state"]),
        (&serde_json::json!("fail"), &serde_json::json!("failing"))
    );
    events.until("event: progress");
    assert_eq!(standing(&open, "05")["last"], "fail");
    fs::write(
        root.path().join("exercises/05-case/src/lib.rs"),
        "pub fn five() -> u32 { 5 }",
    )
    .unwrap();
    let passed = check();
    assert_eq!(
        (&passed["standing"]["state"], &passed["remembered"]),
        (&serde_json::json!("passed"), &serde_json::json!(true))
    );
    let kept = fs::read_to_string(root.path().join(".progress/progress.json")).unwrap();
    assert!(kept.contains("passed_on"), "{kept}");
}

/// A child that does not outlive its test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The learner's own cargo is compiling, and holds the lock of `target/` for as long as it does. The server is the real
/// program, started as a learner starts it, so that it is the usual folder of checks that is proved to be another one.
#[test]
fn a_check_from_a_page_does_not_wait_for_the_learners_cargo_nor_the_other_way_round() {
    let root = scratch_course();
    add_exercise(root.path(), "05", "", Some("#[test] fn fine() {}"));
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"exercises/*\", \"slow\"]\n",
    );
    write(
        "slow/Cargo.toml",
        "[package]\nname = \"slow\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    write("slow/src/lib.rs", "");
    // Building it takes until the test hangs up.
    write(
        "slow/build.rs",
        r#"fn main() {
            let address = std::fs::read_to_string("../home-address").unwrap();
            let mut home = std::net::TcpStream::connect(address.trim()).unwrap();
            let _ = std::io::Read::read(&mut home, &mut [0]);
        }"#,
    );
    let home = Home::new(root.path());
    let build = || {
        course::check::cargo()
            .args(["build", "--offline", "-p", "slow"])
            .current_dir(root.path())
            .env_remove("CARGO_TARGET_DIR")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map(Ended)
            .unwrap()
    };
    let mut learners = build();
    let mut building = home.arrivals(1);
    // That is a lock: a second cargo waits for it, and says so.
    let mut second = build();
    let said = BufReader::new(second.0.stderr.take().unwrap());
    let waits = said
        .lines()
        .map_while(Result::ok)
        .any(|line| line.contains("waiting for file lock"));
    drop(second);
    assert!(waits, "the second cargo did not wait for the first");

    let mut server = Command::new(env!("CARGO_BIN_EXE_course"))
        .args(["serve", "--no-open", "--port", "0", "--root"])
        .arg(root.path())
        .env_remove("CARGO_TARGET_DIR")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map(Ended)
        .unwrap();
    let mut url = String::new();
    BufReader::new(server.0.stdout.take().unwrap())
        .read_line(&mut url)
        .unwrap();
    let address: SocketAddr = url
        .trim()
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .parse()
        .unwrap();
    let env: serde_json::Value =
        serde_json::from_str(&get(address, "/loopbot-env.json").body).unwrap();
    let token = [("X-LoopBot-Token", env["token"].as_str().unwrap())];
    let answer = send(address, "POST", "/__loopbot/check/05", &token, "").answer();
    drop(server);
    let last = answer.body.lines().last().unwrap_or_default();
    assert!(last.contains("\"verdict\":\"pass\""), "{answer:?}");
    assert!(!answer.body.contains("file lock"), "{answer:?}");
    assert!(
        learners.0.try_wait().unwrap().is_none(),
        "the learner's cargo did not build for all that time"
    );
    building.clear();
    assert!(learners.0.wait().unwrap().success());
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
