//! What the floor knows of a channel: how many messages are in it, who could still send one, and
//! what each message hands over besides itself.

use std::collections::VecDeque;
use std::sync::mpsc::TryRecvError;

use crate::clock::Clock;
use crate::floor::State;
use crate::pending::ThingId;
use crate::tale::NONE;
use crate::thing::Visit;

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
    receiver_is_gone: bool,
    /// The receiver has begun to wait. Only known where somebody could notice.
    pub receiver_waits: bool,
}

impl Channel {
    /// A channel whose only sender `robot` has.
    pub(crate) fn new(bound: Option<usize>, robot: usize) -> Channel {
        Channel { bound, senders: vec![(0, robot)], ..Channel::default() }
    }

    /// Would `send` go on at once? It does, too, if the message can never arrive.
    pub(crate) fn takes_a_message(&self) -> bool {
        let places = self.bound.map_or(usize::MAX, |bound| bound.max(1));
        self.receiver_is_gone || self.messages.len() < places
    }

    /// Would `recv` go on at once? It does, too, if there will never be a message.
    pub(crate) fn gives_an_answer(&self) -> bool {
        !self.messages.is_empty() || self.senders.is_empty()
    }

    /// With a bound of 0: has the message been received, or can it never be?
    pub(crate) fn is_settled(&self, ticket: usize) -> bool {
        self.received >= ticket || self.receiver_is_gone
    }

    /// With a bound of 0: the number of the message that was sent last.
    pub(crate) fn ticket(&self) -> Option<usize> {
        (self.bound == Some(0)).then_some(self.sent)
    }
}

impl State {
    /// The robot sends a message. False if nobody is left to receive it.
    pub(crate) fn sends(&mut self, v: &Visit, number: usize) -> bool {
        let channel = &mut self.things[v.thing].channel;
        channel.senders.iter_mut().filter(|(n, _)| *n == number).for_each(|it| it.1 = v.me.id);
        let arrives = !channel.receiver_is_gone;
        let knows = &mut self.robots[v.me.id].knows.now;
        if arrives {
            // The first messages go where none has been before.
            if channel.bound.is_some_and(|bound| bound > 0 && channel.sent >= bound)
                && let Some((_, freed)) = channel.freed.pop_front()
            {
                knows.join(&freed);
            }
            channel.sent += 1;
            channel.messages.push_back(knows.clone());
            knows.tick(v.me.id);
        } else {
            self.hears_that_nobody_receives(v);
        }
        let words = if arrives { "sends to #" } else { "cannot send to #: nobody will receive it" };
        self.tell(v, words, NONE);
        arrives
    }

    /// The robot receives a message, or learns why there is none.
    pub(crate) fn receives(&mut self, v: &Visit) -> Result<(), TryRecvError> {
        let channel = &mut self.things[v.thing].channel;
        channel.receiver_waits = false;
        let knows = &mut self.robots[v.me.id].knows.now;
        let (words, result) = if let Some(message) = channel.messages.pop_front() {
            channel.received += 1;
            knows.join(&message);
            if channel.bound.is_some() {
                channel.freed.push_back((channel.received, knows.clone()));
                knows.tick(v.me.id);
            }
            ("receives from #", Ok(()))
        } else if channel.senders.is_empty() {
            self.hears(v, false);
            ("sees that # is closed: all senders are gone", Err(TryRecvError::Disconnected))
        } else {
            ("gets nothing from #", Err(TryRecvError::Empty))
        };
        self.tell(v, words, NONE);
        result
    }

    /// With a bound of 0, the message that was offered has been received; or not, and this is false.
    pub(crate) fn hands_over(&mut self, v: &Visit, ticket: usize) -> bool {
        let channel = &mut self.things[v.thing].channel;
        let received = channel.received >= ticket;
        if received {
            // A message that was only tried to send has left an entry that nobody asks for.
            let mine = channel.freed.iter().position(|(number, _)| *number == ticket);
            let freed = mine.and_then(|mine| channel.freed.remove(mine));
            freed.iter().for_each(|(_, knows)| self.robots[v.me.id].knows.now.join(knows));
        } else {
            self.hears_that_nobody_receives(v);
        }
        received
    }

    /// What other senders knew has nothing to do with it.
    fn hears_that_nobody_receives(&mut self, v: &Visit) {
        self.robots[v.me.id].knows.now.join(&self.things[v.thing].read);
    }

    /// Can a message be sent without waiting? With a bound of 0: if the receiver waits for it.
    pub(crate) fn has_place(&mut self, v: &Visit) -> bool {
        let channel = &self.things[v.thing].channel;
        if channel.bound != Some(0) || channel.receiver_is_gone {
            return channel.takes_a_message();
        }
        let waits = channel.takes_a_message() && channel.receiver_waits;
        self.unlock_becomes_step();
        waits
    }

    /// Somebody who only tries to send can see whether the receiver waits already: then beginning
    /// to wait is a step, too.
    pub(crate) fn waiting_is_step(&self, v: &Visit) -> bool {
        self.rules.unlock_is_step && self.things[v.thing].channel.bound == Some(0)
    }

    /// The number of a new sender.
    pub(crate) fn clones_sender(&mut self, v: &Visit, number: usize) -> usize {
        let channel = &mut self.things[v.thing].channel;
        channel.cloned += 1;
        channel.senders.iter_mut().filter(|(n, _)| *n == number).for_each(|it| it.1 = v.me.id);
        channel.senders.push((channel.cloned, v.me.id));
        channel.cloned
    }

    pub(crate) fn drops_sender(&mut self, v: &Visit, number: usize) {
        let senders = &mut self.things[v.thing].channel.senders;
        senders.retain(|(n, _)| *n != number);
        let last = senders.is_empty();
        self.leaves_word(v, true);
        if last {
            self.tell(v, "drops the last sender of #, made here", NONE);
        }
    }

    pub(crate) fn drops_receiver(&mut self, v: &Visit) {
        self.things[v.thing].channel.receiver_is_gone = true;
        self.leaves_word(v, false);
        self.tell(v, "drops the receiver of #, made here", NONE);
    }

    /// Who could still send to a channel, as far as the floor can tell.
    pub(crate) fn who_could_send(&self, channel: ThingId) -> String {
        let senders = &self.things[channel].channel.senders;
        let name = |(_, robot): &(usize, usize)| {
            let robot = &self.robots[*robot];
            format!("{}{}", robot.name, if robot.gone { ", who has gone home," } else { "" })
        };
        let mut names: Vec<String> = senders.iter().map(name).collect();
        names.dedup();
        match senders.len() {
            1 => format!("one Sender is still alive, and {} had it last", names[0]),
            n => format!("{n} Senders are still alive; they were last with {}", names.join(", ")),
        }
    }
}
