// ANCHOR: about
//! A task: a future in a block of memory of its own, and later, in the same place, what it made.
//!
//! The loop holds tasks of every type on one shelf, so a task's type is gone here; what has to be done by
//! type is done through a table of functions. This file and the shelf keep the promise that makes that
//! sound: a block is asked only for what is in it.
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::any::Any;
use std::mem::{self, ManuallyDrop, MaybeUninit};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};
use std::thread;

use crate::blocks;
use crate::join_error::JoinError;
// ANCHOR_END: about

// ANCHOR: task
/// A task. Whoever has this owns the block. It stays on its thread, as the future in it does.
pub(crate) struct Task(NonNull<Header>);

/// A block: one allocation for each task, and all of it.
#[repr(C)]
struct Block<F: Future> {
    header: Header,
    content: Content<F>,
}

/// What can be found in a block without knowing its type.
struct Header {
    /// What the block holds now, and how to deal with that.
    table: &'static Table,
    /// Whoever awaits the end of the task.
    joiner: Option<Waker>,
}

/// The future makes room for its result.
#[repr(C)]
union Content<F: Future> {
    future: ManuallyDrop<F>,
    result: ManuallyDrop<Outcome<F::Output>>,
}
// ANCHOR_END: task

// ANCHOR: table
pub(crate) type Outcome<T> = Result<T, JoinError>;
pub(crate) type Panic = Box<dyn Any + Send>;
/// How a future ended. A panic is in one more box, so that what a poll returns fits into two registers.
pub(crate) type Polled = Result<(), Box<Panic>>;

/// The functions of one type of task. They are called with a block of this type only, which holds what `holds` says.
struct Table {
    holds: Holds,
    poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> Poll<Polled>,
    clear: unsafe fn(NonNull<Header>),
    fail: unsafe fn(NonNull<Header>, JoinError),
    into_result: unsafe fn(NonNull<Header>, *mut ()),
    layout: Layout,
}

#[derive(Clone, Copy, PartialEq)]
enum Holds {
    Future,
    Result,
    Nothing,
}
// ANCHOR_END: table

// ANCHOR: methods
impl Task {
    pub(crate) fn new<F: Future + 'static>(future: F) -> Task {
        let block = blocks::allocate(Layout::new::<Block<F>>()).cast::<Block<F>>();
        let content = Content {
            future: ManuallyDrop::new(future),
        };
        let header = Header {
            table: &Block::<F>::WITH_FUTURE,
            joiner: None,
        };
        // SAFETY: the memory is fresh, and has this layout.
        unsafe { block.write(Block { header, content }) };
        Task(block.cast())
    }

    /// Polls the future, and catches its panic, so that it ends one task and not the loop. After `Ready` its result is here.
    #[inline]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Polled> {
        let table = self.header().table;
        assert!(
            table.holds == Holds::Future,
            "a task that is over is not polled"
        );
        // SAFETY: the table is that of the block, and the future is still in it.
        unsafe { (table.poll)(self.0, cx) }
    }

    /// Drops what is in the block. If that panics, it is gone as well.
    pub(crate) fn clear(&mut self) -> thread::Result<()> {
        let clear = self.header().table.clear;
        // SAFETY: the table is that of the block.
        catch_unwind(AssertUnwindSafe(|| unsafe { clear(self.0) }))
    }

    /// Puts an error where the result is expected. Clear the block before.
    pub(crate) fn fail(&mut self, error: JoinError) {
        let table = self.header().table;
        assert!(
            table.holds == Holds::Nothing,
            "a task fails only once it is cleared"
        );
        // SAFETY: the table is that of the block, and nothing is in it that would be overwritten.
        unsafe { (table.fail)(self.0, error) }
    }

    /// The result, which is all that is left of the task. Nothing of the user's runs here.
    ///
    /// # Safety
    ///
    /// The future of this task must have the output `T`.
    #[inline]
    pub(crate) unsafe fn into_result<T>(self) -> Outcome<T> {
        let mut task = ManuallyDrop::new(self);
        let table = task.header().table;
        assert!(
            table.holds == Holds::Result,
            "a result is taken when it is there"
        );
        let mut result = MaybeUninit::<Outcome<T>>::uninit();
        // SAFETY: the table is that of the block, it holds a result, and the caller says that this is its type.
        // Nobody has the block afterwards.
        unsafe {
            (table.into_result)(task.0, result.as_mut_ptr().cast());
            result.assume_init()
        }
    }

    /// Whoever awaits the end of this task. The one from before is returned, to be dropped when no borrow is open.
    pub(crate) fn set_joiner(&mut self, joiner: Option<Waker>) -> Option<Waker> {
        mem::replace(&mut self.header().joiner, joiner)
    }

    fn header(&mut self) -> &mut Header {
        // SAFETY: the block lives as long as this, its header was written when it was made, and the
        // functions of the table, which are the others that touch it, run only while this is borrowed.
        unsafe { self.0.as_mut() }
    }
}
// ANCHOR_END: methods

// ANCHOR: drop
impl Drop for Task {
    fn drop(&mut self) {
        /// Gives the memory back even if what was in it panics when it is dropped.
        struct Free(NonNull<Header>, Layout);
        impl Drop for Free {
            fn drop(&mut self) {
                // SAFETY: `Task::new` allocated it with this layout, and its owner is going away.
                unsafe { blocks::free(self.0.cast(), self.1) };
            }
        }
        let header = self.header();
        let (table, joiner) = (header.table, header.joiner.take());
        let _free = Free(self.0, table.layout);
        drop(joiner);
        // SAFETY: the table is that of the block.
        unsafe { (table.clear)(self.0) };
    }
}
// ANCHOR_END: drop

// ANCHOR: block
/// Whoever calls one of these unsafe functions says that the block is of this type, and holds what the function needs.
impl<F: Future> Block<F> {
    const WITH_FUTURE: Table = Self::table(Holds::Future);
    const WITH_RESULT: Table = Self::table(Holds::Result);
    const EMPTY: Table = Self::table(Holds::Nothing);

    const fn table(holds: Holds) -> Table {
        Table {
            holds,
            poll: Self::poll,
            clear: match holds {
                Holds::Future => Self::clear::<F>,
                Holds::Result => Self::clear::<Outcome<F::Output>>,
                Holds::Nothing => |_| {},
            },
            fail: Self::fail,
            into_result: Self::into_result,
            layout: Layout::new::<Self>(),
        }
    }

    /// Where the content is, as what it is expected to be.
    ///
    /// # Safety
    ///
    /// The block must be of this type.
    unsafe fn content<T>(block: NonNull<Header>) -> NonNull<T> {
        let block = block.cast::<Self>().as_ptr();
        // SAFETY: the caller says so. The address of a union is that of each of its fields.
        unsafe { NonNull::new_unchecked(&raw mut (*block).content) }.cast()
    }

    unsafe fn poll(block: NonNull<Header>, cx: &mut Context<'_>) -> Poll<Polled> {
        // SAFETY: the block is of this type and holds the future. It does not move until it is dropped, in its place.
        let future = unsafe { Pin::new_unchecked(Self::content::<F>(block).as_mut()) };
        // `AssertUnwindSafe`: a future that panicked is never polled again, so nobody sees it half changed.
        match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Err(panic) => Poll::Ready(Err(Box::new(panic))),
            Ok(Poll::Ready(output)) => {
                // The future goes first: what it held is free again before anybody hears that it is over.
                // SAFETY: the future is in the block, and afterwards nothing is.
                let dropped = catch_unwind(AssertUnwindSafe(|| unsafe { Self::clear::<F>(block) }));
                match dropped {
                    // SAFETY: as above.
                    Ok(()) => unsafe { Self::put(block, Ok(output)) },
                    Err(_) => drop_caught(output),
                }
                Poll::Ready(dropped.map_err(Box::new))
            }
        }
    }

    unsafe fn fail(block: NonNull<Header>, error: JoinError) {
        // SAFETY: the caller says that the block is of this type, and empty.
        unsafe { Self::put(block, Err(error)) }
    }

    /// Drops the content, which is a `T`.
    unsafe fn clear<T>(block: NonNull<Header>) {
        // SAFETY: the block is of this type, and a `T` is in it. First it is marked empty, then emptied:
        // should the drop panic, or look at its own task, nobody drops it again.
        unsafe {
            (*block.as_ptr()).table = &Self::EMPTY;
            Self::content::<T>(block).drop_in_place();
        }
    }

    /// Puts a result into the block, which is empty.
    unsafe fn put(block: NonNull<Header>, result: Outcome<F::Output>) {
        // SAFETY: the block is of this type, and there is room for a result in every block.
        unsafe {
            Self::content(block).write(result);
            (*block.as_ptr()).table = &Self::WITH_RESULT;
        }
    }

    /// Moves the result from the block to `to`, and frees the block. (The joiner left it when the task ended.)
    unsafe fn into_result(block: NonNull<Header>, to: *mut ()) {
        // SAFETY: the block is of this type and holds a result, and the caller has room for one at `to`. The
        // caller owned the block, and `Task::new` allocated it with this layout.
        unsafe {
            to.cast::<Outcome<F::Output>>()
                .write(Self::content(block).read());
            blocks::free(block.cast(), Layout::new::<Self>());
        }
    }
}
// ANCHOR_END: block

// ANCHOR: caught
/// Polls the main future, which is nobody's task, and catches its panic, too.
pub(crate) fn poll_caught<F: Future>(
    future: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<thread::Result<F::Output>> {
    match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    }
}

/// Calls a waker. It may be anybody's, and do anything: nothing may be borrowed now. If it panics, the panic hook has said so, and
/// the loop goes on.
#[inline]
pub fn wake_caught(waker: Waker) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        drop_caught(panic);
    }
}

/// Drops something of the user's. If that panics, the panic hook has said so, and the loop goes on.
#[inline]
pub fn drop_caught<T>(value: T) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value)))
        // What it panicked with is the user's as well, and could panic in its own drop, without end.
        && let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic)))
    {
        mem::forget(again);
    }
}
// ANCHOR_END: caught
