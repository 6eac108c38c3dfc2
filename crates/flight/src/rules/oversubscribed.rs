//! More threads want to run than there are cores for.
//!
//! The others wait for a core, and each change costs. A thread that waits costs nothing, so threads are counted
//! only while they want to run: not while they are parked or wait for a lock, and workers of a pool only during a job.
//!
//! The limit: twice as many as cores, for 10 ms. A shorter crowd is over before it costs anything. On a virtual
//! clock there are no cores, and nothing is said.

use super::run::Run;
use super::words::time;
use super::{Hit, Limits, Rule, Severity, evidence, ns};
use crate::event::Event;
use crate::recording::{ActorKind, Entry};

/// What one robot is about.
#[derive(Clone, Copy, Default)]
struct State {
    is_here: bool,
    is_parked: bool,
    waits_for_lock: bool,
    jobs: u32,
}

/// A time with too many, until now.
struct Crowd<'a> {
    from: &'a Entry,
    most: u64,
    at_most: &'a Entry,
}

pub(super) fn look(run: &Run<'_>, limits: &Limits) -> Vec<Hit> {
    let limit = run.recording.header.cores * limits.threads_per_core;
    let mut states = vec![State::default(); run.lanes.len()];
    let mut running: u64 = 0;
    let mut crowd: Option<Crowd<'_>> = None;
    let mut worst: Option<(u64, Hit)> = None;
    for entry in run.recording.events.iter().filter(|_| limit > 0) {
        let kind = run.recording.actors[entry.actor].kind;
        let state = &mut states[entry.actor];
        let before = state.wants_to_run(kind);
        state.see(&entry.event);
        let after = state.wants_to_run(kind);
        running = running + u64::from(after) - u64::from(before);
        if running > limit {
            let crowd = crowd.get_or_insert(Crowd {
                from: entry,
                most: 0,
                at_most: entry,
            });
            if running > crowd.most {
                (crowd.most, crowd.at_most) = (running, entry);
            }
        } else if let Some(crowd) = crowd.take() {
            keep_the_longest(&mut worst, run, limits, &crowd, entry);
        }
    }
    if let (Some(crowd), Some(last)) = (crowd, run.recording.events.last()) {
        keep_the_longest(&mut worst, run, limits, &crowd, last);
    }
    worst.into_iter().map(|(_, hit)| hit).collect()
}

impl State {
    fn see(&mut self, event: &Event) {
        match event {
            Event::ActorStart => self.is_here = true,
            Event::ActorStop => *self = State::default(),
            Event::ParkBegin { .. } => self.is_parked = true,
            Event::ParkEnd => self.is_parked = false,
            Event::ResWait { .. } => self.waits_for_lock = true,
            Event::ResAcquire { .. } => self.waits_for_lock = false,
            Event::JobStart { .. } => self.jobs += 1,
            Event::JobEnd { .. } => self.jobs = self.jobs.saturating_sub(1),
            _ => {}
        }
    }

    fn wants_to_run(&self, kind: ActorKind) -> bool {
        let has_work = match kind {
            ActorKind::Thread | ActorKind::Loop => true,
            ActorKind::Pool | ActorKind::Process => self.jobs > 0,
        };
        self.is_here && has_work && !self.is_parked && !self.waits_for_lock
    }
}

fn keep_the_longest(
    worst: &mut Option<(u64, Hit)>,
    run: &Run<'_>,
    limits: &Limits,
    crowd: &Crowd<'_>,
    end: &Entry,
) {
    let length = end.t - crowd.from.t;
    let is_longest = worst.as_ref().is_none_or(|(longest, _)| length > *longest);
    if length < ns(limits.oversubscribed_for) || !is_longest {
        return;
    }
    let cores = run.recording.header.cores;
    let hit = Hit {
        rule: Rule::Oversubscribed,
        severity: Severity::Note,
        subject: run.recording.header.program.clone(),
        says: format!(
            "from {} to {}, up to {} threads wanted to run at once on {cores} core{}: they take turns and get in each other's way, \
             and nothing gets done sooner than with one thread for each core.",
            time(crowd.from.t),
            time(end.t),
            crowd.most,
            if cores == 1 { "" } else { "s" },
        ),
        limit: cores * limits.threads_per_core,
        observed: crowd.most,
        at: crowd.from.t,
        evidence: evidence([crowd.from, crowd.at_most, end]),
    };
    *worst = Some((length, hit));
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::made_up::{MadeUp, hit, hits};
    use crate::{ActorKind, Event, Header, Lane, Recording, VirtualTime};

    /// So many threads of a kind, each with what it does at 5 ms, until 50 ms, on two cores.
    fn crowd(threads: usize, kind: ActorKind, act: impl Fn(&Lane)) -> Recording {
        let two_cores = |time: &VirtualTime| Header {
            cores: 2,
            ..Header::virtual_time("test", time)
        };
        let mut run = MadeUp::on(VirtualTime::new(), two_cores);
        let why = run.recorder.text("nobody is ready");
        run.record(Event::ParkBegin { why, until: 0 });
        let lane = |number| run.recorder.actor(&format!("hand {number}"), kind);
        let lanes: Vec<Lane> = (0..threads).map(lane).collect();
        run.at(5);
        lanes.iter().for_each(act);
        run.at(50);
        drop(lanes);
        run.record(Event::ParkEnd);
        run.over()
    }

    fn job(lane: &Lane) {
        let pool = lane.text("the hands");
        lane.record(Event::JobStart { job: 1, pool });
    }

    #[test]
    fn many_cooks() {
        let hit = hit(Rule::Oversubscribed, &crowd(5, ActorKind::Pool, job));
        assert_eq!((hit.limit, hit.observed), (4, 5));
        assert!(
            hit.says.starts_with(
                "from 5 ms to 50 ms, up to 5 threads wanted to run at once on 2 cores"
            ),
            "{}",
            hit.says
        );
        assert_eq!(
            hits(Rule::Oversubscribed, &crowd(5, ActorKind::Thread, |_| ())).len(),
            1
        );
    }

    #[test]
    fn whoever_waits_needs_no_core() {
        let parks = |lane: &Lane| {
            let why = lane.text("a slip");
            lane.record(Event::ParkBegin { why, until: 0 });
        };
        let wants = |lane: &Lane| {
            let resource = lane.text("the key");
            lane.record(Event::ResWait { resource });
        };
        assert_eq!(
            hits(Rule::Oversubscribed, &crowd(50, ActorKind::Thread, parks)),
            []
        );
        assert_eq!(
            hits(Rule::Oversubscribed, &crowd(50, ActorKind::Thread, wants)),
            []
        );
        assert_eq!(
            hits(Rule::Oversubscribed, &crowd(50, ActorKind::Pool, |_| ())),
            []
        );
        assert_eq!(
            hits(Rule::Oversubscribed, &crowd(4, ActorKind::Pool, job)),
            []
        );
    }
}
