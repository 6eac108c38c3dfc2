//! What goes to a worker, and what comes from it.

use super::Inner;
use crate::core::{Ticket, Time};
use crate::frame::{Head, Kind};
use crate::link::named;
use crate::slab::Key;

impl Inner {
    pub(super) fn send(&mut self, place: usize, job: Key, number: u64, from: u32) {
        let (Some(link), Some(order), Some(wish)) = (
            &mut self.links[place],
            self.core.job(job),
            self.core.wish(job),
        ) else {
            return;
        };
        let head = Head {
            len: order.args().len() as u32,
            gifts: order.gifts.as_ref().map_or(0, |gifts| gifts.len()) as u8,
            function: wish.function,
            ticket: Ticket::new(number, from),
            count: wish.items,
            took: link.round,
            ..Head::of(Kind::Job)
        };
        if number == self.core.turn(place) {
            link.told.starts(job); // nothing is before it there
        }
        link.push(head, order);
    }

    /// Works in what the worker in this place says.
    pub(super) fn hear(&mut self, now: Time, place: usize, fingerprint: u64) {
        if let Some(link) = &mut self.links[place] {
            if link.page.is_outgrown() {
                self.core.outgrew(now, place);
            }
            let at = named(&mut self.core, place);
            link.hear(now, place, &mut self.core, fingerprint);
            if link.deaf && !link.killed {
                // It is ending; or it closed what it should not have. If it is dead already, that was not us.
                link.process.kill();
            }
            link.read_output(self.voice.as_mut(), at, self.core.turn(place), false);
            if link.held > 0 || link.blocked {
                link.flush();
            }
        }
    }

    /// The same for the driver, who leaves alone what somebody else reads.
    pub(super) fn hear_unless_led(&mut self, now: Time, place: usize, fingerprint: u64) -> bool {
        if !self.is_led(place) {
            self.hear(now, place, fingerprint);
            return true;
        }
        if let Some(link) = &mut self.links[place] {
            let at = named(&mut self.core, place);
            link.read_output(self.voice.as_mut(), at, self.core.turn(place), false);
            if link.blocked {
                link.flush();
            }
        }
        false
    }
}
