//! Who takes part, and what each can do.

use std::time::Duration;

use crate::peer::{Channels, Echoes, Peer, Sleeps};
use crate::peers::*;
use crate::rows::*;

/// A peer, with its name and the workloads it can do.
pub struct Contestant {
    pub name: &'static str,
    pub role: Role,
    pub works: Works,
    /// Rows in which it would end the whole process or measure nothing: the key of the row, and why.
    pub leaves_out: &'static [(&'static str, &'static str)],
    /// Rows in which it gets the result by doing less than the row is about: shown with the reason, and not called the best.
    pub does_less: &'static [(&'static str, &'static str)],
}

#[derive(Clone, Copy, PartialEq)]
pub enum Role {
    LoopBot,
    /// What LoopBot's ratios are taken to, beside the best.
    Tokio,
    Other,
    /// Not an executor: the floor under all of them.
    Floor,
}

/// The workloads, compiled for one peer. `None` is what it has no means for.
pub struct Works {
    pub spawn_join: fn(u64, u64) -> Duration,
    pub spawn_join_at_once: fn(u64) -> Duration,
    pub yields: fn(u64, u64) -> Duration,
    pub over_local_channel: fn(u64) -> Duration,
    pub over_futures_mpsc: fn(u64) -> Duration,
    pub over_its_own: Option<fn(u64) -> Duration>,
    pub wake: fn(u64, u64) -> Duration,
    pub remote_throughput: fn(u64, u64) -> Duration,
    pub remote_latency: fn(u64) -> [f64; 2],
    pub insert_and_cancel: Option<fn(u64, u64) -> Duration>,
    pub sleeps: Option<fn(u64, Duration) -> [f64; 4]>,
    pub exact_sleeps: Option<fn(u64, Duration) -> [f64; 4]>,
    pub echo: Option<fn(u64, Duration) -> [f64; 2]>,
    pub parked_tasks: fn(u64),
    pub idle_connections: Option<fn(u64)>,
    pub start: fn(u64) -> Duration,
}

const MONOIO_YIELDS: &[(&str, &str)] = &[
    ("yield-100", STAYS_AT_THE_FRONT),
    ("yield-10k", STAYS_AT_THE_FRONT),
];
const STAYS_AT_THE_FRONT: &str = "a task that wakes itself stays at the front of its queue and is polled again at once; the others do not get a turn";

/// All of them, in the order of the table's columns.
pub fn all() -> Vec<Contestant> {
    let mut all = vec![
        Contestant::new::<LoopBot>("LoopBot", Role::LoopBot)
            .with_clock::<LoopBot>()
            .with_sockets::<LoopBot>()
            .with_channel::<LoopBot>(),
        Contestant::new::<TokioLocalSet>("tokio LocalSet", Role::Tokio)
            .with_clock::<TokioLocalSet>()
            .with_sockets::<TokioLocalSet>()
            .with_channel::<TokioLocalSet>(),
        Contestant::new::<TokioSpawn>("tokio spawn", Role::Other)
            .with_clock::<TokioSpawn>()
            .with_sockets::<TokioSpawn>(),
        Contestant::new::<Smol>("smol", Role::Other)
            .with_clock::<Smol>()
            .with_sockets::<Smol>()
            .with_channel::<Smol>(),
        Contestant::new::<SmolStatic>("smol static", Role::Other)
            .with_clock::<SmolStatic>()
            .with_sockets::<SmolStatic>(),
        Contestant::new::<FuturesPool>("futures LocalPool", Role::Other),
        Contestant::new::<MonoioEpoll>("monoio epoll", Role::Other)
            .with_clock::<MonoioEpoll>()
            .with_sockets::<MonoioEpoll>()
            .doing_less(MONOIO_YIELDS),
    ];
    #[cfg(target_os = "linux")]
    all.push(
        Contestant::new::<MonoioUring>("monoio uring", Role::Other)
            .with_clock::<MonoioUring>()
            .with_sockets::<MonoioUring>()
            .doing_less(MONOIO_YIELDS),
    );
    #[cfg(target_os = "linux")]
    all.push(
        Contestant::new::<Glommio>("glommio", Role::Other)
            .with_clock::<Glommio>()
            .with_sockets::<Glommio>()
            .leaving_out(&[
                ("timers-100k", "it panics at 32,767 wakers of one task"),
                ("timers-1m", "it panics at 32,767 wakers of one task"),
            ])
            .doing_less(&[(
                "spawn-join-at-once",
                "`spawn` runs the task inside the call; when it is awaited it is over, and nobody waits, is woken or takes turns",
            )]),
    );
    all.extend([
        Contestant::new::<Compio>("compio", Role::Other)
            .with_clock::<Compio>()
            .with_sockets::<Compio>(),
        Contestant::new::<Nio>("nio", Role::Other)
            .with_clock::<Nio>()
            .with_sockets::<Nio>(),
        Contestant::new::<AsyncLocal>("async-local-executor", Role::Other),
    ]);
    #[cfg(target_os = "linux")]
    all.push(
        Contestant::new::<Kimojio>("kimojio", Role::Other)
            .with_clock::<Kimojio>()
            .with_sockets::<Kimojio>()
            .leaving_out(&[
                ("spawn-join-100k", "it holds 65,535 tasks"),
                ("wake-100k", "it holds 65,535 tasks"),
                ("sleeps", "it holds 65,535 tasks"),
                ("exact-sleeps", "it holds 65,535 tasks"),
                ("memory-task", "it holds 65,535 tasks"),
                (
                    "remote-throughput",
                    "its wakers are unsound on other threads",
                ),
                ("remote-latency", "its wakers are unsound on other threads"),
            ]),
    );
    all.push(Contestant::new::<Floor>("(floor)", Role::Floor));
    all
}

impl Contestant {
    fn new<P: Peer>(name: &'static str, role: Role) -> Contestant {
        Contestant {
            name,
            role,
            works: Works {
                spawn_join: spawn_join::spawn_join::<P>,
                spawn_join_at_once: spawn_join::spawn_join_at_once::<P>,
                yields: yields::yields::<P>,
                over_local_channel: ping_pong::over_local_channel::<P>,
                over_futures_mpsc: ping_pong::over_futures_mpsc::<P>,
                over_its_own: None,
                wake: wake::wake::<P>,
                remote_throughput: wake_remote::throughput::<P>,
                remote_latency: wake_remote::latency::<P>,
                insert_and_cancel: None,
                sleeps: None,
                exact_sleeps: None,
                echo: None,
                parked_tasks: memory::parked_tasks::<P>,
                idle_connections: None,
                start: start::start::<P>,
            },
            leaves_out: &[],
            does_less: &[],
        }
    }

    fn with_clock<P: Sleeps>(mut self) -> Contestant {
        self.works.insert_and_cancel = Some(timers::insert_and_cancel::<P>);
        self.works.sleeps = Some(sleeps::sleeps::<P>);
        self.works.exact_sleeps = Some(sleeps::exact_sleeps::<P>);
        self
    }

    fn with_sockets<P: Echoes>(mut self) -> Contestant {
        self.works.echo = Some(echo::echo::<P>);
        self.works.idle_connections = Some(memory::idle_connections::<P>);
        self
    }

    fn with_channel<P: Channels>(mut self) -> Contestant {
        self.works.over_its_own = Some(ping_pong::over_its_own::<P>);
        self
    }

    fn leaving_out(mut self, rows: &'static [(&'static str, &'static str)]) -> Contestant {
        self.leaves_out = rows;
        self
    }

    fn doing_less(mut self, rows: &'static [(&'static str, &'static str)]) -> Contestant {
        self.does_less = rows;
        self
    }

    /// Why its figure in this row is not to be judged, if that is so.
    pub fn does_less_in(&self, row: &str) -> Option<&'static str> {
        let found = self.does_less.iter().find(|(key, _)| *key == row);
        found.map(|(_, why)| *why)
    }
}
