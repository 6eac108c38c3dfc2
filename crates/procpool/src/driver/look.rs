//! Looking at workers while nothing of the pool is held: which of them say something, and which are dead.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Inner;
use crate::link::{Eyes, Link};
use crate::os::{PollFd, PollFlags, Socket, poll};

/// A worker, as the driver looks at it while it holds nothing of the pool.
pub(super) struct Watched {
    pub(super) place: usize,
    pub(super) eyes: Arc<Eyes>,
    /// What of its socket is of interest.
    pub(super) socket: PollFlags,
}

pub(super) fn watch(place: usize, link: &Link, reads: bool) -> Watched {
    let mut socket = PollFlags::empty();
    if !link.deaf && reads {
        socket |= PollFlags::IN;
    }
    if !link.deaf && link.blocked {
        socket |= PollFlags::OUT;
    }
    Watched {
        place,
        eyes: Arc::clone(&link.eyes),
        socket,
    }
}

impl Inner {
    /// What the driver looks at; it does not read what these say.
    pub(super) fn watched(&self, led: &[usize]) -> Vec<Watched> {
        let links = self.links.iter().enumerate();
        let watch = |(place, link): (usize, &Option<Link>)| {
            Some(watch(place, link.as_ref()?, !led.contains(&place)))
        };
        links.filter_map(watch).collect()
    }
}

/// Waits until something can be read or written, at most for so long, and so much of it awake. Which places, and
/// whether the process there is dead.
pub(super) fn look(
    watched: &[Watched],
    bell: Option<&Socket>,
    limit: Option<Duration>,
    spin: Duration,
) -> Vec<(usize, bool)> {
    // For each descriptor: whose it is, and whether it is the one that tells of death.
    let mut whose = Vec::with_capacity(2 * watched.len() + 1);
    let mut fds = Vec::with_capacity(2 * watched.len() + 1);
    for worker in watched {
        whose.push((worker.place, true));
        fds.push(PollFd::new(&worker.eyes.pidfd, PollFlags::IN));
        if !worker.socket.is_empty() {
            whose.push((worker.place, false));
            fds.push(PollFd::new(&worker.eyes.socket, worker.socket));
        }
        for pipe in worker.eyes.open_pipes() {
            whose.push((worker.place, false));
            fds.push(PollFd::new(pipe, PollFlags::IN));
        }
    }
    fds.extend(bell.map(|bell| PollFd::new(bell, PollFlags::IN)));
    let spin = limit.map_or(spin, |limit| limit.min(spin));
    let begun = Instant::now();
    let quiet = |fds: &[PollFd<'_>]| fds.iter().all(|fd| fd.revents().is_empty());
    while quiet(&fds) && begun.elapsed() < spin {
        poll(&mut fds, Some(Duration::ZERO));
    }
    if quiet(&fds) {
        poll(&mut fds, limit.map(|limit| limit.saturating_sub(spin)));
    }
    if let Some(bell) = bell
        && fds.last().is_some_and(|fd| !fd.revents().is_empty())
    {
        let _ = bell.try_receive(&mut [0; 256], &mut VecDeque::new());
    }
    let rung = whose.into_iter().zip(&fds);
    let rung = rung.filter(|(_, fd)| !fd.revents().is_empty());
    rung.map(|(whose, _)| whose).collect()
}
