//! The leash: a worker does not outlive its parent, even when it is busy and the parent was killed.
//!
//! An idle worker notices by itself: it reads its socket and finds the end. A busy one does not look. So it
//! has a thread that does nothing but wait for the other end to be closed. When that happens it ends the
//! process at once, with everything that its jobs have started: nobody is left who could want an answer.
//!
//! Nothing is asked of the parent for this, not even that it notices its own end. The kernel closes its
//! descriptors, whatever killed it.
//!
//! (Linux can also send a signal at the parent's death. But it goes by the *thread* that started the worker:
//! when that one ends, and the program lives on, the workers would die. And it ends the worker alone, not what
//! its jobs have started. So it is used for something else: to wake a worker that somebody has stopped.)

use std::io;
use std::thread;

use crate::os::{self, Socket};

/// Puts this process on the leash. From now on, closing the parent's end of the socket kills it: there is
/// no clean end that way. A worker that is to end well is told so by a message, and exits by itself.
///
/// # Errors
///
/// Out of threads or descriptors. Then the worker had better not begin.
pub(crate) fn put_on(socket: &Socket) -> io::Result<()> {
    let second = os::second(socket)?;
    thread::Builder::new()
        .name("procpool leash".to_owned())
        // It calls poll, and no job runs on it.
        .stack_size(64 * 1024)
        .spawn(move || os::leash(second))?;
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::fd::AsFd;
    use std::process::{Command, Stdio};

    use crate::os::testing::{
        LONG, busy, end_of, hear, on_stage, pause, play, readable, tell, watch,
    };
    use crate::os::{Exit, limit_memory};

    /// A busy worker on the leash, with a child of its own.
    #[test]
    fn part_busy_on_the_leash() {
        let Some(socket) = on_stage("leash::tests::part_busy_on_the_leash") else {
            return;
        };
        super::put_on(&socket).expect("the leash");
        let child = Command::new("sleep")
            .arg("1000")
            .stdin(Stdio::null())
            .spawn();
        tell(&socket, child.expect("sleep is everywhere").id().into());
        busy()
    }

    /// A parent of two such workers. Told 1, it first gives its ends of the sockets to a child as well. Told 2, it
    /// stops them.
    #[test]
    fn part_parent() {
        let Some(socket) = on_stage("leash::tests::part_parent") else {
            return;
        };
        let workers = [(); 2].map(|()| play("leash::tests::part_busy_on_the_leash"));
        for worker in &workers {
            tell(&socket, worker.process.pid().into());
            tell(&socket, hear(&worker.socket).expect("its child"));
        }
        match hear(&socket) {
            Some(1) => {
                for worker in &workers {
                    let inherited = rustix::io::FdFlags::empty();
                    rustix::io::fcntl_setfd(worker.socket.as_fd(), inherited).expect("it is open");
                }
                let child = Command::new("sleep")
                    .arg("1000")
                    .stdin(Stdio::null())
                    .spawn();
                tell(&socket, child.expect("sleep is everywhere").id().into());
            }
            Some(2) => {
                workers
                    .iter()
                    .for_each(|worker| pause(&worker.process, true));
                tell(&socket, 0);
            }
            _ => {}
        }
        busy()
    }

    #[test]
    fn busy_workers_end_when_their_parent_is_killed() {
        for told in 0..3 {
            let mut parent = play("leash::tests::part_parent");
            let all = [(); 4].map(|()| watch(hear(&parent.socket).expect("a number")));
            tell(&parent.socket, told);
            let answer = (told > 0).then(|| hear(&parent.socket).expect("a number"));
            // The parent alone, by its number, as a person or the OOM killer would: not its group.
            let pid = rustix::process::Pid::from_raw(parent.process.pid() as i32).expect("a pid");
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it lives");
            for one in all {
                assert!(
                    readable(one),
                    "told {told}: it lives on, {LONG:?} after its parent"
                );
            }
            if let (1, Some(holder)) = (told, answer) {
                // Not ended by the leash: it held the sockets to the end.
                let holder = watch(holder);
                assert_eq!(end_of(&mut parent.process), Exit::Signal(9));
                assert!(readable(holder));
            }
        }
    }

    #[test]
    fn closing_the_socket_ends_a_busy_worker() {
        let mut started = play("leash::tests::part_busy_on_the_leash");
        let grandchild = watch(hear(&started.socket).expect("its child"));
        drop(started.socket);
        assert_eq!(end_of(&mut started.process), Exit::Signal(9));
        assert!(readable(grandchild));
    }

    /// Answers on the leash.
    #[test]
    fn part_answers_on_the_leash() {
        let Some(socket) = on_stage("leash::tests::part_answers_on_the_leash") else {
            return;
        };
        super::put_on(&socket).expect("the leash");
        // The leash's thread needs hardly any memory: it holds also where there is hardly any.
        limit_memory(16 << 20).expect("a lower limit");
        while let Some(number) = hear(&socket) {
            tell(&socket, number + 1);
        }
    }

    #[test]
    fn messages_do_not_pull_at_the_leash() {
        let mut started = play("leash::tests::part_answers_on_the_leash");
        for number in 0..1_000 {
            tell(&started.socket, number);
            assert_eq!(hear(&started.socket), Some(number + 1));
        }
        assert_eq!(started.process.try_reap(), None);
    }
}
