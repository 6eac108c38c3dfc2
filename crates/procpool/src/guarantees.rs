//! What a pool promises, what the promise rests on, and where it ends.
//!
//! This page is for reading. It holds no code.
//!
//! # Every job is answered, once
//!
//! An [`Answer`](crate::Answer) comes to a value or to a [`JobError`](crate::JobError), and to one of them only, whatever
//! dies. It never waits for something that cannot come any more.
//!
//! *Rests on:* the state machine in the middle of the pool does no I/O. A test is the whole world around it, with seeds:
//! workers die at any step, and after every step every promise is checked.
//!
//! # A worker's death costs the job that it had in hand
//!
//! * A job that the worker had not begun goes back to the head of the queue. Nobody is told, because nothing happened.
//! * The job that it had begun fails with [`WorkerDied`](crate::WorkerDied): which function, which attempt, which
//!   process, and how it ended. If the job is [idempotent](crate::JobBuilder::idempotent), another worker gets it.
//! * Of a `map`'s chunk, the items that were done keep their results. The one item that was in hand is lost. The rest
//!   go on elsewhere.
//! * The other workers, and their jobs, do not notice.
//!
//! *Rests on:* a page of memory that worker and pool share. Before the worker looks at a job it writes the job's number
//! there. The page outlives the worker, so there is no guessing which of the jobs that were sent is the suspect.
//!
//! *Ends where* the world outside begins. The pool cannot know whether a job that was killed had already sent the
//! letter it was to send. So a job is done at most once, unless you say that twice does no harm.
//!
//! # Nothing is left
//!
//! | what happens | what becomes of the workers, and of programs that their jobs have started |
//! |---|---|
//! | the pool is shut down | they have ended when [`shut_down`](crate::Pool::shut_down) returns |
//! | the last handle is dropped | they end when the jobs that they have are done |
//! | a worker is killed, or exits | the programs that its jobs have started are killed, then it is reaped |
//! | this program returns from main, panics, calls exit | the kernel closes the sockets: they end within milliseconds |
//! | this program is killed by SIGKILL | the same, and busy workers too |
//! | somebody stops a worker (SIGSTOP), then this program dies | the kernel wakes it, and it ends |
//!
//! No zombie, no file, no named piece of shared memory. Memory that was handed over is freed with the last process that
//! has it.
//!
//! *Rests on:* a process group for each worker, which is killed while its leader is a zombie, so that its number cannot
//! be anybody else's; a descriptor of the process (pidfd) in place of its number, and no signal handler; in each worker,
//! a thread that does nothing but wait for the pool's end of the socket to be closed, or for this process to die.
//!
//! *Ends where* a job's child leaves the group on purpose (`setsid`, as daemons do), or gets other rights (`sudo`). Such
//! a child lives on. So does a process that the kernel itself holds, on a dead network disk for example, until it is
//! let go.
//!
//! # The pool never waits for a worker
//!
//! A worker that is busy, stopped or wedged holds up itself. Bytes that its socket does not take stay here until it does.
//! Submitting, awaiting, dropping and the other workers go on. What was sent to it behind a job that turns out long is
//! taken back and given to another one: pool and worker share a word that says which job was taken up last, and whoever
//! changes it first has the job.
//!
//! What is not sent is bounded: by the [queue](crate::Builder::queue), and a few jobs for each worker. When the queue is
//! full, `submit` waits for a place and `try_submit` says so.
//!
//! # Large values are not copied
//!
//! A [`Blob`](crate::Blob) is handed over in the time that a message takes, whatever its size. Nobody can change it
//! afterwards, and nobody can make it vanish below a reader: the kernel refuses both. The memory is used again for
//! later blobs once the kernel says that nobody has it any more. For that each process that builds blobs keeps up to
//! 256 MiB of what it had in use.
//!
//! # Standard input, output and errors are the job's
//!
//! The pool talks to its workers over a socket that no job sees. A job may print what it likes, and where that goes is
//! said by [`Output`](crate::Output); or each line goes to whoever [listens](crate::Builder::on_line), however slowly:
//! nobody waits for a listener, and what it is too slow for is counted. Standard input is empty. Programs that a job starts inherit those three and
//! nothing of the pool.
//!
//! # Signals
//!
//! Ctrl-C at the terminal reaches this program alone, since each worker is in a group of its own. If this program dies
//! of it, so do they. If it catches the signal, the pool goes on, and you decide. Ctrl-Z stops this program only; the
//! workers finish what they have.
//!
//! The pool installs no signal handler, and needs none. If another part of the program waits for *every* child (or
//! ignores `SIGCHLD`), the pool still notices each death at once. But the exit status is gone then, and is told as
//! `exit(255)`.
//!
//! # Limits
//!
//! A [time limit](crate::Builder::time_limit) is kept in two steps. First the job is [asked](crate::cancelled) to stop.
//! After the [grace](crate::Builder::grace) its worker is killed and replaced.
//!
//! A [memory limit](crate::Builder::memory_limit) counts memory that is the worker's own and writable (`RLIMIT_DATA`).
//! What it shares, blobs among it, does not count. When the limit is reached, the next allocation is refused, and a Rust
//! program says so and aborts. [`OutOfMemory`](crate::Death::OutOfMemory) is told of a worker in two cases only: it
//! aborted in the same item in which Rust's runtime wrote on its standard error that it was refused memory; or it was
//! killed, not by us, and the kernel's count of processes killed for lack of memory has grown since the pool last looked,
//! at the start of the pool or the end of another worker. Both have an edge. Of tiny items, one right after the other, the
//! pool may take what one wrote for what the next one wrote. And where a control group of memory has no count of its own,
//! the count is that of the whole machine: then somebody else may have been meant.
//!
//! A worker that [grows](crate::Builder::max_growth) and grows is replaced between two jobs. Workers also tell the kernel
//! that they should go before their parent if the whole machine runs out.
//!
//! # Pools in pools
//!
//! A job may build a pool of its own. If the outer worker dies, the inner ones end too, since each hangs on the leash of
//! its own parent. Ten deep is the most; deeper is an error and not a flood of processes.
//!
//! # Where it runs
//!
//! Linux. Four things of the kernel carry the promises above:
//!
//! | | since |
//! |---|---|
//! | `pidfd_open`, `waitid` on a pidfd | 5.4 |
//! | `F_SEAL_FUTURE_WRITE` | 5.1 |
//! | descriptors over a Unix socket, `memfd_create` | 3.17 |
//! | leases that count each `open` (else blobs are not recycled) | 5.3 |
//!
//! On other systems the crate compiles, blobs are vectors, and [`build`](crate::Builder::build) answers with an error
//! that says so. What other systems would need, for whoever wants to write it:
//!
//! * **macOS**: `kqueue` with `EVFILT_PROC` in place of the pidfd (reap in the same thread that got the event, before the
//!   number can be used again); `shm_open` and `shm_unlink` at once in place of the memfd, which has no seals but whose
//!   size can be set only once; a lock around making sockets and starting workers, since there the two steps of making
//!   a descriptor that is not inherited can be torn apart; the leash with the socket alone. Recycling needs another
//!   proof: the receiver has to say that it is done.
//! * **Windows**: a job object that kills on close in place of group and leash; a named pipe in place of the socket;
//!   `DuplicateHandle` into the worker in place of passing descriptors; sections in place of memfds.
