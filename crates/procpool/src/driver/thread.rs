//! The driver: the pool's own thread.
//!
//! It sleeps in `poll` until a worker says something, dies, or something is due. While somebody leads for all (see
//! `lead.rs`) it stays out of the way.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use super::look::look;
use super::{Driver, Inner, Shared};
use crate::core::{State, Ticket, Time};
use crate::os::Socket;

/// How long the driver stays out of the way after somebody has led.
pub(super) const STAY_OUT: u64 = 1_000_000;

impl Shared {
    /// The driver's life.
    pub(super) fn drive(&self, bell: Socket) {
        // Workers that have said something which somebody else is about to read. To look there again would be to look
        // all the time.
        let mut led = Vec::new();
        loop {
            let starts = self.with(|inner, now| {
                let links = &inner.links;
                let begun = |place: usize| {
                    links[place]
                        .as_ref()
                        .map_or(Ticket(0), |link| Ticket(link.page.started()))
                };
                inner.core.tick(now, begun);
                inner.core.alarm = false;
                std::mem::take(&mut inner.starts)
            });
            for place in starts {
                let launched = self.launch(place);
                self.with(|inner, now| inner.launched(now, place, launched));
            }
            let mut inner = self.lock();
            let now = self.now();
            if inner.core.is_over() && inner.links.iter().all(Option::is_none) {
                if let Some(voice) = inner.voice.take() {
                    drop(inner);
                    voice.end();
                    inner = self.lock();
                }
                inner.driver = Driver::Gone;
                self.end.notify_all();
                return;
            }
            if !inner.starts.is_empty() {
                continue;
            }
            if inner.core.is_idle() {
                self.needed.store(false, Ordering::Relaxed);
            }
            let looked_at = match inner.leaders {
                0 => inner.led > 0 && now.saturating_sub(inner.led) < STAY_OUT,
                _ => !inner.is_overlooked(),
            };
            if looked_at && !self.needed.load(Ordering::Relaxed) && !inner.is_moving() {
                self.stay_out(inner, now);
                continue;
            }
            let due = inner.core.next_deadline();
            inner.driver = Driver::Polling(due.unwrap_or(u64::MAX));
            led.retain(|&place| inner.is_led(place));
            inner.overlooked = !led.is_empty();
            let watched = inner.watched(&led);
            led.clear();
            drop(inner);
            let limit = due.map(|due| Duration::from_nanos(due.saturating_sub(now)));
            let heard = look(&watched, Some(&bell), limit, self.settings.spin);
            self.with(|inner, now| {
                inner.driver = Driver::Awake;
                for (place, dead) in heard {
                    if dead {
                        self.bury(inner, now, place);
                    } else if !inner.hear_unless_led(now, place, self.settings.fingerprint) {
                        led.push(place);
                    }
                }
            });
        }
    }

    /// Somebody who waits looks at the workers. Sleeps until it is time to see whether that is still so.
    fn stay_out(&self, mut inner: MutexGuard<'_, Inner>, now: Time) {
        inner.driver = Driver::Resting;
        // Who has been there for so long will wake us when it goes.
        let settled = inner.leaders > 0 && now.saturating_sub(inner.led) > STAY_OUT;
        let limit = if settled { 50 * STAY_OUT } else { STAY_OUT };
        let due = inner
            .core
            .next_deadline()
            .map_or(limit, |due| due.saturating_sub(now));
        let limit = Duration::from_nanos(limit.min(due.max(STAY_OUT)));
        let resting = |inner: &mut Inner| inner.driver == Driver::Resting;
        let waited = self.rest.wait_timeout_while(inner, limit, resting);
        let (mut inner, _) = waited.unwrap_or_else(PoisonError::into_inner);
        inner.driver = Driver::Awake;
        // Somebody may have died meanwhile whom nobody looks at.
        drop(inner);
        self.with(|inner, now| {
            for place in 0..inner.links.len() {
                self.bury(inner, now, place);
            }
        });
    }

    /// Somebody awaits an answer and will not look for it: so the driver must, until all is answered.
    pub(crate) fn call_driver(&self) {
        if !self.needed.swap(true, Ordering::Relaxed) {
            let mut inner = self.lock();
            self.wake_rested(&mut inner);
        }
    }

    pub(super) fn wake_rested(&self, inner: &mut Inner) {
        if inner.driver == Driver::Resting {
            inner.driver = Driver::Awake;
            self.rest.notify_one();
        }
    }

    pub(super) fn ring(&self, inner: &mut Inner) {
        inner.driver = Driver::Awake;
        let _ = self.bell.try_send(&[1], &[]);
    }
}

impl Inner {
    /// Whether something goes on that only the driver sees to.
    fn is_moving(&self) -> bool {
        let links = self.links.iter().enumerate();
        let mut links = links.filter_map(|(place, link)| Some((place, link.as_ref()?)));
        links.any(|(place, link)| self.core.state(place) != State::Ready || link.deaf)
    }
}
