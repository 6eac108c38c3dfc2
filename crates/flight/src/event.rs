//! What can happen. Each event is a kind and three numbers, so that recording one never allocates.

/// A string in the recording's string table. Made by [`Recorder::text`](crate::Recorder::text).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(pub(crate) u32);

/// A place in the source, as an index into the recording's table of locations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Loc(pub(crate) u32);

/// A task, as an index into the recording's table of tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Task(pub(crate) u32);

impl Text {
    /// The index into [`Recording::strings`](crate::Recording::strings).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Loc {
    /// The index into [`Recording::locs`](crate::Recording::locs).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Task {
    /// The index into [`Recording::tasks`](crate::Recording::tasks).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It returned its value.
    Done,
    /// It was dropped before it was done.
    Cancelled,
    /// It panicked.
    Panicked,
}

/// Who rang for a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Another task on the same loop.
    Task,
    /// A timer that came due.
    Timer,
    /// Another thread.
    Thread,
    /// The task itself, during its own poll.
    OwnPoll,
}

/// One thing that happened on one lane. Times are nanoseconds on the recording's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A robot enters. Written by [`Recorder::actor`](crate::Recorder::actor).
    ActorStart,
    /// A robot leaves. Written when its [`Lane`](crate::Lane) is dropped.
    ActorStop,
    /// A task exists from here on.
    TaskSpawn {
        /// The new task.
        task: Task,
        /// The task that spawned it, if one did.
        by: Option<Task>,
    },
    /// A task is over.
    TaskEnd {
        /// The task.
        task: Task,
        /// How it ended.
        how: End,
    },
    /// The loop starts to poll a task.
    PollBegin {
        /// The task.
        task: Task,
        /// Which poll of this task it is, from 1.
        poll: u64,
        /// The `n` of the wake that led to this poll; for the first poll, of the spawn.
        cause: u64,
    },
    /// The poll is over.
    PollEnd {
        /// The task.
        task: Task,
        /// Whether the task is finished.
        ready: bool,
    },
    /// Somebody rang the bell of a task.
    Wake {
        /// The task that is woken.
        task: Task,
        /// Who rang.
        source: Source,
    },
    /// The robot has nothing to do, or must wait. Between this and [`Event::ParkEnd`] it waits.
    ParkBegin {
        /// What it waits for.
        why: Text,
        /// When it will go on by itself; 0 if only somebody else can bring it back.
        until: u64,
    },
    /// The robot goes on.
    ParkEnd,
    /// A timer is set.
    TimerArm {
        /// The timer's number, unique on its lane.
        timer: u64,
        /// The task it will wake.
        task: Task,
        /// When it is due.
        due: u64,
    },
    /// A timer fires.
    TimerFire {
        /// The timer's number on its lane.
        timer: u64,
        /// The task it wakes.
        task: Task,
        /// How long after its due time.
        late: u64,
    },
    /// The robot wants something that one robot at a time can have (a lock).
    ResWait {
        /// Its name.
        resource: Text,
    },
    /// The robot has it.
    ResAcquire {
        /// Its name.
        resource: Text,
    },
    /// The robot gives it back.
    ResRelease {
        /// Its name.
        resource: Text,
    },
    /// A word of the story: a step, a place, an incident. The program that records says what the categories mean.
    Mark {
        /// The words.
        text: Text,
        /// What kind of mark it is.
        category: Text,
        /// A number that belongs to it, by category.
        value: u64,
    },
    /// A number that changes over time.
    Counter {
        /// Its name.
        name: Text,
        /// Its new value.
        value: u64,
    },
    /// Events are missing here: the lane's ring was full, and the oldest made room.
    Gap {
        /// How many are missing.
        lost: u64,
        /// The `n` of the first one.
        from: u64,
        /// The `n` of the last one.
        to: u64,
    },
    /// Work is handed to a pool of threads or processes. On the lane of whoever hands it over.
    JobSubmit {
        /// The job's number, unique in its pool.
        job: u64,
        /// The pool's name.
        pool: Text,
        /// The task that handed it over, if one did.
        by: Option<Task>,
    },
    /// A worker begins a job. On the worker's lane.
    JobStart {
        /// The job's number in its pool.
        job: u64,
        /// The pool's name.
        pool: Text,
    },
    /// The worker is done with the job that it began. On the worker's lane.
    JobEnd {
        /// The job's number in its pool.
        job: u64,
        /// How it ended.
        how: End,
    },
    /// A worker process runs. On its own lane.
    ProcessStart {
        /// The number that the system gave it.
        pid: u64,
        /// Its name.
        name: Text,
    },
    /// A worker process is gone. On its own lane.
    ProcessExit {
        /// The number that the system had given it.
        pid: u64,
        /// Its exit code; or 256 and the number of the signal that killed it.
        status: u64,
    },
    /// Somebody took what a task made, or heard why it made nothing.
    Observed {
        /// The task, which is over or about to be.
        task: Task,
    },
    /// A task waits, and the last waker of it was dropped unused: nobody can wake it any more.
    WakersGone {
        /// The task that waits.
        task: Task,
    },
}

/// The names of the kinds, as files spell them. A file carries its own copy of this table and numbers its
/// events by it, so that a kind can be added here without making old files unreadable.
pub(crate) const KINDS: [&str; 24] = [
    "actor_start",
    "actor_stop",
    "task_spawn",
    "task_end",
    "poll_begin",
    "poll_end",
    "wake",
    "park_begin",
    "park_end",
    "timer_arm",
    "timer_fire",
    "res_wait",
    "res_acquire",
    "res_release",
    "mark",
    "counter",
    "gap",
    "job_submit",
    "job_start",
    "job_end",
    "process_start",
    "process_exit",
    "observed",
    "wakers_gone",
];

/// How many kinds the first recordings had. A file names at least these, and later ones only if it holds
/// events of them: so that a program which learned a new kind writes its old runs down as before.
#[cfg(feature = "json")]
pub(crate) const FIRST_KINDS: usize = 17;

impl Event {
    /// The name of this kind of event, as files spell it.
    pub fn kind(&self) -> &'static str {
        KINDS[self.encode().0]
    }

    /// The event as an index into [`KINDS`] and three numbers.
    pub(crate) fn encode(&self) -> (usize, [u64; 3]) {
        let id = |index: u32| u64::from(index);
        match *self {
            Event::ActorStart => (0, [0, 0, 0]),
            Event::ActorStop => (1, [0, 0, 0]),
            Event::TaskSpawn { task, by } => (2, [id(task.0), by.map_or(0, |by| id(by.0) + 1), 0]),
            Event::TaskEnd { task, how } => (3, [id(task.0), how as u64, 0]),
            Event::PollBegin { task, poll, cause } => (4, [id(task.0), poll, cause]),
            Event::PollEnd { task, ready } => (5, [id(task.0), u64::from(ready), 0]),
            Event::Wake { task, source } => (6, [id(task.0), source as u64, 0]),
            Event::ParkBegin { why, until } => (7, [id(why.0), until, 0]),
            Event::ParkEnd => (8, [0, 0, 0]),
            Event::TimerArm { timer, task, due } => (9, [timer, id(task.0), due]),
            Event::TimerFire { timer, task, late } => (10, [timer, id(task.0), late]),
            Event::ResWait { resource } => (11, [id(resource.0), 0, 0]),
            Event::ResAcquire { resource } => (12, [id(resource.0), 0, 0]),
            Event::ResRelease { resource } => (13, [id(resource.0), 0, 0]),
            Event::Mark {
                text,
                category,
                value,
            } => (14, [id(text.0), id(category.0), value]),
            Event::Counter { name, value } => (15, [id(name.0), value, 0]),
            Event::Gap { lost, from, to } => (16, [lost, from, to]),
            Event::JobSubmit { job, pool, by } => {
                (17, [job, id(pool.0), by.map_or(0, |by| id(by.0) + 1)])
            }
            Event::JobStart { job, pool } => (18, [job, id(pool.0), 0]),
            Event::JobEnd { job, how } => (19, [job, how as u64, 0]),
            Event::ProcessStart { pid, name } => (20, [pid, id(name.0), 0]),
            Event::ProcessExit { pid, status } => (21, [pid, status, 0]),
            Event::Observed { task } => (22, [id(task.0), 0, 0]),
            Event::WakersGone { task } => (23, [id(task.0), 0, 0]),
        }
    }

    /// The reverse of [`encode`](Event::encode); `None` if the numbers mean nothing.
    #[cfg(feature = "json")]
    pub(crate) fn decode(kind: usize, [a, b, c]: [u64; 3]) -> Option<Event> {
        let index = |number: u64| u32::try_from(number).ok();
        let text = |number| index(number).map(Text);
        let task = |number| index(number).map(Task);
        // Numbered from 1, so that 0 can say that there is none.
        let task_or_none = |number: u64| match number.checked_sub(1) {
            None => Some(None),
            Some(number) => task(number).map(Some),
        };
        let how = |number: u64| {
            let ends = [End::Done, End::Cancelled, End::Panicked];
            ends.get(usize::try_from(number).ok()?).copied()
        };
        let event = match kind {
            0 => Event::ActorStart,
            1 => Event::ActorStop,
            2 => Event::TaskSpawn {
                task: task(a)?,
                by: task_or_none(b)?,
            },
            3 => Event::TaskEnd {
                task: task(a)?,
                how: how(b)?,
            },
            4 => Event::PollBegin {
                task: task(a)?,
                poll: b,
                cause: c,
            },
            5 => Event::PollEnd {
                task: task(a)?,
                ready: b == 1,
            },
            6 => {
                let source = [Source::Task, Source::Timer, Source::Thread, Source::OwnPoll];
                Event::Wake {
                    task: task(a)?,
                    source: *source.get(usize::try_from(b).ok()?)?,
                }
            }
            7 => Event::ParkBegin {
                why: text(a)?,
                until: b,
            },
            8 => Event::ParkEnd,
            9 => Event::TimerArm {
                timer: a,
                task: task(b)?,
                due: c,
            },
            10 => Event::TimerFire {
                timer: a,
                task: task(b)?,
                late: c,
            },
            11 => Event::ResWait { resource: text(a)? },
            12 => Event::ResAcquire { resource: text(a)? },
            13 => Event::ResRelease { resource: text(a)? },
            14 => Event::Mark {
                text: text(a)?,
                category: text(b)?,
                value: c,
            },
            15 => Event::Counter {
                name: text(a)?,
                value: b,
            },
            16 => Event::Gap {
                lost: a,
                from: b,
                to: c,
            },
            17 => Event::JobSubmit {
                job: a,
                pool: text(b)?,
                by: task_or_none(c)?,
            },
            18 => Event::JobStart {
                job: a,
                pool: text(b)?,
            },
            19 => Event::JobEnd {
                job: a,
                how: how(b)?,
            },
            20 => Event::ProcessStart {
                pid: a,
                name: text(b)?,
            },
            21 => Event::ProcessExit { pid: a, status: b },
            22 => Event::Observed { task: task(a)? },
            23 => Event::WakersGone { task: task(a)? },
            _ => return None,
        };
        Some(event)
    }

    /// The texts that this event names.
    #[cfg(feature = "json")]
    pub(crate) fn texts(&self) -> impl Iterator<Item = Text> {
        let (one, two) = match *self {
            Event::ParkBegin { why, .. } => (Some(why), None),
            Event::ResWait { resource }
            | Event::ResAcquire { resource }
            | Event::ResRelease { resource } => (Some(resource), None),
            Event::Mark { text, category, .. } => (Some(text), Some(category)),
            Event::Counter { name, .. } | Event::ProcessStart { name, .. } => (Some(name), None),
            Event::JobSubmit { pool, .. } | Event::JobStart { pool, .. } => (Some(pool), None),
            _ => (None, None),
        };
        one.into_iter().chain(two)
    }

    /// The tasks that this event names.
    #[cfg(feature = "json")]
    pub(crate) fn tasks(&self) -> impl Iterator<Item = Task> {
        let (one, two) = match *self {
            Event::TaskSpawn { task, by } => (Some(task), by),
            Event::JobSubmit { by, .. } => (by, None),
            Event::TaskEnd { task, .. }
            | Event::PollBegin { task, .. }
            | Event::PollEnd { task, .. }
            | Event::Wake { task, .. }
            | Event::TimerArm { task, .. }
            | Event::TimerFire { task, .. }
            | Event::Observed { task }
            | Event::WakersGone { task } => (Some(task), None),
            _ => (None, None),
        };
        one.into_iter().chain(two)
    }
}
