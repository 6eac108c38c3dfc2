//! The poller of Linux: one system call a wait.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

use super::{EVENTS_PER_WAIT, Mode, Report};

/// Whatever has a descriptor.
pub(crate) use std::os::fd::AsFd as AsSource;

const BELL: u64 = u64::MAX;
const TIMER: u64 = u64::MAX - 1;

/// An epoll instance, with a bell for other threads and a timer. These two are registered edge-triggered: each
/// ring is an event, and nobody ever has to read them.
#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
    bell: OwnedFd,
    /// Ends the waits that have an end: `epoll_wait` itself counts in milliseconds only.
    timer: OwnedFd,
}

/// The events of a wait, in memory that is used again.
pub(crate) struct Events {
    list: Vec<epoll::Event>,
    /// When the timer will ring, if it will: it is set anew only to ring earlier.
    rings_at: Option<Instant>,
}

impl Events {
    pub(crate) fn new() -> Events {
        Events {
            list: Vec::with_capacity(EVENTS_PER_WAIT),
            rings_at: None,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Report> + '_ {
        let sockets = self.list.iter().filter(|event| event.data.u64() < TIMER);
        sockets.map(|event| {
            let flags = event.flags;
            let failed = EventFlags::HUP | EventFlags::ERR;
            let odd = EventFlags::RDHUP | EventFlags::PRI;
            Report {
                key: event.data.u64() as usize,
                readable: flags.intersects(EventFlags::IN | odd | failed),
                writable: flags.intersects(EventFlags::OUT | failed),
                hang_up: flags.intersects(odd | failed),
            }
        })
    }
}

impl Poller {
    pub(crate) fn new() -> io::Result<Poller> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let rings = EventFlags::IN | EventFlags::ET;
        epoll::add(&epoll, &bell, EventData::new_u64(BELL), rings)?;
        epoll::add(&epoll, &timer, EventData::new_u64(TIMER), rings)?;
        Ok(Poller { epoll, bell, timer })
    }

    /// How a socket that asks for `mode` is registered here.
    pub(crate) fn mode(&self, mode: Mode) -> Mode {
        mode
    }

    /// Whether a hang-up is reported as such, so that a short read can be trusted otherwise.
    pub(crate) fn tells_hang_up(&self) -> bool {
        true
    }

    pub(crate) fn add(&self, source: &impl AsSource, key: usize, mode: Mode) -> io::Result<()> {
        let flags = flags(mode, mode == Mode::Edge, mode == Mode::Edge);
        epoll::add(&self.epoll, source, EventData::new_u64(key as u64), flags)?;
        Ok(())
    }

    /// Asks anew: what is ready now is reported again.
    pub(crate) fn arm(
        &self,
        source: &impl AsSource,
        key: usize,
        mode: Mode,
        read: bool,
        write: bool,
    ) -> io::Result<()> {
        let flags = flags(mode, read, write);
        epoll::modify(&self.epoll, source, EventData::new_u64(key as u64), flags)?;
        Ok(())
    }

    pub(crate) fn delete(&self, source: &impl AsSource) {
        // It fails only if the descriptor is not there; then there is nothing to take out.
        let _ = epoll::delete(&self.epoll, source);
    }

    /// Waits until something is ready, somebody rings, or the time is over.
    pub(crate) fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.list.clear();
        let timeout = match timeout {
            Some(Duration::ZERO) => Some(Timespec::default()),
            Some(timeout) => {
                self.set_timer(&mut events.rings_at, timeout)?;
                None
            }
            None => None,
        };
        let list = spare_capacity(&mut events.list);
        match epoll::wait(&self.epoll, list, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if events.list.iter().any(|event| event.data.u64() == TIMER) {
            events.rings_at = None;
        }
        Ok(())
    }

    /// Sees to it that the timer ends the wait.
    fn set_timer(&self, rings_at: &mut Option<Instant>, timeout: Duration) -> io::Result<()> {
        let Some(due) = Instant::now().checked_add(timeout) else {
            return Ok(()); // It does not come in this computer's life.
        };
        // If it rings earlier, for something that was cancelled, that is one look too many. Most deadlines
        // are timeouts that are cancelled, so this is cheaper than to set it for each wait.
        if rings_at.is_some_and(|rings_at| rings_at <= due) {
            return Ok(());
        }
        let Ok(it_value) = Timespec::try_from(timeout) else {
            return Ok(());
        };
        let once = Itimerspec {
            it_interval: Timespec::default(),
            it_value,
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        *rings_at = Some(due);
        Ok(())
    }

    /// Ends the wait, or the next one, from any thread.
    pub(crate) fn notify(&self) -> io::Result<()> {
        match rustix::io::write(&self.bell, &1_u64.to_ne_bytes()) {
            // Full: it has been rung, 18 quintillion times, and nobody looked.
            Ok(_) | Err(Errno::AGAIN) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn flags(mode: Mode, read: bool, write: bool) -> EventFlags {
    let mut flags = match mode {
        Mode::Edge => EventFlags::ET | EventFlags::IN | EventFlags::OUT,
        Mode::OnDemand => EventFlags::ONESHOT,
    };
    if mode == Mode::Edge || read {
        flags |= EventFlags::IN | EventFlags::RDHUP | EventFlags::PRI;
    }
    flags.set(EventFlags::OUT, mode == Mode::Edge || write);
    flags
}
