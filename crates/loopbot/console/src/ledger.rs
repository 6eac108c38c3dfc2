//! What the record says about each task, added up.

use std::time::Duration;

use console_api::tasks::{Stats, Task as NewTask, TaskUpdate, task};
use console_api::{Field, Id, MetaId, PollStats, field};
use flight::{Chunk, Entry, Event, Source, Task};
use prost_types::Timestamp;

/// All tasks have the same metadata: a console asks for some.
pub(crate) const METADATA: u64 = 1;

/// The tasks of one record so far.
#[derive(Default)]
pub(crate) struct Ledger {
    t0_unix_ns: u64,
    names: Vec<String>,
    accounts: Vec<Option<Account>>,
    lost: u64,
}

/// One task. Times are nanoseconds since the record began.
struct Account {
    spawned: u64,
    ended: Option<u64>,
    wakes: u64,
    self_wakes: u64,
    /// When it was put into the run queue in which it is still.
    queued: Option<u64>,
    last_wake: Option<u64>,
    scheduled: u64,
    polls: u64,
    first_poll: Option<u64>,
    poll_began: Option<u64>,
    poll_ended: Option<u64>,
    busy: u64,
    /// What changed since the last update: the whole account is told again.
    is_new: bool,
    is_stale: bool,
}

impl Ledger {
    pub(crate) fn new(t0_unix_ns: u64) -> Ledger {
        Ledger {
            t0_unix_ns,
            ..Ledger::default()
        }
    }

    /// Enters what is new.
    pub(crate) fn enter(&mut self, chunk: Chunk) {
        self.names.extend(chunk.tasks);
        self.lost += chunk.dropped;
        for entry in chunk.events {
            self.enter_one(entry);
        }
    }

    fn enter_one(&mut self, Entry { t, event, .. }: Entry) {
        match event {
            Event::TaskSpawn { task, .. } => {
                self.accounts.resize_with(self.names.len(), || None);
                self.accounts[task.index()] = Some(Account::spawned(t));
            }
            Event::TaskEnd { task, .. } => self.change(task, |account| account.ended = Some(t)),
            Event::Wake { task, source } => self.change(task, |account| account.wake(t, source)),
            Event::PollBegin { task, .. } => self.change(task, |account| account.begin_poll(t)),
            Event::PollEnd { task, .. } => self.change(task, |account| account.end_poll(t)),
            _ => {}
        }
    }

    /// A task of which the record has lost the beginning has no account.
    fn change(&mut self, task: Task, change: impl FnOnce(&mut Account)) {
        if let Some(Some(account)) = self.accounts.get_mut(task.index()) {
            change(account);
            account.is_stale = true;
        }
    }

    /// What changed since the last update. A console that comes late gets everything.
    pub(crate) fn update(&mut self, everything: bool) -> TaskUpdate {
        let mut update = TaskUpdate {
            dropped_events: self.lost,
            ..TaskUpdate::default()
        };
        let accounts = self.accounts.iter_mut().enumerate();
        for (index, account) in accounts.filter_map(|(i, account)| Some((i, account.as_mut()?))) {
            let id = index as u64 + 1;
            if everything || account.is_new {
                update.new_tasks.push(new_task(id, &self.names[index]));
            }
            if everything || account.is_stale {
                let stats = account.stats(|t| timestamp(self.t0_unix_ns + t));
                update.stats_update.insert(id, stats);
            }
            (account.is_new, account.is_stale) = (false, false);
        }
        update
    }
}

impl Account {
    fn spawned(t: u64) -> Account {
        Account {
            spawned: t,
            ended: None,
            wakes: 0,
            self_wakes: 0,
            queued: Some(t),
            last_wake: None,
            scheduled: 0,
            polls: 0,
            first_poll: None,
            poll_began: None,
            poll_ended: None,
            busy: 0,
            is_new: true,
            is_stale: true,
        }
    }

    fn wake(&mut self, t: u64, source: Source) {
        self.wakes += 1;
        self.self_wakes += u64::from(source == Source::OwnPoll);
        self.last_wake = Some(t);
        self.queued.get_or_insert(t);
    }

    fn begin_poll(&mut self, t: u64) {
        self.polls += 1;
        self.scheduled += self.queued.take().map_or(0, |queued| t - queued);
        self.first_poll.get_or_insert(t);
        self.poll_began = Some(t);
    }

    fn end_poll(&mut self, t: u64) {
        self.busy += self.poll_began.map_or(0, |began| t - began);
        self.poll_ended = Some(t);
    }

    fn stats(&self, at: impl Fn(u64) -> Timestamp) -> Stats {
        Stats {
            created_at: Some(at(self.spawned)),
            dropped_at: self.ended.map(&at),
            wakes: self.wakes,
            // LoopBot's wakers are names, and copies of a name are not counted. To the console, a task
            // without a waker would be a task that nobody can ever wake.
            waker_clones: 1,
            waker_drops: 0,
            last_wake: self.last_wake.map(&at),
            poll_stats: Some(PollStats {
                polls: self.polls,
                first_poll: self.first_poll.map(&at),
                last_poll_started: self.poll_began.map(&at),
                last_poll_ended: self.poll_ended.map(&at),
                busy_time: Some(duration(self.busy)),
            }),
            self_wakes: self.self_wakes,
            scheduled_time: Some(duration(self.scheduled)),
        }
    }
}

fn new_task(id: u64, name: &str) -> NewTask {
    NewTask {
        id: Some(Id { id }),
        metadata: Some(MetaId { id: METADATA }),
        kind: task::Kind::Spawn.into(),
        fields: vec![field("task.name", name), field("kind", "task")],
        parents: Vec::new(),
        location: None,
    }
}

fn field(name: &str, value: &str) -> Field {
    Field {
        name: Some(field::Name::StrName(name.to_string())),
        value: Some(field::Value::StrVal(value.to_string())),
        metadata_id: Some(MetaId { id: METADATA }),
    }
}

/// A time of the wall's clock.
pub(crate) fn timestamp(unix_ns: u64) -> Timestamp {
    Timestamp {
        seconds: (unix_ns / 1_000_000_000) as i64,
        nanos: (unix_ns % 1_000_000_000) as i32,
    }
}

fn duration(ns: u64) -> prost_types::Duration {
    Duration::from_nanos(ns)
        .try_into()
        .expect("584 years are not too long")
}
