//! must fail with: of each single poll, the part that lies between due and fired
//!
//! Names the first one that was polled between due and fired.

use std::collections::HashMap;

use flight::{Entry, Event, Task};

/// One poll: a task has its loop, from `begin` to `end`. All times are nanoseconds, as in [`Entry::t`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// Which loop: [`Entry::actor`]. Every loop has a lane of its own in the record, and all lanes are mixed in it.
    pub lane: usize,
    pub task: Task,
    pub begin: u64,
    pub end: u64,
}

/// A timer that fired too late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateTimer {
    /// Who waited for it.
    pub task: Task,
    pub due: u64,
    pub fired: u64,
    /// Who held the loop meanwhile.
    pub held_by: Option<Task>,
}

/// All polls, in the order in which they began.
pub fn polls(record: &[Entry]) -> Vec<Poll> {
    let over = record.last().map_or(0, |entry| entry.t);
    let mut polls: Vec<Option<Poll>> = Vec::new();
    let mut open: HashMap<usize, usize> = HashMap::new();
    for entry in record {
        match entry.event {
            Event::PollBegin { task, .. } => {
                open.insert(entry.actor, polls.len());
                polls.push(Some(Poll {
                    lane: entry.actor,
                    task,
                    begin: entry.t,
                    end: over,
                }));
            }
            Event::PollEnd { .. } => {
                let poll = open.remove(&entry.actor);
                if let Some(poll) = poll.and_then(|poll| polls[poll].as_mut()) {
                    poll.end = entry.t;
                }
            }
            Event::Gap { .. } => {
                if let Some(poll) = open.remove(&entry.actor) {
                    polls[poll] = None;
                }
            }
            _ => {}
        }
    }
    polls.into_iter().flatten().collect()
}

/// The polls that took longer than `limit`, in the order in which they began.
pub fn long_polls(record: &[Entry], limit: u64) -> Vec<Poll> {
    let mut polls = polls(record);
    polls.retain(|poll| poll.end - poll.begin > limit);
    polls
}

/// The timers that fired more than `limit` after they were due, in the order in which they fired.
pub fn late_timers(record: &[Entry], limit: u64) -> Vec<LateTimer> {
    let polls = polls(record);
    let mut found = Vec::new();
    for entry in record {
        if let Event::TimerFire { task, late, .. } = entry.event
            && late > limit
        {
            let (due, fired) = (entry.t - late, entry.t);
            // The part of a poll that lies between due and fired.
            let part = |poll: &Poll| poll.end.min(fired).saturating_sub(poll.begin.max(due));
            let here = polls.iter().filter(|poll| poll.lane == entry.actor);
            let held = here.into_iter().find(|poll| part(poll) > 0);
            found.push(LateTimer {
                task,
                due,
                fired,
                held_by: held.filter(|poll| part(poll) > 0).map(|poll| poll.task),
            });
        }
    }
    found
}
