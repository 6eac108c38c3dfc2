//! Runs made up for tests: one LoopBot on a virtual clock, and whatever a test makes happen on it.

use std::collections::HashMap;

use super::{Hit, Limits, Rule, look};
use crate::{ActorKind, End, Event, Header, Lane, Recorder, Recording, Source, Task, VirtualTime};

pub(super) struct MadeUp {
    pub(super) time: VirtualTime,
    pub(super) recorder: Recorder,
    pub(super) robot: Lane,
    pub(super) main: Task,
    /// The last ring of each task: what its next poll is caused by; and how many polls it had.
    rings: HashMap<Task, (u64, u64)>,
}

impl MadeUp {
    /// LoopBot begins, and polls its main task once.
    pub(super) fn new() -> MadeUp {
        MadeUp::on(VirtualTime::new(), |time| {
            Header::virtual_time("test", time)
        })
    }

    pub(super) fn on(time: VirtualTime, header: impl Fn(&VirtualTime) -> Header) -> MadeUp {
        let recorder = Recorder::new(header(&time));
        let robot = recorder.actor("LoopBot", ActorKind::Loop);
        let main = recorder.task("main");
        let n = robot.record(Event::TaskSpawn {
            task: main,
            by: None,
        });
        let rings = HashMap::from([(main, (n, 0))]);
        let mut run = MadeUp {
            time,
            recorder,
            robot,
            main,
            rings,
        };
        run.poll(main, 0, false);
        run
    }

    /// From now on it is so many milliseconds after the start.
    pub(super) fn at(&mut self, ms: u64) -> &mut MadeUp {
        self.time.advance_to(ms * 1_000_000);
        self
    }

    pub(super) fn spawn(&mut self, name: &str) -> Task {
        let task = self.recorder.task(name);
        let by = Some(self.main);
        let n = self.record(Event::TaskSpawn { task, by });
        self.rings.insert(task, (n, 0));
        task
    }

    pub(super) fn wake(&mut self, task: Task, source: Source) -> u64 {
        let n = self.record(Event::Wake { task, source });
        self.rings.get_mut(&task).unwrap().0 = n;
        n
    }

    pub(super) fn begin(&mut self, task: Task) -> u64 {
        let (cause, polls) = self.rings.get_mut(&task).unwrap();
        *polls += 1;
        let (cause, poll) = (*cause, *polls);
        self.record(Event::PollBegin { task, poll, cause })
    }

    pub(super) fn end(&mut self, task: Task, ready: bool) -> u64 {
        let n = self.record(Event::PollEnd { task, ready });
        if ready {
            self.finish(task, End::Done);
        }
        n
    }

    /// The task of this name.
    pub(super) fn rung(&self, name: &str) -> Task {
        let names = self.recorder.recording().tasks;
        let mut tasks = self.rings.keys();
        *tasks.find(|task| names[task.index()] == name).unwrap()
    }

    /// A whole poll, that takes so many milliseconds.
    pub(super) fn poll(&mut self, task: Task, ms: u64, ready: bool) {
        self.begin(task);
        self.time.advance_to(self.time.now() + ms * 1_000_000);
        self.end(task, ready);
    }

    pub(super) fn finish(&mut self, task: Task, how: End) -> u64 {
        self.record(Event::TaskEnd { task, how })
    }

    pub(super) fn record(&self, event: Event) -> u64 {
        self.robot.record(event)
    }

    /// Main is done, and LoopBot leaves.
    pub(super) fn over(mut self) -> Recording {
        self.wake(self.main, Source::Task);
        self.poll(self.main, 0, true);
        self.leave()
    }

    /// LoopBot leaves as things are.
    pub(super) fn leave(self) -> Recording {
        drop(self.robot);
        self.recorder.recording()
    }
}

/// What one rule finds, with the usual limits.
pub(super) fn hits(rule: Rule, recording: &Recording) -> Vec<Hit> {
    let mut hits = look(recording, &Limits::default());
    hits.retain(|hit| hit.rule == rule);
    for hit in &hits {
        let is_there = |n: &u64| recording.events.iter().any(|entry| entry.n == *n);
        assert!(hit.evidence.iter().all(is_there), "{hit:?}");
        assert!(
            hit.evidence.is_sorted() && !hit.evidence.is_empty(),
            "{hit:?}"
        );
        assert!(
            hit.says.ends_with('.') && !hit.says.contains('\n'),
            "{hit:?}"
        );
        assert!(hit.at <= recording.duration(), "{hit:?}");
    }
    hits
}

/// The one thing that the rule finds.
#[track_caller]
pub(super) fn hit(rule: Rule, recording: &Recording) -> Hit {
    let mut hits = hits(rule, recording);
    assert_eq!(hits.len(), 1, "{hits:#?}");
    hits.remove(0)
}
