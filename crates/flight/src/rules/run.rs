//! The events, read once: polls with their ends, tasks with their lives, lanes with theirs.

use crate::event::{End, Event, Source, Task};
use crate::recording::{ActorKind, Entry, Recording};

/// A recording, as the rules look at it.
pub(super) struct Run<'a> {
    pub(super) recording: &'a Recording,
    /// In the order in which they began.
    pub(super) polls: Vec<Poll<'a>>,
    /// By [`Task::index`].
    pub(super) lives: Vec<Life<'a>>,
    /// By [`Entry::actor`].
    pub(super) lanes: Vec<Lane<'a>>,
    /// Whether nothing is missing from the recording, so that what it does not hold did not happen.
    pub(super) is_whole: bool,
}

/// One poll of one task.
pub(super) struct Poll<'a> {
    pub(super) task: Task,
    /// The how-manyth of its task.
    pub(super) number: u64,
    pub(super) begin: &'a Entry,
    pub(super) end: Option<&'a Entry>,
    pub(super) ready: bool,
    /// Since when its task was ready: since the wake or the spawn, or since its poll before, if the wake came in that.
    pub(super) ready_since: Option<&'a Entry>,
    /// Events are missing between its beginning and its end.
    is_torn: bool,
}

/// What became of one task.
pub(super) struct Life<'a> {
    pub(super) task: Task,
    pub(super) spawn: Option<&'a Entry>,
    /// Its polls, as indices into [`Run::polls`].
    pub(super) polls: Vec<usize>,
    pub(super) wakes: Vec<(&'a Entry, Source)>,
    pub(super) end: Option<(&'a Entry, End)>,
    /// Somebody took its outcome.
    pub(super) is_observed: bool,
    /// The last time that nobody had a waker of it.
    pub(super) wakers_gone: Option<&'a Entry>,
}

/// What one robot's lane holds.
#[derive(Default)]
pub(super) struct Lane<'a> {
    /// Its polls, as indices into [`Run::polls`].
    pub(super) polls: Vec<usize>,
    /// When the robot left.
    pub(super) stop: Option<&'a Entry>,
    /// The main task of an event loop: the one with which its run begins and ends.
    pub(super) root: Option<Task>,
}

impl<'a> Run<'a> {
    pub(super) fn of(recording: &'a Recording) -> Run<'a> {
        let mut run = Run {
            recording,
            polls: Vec::new(),
            lives: recording.tasks.iter().zip(0..).map(Life::of).collect(),
            lanes: recording.actors.iter().map(|_| Lane::default()).collect(),
            is_whole: recording.dropped == 0,
        };
        let mut open = vec![None; run.lanes.len()];
        for entry in &recording.events {
            run.add(entry, &mut open[entry.actor]);
        }
        run
    }

    fn add(&mut self, entry: &'a Entry, open: &mut Option<usize>) {
        match entry.event {
            Event::ActorStop => self.lanes[entry.actor].stop = Some(entry),
            Event::TaskSpawn { task, by } => {
                let is_loop = self.recording.actors[entry.actor].kind == ActorKind::Loop;
                let lane = &mut self.lanes[entry.actor];
                if is_loop && by.is_none() && lane.polls.is_empty() {
                    lane.root = lane.root.or(Some(task));
                }
                self.lives[task.index()].spawn = Some(entry);
            }
            Event::TaskEnd { task, how } => self.lives[task.index()].end = Some((entry, how)),
            Event::PollBegin {
                task,
                poll: number,
                cause,
            } => {
                let ready_since = self.ready_since(task, cause);
                *open = Some(self.polls.len());
                self.lives[task.index()].polls.push(self.polls.len());
                self.lanes[entry.actor].polls.push(self.polls.len());
                self.polls.push(Poll {
                    task,
                    number,
                    begin: entry,
                    end: None,
                    ready: false,
                    ready_since,
                    is_torn: false,
                });
            }
            Event::PollEnd { task, ready } => {
                if let Some(poll) = open.take().map(|poll| &mut self.polls[poll])
                    && poll.task == task
                {
                    (poll.end, poll.ready) = (Some(entry), ready);
                }
            }
            Event::Wake { task, source } => {
                self.lives[task.index()].wakes.push((entry, source));
            }
            Event::Observed { task } => self.lives[task.index()].is_observed = true,
            Event::WakersGone { task } => self.lives[task.index()].wakers_gone = Some(entry),
            Event::Gap { .. } => {
                self.is_whole = false;
                if let Some(poll) = open.take() {
                    self.polls[poll].is_torn = true;
                }
            }
            _ => {}
        }
    }

    /// A task that is woken while it is polled is ready again when that poll is over.
    fn ready_since(&self, task: Task, cause: u64) -> Option<&'a Entry> {
        let cause = self.entry(cause)?;
        let of_task = match cause.event {
            Event::Wake { task, .. } | Event::TaskSpawn { task, .. } => task,
            _ => return None,
        };
        let before = self.lives[task.index()].polls.last();
        let end_before = before.and_then(|poll| self.polls[*poll].end);
        (of_task == task).then(|| end_before.filter(|end| end.n > cause.n).unwrap_or(cause))
    }

    /// The entry with this number.
    pub(super) fn entry(&self, n: u64) -> Option<&'a Entry> {
        let events = &self.recording.events;
        let index = events.binary_search_by_key(&n, |entry| entry.n).ok()?;
        Some(&events[index])
    }

    pub(super) fn name(&self, task: Task) -> &'a str {
        self.recording.task(task)
    }

    pub(super) fn robot(&self, entry: &Entry) -> &'a str {
        self.recording.actor(entry)
    }

    /// How long a poll took, or has taken so far; `None` if that cannot be known.
    pub(super) fn length(&self, poll: &Poll<'_>) -> Option<u64> {
        let goes_on = !poll.is_torn && self.lanes[poll.begin.actor].stop.is_none();
        let end = match poll.end {
            Some(end) => end.t,
            None if goes_on => self.recording.duration(),
            None => return None,
        };
        Some(end - poll.begin.t)
    }

    // ANCHOR: who_held
    /// Who held this lane for most of the time from `from` to `to`, other than `except`: the longest of the polls.
    pub(super) fn who_held(
        &self,
        lane: usize,
        from: u64,
        to: u64,
        except: Option<Task>,
    ) -> Option<&Poll<'a>> {
        let polls = &self.lanes[lane].polls;
        let later = polls.partition_point(|poll| self.polls[*poll].begin.t < to);
        let mut held: Option<(u64, &Poll<'a>)> = None;
        // Backwards from `to`. Polls on one lane do not overlap, so the first that ended before `from` is the last to look at.
        for poll in polls[..later].iter().rev().map(|poll| &self.polls[*poll]) {
            let end = poll.end.map_or(poll.begin.t, |end| end.t);
            let share = end.min(to).saturating_sub(poll.begin.t.max(from));
            if Some(poll.task) != except && held.is_none_or(|(most, _)| share > most) {
                held = Some((share, poll));
            }
            if end < from {
                break;
            }
        }
        let (share, poll) = held?;
        (share > 0 && share >= (to - from) / 2).then_some(poll)
    }
    // ANCHOR_END: who_held

    /// Whether the robot on whose lane this stands has left, so that nothing more can come.
    pub(super) fn is_over(&self, entry: &Entry) -> bool {
        self.lanes[entry.actor].stop.is_some()
    }

    pub(super) fn is_root(&self, task: Task) -> bool {
        self.lanes.iter().any(|lane| lane.root == Some(task))
    }

    /// The loop of this lane stood still: its main task was given up, since nobody could be woken any more.
    pub(super) fn stood_still(&self, lane: usize) -> Option<&'a Entry> {
        let root = self.lanes[lane].root?;
        match self.lives[root.index()].end {
            Some((end, End::Cancelled)) => Some(end),
            _ => None,
        }
    }

    /// Since when nobody can wake this task. If somebody did after all (cancelled it, say), it is not lost.
    pub(super) fn lost_since(&self, life: &Life<'a>) -> Option<&'a Entry> {
        let gone = life.wakers_gone?;
        let is_woken = life.wakes.last().is_some_and(|(wake, _)| wake.n > gone.n);
        (!is_woken).then_some(gone)
    }

    /// The last poll of a task, if it waits, or was dropped while it waited, and nobody cancelled it.
    pub(super) fn left_waiting(&self, life: &Life<'a>) -> Option<&Poll<'a>> {
        let last = &self.polls[*life.polls.last()?];
        let was_dropped = life.end.is_none_or(|(_, how)| how == End::Cancelled);
        (was_dropped && last.end.is_some() && !last.ready).then_some(last)
    }
}

impl<'a> Life<'a> {
    fn of((_, index): (&String, u32)) -> Life<'a> {
        Life {
            task: Task(index),
            spawn: None,
            polls: Vec::new(),
            wakes: Vec::new(),
            end: None,
            is_observed: false,
            wakers_gone: None,
        }
    }
}
