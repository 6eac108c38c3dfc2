//! Being told to stop: Ctrl-C, and the polite form of kill.
//!
//! On Unix, `signal-hook` writes into a socket when the signal comes, and LoopBot waits for that socket as
//! for any other. On Windows, `ctrlc` has a thread that wakes the tasks.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Waits for Ctrl-C.
///
/// It listens from this call on, not from the first poll. It can be awaited again, by reference, for the next
/// Ctrl-C. Several tasks may wait; each hears of it. Two that come before anybody looks may count as one.
///
/// From the first call on, and to the end of the process, Ctrl-C no longer ends the program by itself.
///
/// Cancel safe: what came before it was dropped is forgotten, and nothing else.
///
/// ```no_run
/// use loopbot::signal::ctrl_c;
///
/// loopbot::run(async {
///     let mut last_orders = ctrl_c();
///     (&mut last_orders).await?;
///     println!("We are closing. Press Ctrl-C again to leave at once.");
///     last_orders.await
/// })
/// # .unwrap()
/// ```
///
/// # Errors
///
/// Awaiting it fails if the system has no way to hear of the signal.
///
/// # Panics
///
/// If no LoopBot runs on this thread.
#[track_caller]
pub fn ctrl_c() -> Signal {
    Signal(Listening::to(Wanted::CtrlC))
}

/// Waits to be asked to end: SIGTERM on Unix, which is what service managers send. On Windows: as [`ctrl_c`],
/// which there hears of a closed console and of a shutdown as well. Otherwise it is like [`ctrl_c`].
///
/// # Panics
///
/// If no LoopBot runs on this thread.
#[track_caller]
pub fn terminate() -> Signal {
    Signal(Listening::to(Wanted::Terminate))
}

/// The future of [`ctrl_c`] and [`terminate`].
#[derive(Debug)]
#[must_use = "a future does nothing until it is awaited"]
pub struct Signal(Listening);

impl Future for Signal {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll(cx)
    }
}

#[derive(Clone, Copy)]
enum Wanted {
    CtrlC,
    Terminate,
}

#[cfg(unix)]
use unix::Listening;
#[cfg(windows)]
use windows::Listening;

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::unix::net::UnixStream as StdStream;
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};

    use futures_io::AsyncRead;
    use signal_hook::SigId;
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::low_level::{pipe, unregister};

    use super::Wanted;
    use crate::net::UnixStream;

    #[derive(Debug)]
    pub(super) struct Listening(io::Result<Bell>);

    /// A socket with a byte in it for each signal that came.
    #[derive(Debug)]
    struct Bell {
        reads: UnixStream,
        rope: SigId,
    }

    impl Listening {
        #[track_caller]
        pub(super) fn to(wanted: Wanted) -> Listening {
            let signal = match wanted {
                Wanted::CtrlC => SIGINT,
                Wanted::Terminate => SIGTERM,
            };
            let pair = StdStream::pair().and_then(|(reads, writes)| {
                let reads = UnixStream::from_std(reads)?;
                let rope = pipe::register(signal, writes)?;
                Ok(Bell { reads, rope })
            });
            Listening(pair)
        }

        pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            match &mut self.0 {
                Ok(bell) => {
                    // However many have come: they are one answer.
                    let rang = ready!(Pin::new(&mut bell.reads).poll_read(cx, &mut [0; 64]));
                    Poll::Ready(rang.map(|_| ()))
                }
                Err(error) => {
                    let sentence = format!("the system does not tell LoopBot of signals: {error}");
                    Poll::Ready(Err(io::Error::new(error.kind(), sentence)))
                }
            }
        }
    }

    impl Drop for Bell {
        fn drop(&mut self) {
            unregister(self.rope);
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::io;
    use std::panic::Location;
    use std::sync::{Mutex, MutexGuard, OnceLock};
    use std::task::{Context, Poll, Waker, ready};

    use loopbot_core::leaf::{self, EndedBy};

    use super::Wanted;

    /// How many have come, and who waits for the next.
    struct Bell {
        rang: u64,
        waiting: Vec<Waker>,
    }

    static BELL: Mutex<Bell> = Mutex::new(Bell {
        rang: 0,
        waiting: Vec::new(),
    });

    #[derive(Debug)]
    pub(super) struct Listening {
        heard: u64,
        failed: Option<String>,
        at: &'static Location<'static>,
    }

    impl Listening {
        #[track_caller]
        pub(super) fn to(_: Wanted) -> Listening {
            static HANDLER: OnceLock<Result<(), String>> = OnceLock::new();
            leaf::must_run_on_a_loop("signal");
            let handler =
                HANDLER.get_or_init(|| ctrlc::set_handler(ring).map_err(|error| error.to_string()));
            Listening {
                heard: lock().rang,
                failed: handler.clone().err(),
                at: Location::caller(),
            }
        }

        pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            ready!(leaf::spend(cx));
            if let Some(error) = &self.failed {
                let sentence = format!("the system does not tell LoopBot of Ctrl-C: {error}");
                return Poll::Ready(Err(io::Error::other(sentence)));
            }
            let waker = leaf::keep(cx.waker());
            let mut bell = lock();
            if bell.rang > self.heard {
                self.heard = bell.rang;
                return Poll::Ready(Ok(()));
            }
            if bell.waiting.iter().all(|kept| !kept.will_wake(&waker)) {
                bell.waiting.push(waker);
            }
            drop(bell);
            leaf::waits("a signal", self.at, EndedBy::Outside);
            Poll::Pending
        }
    }

    fn ring() {
        let mut bell = lock();
        bell.rang += 1;
        let waiting = std::mem::take(&mut bell.waiting);
        drop(bell);
        waiting.into_iter().for_each(Waker::wake);
    }

    fn lock() -> MutexGuard<'static, Bell> {
        BELL.lock().expect("nobody panics while holding the bell")
    }
}
