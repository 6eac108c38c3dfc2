//! What the floor knows of a channel: how many messages are in it, who could still send one, and
//! what each message hands over besides itself.

use std::collections::VecDeque;
use std::sync::mpsc::TryRecvError;

use whatif_engine::{Clock, NONE, State, Thing, Visit, Wait};

/// A channel. Its messages are where they are in std.
#[derive(Default)]
pub(crate) struct Channel {
    bound: Option<usize>,
    /// What is known to whoever receives the messages that are in it.
    messages: VecDeque<Clock>,
    /// What is known to whoever puts a message where one has been taken out, by its number.
    freed: VecDeque<(usize, Clock)>,
    sent: usize,
    received: usize,
    /// The senders that are alive, by number, and the robot that used each one last.
    senders: Vec<(usize, usize)>,
    cloned: usize,
    /// The receiver is gone, and this is known to whoever finds that out. What other senders knew has
    /// nothing to do with it.
    closed: Option<Clock>,
    /// The receiver has begun to wait. Only known where somebody could notice.
    receiver_waits: bool,
}

/// Sending where there is a bound: waits for a place.
pub(crate) static A_PLACE: Wait = Wait {
    has_come: |thing, _| of(thing).is_some_and(Channel::takes_a_message),
    verb: Some("send to #"),
    changes: true,
    ends_a_wait: false,
    reason: |state, thing| state.fill_in("waits for a place in #, which is full", thing, NONE),
    in_vain: "waits for a place in #",
    whom: "receive",
    advice: None,
};

/// A message that was sent with a bound of 0: waits until the one with this number is received.
pub(crate) static A_TAKER: Wait = Wait {
    has_come: |thing, ticket| {
        of(thing).is_some_and(|it| it.received >= ticket || it.closed.is_some())
    },
    verb: None,
    changes: true,
    ends_a_wait: true,
    reason: |state, thing| state.fill_in("waits for somebody to receive from #", thing, NONE),
    in_vain: "offers a message at #",
    whom: "receive it",
    advice: None,
};

/// Waiting for a message.
pub(crate) static A_MESSAGE: Wait = Wait {
    has_come: |thing, _| of(thing).is_some_and(Channel::gives_an_answer),
    verb: Some("receive from #"),
    changes: true,
    ends_a_wait: false,
    reason: |state, thing| {
        let who = of(state.thing_at(thing)).map_or_else(String::new, |it| it.who_could_send(state));
        format!("{}: {who}", state.fill_in("waits for a message from #", thing, NONE))
    },
    in_vain: "waits for a message from #",
    whom: "send one",
    advice: Some(
        "A channel ends when its last Sender is dropped: then recv returns an error, and a loop over \
         the Receiver is over. Is a Sender still alive that nobody needs?",
    ),
};

fn of(thing: &Thing) -> Option<&Channel> {
    thing.own()
}

/// The channel that the robot visits.
fn at<'a>(state: &'a mut State, v: &Visit) -> &'a mut Channel {
    state.at(v).own_mut()
}

impl Channel {
    /// Would `send` go on at once? It does, too, if the message can never arrive.
    fn takes_a_message(&self) -> bool {
        let places = self.bound.map_or(usize::MAX, |bound| bound.max(1));
        self.closed.is_some() || self.messages.len() < places
    }

    /// Would `recv` go on at once? It does, too, if there will never be a message.
    fn gives_an_answer(&self) -> bool {
        !self.messages.is_empty() || self.senders.is_empty()
    }

    /// The sender has been used, or cloned, by this robot.
    fn is_used(&mut self, number: usize, robot: usize) {
        self.senders.iter_mut().filter(|(n, _)| *n == number).for_each(|it| it.1 = robot);
    }

    /// Who could still send to it, as far as the floor can tell.
    fn who_could_send(&self, state: &State) -> String {
        let name = |(_, robot): &(usize, usize)| {
            let robot = &state.robots()[*robot];
            format!("{}{}", robot.name, if robot.gone { ", who has gone home," } else { "" })
        };
        let mut names: Vec<String> = self.senders.iter().map(name).collect();
        names.dedup();
        match self.senders.len() {
            1 => format!("one Sender is still alive, and {} had it last", names[0]),
            n => format!("{n} Senders are still alive; they were last with {}", names.join(", ")),
        }
    }
}

/// A channel whose only sender this robot has.
pub(crate) fn opens(state: &mut State, v: &Visit, bound: Option<usize>) {
    let senders = vec![(0, v.me.id)];
    *at(state, v) = Channel { bound, senders, ..Channel::default() };
}

/// The robot sends a message. False if nobody is left to receive it.
pub(crate) fn sends(state: &mut State, v: &Visit, number: usize) -> bool {
    let channel = at(state, v);
    channel.is_used(number, v.me.id);
    let arrives = channel.closed.is_none();
    if arrives {
        // The first messages go where none has been before.
        let reuses = channel.bound.is_some_and(|bound| bound > 0 && channel.sent >= bound);
        if let Some((_, freed)) = reuses.then(|| channel.freed.pop_front()).flatten() {
            state.learns(v.me.id, &freed);
        }
        let handed = state.hands_over(v.me.id);
        let channel = at(state, v);
        channel.sent += 1;
        channel.messages.push_back(handed);
    } else {
        hears_that_nobody_receives(state, v);
    }
    let words = if arrives { "sends to #" } else { "cannot send to #: nobody will receive it" };
    state.tell(v, words, NONE);
    arrives
}

/// With a bound of 0: the number of the message that was sent last.
pub(crate) fn ticket(state: &mut State, v: &Visit) -> Option<usize> {
    let channel = at(state, v);
    (channel.bound == Some(0)).then_some(channel.sent)
}

/// The robot receives a message, or learns why there is none.
pub(crate) fn receives(state: &mut State, v: &Visit) -> Result<(), TryRecvError> {
    let channel = at(state, v);
    channel.receiver_waits = false;
    let (words, result) = if let Some(message) = channel.messages.pop_front() {
        channel.received += 1;
        let bounded = channel.bound.map(|_| channel.received);
        state.learns(v.me.id, &message);
        if let Some(number) = bounded {
            let freed = (number, state.hands_over(v.me.id));
            at(state, v).freed.push_back(freed);
        }
        ("receives from #", Ok(()))
    } else if channel.senders.is_empty() {
        state.hears(v, false);
        ("sees that # is closed: all senders are gone", Err(TryRecvError::Disconnected))
    } else {
        ("gets nothing from #", Err(TryRecvError::Empty))
    };
    state.tell(v, words, NONE);
    result
}

/// With a bound of 0, the message that was offered has been received; or not, and this is false.
pub(crate) fn hands_over(state: &mut State, v: &Visit, ticket: usize) -> bool {
    let channel = at(state, v);
    let received = channel.received >= ticket;
    if received {
        // A message that was only tried to send has left an entry that nobody asks for.
        let mine = channel.freed.iter().position(|(number, _)| *number == ticket);
        if let Some((_, freed)) = mine.and_then(|mine| channel.freed.remove(mine)) {
            state.learns(v.me.id, &freed);
        }
    } else {
        hears_that_nobody_receives(state, v);
    }
    received
}

fn hears_that_nobody_receives(state: &mut State, v: &Visit) {
    if let Some(closed) = at(state, v).closed.clone() {
        state.learns(v.me.id, &closed);
    }
}

/// Can a message be sent without waiting? With a bound of 0: if the receiver waits for it.
pub(crate) fn has_place(state: &mut State, v: &Visit) -> bool {
    let channel = at(state, v);
    if channel.bound != Some(0) || channel.closed.is_some() {
        return channel.takes_a_message();
    }
    let waits = channel.takes_a_message() && channel.receiver_waits;
    state.unlock_becomes_step();
    waits
}

/// The receiver is about to wait. Somebody who only tries to send can see whether it waits already:
/// then beginning to wait is a step, too.
pub(crate) fn begins_to_wait(v: &Visit) {
    if v.me.glance(|state| state.unlock_is_step() && at(state, v).bound == Some(0)) {
        v.step(v.changes("wait at #"), |state| at(state, v).receiver_waits = true);
    }
}

/// The number of a new sender.
pub(crate) fn clones_sender(state: &mut State, v: &Visit, number: usize) -> usize {
    let channel = at(state, v);
    channel.cloned += 1;
    channel.is_used(number, v.me.id);
    channel.senders.push((channel.cloned, v.me.id));
    channel.cloned
}

pub(crate) fn drops_sender(state: &mut State, v: &Visit, number: usize) {
    let senders = &mut at(state, v).senders;
    senders.retain(|(n, _)| *n != number);
    let last = senders.is_empty();
    state.leaves_word(v, true);
    if last {
        state.tell(v, "drops the last sender of #, made here", NONE);
    }
}

pub(crate) fn drops_receiver(state: &mut State, v: &Visit) {
    let closed = state.hands_over(v.me.id);
    at(state, v).closed = Some(closed);
    state.tell(v, "drops the receiver of #, made here", NONE);
}
