//! A job: its items, one after the other, and what becomes of each.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::cannot;
use super::out::{Unsent, answer, answer_or_io, stopped};
use super::panics::{IN_JOB, last_panic};
use crate::blob;
use crate::core::Ticket;
use crate::frame::{Head, Tag};
use crate::os::Descriptor;
use crate::page::Page;

/// The items of one job, one after the other.
pub(crate) struct Batch<'a> {
    pub(super) args: &'a [u8],
    pub(super) gifts: Vec<Descriptor>,
    pub(super) head: Head,
    pub(super) page: &'a Page,
    /// For the initializer: what became of it, in place of an answer.
    pub(super) init: Option<Result<(), String>>,
}

/// What became of an item.
enum Outcome<R> {
    Value(R),
    Unreadable(String),
}

impl Batch<'_> {
    /// Runs the function for every item from the ticket's on.
    pub(crate) fn run<F, A, R>(&mut self, function: &F)
    where
        F: Fn(A) -> R,
        A: DeserializeOwned,
        R: Serialize,
    {
        let number = self.head.ticket.number();
        let from = self.head.ticket.item();
        // Descriptors belong to the message, so with any, all its arguments are read at once.
        let mut args = (!self.gifts.is_empty()).then(|| self.read_all::<A>().into_iter());
        for item in 0..self.head.count {
            let ticket = Ticket::new(number, item);
            if item >= from {
                // From here on, it is this item's fault. Reading its argument is part of it.
                self.page.start(ticket.0);
            }
            let run = || {
                let arg = match &mut args {
                    Some(args) => args
                        .next()
                        .unwrap_or_else(|| Err("it is missing".to_owned())),
                    None => self.read(),
                };
                match arg {
                    Ok(_) if item < from => None, // it was done, or lost, by another worker
                    Ok(arg) => Some(Outcome::Value(function(arg))),
                    Err(why) => Some(Outcome::Unreadable(why)),
                }
            };
            IN_JOB.set(true);
            let outcome = catch_unwind(AssertUnwindSafe(run));
            let unreadable = matches!(outcome, Ok(Some(Outcome::Unreadable(_))));
            self.answer(ticket, outcome);
            IN_JOB.set(false);
            if unreadable && args.is_none() {
                // Nobody knows where the next argument begins.
                for item in item.max(from) + 1..self.head.count {
                    let why = "an argument before it in the same chunk cannot be read".to_owned();
                    self.answer::<R>(
                        Ticket::new(number, item),
                        Ok(Some(Outcome::Unreadable(why))),
                    );
                }
                return;
            }
        }
    }

    fn read<A: DeserializeOwned>(&mut self) -> Result<A, String> {
        let (arg, rest) = blob::reading(Vec::new(), || postcard::take_from_bytes(self.args))
            .map_err(|error| format!("the argument: {error}"))?;
        self.args = rest;
        Ok(arg)
    }

    fn read_all<A: DeserializeOwned>(&mut self) -> Vec<Result<A, String>> {
        self.page.start(self.head.ticket.0);
        let mut bytes = self.args;
        let mut read = || {
            let arg =
                postcard::take_from_bytes(bytes).map_err(|error| format!("the argument: {error}"));
            arg.map(|(arg, rest)| {
                bytes = rest;
                arg
            })
        };
        let gifts = std::mem::take(&mut self.gifts);
        blob::reading(gifts, || (0..self.head.count).map(|_| read()).collect())
    }

    /// Says what became of an item. The value is gone when this returns.
    fn answer<R: Serialize>(
        &mut self,
        ticket: Ticket,
        outcome: Result<Option<Outcome<R>>, Box<dyn Any + Send>>,
    ) {
        let outcome = match outcome {
            Ok(None) => return,
            Ok(Some(outcome)) => Ok(outcome),
            Err(payload) => Err(last_panic(payload)),
        };
        if let Some(init) = &mut self.init {
            *init = match outcome {
                Ok(Outcome::Value(_)) => Ok(()),
                Ok(Outcome::Unreadable(why)) => Err(why),
                Err(panic) => Err(panic.to_string()),
            };
            return;
        }
        let sent = match outcome {
            // Only what was asked to stop may have stopped early; what it returns then means nothing.
            Ok(Outcome::Value(_)) if self.page.is_cancelled(ticket.0) => stopped(ticket),
            Ok(Outcome::Value(value)) => {
                let sent = catch_unwind(AssertUnwindSafe(|| answer(ticket, Tag::Value, &value)));
                match sent {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(Unsent::Io(error))) => Err(error),
                    Ok(Err(Unsent::Encode(why))) => answer_or_io(ticket, Tag::Encode, &why),
                    Err(payload) => answer_or_io(ticket, Tag::Panicked, &last_panic(payload)),
                }
            }
            Ok(Outcome::Unreadable(why)) => answer_or_io(ticket, Tag::Decode, &why),
            Err(panic) => answer_or_io(ticket, Tag::Panicked, &panic),
        };
        if let Err(error) = sent {
            cannot(&error); // the pool is gone; so will this process be
        }
    }
}
