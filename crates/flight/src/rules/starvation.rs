//! Another task has turn after turn while this one is ready.
//!
//! With one queue for all, whoever is ready waits for one turn of each of the others, and no more. If somebody
//! has many turns in that time, the loop's choice is not fair: a priority without an end, a checker's schedule,
//! a lifo slot.
//!
//! The limit: 10 turns of one other task, between the moment in which a task is ready and its turn.

use std::collections::HashMap;

use super::run::Run;
use super::words::{time, times};
use super::{Hit, Limits, Rule, Severity, evidence, worst};
use crate::event::{End, Task};
use crate::recording::Entry;

pub(super) fn look(run: &Run<'_>, limits: &Limits) -> Vec<Hit> {
    let hits = (0..run.lanes.len()).flat_map(|lane| on_lane(run, limits, lane));
    worst(hits.collect(), |others| {
        format!("; it was passed over like this {} more", times(others))
    })
}

fn on_lane<'a>(run: &Run<'a>, limits: &Limits, lane: usize) -> Vec<(Task, Hit)> {
    let polls = &run.lanes[lane].polls;
    let soonest = soonest_excess(run, polls, limits.turns_while_ready);
    let mut hits = Vec::new();
    let mut judge = |task: Task, since: &'a Entry, turn: Option<&'a Entry>| {
        let from = polls.partition_point(|poll| run.polls[*poll].begin.n < since.n);
        let to = turn.map_or(polls.len(), |turn| {
            polls.partition_point(|poll| run.polls[*poll].begin.n < turn.n)
        });
        // Cheap for almost all: nobody's excess turn lies in between.
        if soonest[from] < to {
            hits.extend(tell(run, limits, task, since, turn, &polls[from..to]));
        }
    };
    for poll in polls.iter().map(|poll| &run.polls[*poll]) {
        if let Some(since) = poll.ready_since.filter(|since| since.actor == lane) {
            judge(poll.task, since, Some(poll.begin));
        }
    }
    // And those who were ready and never had their turn.
    for life in &run.lives {
        let Some((wake, _)) = life.wakes.last() else {
            continue;
        };
        let last = life.polls.last().map(|poll| run.polls[*poll].begin.n);
        let is_over = life.end.is_some_and(|(_, how)| how != End::Cancelled);
        if wake.actor == lane && last.is_some_and(|last| last < wake.n) && !is_over {
            let own_end = life.polls.last().and_then(|poll| run.polls[*poll].end);
            let since = own_end.filter(|end| end.n > wake.n).unwrap_or(wake);
            judge(life.task, since, None);
        }
    }
    hits
}

/// For each place in the order of polls: the first place at which somebody has had one turn more than allowed since then.
fn soonest_excess(run: &Run<'_>, polls: &[usize], allowed: usize) -> Vec<usize> {
    let mut turns: HashMap<Task, Vec<usize>> = HashMap::new();
    let mut soonest = vec![usize::MAX; polls.len() + 1];
    for place in (0..polls.len()).rev() {
        let later = turns.entry(run.polls[polls[place]].task).or_default();
        later.push(place);
        let excess = later
            .len()
            .checked_sub(allowed + 1)
            .map_or(usize::MAX, |at| later[at]);
        soonest[place] = soonest[place + 1].min(excess);
    }
    soonest
}

fn tell(
    run: &Run<'_>,
    limits: &Limits,
    task: Task,
    since: &Entry,
    turn: Option<&Entry>,
    between: &[usize],
) -> Option<(Task, Hit)> {
    let mut turns: HashMap<Task, (usize, &Entry)> = HashMap::new();
    for poll in between.iter().map(|poll| &run.polls[*poll]) {
        turns.entry(poll.task).or_insert((0, poll.begin)).0 += 1;
    }
    turns.remove(&task);
    let (other, (count, first)) = turns
        .into_iter()
        .max_by_key(|(task, (count, _))| (*count, std::cmp::Reverse(*task)))?;
    if count <= limits.turns_while_ready {
        return None;
    }
    let (who, other) = (run.name(task), run.name(other));
    let before = match turn {
        Some(turn) => format!("before it got one itself at {}", time(turn.t)),
        None => "and it never got one itself".to_owned(),
    };
    let hit = Hit {
        rule: Rule::Starvation,
        severity: Severity::Red,
        subject: who.to_owned(),
        says: format!(
            "{who} stood in the run queue from {} on, and {other} had {count} turns {before}: whoever is ready is meant to get a turn before \
             others get their next",
            time(since.t)
        ),
        limit: limits.turns_while_ready as u64,
        observed: count as u64,
        at: since.t,
        evidence: evidence([since, first].into_iter().chain(turn)),
    };
    Some((task, hit))
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::made_up::{MadeUp, hit, hits};
    use crate::{End, Source};

    fn passed_over(turns: u64) -> MadeUp {
        let mut run = MadeUp::new();
        let (soup, regular) = (run.spawn("soup"), run.spawn("the regular"));
        run.poll(soup, 0, false);
        run.at(3).wake(soup, Source::Timer);
        for _ in 0..turns {
            run.begin(regular);
            run.wake(regular, Source::OwnPoll);
            run.end(regular, false);
        }
        run
    }

    #[test]
    fn the_regular_is_always_served_first() {
        let mut run = passed_over(11);
        let soup = run.rung("soup");
        run.at(9).poll(soup, 0, true);
        let hit = hit(Rule::Starvation, &run.over());
        assert_eq!((hit.limit, hit.observed), (10, 11));
        assert_eq!(
            hit.says,
            "soup stood in the run queue from 3 ms on, and the regular had 11 turns before it got one itself at 9 ms: whoever is ready is \
             meant to get a turn before others get their next."
        );
    }

    #[test]
    fn and_some_are_never_served_at_all() {
        let mut run = passed_over(500);
        let soup = run.rung("soup");
        run.finish(soup, End::Cancelled);
        let hits = hits(Rule::Starvation, &run.leave());
        let soup = hits.iter().find(|hit| hit.subject == "soup").unwrap();
        assert!(
            soup.says.contains("500 turns and it never got one itself"),
            "{}",
            soup.says
        );
    }

    #[test]
    fn a_few_turns_and_many_others_are_all_right() {
        let mut run = passed_over(10);
        for _ in 0..100 {
            let guest = run.spawn("a guest");
            run.poll(guest, 0, true);
        }
        let soup = run.rung("soup");
        run.poll(soup, 0, true);
        assert_eq!(hits(Rule::Starvation, &run.over()), []);
    }
}
