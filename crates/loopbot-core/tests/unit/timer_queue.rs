//! The heap of deadlines, compared with a list that is sorted in the plainest way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Wake, Waker};

use proptest::prelude::*;

use super::*;

/// What can be done to timers. An index names one that was set before, whatever has become of it.
#[derive(Clone, Copy, Debug)]
enum Act {
    Arm { after: u64 },
    ArmNever,
    Disarm(usize),
    Rewire(usize),
    Look { after: u64 },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        // Few different times, so that many deadlines are equal; or many.
        4 => (0..6u64).prop_map(|after| Act::Arm { after }),
        4 => (0..1_000_000_000u64).prop_map(|after| Act::Arm { after }),
        1 => Just(Act::ArmNever),
        6 => any::<usize>().prop_map(Act::Disarm),
        2 => any::<usize>().prop_map(Act::Rewire),
        1 => (0..4u64).prop_map(|after| Act::Look { after }),
        1 => (0..100_000_000u64).prop_map(|after| Act::Look { after }),
    ];
    prop::collection::vec(act, 1..400)
}

/// A waker that is told apart from others by what its wakes are counted in.
struct Counts(AtomicUsize);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn task() -> flight::Task {
    flight::Recorder::off().task("test")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_heap_is_a_sorted_list(acts in acts()) {
        let mut queue = TimerQueue::default();
        // What must be set, by (due, number): that is the order in which they have to fire.
        let mut model = BTreeMap::<(u64, u64), Waker>::new();
        let mut keys = Vec::<(u64, TimerKey)>::new();
        let mut now = 0;
        for act in acts {
            match act {
                Act::Arm { .. } | Act::ArmNever => {
                    let due = match act {
                        Act::Arm { after } => now + after,
                        _ => NEVER,
                    };
                    let waker = Waker::from(Arc::new(Counts(AtomicUsize::new(0))));
                    let key = queue.arm(due, due - now, task(), waker.clone());
                    prop_assert!(model.insert((due, key.number), waker).is_none());
                    keys.push((due, key));
                }
                Act::Disarm(which) if !keys.is_empty() => {
                    let (due, key) = keys[which % keys.len()];
                    let expected = model.remove(&(due, key.number));
                    let got = queue.disarm(key);
                    prop_assert_eq!(got.is_some(), expected.is_some());
                    prop_assert!(got.iter().zip(&expected).all(|(got, expected)| got.will_wake(expected)));
                }
                Act::Rewire(which) if !keys.is_empty() => {
                    let (due, key) = keys[which % keys.len()];
                    let waker = Waker::from(Arc::new(Counts(AtomicUsize::new(0))));
                    let expected = match model.get_mut(&(due, key.number)) {
                        Some(old) => std::mem::replace(old, waker.clone()),
                        None => waker.clone(), // it comes back
                    };
                    let got = queue.rewire(key, task(), waker).unwrap();
                    prop_assert!(got.will_wake(&expected));
                }
                Act::Disarm(_) | Act::Rewire(_) => {}
                Act::Look { after } => {
                    now += after;
                    while let Some(timer) = queue.pop_due(now) {
                        let (key, waker) = model.pop_first().unwrap();
                        prop_assert_eq!((timer.due, timer.number), key);
                        prop_assert!(timer.due <= now, "early");
                        prop_assert!(timer.waker.will_wake(&waker));
                    }
                }
            }
            let first = model.keys().next().map(|&(due, _)| due);
            prop_assert_eq!(queue.next_due(), first.filter(|&due| due < NEVER));
            if let Act::Look { .. } = act {
                bounded(&queue)?;
                prop_assert!(first.is_none_or(|due| due > now), "left behind");
            }
            // The thread wakes up at or after the first deadline, and no sleep is stretched by more than its share.
            if let Some(wake) = queue.time_to_wake() {
                let first = first.unwrap();
                prop_assert!(wake >= first && wake - first < 1_000_000);
            }
        }
    }

    #[test]
    fn no_sleep_is_stretched_by_more_than_a_sixteenth(
        lengths in prop::collection::vec(0..100_000_000u64, 1..100),
        now in 0..1u64 << 62,
    ) {
        let mut queue = TimerQueue::default();
        for length in &lengths {
            queue.arm(now + length, *length, task(), Waker::noop().clone());
        }
        let wake = queue.time_to_wake().unwrap();
        for length in lengths {
            let late = wake.saturating_sub(now + length);
            prop_assert!(late == 0 || late < length / 16, "{length} was stretched by {late}");
            prop_assert!(late < 1_000_000);
        }
    }
}

/// Dead deadlines and free slots never outnumber what was in use at once by more than a constant factor.
fn bounded(queue: &TimerQueue) -> Result<(), TestCaseError> {
    let set = queue
        .slots
        .iter()
        .filter(|slot| slot.waker.is_some())
        .count();
    prop_assert_eq!(set + queue.free.len(), queue.slots.len());
    prop_assert!(queue.heap.len() <= set + queue.slots.len().max(FEW));
    for at in 1..queue.heap.len() {
        prop_assert!(queue.heap[(at - 1) / 4].is_before(&queue.heap[at]));
    }
    Ok(())
}

#[test]
fn deadlines_that_lie_close_together_share_one_wake_up() {
    let mut queue = TimerQueue::default();
    for i in 0..100 {
        queue.arm(
            50_000_001 + i * 9_000,
            50_000_000,
            task(),
            Waker::noop().clone(),
        );
    }
    assert_eq!(queue.next_due(), Some(50_000_001));
    assert_eq!(queue.time_to_wake(), Some(51_000_000));
    // A short one among them is not kept waiting, and those that are due by then come along.
    let short = queue.arm(50_450_000, 450_000, task(), Waker::noop().clone());
    let wake = queue.time_to_wake().unwrap();
    assert!((50_450_000..50_450_000 + 450_000 / 16).contains(&wake));
    queue.disarm(short);
    assert_eq!(queue.time_to_wake(), Some(51_000_000));
    assert_eq!(
        std::iter::from_fn(|| queue.pop_due(51_000_000)).count(),
        100
    );
}

#[test]
fn a_million_cancelled_timers_give_their_memory_back() {
    let mut queue = TimerQueue::default();
    let keys: Vec<_> = (0..1_000_000)
        .map(|i| queue.arm(i * 7919 % 1_000_003, 0, task(), Waker::noop().clone()))
        .collect();
    for key in keys {
        assert!(queue.disarm(key).is_some());
    }
    assert_eq!(queue.next_due(), None);
    assert_eq!(queue.time_to_wake(), None);
    assert!(
        queue.heap.capacity() <= 2 * FEW,
        "{}",
        queue.heap.capacity()
    );
    assert!(
        queue.slots.capacity() <= 2 * FEW,
        "{}",
        queue.slots.capacity()
    );
    assert!(
        queue.free.capacity() <= 2 * FEW,
        "{}",
        queue.free.capacity()
    );
}

#[test]
fn many_fired_timers_give_their_memory_back_to_one_that_stays() {
    let mut queue = TimerQueue::default();
    queue.arm(NEVER - 1, 0, task(), Waker::noop().clone());
    for i in 0..100_000 {
        queue.arm(i * 7919 % 100_003, 0, task(), Waker::noop().clone());
    }
    let fired = std::iter::from_fn(|| queue.pop_due(2_000_000)).count();
    assert_eq!(fired, 100_000);
    assert_eq!(queue.next_due(), Some(NEVER - 1));
    // The last tidying up may have come a little before the end, while there were some still.
    for _ in 0..2 * FEW {
        let key = queue.arm(3_000_000, 0, task(), Waker::noop().clone());
        queue.disarm(key);
    }
    assert!(queue.heap.capacity() + queue.slots.capacity() <= 4 * FEW);
}

#[test]
fn a_key_opens_nothing_in_another_queue_or_after_its_time() {
    let mut ours = TimerQueue::default();
    let mut theirs = TimerQueue::default();
    let key = ours.arm(5, 0, task(), Waker::noop().clone());
    theirs.arm(5, 0, task(), Waker::noop().clone());
    assert!(theirs.disarm(key).is_none());
    assert!(!theirs.issued(key) && ours.issued(key));
    assert!(ours.disarm(ours.no_timer()).is_none());
    assert_eq!(ours.pop_due(5).unwrap().number, key.number);
    assert!(ours.disarm(key).is_none());
    ours.arm(6, 0, task(), Waker::noop().clone()); // in the same slot
    assert!(ours.disarm(key).is_none());
    assert!(ours.disarm(ours.no_timer()).is_none());
    assert_eq!(ours.next_due(), Some(6));
}

#[test]
fn what_a_timer_weighs() {
    assert_eq!(size_of::<Deadline>(), 16);
    assert_eq!(size_of::<Slot>(), 32);
    assert_eq!(size_of::<crate::Sleep>(), 32);
}

/// A deadline knows 32 bits of its timer's number.
#[test]
fn the_order_holds_when_the_short_numbers_begin_anew() {
    let mut queue = TimerQueue {
        last_number: u64::from(u32::MAX) - 2,
        ..TimerQueue::default()
    };
    let keys: Vec<_> = (0..6)
        .map(|_| queue.arm(5, 0, task(), Waker::noop().clone()))
        .collect();
    assert!(queue.disarm(keys[3]).is_some());
    let fired: Vec<_> = std::iter::from_fn(|| queue.pop_due(5))
        .map(|timer| timer.number)
        .collect();
    let expected: Vec<_> = [0, 1, 2, 4, 5].map(|at: usize| keys[at].number).into();
    assert_eq!(fired, expected);
    assert!(keys[5].number > u64::from(u32::MAX));
}
