//! Where other threads find a LoopBot: a number, and under that number an inbox.

use std::sync::{Mutex, MutexGuard, OnceLock};

use crate::inbox::{Bell, Inbox};
use crate::waker::Name;

/// How many LoopBots can run at the same time in one process, each on a thread of its own.
const LOOPS: usize = 4096;

/// The inboxes of all LoopBots. They are made when they are first needed, used again by later ones, and
/// never freed: a waker from long ago may ring at any time, and must find an inbox.
static INBOXES: [OnceLock<Box<Inbox>>; LOOPS] = [const { OnceLock::new() }; LOOPS];

static NUMBERS: Mutex<Numbers> = Mutex::new(Numbers {
    given: 0,
    returned: Vec::new(),
});

struct Numbers {
    given: u16,
    returned: Vec<u16>,
}

/// The number of a LoopBot that runs. As long as this lives, nobody else has it.
pub(crate) struct Address {
    pub(crate) number: u16,
    pub(crate) inbox: &'static Inbox,
}

impl Address {
    /// An address for a loop that runs on the calling thread.
    #[track_caller]
    pub(crate) fn of_this_thread() -> Address {
        let number = numbers().take();
        let number = number.unwrap_or_else(|| {
            panic!(
                "{LOOPS} LoopBots run in this process already, and that is the limit: let one of them do more of the work"
            )
        });
        let inbox = INBOXES[usize::from(number)].get_or_init(|| Box::new(Inbox::new()));
        inbox.clear();
        #[cfg(not(loom))]
        inbox.set_bell(Bell::Thread(std::thread::current()));
        Address { number, inbox }
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        self.inbox.set_bell(Bell::Nobody);
        numbers().returned.push(self.number);
    }
}

impl Numbers {
    fn take(&mut self) -> Option<u16> {
        self.returned.pop().or_else(|| {
            let next = self.given;
            (usize::from(next) < LOOPS).then(|| {
                self.given += 1;
                next
            })
        })
    }
}

fn numbers() -> MutexGuard<'static, Numbers> {
    NUMBERS
        .lock()
        .expect("nobody panics while holding the numbers")
}

/// Wakes a task of another thread's loop.
#[inline(never)]
pub(crate) fn wake(name: Name) {
    if let Some(inbox) = inbox_of(name) {
        inbox.ring(name.slot as usize);
    }
}

/// A waker of another thread's loop was copied.
#[inline(never)]
pub(crate) fn share(name: Name) {
    if let Some(inbox) = inbox_of(name)
        && !inbox.is_shared()
    {
        inbox.set_shared(true);
    }
}

fn inbox_of(name: Name) -> Option<&'static Inbox> {
    Some(INBOXES.get(usize::from(name.executor))?.get()?)
}
