//! A program is killed, again and again, and none of its workers outlives it.
//!
//! `cargo run --release -p procpool --example orphans -- --times 50`
//!
//! Each time a program with a pool of two workers is started, and gets SIGKILL when both have something to do: every other
//! time they keep their cores busy and look at nothing, and one of them has started a program of its own. How long it takes
//! until all of them are gone is printed; it fails if one is left.

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("whether a process is gone is seen here only on Linux");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{BufRead, BufReader};
    use std::process::{self, Command, Stdio};
    use std::time::{Duration, Instant};
    use std::{env, thread};

    use procpool::{Jobs, Pool};
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

    /// One that is still there after this time stays for ever.
    const PATIENCE: Duration = Duration::from_secs(5);

    fn kitchen() -> Jobs {
        procpool::jobs![begins, idles, spins]
    }

    /// In which process it runs, and which program it has started, if it shall.
    fn begins(with_child: bool) -> (u32, Option<u32>) {
        // So that both workers get one of these.
        thread::sleep(Duration::from_millis(50));
        let child = || {
            Command::new("sleep")
                .arg("60")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
        };
        let child = with_child.then(|| child().expect("there is sleep").id());
        (process::id(), child)
    }

    fn idles(_: ()) {
        thread::sleep(Duration::from_secs(60));
    }

    fn spins(_: ()) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            std::hint::spin_loop();
        }
    }

    pub fn main() {
        procpool::worker_entry(kitchen);
        let arguments: Vec<String> = env::args().skip(1).collect();
        match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["--parent", how] => parent(how == "busy"),
            ["--times", times] => match times.parse() {
                Ok(times) => all(times),
                Err(_) => {
                    eprintln!("--times wants a number, and got {times:?}");
                    process::exit(2);
                }
            },
            [] => all(50),
            _ => {
                eprintln!("only --times NUMBER is known here");
                process::exit(2);
            }
        }
    }

    /// The program that is killed.
    fn parent(busy: bool) {
        let pool = Pool::builder(kitchen()).workers(2).build().expect("a pool");
        let begun = [busy, false].map(|with_child| pool.submit(begins, with_child));
        let begun = begun.map(|answer| answer.wait().expect("an answer"));
        for _ in 0..2 {
            match busy {
                true => pool.submit(spins, ()).detach(),
                false => pool.submit(idles, ()).detach(),
            }
        }
        let children = begun.iter().filter_map(|(_, child)| *child);
        let pids: Vec<String> = begun
            .iter()
            .map(|(pid, _)| *pid)
            .chain(children)
            .map(|pid| pid.to_string())
            .collect();
        println!("{}", pids.join(" "));
        thread::sleep(Duration::from_secs(60));
    }

    fn all(times: usize) {
        let mut took = Vec::new();
        let mut processes = 0;
        for turn in 0..times {
            let (count, time) = once(turn % 2 == 1);
            processes += count;
            took.push(time);
        }
        let millis: Vec<String> = took
            .iter()
            .map(|time| format!("{:.1}", time.as_secs_f64() * 1e3))
            .collect();
        println!("until all were gone, in ms: {}", millis.join(" "));
        took.sort_unstable();
        if let Some(longest) = took.last() {
            let median = took[took.len() / 2];
            println!(
                "{times} times, {processes} processes: median {median:.1?}, longest {longest:.1?}, no survivor"
            );
        }
    }

    /// How many processes there were, and how long it took until all were gone.
    fn once(busy: bool) -> (usize, Duration) {
        let this = env::current_exe().expect("this program has a path");
        let mut parent = Command::new(this)
            .args(["--parent", if busy { "busy" } else { "idle" }])
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be started");
        let mut line = String::new();
        let says = parent.stdout.take().expect("it is piped");
        BufReader::new(says)
            .read_line(&mut line)
            .expect("it can be read");
        let pids: Vec<i32> = line
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect();
        assert!(pids.len() >= 2, "the program said {line:?}");
        let pids: Vec<Pid> = pids.into_iter().filter_map(Pid::from_raw).collect();
        let exits: Vec<_> = pids
            .iter()
            .map(|pid| pidfd_open(*pid, PidfdFlags::empty()).expect("it is there"))
            .collect();
        let killed = Instant::now();
        parent.kill().expect("it is our child");
        let mut survivors = Vec::new();
        for (exit, pid) in exits.iter().zip(&pids) {
            let left = PATIENCE.saturating_sub(killed.elapsed());
            let left = Timespec::try_from(left).expect("it is short");
            if poll(&mut [PollFd::new(exit, PollFlags::IN)], Some(&left)) != Ok(1) {
                survivors.push(*pid);
            }
        }
        let took = killed.elapsed();
        let _ = parent.wait();
        for pid in &survivors {
            let _ = kill_process(*pid, Signal::KILL);
        }
        assert!(
            survivors.is_empty(),
            "{} of {} processes live on",
            survivors.len(),
            pids.len()
        );
        (pids.len(), took)
    }
}
