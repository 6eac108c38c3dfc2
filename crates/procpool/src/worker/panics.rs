//! A panic in a job: noted where it happens, and told to whoever awaits the job.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

use super::PAGE;
use super::out::{Out, answer_or_io, with_out};
use crate::core::Ticket;
use crate::error::Panic;
use crate::frame::Tag;

thread_local! {
    /// Whether this thread is in a job, and what its last panic said.
    pub(super) static IN_JOB: Cell<bool> = const { Cell::new(false) };
    static LAST_PANIC: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// Notes where and why a job panics, in place of printing it: it is told to whoever awaits the job.
pub(super) fn hook_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !IN_JOB.get() {
            return usual(info); // a thread that a job has started
        }
        let panic = describe(info);
        if cfg!(panic = "abort") {
            // This process ends when the hook returns. So it is said now.
            if let Some(page) = PAGE.get() {
                let _ = answer_or_io(Ticket(page.started()), Tag::Panicked, &panic);
                let _ = with_out(Out::flush);
            }
        }
        LAST_PANIC.set(Some(panic));
    }));
}

fn describe(info: &PanicHookInfo<'_>) -> Panic {
    Panic {
        message: words(info.payload()),
        location: info.location().map(ToString::to_string).unwrap_or_default(),
        backtrace: {
            let backtrace = std::backtrace::Backtrace::capture();
            match backtrace.status() {
                std::backtrace::BacktraceStatus::Captured => backtrace.to_string(),
                _ => String::new(),
            }
        },
    }
}

/// What the hook saw; or only the words, if the panic was resumed and no hook was called.
pub(super) fn last_panic(payload: Box<dyn Any + Send>) -> Panic {
    let message = words(&*payload);
    // A payload can panic when it is dropped; that shall not cost the next job.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    let last = LAST_PANIC.take().filter(|last| last.message == message);
    last.unwrap_or(Panic {
        message,
        location: String::new(),
        backtrace: String::new(),
    })
}

/// `panic!("words")` carries a &str, `panic!("{words}")` a String.
fn words(payload: &(dyn Any + Send)) -> String {
    let str = payload.downcast_ref::<&str>().map(ToString::to_string);
    let string = || payload.downcast_ref::<String>().cloned();
    str.or_else(string).unwrap_or("(not in words)".to_owned())
}
