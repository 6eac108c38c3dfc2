//! Happens-before as the memory model defines it, without any clocks: a relation between the events
//! of one run. Random small programs must race here exactly if a check finds a race in them.
//!
//! The definitions are those of C++20, which Rust has taken over: *sequenced before* within a
//! robot; *synchronizes with* from a release operation, or a release fence before a store, to an
//! acquire operation that reads from its release sequence, or an acquire fence after a load that
//! does; *happens before* is what follows from the two. As in a check, a load reads the last store.

mod common;

use std::collections::HashSet;

use whatif::sync::atomic::{AtomicU32, Ordering, fence};
use whatif::sync::{Mutex, Unguarded};
use whatif::{Checker, Ending, Outcome, thread};

use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

#[derive(Clone, Copy, Debug)]
enum Do {
    /// own = the atomic
    Load(usize, Ordering),
    Store(usize, u32, Ordering),
    /// own = the atomic, which grows by 1
    Add(usize, Ordering),
    Fence(Ordering),
    /// Reads or writes the thing, if own is this number, or in any case.
    Access {
        writes: bool,
        if_own_is: Option<u32>,
    },
    /// Takes and gives back a lock, with the access inside.
    Locked {
        writes: bool,
    },
}

type Program = Vec<Vec<Do>>;

// By the book ----------------------------------------------------------------------------------------------------

#[derive(Clone, Copy, Debug)]
struct Event {
    robot: usize,
    what: Do,
    /// The event whose value it reads.
    reads_from: Option<usize>,
}

fn acquires(order: Ordering) -> bool {
    [Acquire, AcqRel, SeqCst].contains(&order)
}

fn releases(order: Ordering) -> bool {
    [Release, AcqRel, SeqCst].contains(&order)
}

/// The pairs of events of which the first synchronizes with the second.
fn synchronizes(events: &[Event]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (r, read) in events.iter().enumerate() {
        if let (Do::Locked { .. }, Some(before)) = (read.what, read.reads_from) {
            pairs.push((before, r)); // the lock was given back there, and is taken here
            continue;
        }
        // Every store whose release sequence the read takes part in: the one that it reads from
        // and, as long as that is a change, the one that this one read from.
        let mut heads = Vec::new();
        let mut from = read.reads_from;
        while let Some(store) = from {
            heads.push(store);
            let is_change = matches!(events[store].what, Do::Add(..));
            from = events[store].reads_from.filter(|_| is_change);
        }
        let fences = |robot: usize, wanted: fn(Ordering) -> bool| {
            events.iter().enumerate().filter_map(move |(i, event)| match event.what {
                Do::Fence(order) if event.robot == robot && wanted(order) => Some(i),
                _ => None,
            })
        };
        let mut learners: Vec<usize> = fences(read.robot, acquires).filter(|f| *f > r).collect();
        if let Do::Load(_, order) | Do::Add(_, order) = read.what
            && acquires(order)
        {
            learners.push(r);
        }
        for head in heads {
            let robot = events[head].robot;
            let mut tellers: Vec<usize> = fences(robot, releases).filter(|f| *f < head).collect();
            if let Do::Store(_, _, order) | Do::Add(_, order) = events[head].what
                && releases(order)
            {
                tellers.push(head);
            }
            pairs.extend(tellers.iter().flat_map(|a| learners.iter().map(move |b| (*a, *b))));
        }
    }
    pairs
}

fn has_race(events: &[Event]) -> bool {
    let n = events.len();
    let mut before = vec![vec![false; n]; n];
    for a in 0..n {
        for b in a + 1..n {
            before[a][b] = events[a].robot == events[b].robot;
        }
    }
    for (a, b) in synchronizes(events) {
        before[a][b] = true;
    }
    for k in 0..n {
        for a in 0..k {
            for b in k + 1..n {
                before[a][b] |= before[a][k] && before[k][b];
            }
        }
    }
    let access = |event: &Event| match event.what {
        Do::Access { writes, .. } | Do::Locked { writes } => Some(writes),
        _ => None,
    };
    (0..n).any(|b| {
        (0..b).any(|a| {
            let both = (access(&events[a]), access(&events[b]));
            matches!(both, (Some(x), Some(y)) if x || y)
                && events[a].robot != events[b].robot
                && !before[a][b]
        })
    })
}

/// Goes through all runs, and says whether one of them has a race.
fn by_the_book(program: &Program) -> bool {
    #[derive(Clone)]
    struct Run {
        at: Vec<usize>,
        own: Vec<u32>,
        /// The value of each atomic, and the event that wrote it; the last one is the lock.
        atomics: [(u32, Option<usize>); 3],
        events: Vec<Event>,
    }
    let start = Run {
        at: vec![0; program.len()],
        own: vec![9; program.len()],
        atomics: [(0, None); 3],
        events: Vec::new(),
    };
    let mut open = vec![start];
    while let Some(run) = open.pop() {
        let mut ended = true;
        for (robot, steps) in program.iter().enumerate() {
            let Some(what) = steps.get(run.at[robot]).copied() else { continue };
            ended = false;
            let mut next = run.clone();
            next.at[robot] += 1;
            let (me, mut reads_from) = (next.events.len(), None);
            match what {
                Do::Load(atomic, _) => (next.own[robot], reads_from) = next.atomics[atomic],
                Do::Store(atomic, value, _) => next.atomics[atomic] = (value, Some(me)),
                Do::Add(atomic, _) => {
                    (next.own[robot], reads_from) = next.atomics[atomic];
                    next.atomics[atomic] = (next.own[robot] + 1, Some(me));
                }
                Do::Locked { .. } => {
                    reads_from = next.atomics[2].1;
                    next.atomics[2].1 = Some(me);
                }
                Do::Fence(_) | Do::Access { if_own_is: None, .. } => {}
                Do::Access { if_own_is: Some(own), .. } => {
                    if next.own[robot] != own {
                        open.push(next);
                        continue;
                    }
                }
            }
            next.events.push(Event { robot, what, reads_from });
            open.push(next);
        }
        if ended && has_race(&run.events) {
            return true;
        }
    }
    false
}

// By a check -----------------------------------------------------------------------------------------------------

fn act(steps: &[Do], atomics: &[AtomicU32; 2], lock: &Mutex<()>, thing: &Unguarded<u32>) {
    let mut own = 9;
    let access = |writes: bool| match writes {
        true => thing.set(1),
        false => assert!(thing.get() < 2),
    };
    for step in steps {
        match *step {
            Do::Load(atomic, order) => own = atomics[atomic].load(order),
            Do::Store(atomic, value, order) => atomics[atomic].store(value, order),
            Do::Add(atomic, order) => own = atomics[atomic].fetch_add(1, order),
            Do::Fence(order) => fence(order),
            Do::Access { writes, if_own_is } => {
                if if_own_is.is_none_or(|wanted| wanted == own) {
                    access(writes);
                }
            }
            Do::Locked { writes } => {
                let _held = lock.lock().unwrap();
                access(writes);
            }
        }
    }
}

fn by_a_check(program: &Program) -> bool {
    let program = program.clone();
    let report = Checker::new("a random program").shares_nothing().explore(move || {
        let (atomics, lock, thing) =
            ([AtomicU32::new(0), AtomicU32::new(0)], Mutex::new(()), Unguarded::new(0));
        thread::scope(|s| {
            for steps in &program {
                s.spawn(|| act(steps, &atomics, &lock, &thing));
            }
        });
    });
    match report.outcome {
        Outcome::Proved { .. } => false,
        Outcome::Failed(story) if story.ending == Ending::DataRace => true,
        other => panic!("{other:?}"),
    }
}

// Random programs ------------------------------------------------------------------------------------------------

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize]
    }

    /// Gives something away: writes, then tells of it.
    fn giving(&mut self, length: u64) -> Vec<Do> {
        let mut steps = vec![Do::Access { writes: true, if_own_is: None }];
        for _ in 1..length {
            steps.push(match self.below(9) {
                8 => Do::Access { writes: true, if_own_is: None },
                0 | 7 => Do::Fence(self.one_of(&[Acquire, Release, AcqRel, SeqCst])),
                1 | 6 => Do::Add(self.below(2) as usize, self.one_of(&[Relaxed, Release, SeqCst])),
                _ => {
                    let order = self.one_of(&[Relaxed, Release, Release, SeqCst]);
                    Do::Store(self.below(2) as usize, 1 + self.below(2) as u32, order)
                }
            });
        }
        steps
    }

    /// Passes on what it has seen.
    fn passing(&mut self, length: u64) -> Vec<Do> {
        let step = |random: &mut Random| {
            let atomic = random.below(2) as usize;
            match random.below(5) {
                0 => Do::Fence(random.one_of(&[Acquire, Release, AcqRel])),
                1 => Do::Load(atomic, random.one_of(&[Relaxed, Acquire])),
                2 => Do::Store(atomic, 3, random.one_of(&[Relaxed, Release])),
                _ => Do::Add(atomic, random.one_of(&[Relaxed, Acquire, Release, AcqRel])),
            }
        };
        (0..length).map(|_| step(self)).collect()
    }

    /// Looks, and takes what was given away.
    fn taking(&mut self, length: u64) -> Vec<Do> {
        let mut steps: Vec<Do> = (1..length - 1).map(|_| self.looking()).collect();
        steps.push(Do::Load(self.below(2) as usize, self.one_of(&[Relaxed, Acquire, SeqCst])));
        if self.below(3) == 0 {
            steps.push(Do::Fence(self.one_of(&[Acquire, SeqCst])));
        }
        let own = 1 + self.below(4) as u32;
        steps.push(Do::Access { writes: self.below(2) == 0, if_own_is: Some(own) });
        steps
    }

    fn looking(&mut self) -> Do {
        let atomic = self.below(2) as usize;
        match self.below(3) {
            0 => Do::Add(atomic, self.one_of(&[Relaxed, Acquire, AcqRel])),
            _ => Do::Load(atomic, self.one_of(&[Relaxed, Acquire])),
        }
    }

    /// Locks here and there.
    fn locking(&mut self, length: u64) -> Vec<Do> {
        let step = |random: &mut Random| match random.below(4) {
            0 => Do::Locked { writes: false },
            1 => Do::Locked { writes: true },
            2 => random.looking(),
            _ => Do::Store(random.below(2) as usize, 1, random.one_of(&[Relaxed, Release])),
        };
        let mut steps: Vec<Do> = (0..length).map(|_| step(self)).collect();
        if self.below(2) == 0 {
            let own = self.below(2) as u32;
            steps.push(Do::Access { writes: self.below(2) == 0, if_own_is: Some(own) });
        }
        steps
    }
}

/// Compares so many programs, and expects both verdicts among them.
fn compare(seed: u64, programs: usize, make: fn(&mut Random) -> Program) {
    let mut random = Random(seed);
    let (mut seen, mut racy) = (HashSet::new(), 0);
    for _ in 0..programs {
        let program = make(&mut random);
        let expected = by_the_book(&program);
        assert_eq!(by_a_check(&program), expected, "{program:#?}");
        seen.insert(format!("{program:?}"));
        racy += usize::from(expected);
    }
    let clean = programs - racy;
    assert!(racy > programs / 10 && clean > programs / 10, "{racy} racy, {clean} clean");
    assert!(seen.len() > programs / 2);
}

#[test]
fn two_robots_race_as_the_book_says() {
    compare(1, 400, |random| vec![random.giving(3), random.taking(4)]);
}

#[test]
fn three_robots_that_pass_it_on_race_as_the_book_says() {
    compare(2, 300, |random| vec![random.giving(2), random.passing(2), random.taking(3)]);
}

#[test]
fn robots_with_a_lock_and_flags_race_as_the_book_says() {
    compare(3, 300, |random| vec![random.locking(2), random.locking(2)]);
}
