// ANCHOR: sample
//! A copy of another thread's stack, taken while that thread runs.
//!
//! A thread's registers are known to nobody but itself and the kernel. So it gets a signal, and whatever it was doing, it
//! now runs our handler: in the middle of an allocation maybe, with a lock in its hand. Such a handler may allocate
//! nothing, lock nothing, and call almost nothing. This one copies four registers and a piece of the stack, writes one
//! word, and is gone. The memory for that has been there from the start.
//!
//! All unsafe code of the watchdog's that talks to the system is in this file.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::mem::{self, MaybeUninit};
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use libc::{c_int, c_void, pid_t, sigaction, siginfo_t, ucontext_t};

/// The signal. By default it is ignored, so one that comes late, or to a program that has taken its handler away, kills
/// nobody; debuggers let it pass; and for what it was made for, urgent data on a socket, hardly anybody uses it. Go
/// interrupts its threads with it for the same reasons.
const SIGNAL: c_int = libc::SIGURG;

/// How much of a stack is copied, at most: the innermost part.
const MOST: usize = 256 * 1024;
/// The kernel copies up to the first page that is not there, if it is asked for one page at a time.
const PAGE: usize = 4096;
/// How long to wait for the thread. It can be late if the machine is busy, and it does not come at all if it has the signal blocked.
const PATIENCE: Duration = Duration::from_millis(500);

const GONE: &str = "its thread has ended";
const DEAF: &str = "its thread does not take the signal that this takes";

/// A thread of this process.
pub(super) struct Thread(pid_t);

/// What the thread's registers and its stack were.
pub(super) struct Sample {
    pub(super) registers: Registers,
    /// From the stack pointer on.
    pub(super) stack: Vec<u8>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Registers {
    /// The instruction to be executed next.
    pub(super) pc: u64,
    pub(super) sp: u64,
    pub(super) fp: u64,
    /// Where to return, on processors with a register for it.
    #[cfg_attr(target_arch = "x86_64", allow(dead_code))]
    pub(super) lr: u64,
}

/// Where the thread that is asked leaves the copy. There is one in the process; whoever asks holds `TURN`.
struct Desk {
    /// Who is asked, and how far that is: `thread << 2 | step`. Whose step it is says who may touch the rest.
    step: AtomicU64,
    copy: UnsafeCell<Copy>,
}

struct Copy {
    registers: Registers,
    len: usize,
    stack: [MaybeUninit<u8>; MOST],
}

const NOBODY_ASKED: u64 = 0;
const ASKED: u64 = 1;
const COPYING: u64 = 2;
const COPIED: u64 = 3;

// SAFETY: `copy` is touched by the one thread that has made the step from ASKED to COPYING, and after its step to COPIED, by
// the one that holds `TURN` and has seen that. Both steps are read with Acquire and written with Release.
unsafe impl Sync for Desk {}

static DESK: Desk = Desk {
    step: AtomicU64::new(NOBODY_ASKED),
    copy: UnsafeCell::new(Copy {
        registers: Registers {
            pc: 0,
            sp: 0,
            fp: 0,
            lr: 0,
        },
        len: 0,
        stack: [MaybeUninit::uninit(); MOST],
    }),
};

static TURN: Mutex<()> = Mutex::new(());
/// What was done with the signal before us.
static BEFORE: OnceLock<sigaction> = OnceLock::new();
// ANCHOR_END: sample

// ANCHOR: ask
impl Thread {
    pub(super) fn this() -> Thread {
        Thread(this_thread())
    }

    /// Interrupts the thread, and has it copy its stack.
    ///
    /// # Errors
    ///
    /// Why there is no copy: the thread has ended, or it does not answer.
    pub(super) fn sample(&self) -> Result<Sample, &'static str> {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_prepared() {
            return Err("the system does not let us handle the signal that this takes");
        }
        let thread = (self.0 as u64) << 2;
        DESK.step.store(thread | ASKED, Ordering::Release);
        // SAFETY: sends a signal to a thread of this process, and we handle that signal. If there is no such thread, that is an error.
        let sent = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), self.0, SIGNAL) };
        if sent != 0 {
            DESK.step.store(NOBODY_ASKED, Ordering::Release);
            return Err(GONE);
        }
        if !has_copied(thread) {
            return Err(DEAF);
        }
        // SAFETY: the thread is done with the copy, and we have the turn.
        let copy = unsafe { &*DESK.copy.get() };
        // SAFETY: so many bytes of it were written, by the kernel.
        let stack = unsafe { slice::from_raw_parts(copy.stack.as_ptr().cast::<u8>(), copy.len) };
        let sample = Sample {
            registers: copy.registers,
            stack: stack.to_vec(),
        };
        DESK.step.store(NOBODY_ASKED, Ordering::Release);
        match sample.stack.is_empty() {
            true => Err("the system does not let us copy its stack"),
            false => Ok(sample),
        }
    }
}

/// Waits for the copy. If it takes too long, takes the question back, unless the thread is about to answer.
fn has_copied(thread: u64) -> bool {
    let asked = Instant::now();
    let mut nap = Duration::from_micros(20);
    while DESK.step.load(Ordering::Acquire) != thread | COPIED {
        if asked.elapsed() > PATIENCE {
            let (old, new) = (thread | ASKED, NOBODY_ASKED);
            let taken_back =
                DESK.step
                    .compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed);
            if taken_back.is_ok() {
                return false;
            }
        }
        thread::sleep(nap);
        nap = (nap * 2).min(Duration::from_millis(1));
    }
    true
}
// ANCHOR_END: ask

// ANCHOR: handler
/// Sees to it, once, that the signal is handled.
fn is_prepared() -> bool {
    static PREPARED: OnceLock<bool> = OnceLock::new();
    *PREPARED.get_or_init(|| {
        // SAFETY: all zeros is a valid `sigaction`: the default, no flags, an empty mask.
        let mut ours: sigaction = unsafe { mem::zeroed() };
        ours.sa_sigaction = on_signal as *const () as usize;
        // System calls that can go on afterwards do so. The handler runs on the thread's spare stack if it has one.
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
        let mut before = MaybeUninit::uninit();
        // SAFETY: both pointers are good; with a null in the place of the new action the old one is only asked for. It
        // has to be known before the handler can run.
        unsafe {
            if libc::sigaction(SIGNAL, ptr::null(), before.as_mut_ptr()) != 0 {
                return false;
            }
            BEFORE.get_or_init(|| before.assume_init());
            libc::sigaction(SIGNAL, &ours, ptr::null_mut()) == 0
        }
    })
}

// ANCHOR: on_signal
/// What the interrupted thread does: nothing that allocates or locks or could find a lock taken. It leaves `errno` as it was.
extern "C" fn on_signal(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let me = (this_thread() as u64) << 2;
    let (old, new) = (me | ASKED, me | COPYING);
    let step = DESK
        .step
        .compare_exchange(old, new, Ordering::Acquire, Ordering::Relaxed);
    if step.is_err() {
        // Nobody asked us, or not any more: it may be meant for whoever had this signal before.
        return pass_on(signal, info, context);
    }
    // SAFETY: `errno` of this thread is always there. The desk is ours by the step we made. The kernel hands a valid
    // context to a handler with SA_SIGINFO.
    unsafe {
        let errno = *libc::__errno_location();
        let copy = DESK.copy.get();
        (*copy).registers = registers(&*context.cast());
        (*copy).len = copy_of_stack((*copy).registers.sp as usize, &mut (*copy).stack);
        *libc::__errno_location() = errno;
    }
    DESK.step.store(me | COPIED, Ordering::Release);
}
// ANCHOR_END: on_signal

/// Copies the stack from this address upward. The kernel does it, and where there is no memory, it stops: so
/// nothing has to be known of where the stack ends, and a stack of an unusual kind does no harm.
fn copy_of_stack(from: usize, to: &mut [MaybeUninit<u8>; MOST]) -> usize {
    let mut len = 0;
    while len < MOST {
        let at = from + len;
        let piece = (PAGE - at % PAGE).min(MOST - len);
        let local = libc::iovec {
            iov_base: to[len..].as_mut_ptr().cast(),
            iov_len: piece,
        };
        let remote = libc::iovec {
            iov_base: at as *mut c_void,
            iov_len: piece,
        };
        // SAFETY: `local` lies inside `to`. `remote` is read by the kernel, which checks every address.
        let read = unsafe { libc::process_vm_readv(libc::getpid(), &local, 1, &remote, 1, 0) };
        if read != piece as isize {
            break;
        }
        len += piece;
    }
    len
}

/// Calls the handler from before ours, if there was one.
fn pass_on(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let Some(before) = BEFORE.get() else { return };
    let handler = before.sa_sigaction;
    if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
        return; // Either way, this signal does nothing.
    }
    // SAFETY: the system kept this as the address of a handler, and the flag says of which kind. It gets what we got.
    unsafe {
        if before.sa_flags & libc::SA_SIGINFO != 0 {
            type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);
            mem::transmute::<usize, Handler>(handler)(signal, info, context);
        } else {
            mem::transmute::<usize, extern "C" fn(c_int)>(handler)(signal);
        }
    }
}

fn this_thread() -> pid_t {
    // SAFETY: has no conditions.
    unsafe { libc::syscall(libc::SYS_gettid) as pid_t }
}

#[cfg(target_arch = "x86_64")]
fn registers(context: &ucontext_t) -> Registers {
    let register = |number: c_int| context.uc_mcontext.gregs[number as usize] as u64;
    Registers {
        pc: register(libc::REG_RIP),
        sp: register(libc::REG_RSP),
        fp: register(libc::REG_RBP),
        lr: 0,
    }
}

#[cfg(target_arch = "aarch64")]
fn registers(context: &ucontext_t) -> Registers {
    let context = &context.uc_mcontext;
    Registers {
        pc: context.pc,
        sp: context.sp,
        fp: context.regs[29],
        lr: context.regs[30],
    }
}

#[cfg(test)]
#[path = "../../../tests/unit/sample.rs"]
mod tests;
// ANCHOR_END: handler
