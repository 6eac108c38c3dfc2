// ANCHOR: about
//! The waker: how a task gets back into the run queue.
//!
//! A future that returns `Pending` keeps a copy of its task's waker with whatever it waits for. That may be
//! on another thread, it may ring many times, and it may ring when the loop is long gone. Other executors
//! count who holds a share of the task, and pay for the counting with every copy. A waker of LoopBot's
//! holds no share. It is a name: the loop's number, and where the task lies on that loop's shelf. Copying
//! and dropping a name does nothing. The worst that a name can do that has outlived its task is to have
//! somebody else polled once too often, which every future has to put up with anyway.
#![allow(unsafe_code)]

use std::mem::ManuallyDrop;
use std::ptr;
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::{address, current};

#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "LoopBot's wakers are 64-bit names in the place of pointers, so it needs a 64-bit target"
);

// ANCHOR: name
/// What a waker knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// Which LoopBot, of those that run in this process.
    pub(crate) executor: u16,
    /// Which tenant of the slot. It starts again from 0 after 65,535; then an old waker can mean a new task.
    pub(crate) generation: u16,
    /// Where on the shelf.
    pub(crate) slot: u32,
}
// ANCHOR_END: name
// ANCHOR_END: about

// ANCHOR: data
impl Name {
    /// The name as the data of a waker: the bits of a pointer that points at nothing, and is never followed.
    fn to_data(self) -> *const () {
        let high = usize::from(self.executor) << 48 | usize::from(self.generation) << 32;
        ptr::without_provenance(high | self.slot as usize)
    }

    fn from_data(data: *const ()) -> Name {
        let bits = data.addr();
        Name {
            executor: (bits >> 48) as u16,
            generation: (bits >> 32) as u16,
            slot: bits as u32,
        }
    }

    /// A waker, for one poll. The future borrows it, and copies it if it wants to keep it.
    pub(crate) fn waker(self) -> ManuallyDrop<Waker> {
        // SAFETY: the functions of VTABLE ask nothing of the data but that `to_data` made it. They may be
        // called on any thread, at any time and any number of times: see each of them.
        ManuallyDrop::new(unsafe { Waker::new(self.to_data(), &VTABLE) })
    }
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake, drop_waker);
// ANCHOR_END: data

// ANCHOR: wake
/// `wake` and `wake_by_ref` are the same to us: a name is not used up.
fn wake(data: *const ()) {
    let name = Name::from_data(data);
    let own_loop = current::try_with(|executor| {
        let is_own = executor.is(name.executor);
        if is_own {
            executor.wake(name.slot, name.generation);
        }
        is_own
    });
    if own_loop != Some(true) {
        address::wake(name);
    }
}
// ANCHOR_END: wake

// ANCHOR: copies
/// A copy is the same name. But from now on LoopBot cannot know who will call it: it is noted that somebody may.
fn clone(data: *const ()) -> RawWaker {
    let name = Name::from_data(data);
    let own_loop = current::try_with(|executor| {
        let is_own = executor.is(name.executor);
        if is_own {
            executor.shelf().share(name.slot, name.generation);
        }
        is_own
    });
    if own_loop != Some(true) {
        address::share(name);
    }
    RawWaker::new(data, &VTABLE)
}

fn drop_waker(_: *const ()) {}

/// A copy of a waker, if it is one of ours, that stays with LoopBot's own futures. Nobody needs to be told of it.
#[inline]
pub(crate) fn keep_own(waker: &Waker) -> Option<Waker> {
    let is_own = ptr::eq(waker.vtable(), &VTABLE);
    is_own.then(|| ManuallyDrop::into_inner(Name::from_data(waker.data()).waker()))
}
// ANCHOR_END: copies
