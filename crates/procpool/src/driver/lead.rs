//! Whoever waits for a job may look at its worker itself, in the driver's place: so that an answer wakes one thread and
//! not two.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::look::{Watched, look, watch};
use super::thread::STAY_OUT;
use super::{Driver, Inner, Shared};
use crate::core::State;
use crate::link::Link;
use crate::slab::Key;

/// How long somebody leads for a job that may meanwhile be given to another worker.
const MAY_MOVE: Duration = Duration::from_millis(5);

impl Shared {
    /// For a thread that waits for this job, which a worker has: looks at the workers in the driver's place, at most
    /// this long, and works in what they say. At all of them, if nobody else waits for anything; otherwise only at the
    /// worker whose only job this is. `false` if the thread had better sleep until it is woken.
    pub(crate) fn lead(&self, job: Key, limit: Option<Duration>) -> bool {
        let mut inner = self.lock();
        if inner.core.job(job).is_none() {
            return true; // it has happened meanwhile: nothing more may come
        }
        let led = inner.led_by(job, self.needed.load(Ordering::Relaxed));
        if led.is_empty() {
            return false;
        }
        // What is taken back from one of these may be answered by another.
        let behind = inner.core.is_behind(job).then_some(MAY_MOVE);
        let limit = [limit, behind].into_iter().flatten().min();
        let begun = self.now();
        inner.leaders += 1;
        inner.led = begun;
        drop(inner);
        let heard = look(&led, None, limit, self.settings.spin);
        self.with(|inner, now| {
            for worker in &led {
                worker.eyes.led.store(false, Ordering::Relaxed);
            }
            for (place, dead) in heard {
                match dead {
                    true => self.bury(inner, now, place),
                    false => inner.hear(now, place, self.settings.fingerprint),
                }
            }
            inner.leaders -= 1;
            inner.led = now;
            match inner.driver {
                // It left this worker to us, and we go.
                Driver::Polling(_) if inner.overlooked => self.ring(inner),
                // It may rest for longer than we are away.
                Driver::Resting if now.saturating_sub(begun) > STAY_OUT => self.wake_rested(inner),
                _ => {}
            }
        });
        true
    }
}

impl Inner {
    /// The workers that somebody who waits for this job may look at. From now on they are led.
    fn led_by(&self, job: Key, needed: bool) -> Vec<Watched> {
        let only = self.core.alone_with(job);
        let all = !needed && self.leaders == 0;
        // What it waits for must come from one of them, by a word or by its death. If it came another way (a queued job
        // is cancelled), nobody would tell.
        let its = self.core.with(job);
        let comes_from_them = its.is_some_and(|place| {
            let free = |link: &Link| !link.eyes.led.load(Ordering::Relaxed);
            self.core.state(place) == State::Ready && self.links[place].as_ref().is_some_and(free)
        });
        let mut led = Vec::new();
        if !comes_from_them {
            return led;
        }
        for (place, link) in self.links.iter().enumerate() {
            if let Some(link) = link
                && (all || only == Some(place))
                && self.core.state(place) == State::Ready
                && !link.eyes.led.swap(true, Ordering::Relaxed)
            {
                led.push(watch(place, link, true));
            }
        }
        led
    }

    /// Whether somebody else reads what this worker says. Nobody takes it away from under them: they would wait on.
    pub(super) fn is_led(&self, place: usize) -> bool {
        let link = self.links[place].as_ref();
        link.is_some_and(|link| link.eyes.led.load(Ordering::Relaxed))
    }

    /// Whether a worker has something to do and nobody looks at it.
    pub(super) fn is_overlooked(&self) -> bool {
        (0..self.links.len()).any(|place| self.core.load(place) > 0 && !self.is_led(place))
    }
}
