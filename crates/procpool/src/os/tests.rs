//! Workers that end in every way, and what their parent sees of it.

use std::process::{Command, Stdio};

use rustix::process::{Signal, WaitId, WaitIdOptions};

use super::testing::{busy, end_of, hear, launch, on_stage, pause, play, readable, tell, watch};
use super::{Exit, OomCounter, Program, limit_memory};

/// The end that the parent asks for.
#[test]
fn part_ends_as_told() {
    let Some(socket) = on_stage("os::tests::part_ends_as_told") else {
        return;
    };
    match hear(&socket) {
        Some(0) => std::process::exit(7),
        Some(1) => std::process::abort(),
        Some(2) => {
            // Rust's own handler looks at the first, finds no stack overflow, and steps aside.
            loop {
                let own = rustix::process::getpid();
                rustix::process::kill_process(own, Signal::SEGV).expect("itself");
            }
        }
        Some(3) => {
            limit_memory(64 << 20).expect("a lower limit");
            tell(&socket, 0);
            let more = vec![1_u8; 256 << 20];
            tell(&socket, more.iter().map(|byte| u64::from(*byte)).sum());
        }
        Some(4) => busy(),
        _ => {}
    }
}

fn ends(how: u64) -> Exit {
    let mut started = play("os::tests::part_ends_as_told");
    tell(&started.socket, how);
    end_of(&mut started.process)
}

#[test]
fn an_exit_code_is_told() {
    assert_eq!(ends(0), Exit::Code(7));
}

#[test]
fn an_abort_is_a_signal() {
    assert_eq!(ends(1), Exit::Signal(6));
}

#[test]
fn a_segmentation_fault_is_a_signal() {
    assert_eq!(ends(2), Exit::Signal(11));
}

#[test]
fn more_memory_than_allowed_is_an_abort() {
    let mut started = play("os::tests::part_ends_as_told");
    tell(&started.socket, 3);
    assert_eq!(hear(&started.socket), Some(0), "the limit is in force");
    assert_eq!(hear(&started.socket), None, "the memory was not given");
    assert_eq!(end_of(&mut started.process), Exit::Signal(6));
}

#[test]
fn a_killed_worker_is_no_zombie() {
    let mut started = play("os::tests::part_ends_as_told");
    tell(&started.socket, 4);
    assert_eq!(started.process.try_reap(), None, "it lives");
    started.process.kill();
    assert_eq!(end_of(&mut started.process), Exit::Signal(9));
    assert_eq!(
        started.process.try_reap(),
        Some(Exit::Signal(9)),
        "and it is told again"
    );
    // Reaped: the system knows no child of this number any more.
    let pid = i32::try_from(started.process.pid()).ok();
    let pid = pid.and_then(rustix::process::Pid::from_raw).expect("a pid");
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let zombie = rustix::process::waitid(WaitId::Pid(pid), options);
    assert_eq!(zombie.err(), Some(rustix::io::Errno::CHILD));
    // After that, no signal goes to a number that may be somebody else's.
    started.process.kill();
}

#[test]
fn a_stopped_worker_can_be_killed() {
    let mut started = play("os::tests::part_ends_as_told");
    pause(&started.process, true);
    tell(&started.socket, 0);
    started.process.kill();
    assert_eq!(end_of(&mut started.process), Exit::Signal(9));
}

#[test]
fn a_worker_goes_on_after_a_pause() {
    let mut started = play("os::tests::part_ends_as_told");
    pause(&started.process, true);
    pause(&started.process, false);
    tell(&started.socket, 0);
    assert_eq!(end_of(&mut started.process), Exit::Code(7));
}

#[test]
fn a_dropped_worker_is_gone() {
    let started = play("os::tests::part_ends_as_told");
    tell(&started.socket, 4);
    let end = watch(started.process.pid().into());
    drop(started);
    assert!(readable(end));
}

/// Starts a child that would live for ever, tells its number, and ends or not.
#[test]
fn part_has_a_child() {
    let Some(socket) = on_stage("os::tests::part_has_a_child") else {
        return;
    };
    let child = Command::new("sleep")
        .arg("1000")
        .stdin(Stdio::null())
        .spawn();
    tell(&socket, child.expect("sleep is everywhere").id().into());
    if hear(&socket) == Some(0) {
        std::process::exit(0);
    }
    busy()
}

#[test]
fn what_a_job_has_started_ends_with_its_worker() {
    for by_itself in [true, false] {
        let mut started = play("os::tests::part_has_a_child");
        let grandchild = watch(hear(&started.socket).expect("its number"));
        if by_itself {
            tell(&started.socket, 0);
            assert_eq!(end_of(&mut started.process), Exit::Code(0));
        } else {
            started.process.kill();
            assert_eq!(end_of(&mut started.process), Exit::Signal(9));
        }
        assert!(readable(grandchild), "the grandchild lives on");
    }
}

/// Standard input is empty, and the socket is not where a job would stumble over it.
#[test]
fn part_reads_standard_input() {
    use std::io::Read;
    use std::os::fd::{AsFd, AsRawFd};
    let Some(socket) = on_stage("os::tests::part_reads_standard_input") else {
        return;
    };
    tell(&socket, 1);
    let mut rest = Vec::new();
    let read = std::io::stdin()
        .read_to_end(&mut rest)
        .expect("it can be read");
    tell(&socket, read as u64);
    tell(
        &socket,
        u64::from(socket.as_fd().as_raw_fd().unsigned_abs()),
    );
    // A program that a job starts does not inherit it.
    let name = format!("/proc/self/fd/{}", socket.as_fd().as_raw_fd());
    let name = std::fs::read_link(name).expect("it is open");
    let child = Command::new("ls").args(["-l", "/proc/self/fd"]).output();
    let open = child.expect("ls is everywhere").stdout;
    let inherited = String::from_utf8_lossy(&open).contains(&*name.to_string_lossy());
    tell(&socket, u64::from(inherited));
}

#[test]
fn a_job_finds_the_end_of_standard_input() {
    let started = play("os::tests::part_reads_standard_input");
    let heard: Vec<_> = (0..4).map(|_| hear(&started.socket)).collect();
    assert_eq!(heard[..2], [Some(1), Some(0)]);
    assert!(heard[2] >= Some(100), "{heard:?}");
    assert_eq!(
        heard[3],
        Some(0),
        "a program started by a job has the socket"
    );
}

#[test]
fn output_is_a_pipe_if_asked_for() {
    let mut launch = launch("os::tests::part_ends_as_told");
    launch.stdout = Stdio::piped();
    let mut started = launch.start().expect("it starts");
    let pipe = started.stdout.take().expect("a pipe");
    tell(&started.socket, 0);
    end_of(&mut started.process);
    let mut said = [0; 4096];
    // All of it has been written, so that nothing has to be waited for.
    let read = super::read(&pipe, &mut said).expect("text");
    let said = String::from_utf8_lossy(&said[..read]);
    assert!(said.contains("running 1 test"), "{said}");
    assert_eq!(super::read(&pipe, &mut [0; 1]).expect("its end"), 0);
}

#[test]
fn a_program_that_is_not_there_is_told_at_once() {
    let mut launch = launch("none");
    launch.program = Program::File("/nowhere/kitchen".into());
    let error = launch.start().expect_err("nothing to start");
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    assert!(error.to_string().contains("/nowhere/kitchen"), "{error}");
}

/// Looks after workers of its own, in a process where nobody else opens descriptors or has children.
#[test]
fn part_counts_what_is_left() {
    let Some(socket) = on_stage("os::tests::part_counts_what_is_left") else {
        return;
    };
    let open = || {
        std::fs::read_dir("/proc/self/fd")
            .expect("a folder")
            .count()
    };
    let before = open();
    for how in [0, 1, 4, 4, 0, 4] {
        let mut started = play("os::tests::part_ends_as_told");
        tell(&started.socket, how);
        if how == 4 {
            started.process.kill();
        }
        end_of(&mut started.process);
    }
    for _ in 0..5 {
        drop(play("os::tests::part_ends_as_told"));
    }
    tell(&socket, open().abs_diff(before) as u64);
    // Not even a zombie.
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    let children = rustix::process::waitid(WaitId::All, options);
    tell(&socket, u64::from(children.is_ok()));
    // Somebody else takes the status of every child: then nobody knows it, and nothing hangs.
    let mut started = play("os::tests::part_ends_as_told");
    started.process.kill();
    let stolen = rustix::process::waitid(WaitId::All, WaitIdOptions::EXITED);
    tell(&socket, u64::from(stolen.is_ok()));
    started.process.kill();
    let unknown = end_of(&mut started.process) == Exit::Unknown;
    tell(&socket, u64::from(unknown));
}

#[test]
fn nothing_is_left_of_a_worker() {
    let started = play("os::tests::part_counts_what_is_left");
    assert_eq!(hear(&started.socket), Some(0), "descriptors");
    assert_eq!(hear(&started.socket), Some(0), "children");
    assert_eq!(hear(&started.socket), Some(1), "a stolen status");
    assert_eq!(hear(&started.socket), Some(1), "is told as unknown");
}

#[test]
fn a_kill_by_hand_is_not_taken_for_the_oom_killer() {
    // It may have struck on this machine, but not in the moment in which nothing happened.
    let mut counter = OomCounter::new();
    counter.has_grown();
    assert!(!counter.has_grown());
    assert!(Exit::Signal(9).is_kill());
    assert_eq!(Exit::Signal(9).for_the_record(), 265);
    assert_eq!(Exit::Code(3).for_the_record(), 3);
}
