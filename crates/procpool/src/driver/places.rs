//! The workers' places: one is started there, and taken away when it is dead.

use std::io;
use std::process::Stdio;

use flight::{ActorKind, Event};

use super::{Inner, Shared};
use crate::builder::Output;
use crate::core::{Obituary, State, Ticket, Time};
use crate::error::Death;
use crate::link::{Autopsy, Link};
use crate::os::{Launch, Program};
use crate::page::Page;
use crate::told::Told;
use crate::tray::Tray;
use crate::worker::{ARGUMENT, DEPTH};

impl Shared {
    pub(super) fn launch(&self, place: usize) -> io::Result<Link> {
        let settings = &self.settings;
        let output = || match settings.output {
            Output::Inherit => Stdio::inherit(),
            Output::Capture => Stdio::piped(),
            Output::Null => Stdio::null(),
        };
        // A worker that is refused memory says so there, and nowhere else.
        let stderr = match settings.memory_limit {
            true => Stdio::piped(),
            false => output(),
        };
        let mut environment = settings.env.clone();
        environment.push((DEPTH.into(), (crate::depth() + 1).to_string().into()));
        let program = match &settings.program {
            None => Program::This,
            Some(other) => {
                other.is_as_it_was()?;
                Program::File(other.path.clone())
            }
        };
        let page = Page::new()?;
        let tray = Tray::new()?;
        let launch = Launch {
            program,
            arguments: vec![ARGUMENT.into()],
            environment,
            stdout: output(),
            stderr,
        };
        let started = launch.start()?;
        let name = format!("{} worker {}", settings.name, place + 1);
        let told = Told::new(
            settings.recorder.actor(&name, ActorKind::Process),
            &settings.name,
        );
        let link = Link::new(started, page, tray, &settings.briefing, told)?;
        // Only now, so that each start in the record has its end.
        let lane = &link.told.lane;
        if lane.is_on() {
            lane.record(Event::ProcessStart {
                pid: u64::from(link.process.pid()),
                name: lane.text(&name),
            });
        }
        Ok(link)
    }

    /// If the worker in this place is dead: reaps it, and tells the core.
    pub(super) fn bury(&self, inner: &mut Inner, now: Time, place: usize) {
        let Some(link) = &mut inner.links[place] else {
            return;
        };
        let Some(exit) = link.process.try_reap() else {
            return;
        };
        let Some(link) = inner.links[place].take() else {
            return;
        };
        if link.told.lane.is_on() {
            link.told.lane.record(Event::ProcessExit {
                pid: u64::from(link.process.pid()),
                status: exit.for_the_record(),
            });
        }
        let autopsy = Autopsy {
            fingerprint: self.settings.fingerprint,
            tells_tail: self.settings.output == Output::Capture,
            oom: &mut inner.oom,
            voice: inner.voice.as_mut(),
        };
        let (obituary, why) = link.bury(now, place, &mut inner.core, exit, autopsy);
        inner.core.died(now, place, &obituary, &why);
    }
}

impl Inner {
    pub(super) fn launched(&mut self, now: Time, place: usize, launched: io::Result<Link>) {
        match launched {
            Ok(mut link) => {
                // It may have been told to end, or killed, while there was nobody to be told. It has not begun anything.
                if self.core.state(place) == State::Ending {
                    link.kill();
                }
                self.links[place] = Some(link);
            }
            Err(error) => {
                let obituary = Obituary {
                    pid: 0,
                    how: Death::Exit(255),
                    from_outside: false,
                    begun: Ticket(0),
                    stderr_tail: String::new(),
                };
                self.core.died(now, place, &obituary, &error.to_string());
            }
        }
    }
}
