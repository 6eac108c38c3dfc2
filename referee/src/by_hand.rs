//! Plays a program by hand: every order of its smallest steps, with nothing left out.
//!
//! This is what std's documentation says, written down a second time, and as plainly as can be: no thread, no lock, no
//! clock, no reduction. A state of the program is a value; each thread that can move makes another value of it; and a
//! state that has been seen before is not played again. Everything is a step here, also giving a lock back, dropping a
//! sender, and starting and ending a thread.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use crate::surface::{Do, Kind, Outcome, Surface, TWO};

/// What a thread does, with jumps instead of parts.
#[derive(Clone, Debug)]
enum Op {
    Do(Do),
    /// Begins what is done once, or goes on behind it.
    Begin(usize, usize),
    /// Has done it, with this value.
    End(usize, u8),
    /// Notes the value.
    Value(usize),
    /// Goes on there unless the last note is this number.
    Unless(u8, usize),
    DropLocks,
    DropShelf,
    Finish,
}

/// Which of those things that are done once.
const ONCE: usize = 0;
const CELL: usize = 1;

fn compile(all: &[Do], code: &mut Vec<Op>) {
    for it in all {
        match it {
            Do::Once(body) => around(ONCE, 0, body, code),
            Do::Init(value, body) => {
                around(CELL, *value, body, code);
                code.push(Op::Value(CELL));
            }
            Do::If(number, body) => {
                let at = code.len();
                code.push(Op::Finish);
                compile(body, code);
                code[at] = Op::Unless(*number, code.len());
            }
            Do::Scope(children) => {
                code.extend(children.iter().map(|it| Op::Do(Do::Spawn(*it))));
                code.extend(children.iter().map(|it| Op::Do(Do::Join(*it))));
            }
            other => code.push(Op::Do(other.clone())),
        }
    }
}

fn around(which: usize, value: u8, body: &[Do], code: &mut Vec<Op>) {
    let at = code.len();
    code.push(Op::Finish);
    compile(body, code);
    code.push(Op::End(which, value));
    code[at] = Op::Begin(which, code.len());
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Life {
    #[default]
    Unborn,
    Alive,
    Finished,
}

/// What has become of a message that was offered where there are no places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Offer {
    #[default]
    Open,
    Taken,
    Returned,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Thread {
    life: Life,
    at: usize,
    /// How far it is within a step that takes several.
    phase: u8,
    notes: Vec<u8>,
    /// The locks whose guards it has, in the order in which it took them.
    locks: Vec<usize>,
    reads: usize,
    writes: bool,
    has_sender: bool,
    has_receiver: bool,
    /// It has been woken.
    rung: bool,
    /// It may go on from `park`.
    token: bool,
    offer: Offer,
    /// What it has seen: a round of the barrier, a value.
    seen: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Deed {
    #[default]
    Undone,
    By(usize),
    Done(u8),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    threads: Vec<Thread>,
    values: [u8; TWO],
    holders: [Option<usize>; TWO],
    asleep: [Vec<usize>; TWO],
    shelf: u8,
    writer: Option<usize>,
    readers: Vec<usize>,
    /// Who is in line to write.
    line: Vec<usize>,
    atomics: [u8; TWO],
    came: u8,
    round: u8,
    deeds: [Deed; 2],
    /// Messages, and who waits until each is taken.
    messages: VecDeque<(u8, Option<usize>)>,
    senders: usize,
    receiver_is_there: bool,
    receiver_waits: bool,
    /// So many may still wake up unasked.
    unasked: u8,
}

/// One move of one thread.
enum Move {
    To(State),
    /// The same, unasked: not if nobody else can move.
    Unasked(State),
    Ends(Kind),
}

/// All that can come of a program.
#[derive(Debug)]
pub struct Played {
    /// All outcomes.
    pub outcomes: BTreeSet<Outcome>,
    /// The fewest preemptions with which something goes wrong.
    pub fewest: Option<usize>,
    /// How many states there are.
    pub states: usize,
}

/// Plays the program in every order; up to `unasked` sleepers wake up though nobody rang. None: more than `most` states.
pub fn play(program: &Surface, unasked: u8, most: usize) -> Option<Played> {
    let game = Game::new(program);
    let first = game.first(program, unasked);
    let mut outcomes = BTreeSet::new();
    // A state, and who moved last, by the preemptions that it takes to come there.
    let (mut fewest, mut seen, mut states) = (None, HashMap::new(), HashSet::new());
    let mut next = VecDeque::from([(0, first, 0)]);
    while let Some((preemptions, state, last)) = next.pop_front() {
        if seen.len() > most {
            return None;
        }
        let key = (state, last);
        if seen.contains_key(&key) {
            continue;
        }
        seen.insert(key.clone(), ());
        let (state, last) = key;
        let moves: Vec<(usize, Move)> = (0..state.threads.len())
            .flat_map(|thread| {
                game.moves(&state, thread)
                    .into_iter()
                    .map(move |it| (thread, it))
            })
            .collect();
        let mut ends = |kind, preemptions| {
            let notes = state.threads.iter().map(|it| it.notes.clone()).collect();
            outcomes.insert(Outcome::new(kind, notes));
            if kind != Kind::AllWell && fewest.is_none_or(|fewest| preemptions < fewest) {
                fewest = Some(preemptions);
            }
        };
        if moves.iter().all(|(_, it)| matches!(it, Move::Unasked(_))) {
            let all = state.threads.iter().all(|it| it.life != Life::Alive);
            ends(if all { Kind::AllWell } else { Kind::Stuck }, preemptions);
            continue;
        }
        let goes_on = moves
            .iter()
            .any(|(it, to)| *it == last && !matches!(to, Move::Unasked(_)));
        for (thread, to) in moves {
            let price = usize::from(goes_on && thread != last || matches!(to, Move::Unasked(_)));
            match to {
                Move::Ends(kind) => ends(kind, preemptions + price),
                Move::To(to) | Move::Unasked(to) if price == 0 => {
                    next.push_front((preemptions, to, thread))
                }
                Move::To(to) | Move::Unasked(to) => next.push_back((preemptions + 1, to, thread)),
            }
        }
        states.insert(state);
    }
    Some(Played {
        outcomes,
        fewest,
        states: states.len(),
    })
}

struct Game {
    code: Vec<Vec<Op>>,
    places: Option<usize>,
    receiver: usize,
    gets_sender: Vec<bool>,
}

impl Game {
    fn new(program: &Surface) -> Game {
        let code = program.threads.iter().map(|all| {
            let mut code = Vec::new();
            compile(all, &mut code);
            code.extend([
                Op::DropLocks,
                Op::DropShelf,
                Op::Do(Do::DropSender),
                Op::Do(Do::DropReceiver),
                Op::Finish,
            ]);
            code
        });
        Game {
            code: code.collect(),
            places: program.places,
            receiver: program.receiver,
            gets_sender: program.senders.clone(),
        }
    }

    fn first(&self, program: &Surface, unasked: u8) -> State {
        let mut threads = vec![Thread::default(); program.threads.len()];
        threads[0].life = Life::Alive;
        (threads[0].has_sender, threads[0].has_receiver) = (true, true);
        State {
            threads,
            values: [0; TWO],
            holders: [None; TWO],
            asleep: Default::default(),
            shelf: 0,
            writer: None,
            readers: Vec::new(),
            line: Vec::new(),
            atomics: [0; TWO],
            came: 0,
            round: 0,
            deeds: Default::default(),
            messages: VecDeque::new(),
            senders: 1,
            receiver_is_there: true,
            receiver_waits: false,
            unasked,
        }
    }

    /// All that this thread could do next. Nothing: it has to wait, or is not there.
    fn moves(&self, state: &State, thread: usize) -> Vec<Move> {
        let me = &state.threads[thread];
        if me.life != Life::Alive {
            return Vec::new();
        }
        let mut turn = Turn {
            game: self,
            from: state,
            me: thread,
            moves: Vec::new(),
        };
        match &self.code[thread][me.at] {
            Op::Do(it) => turn.takes(it),
            Op::Begin(which, behind) => match state.deeds[*which] {
                Deed::Undone => turn.goes_on(|to| to.deeds[*which] = Deed::By(thread)),
                Deed::By(other) if other == thread => turn.ends(Kind::LockedTwice),
                Deed::By(_) => {}
                Deed::Done(_) => turn.stays(|to| to.threads[thread].at = *behind),
            },
            Op::End(which, value) => turn.goes_on(|to| to.deeds[*which] = Deed::Done(*value)),
            Op::Value(which) => {
                if let Deed::Done(value) = state.deeds[*which] {
                    turn.notes(value, |_| ());
                }
            }
            Op::Unless(number, behind) => {
                let does = me.notes.last() == Some(number);
                turn.stays(|to| to.threads[thread].at = if does { me.at + 1 } else { *behind });
            }
            Op::DropLocks => match me.locks.first() {
                Some(lock) => turn.stays(|to| to.unlocks(thread, *lock)),
                None => turn.goes_on(|_| ()),
            },
            // First those to read, then the one to write.
            Op::DropShelf if me.reads > 0 => turn.stays(|to| to.stops_reading(thread)),
            Op::DropShelf => turn.goes_on(|to| {
                if me.writes {
                    to.stops_writing(thread);
                }
            }),
            Op::Finish => turn.stays(|to| to.threads[thread].life = Life::Finished),
        }
        turn.moves
    }
}

impl State {
    fn unlocks(&mut self, thread: usize, lock: usize) {
        self.threads[thread].locks.retain(|it| *it != lock);
        self.holders[lock] = None;
    }

    fn stops_reading(&mut self, thread: usize) {
        self.threads[thread].reads -= 1;
        let mine = self.readers.iter().position(|it| *it == thread);
        self.readers
            .remove(mine.expect("whoever reads is among those who read"));
        if self.readers.is_empty() {
            self.line.clear();
        }
    }

    fn stops_writing(&mut self, thread: usize) {
        (self.threads[thread].writes, self.writer) = (false, None);
    }

    fn receives(&mut self) {
        self.receiver_waits = false;
        if let Some((_, Some(sender))) = self.messages.pop_front() {
            self.threads[sender].offer = Offer::Taken;
        }
    }
}

/// One thread is about to move.
struct Turn<'a> {
    game: &'a Game,
    from: &'a State,
    me: usize,
    moves: Vec<Move>,
}

impl Turn<'_> {
    fn stays(&mut self, change: impl FnOnce(&mut State)) {
        let mut to = self.from.clone();
        change(&mut to);
        self.moves.push(Move::To(to));
    }

    fn goes_on(&mut self, change: impl FnOnce(&mut State)) {
        let me = self.me;
        self.stays(|to| {
            (to.threads[me].at, to.threads[me].phase) = (to.threads[me].at + 1, 0);
            change(to);
        });
    }

    fn notes(&mut self, what: u8, change: impl FnOnce(&mut State)) {
        let me = self.me;
        self.goes_on(|to| {
            to.threads[me].notes.push(what);
            change(to);
        });
    }

    fn ends(&mut self, kind: Kind) {
        self.moves.push(Move::Ends(kind));
    }

    /// The move that was made last can come unasked only.
    fn unasked(&mut self) {
        if let Some(Move::To(to)) = self.moves.pop()
            && let Some(left) = to.unasked.checked_sub(1)
        {
            self.moves.push(Move::Unasked(State {
                unasked: left,
                ..to
            }));
        }
    }

    fn takes(&mut self, it: &Do) {
        let (from, me) = (self.from, self.me);
        let mine = &from.threads[me];
        match it {
            Do::Lock(lock) => match from.holders[*lock] {
                None => self.goes_on(|to| to.locks(me, *lock)),
                Some(holder) if holder == me => self.ends(Kind::LockedTwice),
                Some(_) => {}
            },
            Do::TryLock(lock) => match from.holders[*lock] {
                None => self.notes(1, |to| to.locks(me, *lock)),
                Some(_) => self.notes(0, |_| ()),
            },
            Do::Unlock(lock) | Do::Forget(lock) | Do::Get(lock) | Do::Put(lock, _)
                if !mine.locks.contains(lock) =>
            {
                self.goes_on(|_| ());
            }
            Do::Unlock(lock) => self.goes_on(|to| to.unlocks(me, *lock)),
            Do::Forget(lock) => self.goes_on(|to| to.threads[me].locks.retain(|it| it != lock)),
            Do::Get(lock) => self.notes(from.values[*lock], |_| ()),
            Do::Put(lock, number) => self.goes_on(|to| to.values[*lock] = *number),
            Do::Wait(bell) | Do::WaitFor(bell, _) | Do::Doze(bell) => self.sleeps(it, *bell),
            Do::RingOne(bell) if from.asleep[*bell].is_empty() => self.goes_on(|_| ()),
            Do::RingOne(bell) => {
                for sleeper in &from.asleep[*bell] {
                    self.goes_on(|to| {
                        to.asleep[*bell].retain(|it| it != sleeper);
                        to.threads[*sleeper].rung = true;
                    });
                }
            }
            Do::RingAll(bell) => self.goes_on(|to| {
                for sleeper in std::mem::take(&mut to.asleep[*bell]) {
                    to.threads[sleeper].rung = true;
                }
            }),
            Do::Read => match from.writer {
                Some(writer) if writer == me => self.ends(Kind::LockedTwice),
                None if from.line.is_empty() => self.goes_on(|to| to.reads(me)),
                _ => {}
            },
            Do::TryRead => match from.writer {
                None if from.line.is_empty() => self.notes(1, |to| to.reads(me)),
                _ => self.notes(0, |_| ()),
            },
            Do::Write if from.writer == Some(me) || mine.reads > 0 => self.ends(Kind::LockedTwice),
            Do::Write if from.writer.is_some() => {}
            Do::Write if from.readers.is_empty() => self.goes_on(|to| to.writes(me)),
            Do::Write if !from.line.contains(&me) => self.stays(|to| {
                to.line.push(me);
                to.line.sort_unstable();
            }),
            Do::Write => {}
            Do::TryWrite if from.writer.is_none() && from.readers.is_empty() => {
                self.notes(1, |to| to.writes(me));
            }
            Do::TryWrite => self.notes(0, |_| ()),
            Do::GiveBack => self.goes_on(|to| match mine {
                Thread { writes: true, .. } => to.stops_writing(me),
                Thread { reads: 0, .. } => {}
                _ => to.stops_reading(me),
            }),
            Do::Look if mine.writes || mine.reads > 0 => self.notes(from.shelf, |_| ()),
            Do::Look => self.goes_on(|_| ()),
            Do::Load(atomic) => self.notes(from.atomics[*atomic], |_| ()),
            Do::Store(atomic, number) => self.goes_on(|to| to.atomics[*atomic] = *number),
            Do::Add(atomic, number) => {
                self.notes(from.atomics[*atomic], |to| to.atomics[*atomic] += number);
            }
            Do::Exchange(atomic, old, new) => match from.atomics[*atomic] {
                there if there == *old => self.notes(100 + there, |to| to.atomics[*atomic] = *new),
                there => self.notes(there, |_| ()),
            },
            Do::Update(atomic, number) => {
                let there = from.atomics[*atomic];
                match mine.phase {
                    1 if there == mine.seen => {
                        self.notes(there, |to| to.atomics[*atomic] += number);
                    }
                    // It looks at the value, for the first time or because another one was faster.
                    _ if there == *number => self.notes(50 + there, |_| ()),
                    _ => self.stays(|to| {
                        (to.threads[me].phase, to.threads[me].seen) = (1, there);
                    }),
                }
            }
            Do::Send(number) | Do::TrySend(number) if mine.has_sender => self.sends(it, *number),
            Do::Receive | Do::TryReceive | Do::ReceiveAWhile if mine.has_receiver => {
                self.receives(it);
            }
            Do::DropSender => self.goes_on(|to| {
                to.senders -= usize::from(mine.has_sender);
                to.threads[me].has_sender = false;
            }),
            Do::DropReceiver if mine.has_receiver => self.goes_on(|to| {
                (to.receiver_is_there, to.threads[me].has_receiver) = (false, false);
                for (_, offers) in std::mem::take(&mut to.messages) {
                    offers
                        .into_iter()
                        .for_each(|it| to.threads[it].offer = Offer::Returned);
                }
            }),
            Do::Send(_)
            | Do::TrySend(_)
            | Do::Receive
            | Do::TryReceive
            | Do::ReceiveAWhile
            | Do::DropReceiver
            | Do::Yield
            | Do::Nap => self.goes_on(|_| ()),
            Do::Meet => match (mine.phase, from.came) {
                (0, 0) => self.stays(|to| {
                    to.came = 1;
                    (to.threads[me].phase, to.threads[me].seen) = (1, from.round);
                }),
                (0, _) => self.notes(8, |to| (to.came, to.round) = (0, from.round + 1)),
                _ if from.round > mine.seen => self.notes(7, |_| ()),
                _ => {}
            },
            Do::IsDone => {
                let done = matches!(from.deeds[ONCE], Deed::Done(_));
                self.notes(u8::from(done), |_| ());
            }
            Do::UntilDone => {
                if matches!(from.deeds[ONCE], Deed::Done(_)) {
                    self.goes_on(|_| ());
                }
            }
            Do::Set(number) => match (from.deeds[CELL], mine.phase) {
                (Deed::Undone, _) => self.stays(|to| {
                    (to.deeds[CELL], to.threads[me].phase) = (Deed::By(me), 1);
                }),
                (Deed::By(by), 1) if by == me => {
                    self.notes(1, |to| to.deeds[CELL] = Deed::Done(*number));
                }
                (Deed::By(by), _) if by == me => self.ends(Kind::LockedTwice),
                (Deed::By(_), _) => {}
                (Deed::Done(_), _) => self.notes(0, |_| ()),
            },
            Do::Peek => match from.deeds[CELL] {
                Deed::Done(value) => self.notes(value, |_| ()),
                _ => self.notes(90, |_| ()),
            },
            Do::Park | Do::ParkAWhile => {
                self.goes_on(|to| to.threads[me].token = false);
                if !mine.token && *it == Do::Park {
                    self.unasked();
                } else if !mine.token && from.unasked > 0 {
                    self.goes_on(|to| to.threads[me].token = false);
                    self.unasked();
                }
            }
            Do::Unpark(other) => {
                if from.threads[*other].life != Life::Unborn {
                    self.goes_on(|to| to.threads[*other].token = true);
                }
            }
            Do::Spawn(child) => self.goes_on(|to| {
                to.threads[*child].life = Life::Alive;
                if self.game.gets_sender[*child] && mine.has_sender {
                    to.threads[*child].has_sender = true;
                    to.senders += 1;
                }
                if self.game.receiver == *child && mine.has_receiver {
                    (to.threads[me].has_receiver, to.threads[*child].has_receiver) = (false, true);
                }
            }),
            Do::Join(child) => {
                if from.threads[*child].life == Life::Finished {
                    self.goes_on(|_| ());
                }
            }
            Do::HasFinished(child) => {
                let finished = from.threads[*child].life == Life::Finished;
                self.notes(u8::from(finished), |_| ());
            }
            Do::Never(atomic, number) if from.atomics[*atomic] == *number => {
                self.ends(Kind::RuleBroken);
            }
            Do::Never(..) => self.goes_on(|_| ()),
            Do::Panic => self.ends(Kind::BrokeDown),
            Do::Once(_) | Do::Init(..) | Do::If(..) | Do::Scope(_) => {
                unreachable!("these have been compiled")
            }
        }
    }

    fn sleeps(&mut self, it: &Do, bell: usize) {
        let (from, me) = (self.from, self.me);
        let mine = &from.threads[me];
        let free = from.holders[bell].is_none();
        let done = |it: &Do| matches!(it, Do::WaitFor(_, number) if from.values[bell] == *number);
        match mine.phase {
            0 if !mine.locks.contains(&bell) || done(it) => self.goes_on(|_| ()),
            0 => self.stays(|to| {
                to.holders[bell] = None;
                to.asleep[bell].push(me);
                to.asleep[bell].sort_unstable();
                (to.threads[me].rung, to.threads[me].phase) = (false, 1);
            }),
            1 if mine.rung => {
                if free {
                    self.has_lock_again(it, bell, 0);
                }
            }
            1 => {
                if *it == Do::Doze(bell) {
                    self.stays(|to| {
                        to.asleep[bell].retain(|it| *it != me);
                        to.threads[me].phase = 2;
                    });
                }
                self.stays(|to| {
                    to.asleep[bell].retain(|it| *it != me);
                    to.threads[me].rung = true;
                });
                self.unasked();
            }
            _ => {
                if free {
                    self.has_lock_again(it, bell, 1);
                }
            }
        }
    }

    fn has_lock_again(&mut self, it: &Do, bell: usize, timed_out: u8) {
        let me = self.me;
        let takes = |to: &mut State| to.holders[bell] = Some(me);
        match it {
            Do::Doze(_) => self.notes(timed_out, takes),
            Do::Wait(_) => self.goes_on(takes),
            _ => self.stays(|to| {
                to.threads[me].phase = 0;
                takes(to);
            }),
        }
    }

    fn sends(&mut self, it: &Do, number: u8) {
        let (from, me) = (self.from, self.me);
        let full = self
            .game
            .places
            .is_some_and(|places| from.messages.len() >= places);
        let tries = matches!(it, Do::TrySend(_)) && self.game.places.is_some();
        match (self.game.places, from.threads[me].phase) {
            (_, 1) => match from.threads[me].offer {
                Offer::Open => {}
                Offer::Taken => self.notes(1, |_| ()),
                Offer::Returned => self.notes(0, |_| ()),
            },
            _ if !from.receiver_is_there => self.notes(if tries { 2 } else { 0 }, |_| ()),
            (Some(0), _) if tries => {
                // The receiver must be there and waiting, and not for a message that it has been offered already.
                if from.receiver_waits && from.messages.is_empty() {
                    self.notes(1, |to| to.messages.push_back((number, None)));
                } else {
                    self.notes(0, |_| ());
                }
            }
            (Some(0), _) => self.stays(|to| {
                to.messages.push_back((number, Some(me)));
                (to.threads[me].phase, to.threads[me].offer) = (1, Offer::Open);
            }),
            _ if !full => self.notes(1, |to| to.messages.push_back((number, None))),
            _ if tries => self.notes(0, |_| ()),
            _ => {}
        }
    }

    fn receives(&mut self, it: &Do) {
        let (from, me) = (self.from, self.me);
        let tries = *it == Do::TryReceive;
        if !tries && from.threads[me].phase == 0 {
            return self.stays(|to| (to.receiver_waits, to.threads[me].phase) = (true, 1));
        }
        match from.messages.front() {
            Some((message, _)) => self.notes(*message, State::receives),
            None if from.senders == 0 => self.notes(99, State::receives),
            None if tries => self.notes(98, |_| ()),
            None if *it == Do::ReceiveAWhile => self.notes(97, State::receives),
            None => {}
        }
    }
}

impl State {
    fn locks(&mut self, thread: usize, lock: usize) {
        self.holders[lock] = Some(thread);
        self.threads[thread].locks.push(lock);
    }

    fn reads(&mut self, thread: usize) {
        self.readers.push(thread);
        self.readers.sort_unstable();
        self.threads[thread].reads += 1;
    }

    fn writes(&mut self, thread: usize) {
        (self.writer, self.threads[thread].writes) = (Some(thread), true);
        self.line.retain(|it| *it != thread);
        self.shelf += 1;
    }
}
