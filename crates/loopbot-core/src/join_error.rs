//! Why a task has no output.

use std::any::Any;
use std::fmt;
use std::sync::Mutex;

/// Why a task has no output: it panicked, or it was cancelled before it was done.
///
/// ```
/// loopbot::run(async {
///     let cook = loopbot::spawn_named("ChefBot's oven", async { panic!("the soufflé fell") });
///     let error: loopbot::JoinError = cook.await.unwrap_err();
///     assert!(error.is_panic());
///     assert_eq!(error.panic_message(), Some("the soufflé fell"));
/// });
/// ```
// In a box, because every task has room for one beside its output.
pub struct JoinError(Box<Reason>);

struct Reason {
    task: String,
    why: Why,
}

enum Why {
    Cancelled,
    /// In a `Mutex` that is never locked: a payload is `Send` only, and with it the error is `Sync` too,
    /// as `?` into a boxed error asks of it.
    Panicked {
        message: String,
        payload: Mutex<Box<dyn Any + Send>>,
    },
}

impl JoinError {
    pub(crate) fn cancelled(task: &str) -> JoinError {
        JoinError(Box::new(Reason {
            task: task.to_owned(),
            why: Why::Cancelled,
        }))
    }

    /// That the task of this name panicked, with this payload: for those who catch the panics of tasks themselves.
    pub fn panicked(task: &str, payload: Box<dyn Any + Send>) -> JoinError {
        // `panic!("words")` carries a &str, `panic!("{words}")` a String.
        let message = match payload.downcast_ref::<&str>() {
            Some(message) => message.to_string(),
            None => payload
                .downcast_ref::<String>()
                .cloned()
                .unwrap_or("(not in words)".to_owned()),
        };
        JoinError(Box::new(Reason {
            task: task.to_owned(),
            why: Why::Panicked {
                message,
                payload: Mutex::new(payload),
            },
        }))
    }

    /// Whether the task was cancelled: by [`abort`](crate::JoinHandle::abort), or because its LoopBot ended.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0.why, Why::Cancelled)
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        !self.is_cancelled()
    }

    /// The words of the panic; `None` if the task was cancelled.
    pub fn panic_message(&self) -> Option<&str> {
        match &self.0.why {
            Why::Cancelled => None,
            Why::Panicked { message, .. } => Some(message),
        }
    }

    /// What the task panicked with, to hand on through [`std::panic::resume_unwind`]; `None` if it was cancelled.
    pub fn into_panic(self) -> Option<Box<dyn Any + Send>> {
        match self.0.why {
            Why::Cancelled => None,
            Why::Panicked { payload, .. } => payload.into_inner().ok(),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.why {
            Why::Cancelled => write!(f, "{} was cancelled", self.0.task),
            Why::Panicked { message, .. } => write!(f, "{} panicked: {message}", self.0.task),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl std::error::Error for JoinError {}
